"""From the undistorted buffer to the picture that the sensor takes: lens, sway, in one step."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from sim.render.camera import F64, Camera
from sim.render.jit import entry
from sim.render.sway import SWAY_DEG, small_turn
from sim.render.tables import U8

PAD_PX = 3
"""Beyond the outermost pixel that is ever looked up: room for interpolation."""
EDGE_STEPS = 12
"""A rectangle's edges are followed through the lens in so many steps."""


@entry
def fill_maps(ideal_x, ideal_y, back, lens, map_x, map_y):  # type: ignore[no-untyped-def]
    """Where each pixel of the picture lies in the buffer.

    Args:
        ideal_x, ideal_y: float32[H, W], undistorted coordinates of the pixels.
        back: float32[3, 3], from the camera of this moment to the buffer's axes.
        lens: float32[3], focal length and centre of the buffer.
        map_x, map_y: float32[H, W], written, in cv2's convention (0 is the first pixel's middle).
    """
    f, cx, cy = lens[0], lens[1] - np.float32(0.5), lens[2] - np.float32(0.5)
    for row in range(ideal_x.shape[0]):
        for column in range(ideal_x.shape[1]):
            x, y = ideal_x[row, column], ideal_y[row, column]
            z = f / (back[2, 0] * x + back[2, 1] * y + back[2, 2])
            map_x[row, column] = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) * z + cx
            map_y[row, column] = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) * z + cy


@entry
def forward_bounds(bounds, lens, k1, k2, widest, camera, width, height):  # type: ignore[no-untyped-def]
    """int64[4]: the rectangle of the picture that holds a rectangle of the buffer, for certain.

    Args:
        lens, camera: float64[3]: focal length and centre of the buffer and of the picture.
    """
    low_x, low_y, high_x, high_y = 1e9, 1e9, -1e9, -1e9
    for k in range(EDGE_STEPS + 1):
        across = bounds[0] + (bounds[2] - bounds[0]) * k / EDGE_STEPS
        down = bounds[1] + (bounds[3] - bounds[1]) * k / EDGE_STEPS
        for side in range(4):
            x, y = across, float(bounds[1] if side == 0 else bounds[3])
            if side >= 2:
                x, y = float(bounds[0] if side == 2 else bounds[2]), down
            x, y = (x - lens[1]) / lens[0], (y - lens[2]) / lens[0]
            square = min(x * x + y * y, widest * widest)
            scale = (1 + k1 * square + k2 * square * square) * camera[0]
            low_x, high_x = min(low_x, x * scale), max(high_x, x * scale)
            low_y, high_y = min(low_y, y * scale), max(high_y, y * scale)
    found = np.empty(4, np.int64)
    found[0] = min(max(np.floor(low_x + camera[1]) - 3, 0), width)
    found[1] = min(max(np.floor(low_y + camera[2]) - 3, 0), height)
    found[2] = min(max(np.ceil(high_x + camera[1]) + 3, found[0]), width)
    found[3] = min(max(np.ceil(high_y + camera[2]) + 3, found[1]), height)
    return found


class Distorter:
    """The buffer's size, and the way from it to the picture.

    Attributes:
        width_px, height_px: of the buffer: the picture, what distortion adds, and all sway.
        lens: (focal length, centre x, centre y) of the buffer, in pixels.
    """

    def __init__(self, camera: Camera, wind: float) -> None:
        self.camera = camera
        shape = (camera.height_px, camera.width_px)
        y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
        ideal = camera.undistort(np.stack([x.ravel(), y.ravel()], axis=1))
        self.ideal_x = ideal[:, 0].reshape(shape).astype(np.float32)
        self.ideal_y = ideal[:, 1].reshape(shape).astype(np.float32)
        low, high = _reach(camera, wind)
        f = camera.focal_px
        self.width_px = int(np.ceil((high[0] - low[0]) * f)) + 2 * PAD_PX
        self.height_px = int(np.ceil((high[1] - low[1]) * f)) + 2 * PAD_PX
        self.lens = (f, PAD_PX - low[0] * f, PAD_PX - low[1] * f)
        self._lens32 = np.array(self.lens, np.float32)
        self._map_x, self._map_y = np.empty(shape, np.float32), np.empty(shape, np.float32)
        self._still_maps = (np.empty(shape, np.float32), np.empty(shape, np.float32))
        fill_maps(self.ideal_x, self.ideal_y, np.eye(3, dtype=np.float32), self._lens32,
                  *self._still_maps)  # fmt: skip

    def whole(self, buffer: U8, sway: F64, picture: U8) -> None:
        """Takes the whole picture while the mast sways.

        Args:
            buffer: uint8[height_px, width_px, 3].
            sway: float64[3, 3], from the buffer's axes to the camera's of this moment.
            picture: uint8[H, W, 3], written.
        """
        back = np.ascontiguousarray(sway.T, np.float32)
        fill_maps(self.ideal_x, self.ideal_y, back, self._lens32, self._map_x, self._map_y)
        cv2.remap(buffer, self._map_x, self._map_y, cv2.INTER_LINEAR, picture)

    def part(self, buffer: U8, bounds: tuple[int, int, int, int], picture: U8) -> None:
        """Takes one rectangle x1, y1, x2, y2 of the picture, without sway."""
        x1, y1, x2, y2 = bounds
        if x2 > x1 and y2 > y1:
            map_x, map_y = (m[y1:y2, x1:x2] for m in self._still_maps)
            picture[y1:y2, x1:x2] = cv2.remap(buffer, map_x, map_y, cv2.INTER_LINEAR)

    def forward(self, bounds: np.ndarray) -> tuple[int, int, int, int]:
        """The rectangle of the picture that holds a rectangle int64[4] of the buffer."""
        camera = self.camera
        found = forward_bounds(
            bounds, np.array(self.lens), camera.config.k1, camera.config.k2, camera.widest,
            np.array([camera.focal_px, *camera.centre_px]), camera.width_px, camera.height_px,
        )  # fmt: skip
        return int(found[0]), int(found[1]), int(found[2]), int(found[3])


def _reach(camera: Camera, wind: float) -> tuple[F64, F64]:
    """The least and greatest undistorted coordinates that any sway brings into the picture."""
    width, height = camera.width_px, camera.height_px
    share = np.linspace(0, 1, 33)
    across, down, none = share * width, share * height, np.zeros(33)
    edge = np.concatenate([
        np.stack([across, none], 1), np.stack([across, none + height], 1),
        np.stack([none, down], 1), np.stack([none + width, down], 1),
    ])  # fmt: skip
    ideal = camera.undistort(edge.astype(np.float64))
    rays = np.column_stack([ideal, np.ones(len(ideal))])
    reached = []
    for signs in itertools.product((-1, 0, 1), repeat=3):
        angles = [sign * limit * wind for sign, limit in zip(signs, SWAY_DEG, strict=True)]
        turned = rays @ small_turn(*angles)
        reached.append(turned[:, :2] / turned[:, 2:])
    points = np.concatenate(reached)
    return points.min(0), points.max(0)
