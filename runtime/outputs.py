"""Drive all outputs of the board from three wishes: siren level, strobe level, healthy."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.faults import OutputFault
from drivers.interfaces import Output


class Outputs:
    """Groups outputs by role and touches one only when its level shall change.

    Args:
        outputs: (role, output) for every output of the board file.
    """

    def __init__(self, outputs: Sequence[tuple[str, Output]]) -> None:
        self._all = [output for _, output in outputs]
        self._by_role = {
            role: [output for its_role, output in outputs if its_role == role]
            for role in ("siren", "strobe", "fault")
        }
        self._set: dict[str, bool | None] = dict.fromkeys(self._by_role)

    def level(self, role: str) -> bool:
        """Level last taken by the outputs of a role."""
        return bool(self._set[role])

    def drive(self, role: str, level: bool, now_ms: float) -> bool:
        """Bring all outputs of a role to a level; tried again at the next call if one refuses.

        Returns:
            True when the level changed.

        Raises:
            OutputFault: one did not take it; the others of the role were still driven.
        """
        if self._set[role] is level:
            return False
        failed: OutputFault | None = None
        for output in self._by_role[role]:
            try:
                output.set(level, now_ms)
            except OutputFault as fault:
                failed = fault
        if failed is not None:
            raise failed
        self._set[role] = level
        return True

    def names(self, role: str) -> list[str]:
        """Names of the outputs of a role."""
        return [output.name for output in self._by_role[role]]

    def release(self, now_ms: float) -> list[OutputFault]:
        """Let go of every output; returns the refusals, so that none keeps another from release."""
        refused = []
        for output in self._all:
            try:
                output.release(now_ms)
            except OutputFault as fault:
                refused.append(fault)
        return refused
