"""How far a scene has moved in the picture: blocks found again, and the turn that explains most.

Blocks of the learned picture are looked for near where they should be (normalised correlation:
J. P. Lewis, Fast Normalized Cross-Correlation, 1995), and for a far move large ones in the whole
picture at half its size. Shift, turn and zoom are voted for by pairs of blocks, so that what is
hidden or walks through has no say (Fischler and Bolles, RANSAC, 1981, over all pairs).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from runtime.view_picture import CELL_PX, F32

BLOCK_PX = 16
REACH_PX = 5
"""A block is looked for so far around where it is expected."""
COLUMNS, ROWS = 5, 3
"""The picture is parted into so many regions, each with one block."""
LEAST_SCORE = 0.5
"""Correlation from which on a block is found again."""
LEAST_BLOCKS = 4
AGREE_SHARE = 0.6
"""Of the blocks that were found, so many must agree."""
AGREE_PX = 1.6
"""Blocks agree when they lie no further than this from where the move takes them."""
SHARP_PX = 0.4
"""Those within this are fitted, if they are enough: what half hides a block draws it aside."""
PAIR_PX = 24.0
"""Blocks that are nearer to one another say nothing about turn and zoom."""
FAR_BLOCK = 0.34, 0.44
FAR_AT = 0.12, 0.33, 0.54
"""Size and places of the large blocks, as shares of the picture."""
FAR_GUESSES = 3
"""So many of them, the best ones, are followed up."""
MOST_ZOOM = 1.5
MOST_TURN_DEG = 30.0
EDGE_SHARE = 0.375
"""Where a move is judged: the corners of the inner three quarters of the picture."""


class Move(NamedTuple):
    """A point of the learned picture, seen from its middle, is now at `scale * point + shift`.

    Attributes:
        scale: turn and zoom as a complex number.
        shift: of the middle, pixels of the small picture, right and down.
    """

    scale: complex
    shift: complex

    @property
    def turned_deg(self) -> float:
        """Degrees, clockwise in the picture."""
        return float(np.degrees(np.angle(self.scale)))

    @property
    def zoom(self) -> float:
        """Larger than 1: things are larger than they were."""
        return abs(self.scale)

    def worst_px(self, size: tuple[int, int]) -> float:
        """The furthest way of any corner of the inner picture, pixels of the small picture."""
        x, y = size[0] * EDGE_SHARE, size[1] * EDGE_SHARE
        corners = (complex(x, y), complex(-x, y), complex(x, -y), complex(-x, -y))
        return max(abs((self.scale - 1) * corner + self.shift) for corner in corners)


AT_REST = Move(1 + 0j, 0j)


class Finder:
    """Finds the move from a learned picture to the present one.

    Args:
        size: width and height of the small pictures.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._middle = complex((size[0] - 1) / 2, (size[1] - 1) / 2)
        half = size[0] // 2, size[1] // 2
        self._learned_half: F32 = np.zeros(half[::-1], np.float32)
        self._now_half: F32 = np.zeros(half[::-1], np.float32)
        self._corners: list[tuple[int, int]] = []
        self._warp = np.zeros((2, 3), np.float64)

    @property
    def knows(self) -> bool:
        """There are blocks enough to find a move by."""
        return len(self._corners) >= LEAST_BLOCKS

    def choose(self, across: F32, along: F32, least: float) -> None:
        """Choose the blocks: in each region the one with most structure in both directions.

        None lies at the edge of the picture, where a small move would hide a part of it.

        Args:
            across, along: float32[rows, columns], mean square slopes of each cell.
            least: of a cell to be of use.
        """
        both = np.minimum(across, along)
        pairs = both[:-1, :-1] + both[1:, :-1] + both[:-1, 1:] + both[1:, 1:]
        self._corners.clear()
        for rows in np.array_split(np.arange(1, pairs.shape[0] - 1), ROWS):
            for columns in np.array_split(np.arange(1, pairs.shape[1] - 1), COLUMNS):
                region = pairs[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
                row, column = np.unravel_index(int(region.argmax()), region.shape)
                if region[row, column] >= 4 * least:
                    at = int(columns[0] + column) * CELL_PX, int(rows[0] + row) * CELL_PX
                    self._corners.append(at)

    def find(self, learned: F32, now: F32, last: Move) -> Move | None:
        """The move between two pictures, float32[H, W]; None where the blocks do not say.

        Args:
            learned, now: grey pictures.
            last: where to look first.
        """
        if not self.knows:
            return None
        move = self._near(learned, now, last)
        if move is None and last != AT_REST:
            move = self._near(learned, now, AT_REST)
        return move

    def find_far(self, learned: F32, now: F32) -> Move | None:
        """As `find`, wherever the scene has gone to; takes longer."""
        if not self.knows:
            return None
        half = self._now_half.shape[::-1]
        cv2.resize(learned, half, dst=self._learned_half, interpolation=cv2.INTER_AREA)
        cv2.resize(now, half, dst=self._now_half, interpolation=cv2.INTER_AREA)
        for guess in self._guesses():
            move = self._near(learned, now, guess)
            if move is not None:
                return move
        return None

    def _guesses(self) -> list[Move]:
        """Where large blocks are now, the best correlation first."""
        width, height = self._now_half.shape[::-1]
        wide, high = round(width * FAR_BLOCK[0]), round(height * FAR_BLOCK[1])
        found: list[tuple[float, complex]] = []
        for across in FAR_AT:
            for down in FAR_AT:
                x, y = round(width * across), round(height * down)
                block = self._learned_half[y : y + high, x : x + wide]
                scores = cv2.matchTemplate(self._now_half, block, cv2.TM_CCOEFF_NORMED)
                _, score, _, (column, row) = cv2.minMaxLoc(scores)
                found.append((score, 2 * complex(column - x, row - y)))
        found.sort(key=lambda one: -one[0])
        return [Move(1 + 0j, shift) for _, shift in found[:FAR_GUESSES]]

    def undo(self, now: F32, move: Move, into: F32) -> None:
        """Lay the present picture onto the learned one, float32[H, W]."""
        warp, origin = self._warp, self._middle + move.shift - move.scale * self._middle
        warp[0, 0] = warp[1, 1] = move.scale.real
        warp[1, 0], warp[0, 1] = move.scale.imag, -move.scale.imag
        warp[0, 2], warp[1, 2] = origin.real, origin.imag
        cv2.warpAffine(
            now, warp, self._size, dst=into, borderMode=cv2.BORDER_REPLICATE,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )  # fmt: skip

    def _near(self, learned: F32, now: F32, guess: Move) -> Move | None:
        """Look around a guess, and again around what was found: more blocks are in reach then."""
        move = self._look(learned, now, guess)
        if move is None or abs(move.scale - guess.scale) * self._size[0] < 2 * REACH_PX:
            return move
        return self._look(learned, now, move) or move

    def _look(self, learned: F32, now: F32, guess: Move) -> Move | None:
        """Look for every block around where `guess` takes it."""
        were: list[complex] = []
        are: list[complex] = []
        half = complex((BLOCK_PX - 1) / 2, (BLOCK_PX - 1) / 2)
        tried = 0
        for x, y in self._corners:
            was = complex(x, y) + half - self._middle
            at = guess.scale * was + guess.shift + self._middle - half
            window = _window(at, self._size)
            if window is None:
                continue
            tried += 1
            left, top, right, bottom = window
            block = learned[y : y + BLOCK_PX, x : x + BLOCK_PX]
            scores = cv2.matchTemplate(now[top:bottom, left:right], block, cv2.TM_CCOEFF_NORMED)
            _, score, _, (column, row) = cv2.minMaxLoc(scores)
            place = _peak(scores, column, row)
            if place is not None and score >= LEAST_SCORE:
                found = place + complex(left, top)
                were.append(was)
                are.append(found + half - self._middle)
        if len(were) < max(LEAST_BLOCKS, tried * AGREE_SHARE / 2):
            return None
        return _vote(np.array(were), np.array(are))


def _window(at: complex, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Where to look for a block, cut to the picture; None where too little of it is left."""
    x, y = round(at.real), round(at.imag)
    left, top = max(x - REACH_PX, 0), max(y - REACH_PX, 0)
    right = min(x + REACH_PX + BLOCK_PX, size[0])
    bottom = min(y + REACH_PX + BLOCK_PX, size[1])
    if right - left <= BLOCK_PX or bottom - top <= BLOCK_PX:
        return None
    return left, top, right, bottom


def _peak(scores: npt.NDArray[np.float32], column: int, row: int) -> complex | None:
    """The place of a peak between pixels, by parabolas; None at the rim: it may lie beyond."""
    if not (0 < column < scores.shape[1] - 1 and 0 < row < scores.shape[0] - 1):
        return None
    x = column + _top(*scores[row, column - 1 : column + 2].tolist())
    return complex(x, row + _top(*scores[row - 1 : row + 2, column].tolist()))


def _top(before: float, peak: float, after: float) -> float:
    """Where a parabola through three values is highest, -0.5 to 0.5 from the middle one."""
    bend = before - 2 * peak + after
    return 0.5 * (before - after) / bend if bend < 0.0 else 0.0


def _vote(were: npt.NDArray[np.complex128], are: npt.NDArray[np.complex128]) -> Move | None:
    """The move that most blocks agree to, fitted to them; None where too few do.

    Args:
        were, are: complex128[N], places of the blocks, seen from the middle of the picture.
    """
    first, second = np.triu_indices(len(were), 1)
    apart = were[first] - were[second]
    wide = np.abs(apart) >= PAIR_PX
    first, second, apart = first[wide], second[wide], apart[wide]
    if not first.size:
        return None
    scale = (are[first] - are[second]) / apart
    shift = are[first] - scale * were[first]
    off = np.abs(scale[:, None] * were + shift[:, None] - are)
    best = off[int(np.minimum(off, AGREE_PX).sum(1).argmin())]
    agree = best < AGREE_PX
    if agree.sum() < max(LEAST_BLOCKS, AGREE_SHARE * len(were)):
        return None
    sharp = best <= max(float(np.median(best[agree])), SHARP_PX)
    agree = sharp if sharp.sum() >= LEAST_BLOCKS else agree
    move = _fit(were[agree], are[agree])
    fits = 1 / MOST_ZOOM <= move.zoom <= MOST_ZOOM and abs(move.turned_deg) <= MOST_TURN_DEG
    return move if fits else None


def _fit(were: npt.NDArray[np.complex128], are: npt.NDArray[np.complex128]) -> Move:
    """Least squares; in complex numbers it is one division."""
    before, after = were - were.mean(), are - are.mean()
    scale = complex((before.conj() * after).sum() / (before.conj() * before).sum())
    return Move(scale, complex(are.mean() - scale * were.mean()))
