"""The empty room, learned: only where nobody was and where it kept looking the same.

Every cell of the finest grid keeps what it usually looks like and for how long, in all, it has. It
is learned when that has lasted `learn_ms`. Nothing counts while somebody is detected or followed
nearby, and whatever moves without anybody being there sets its surroundings back: who is not seen
but stirs now and then is never learned. A cell that looks different for longer, or in which a
person is seen though it looks like the empty room, is forgotten. It lives in memory alone.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from drivers.interfaces import U8, Frame
from models.tables import F32, Detections
from runtime.privacy_grid import SAMPLES, UNKNOWN, Grid, Mask
from runtime.tables import Tracks

F64 = npt.NDArray[np.float64]

STEP_MS = 200.0
"""Looked at this often; with less it costs more, with more a passer-by could slip through."""
BLIND_MS = 1000.0
"""After a pause of this length nothing is known of what happened meanwhile."""
SAMPLE_CHANGE = 14
"""Of 256, in any colour: above the noise of a few pixels' mean, below the edge of a sleeve."""
CELL_CHANGE = 10
"""Of 256: a cell whose mean is this far from the empty room's shows something else."""
ODD_MS = 2000.0
"""What differs from the learned room for this long is shown no longer as learned."""
STIR_LOSS_MS = 2000.0
"""What a movement without anybody costs its surroundings, in time learned, at each look."""
MARGIN = 0.25
"""Around a person nothing is learned, in box sides: feet, shadows, a box that lags."""
CORE = 0.25
"""Left and right part of a box that may well show the room beside the person."""
HIDDEN_SHARE = 0.2
"""Less of a detected person's box differing from the room: then the room has the person in it."""
READY_SHARE = 0.5
"""Of all cells learned before any is shown: a few clear spots in a coarse picture help nobody."""
LIGHT_SHARE = 0.3
"""More of the uncovered picture changing at once is the light, or the camera, and nobody."""
LEAST_CELLS = 0.2
"""Share of the picture that must be free of people for the light to be judged."""
TONES = 8
"""Groups of cells, from dark to bright, that tell how the picture's tones have moved."""
STRAINED = 48
"""Of 256: when tones stay this far off for `learn_ms`, the room is learned anew."""
DRIFT_STEPS = 5
"""Daylight may change the look of a cell by one of 256 in so many looks."""
BLEND = 0.2
"""Share of the newest picture in a learned cell when its turn comes again: noise goes away."""

_ALL_TONES: F64 = np.arange(256.0)


class Background:
    """What the room looks like without people. Nothing is allocated after `__init__`, bar views.

    Args:
        grid: the anonymiser's.
        width_px, height_px: size of the pictures.
        learn_ms: see `[privacy]`.

    Attributes:
        pixels: uint8[H, W, 3]; means something in learned cells only. For the Anonymiser alone.
        means: uint8[rows, columns, 3], of the finest cells of `pixels`.
        ready: enough is learned to be shown.
    """

    def __init__(self, grid: Grid, width_px: int, height_px: int, learn_ms: float) -> None:
        self._grid = grid
        self._learn_ms = learn_ms
        self.pixels: U8 = np.full((height_px, width_px, 3), 0, np.uint8)
        self.means = grid.table(0)
        self.ready = False
        self._now = grid.table(0)
        self._look = grid.sample_table()
        self._samples = grid.sample_table()
        self._change = grid.sample_table()
        self._light: U8 = np.zeros((1, 256, 3), np.uint8)
        self._strained_ms = 0.0
        self._alike_ms: F64 = np.zeros(grid.shape)
        self._odd_ms: F64 = np.zeros(grid.shape)
        self._copied: Mask = np.zeros(grid.shape, np.bool_)
        self._near = np.ones((2 ** (UNKNOWN + 1) + 1,) * 2, np.uint8)
        self._mixed: U8 = np.zeros((grid.cell_px[UNKNOWN], width_px, 3), np.uint8)
        self._lit = np.zeros_like(self._mixed)
        self._band = 0
        self._step = 0
        self._last_ms = -np.inf

    @property
    def learned(self) -> Mask:
        """bool[rows, columns]: cells that look like the empty room as far as anybody knows."""
        return self._copied & (self._odd_ms < ODD_MS)

    def update(
        self,
        frame: Frame,
        detections: Detections,
        tracks: Tracks,
        t_ms: float,
        faint: Detections | None = None,
    ) -> None:
        """Look at a frame that was judged; does nothing before the next look is due.

        Args:
            detections, tracks: nothing is learned where they hold anything, confirmed or not.
            t_ms: source time.
            faint: what the detector holds possible, down to a very low score.
        """
        if not self.is_due(t_ms):
            return
        passed_ms = t_ms - self._last_ms
        self._last_ms = t_ms
        if passed_ms > BLIND_MS:
            passed_ms = 0.0
        self._step += 1
        self._grid.samples(frame.pixels, self._samples)
        self._grid.means(frame.pixels, 0, self._now)
        if self._step == 1:
            self.forget()
        covered = self._covered(detections, tracks, faint)
        self._adapt(covered, passed_ms)
        changed = self._changed()
        self._judge(changed, covered, passed_ms)
        self._suspect(detections)
        self._learn(frame.pixels, ~changed & ~covered)
        self.ready = self.share >= READY_SHARE

    def is_due(self, t_ms: float) -> bool:
        """It is time for the next look."""
        return t_ms - self._last_ms >= STEP_MS

    def forget(self) -> None:
        """Begin anew, with the picture that is seen now."""
        self._alike_ms[:] = self._odd_ms[:] = 0.0
        self._copied[:] = False
        self._strained_ms = 0.0
        self._light[0] = np.arange(256)[:, None]
        self._look[:] = self._samples
        self.ready = False

    def differs(self, means: U8) -> Mask:
        """Cells that look different from the learned room, whether they are learned or not.

        Args:
            means: of the finest cells, as the camera sees them now.
        """
        now = cv2.LUT(means, self._light)
        unlike: Mask = cv2.absdiff(now, self.means).max(axis=2) > CELL_CHANGE
        return unlike

    @property
    def share(self) -> float:
        """Learned cells of all cells."""
        inside = self._grid.inside
        return np.count_nonzero(self.learned & inside) / np.count_nonzero(inside)

    def _adapt(self, covered: Mask, passed_ms: float) -> None:
        """Tell the light, and the camera's answer to it, from what happens in the room."""
        free = ~covered & self._grid.inside
        if np.count_nonzero(free) >= LEAST_CELLS * np.count_nonzero(self._grid.inside):
            middle = slice(SAMPLES // 2, None, SAMPLES)
            look, now = self._look[middle, middle][free], self._samples[middle, middle][free]
            strained = False
            for colour in range(3):
                tones, shifts = _tone_shifts(now[:, colour], look[:, colour])
                curve = _ALL_TONES + np.interp(_ALL_TONES, tones, shifts)
                self._light[0, :, colour] = np.clip(curve + 0.5, 0.0, 255.0)
                strained |= bool(np.abs(shifts).max() > STRAINED)
            self._strained_ms = self._strained_ms + passed_ms if strained else 0.0
            if self._strained_ms > self._learn_ms:
                self.forget()
        cv2.LUT(self._samples, self._light, dst=self._samples)

    def _changed(self) -> Mask:
        """Cells of which any sample is not as it usually looks."""
        rows, columns = self._grid.shape
        cv2.absdiff(self._samples, self._look, dst=self._change)
        worst = self._change.reshape(rows, SAMPLES, columns, SAMPLES * 3).max(axis=(1, 3))
        changed: Mask = worst > SAMPLE_CHANGE
        return changed

    def _covered(self, detections: Detections, tracks: Tracks, faint: Detections | None) -> Mask:
        """Cells near anybody who is detected or followed."""
        covered: Mask = np.zeros(self._grid.shape, np.bool_)
        boxes: list[F32] = [detections.boxes[: detections.count], tracks.boxes[tracks.live]]
        if faint is not None:
            boxes.append(faint.boxes[: faint.count])
        for box in (box for table in boxes for box in table.tolist()):
            covered[self._grid.region(box, MARGIN)] = True
        return covered

    def _judge(self, changed: Mask, covered: Mask, passed_ms: float) -> None:
        """Count time for and against what each cell usually looks like."""
        explained = cv2.dilate(covered.view(np.uint8), self._near).view(np.bool_)
        stirred = (changed & ~explained).view(np.uint8)
        if np.count_nonzero(stirred) > LIGHT_SHARE * np.count_nonzero(self._grid.inside):
            stirred[:] = 0
        unrest = cv2.dilate(stirred, self._near).view(np.bool_) & ~covered
        calm = ~covered & ~changed & ~unrest
        alike = self._alike_ms
        alike += passed_ms * calm
        alike -= passed_ms * (changed & ~covered)
        alike -= STIR_LOSS_MS * (passed_ms / STEP_MS) * unrest * (alike < self._learn_ms)
        np.clip(alike, 0.0, 2.0 * self._learn_ms, out=alike)
        self._renew((alike <= 0.0) & changed & ~covered)
        odd = self.differs(self._now) & ~covered
        self._odd_ms += passed_ms * odd
        self._odd_ms[~odd & ~covered] = 0.0
        np.minimum(self._odd_ms, 2.0 * ODD_MS, out=self._odd_ms)
        if self._step % DRIFT_STEPS == 0:
            self._drift(~changed & ~covered)

    def _renew(self, cells: Mask) -> None:
        """These cells look different for good: their look is what is seen now."""
        if not cells.any():
            return
        wide = cells.repeat(SAMPLES, axis=0).repeat(SAMPLES, axis=1)
        np.copyto(self._look, self._samples, where=wide[..., None])
        self._copied[cells] = False

    def _drift(self, cells: Mask) -> None:
        """One step after slow changes of the light."""
        wide = cells.repeat(SAMPLES, axis=0).repeat(SAMPLES, axis=1)[..., None]
        look, now = self._look, self._samples
        look += (now > look) & wide
        look -= (now < look) & wide

    def _suspect(self, detections: Detections) -> None:
        """A person in front of nothing different is a person in the learned room: forget them."""
        if not (detections.count and self._copied.any()):
            return
        differs = self.differs(self._now)
        for box in detections.boxes[: detections.count].tolist():
            x1, y1, x2, y2 = box
            inset = (x2 - x1) * CORE
            core = self._grid.region([x1 + inset, y1, x2 - inset, y2], 0.0)
            seen = differs[core]
            if seen.size and self._copied[core].all() and seen.mean() < HIDDEN_SHARE:
                whole = self._grid.region(box, MARGIN)
                self._copied[whole] = False
                self._alike_ms[whole] = 0.0

    def _learn(self, pixels: U8, quiet: Mask) -> None:
        """Take over, or renew, the cells of one band of the picture that have earned it."""
        grid, copied = self._grid, self._copied
        side, height = 2**UNKNOWN, pixels.shape[0]
        self._band = (self._band + 1) % -(-height // grid.cell_px[UNKNOWN])
        rows = slice(self._band * side, (self._band + 1) * side)
        earned = quiet[rows] & (self._alike_ms[rows] >= self._learn_ms)
        if not earned.any():
            return
        band = slice(rows.start * grid.cell_px[0], min(rows.stop * grid.cell_px[0], height))
        height_px = band.stop - band.start
        old, new, mixed = self.pixels[band], self._lit[:height_px], self._mixed[:height_px]
        cv2.LUT(pixels[band], self._light, dst=new)
        cv2.addWeighted(old, 1.0 - BLEND, new, BLEND, 0.0, dst=mixed)
        for cells, source in ((earned & ~copied[rows], new), (earned & copied[rows], mixed)):
            if cells.any():
                cv2.copyTo(source, grid.band_mask(cells, height_px), dst=old)
        copied[rows] |= earned
        grid.means(self.pixels, 0, self.means)


def _tone_shifts(now: U8, look: U8) -> tuple[F64, F64]:
    """Tones of now, from dark to bright, and how far each was from there when it was learned.

    The middle of each group decides, so who hides less than half of its cells moves nothing.
    """
    order = now.argsort(kind="stable")[: now.size // TONES * TONES].reshape(TONES, -1)
    tones = np.median(now[order], axis=1)
    shifts = np.median(look[order].astype(np.int16) - now[order], axis=1)
    return tones, shifts
