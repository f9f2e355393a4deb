"""When people were looked at closely, by track slot."""

from __future__ import annotations

from array import array

from runtime.posture import NEVER_MS


class Looks:
    """When each track was looked at closely, by slot.

    Attributes:
        looked_ms: source time of the last look, and of the one before.
    """

    __slots__ = ("before_ms", "looked_ms")

    def __init__(self, capacity: int) -> None:
        self.looked_ms = array("d", [NEVER_MS] * capacity)
        self.before_ms = array("d", [NEVER_MS] * capacity)

    def note(self, slot: int, t_ms: float) -> None:
        """It is looked at now."""
        self.before_ms[slot], self.looked_ms[slot] = self.looked_ms[slot], t_ms

    def forget(self, slot: int) -> None:
        """The track of this slot died."""
        self.looked_ms[slot] = self.before_ms[slot] = NEVER_MS
