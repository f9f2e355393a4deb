"""Measure a skeleton student on held-out people, through the very class that the camera runs.

python -m models.training.skeleton_evaluate PACKAGE RUN/last.pt REPORT.json CACHE [CACHE ...]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from drivers.board import NpuConfig
from drivers.npu.tflite import TfliteNpu
from models.package import Package, find_package, load_package
from models.signature import open_session
from models.skeleton import SkeletonNetwork
from models.skeletons import KEYPOINTS
from models.training.boxes import F32
from models.training.skeleton_augment import crop_matrix, plain
from models.training.skeleton_cache import SURE, TAUGHT, VISIBLE, People
from models.training.skeleton_export import load_student
from models.training.skeleton_metrics import Share, distances, share, torso_lengths
from models.training.skeleton_student import SkeletonStudent, decode
from models.training.skeleton_train import BATCH, to_input

PCK: Final = 0.2
"""Of the torso."""
NEAR_TEACHER: Final = 0.1
"""Of the box's height."""
TIMED: Final = 400
SIMULATED: Final = "simulated"
Rows = npt.NDArray[np.intp]


def int8_joints(package: Package, people: People, rows: Rows, runtime: str = "litert") -> F32:
    """float32[N, 17, 3] in cached pixels; all joints, however unsure."""
    session = open_session(package, TfliteNpu(NpuConfig(driver="npu.tflite", runtime=runtime)))
    thresholds = msgspec.structs.replace(package.info.thresholds, score=0.0)
    info = msgspec.structs.replace(package.info, thresholds=thresholds)
    open_package, found = package._replace(info=info), np.zeros((len(rows), 17, 3), np.float32)
    for out, i in zip(found, rows.tolist(), strict=True):
        person = people[i]
        height, width = person.pixels.shape[:2]
        network = SkeletonNetwork(open_package, session, width, height)
        network.look(np.ascontiguousarray(person.pixels), person.box, out)
    session.close()
    return found


@torch.no_grad()
def float_joints(student: SkeletonStudent, people: People, rows: Rows) -> F32:
    """The same from PyTorch's weights."""
    found = []
    for start in range(0, len(rows), BATCH):
        part = [people[i] for i in rows[start : start + BATCH].tolist()]
        pixels = np.stack([plain(person).pixels for person in part])
        for person, joints in zip(part, decode(*student(to_input(pixels))).numpy(), strict=True):
            matrix = crop_matrix(person.box, 0.0, False)
            joints[:, :2] = (joints[:, :2] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
            height, width = person.pixels.shape[:2]
            joints[:, :2] = np.clip(joints[:, :2], 0, (width, height))
            found.append(joints)
    return np.array(found, np.float32)


def measure(people: People, rows: Rows, found: F32, threshold: float) -> dict[str, Any]:
    """All figures of one kind of network.

    Args:
        people: the cache.
        rows: held-out people.
        found: float32[N, 17, 3], of all joints.
        threshold: visibility from which on the camera reports a joint.
    """
    table: dict[str, Any] = {"sources": {}}
    for source in sorted(set(people.sources[rows].tolist())):
        mask = people.sources[rows] == source
        table["sources"][source] = _of_source(people, rows[mask], found[mask], threshold)
    simulated = people.sources[rows] == SIMULATED
    table["postures"] = _by_action(people, rows[simulated], found[simulated])
    table["sizes"] = _by_size(people, rows[simulated], found[simulated])
    table["real"] = _of_source(people, rows[~simulated], found[~simulated], threshold)
    return table


def _judged(people: People, rows: Rows, found: F32) -> dict[str, Any]:
    """Which joints count, and which of them are near enough, by three measures."""
    taught = (people.truth[rows] == TAUGHT).any(1)
    truth, boxes = people.joints[rows], people.box[rows]
    confident = people.confidence[rows] >= SURE
    counted = np.where(taught[:, None], confident, people.truth[rows] == VISIBLE)
    known = np.where(taught[:, None], confident, people.truth[rows] > 0)
    apart = distances(found, truth)
    torso = torso_lengths(truth, known, boxes)[:, None]
    height, side = (boxes[:, 3] - boxes[:, 1])[:, None], (boxes[:, 2:] - boxes[:, :2]).max(1)
    return {
        "counted": counted,
        "hidden": ~taught[:, None] & (people.truth[rows] == 1),
        "outside": people.seen[rows] == 0,
        "torso": (apart <= PCK * torso, counted & np.isfinite(torso)),
        "height": (apart <= NEAR_TEACHER * height, counted),
        "side": (apart <= NEAR_TEACHER * side[:, None], counted),
        "apart": apart / side[:, None],
        "pck": apart <= PCK * torso,
    }


def _of_source(people: People, rows: Rows, found: F32, threshold: float) -> dict[str, Any]:
    judged, reported = _judged(people, rows, found), found[:, :, 2] >= threshold
    return {
        "people": len(rows),
        "torso": share(*judged["torso"]),
        "torso_reported": share(judged["torso"][0] & reported, judged["torso"][1]),
        "height": share(*judged["height"]),
        "side": share(*judged["side"]),
        "reported": share(reported, judged["counted"]),
        "hidden_reported": share(reported, judged["hidden"]),
        "hidden_torso": share(judged["pck"], judged["hidden"] & np.isfinite(judged["apart"])),
        "absent_reported": share(reported, judged["outside"]),
        "joints": {
            name: {
                "torso": _column(judged["torso"], joint),
                "height": _column(judged["height"], joint),
            }
            for joint, name in enumerate(KEYPOINTS)
        },
    }


def _column(pair: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]], joint: int) -> Share:
    return share(pair[0][:, joint : joint + 1], pair[1][:, joint : joint + 1])


def _by_action(people: People, rows: Rows, found: F32) -> dict[str, Share]:
    right, counted = _judged(people, rows, found)["torso"]
    actions = people.actions[rows]
    return {
        action: share(right[actions == action], counted[actions == action])
        for action in sorted(set(actions.tolist()))
    }


def _by_size(people: People, rows: Rows, found: F32) -> dict[str, Share]:
    right, counted = _judged(people, rows, found)["torso"]
    side = (people.box[rows][:, 2:] - people.box[rows][:, :2]).max(1)
    table = {}
    for low, high in ((24, 40), (40, 60), (60, 100), (100, 500)):
        mask = (side >= low) & (side < high)
        table[f"{low}-{high} px"] = share(right[mask], counted[mask])
    return table


def invoke_ms(package: Package) -> dict[str, float]:
    """Best and median time of one invoke, one thread."""
    config = NpuConfig(driver="npu.tflite", runtime="litert", threads=1)
    session, times = open_session(package, TfliteNpu(config)), []
    session.inputs[0][:] = np.random.default_rng(0).integers(-128, 128, session.inputs[0].shape)
    for _ in range(TIMED):
        began = time.perf_counter()
        session.invoke()
        times.append(1000 * (time.perf_counter() - began))
    session.close()
    return {"best": min(times), "median": float(np.median(times))}


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("cache", type=Path, nargs="+")
    parser.add_argument("--most", type=int, default=4000, help="people of a source, at most")
    arguments = parser.parse_args()
    people = People(arguments.cache)
    package = load_package(find_package(arguments.package), "tflite")
    rows = np.concatenate(
        [
            np.flatnonzero(people.held_out & (people.sources == source))[: arguments.most]
            for source in sorted(set(people.sources.tolist()))
        ]
    )
    threshold = package.info.thresholds.score
    int8, student = int8_joints(package, people, rows), load_student(arguments.checkpoint)
    report = {
        "int8": measure(people, rows, int8, threshold),
        "float": measure(people, rows, float_joints(student, people, rows), threshold),
        "invoke_ms": invoke_ms(package),
        "trained": {
            source: int(((people.sources == source) & ~people.held_out).sum())
            for source in sorted(set(people.sources.tolist()))
        },
    }
    arguments.report.write_text(json.dumps(report, indent=1))
    for source, row in report["int8"]["sources"].items():
        other = report["float"]["sources"][source]
        print(
            f"{source:<14} {row['people']:>5} people  torso {row['torso'].value:.3f} "
            f"(float {other['torso'].value:.3f})  height {row['height'].value:.3f} "
            f"(float {other['height'].value:.3f})  reported {row['reported'].value:.3f}"
        )


if __name__ == "__main__":
    main()
