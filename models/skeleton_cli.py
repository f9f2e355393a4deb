"""`haetae eval skeleton`: the joints of everybody in a file of boxes, by the camera's own network.

Exit codes as `haetae eval detect`: 0 ok, 1 a picture was unreadable, 2 arguments or file, 3 model
refused, 4 the NPU failed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from drivers.board import NpuConfig
from drivers.interfaces import Session
from drivers.npu.tflite import TfliteNpu
from models.box_files import BoxLine, read_boxes
from models.package import Package, find_package, load_package
from models.run_cli import OK, PICTURE_UNREADABLE, WRONG_ARGUMENTS, refuse, run_command
from models.signature import open_session
from models.skeleton import U8, SkeletonNetwork
from models.skeletons import JOINTS
from models.tables import F32

DEFAULT_MODEL: Final = "skeleton_s"


def skeleton(argv: list[str]) -> int:
    """`haetae eval skeleton --images DIR --boxes F.jsonl --out F.jsonl [--model DIR] [--npu R]`."""
    parser = argparse.ArgumentParser(
        prog="haetae eval skeleton", description="Find the joints of everybody in a file of boxes."
    )
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures")
    parser.add_argument(
        "--boxes", type=Path, required=True, help='lines {"image": NAME, "box": [x1, y1, x2, y2]}'
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, one per box")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="package folder or shipped name")
    parser.add_argument("--npu", choices=("litert", "tflite"), help="TFLite runtime to use")
    parser.set_defaults(run=_look)
    return run_command(parser, argv)


def _look(arguments: argparse.Namespace) -> int:
    if not arguments.images.is_dir():
        return refuse(f"--images {arguments.images}: must be a folder", WRONG_ARGUMENTS)
    boxes = read_boxes(arguments.boxes)
    npu = TfliteNpu(NpuConfig(driver="npu.tflite", runtime=arguments.npu or "auto"))
    package = load_package(find_package(arguments.model), npu.target)
    session = open_session(package, npu)
    looking, unreadable = Looking(package, session, arguments.images), set()
    try:
        with arguments.out.open("w", encoding="utf-8") as out:
            for line, joints in looking.everybody(boxes):
                if joints is None:
                    unreadable.add(line.image)
                else:
                    out.write(_row(line, joints))
    finally:
        session.close()
    for image in sorted(unreadable):
        refuse(f"{arguments.images / image}: cannot be read as a picture", PICTURE_UNREADABLE)
    return PICTURE_UNREADABLE if unreadable else OK


class Looking:
    """Runs one loaded network over pictures of any size; each picture is read once in a row."""

    def __init__(self, package: Package, session: Session, folder: Path) -> None:
        """Args: a skeleton package, its session, the folder of pictures. Raises ModelRefused."""
        self._package, self._session, self._folder = package, session, folder
        self._network = SkeletonNetwork(package, session, 1, 1)
        self._size = (1, 1)
        self._joints: F32 = np.zeros((JOINTS, 3), np.float32)

    def everybody(self, boxes: list[BoxLine]) -> Iterator[tuple[BoxLine, F32 | None]]:
        """Each line with float32[17, 3] (one array, filled anew), None for no picture.

        Raises:
            NpuFault: the network failed.
        """
        name, pixels = "", None
        for line in boxes:
            if line.image != name:
                name, pixels = line.image, self._read(line.image)
            if pixels is None:
                yield line, None
                continue
            self._network.look(pixels, np.array(line.box, np.float32), self._joints)
            yield line, self._joints

    def _read(self, image: str) -> U8 | None:
        found = cv2.imread(str(self._folder / image), cv2.IMREAD_COLOR)
        if found is None:
            return None
        pixels: U8 = np.asarray(found, np.uint8)
        size = (pixels.shape[1], pixels.shape[0])
        if size != self._size:
            self._network = SkeletonNetwork(self._package, self._session, *size)
            self._size = size
        return pixels


def _row(line: BoxLine, joints: F32) -> str:
    keypoints = [[round(x, 2), round(y, 2), round(v, 4)] for x, y, v in joints.tolist()]
    row = {"image": line.image, "box": list(line.box), "keypoints": keypoints}
    return json.dumps(row, ensure_ascii=False) + "\n"
