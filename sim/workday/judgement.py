"""The judgement of the camera alone: tracker, rules and alarms over what good networks would see.

No picture is drawn, so that an hour takes a minute or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from drivers.board import Board
from models.package import find_package, load_package
from models.tables import Detections
from runtime.alarm import Alarms
from runtime.closer_look import choose
from runtime.geometry import resolve_site
from runtime.looks import Looks
from runtime.posture import Postures
from runtime.rules.build import build_rules
from runtime.site import Site
from runtime.tables import Hazards, Tracks
from runtime.track import Tracker
from runtime.wearing import Seen
from sim.scenario import inline_site
from sim.scenario.load import Loaded
from sim.scenario.result import Track
from sim.scenario.truth_log import TruthLog
from sim.scenario.world import SceneWorld, make_world
from sim.workday.eyes import CLASSES, Eyes, Mistakes
from sim.world.truth import PersonTruth, Truth

BIRTH_SCORE = 0.5
LOOKS_PER_FRAME = 1


@dataclass
class Judged:
    """What came of it: `events` as the journal has them, and the true ways."""

    events: list[dict[str, Any]] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    duration_ms: int = 0
    sirens: list[tuple[float, str]] = field(default_factory=list)
    """When the siren changed, and to which pattern ("" = silent)."""


def judge(loaded: Loaded, mistakes: Mistakes, seed: int) -> Judged:
    """Play a scenario before the judgement.

    Args:
        loaded: its board, site and world count; nothing breaks and nobody operates.
        mistakes: of the networks.
        seed: of the mistakes.
    """
    scenario, board = loaded.scenario, loaded.board
    size = board.camera.width_px, board.camera.height_px
    world = make_world(scenario.world, *size, scenario.seed)
    site = loaded.site or inline_site.build(
        scenario, str(loaded.file), world.ground_polygon, world.project_ground, size
    )
    judgement = _Judgement(board, site, str(loaded.file))
    eyes = Eyes(mistakes, seed, 1000.0 / board.camera.fps)
    seen = _Once(world)
    log = TruthLog(seen)
    frames = round(scenario.duration_ms * board.camera.fps / 1000.0)
    for frame in range(frames):
        t_ms = frame * 1000.0 / board.camera.fps
        seen.pose(t_ms)
        log.see(t_ms)
        judgement.step(eyes, seen.brief().people, t_ms)
    log.fill(())
    done = judgement.done
    done.tracks, done.duration_ms = log.tracks, scenario.duration_ms
    return done


class _Once:
    """A world whose truth is asked for twice in a moment, and made once."""

    def __init__(self, world: SceneWorld) -> None:
        self._world = world
        self._truth: Truth | None = None

    def pose(self, t_ms: float) -> None:
        self._world.pose(t_ms)
        self._truth = None

    def brief(self) -> Truth:
        if self._truth is None:
            self._truth = self._world.brief()
        return self._truth


class _Judgement:
    """Tables, tracker, rules and alarms, as the boot puts them together."""

    def __init__(self, board: Board, site: Site, file: str) -> None:
        limits = board.limits
        size = board.camera.width_px, board.camera.height_px
        self._detections = Detections(limits.detections)
        self._equipment = Detections(limits.detections)
        self._tracks = Tracks(limits.tracks)
        actions = load_package(find_package(board.models.action), "tflite").info.classes
        self._postures = Postures(limits.tracks, tuple(actions))
        resolved = resolve_site(site, *size, file)
        self._tracker = Tracker(self._tracks, site.tracking, BIRTH_SCORE, size)
        self._looks = Looks(limits.tracks)
        seen = Seen(self._equipment, CLASSES, self._looks)
        self._rules = build_rules(site, resolved, limits.tracks, self._postures, seen=seen)
        self._hazards = Hazards(len(self._rules.table))
        self._alarms = Alarms([info.severity for info in self._rules.table], site.alarm)
        self.done = Judged()

    def step(self, eyes: Eyes, people: Sequence[PersonTruth], t_ms: float) -> None:
        """One picture."""
        hazards = self._hazards
        hazards.edges.clear()
        eyes.see(people, t_ms, self._detections, self._equipment)
        self._tracker.update(self._detections, t_ms)
        eyes.look(self._tracks, self._postures, t_ms)
        for slot in self._tracks.died:
            self._looks.forget(slot)
        for slot in choose(self._looks, self._tracks, t_ms, LOOKS_PER_FRAME):
            self._looks.note(slot, t_ms)
        self._rules.update(self._tracks, t_ms, hazards)
        for edge in hazards.edges:
            info = self._rules.table[edge.rule]
            self.done.events.append(
                {"t_ms": t_ms, "kind": "hazard", "rule": info.kind, "zone": info.place,
                 "track": edge.track_id, "state": edge.state, "why": edge.why}
            )  # fmt: skip
        fresh = [edge.rule for edge in hazards.edges if edge.state != "cleared"]
        if self._alarms.step(hazards.active, fresh, t_ms):
            self.done.sirens.append((t_ms, self._alarms.sound.pattern))
        if not any(hazards.active):
            self._alarms.acknowledge()
        self._alarms.edges.clear()
