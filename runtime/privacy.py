"""No picture leaves the process unanonymised: exporters take an AnonymisedFrame, made only here.

What is shown is put together from two things alone: the learned empty room, and the mean colours of
the cells of one fixed, coarse grid. No pixel of a frame is ever copied, so nobody has to be found
to be covered. A cell that differs from the empty room is shown as its mean, and so is every cell
that nothing is known of. Means are given in few steps of colour, and change only when they leave
theirs by some margin: a person who moves over the grid shows no more from picture to picture.
"""

from __future__ import annotations

from typing import NoReturn

import cv2
import numpy as np
import numpy.typing as npt

from drivers.interfaces import U8, Frame
from models.tables import Detections
from runtime.background import Background
from runtime.privacy_grid import LEVELS, UNKNOWN, Grid, Mask
from runtime.site_privacy import PrivacyConfig
from runtime.tables import Tracks

F64 = npt.NDArray[np.float64]

MARGIN = 0.10
"""How far beyond a box a person may reach, in box sides."""
COLOUR_STEP = 16
"""Of 256: colours are shown in 16 steps."""
STICKY = 12
"""A colour stays until the mean is this far from it; 8 is the border between two steps."""
HOLD_MS = 600.0
"""A cell stays covered for this long after there was a reason, so that nothing flickers."""

_MAKER = object()


class AnonymisedFrame:
    """A picture in which nobody can be recognised. Only an Anonymiser can make one.

    Attributes:
        pixels: uint8[H, W, 3] BGR, read-only.
        canvas: the same to draw on, for the Annotator.

    Raises:
        TypeError: made, copied, stored or derived from by anybody else.
    """

    __slots__ = ("_canvas", "_pixels")

    def __init__(self, width_px: int, height_px: int, maker: object) -> None:
        if maker is not _MAKER:
            raise TypeError("only an Anonymiser makes an AnonymisedFrame")
        self._canvas: U8 = np.full((height_px, width_px, 3), 0, np.uint8)
        self._pixels = self._canvas.view()
        self._pixels.flags.writeable = False

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("nothing is derived from an AnonymisedFrame")

    def __reduce__(self) -> NoReturn:
        raise TypeError("an AnonymisedFrame leaves through an exporter alone")

    @property
    def pixels(self) -> U8:
        """The picture, read-only."""
        return self._pixels

    @property
    def canvas(self) -> U8:
        """The picture, to draw on."""
        return self._canvas


class Anonymiser:
    """Makes the pictures that may leave. Nothing is allocated after `__init__` that stays.

    Args:
        width_px, height_px: size of the pictures.
        config: `[privacy]` of the site.
    """

    def __init__(self, width_px: int, height_px: int, config: PrivacyConfig | None = None) -> None:
        config = PrivacyConfig() if config is None else config
        self.mode = config.mode
        grid = self._grid = Grid(width_px, height_px, config.rows)
        self._picture = AnonymisedFrame(width_px, height_px, _MAKER)
        self._scene = AnonymisedFrame(width_px, height_px, _MAKER)
        self._room = Background(grid, width_px, height_px, config.learn_ms)
        self._means = [grid.table(level) for level in range(LEVELS)]
        self._shown = [grid.table(level) for level in range(LEVELS)]
        self._cells = grid.table(0)
        self._held: U8 = np.zeros(grid.shape, np.uint8)
        self._until_ms: F64 = np.zeros(grid.shape)
        self._colours: U8 = np.full((height_px, width_px, 3), 0, np.uint8)
        self._mask: U8 = np.full((height_px, width_px), 0, np.uint8)

    @property
    def learned_share(self) -> float:
        """Share of the picture that is shown as the empty room; 0 until it is `ready`."""
        return self._room.share if self._room.ready else 0.0

    def learns_at(self, t_ms: float) -> bool:
        """The next frame to learn from is due."""
        return self._room.is_due(t_ms)

    def learn(
        self,
        frame: Frame,
        detections: Detections,
        tracks: Tracks,
        t_ms: float,
        faint: Detections | None = None,
    ) -> None:
        """Learn the empty room from a frame that was judged; see Background.update."""
        self._room.update(frame, detections, tracks, t_ms, faint)

    def __call__(
        self, frame: Frame, detections: Detections, tracks: Tracks, t_ms: float
    ) -> AnonymisedFrame:
        """Anonymise into the one buffer of this object; valid until the next call.

        Args:
            detections, tracks: whoever is near the camera gets larger cells; nobody is covered only
                because of them.
            t_ms: source time.
        """
        if self.mode == "people" and self._room.ready:
            self._grid.means(frame.pixels, 0, self._means[0])
        wanted = self._wanted(detections, tracks)
        self._compose(frame.pixels, self._hold(wanted, t_ms), self._picture.canvas)
        return self._picture

    def empty_scene(self) -> AnonymisedFrame | None:
        """The learned empty room alone, for drawings on it; None until it is learned.

        In mode `everything` it is as coarse as any other picture; what is not learned has one
        colour. Valid until the next call.
        """
        room, canvas = self._room, self._scene.canvas
        if not room.ready:
            return None
        learned: Mask = room.learned
        self._cells[:] = room.means[learned & self._grid.inside].mean(axis=0) + 0.5
        self._paint(~learned, canvas)
        if self.mode == "everything":
            coarse = self._grid.table(UNKNOWN)
            self._grid.means(canvas, UNKNOWN, coarse)
            self._grid.paint(self._grid.repeated(_stepped(coarse), UNKNOWN), canvas)
        return self._scene

    def _wanted(self, detections: Detections, tracks: Tracks) -> U8:
        """How each cell has to be shown: 0 as the empty room, else 1 + level of its mean."""
        near = self._near(detections, tracks)
        unknown = UNKNOWN + 1
        if self.mode == "everything" or not self._room.ready:
            return np.maximum(near, unknown)
        known: Mask = self._room.learned
        if self.mode == "skeleton":
            return np.where(known, 0, np.maximum(near, unknown)).astype(np.uint8)
        person = np.where(near > 0, near, unknown)
        other = np.where(self._room.differs(self._means[0]), person, 0)
        return np.where(known, other, np.maximum(near, unknown)).astype(np.uint8)

    def _near(self, detections: Detections, tracks: Tracks) -> U8:
        """1 + level for each cell in which somebody is, by the size of the largest of them."""
        near: U8 = np.zeros(self._grid.shape, np.uint8)
        for table in (detections.boxes[: detections.count], tracks.boxes[tracks.live]):
            for box in table.tolist():
                place = self._grid.region(box, MARGIN)
                np.maximum(near[place], self._grid.level_of(box) + 1, out=near[place])
        return near

    def _hold(self, wanted: U8, t_ms: float) -> U8:
        """Coarser at once, finer after a while."""
        held, until = self._held, self._until_ms
        renew = (wanted >= held) | (until <= t_ms)
        np.copyto(held, wanted, where=renew)
        np.copyto(until, t_ms + HOLD_MS, where=renew & (wanted > 0))
        return held

    def _compose(self, pixels: U8, levels: U8, out: U8) -> None:
        """Room and cells into one picture."""
        covered: Mask = np.zeros(self._grid.shape, np.bool_)
        for level in range(LEVELS):
            whole = levels == level + 1
            if not whole.any():
                continue
            whole = self._grid.pooled(whole, level)
            self._grid.means(pixels, level, self._means[level])
            self._settle(level)
            table = self._grid.repeated(self._shown[level], level)
            np.copyto(self._cells, table, where=whole[..., None])
            covered |= whole
        self._paint(covered, out)

    def _settle(self, level: int) -> None:
        """Few steps of colour, that stay where they are as long as they nearly fit."""
        means, shown = self._means[level], self._shown[level]
        left = cv2.absdiff(means, shown) >= STICKY
        np.copyto(shown, _stepped(means), where=left)

    def _paint(self, covered: Mask, out: U8) -> None:
        if covered[self._grid.inside].all():
            self._grid.paint(self._cells, out)
            return
        np.copyto(out, self._room.pixels)
        if covered.any():
            self._grid.paint(self._cells, self._colours)
            self._grid.paint_mask(covered, self._mask)
            cv2.copyTo(self._colours, self._mask, dst=out)


def _stepped(means: U8) -> U8:
    """Each colour as the middle of its step."""
    stepped: U8 = np.floor_divide(means, COLOUR_STEP, dtype=np.uint8)
    stepped *= COLOUR_STEP
    stepped += COLOUR_STEP // 2
    return stepped
