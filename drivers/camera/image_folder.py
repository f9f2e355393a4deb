"""A folder of pictures as a camera: sorted by name, at the board file's rate."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import drivers.camera.opencv  # noqa: F401  silences OpenCV
from drivers.board import CameraConfig
from drivers.camera.opencv import size_text
from drivers.camera.pacing import Pacing, rehearse
from drivers.faults import CameraFault, EndOfStream
from drivers.interfaces import U8, Clock, Frame

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})


class ImageFolderCamera:
    """Shows each picture once. All must have the size of the first; none is scaled.

    OpenCV does not report a failed decode into a given buffer, so each picture is decoded into a
    temporary array of its own and copied.

    Attributes:
        width_px: of the first picture after `open`, of the board file before.
        height_px: likewise.
        fps: of the board file.
        is_live: False.
    """

    is_live = False

    def __init__(self, config: CameraConfig, source: str, clock: Clock) -> None:
        self.width_px = config.width_px
        self.height_px = config.height_px
        self.fps = config.fps
        self._folder = source
        self._pictures: list[Path] = []
        self._is_open = False
        self._pacing = Pacing()
        self._sized = False
        self._first = 0
        self._after: str | None = None

    def open(self) -> None:
        """List the folder; after a fault it goes on behind the last picture, else at the first.

        Raises:
            CameraFault: reason "missing", "not_folder", "empty" (no picture by its suffix), or, the
                first time, "not_image".
        """
        self.close()
        self._pictures = self._list()
        names = [path.name for path in self._pictures]
        self._first = sum(name <= self._after for name in names) if self._after else 0
        if not self._sized and self._first < len(names):
            self._take_size(self._decode(self._first))
        self._pacing.begin(self.fps)
        self._is_open = True

    def grab(self, frame: Frame, now_ms: float) -> bool:
        """Load the newest picture due at `now_ms` into `frame.pixels`.

        Raises:
            CameraFault: reason "closed"; "not_image" or "size_changed" for one picture, the next
                grab goes on behind it.
            EndOfStream: no picture is left.
        """
        if not self._is_open:
            raise CameraFault("closed", f"{self._folder} is not open")
        due, last = self._pacing.due(now_ms), len(self._pictures) - self._first - 1
        index = min(due, last)
        if due > last and self._pacing.position >= last:
            self._after = None
            raise EndOfStream(self._folder)
        if index <= self._pacing.position:
            return False
        self._pacing.position = index
        picture = self._decode(self._first + index)
        if picture.shape != frame.pixels.shape:
            path, wanted = self._pictures[self._first + index], size_text(frame.pixels)
            raise CameraFault("size_changed", f"{path} is {size_text(picture)}, wanted {wanted}")
        np.copyto(frame.pixels, picture)
        self._pacing.stamp(frame, index, now_ms)
        return True

    def rehearse(self, frame: Frame) -> None:
        """See `Camera.rehearse`."""
        rehearse(self, self._pacing, frame)
        self._first = 0
        self._after = None

    def close(self) -> None:
        """Forget the list. May be called twice."""
        self._is_open = False
        self._pictures = []

    def _list(self) -> list[Path]:
        if not self._folder:
            raise CameraFault("missing", "no folder is named")
        folder = Path(self._folder)
        try:
            entries = sorted(folder.iterdir())
        except NotADirectoryError as error:
            raise CameraFault("not_folder", f"{self._folder!r} is not a folder") from error
        except (OSError, ValueError) as error:
            raise CameraFault("missing", f"{self._folder!r}: {error}") from error
        pictures = [path for path in entries if path.suffix.lower() in SUFFIXES and path.is_file()]
        if not pictures:
            allowed = ", ".join(sorted(SUFFIXES))
            raise CameraFault("empty", f"{self._folder!r} holds no picture ({allowed})")
        return pictures

    def _decode(self, number: int) -> U8:
        """Decode one picture, uint8[H, W, 3]; good or bad, it does not come again."""
        path = self._pictures[number]
        self._after = path.name
        try:
            picture: U8 | None = cv2.imread(str(path), cv2.IMREAD_COLOR)
        except cv2.error as error:
            raise CameraFault("not_image", f"{path}: {error.err}") from error
        if picture is None:
            raise CameraFault("not_image", f"{path} cannot be decoded")
        return picture

    def _take_size(self, picture: U8) -> None:
        self.height_px, self.width_px = picture.shape[:2]
        self._sized = True
        self._after = None
