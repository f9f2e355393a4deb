"""How sharp a picture is, in pixels: how wide its sharpest edges are.

Of any scene that has edges, whatever their contrast: the rise of an edge over its steepest slope.
A Gaussian blur of s pixels makes 2.5 s of a step. After the edge response of ISO 12233:2017, on
whatever edges there are instead of a slanted one on a chart.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from drivers.interfaces import U8

F32 = npt.NDArray[np.float32]
REACH_PX: Final = 14
"""An edge is followed so far to both sides."""
STEEP: Final = 5.0
"""Levels per pixel; less is noise, or no edge."""
CONTRAST: Final = 40.0
"""Levels from one side to the other."""
MOST_EDGES: Final = 300
LEAST_EDGES: Final = 20


class Edges(NamedTuple):
    """The sharpest edges of a picture.

    Attributes:
        width_px: in the middle of them; infinite where there are too few.
        found: how many were found, at most MOST_EDGES.
    """

    width_px: float
    found: int


def sharpest_edges(pixels: U8) -> Edges:
    """Measure a picture.

    Args:
        pixels: uint8[H, W, 3] BGR.
    """
    grey = np.asarray(cv2.blur(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), (1, 3)), np.float32)
    steps = np.diff(grey, axis=1)
    height = np.abs(steps)
    inside = np.zeros(steps.shape, np.bool_)
    inside[:, REACH_PX:-REACH_PX] = True
    peak = inside & (height >= STEEP)
    peak[:, 1:-1] &= (height[:, 1:-1] >= height[:, :-2]) & (height[:, 1:-1] > height[:, 2:])
    rows, columns = np.nonzero(peak)
    if not rows.size:
        return Edges(np.inf, 0)
    window = columns[:, None] + np.arange(-REACH_PX, REACH_PX + 1)
    along = steps[rows[:, None], window] * np.sign(steps[rows, columns])[:, None]
    rise = _rise(along)
    slope = height[rows, columns]
    good = rise >= CONTRAST
    widths = (rise[good] / slope[good])[np.argsort(slope[good])[::-1][:MOST_EDGES]]
    if widths.size < LEAST_EDGES:
        return Edges(np.inf, int(widths.size))
    return Edges(float(np.median(widths)), int(widths.size))


def _rise(along: F32) -> F32:
    """Levels from foot to top of each edge: from its middle outwards for as long as it rises."""
    rising = along > 0.5
    right = np.logical_and.accumulate(rising[:, REACH_PX:], axis=1)
    left = np.logical_and.accumulate(rising[:, REACH_PX::-1], axis=1)
    sums = (along[:, REACH_PX:] * right).sum(axis=1) + (along[:, REACH_PX::-1] * left).sum(axis=1)
    return np.asarray(sums - along[:, REACH_PX])
