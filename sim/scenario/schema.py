"""A scenario as data: what a `*.scenario.toml` file holds.

A scenario is a site to look at, a board to run on, faults and operator actions on a timeline, and
what must have happened when it is over. Times are ms of virtual time since the scenario began.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from runtime.alarm import MAX_SHELF_MS
from sim.scenario.expect import Expect
from sim.world.config import WorldConfig

FORMAT = 1
LATER_RULES = (
    "entry_predicted", "ppe", "man_down", "posture", "proximity", "crowd", "loiter", "immobile",
    "intrusion_of_view",
)  # fmt: skip
"""Rule kinds that the design names; a scenario that waits for one may use it before it exists."""

Name = Annotated[str, Meta(min_length=1, max_length=60)]
NonNegativeInt = Annotated[int, Meta(ge=0)]
PositiveInt = Annotated[int, Meta(ge=1)]
Line = Annotated[str, Meta(min_length=8, max_length=160, pattern=r"^[^\r\n]*$")]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file that knows all its keys."""


class BoardChoice(_Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[board]`: which board file, and what this scenario changes in it."""

    file: str = "sim"
    """Name of a file in `board_configs`, or a path beside the scenario."""
    set: dict[str, Any] = {}
    """Dotted keys of the board file, e.g. `"npu.call_deadline_ms" = 200`; an output by its name:
    `"outputs.siren.on_boot" = "on"`."""


class SiteChoice(_Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[site]`: a site file, or one written here without coordinates.

    Zones and lines of a site that is written here are those of the world, laid into the picture by
    the scenario's own camera: truth and judgement share one definition.
    """

    file: str = ""
    """A site file, beside the scenario; all other keys are then left out."""
    rules: list[dict[str, Any]] = []
    """As `[[rules]]` of a site file."""
    schedules: list[dict[str, Any]] = []
    timezone: str = ""
    """As in a site file."""
    tracking: dict[str, Any] = {}
    alarm: dict[str, Any] = {}
    anchors: dict[str, Literal["foot", "centre"]] = {}
    """Zone or line -> the point of a person that counts; foot where not named."""
    ground: bool = False
    """Give the site a `[ground]`: points of the world as the scenario's own camera sees them."""
    extra: dict[str, Any] = {}
    """Further tables of the site file, for rules that are not there yet."""


class FaultConfig(_Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[faults]]`: what breaks, when, and for how long."""

    at_ms: NonNegativeInt
    for_ms: NonNegativeInt = 0
    """0: to the end; of a moment (power cut, kill) it has no meaning."""
    component: Name
    type: Name
    options: dict[str, Any] = {}


class ActionConfig(_Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[actions]]`: what an operator does."""

    at_ms: NonNegativeInt
    do: Literal[
        "acknowledge", "mute", "shelve", "unshelve", "self_test", "press",
        "update", "confirm", "rollback",
    ]  # fmt: skip
    place: str = ""
    """Zone or line of the rule; "" is every rule."""
    rule: str = ""
    """Kind of the rule, where a place has several."""
    button: str = ""
    """Of press: name of an input of the board."""
    for_ms: Annotated[int, Meta(ge=0, le=MAX_SHELF_MS)] = 0
    """Of shelve; of press, how long the finger stays; of update, how long the transfer takes."""
    student: Literal[
        "", "good", "random", "blind", "everywhere", "slow", "nan",
        "skeleton_random", "action_random",
    ] = ""  # fmt: skip
    """Of update: which student the bundle brings; see `sim.board.vendor.bundle`."""
    release: Annotated[int, Meta(ge=1, le=1000)] = 2
    counter: Annotated[int, Meta(ge=0, le=1000)] = 1
    """Of update: numbers of the manifest."""


class Scenario(_Strict, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole scenario file."""

    format: Literal[1]
    name: Name
    purpose: Line
    """One line: what this scenario shows."""
    waits_for: str = ""
    """What has to be built before it can pass, e.g. "rule man_down". It is run all the same, and
    one that passes before its time is a failure of the suite."""
    seed: NonNegativeInt = 1
    duration_ms: Annotated[int, Meta(ge=1000, le=3_600_000)]
    wall_start: str = "2026-01-01T00:00:00Z"
    """Date and time on the board's wall clock as the scenario begins, with its offset."""
    reboot_ms: Annotated[int, Meta(ge=0, le=600_000)] = 3000
    """From a reset to the first tick of the loop."""
    model: str = ""
    """Folder or name of a detector package; the board's own when left out."""
    board: BoardChoice = BoardChoice()
    site: SiteChoice
    world: WorldConfig = WorldConfig()
    faults: list[FaultConfig] = []
    actions: list[ActionConfig] = []
    expect: Annotated[list[Expect], Meta(min_length=1)]
