"""`haetae eval action`: judge a file of skeletons with the network that the camera runs.

Exit codes as `haetae model`: 0 ok, 2 arguments or file, 3 model refused, 4 the NPU failed.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from drivers.board import NpuConfig
from drivers.faults import ModelRefused
from drivers.interfaces import Session
from drivers.npu.tflite import TfliteNpu
from models.action import ActionNetwork
from models.package import Package, find_package, load_package
from models.run_cli import OK, run_command
from models.signature import open_session
from models.skeleton_files import ASPECT, read_skeletons
from models.skeletons import LAYOUTS
from models.tables import F32, Actions, Skeletons

DEFAULT_MODEL: Final = "action_xs"
CHUNK: Final = 256
UNKNOWN: Final = "unknown"
"""Of a skeleton with too few joints; its scores are 0."""


def action(argv: list[str]) -> int:
    """`haetae eval action --skeletons F.csv|F.npz --layout L --out F.csv [--model DIR]`."""
    parser = argparse.ArgumentParser(
        prog="haetae eval action", description="Name the action of every skeleton of a file."
    )
    parser.add_argument("--skeletons", type=Path, required=True, help=".csv or .npz file")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), required=True)
    parser.add_argument("--out", type=Path, required=True, help="CSV: row, label, score per class")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="package folder or shipped name")
    parser.add_argument("--npu", choices=("litert", "tflite"), help="TFLite runtime to use")
    parser.add_argument(
        "--aspect",
        type=_aspect,
        default=ASPECT,
        help="width/height of the picture, for coordinates that are shares of it (4/3)",
    )
    parser.set_defaults(run=_judge)
    return run_command(parser, argv)


def _judge(arguments: argparse.Namespace) -> int:
    file = read_skeletons(arguments.skeletons, arguments.layout, arguments.aspect)
    npu = TfliteNpu(NpuConfig(driver="npu.tflite", runtime=arguments.npu or "auto"))
    package = load_package(find_package(arguments.model), npu.target)
    if package.info.role != "action":
        raise ModelRefused(str(package.folder), f'role = "{package.info.role}"; allowed: "action"')
    session = open_session(package, npu)
    try:
        with arguments.out.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(("row", "label", *package.info.classes))
            writer.writerows(rows(package, session, file.skeletons))
    finally:
        session.close()
    return OK


def rows(package: Package, session: Session, keypoints: F32) -> Iterator[tuple[int | str, ...]]:
    """Row number from 0, label, and a score per class with four digits, in file order.

    Args:
        package: an action package.
        session: its loaded network.
        keypoints: float32[N, 17, 3] x, y, visibility.
    """
    network = ActionNetwork(package, session, CHUNK)
    skeletons, actions = Skeletons(CHUNK), Actions(CHUNK, len(network.classes))
    for start in range(0, len(keypoints), CHUNK):
        part = keypoints[start : start + CHUNK]
        skeletons.keypoints[: len(part)] = part
        skeletons.count = len(part)
        network(skeletons, actions)
        for i in range(actions.count):
            best = int(actions.best[i])
            label = network.classes[best] if best >= 0 else UNKNOWN
            yield start + i, label, *(f"{score:.4f}" for score in actions.scores[i])


def _aspect(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 10:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.1 and 10")
    return value
