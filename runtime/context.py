"""What the stages of one frame share: the tables, the time, and what went wrong."""

from __future__ import annotations

from drivers.faults import HardwareFault
from drivers.interfaces import Frame
from models.tables import Detections
from runtime.event import Events
from runtime.looks import Looks
from runtime.posture import Postures
from runtime.tables import Hazards, Tracks
from runtime.view import View

REBASE_MS = 250.0
"""A source whose time is further behind the loop's has started over: its time goes on from here."""


class Context:
    """State of the present frame, filled stage by stage. Allocated once.

    Attributes:
        now_ms: injected clock at the start of the tick.
        t_ms: source time; runs on by the clock while no frame comes, and never starts over.
        frame: the newest picture.
        fresh: `frame` is new in this tick.
        judged: a valid inference was made on it in this tick.
        doubtful: it may be an old one handed out again: judged, but no sign of life.
        behind: the tick began late, or the board is hot; sheddable stages are left out.
        shed: left out as the board is hot: 0 nothing, 1 as when behind, 2 every second picture.
        captured_ns, invoke_ns: performance counter at capture, time of the bare inferences.
        detect_ns: of these the detector's on the whole picture.
        reasons: component -> reason of a fault that a driver raised in this tick.
        detections: people; all that the tracker gets.
        equipment: what else the detector found, with classes as its package numbers them.
        looks: when each person was looked at closely; None where no rule asks for it.
        postures: skeletons and actions by track slot; None where no rule asks for them.
        view: whether the camera sees what it shall; None where no rule asks for it.
    """

    __slots__ = (
        "_origin_ms",
        "_shift_ms",
        "behind",
        "captured_ns",
        "detect_ns",
        "detections",
        "doubtful",
        "equipment",
        "events",
        "frame",
        "fresh",
        "hazards",
        "invoke_ns",
        "judged",
        "looks",
        "now_ms",
        "postures",
        "reasons",
        "shed",
        "t_ms",
        "tracks",
        "view",
    )

    def __init__(
        self,
        frame: Frame,
        detections: Detections,
        tracks: Tracks,
        hazards: Hazards,
        postures: Postures | None = None,
        view: View | None = None,
        looks: Looks | None = None,
    ) -> None:
        self.frame = frame
        self.equipment = Detections(detections.capacity)
        self.postures = postures
        self.view = view
        self.looks = looks
        self.detections = detections
        self.tracks = tracks
        self.hazards = hazards
        self.events = Events()
        self.now_ms = 0.0
        self.t_ms = 0.0
        self._origin_ms: float | None = None
        self._shift_ms = 0.0
        self.fresh = False
        self.judged = self.doubtful = False
        self.behind = False
        self.shed = 0
        self.captured_ns = 0
        self.invoke_ns = self.detect_ns = 0
        self.reasons: dict[str, str] = {}

    def begin(self, now_ms: float) -> None:
        """Start a tick."""
        if self._origin_ms is None:
            self._origin_ms = now_ms - self.t_ms
        self.now_ms = now_ms
        self.t_ms = max(self.t_ms, now_ms - self._origin_ms)
        self.fresh = self.judged = self.doubtful = False
        self.invoke_ns = 0
        self.hazards.edges.clear()

    def took(self, captured_ns: int) -> None:
        """A fresh frame came in: its source time is the time of this tick."""
        self.fresh = True
        self.captured_ns = captured_ns
        behind_ms = self.t_ms - self.frame.t_ms - self._shift_ms
        if behind_ms > REBASE_MS:
            self._shift_ms += behind_ms
        self.t_ms = self.frame.t_ms + self._shift_ms
        self._origin_ms = self.now_ms - self.t_ms

    @property
    def dropped_events(self) -> int:
        """Edges and events that did not fit their tables, since the start."""
        return self.hazards.dropped + self.events.dropped

    def failed(self, fault: HardwareFault) -> None:
        """Note a fault of a driver for the health stage."""
        self.reasons[fault.component] = fault.reason
