"""What a timeline shows, as data: lanes of items, each with a moment, a look and words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Look = Literal[
    "run", "gap", "moment", "action", "enter", "hazard", "cross",
    "active_unacked", "active_acked", "returned_unacked", "shelved",
    "asked", "raised", "reset", "operator", "passed", "failed",
]  # fmt: skip
"""How an item is drawn; never by colour alone."""


@dataclass(frozen=True)
class Item:
    """Something on a lane that can be looked at.

    Attributes:
        from_ms, to_ms: its time; equal: a moment, drawn as a small shape.
        look: how it is drawn.
        text: written on it where there is room.
        label: everything about it, in words.
        at_ms: whose picture is shown; `from_ms` when None.
    """

    from_ms: float
    to_ms: float
    look: Look
    text: str
    label: str
    at_ms: float | None = None

    @property
    def shown_ms(self) -> float:
        """The moment whose picture is shown."""
        return self.from_ms if self.at_ms is None else self.at_ms

    @property
    def is_moment(self) -> bool:
        """It has no length."""
        return self.to_ms <= self.from_ms


@dataclass
class Lane:
    """One line of the timeline.

    Attributes:
        title: beside it.
        items: in the order of time; those that overlap are drawn below each other.
        steps: of an output: (time in ms, level), from the level on boot.
        has_steps: it is an output, also one that never moved.
    """

    title: str
    items: list[Item] = field(default_factory=list)
    steps: list[tuple[float, bool]] = field(default_factory=list)

    @property
    def has_steps(self) -> bool:
        """It is an output."""
        return bool(self.steps)


@dataclass
class Group:
    """Lanes that belong together."""

    title: str
    lanes: list[Lane]


def seconds(t_ms: float) -> str:
    """A time for people."""
    return f"{t_ms / 1000:.1f} s"
