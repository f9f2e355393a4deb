"""What must have happened: the `[[expect]]` tables of a scenario, told apart by `that`.

A window says when. Either `between_ms = [from, to]`, or `after = {...}` (a moment that the world
or the timeline knows) with `within_ms`, and `from_ms` where it begins earlier or later than the
moment itself. Without both it is the whole scenario. Both ends belong to the window.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from sim.world.config import Action

NonNegativeInt = Annotated[int, Meta(ge=0)]
PositiveInt = Annotated[int, Meta(ge=1)]
Role = Literal["siren", "strobe", "fault", "buzzer"]
Level = Literal["on", "off"]
Cause = Literal["power_cut", "watchdog", "killed"]
EventKind = Literal[
    "hazard", "alarm", "output", "fault", "boot", "shutdown", "operator", "update"
]  # fmt: skip
End = Literal["planned", "camera_gone", "hung", "dead"]


class Moment(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`after`: exactly one of these things, which the simulator knows to the frame."""

    person: str = ""
    """Who, of what follows."""
    enters: str = ""
    """A zone of the world."""
    leaves: str = ""
    """A zone of the world."""
    crosses: str = ""
    """A line of the world, in any direction."""
    action: Action | Literal[""] = ""
    """Begins to be seen doing this."""
    loses: Literal["", "helmet", "vest"] = ""
    wears: Literal["", "helmet", "vest"] = ""
    """Puts it on."""
    appears: bool = False
    nth: PositiveInt = 1
    """Which time, of what happens more than once."""
    fault: NonNegativeInt | None = None
    """Number of the entry in `[[faults]]`, from 0, as it begins."""
    fault_ends: NonNegativeInt | None = None
    operator: NonNegativeInt | None = None
    """Number of the entry in `[[actions]]`, from 0."""
    boot: NonNegativeInt | None = None
    """The n-th start of the board after the first one, from 1."""


class Window(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When: shared by all expectations."""

    between_ms: tuple[int, int] | None = None
    after: Moment | None = None
    from_ms: int = 0
    """Of `after`: where the window begins; less than 0 is before the moment."""
    within_ms: int | None = None
    """Of `after`: where the window ends."""
    note: str = ""
    """Why, for people; printed beside the sentence."""


class ExpectEvent(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="event"
):
    """Event lines that fit come at least `min` and at most `max` times."""

    kind: Literal[
        "hazard", "alarm", "output", "fault", "boot", "shutdown", "operator", "update"
    ] = "hazard"
    rule: str = ""
    zone: str = ""
    state: str = ""
    why: dict[str, Any] = {}
    """Values that the event's `why` must hold."""
    min: NonNegativeInt = 1
    max: PositiveInt | None = None


class ExpectNoEvent(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="no_event"
):
    """No event line fits."""

    kind: Literal[
        "hazard", "alarm", "output", "fault", "boot", "shutdown", "operator", "update"
    ] = "hazard"
    rule: str = ""
    zone: str = ""
    state: str = ""
    why: dict[str, Any] = {}


class ExpectOutput(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="output"
):
    """An output goes to a level in the window."""

    role: Role = "siren"
    name: str = ""
    """Of one output, instead of all with the role."""
    level: Level = "on"


class ExpectHolds(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="holds"
):
    """An output has a level over the whole window."""

    role: Role = "fault"
    name: str = ""
    level: Level = "on"


class ExpectSilent(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="silent"
):
    """No siren sounds at any time of the window."""


class ExpectFault(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="fault"
):
    """A fault on the timeline is noticed, shown on the fault relay, and over in time."""

    of: NonNegativeInt = 0
    """Number of the entry in `[[faults]]`, from 0."""
    shown_as: Literal[
        "camera_fault", "npu_fault", "storage_fault", "output_fault", "watchdog_fault",
        "memory_fault", "operator_fault", "loop_fault",
        "heat_fault",
    ]  # fmt: skip
    reason: str = ""
    """The reason that the fault event names."""
    raised_ms: PositiveInt = 1000
    """After the fault began: event and relay."""
    cleared_ms: PositiveInt | None = None
    """After the fault ended: event and relay; left out: not looked at."""


class ExpectReset(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="reset"
):
    """The board is reset."""

    cause: Cause | None = None
    count: NonNegativeInt = 1


class ExpectNoLoss(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="no_loss"
):
    """Every event line that was shown is in the journal at the end."""


class ExpectCount(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="count"
):
    """People counted across a line, at the end of the window."""

    line: str
    people_in: NonNegativeInt | None = None
    people_out: NonNegativeInt | None = None


class ExpectExit(
    Window, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="that", tag="exit"
):
    """How the run ended."""

    how: End = "planned"


Expect = (
    ExpectEvent
    | ExpectNoEvent
    | ExpectOutput
    | ExpectHolds
    | ExpectSilent
    | ExpectFault
    | ExpectReset
    | ExpectNoLoss
    | ExpectCount
    | ExpectExit
)
