"""What the loop did, picture by picture, as plain data that can be kept and compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from runtime.context import Context
from runtime.machine import Machine
from sim.scenario.result import EdgeSeen, FaultSeen, ResetSeen, Result

Boxes = list[list[float]]
PIXEL_DIGITS, SCORE_DIGITS = 3, 5
"""Finer than any difference that matters, and short to keep."""
SIDES = 4
EVENT_WORDS = ("kind", "rule", "zone", "state")

SHOWN = ("siren", "strobe", "fault")
"""Roles whose levels are compared."""


class FrameDid(Struct, kw_only=True):
    """One judged picture.

    Attributes:
        boot, frame, t_ms, now_ms: which one.
        boxes, scores, classes: detections, best score first; pixels.
        track_id, track_state, track_boxes: live tracks, by slot.
        hazards: causes per rule.
        alarms: state per rule.
        pattern: what the siren sounds; "" = silent.
        levels: of siren, strobe and fault relay.
    """

    boot: int
    frame: int
    t_ms: float
    now_ms: float
    boxes: Boxes
    scores: list[float]
    classes: list[int]
    track_id: list[int]
    track_state: list[int]
    track_boxes: Boxes
    hazards: list[int]
    alarms: list[str]
    pattern: str
    levels: list[bool]


class Did(Struct, kw_only=True):
    """A whole run.

    Attributes:
        frames: judged pictures.
        events: every event line.
        edges: of the outputs.
        faults: of the timeline, as they were met.
        resets: of the board.
        end: how it ended.
    """

    frames: list[FrameDid]
    events: list[dict[str, Any]]
    edges: list[EdgeSeen]
    faults: list[FaultSeen]
    resets: list[ResetSeen]
    end: str


def problems(did: Did) -> Iterator[str]:
    """What the types cannot say of a run that was read from a file: key, and what it must be."""
    for index, frame in enumerate(did.frames):
        found = {len(frame.boxes), len(frame.scores), len(frame.classes)}
        tracks = {len(frame.track_boxes), len(frame.track_id), len(frame.track_state)}
        if len(found) > 1 or len(tracks) > 1:
            yield f"frames[{index}]: each box must have a score and a class, each track an id"
        if any(len(box) != SIDES for box in frame.boxes + frame.track_boxes):
            yield f"frames[{index}]: boxes must have {SIDES} sides"
    for index, event in enumerate(did.events):
        words = all(isinstance(event.get(key), str) for key in EVENT_WORDS)
        is_time = isinstance(event.get("t_ms"), int | float)
        if not (words and is_time and isinstance(event.get("why"), dict)):
            yield f"events[{index}]: must have {', '.join(EVENT_WORDS)}, t_ms and why"


class Log:
    """Watches a loop and notes what it does."""

    def __init__(self) -> None:
        self.frames: list[FrameDid] = []

    def watch(self, machine: Machine, boot: int) -> None:
        """Note every judged picture of this boot from now on."""

        def note(context: Context) -> None:
            self.frames.append(_frame(context, machine, boot))

        machine.loop.on_frame = note

    def did(self, result: Result) -> Did:
        """All of it, when the run is over."""
        return Did(
            frames=self.frames,
            events=result.events,
            edges=result.edges,
            faults=result.faults,
            resets=result.resets,
            end=result.end,
        )


def _frame(context: Context, machine: Machine, boot: int) -> FrameDid:
    detections, tracks, live = context.detections, context.tracks, context.tracks.live
    count = detections.count
    return FrameDid(
        boot=boot,
        frame=context.frame.frame_id,
        t_ms=round(context.t_ms, 3),
        now_ms=round(context.now_ms, 3),
        boxes=_rounded(detections.boxes[:count].tolist()),
        scores=[round(score, SCORE_DIGITS) for score in detections.scores[:count].tolist()],
        classes=detections.classes[:count].tolist(),
        track_id=tracks.track_id[live].tolist(),
        track_state=tracks.state[live].tolist(),
        track_boxes=_rounded(tracks.boxes[live].tolist()),
        hazards=list(context.hazards.active),
        alarms=[state.name.lower() for state in machine.alarms.states],
        pattern=machine.alarms.sound.pattern,
        levels=[machine.outputs.level(role) for role in SHOWN],
    )


def _rounded(boxes: Boxes) -> Boxes:
    return [[round(side, PIXEL_DIGITS) for side in box] for box in boxes]
