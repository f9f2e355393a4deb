"""What an able user writes today: LiteRT, a vectorised decoder, and somebody else's tracker.

Each script is written to be quick: the picture is resized into a canvas that is made once, boxes
are decoded only where the score is high enough, suppression is OpenCV's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from tests.bench.scenes import FPS, HEIGHT_PX, U8, WIDTH_PX, there_and_back, zone_px
from tests.bench.timing import Samples, TimedInvoke, clock_ns

F32 = npt.NDArray[np.float32]

SCORE, WEAK_SCORE, NMS_IOU = 0.35, 0.21, 0.6
"""Operating point of every candidate; ByteTrack gets the weaker boxes too, as it wants them."""
COAST_FRAMES = 10
"""An unseen person is remembered for a second."""


class Interpreter(Protocol):
    """The part of a TFLite interpreter that a script uses."""

    def set_tensor(self, index: int, value: npt.NDArray[Any]) -> None:
        """Copy an input in."""
        ...

    def invoke(self) -> None:
        """Run the network."""
        ...

    def get_tensor(self, index: int) -> npt.NDArray[Any]:
        """Copy an output out."""
        ...

    def get_input_details(self) -> list[dict[str, Any]]:
        """Index and shape of the inputs."""
        ...

    def get_output_details(self) -> list[dict[str, Any]]:
        """Index and quantization of the outputs."""
        ...


def interpreter(model: Path) -> Interpreter:
    """LiteRT with one thread."""
    from ai_edge_litert.interpreter import Interpreter as LiteRt

    made: Interpreter = LiteRt(model_path=str(model), num_threads=1)
    made.allocate_tensors()  # type: ignore[attr-defined]
    return made


class Found(NamedTuple):
    """People of one frame: float32[N, 4] xyxy in source pixels, and float32[N] scores."""

    xyxy: F32
    scores: F32


class _Kind:
    """One kind of output on all strides: where it is and how it is quantized, cell by cell."""

    def __init__(self, outputs: list[dict[str, Any]], details: list[dict[str, Any]]) -> None:
        self.indices = [details[o["position"]]["index"] for o in outputs]
        cells = [o["shape"][1] * o["shape"][2] for o in outputs]
        self.scale = np.repeat(np.array([o["scale"] for o in outputs], np.float32), cells)
        self.zero = np.repeat(np.array([o["zero_point"] for o in outputs], np.float32), cells)


class Detector:
    """YOLOX with TFLite and numpy."""

    def __init__(self, network: Interpreter, description: Path, score: float) -> None:
        words = json.loads(description.read_text(encoding="utf-8"))
        details = network.get_output_details()
        box, obj, cls = (
            _Kind([o for o in words["outputs"] if o["name"].startswith(kind)], details)
            for kind in ("box", "obj", "cls")
        )
        self._box, self._obj, self._cls = box, obj, cls
        self._network, self._score = network, score
        self._input = network.get_input_details()[0]["index"]
        height, width = words["input"]["shape"][1:3]
        self._ratio = min(height / HEIGHT_PX, width / WIDTH_PX)
        self._size = round(WIDTH_PX * self._ratio), round(HEIGHT_PX * self._ratio)
        self._canvas = np.full((1, height, width, 3), 114, np.uint8)
        self._grid, self._stride = _grid(width, height, words["strides"])
        self.invoke = TimedInvoke(network.invoke)

    def __call__(self, frame: U8) -> Found:
        """Find people."""
        width, height = self._size
        cv2.resize(frame, self._size, dst=self._canvas[0, :height, :width])
        self._network.set_tensor(self._input, self._canvas)
        self.invoke()
        logits = self._values(self._obj), self._values(self._cls)
        scores = 1 / ((1 + np.exp(-logits[0])) * (1 + np.exp(-logits[1])))
        keep = np.flatnonzero(scores > self._score)
        return self._suppressed(keep, scores[keep])

    def _values(self, kind: _Kind) -> F32:
        raw = np.concatenate([self._network.get_tensor(i).ravel() for i in kind.indices])
        return (raw - kind.zero) * kind.scale

    def _suppressed(self, keep: npt.NDArray[np.intp], scores: F32) -> Found:
        tensors = [self._network.get_tensor(i).reshape(-1, 4) for i in self._box.indices]
        raw = np.concatenate(tensors)[keep]
        values = (raw - self._box.zero[keep, None]) * self._box.scale[keep, None]
        stride = self._stride[keep, None] / self._ratio
        size = np.exp(values[:, 2:]) * stride
        corner = (values[:, :2] + self._grid[keep]) * stride - size / 2
        boxes = np.hstack([corner, size])
        chosen = cv2.dnn.NMSBoxes(boxes, scores, self._score, NMS_IOU)
        boxes, scores = boxes[chosen].reshape(-1, 4), scores[chosen].reshape(-1)
        boxes[:, 2:] += boxes[:, :2]
        return Found(boxes, scores)


def _grid(width: int, height: int, strides: list[int]) -> tuple[F32, F32]:
    """float32[N, 2] cell positions and float32[N] strides."""
    places = [np.mgrid[: height // s, : width // s][::-1].reshape(2, -1).T for s in strides]
    counts = [len(place) for place in places]
    return np.concatenate(places).astype(np.float32), np.repeat(np.float32(strides), counts)


Judge = Callable[[Found], int]
"""Tracker and zone: returns how many people are followed."""


def bytetrack() -> Judge:
    """`trackers` ByteTrack and `supervision` zones."""
    import supervision as sv
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(
        lost_track_buffer=3 * COAST_FRAMES,
        frame_rate=FPS,
        track_activation_threshold=SCORE,
        high_conf_det_threshold=SCORE,
    )
    zone = sv.PolygonZone(zone_px(), triggering_anchors=(sv.Position.BOTTOM_CENTER,))

    def judge(found: Found) -> int:
        detections = sv.Detections(xyxy=found.xyxy, confidence=found.scores)
        tracked = tracker.update(detections)
        people = tracked[tracked.tracker_id >= 0]
        zone.trigger(people)
        return len(people)

    return judge


def norfair() -> Judge:
    """Norfair with its own distance for boxes."""
    return _norfair("iou", 0.7)


def norfair_frigate() -> Judge:
    """Norfair with the distance that Frigate brings."""
    return _norfair(size_relative_distance, 1.0)


def size_relative_distance(detection: Any, tracked: Any) -> float:
    """Difference of box centre, width and height, each relative to the size of the estimate."""
    found, estimate = detection.points, tracked.estimate
    size = estimate[1] - estimate[0]
    shift = (found.sum(axis=0) - estimate.sum(axis=0)) / 2 / size
    growth = (found[1] - found[0]) / size - 1
    return float(np.linalg.norm(np.concatenate([shift, growth])))


def _norfair(distance: Any, threshold: float) -> Judge:
    from norfair import Detection, Tracker

    tracker = Tracker(
        distance_function=distance,
        distance_threshold=threshold,
        hit_counter_max=COAST_FRAMES,
        initialization_delay=2,
    )
    polygon = zone_px()

    def judge(found: Found) -> int:
        pairs = zip(found.xyxy.reshape(-1, 2, 2), found.scores, strict=True)
        tracked = tracker.update([Detection(box, scores=score.repeat(2)) for box, score in pairs])
        for person in tracked:
            (left, _), (right, bottom) = person.estimate
            cv2.pointPolygonTest(polygon, ((left + right) / 2, bottom), False)
        return len(tracked)

    return judge


class Script:
    """One peer in a loop over the frames. Implements `Candidate`."""

    def __init__(self, detector: Detector, judge: Judge, frames: list[U8]) -> None:
        self._detector, self._judge, self._frames = detector, judge, frames
        self._order: Iterator[int] = there_and_back(len(frames))

    def play(self, frames: int, samples: Samples) -> None:
        """Do the whole work on the next frames."""
        invoke = self._detector.invoke
        for _ in range(frames):
            frame = self._frames[next(self._order)]
            wall_ns, began_ns = time.perf_counter_ns(), clock_ns()
            people = self._judge(self._detector(frame))
            spent_ns = clock_ns() - began_ns
            samples.add(spent_ns, invoke.last_ns, time.perf_counter_ns() - wall_ns, people)

    def floor_ns(self) -> int:
        """One bare call of the network."""
        self._detector.invoke()
        return self._detector.invoke.last_ns


class Peer(NamedTuple):
    """A row of the table: its judge, and the score down to which it wants boxes."""

    judge: Callable[[], Judge]
    score: float


PEERS = {
    "trackers ByteTrack + supervision": Peer(bytetrack, WEAK_SCORE),
    "Norfair": Peer(norfair, SCORE),
    "Norfair, Frigate's distance": Peer(norfair_frigate, SCORE),
}


def script(name: str, network: Interpreter, description: Path, frames: list[U8]) -> Script:
    """Put one peer together."""
    peer = PEERS[name]
    return Script(Detector(network, description, peer.score), peer.judge(), frames)
