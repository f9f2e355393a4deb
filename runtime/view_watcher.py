"""Looks at the picture a few times a second, and fills the table of the view.

For LEARN_MS after the start, and after an operator has acknowledged that the camera was moved, the
scene is learned and nothing is said. From then on the scene follows the light slowly, where nobody
is, but never a move: the present picture is laid back onto it first.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from runtime.tables import Tracks, TrackState
from runtime.view import View
from runtime.view_noise import Noise
from runtime.view_picture import CELL_PX, U8, SmallPicture
from runtime.view_scene import Flags, Scene
from runtime.view_shift import AT_REST, Finder, Move

PERIOD_MS = 390.0
"""A look comes no sooner than this after the last: every fourth of ten pictures per second."""
LEARN_MS, LEARN_LOOKS = 3000.0, 6
"""The scene is learned for so long, and from at least so many looks."""
FOLLOW_LOOKS = 40
"""In one look of so many the scene follows, and the move is measured even if nothing is missed."""
LEAST_STRUCTURED = 0.08
"""Of all cells: with fewer there is no scene to know again, and nothing is seen."""
SEARCH_SHARE = 0.3
"""From so much missing on the scene is looked for elsewhere."""
SEARCH_FAR_SHARE, SEARCH_FAR_LOOKS = 0.5, 4
"""From so much missing on, in one look of so many, it is looked for far away."""
FOUND_SHARE = 0.45
"""The scene is where no more than this is missing."""
FOLLOW_SHARE, FOLLOW_SHIFT = 0.5, 0.1
"""With more missing, or further away, the scene does not follow."""
LAID_PX = 0.5
"""Pixels of the small picture: a smaller move is not worth laying back."""
DARK_LEVEL = 48.0
"""Grey level below which a cell in which nothing is seen is dark."""
OTHER_SHARE, OTHER_STRENGTH = 0.8, 0.25
"""So much missing, but with so much of the structure (mean square slope): another scene."""
MOST_OCCUPIED = 0.5
"""People in more of the picture than this are what covers it, and no longer left out."""
CONFIRMED = int(TrackState.CONFIRMED)


class Watcher:
    """One camera's view.

    Args:
        view: the table.
        width_px, height_px: of the source picture.
    """

    def __init__(self, view: View, width_px: int, height_px: int) -> None:
        self._view = view
        self._size_px = width_px, height_px
        self._picture = SmallPicture(width_px, height_px)
        self._scene = Scene(self._picture)
        self._noise = Noise(width_px, height_px)
        self._finder = Finder(self._picture.size)
        self._laid = np.zeros_like(self._picture.grey)
        shape = self._picture.shape
        self._free: Flags = np.ones(shape, np.bool_)
        self._votes: Flags = np.zeros(shape, np.bool_)
        self._dark: Flags = np.zeros(shape, np.bool_)
        self._places = _places(shape)
        self.relearn()

    def relearn(self) -> None:
        """Forget the scene: what the camera sees from now on is what it shall see."""
        self._view.clear()
        self._picture.forget()
        self._noise.relearn()
        self._move: Move = AT_REST
        self._looks = self._astray = 0
        self._began_ms = self._next_ms = -math.inf

    def rehearse(self) -> None:
        """Before the memory is sealed: do once all that a look may do."""
        width_px, height_px = self._size_px
        rows, columns = np.mgrid[:height_px, :width_px].astype(np.uint32)
        pixels = (rows * rows // 97 * columns // 13 & 255).astype(np.uint8)
        tracks = Tracks(1)
        for look in range(LEARN_LOOKS + 3):
            self.look(np.repeat(pixels[..., None], 3, 2), tracks, look * LEARN_MS)
            pixels = pixels[::-1]
        self._finder.find_far(self._scene.grey, self._picture.grey)
        self._follow()
        self.relearn()

    def look(self, pixels: U8, tracks: Tracks, t_ms: float) -> None:
        """Look at a picture when its time has come.

        Args:
            pixels: uint8[H, W, 3] BGR.
            tracks: where people are nothing is learned, and nothing is missed.
            t_ms: source time.
        """
        if t_ms < self._next_ms:
            return
        self._next_ms = t_ms + PERIOD_MS
        self._picture.look(pixels)
        self._leave_out(tracks)
        self._looks += 1
        if not self._view.learned:
            self._learn(t_ms)
            return
        due = self._looks % FOLLOW_LOOKS == 0
        self._compare()
        found = False
        if due or self._view.missing > SEARCH_SHARE:
            found = self._search()
        self._judge(pixels, found, t_ms)
        if due and (found or not self._finder.knows) and self._may_follow():
            self._follow()

    def _learn(self, t_ms: float) -> None:
        if self._looks == 1:
            self._began_ms = t_ms
            self._scene.start()
        self._scene.learn(self._free)
        if t_ms - self._began_ms >= LEARN_MS and self._looks >= LEARN_LOOKS:
            self._scene.settle(self._finder)
            self._looks = 0
            self._view.learned = True

    def _leave_out(self, tracks: Tracks) -> None:
        """Cells in which somebody is are not free."""
        free = self._free
        free.fill(True)
        across, down = free.shape[1] / self._size_px[0], free.shape[0] / self._size_px[1]
        for slot in tracks.live.tolist():
            if tracks.state.item(slot) != CONFIRMED:
                continue
            left, top, right, bottom = tracks.boxes[slot].tolist()
            rows = slice(max(int(top * down), 0), max(int(bottom * down) + 1, 0))
            free[rows, max(int(left * across), 0) : max(int(right * across) + 1, 0)] = False
        if np.count_nonzero(free) < (1 - MOST_OCCUPIED) * free.size:
            free.fill(True)

    def _compare(self) -> None:
        """Lay the picture on the scene, and count what of it is missing."""
        picture, scene, view, move = self._picture, self._scene, self._view, self._move
        grey = picture.grey
        if move.worst_px(picture.size) >= LAID_PX:
            self._finder.undo(grey, move, self._laid)
            grey = self._laid
        picture.measure(grey)
        scene.compare()
        votes, least = self._votes, LEAST_STRUCTURED * self._free.size
        if np.count_nonzero(scene.structured) < least:
            view.missing = 1.0
            return
        np.logical_and(scene.structured, self._free, out=votes)
        if grey is self._laid:
            votes &= self._in_view(move)
        count = np.count_nonzero(votes)
        if count >= least:
            votes &= scene.seen
            view.missing = 1.0 - np.count_nonzero(votes) / count

    def _in_view(self, move: Move) -> Flags:
        """Cells of the scene that the camera can still see, bool[rows, columns]."""
        at = move.scale * self._places + move.shift
        width, height = self._picture.size
        return (abs(at.real) < (width - CELL_PX) / 2) & (abs(at.imag) < (height - CELL_PX) / 2)

    def _search(self) -> bool:
        """Look for the scene where it may have gone; what is missing is counted again."""
        finder, learned, now = self._finder, self._scene.grey, self._picture.grey
        if self._fits(finder.find(learned, now, self._move)):
            return True
        if self._view.missing <= SEARCH_FAR_SHARE:
            return False
        self._astray += 1
        is_due = self._astray % SEARCH_FAR_LOOKS == 2
        return is_due and self._fits(finder.find_far(learned, now))

    def _fits(self, move: Move | None) -> bool:
        """The scene is seen there: take over the move, else all stays as it is."""
        if move is None:
            return False
        before, missing = self._move, self._view.missing
        self._move = move
        self._compare()
        if self._view.missing <= FOUND_SHARE:
            self._astray = 0
            return True
        self._move, self._view.missing = before, missing
        return False

    def _judge(self, pixels: U8, found: bool, t_ms: float) -> None:
        """Fill the rest of the table."""
        view, picture, scene, move = self._view, self._picture, self._scene, self._move
        view.level = float(picture.level.mean())
        np.less(picture.level, DARK_LEVEL, out=self._dark)
        np.greater(self._dark, scene.seen, out=self._dark)
        view.dark = np.count_nonzero(self._dark) / self._dark.size
        view.other_scene = not found and view.missing >= OTHER_SHARE and self._shows_other()
        view.shift = move.worst_px(picture.size) / picture.size[0]
        across, down = picture.scale
        view.shift_px = round(move.shift.real * across), round(move.shift.imag * down)
        view.turned_deg, view.zoom = move.turned_deg, move.zoom
        noise = self._noise
        noise.look(pixels, view.level, t_ms)
        view.frozen, view.noise, view.noise_floor = noise.frozen, noise.busiest, noise.floor

    def _shows_other(self) -> bool:
        """The picture has as much structure as the scene has, or nearly."""
        if np.count_nonzero(self._scene.structured) < LEAST_STRUCTURED * self._free.size:
            return False
        there, learned = float(self._picture.strength.mean()), float(self._scene.strength.mean())
        return there >= OTHER_STRENGTH * learned

    def _may_follow(self) -> bool:
        view = self._view
        return view.missing < FOLLOW_SHARE and view.shift <= FOLLOW_SHIFT and not view.frozen

    def _follow(self) -> None:
        """The scene follows the light."""
        self._finder.undo(self._picture.grey, self._move, self._laid)
        self._scene.follow(self._laid, self._free)
        self._scene.settle(self._finder)


def _places(shape: tuple[int, int]) -> npt.NDArray[np.complex128]:
    """complex128[rows, columns]: middles of the cells, seen from the middle of the picture."""
    rows, columns = shape
    x = (np.arange(columns) - (columns - 1) / 2) * CELL_PX
    y = (np.arange(rows) - (rows - 1) / 2) * CELL_PX
    return x[None, :] + 1j * y[:, None]
