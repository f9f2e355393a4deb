"""Listens to a run: the grid of each picture, and what the network was asked and answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from drivers.interfaces import U8, Npu, Session
from drivers.npu.stale import SAMPLES
from runtime.health import SAMPLE_COLUMNS, SAMPLE_ROWS
from runtime.machine import Machine
from sim.replay.did import Log
from sim.replay.recording import Key, Model, Network, Recording, Rows, Tensor
from sim.scenario.result import Result
from sim.scenario.tap import Tap
from sim.scenario.world import SceneWorld

Array = npt.NDArray[Any]
WARM_MS = -1.0
"""Time of the outputs that the warm-up leaves: a network that is stale at once shows them."""


def grid_of(pixels: U8) -> U8:
    """The samples that the health check looks at: uint8[rows, columns, 3], a view."""
    height, width = pixels.shape[:2]
    return pixels[:: max(1, height // SAMPLE_ROWS), :: max(1, width // SAMPLE_COLUMNS)]


def samples_of(tensor: Array) -> Array:
    """The values of the network's input that the stale check looks at, a view."""
    flat = tensor.reshape(-1)
    return flat[:: max(1, flat.size // SAMPLES) | 1]


class Now:
    """Which boot it is and what time; nothing before its loop runs."""

    def __init__(self) -> None:
        self._boot = 0
        self._machine: Machine | None = None
        self._loaded = {"asked": 0, "answered": 0}

    def at(self) -> tuple[int, float] | None:
        """Boot and ms of the clock; None while the board boots."""
        if self._machine is None:
            return None
        return self._boot, self._machine.clock.now_ms()

    def booting(self) -> None:
        """A device for a boot is asked for."""
        if self._machine is not None:
            self._machine = None
            self._loaded = dict.fromkeys(self._loaded, 0)

    def booted(self, machine: Machine, boot: int) -> None:
        """Its loop is about to run."""
        self._machine, self._boot = machine, boot

    def loads(self, side: str) -> int:
        """The number of the network that is loaded now, in this boot."""
        self._loaded[side] += 1
        return self._loaded[side] - 1


class Calls:
    """Numbers the calls of one network by boot, time, and which one of that moment."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._last: tuple[int, float] | None = None
        self._nth = 0

    def key(self) -> Key | None:
        """Of the call that is made now; None while the board boots."""
        at = self._now.at()
        if at is None:
            return None
        self._nth = self._nth + 1 if at == self._last else 0
        self._last = at
        return *at, self._nth


@dataclass
class Kept:
    """What one network was asked and has answered."""

    input: Tensor
    outputs: list[Tensor] = field(default_factory=list)
    samples: dict[Key, bytes] = field(default_factory=dict)
    tensors: dict[Key, bytes] = field(default_factory=dict)
    width: int = 1
    live: Sequence[Array] = ()

    def answer(self) -> bytes:
        """All outputs as they are now."""
        return b"".join(output.tobytes() for output in self.live)

    def network(self) -> Network:
        """As it is kept."""
        size = sum(tensor.size for tensor in self.outputs)
        samples, tensors = Rows.of(self.samples, self.width), Rows.of(self.tensors, size)
        return Network(self.input, samples, self.outputs, tensors)


class WrappedNpu:
    """An Npu whose sessions get another `invoke`. Implements `Npu`."""

    def __init__(self, npu: Npu, wrap: Callable[[Session], Callable[[], None]]) -> None:
        self.target = npu.target
        self._npu = npu
        self._wrap = wrap

    def load(self, path: str) -> Session:
        """Load a model file. Raises ModelRefused, NpuFault."""
        session = self._npu.load(path)
        session.invoke = self._wrap(session)  # type: ignore[method-assign]
        return session


class RecordTap(Tap):
    """Keeps what goes in and out."""

    def __init__(self) -> None:
        self._now = Now()
        self._log = Log()
        self._grids: dict[Key, bytes] = {}
        self._grid_shape = (0, 0)
        self._networks: list[Kept] = []

    def world(self, made: SceneWorld) -> SceneWorld:
        """The same world, listened to."""
        render = made.render

        def listened(t_ms: float, pixels: U8) -> None:
            render(t_ms, pixels)
            grid = grid_of(pixels)
            self._grid_shape = cast(tuple[int, int], grid.shape[:2])
            self._grids[0, t_ms, 0] = grid.tobytes()

        made.render = listened  # type: ignore[method-assign]
        return made

    def back_end(self, kind: str, name: str) -> Callable[..., Any]:
        """The network's answers are kept."""
        driver = super().back_end(kind, name)
        if kind != "npu":
            return driver
        self._now.booting()
        return lambda config: WrappedNpu(driver(config), self._keep_answer)

    def device(self, kind: str, made: Callable[..., Any]) -> Callable[..., Any]:
        """What the network is asked is kept, also when it then fails."""
        if kind != "npu":
            return made
        return lambda config: WrappedNpu(made(config), self._keep_question)

    def booted(self, machine: Machine, boot: int) -> None:
        """Begin to keep."""
        for kept in self._networks:
            kept.tensors[boot, WARM_MS, 0] = kept.answer()
        self._now.booted(machine, boot)
        self._log.watch(machine, boot)

    def _keep_answer(self, session: Session) -> Callable[[], None]:
        invoke, calls = session.invoke, Calls(self._now)
        index = self._now.loads("answered")
        if index == len(self._networks):
            self._networks.append(Kept(_tensor(session.inputs[0])))
        kept = self._networks[index]
        kept.outputs = [_tensor(output) for output in session.outputs]
        kept.live = session.outputs

        def listened() -> None:
            invoke()
            key = calls.key()
            if key is not None:
                kept.tensors[key] = kept.answer()

        return listened

    def _keep_question(self, session: Session) -> Callable[[], None]:
        invoke, samples = session.invoke, samples_of(session.inputs[0])
        calls, kept = Calls(self._now), self._networks[self._now.loads("asked")]
        kept.width = samples.nbytes

        def listened() -> None:
            key = calls.key()
            if key is not None:
                kept.samples[key] = samples.tobytes()
            invoke()

        return listened

    def recording(
        self,
        result: Result,
        model: Model,
        scenario: dict[str, Any],
        board: dict[str, Any],
        site: dict[str, Any],
    ) -> Recording | None:
        """Everything, when the run is over; None when there never was a picture."""
        if not (self._networks and self._grids):
            return None
        rows, columns = self._grid_shape
        return Recording(
            scenario=scenario,
            board=board,
            site=site,
            file=result.file,
            model=model,
            grid_rows=rows,
            grid_columns=columns,
            grids=Rows.of(self._grids, rows * columns * 3),
            networks=[kept.network() for kept in self._networks],
            did=self._log.did(result),
        )


def _tensor(array: Array) -> Tensor:
    if array.dtype not in (np.int8, np.uint8):
        raise TypeError(f"a tensor of {array.dtype.name} cannot be recorded: only bytes can")
    return Tensor(list(array.shape), cast(Any, array.dtype.name))


def as_tensors(tensors: Sequence[Tensor]) -> list[Array]:
    """Arrays of zeros."""
    return [np.full(tensor.shape, 0, tensor.dtype) for tensor in tensors]
