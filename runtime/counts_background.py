"""The background of the heat map: the learned empty room, anonymised, renewed now and then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from msgspec.structs import replace

from drivers.interfaces import Frame
from models.tables import Detections
from runtime.context import Context
from runtime.export import StillFile
from runtime.privacy import Anonymiser
from runtime.site_privacy import PrivacyConfig
from runtime.tables import Tracks

RETRY_MS = 5_000.0
"""Until the room is known, and after a refused write."""
SOON_MS, HOUR_MS = 600_000.0, 3_600_000.0
"""The second picture comes early: more of the room is known by then."""
LOOK_MS, MOST_LOOKS = 250, 100
"""In the rehearsal: the room of a picture that never changes is known after a few looks."""


class RefreshBackground:
    """The stage: hands the empty room to a sink, once it is known and then every hour.

    Args:
        anonymiser: whose room it is; another stage teaches it.
        sink: takes the picture.
        headroom: lifts the memory limit while the picture is coded.
    """

    def __init__(
        self,
        anonymiser: Anonymiser,
        sink: StillFile,
        headroom: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._anonymiser = anonymiser
        self._sink = sink
        self._headroom = headroom
        self._due_ms = 0.0
        self._written = 0

    def __call__(self, context: Context) -> None:
        """Write when it is due. Raises StorageFault; the next try is then some seconds away."""
        t_ms = context.t_ms
        if t_ms < self._due_ms:
            return
        self._due_ms = t_ms + RETRY_MS
        with self._headroom():
            scene = self._anonymiser.empty_scene()
            if scene is None:
                return
            self._sink.write(scene, t_ms)
        self._written += 1
        self._due_ms = t_ms + (SOON_MS if self._written == 1 else HOUR_MS)


def rehearse(frame: Frame, config: PrivacyConfig, sink: StillFile) -> None:
    """Before the memory is sealed: learn a room and code its picture, on objects thrown away.

    Args:
        frame: any picture of the camera's size, full of detail.
        config: `[privacy]` of the site.
        sink: writes nothing here.
    """
    height_px, width_px = frame.pixels.shape[:2]
    quick = replace(config, learn_ms=LOOK_MS)
    anonymiser, nobody, tracks = Anonymiser(width_px, height_px, quick), Detections(1), Tracks(1)
    for look in range(MOST_LOOKS):
        anonymiser.learn(frame, nobody, tracks, float(look * LOOK_MS))
        scene = anonymiser.empty_scene()
        if scene is not None:
            sink.rehearse(scene)
            return
