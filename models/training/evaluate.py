"""Measure a student beside its teacher: held-out pictures by class and set, postures, clips, time.

python -m models.training.evaluate CACHE --checkpoint last.pt --int8 ppe_s_int8.tflite \\
        --teacher --score 0.35 --report report.json
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from drivers.camera.synthetic_scene import SyntheticScene
from models.training import metrics
from models.training.boxes import F32, U8, intersection
from models.training.dataset import HELD_OUT, Cache, Sample, data_folder
from models.training.detect import Detector, FloatStudent, Int8Student, People
from models.training.export import interpreter
from models.training.kinds import (
    BARE_HEAD,
    CLASSES,
    EQUIPMENT_SCORES,
    HELMET,
    IGNORE,
    PERSON,
    VEST,
    threshold,
)
from models.training.pseudo_label import SURE_SCORE
from models.training.sources import postures, video_frames
from models.training.teacher import Teacher

log = logging.getLogger(__name__)

ACCEPTANCE_CLIP = "video/intel/one-by-one-person-detection.mp4"
WORKER_CLIP = "video/intel/worker-zone-detection.gif"
REFERENCE = "models/reference/yolox_nano_person_416x416_int8.tflite"
ACCEPTANCE_STEP_MS = 300.0
EMPTY_BELOW = 0.05
"""Frames in which the teacher has nothing at this score are empty."""
JUDGED = {
    PERSON: ("ppe_minhnkb", "ppe_hardhat", "coco128x2", "fall_posture", "helmet_sites",
             "simulated", "synthetic"),
    HELMET: ("helmet_sites", "ppe_minhnkb", "ppe_hardhat", "simulated", "helmet_sites_turned"),
    VEST: ("ppe_minhnkb", "simulated"),
    BARE_HEAD: ("helmet_sites", "ppe_hardhat", "simulated", "helmet_sites_turned"),
}  # fmt: skip
"""Sets that each class is measured on. helmet_sites has no boxes of people: there the teacher's
are the truth, so that row is agreement."""
TURNED = "helmet_sites_turned"
"""helmet_sites has copies turned by 45 degrees with black corners; they look so alike to the hash
that most of them fell to the held-out side together. No camera sees such pictures: own rows."""
CORNER_SHARE, BLACK_LEVEL, BLACK_CORNERS = 1 / 12, 6.0, 3
POSTURES = ("fallen", "sitting", "standing")
LOWEST_SCORE = 0.02
SCENE_SEEDS = range(4)
SCENE_STEP_MS = 150.0
SCENE_SIZE_PX = (640, 360)
INSIDE = 0.7
"""Share of a helmet or vest that has to be in its person's box."""


def _summary(judged: list[metrics.Judged], score: float) -> dict[str, Any]:
    found, there, false = metrics.at_threshold(judged, score)
    empty = [j for j in judged if j.people == 0]
    alarms = sum(bool((j.scores >= score).any()) for j in empty)
    return {
        "pictures": len(judged),
        "there": there,
        "ap50": metrics.average_precision(judged),
        "ap50_range": metrics.average_precision_range(judged),
        "found": found,
        "recall_range": metrics.share_range(found, there),
        "false": false,
        "empty_pictures": len(empty),
        "empty_with_false": alarms,
    }


def held_out(cache: Cache, detector: Detector, score: float, kinds: list[int]) -> dict[str, Any]:
    """Held-out pictures, by class and set; each picture is looked at once."""
    report: dict[str, Any] = {CLASSES[kind]: {} for kind in kinds}
    for source in dict.fromkeys(s for kind in kinds for s in JUDGED[kind]):
        samples = samples_of(cache, source)
        found = [detector.find(s.pixels, LOWEST_SCORE) for s in samples]
        for kind in (k for k in kinds if source in JUDGED[k]):
            pairs = list(zip(found, samples, strict=True))
            row = _summary(
                [metrics.judge(f, s.boxes, kind) for f, s in pairs], threshold(kind, score)
            )
            plain = [metrics.judge(f, _without_regions(s), kind) for f, s in pairs]
            row["ap50_plain"] = metrics.average_precision(plain)
            report[CLASSES[kind]][source] = row
        if source == "fall_posture" and PERSON in kinds:
            report["postures"] = _postures(samples, found, score)
    return report


def samples_of(cache: Cache, source: str) -> list[Sample]:
    """Held-out pictures of a row of the report; turned copies apart from their set."""
    samples = [cache[i] for i in cache.where(HELD_OUT, source.removesuffix("_turned"))]
    if not source.startswith("helmet_sites"):
        return samples
    return [s for s in samples if _is_turned(s.pixels) == (source == TURNED)]


def _is_turned(pixels: U8) -> bool:
    """Black corners are what turning by 45 degrees leaves."""
    side = round(max(pixels.shape[:2]) * CORNER_SHARE)
    rows = (pixels[:side], pixels[-side:])
    corners = [part for row in rows for part in (row[:, :side], row[:, -side:])]
    return sum(float(part.mean()) < BLACK_LEVEL for part in corners) >= BLACK_CORNERS


def _without_regions(sample: Sample) -> F32:
    """The set's own boxes alone: what the teacher adds and they lack is then a false one."""
    kept: F32 = sample.boxes[sample.boxes[:, 4] < IGNORE]
    return kept


def _postures(samples: list[Sample], found: list[F32], score: float) -> dict[str, Any]:
    """How many of the fallen, sitting and standing people are found at the threshold."""
    known, report = postures(data_folder()), {}
    for number, name in enumerate(POSTURES):
        picked = [i for i, s in enumerate(samples) if known.get(s.name) == number]
        judged = [metrics.judge(found[i], samples[i].boxes) for i in picked]
        hits, there, _ = metrics.at_threshold(judged, score)
        report[name] = {"found": hits, "there": there, "range": metrics.share_range(hits, there)}
    return report


def acceptance(detector: Detector, teacher: Teacher, data: Path, score: float) -> dict[str, Any]:
    """Agreement with the teacher on the clip that no training picture comes from."""
    judged = []
    for frame in video_frames(data / ACCEPTANCE_CLIP, ACCEPTANCE_STEP_MS):
        judged.append(metrics.judge(detector.find(frame, LOWEST_SCORE), _as_truth(teacher, frame)))
    return _summary(judged, score)


def _as_truth(teacher: Teacher, frame: U8) -> F32:
    """Sure boxes are people, doubtful ones ignored, below EMPTY_BELOW nothing is there."""
    truth = teacher.find(frame, EMPTY_BELOW)
    truth[:, 4] = np.where(truth[:, 4] >= SURE_SCORE, PERSON, IGNORE + PERSON)
    return truth


def worker(detector: Detector, teacher: Teacher, data: Path, score: float) -> dict[str, int]:
    """The worker beside the zone: frames with the whole person in view, and what is found on them.

    The whole person is in view where the teacher's sure box touches no edge of the picture.
    """
    counts = {"frames": 0, "person": 0, "helmet": 0, "vest": 0, "helmet_and_vest": 0}
    for frame in video_frames(data / WORKER_CLIP, 1.0):
        height, width = frame.shape[:2]
        truth = teacher.find(frame, SURE_SCORE)
        if (
            len(truth) != 1
            or (truth[0, :2] < 3).any()
            or (truth[0, 2:4] > (width - 3, height - 3)).any()
        ):
            continue
        found = detector.find(frame, min(score, *EQUIPMENT_SCORES.values()))
        least = np.array([threshold(kind, score) for kind in JUDGED])
        found = found[found[:, 4] >= least[found[:, 5].astype(np.intp)]]
        area = np.maximum((found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1]), 1e-6)
        on_person = intersection(found[:, :4], truth[:, :4])[:, 0] / area >= INSIDE
        has = {kind: bool((on_person & (found[:, 5] == kind)).any()) for kind in JUDGED}
        counts["frames"] += 1
        counts["person"] += has[PERSON]
        counts["helmet"] += has[HELMET]
        counts["vest"] += has[VEST]
        counts["helmet_and_vest"] += has[HELMET] and has[VEST]
    return counts


def drawn_room(detector: Detector, score: float) -> dict[str, Any]:
    """The synthetic camera's default room, at seeds that training never saw."""
    judged = []
    pixels = np.empty((SCENE_SIZE_PX[1], SCENE_SIZE_PX[0], 3), np.uint8)
    for seed in SCENE_SEEDS:
        scene = SyntheticScene(*SCENE_SIZE_PX, seed)
        for t_ms in np.arange(0.0, 12_000.0, SCENE_STEP_MS):
            scene.render(float(t_ms), pixels)
            boxes = np.array(scene.truth(float(t_ms)), np.float32).reshape(-1, 4)
            truth = np.c_[boxes, np.zeros(len(boxes))].astype(np.float32)
            judged.append(metrics.judge(detector.find(pixels, LOWEST_SCORE), truth))
    return _summary(judged, score)


def invoke_ms(path: Path, reference: Path, runs: int = 300) -> dict[str, float]:
    """One thread in LiteRT, milliseconds, in turns with the reference detector."""
    mine, other = interpreter(path), interpreter(reference)
    times: list[list[float]] = [[], []]
    for _ in range(runs):
        for runner, into in zip((mine, other), times, strict=True):
            began = time.perf_counter()
            runner.invoke()
            into.append((time.perf_counter() - began) * 1e3)
    best, middle = np.percentile(times, (0, 50), axis=1)
    return {
        "best": float(best[0]),
        "median": float(middle[0]),
        "reference_best": float(best[1]),
        "share_of_reference": float(best[0] / best[1]),
        "share_of_reference_median": float(middle[0] / middle[1]),
    }


def evaluate(cache: Cache, detectors: dict[str, Detector], score: float) -> dict[str, Any]:
    """Everything, for every detector; the teacher itself is judged on held-out people only."""
    data = data_folder()
    teacher = Teacher(data)
    report: dict[str, Any] = {"score": score}
    for name, detector in detectors.items():
        taught = not isinstance(detector, People)
        report[name] = held_out(cache, detector, score, list(JUDGED) if taught else [PERSON])
        report[name]["person"]["drawn_room"] = drawn_room(detector, score)
        if taught:
            clip = acceptance(detector, teacher, data, score)
            report[name]["person"]["acceptance"] = clip
            report[name]["worker"] = worker(detector, teacher, data, score)
        for line in lines(report[name]):
            log.info("%-8s %s", name, line)
    return report


def lines(report: dict[str, Any]) -> list[str]:
    """One detector's figures, a line each."""
    said = []
    for name in CLASSES:
        for source, row in report.get(name, {}).items():
            low, high = row["ap50_range"]
            said.append(
                f"{name:9s} {source:14s} AP50 {row['ap50']:.3f} ({low:.2f}-{high:.2f})  plain "
                f"{row.get('ap50_plain', row['ap50']):.3f}  found {row['found']}/{row['there']}  "
                f"false {row['false']} in {row['pictures']}"
            )
    for name, row in report.get("postures", {}).items():
        said.append(f"{name:24s} found {row['found']}/{row['there']}")
    if "worker" in report:
        said.append(f"worker clip {report['worker']}")
    return said


def main() -> None:
    """Evaluate from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--int8", type=Path)
    parser.add_argument("--teacher", action="store_true", help="measure the teacher too")
    parser.add_argument("--earlier", type=Path, help="a report whose other detectors to keep")
    parser.add_argument("--score", type=float, default=0.35)
    parser.add_argument("--report", type=Path)
    arguments = parser.parse_args()
    detectors: dict[str, Detector] = {}
    if arguments.checkpoint:
        detectors["float"] = FloatStudent(arguments.checkpoint)
    if arguments.int8:
        detectors["int8"] = Int8Student(arguments.int8)
    if arguments.teacher:
        detectors["teacher"] = People(Teacher(data_folder()))
    report = json.loads(arguments.earlier.read_text()) if arguments.earlier else {}
    report |= evaluate(Cache(arguments.cache), detectors, arguments.score)
    if arguments.int8:
        report["invoke_ms"] = invoke_ms(arguments.int8, data_folder() / REFERENCE)
        log.info("invoke %s", report["invoke_ms"])
    if arguments.report:
        arguments.report.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
