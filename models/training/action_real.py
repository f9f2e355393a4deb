"""Skeletons that a network found in labelled pictures of people who stand, sit and lie.

    python -m models.training.action_real --skeleton PACKAGE --out fall_posture.npz

The pictures say what somebody does, the network makes the mistakes that it makes on real people.
Written in the form of `python -m sim.dataset.skeletons`; the last fifth of each label's pictures,
in order of name (copies have neighbouring names), is held out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from drivers.board import NpuConfig
from drivers.interfaces import Session
from drivers.npu.tflite import TfliteNpu
from models.package import Package, load_package
from models.signature import open_session
from models.skeleton import SkeletonNetwork
from models.skeletons import JOINTS
from models.tables import F32
from models.training.action_sources import last_fifth
from models.training.dataset import data_folder

FOLDER: Final = "images/fall_posture/train"
LICENCE: Final = "CC BY 4.0 and ODbL as claimed; sources mixed"
LABELS: Final = ("Fall", "Sit", "Stand")
NAMES: Final = {
    "Fall": "fall|lie|crawl", "Sit": "sit|squat",
    "Stand": "stand|walk|run|bend|work|arms_raised",
}  # fmt: skip
VIEWS: Final = 4
"""Of each person: as labelled, then with the box a little off, as a detector has it."""
GROW, SHIFT = 0.15, 0.07
"""Standard deviation of the box's size (logarithm) and place (shares of its size)."""
FEWEST_JOINTS: Final = 6
"""Skeletons with fewer are left out: what is right of them cannot be seen."""


def labelled(data: Path) -> Iterator[tuple[Path, str, F32]]:
    """Every picture's people: path, label, box float32[4] x, y, width, height, shares."""
    for path in sorted((data / FOLDER / "images").iterdir()):
        text = data / FOLDER / "labels" / f"{path.stem}.txt"
        for line in text.read_text().splitlines() if text.is_file() else ():
            if line.strip():
                number, *box = line.split()
                yield path, LABELS[int(number)], np.array(box, np.float32)


def views(rng: np.random.Generator, box: F32, width: int, height: int) -> F32:
    """float32[VIEWS, 4] xyxy in pixels; the first is the box as it is."""
    middle, size = np.tile(box[:2], (VIEWS, 1)), np.tile(box[2:], (VIEWS, 1))
    middle[1:] += size[1:] * rng.normal(0, SHIFT, (VIEWS - 1, 2))
    size[1:] *= np.exp(rng.normal(0, GROW, (VIEWS - 1, 2)))
    corners = np.concatenate((middle - size / 2, middle + size / 2), 1)
    found: F32 = (corners * (width, height, width, height)).astype(np.float32)
    return found


def find(data: Path, package: Package, session: Session) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of a file: keypoints, action, group (the picture), held_out, doing, licence."""
    rng = np.random.default_rng(1)
    keypoints, doing, group = [], [], []
    for i, (path, label, box) in enumerate(labelled(data)):
        pixels = cv2.imread(str(path))
        height, width = pixels.shape[:2]
        network = SkeletonNetwork(package, session, width, height)
        for view in views(rng, box, width, height):
            joints = np.zeros((JOINTS, 3), np.float32)
            network.look(pixels, view, joints)
            if (joints[:, 2] > 0).sum() >= FEWEST_JOINTS:
                keypoints.append(joints)
                doing.append(label)
                group.append(i)
    labels, groups = np.array(doing), np.array(group)
    people, first = np.unique(groups, return_index=True)
    return {
        "keypoints": np.stack(keypoints), "action": np.array([NAMES[label] for label in doing]),
        "group": groups, "held_out": np.isin(groups, people[last_fifth(labels[first])]),
        "doing": labels, "licence": np.array(LICENCE),
    }  # fmt: skip


def main() -> None:
    """Write a file from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skeleton", type=Path, required=True, help="package of role skeleton")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    npu = TfliteNpu(NpuConfig(driver="npu.tflite", runtime="auto"))
    package = load_package(arguments.skeleton, npu.target)
    np.savez_compressed(arguments.out, **find(data_folder(), package, open_session(package, npu)))


if __name__ == "__main__":
    main()
