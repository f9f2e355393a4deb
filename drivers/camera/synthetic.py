"""A drawn scene as a camera: needs no device, and every frame follows from seed and time."""

from __future__ import annotations

from dataclasses import dataclass, fields

from drivers.board import CameraConfig
from drivers.camera.opencv import size_text
from drivers.camera.pacing import Pacing, frame_time_ms, rehearse
from drivers.camera.synthetic_scene import SyntheticScene
from drivers.faults import CameraFault, EndOfStream
from drivers.interfaces import Clock, Frame


@dataclass(frozen=True)
class SceneOptions:
    """The `source` of a synthetic camera, such as "seed=3,people=2,frames=300".

    Attributes:
        seed: of everything random in the scene.
        people: how many walk in it.
        frames: end of the stream after so many; 0: endless.
        loop: 1: begin the scene again after `frames` instead of ending.
    """

    seed: int = 0
    people: int = 1
    frames: int = 0
    loop: int = 0


class SyntheticCamera:
    """Draws frame i at source time i * 1000 / fps, straight into the frame.

    Attributes:
        width_px: of the board file.
        height_px: of the board file.
        fps: of the board file.
        is_live: False.
    """

    is_live = False

    def __init__(self, config: CameraConfig, source: str, clock: Clock) -> None:
        self.width_px = config.width_px
        self.height_px = config.height_px
        self.fps = config.fps
        self._options = parse_options(source)
        options = self._options
        self._scene = SyntheticScene(
            self.width_px, self.height_px, seed=options.seed, people=options.people
        )
        self._pacing = Pacing()
        self._is_open = False

    def open(self) -> None:
        """Begin the scene; it is always ready."""
        self._pacing.begin(self.fps)
        self._is_open = True

    def grab(self, frame: Frame, now_ms: float) -> bool:
        """Draw the newest frame due at `now_ms` into `frame.pixels`, uint8[H, W, 3].

        Raises:
            CameraFault: reason "closed", or "size_changed" when `frame.pixels` has another size.
            EndOfStream: all `frames` were drawn.
        """
        if not self._is_open:
            raise CameraFault("closed", "the synthetic camera is not open")
        if frame.pixels.shape != (self.height_px, self.width_px, 3):
            size = f"{self.width_px}x{self.height_px}"
            raise CameraFault("size_changed", f"scene {size}, buffer {size_text(frame.pixels)}")
        index = self._bounded(self._pacing.due(now_ms))
        if index <= self._pacing.position:
            return False
        frames = self._options.frames
        scene_index = index % frames if frames else index
        self._scene.render(frame_time_ms(scene_index, self.fps), frame.pixels)
        self._pacing.stamp(frame, index, now_ms)
        return True

    def rehearse(self, frame: Frame) -> None:
        """See `Camera.rehearse`."""
        rehearse(self, self._pacing, frame)

    def close(self) -> None:
        """Stop. May be called twice."""
        self._is_open = False

    def _bounded(self, due: int) -> int:
        options = self._options
        if not options.frames or options.loop:
            return due
        last = options.frames - 1
        if due > last and self._pacing.position >= last:
            raise EndOfStream("synthetic")
        return min(due, last)


def parse_options(source: str) -> SceneOptions:
    """Read "key=number,..." into options.

    Raises:
        CameraFault: reason "bad_source", naming the key and what is allowed.
    """
    allowed = ", ".join(field.name for field in fields(SceneOptions))
    values: dict[str, int] = {}
    for item in filter(None, (part.strip() for part in source.split(","))):
        key, _, text = (part.strip() for part in item.partition("="))
        if key not in SceneOptions.__dataclass_fields__ or key in values:
            raise CameraFault("bad_source", f"camera.source: key {key!r}; each of {allowed} once")
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            detail = f"camera.source: {key}={text!r}; a whole number from 0 to 999999999"
            raise CameraFault("bad_source", detail)
        values[key] = int(text)
    return SceneOptions(**values)
