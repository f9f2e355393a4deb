"""Drive all outputs of the board from three wishes: siren level, strobe level, healthy."""

from __future__ import annotations

import math
from collections.abc import Sequence

from drivers.faults import OutputFault
from drivers.interfaces import Checked, DeadMan, Output

ROLES = ("siren", "strobe", "fault", "buzzer")
DEAD_MAN, CHECK = "dead man", "check"
"""Names of their refusals, beside those of the roles."""
NO_GUARD = ("guard_gone", "guard_hung")
"""Refusals of a dead man who will not come back: what he held can no longer be driven."""


class Outputs:
    """Groups outputs by role and touches one only when its level shall change.

    A refusal is kept in `reason`, never raised: one broken output must not stop another.

    Args:
        outputs: (role, output) for every output of the board file.
        dead_man: guards some of them; None: the watchdog alone does.
        silent_ms: how long a silence of the loop it allows.
    """

    def __init__(
        self,
        outputs: Sequence[tuple[str, Output]],
        dead_man: DeadMan | None = None,
        silent_ms: float = math.inf,
    ) -> None:
        self._dead_man = dead_man
        self._silent_ms = silent_ms
        self._beat_ms: float | None = None
        self._all = [output for _, output in outputs]
        self._checked = [output for output in self._all if isinstance(output, Checked)]
        self._by_role = {
            role: [output for its_role, output in outputs if its_role == role] for role in ROLES
        }
        self._taken: dict[str, bool | None] = dict.fromkeys(ROLES)
        self._refusals: dict[str, str] = {}

    @property
    def reason(self) -> str:
        """Why an output does not have the level it should have, or ""."""
        return next(iter(self._refusals.values()), "")

    def level(self, role: str) -> bool:
        """Level that the outputs of a role took last."""
        return bool(self._taken[role])

    def took(self, role: str, level: bool) -> bool:
        """Whether all outputs of a role have taken this level."""
        return self._taken[role] is level

    def drive(self, role: str, level: bool, now_ms: float) -> bool:
        """Bring all outputs of a role to a level; a refused one is tried again at the next call.

        Returns:
            True when all took a level that they did not have.
        """
        if self._taken[role] is level:
            return False
        self._refusals.pop(role, None)
        for output in self._by_role[role]:
            try:
                output.set(level, now_ms)
            except OutputFault as fault:
                self._refusals[role] = fault.reason
        if role in self._refusals:
            return False
        self._taken[role] = level
        return True

    def has_fallen(self, now_ms: float) -> bool:
        """Whether the dead man let outputs fall since the last beat, as the loop was silent."""
        return self._beat_ms is not None and now_ms - self._beat_ms > self._silent_ms

    @property
    def has_lost_its_guard(self) -> bool:
        """Whether a relay that the dead man held may stand at a level that nobody can change."""
        return self._refusals.get(DEAD_MAN, "") in NO_GUARD

    def beat(self, now_ms: float) -> None:
        """The loop is alive: look at the outputs, and tell the dead man, if there is one."""
        self._check(now_ms)
        if self._dead_man is None:
            return
        self._beat_ms = now_ms
        self._refusals.pop(DEAD_MAN, None)
        try:
            self._dead_man.beat(now_ms)
        except OutputFault as fault:
            self._refusals[DEAD_MAN] = fault.reason

    def _check(self, now_ms: float) -> None:
        """One that lost its level between edges, such as a siren whose cable was pulled."""
        self._refusals.pop(CHECK, None)
        for output in self._checked:
            try:
                output.check(now_ms)
            except OutputFault as fault:
                self._refusals[CHECK] = fault.reason

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
