"""Our whole loop through the real boot, with frames from memory and a network that is timed.

Everything is on: rules, alarms, journal on a real file, health, stale check, seal and watchdog.
The time of a frame is from one question to the camera to the next one, so nothing is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from drivers.board import load_board
from drivers.interfaces import U8, Frame, Npu, Session
from drivers.npu.tensors import DescribedSession
from runtime import boot, plugins
from runtime.site_check import load_site
from tests.bench.scenes import FPS, HEIGHT_PX, WIDTH_PX, there_and_back
from tests.bench.timing import Samples, TimedInvoke, clock_ns

ROOT = Path(__file__).resolve().parents[2]
BOARD = ROOT / "board_configs" / "sim.toml"
SITE = Path(__file__).parent / "site.toml"

Factory = Callable[..., Any]


class MemoryCamera:
    """Hands out frames that were decoded before. Implements `Camera`."""

    width_px, height_px, fps, is_live = WIDTH_PX, HEIGHT_PX, FPS, False

    def __init__(self, frames: list[U8]) -> None:
        self._frames = frames
        self._order: Iterator[int] = there_and_back(len(frames))
        self.on_grab: Callable[[], None] | None = None

    def open(self) -> None:
        """Nothing to open."""

    def grab(self, frame: Frame, now_ms: float) -> bool:
        """The next picture, without a copy."""
        if self.on_grab is not None:
            self.on_grab()
        frame.pixels = self._frames[next(self._order)]
        frame.frame_id += 1
        frame.t_ms = frame.frame_id * 1000 / FPS
        frame.captured_ms = now_ms
        return True

    def rehearse(self, frame: Frame) -> None:
        """Nothing is allocated later."""

    def close(self) -> None:
        """Nothing to close."""


class TimedNpu:
    """Loads with another back end; the sessions remember how long a call took."""

    def __init__(self, npu: Npu) -> None:
        self._npu = npu
        self.target = npu.target
        self.invoke = TimedInvoke(lambda: None)

    def load(self, path: str) -> Session:
        """Load, and time every call from now on."""
        session = self._npu.load(path)
        self.invoke = TimedInvoke(session.invoke)
        return TimedSession(session, self.invoke)


class TimedSession:
    """Another session with a timed call. Implements `DescribedSession`."""

    def __init__(self, session: Session, invoke: TimedInvoke) -> None:
        self.inputs, self.outputs = session.inputs, session.outputs
        described = isinstance(session, DescribedSession)
        self.input_details = session.input_details if described else ()
        self.output_details = session.output_details if described else ()
        self.invoke: Callable[[], None] = invoke
        self.close = session.close


class Ours:
    """The booted camera. Implements `Candidate`."""

    def __init__(
        self, package: Path, frames: list[U8], npu: Npu, folder: Path, stack: ExitStack
    ) -> None:
        """Boot and seal.

        Args:
            package: folder of the detector.
            frames: what the camera sees.
            npu: the back end, or a stand-in.
            folder: for the journal.
            stack: takes the camera apart in the end.
        """
        made: list[MemoryCamera] = []
        self._npu = TimedNpu(npu)

        def camera(*_: object) -> MemoryCamera:
            made.append(MemoryCamera(frames))
            return made[-1]

        _replace({"camera": camera, "npu": lambda *_: self._npu})
        options = boot.Options(
            site_file=str(SITE), model=str(package), fast=True, journal=str(folder / "journal.ring")
        )
        machine = boot.boot(load_board(BOARD), load_site(SITE), options)
        self.machine = stack.enter_context(machine)
        self._camera = made[0]
        self._samples: Samples | None = None
        self._wall_ns = self._began_ns = 0

    def play(self, frames: int, samples: Samples) -> None:
        """Run the loop; one frame more than is counted, as the last one's end is not seen."""
        self._samples, self._began_ns = samples, 0
        self._camera.on_grab = self._on_grab
        self.machine.loop.run(self.machine.metrics.frames + frames + 1)
        self._camera.on_grab = None

    def _on_grab(self) -> None:
        """The loop asks for a picture: the frame before is over, the next one begins."""
        now_ns = clock_ns()
        if self._began_ns and self._samples is not None:
            people = self.machine.context.tracks.live.size
            wall_ns = time.perf_counter_ns() - self._wall_ns
            self._samples.add(now_ns - self._began_ns, self._npu.invoke.last_ns, wall_ns, people)
        self._wall_ns, self._began_ns = time.perf_counter_ns(), clock_ns()

    def floor_ns(self) -> int:
        """One bare call of the network."""
        self._npu.invoke()
        return self._npu.invoke.last_ns


def _replace(factories: dict[str, Factory]) -> None:
    """Let the boot find these drivers instead of the board's."""
    find = plugins.driver

    def driver(kind: str, name: str) -> Factory:
        return factories[kind] if kind in factories else find(kind, name)

    plugins.driver = driver


def tflite() -> Npu:
    """The back end as the board file configures it."""
    from drivers.npu.tflite import TfliteNpu

    return TfliteNpu(load_board(BOARD).npu)
