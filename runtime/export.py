"""The one door for pictures: clips and stills. Takes an AnonymisedFrame, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import cv2

from drivers.faults import StorageFault
from drivers.interfaces import U8
from runtime.annotate import Annotator
from runtime.context import Context
from runtime.privacy import AnonymisedFrame, Anonymiser

STILL_QUALITY = 74
"""JPEG quality of a still: boxes and labels stay sharp, and a page of many stays small."""
TIMES_SUFFIX = ".times"
"""Beside a clip lies a text file with the source time of each of its pictures, ms, one a line."""


class FrameSink(Protocol):
    """Anything that pictures may leave the process through."""

    def write(self, picture: AnonymisedFrame, t_ms: float = 0.0) -> None:
        """Take one picture and its source time."""


class VideoFile:
    """An MP4 file, and beside it the times of its pictures: some may have been left out.

    Raises:
        StorageFault: the file cannot be written.
    """

    def __init__(self, path: Path, width_px: int, height_px: int, fps: float) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFault("cannot_write", f"{path.parent}: {error.strerror}") from error
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(
            str(path), cv2.CAP_FFMPEG, fourcc, fps, (width_px, height_px)
        )
        if not self._writer.isOpened():
            raise StorageFault("video", f"{path}: cannot be written as MP4")
        try:
            self._times = path.with_suffix(TIMES_SUFFIX).open("wb", buffering=0)
        except OSError as error:
            self._writer.release()
            raise StorageFault("cannot_write", f"times of {path}: {error.strerror}") from error

    def write(self, picture: AnonymisedFrame, t_ms: float = 0.0) -> None:
        """Append one picture.

        Raises:
            TypeError: anything but an AnonymisedFrame.
            StorageFault: the time of the picture cannot be written.
        """
        self._writer.write(_checked(picture))
        try:
            self._times.write(b"%.3f\n" % t_ms)
        except OSError as error:
            raise StorageFault("cannot_write", f"times of the clip: {error.strerror}") from error

    def close(self) -> None:
        """Finish the files."""
        self._writer.release()
        self._times.close()


class StillFile:
    """A JPEG that every picture replaces as a whole: a reader finds the old or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fresh = path.with_name(f"{path.name}.new")

    def write(self, picture: AnonymisedFrame, t_ms: float = 0.0) -> None:
        """Replace the file.

        Raises:
            TypeError: anything but an AnonymisedFrame.
            StorageFault: the file cannot be written.
        """
        pixels = _checked(picture)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fresh.write_bytes(_jpeg(pixels, pixels.shape[1]))
            self._fresh.replace(self._path)
        except OSError as error:
            raise StorageFault("cannot_write", f"{self._path}: {error.strerror}") from error

    def rehearse(self, picture: AnonymisedFrame) -> None:
        """Before the memory is sealed: code a picture, and write nothing."""
        _jpeg(_checked(picture), picture.pixels.shape[1])


def _checked(picture: AnonymisedFrame) -> U8:
    """The pixels of a picture that may leave. Raises TypeError for everything else."""
    if type(picture) is not AnonymisedFrame:
        raise TypeError(f"a picture leaves only as AnonymisedFrame, not {type(picture).__name__}")
    return picture.pixels


def picture_times_ms(clip: Path) -> list[float]:
    """Source time of each picture of a clip that a `VideoFile` wrote; empty where not known."""
    try:
        lines = clip.with_suffix(TIMES_SUFFIX).read_text(encoding="ascii").splitlines()
        return [float(line) for line in lines]
    except (OSError, ValueError):
        return []


def stills(clip: Path, frames: Sequence[int], width_px: int) -> dict[int, bytes]:
    """Pictures of a clip that a `VideoFile` wrote, as JPEG: they are anonymised already.

    Args:
        clip: the MP4 file.
        frames: numbers of the pictures wanted, from 0.
        width_px: of the stills; never wider than the clip.

    Returns:
        picture number -> JPEG, without those that the clip does not have.
    """
    wanted, found = set(frames), dict[int, bytes]()
    reader = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    try:
        for number in range(max(wanted, default=-1) + 1):
            if not reader.grab():
                break
            if number in wanted:
                found[number] = _jpeg(reader.retrieve()[1], width_px)
    finally:
        reader.release()
    return found


def _jpeg(pixels: U8, width_px: int) -> bytes:
    """One picture, made smaller where it is wider."""
    height, width = pixels.shape[:2]
    if width > width_px:
        size = width_px, max(1, round(height * width_px / width))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, STILL_QUALITY])[1]
    return bytes(encoded)


class Export:
    """The export stage: anonymise, annotate, write. Left out when the loop is behind."""

    def __init__(
        self,
        anonymiser: Anonymiser,
        annotator: Annotator,
        sink: FrameSink,
        status: Callable[[], list[str]],
    ) -> None:
        self._anonymiser = anonymiser
        self._annotator = annotator
        self._sink = sink
        self._status = status

    def __call__(self, context: Context) -> None:
        """Write the present frame."""
        picture = self._anonymiser(context.frame, context.detections, context.tracks, context.t_ms)
        self._annotator.annotate(picture, context, self._status())
        self._sink.write(picture, context.t_ms)
