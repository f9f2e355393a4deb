"""People put to places by hand, frame after frame; collects the edges of a site's rules."""

from __future__ import annotations

from runtime.geometry import resolve_site
from runtime.posture import Postures
from runtime.rules.build import build_rules
from runtime.site import GroundConfig, Site, ZoneConfig
from runtime.tables import Hazards, Tracks, TrackState
from tests.runtime.bodies import ACTIONS

WIDTH, HEIGHT, STEP_MS = 640, 360, 100
LEFT_HALF = ZoneConfig(name="left", polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)])
CAB = ZoneConfig(name="cab", polygon=[(0, 0), (0.1, 0), (0.1, 1), (0, 1)])
METRE_PX = 40
ABOVE = GroundConfig(
    picture=[(0, 0), (1, 0), (1, 1), (0, 1)],
    metres=[(0, 0), (16, 0), (16, 9), (0, 9)],
)
"""A camera that looks straight down: METRE_PX pixels are a metre everywhere."""


class Yard:
    """A site with these rules.

    Args:
        rules: of any kind.
        zones: of the site.
        ground: its ground plane, or None.
    """

    def __init__(self, *rules, zones=(LEFT_HALF, CAB), ground=None, capacity=8) -> None:
        site = Site(
            format=1,
            name="t",
            units="fraction",
            rules=list(rules),
            zones=list(zones),
            ground=ground,
        )
        resolved = resolve_site(site, WIDTH, HEIGHT, "t.toml")
        self.tracks = Tracks(capacity)
        self.postures = Postures(capacity, ACTIONS)
        self.rules = build_rules(site, resolved, capacity, self.postures)
        self.hazards = Hazards(len(self.rules.table))
        self.t_ms = 0.0
        self.next_id = 11
        self.edges: list[tuple[float, str]] = []
        self.found = []

    def put(self, slot, x, y=180.0, tall=120.0, wide=40.0, state=TrackState.CONFIRMED):
        """Seen in the coming frame with feet at (x, y)."""
        tracks = self.tracks
        if tracks.state[slot] == TrackState.FREE:
            tracks.track_id[slot], self.next_id = self.next_id, self.next_id + 1
            tracks.first_ms[slot] = self.t_ms
        tracks.state[slot] = state
        tracks.boxes[slot] = x - wide / 2, y - tall, x + wide / 2, y
        tracks.foot[slot] = x, y
        tracks.centre[slot] = x, y - tall / 2
        tracks.last_ms[slot] = self.t_ms
        tracks.refresh_live()
        return self

    def tick(self, frames=1):
        """Judge; whoever was not put since the last frame is unseen."""
        for _ in range(frames):
            self.hazards.edges.clear()
            self.rules.update(self.tracks, self.t_ms, self.hazards)
            self.edges += [(self.t_ms, edge.state) for edge in self.hazards.edges]
            self.found += [
                (edge.slot, edge.track_id, edge.state, edge.why) for edge in self.hazards.edges
            ]
            self.tracks.died.clear()
            self.t_ms += STEP_MS
        return self

    def stay(self, for_ms, *people):
        """People (slot, x[, y[, tall]]) stand there for some time."""
        for _ in range(round(for_ms / STEP_MS)):
            for person in people:
                self.put(*person)
            self.tick()
        return self

    def lose(self, *slots):
        """The tracker gives them up in the coming frame."""
        for slot in slots:
            self.tracks.state[slot] = TrackState.FREE
            self.tracks.died.append(slot)
            self.postures.forget(slot)
        self.tracks.refresh_live()
        return self

    @property
    def states(self) -> list[str]:
        return [state for _, state in self.edges]

    @property
    def whys(self) -> list[dict]:
        return [why for *_, why in self.found]
