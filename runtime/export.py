"""Write an annotated clip. Takes an AnonymisedFrame and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2

from drivers.faults import StorageFault
from runtime.annotate import Annotator
from runtime.context import Context
from runtime.privacy import AnonymisedFrame, Anonymiser


class FrameSink(Protocol):
    """Anything that pictures may leave the process through."""

    def write(self, picture: AnonymisedFrame) -> None:
        """Take one picture."""


class VideoFile:
    """An MP4 file.

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

    def write(self, picture: AnonymisedFrame) -> None:
        """Append one picture.

        Raises:
            TypeError: anything but an AnonymisedFrame.
        """
        if not isinstance(picture, AnonymisedFrame):
            raise TypeError(
                f"a picture leaves only as AnonymisedFrame, not {type(picture).__name__}"
            )
        self._writer.write(picture.pixels)

    def close(self) -> None:
        """Finish the file."""
        self._writer.release()


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
        picture = self._anonymiser(context.frame, context.detections, context.tracks)
        self._annotator.annotate(picture, context, self._status())
        self._sink.write(picture)
