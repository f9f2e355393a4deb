"""What the candidates look at: frames of a real video, decoded once, and the settings."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

VIDEO = Path("video/intel/one-by-one-person-detection.mp4")
REFERENCE = Path("models/reference")
WIDTH_PX, HEIGHT_PX, FPS = 768, 432, 10.0
FRAMES = 60
"""Consecutive frames of a scene; they are played forwards and backwards, so nobody jumps."""
FIRST_FRAME = 64
"""A person walks in here and stays in view."""
MOSAIC_FIRST = (64, 250, 350, 530, 610, 770, 3, 446, 866)
"""First frame of each tile of the 3 x 3 mosaic: somebody is in six of them."""
ZONE = ((0.3, 0.2), (0.7, 0.2), (0.8, 1.0), (0.2, 1.0))
"""The forbidden area of every candidate, as fractions of the picture; the same as in site.toml."""


class Setting(NamedTuple):
    """One column of the table: a reference detector and a scene."""

    name: str
    model: str
    scene: str


SETTINGS = (
    Setting("320 one", "yolox_nano_person_320x256_int8", "one"),
    Setting("416 one", "yolox_nano_person_416x416_int8", "one"),
    Setting("320 six", "yolox_nano_person_320x256_int8", "six"),
)


def zone_px() -> npt.NDArray[np.int32]:
    """int32[N, 2] xy: the zone in pixels of the source picture."""
    return np.rint(np.array(ZONE) * (WIDTH_PX, HEIGHT_PX)).astype(np.int32)


def decode(data: Path, scene: str, count: int = FRAMES) -> U8:
    """uint8[count, H, W, 3] BGR: the frames of a scene."""
    if scene == "one":
        return _read(data / VIDEO, FIRST_FRAME, count)
    frames = np.zeros((count, HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    width, height = WIDTH_PX // 3, HEIGHT_PX // 3
    for tile, first in enumerate(MOSAIC_FIRST):
        x, y = tile % 3 * width, tile // 3 * height
        for frame, source in zip(frames, _read(data / VIDEO, first, count), strict=True):
            small = cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA)
            frame[y : y + height, x : x + width] = small
    return frames


def _read(path: Path, first: int, count: int) -> U8:
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = np.zeros((count, HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    try:
        for _ in range(first):
            video.grab()
        for frame in frames:
            if not video.read(frame)[0]:
                raise ValueError(f"{path}: ends before frame {first + count}")
    finally:
        video.release()
    return frames


def share(frames: U8) -> int:
    """Put frames into memory that worker processes inherit; returns its file descriptor."""
    fd = os.memfd_create("frames", 0)
    os.ftruncate(fd, frames.nbytes)
    with mmap.mmap(fd, frames.nbytes) as memory:
        memory.write(frames.data)
    return fd


def shared(fd: int) -> list[U8]:
    """The frames behind a descriptor, as views."""
    size = os.fstat(fd).st_size
    memory = mmap.mmap(fd, size, prot=mmap.PROT_READ)
    return list(np.frombuffer(memory, np.uint8).reshape(-1, HEIGHT_PX, WIDTH_PX, 3))


def there_and_back(count: int) -> Iterator[int]:
    """0, 1, ... count - 1, count - 2, ... 1, 0, 1, ... for ever: no frame follows itself."""
    if count < 2:
        raise ValueError(f"{count} frame: at least two are needed, or the picture is frozen")
    step, index = 1, 0
    while True:
        yield index
        if not 0 <= index + step < count:
            step = -step
        index += step
