"""Skeletons that a network found on rendered people: the true action, the network's own mistakes.

    haetae sim dataset --seed 1001 --frames 4500 --size 640x360 --min-visible 0.2 \\
        --out build/simulated
    python -m models.training.action_seen build/simulated --skeleton PACKAGE --out seen.npz

The joints of a simulated person are never wrong; those of a worker in the rain are, and most of all
where a detector takes two people for one: the head of who is behind looks like a raised hand. So
such boxes are shown too, and called what the nearer person does. Written in the form of
`python -m sim.dataset.skeletons`; every fifth world is held out whole.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from drivers.board import NpuConfig
from drivers.npu.tflite import TfliteNpu
from models.package import load_package
from models.signature import open_session
from models.skeleton import SkeletonNetwork
from models.skeletons import JOINTS
from models.tables import F32
from models.training.action_real import FEWEST_JOINTS, views

PERSON: Final = 1
SMALLEST_PX, LEAST_VISIBLE = 44.0, 0.6
"""Height of the box and share of the body that is seen: of others nobody could say what they do."""
VIEWS_USED: Final = 2
LEAST_SHARE, LEAST_ACROSS = 0.4, 0.4
"""Of a box around two: how much the nearer one fills of it; how much of the narrower one's width is
in front of or behind the other."""
HELD_OUT_EVERY: Final = 5
ALSO: Final = {"stand": "stand|walk", "fall": "fall|lie", "lie": "lie|fall"}
"""Somebody who is about to go or to fall is called what they do next, and may be called both."""


def around_two(box: F32, others: F32) -> F32 | None:
    """The box that a detector draws which takes somebody and who is behind them for one person.

    Args:
        box: float32[4] x, y, width, height in pixels.
        others: float32[N, 4], everybody else in the picture.

    Returns:
        float32[4], of the first such one; nothing where nobody is behind.
    """
    for other in others:
        low, high = (
            np.maximum(box[:2], other[:2]),
            np.minimum(box[:2] + box[2:], other[:2] + other[2:]),
        )
        across = (high - low)[0] >= LEAST_ACROSS * min(box[2], other[2])
        behind = other[1] < box[1] and other[1] + other[3] < box[1] + box[3]
        if not (across and behind and high[1] > low[1]):
            continue
        corner = np.minimum(box[:2], other[:2])
        size = np.maximum(box[:2] + box[2:], other[:2] + other[2:]) - corner
        if box[2] * box[3] >= LEAST_SHARE * size[0] * size[1]:
            return np.concatenate((corner, size)).astype(np.float32)
    return None


def people(folder: Path) -> Iterator[tuple[Path, int, str, F32]]:
    """Everybody who is large and free enough: picture, world, action, box float32[4] xywh centred
    in shares of the picture; and twice more in a box around two."""
    told: dict[str, Any] = json.loads(
        (folder / "annotations" / "person_keypoints.json").read_text(encoding="utf-8")
    )
    pictures = {picture["id"]: picture for picture in told["images"]}
    there: dict[int, list[list[float]]] = {}
    for row in told["annotations"]:
        if row["category_id"] == PERSON:
            there.setdefault(row["image_id"], []).append(row["bbox"])
    for row in told["annotations"]:
        if not _is_clear(row):
            continue
        picture = pictures[row["image_id"]]
        path, world = folder / "images" / picture["file_name"], picture["attributes"]["world_seed"]
        own = np.array(row["bbox"], np.float32)
        both = around_two(own, np.array(there[row["image_id"]], np.float32))
        for box in (own, both, both):  # rare and dangerous: twice
            if box is not None:
                centred = np.concatenate((box[:2] + box[2:] / 2, box[2:]))
                centred /= np.array((picture["width"], picture["height"]) * 2, np.float32)
                yield path, world, row["attributes"]["action"], centred


def _is_clear(row: dict[str, Any]) -> bool:
    """A person, large enough and free enough."""
    if row["category_id"] != PERSON or max(row["bbox"][2:]) < SMALLEST_PX:
        return False
    seen: float = row["attributes"]["visible"] * row["attributes"]["in_view"]
    return seen >= LEAST_VISIBLE


def find(folder: Path, network: SkeletonNetwork) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of a file: keypoints, action, group (the world), held_out, doing.

    Args:
        folder: what `haetae sim dataset` wrote.
        network: made for pictures of that size.
    """
    rng = np.random.default_rng(1)
    keypoints, doing, group = [], [], []
    shown: Path | None = None
    for path, world, action, box in people(folder):
        if path != shown:
            shown, pixels = path, cv2.imread(str(path))
            height, width = pixels.shape[:2]
        for view in views(rng, box, width, height)[:VIEWS_USED]:
            joints = np.zeros((JOINTS, 3), np.float32)
            network.look(pixels, view, joints)
            if (joints[:, 2] > 0).sum() >= FEWEST_JOINTS:
                keypoints.append(joints)
                doing.append(action)
                group.append(world)
    worlds, number = np.unique(np.array(group), return_inverse=True)
    return {
        "keypoints": np.stack(keypoints), "action": np.array([ALSO.get(a, a) for a in doing]),
        "group": worlds[number], "held_out": number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1,
        "doing": np.array(doing),
    }  # fmt: skip


def main() -> None:
    """Write a file from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of `haetae sim dataset`")
    parser.add_argument("--skeleton", type=Path, required=True, help="package of role skeleton")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    npu = TfliteNpu(NpuConfig(driver="npu.tflite", runtime="auto"))
    package = load_package(arguments.skeleton, npu.target)
    first, *_ = next(people(arguments.folder))
    height, width = cv2.imread(str(first)).shape[:2]
    network = SkeletonNetwork(package, open_session(package, npu), width, height)
    np.savez_compressed(arguments.out, **find(arguments.folder, network))


if __name__ == "__main__":
    main()
