"""A network beside the detector: it is timed, its outputs are checked, and it is kept awake.

A skeleton or action network runs only when there is somebody to look at. One that broke while
nobody was there would show when somebody falls; so it is run every now and then in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.faults import NpuFault
from drivers.interfaces import U8, Session
from drivers.npu.stale import StaleCheck
from models.skeleton import SkeletonNetwork
from runtime.context import Context
from runtime.metrics import Metrics

AWAKE_MS = 400.0
"""A network that has not run for this long is run on anything."""
LEAST_SEEN = 4.5
"""Sum of the visibilities of a skeleton's 17 joints; less is a chair, a curtain, a blanket."""
TILE_PX = 16


class WatchedSession:
    """A session whose inferences are timed and checked for old outputs. Implements `Session`.

    Attributes:
        now_ms: injected clock of this tick, for the check.
        spent_ns: time of bare inferences since it was last set to 0.
    """

    def __init__(self, session: Session, checked: bool) -> None:
        """Wrap a session; closing it is its owner's.

        Args:
            session: as loaded.
            checked: compare its outputs, as the board file says.
        """
        self.inputs: Sequence[npt.NDArray[Any]] = session.inputs
        self.outputs: Sequence[npt.NDArray[Any]] = session.outputs
        self.now_ms = 0.0
        self.spent_ns = 0
        self._session = session
        self._stale = StaleCheck(session) if checked else None

    def invoke(self) -> None:
        """Run the network once. Raises NpuFault, also "stale_output"."""
        began_ns = perf_counter_ns()
        self._session.invoke()
        self.spent_ns += perf_counter_ns() - began_ns
        if self._stale is not None:
            self._stale.check(self.now_ms)

    def close(self) -> None:
        """Nothing: the wrapped session is closed by its owner."""


class Liveness:
    """Whether one network still answers; a fault is the camera's until it answers again.

    Args:
        session: of the network.
        metrics: counts its errors.
    """

    def __init__(self, session: WatchedSession, metrics: Metrics) -> None:
        self._session = session
        self._metrics = metrics
        self._ran_ms: float | None = None
        self._failing = False

    def begin(self, context: Context) -> None:
        """Start a tick."""
        self._session.now_ms = context.now_ms
        self._session.spent_ns = 0

    def is_due(self, now_ms: float) -> bool:
        """It has to be run now, although there is nobody to look at."""
        return self._failing or self._ran_ms is None or now_ms - self._ran_ms >= AWAKE_MS

    def ran(self, context: Context) -> None:
        """It has answered."""
        self._ran_ms, self._failing = context.now_ms, False
        context.invoke_ns += self._session.spent_ns

    def failed(self, context: Context, fault: NpuFault) -> NpuFault:
        """It has not: this tick is no sign of life of the camera, as with a failing detector."""
        self._failing = context.doubtful = True
        self._metrics.npu_errors += 1
        return fault


def knows_absence(network: SkeletonNetwork, size: tuple[int, int]) -> bool:
    """Whether a skeleton network finds nobody in grey, in a ramp and in tiles of random colour.

    Args:
        network: loaded.
        size: width and height of the pictures, pixels.

    Raises:
        NpuFault: it failed.
    """
    width, height = size
    joints = np.zeros((17, 3), np.float32)
    box = np.array([0, 0, width, height], np.float32)
    for pixels in _empty_pictures(width, height):
        network.look(pixels, box, joints)
        if joints[:, 2].sum() >= LEAST_SEEN:
            return False
    return True


def _empty_pictures(width: int, height: int) -> list[U8]:
    """Three pictures of nothing: uint8[height, width, 3]."""
    grey = np.full((height, width, 3), 114, np.uint8)
    ramp, tiles = grey.copy(), grey.copy()
    ramp[:] = np.linspace(0, 255, width).astype(np.uint8)[None, :, None]
    y, x, c = np.ogrid[:height, :width, :3]
    mixed = ((y // TILE_PX * 131 + x // TILE_PX) * 3 + c) * 2654435761
    tiles[:] = (mixed >> 13) & 255
    return [grey, ramp, tiles]
