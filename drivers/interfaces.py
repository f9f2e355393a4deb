"""What hardware is to the floors above: one Protocol per kind of device, and the Frame.

Nobody above this floor imports a concrete driver. The board file names drivers and `runtime.boot`
finds them through the entry-point group `haetae.drivers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]


class Frame:
    """One picture in a buffer that is filled again and again. It never leaves the process.

    Attributes:
        pixels: uint8[H, W, 3] BGR; the array object may be exchanged by a camera that owns buffers.
        frame_id: fresh for each new picture, increasing; a gap means frames were dropped.
            -1: none yet.
        t_ms: source time of the picture, ms since the source began.
        captured_ms: monotonic time at which the picture was taken over, ms.
    """

    __slots__ = ("captured_ms", "frame_id", "pixels", "t_ms")

    def __init__(self, width_px: int, height_px: int) -> None:
        self.pixels: U8 = np.full((height_px, width_px, 3), 0, np.uint8)
        self.frame_id = -1
        self.t_ms = 0.0
        self.captured_ms = 0.0


@runtime_checkable
class Clock(Protocol):
    """Monotonic time, injected everywhere; wall time only labels records."""

    def now_ms(self) -> float:
        """Monotonic time in ms since an arbitrary start."""
        ...

    def wall_ms(self) -> int:
        """Wall time in ms since 1970, for labels only: it may jump."""
        ...

    def sleep_until_ms(self, deadline_ms: float) -> None:
        """Wait until `now_ms() >= deadline_ms`; returns at once when it has passed."""
        ...


@runtime_checkable
class Camera(Protocol):
    """A source of frames.

    `open` may be called again after a fault. `grab` never blocks longer than a frame period.
    """

    width_px: int
    height_px: int
    fps: float
    is_live: bool
    """True when pictures come in their own time (stream, sensor): skipping time is impossible."""

    def open(self) -> None:
        """Make the source ready; sets width_px, height_px and fps.

        Raises:
            CameraFault: it cannot be opened; `reason` and `detail` say why.
        """
        ...

    def grab(self, frame: Frame, now_ms: float) -> bool:
        """Fill `frame` with the newest picture due at `now_ms` (ms of the injected clock).

        Returns:
            True when `frame` holds a picture not handed out before, False when there is none.

        Raises:
            CameraFault: the device failed; call `close`, then `open` to try again.
            EndOfStream: a finite source is exhausted.
        """
        ...

    def rehearse(self, frame: Frame) -> None:
        """Before the memory is sealed: take pictures as in operation, then start over.

        What a decoder allocates as it meets it is allocated afterwards. An open camera is open
        again, with its first picture still to come; a live one has nothing to do.

        Raises:
            CameraFault: it cannot be opened again.
        """
        ...

    def close(self) -> None:
        """Release the device. Never blocks on a hung reader; may be called twice."""
        ...


@runtime_checkable
class Session(Protocol):
    """One loaded network with its tensors at fixed addresses.

    Attributes:
        inputs: one writable array per input tensor, e.g. uint8[1, 256, 320, 3].
        outputs: one array per output tensor, valid after `invoke` until the next one.
    """

    inputs: Sequence[npt.NDArray[Any]]
    outputs: Sequence[npt.NDArray[Any]]

    def invoke(self) -> None:
        """Run the network once on `inputs`, in place.

        Raises:
            NpuFault: it failed, did not finish by its deadline, or the outputs are stale.
        """
        ...

    def close(self) -> None:
        """Free the network. May be called twice."""
        ...


@runtime_checkable
class Npu(Protocol):
    """A back end that loads model files."""

    target: str
    """The target name in a model package that this back end takes: "tflite", "rk3588", ..."""

    def load(self, path: str) -> Session:
        """Load a model file and allocate all its memory.

        Raises:
            ModelRefused: junk, truncated, or with operators this back end does not have.
            NpuFault: the device itself failed.
        """
        ...


@runtime_checkable
class Output(Protocol):
    """A two-level output: siren, strobe, fault relay.

    Attributes:
        name: from the board file.
        level: last level set; True = energised.
    """

    name: str
    level: bool

    def set(self, level: bool, now_ms: float) -> None:
        """Drive the output.

        Raises:
            OutputFault: the device refused, or the read-back differs.
        """
        ...

    def release(self, now_ms: float) -> None:
        """Put the output to the level stated for release. May be called twice."""
        ...


@runtime_checkable
class Checked(Protocol):
    """An output that can say between edges that its level is no longer what was set."""

    def check(self, now_ms: float) -> None:
        """Look; never waits.

        Raises:
            OutputFault: it has not the level set last, or nobody can tell.
        """
        ...


@runtime_checkable
class Input(Protocol):
    """A push button.

    Attributes:
        name: from the board file.
    """

    name: str

    def pressed(self, now_ms: float) -> bool:
        """True while it is pressed, and once for a press that came and went since the last call.

        Raises:
            InputFault: the device cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of the line. May be called twice."""
        ...


@runtime_checkable
class DeadMan(Protocol):
    """Lets outputs fall by themselves when the loop is silent."""

    def guard(self, config: Any, make: Callable[..., Output], clock: Clock) -> Output:
        """Make an output that falls to its level on release when no beat has come in time.

        Args:
            config: the output's part of the board file.
            make: the driver that the board file names; called with `config` and a clock.
            clock: injected time.

        Raises:
            OutputFault: it cannot be made.
        """
        ...

    def beat(self, now_ms: float) -> None:
        """The loop is alive. Guarded outputs that fell take their last level again.

        Raises:
            OutputFault: nobody guards them any more; they have fallen.
        """
        ...

    def close(self) -> None:
        """A planned end: guarded outputs have been released. May be called twice."""
        ...


@runtime_checkable
class Watchdog(Protocol):
    """Resets the board unless fed in time."""

    def feed(self, now_ms: float) -> None:
        """Feed it; call only after every stage of a frame has checked in.

        Raises:
            WatchdogFault: the device does not take it.
        """
        ...

    def disarm(self) -> None:
        """Stop it before a planned exit (the magic close)."""
        ...


@runtime_checkable
class Storage(Protocol):
    """A fixed-size block of flash with explicit sync; atomic only per `atomic_unit_bytes`."""

    size_bytes: int
    atomic_unit_bytes: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Read. Raises StorageFault."""
        ...

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write; durable only after `sync`. Raises StorageFault ("full", "io", "read_only")."""
        ...

    def sync(self) -> None:
        """Make all writes durable (fdatasync). Raises StorageFault."""
        ...

    def close(self) -> None:
        """Close. May be called twice."""
        ...


@runtime_checkable
class Serial(Protocol):
    """One end of a serial cable. Nothing blocks: bytes that do not fit or have not come are later.

    What arrives may be damaged, cut short or never come; framing and checks are the caller's.
    """

    def read(self, max_bytes: int) -> bytes:
        """Bytes that have arrived, at most so many; empty when there are none."""
        ...

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Hand over bytes to send; returns how many were taken, from the beginning."""
        ...

    def close(self) -> None:
        """Close. May be called twice."""
        ...


@runtime_checkable
class Worker(Protocol):
    """Works beside the loop: on links, on flash, on what takes longer than a frame."""

    @property
    def is_alive(self) -> bool:
        """It has been started and has not ended."""
        ...

    def start(self, step: Callable[[float], bool]) -> None:
        """Begin to call `step(now_ms)` again and again; True means that there is more to do."""
        ...

    def close(self) -> None:
        """End. May be called twice."""
        ...
