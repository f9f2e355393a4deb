"""Measure a student beside its teacher: held-out pictures, the acceptance clip, the drawn room.

python -m models.training.evaluate CACHE --checkpoint last.pt --int8 person_xs_int8.tflite \\
        --teacher --report report.json
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
from models.training.boxes import F32, U8
from models.training.dataset import HELD_OUT, Cache, data_folder
from models.training.detect import Detector, FloatStudent, Int8Student
from models.training.export import interpreter
from models.training.pseudo_label import IGNORE, PERSON, SURE_SCORE
from models.training.sources import video_frames
from models.training.teacher import Teacher

log = logging.getLogger(__name__)

ACCEPTANCE_CLIP = "video/intel/one-by-one-person-detection.mp4"
ACCEPTANCE_STEP_MS = 300.0
EMPTY_BELOW = 0.05
"""Frames in which the teacher has nothing at this score are empty."""
LABELLED = ("coco128x2", "ppe_minhnkb", "ppe_hardhat", "fall_posture", "synthetic")
BY_TEACHER = ("helmet_sites", "gmdcsa24")
"""Sets without person labels: the truth is the teacher's box, so this is agreement."""
LOWEST_SCORE = 0.02
SCENE_SEEDS = range(4)
SCENE_STEP_MS = 150.0
SCENE_SIZE_PX = (640, 360)


def _summary(judged: list[metrics.Judged], score: float) -> dict[str, Any]:
    found, people, false = metrics.at_threshold(judged, score)
    empty = [j for j in judged if j.people == 0]
    alarms = sum(bool((j.scores >= score).any()) for j in empty)
    return {
        "pictures": len(judged),
        "people": people,
        "ap50": metrics.average_precision(judged),
        "ap50_range": metrics.average_precision_range(judged),
        "found": found,
        "recall_range": metrics.share_range(found, people),
        "false": false,
        "empty_pictures": len(empty),
        "empty_with_false": alarms,
        "empty_false_range": metrics.share_range(alarms, len(empty)),
    }


def by_source(cache: Cache, detector: Detector, score: float) -> dict[str, Any]:
    """Held-out pictures of every set."""
    report = {}
    for source in (*LABELLED, *BY_TEACHER):
        samples = [cache[i] for i in cache.where(HELD_OUT, source)]
        judged = [metrics.judge(detector.find(s.pixels, LOWEST_SCORE), s.boxes) for s in samples]
        report[source] = _summary(judged, score)
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
    truth[:, 4] = np.where(truth[:, 4] >= SURE_SCORE, PERSON, IGNORE)
    return truth


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


def invoke_ms(path: Path, runs: int = 300) -> dict[str, float]:
    """One thread in LiteRT, milliseconds."""
    runner = interpreter(path)
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        runner.invoke()
        times.append((time.perf_counter() - began) * 1e3)
    low, middle = np.percentile(times, (0, 50))
    return {"best": float(low), "median": float(middle)}


def evaluate(cache: Cache, detectors: dict[str, Detector], score: float) -> dict[str, Any]:
    """Everything, for every detector; the teacher itself is not judged on the acceptance clip."""
    data = data_folder()
    teacher = Teacher(data)
    report: dict[str, Any] = {"score": score}
    for name, detector in detectors.items():
        report[name] = by_source(cache, detector, score)
        report[name]["drawn_room"] = drawn_room(detector, score)
        if not isinstance(detector, Teacher):
            report[name]["acceptance"] = acceptance(detector, teacher, data, score)
        for source, row in report[name].items():
            log.info("%-8s %-14s %s", name, source, _line(row))
    return report


def _line(row: dict[str, Any]) -> str:
    return (
        f"AP50 {row['ap50']:.3f} ({row['ap50_range'][0]:.2f}-{row['ap50_range'][1]:.2f})  "
        f"found {row['found']}/{row['people']}  false {row['false']} in {row['pictures']}  "
        f"empty {row['empty_with_false']}/{row['empty_pictures']}"
    )


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
        detectors["teacher"] = Teacher(data_folder())
    report = json.loads(arguments.earlier.read_text()) if arguments.earlier else {}
    report |= evaluate(Cache(arguments.cache), detectors, arguments.score)
    if arguments.int8:
        report["invoke_ms"] = invoke_ms(arguments.int8)
        log.info("invoke %s ms", report["invoke_ms"])
    if arguments.report:
        arguments.report.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
