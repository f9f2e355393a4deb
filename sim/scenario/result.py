"""What a scenario that was played leaves: all that a report, a comparison or a person needs.

Plain structs, written and read as JSON by `save` and `load`. Times are ms of virtual time since the
scenario began, unless a name says otherwise; positions are metres on the ground.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

Point = tuple[float, float]
Verdict = Literal["passed", "failed", "waits", "early", "refused"]
"""`waits`: fails, as it may, since what it waits for is not there. `early`: it waits for something
and passes all the same, which is a failure of the suite. `refused`: could not be played."""


class Shape(Struct, kw_only=True):
    """A polygon or line of the plan."""

    name: str
    kind: str
    """ "zone", "line", or the kind of a structure."""
    points_m: list[Point]
    points_px: list[Point] = []
    """The same in the picture; empty where it has no place there."""


class Eye(Struct, kw_only=True):
    """Where the camera stands and what it sees."""

    at_m: Point
    height_m: float
    pan_deg: float
    tilt_deg: float
    across_deg: float
    """Horizontal angle of view."""


class Plan(Struct, kw_only=True):
    """The site from above."""

    camera: Eye
    zones: list[Shape]
    lines: list[Shape]
    structures: list[Shape]


class Track(Struct, kw_only=True):
    """The true way of one person or machine; one entry per picture in which it was there."""

    name: str
    kind: str
    """ "person", or the kind of machine."""
    t_ms: list[float]
    x_m: list[float]
    y_m: list[float]
    action: list[str] = []
    zones: list[list[str]] = []
    helmet: list[bool] = []
    vest: list[bool] = []


class EdgeSeen(Struct, kw_only=True):
    """An output changed its level."""

    t_ms: float
    name: str
    role: str
    level: bool
    by_reset: bool = False
    """The board fell to its level on boot; nobody drove it."""


class OutputSeen(Struct, kw_only=True):
    """One output of the board."""

    name: str
    role: str
    on_boot: bool


class FaultSeen(Struct, kw_only=True):
    """A fault of the timeline, as it was played; to_ms = from_ms: it had no length."""

    number: int
    component: str
    type: str
    from_ms: float
    to_ms: float
    options: dict[str, Any]
    text: str


class ActionSeen(Struct, kw_only=True):
    """What the operator did."""

    t_ms: float
    do: str
    text: str
    done: bool
    """False: the board was not running."""


class ResetSeen(Struct, kw_only=True):
    """The board was reset."""

    t_ms: float
    cause: str
    detail: str
    boot_ms: float
    """When its loop ran again."""


class Checked(Struct, kw_only=True):
    """One expectation, judged."""

    that: str
    sentence: str
    ok: bool
    measured: str
    allowed: str
    from_ms: float | None
    to_ms: float | None
    """The window; None where the moment that it hangs on never came."""
    at_ms: float | None = None
    """When it was met, or what broke it."""
    note: str = ""


class FrameTimes(Struct, kw_only=True):
    """Wall time spent per tick of the loop that had a picture."""

    t_ms: list[float]
    tick_ms: list[float]
    """The whole tick: drawing included."""
    render_ms: list[float]
    """Drawing the picture and its truth: not the firmware's."""


class Result(Struct, kw_only=True):
    """One scenario, played once."""

    format: int = 1
    scenario: str
    file: str
    purpose: str
    waits_for: str = ""
    seed: int
    duration_ms: int
    fps: float
    width_px: int
    height_px: int
    board: str
    site: str
    verdict: Verdict
    why: str = ""
    """Of `refused` and `waits`, in one sentence."""
    end: str = ""
    """How the run ended: "planned", "camera_gone", "hung" or "dead"."""
    plan: Plan
    tracks: list[Track] = []
    events: list[dict[str, Any]] = []
    """Every event line as shown, `t_ms` made a time of the scenario, and `boot` (from 1) added."""
    outputs: list[OutputSeen] = []
    edges: list[EdgeSeen] = []
    faults: list[FaultSeen] = []
    actions: list[ActionSeen] = []
    resets: list[ResetSeen] = []
    expectations: list[Checked] = []
    frames: FrameTimes
    metrics: list[dict[str, Any]] = []
    """The firmware's own figures, one per boot that ended in order."""
    hashes: dict[str, str] = {}
    """SHA-256: "journal", "events", "outputs", and "all" of these three."""
    wall_s: float = 0.0
    """Of the run itself, without starting the process."""
    cpu_s: float = 0.0
    """Of the same: what it would take on a core that does nothing else."""
    speed: float = 0.0
    """Virtual over wall time."""
    files: dict[str, str] = {}
    """What lies beside the result: "journal", "events", "video", "site" -> file name."""


def save(result: Result, path: Path) -> None:
    """Write a result as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1))


def load(path: Path) -> Result:
    """Read a result.

    Raises:
        msgspec.ValidationError: not a result.
        OSError: cannot be read.
    """
    return msgspec.json.decode(path.read_bytes(), type=Result)
