"""Stands in for the world and the network: both come from a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from drivers.board import NpuConfig
from drivers.faults import ModelRefused
from drivers.interfaces import U8, Session
from runtime.machine import Machine
from sim.replay.did import Did, Log
from sim.replay.record_tap import (
    WARM_MS,
    Array,
    Calls,
    Now,
    WrappedNpu,
    as_tensors,
    grid_of,
    samples_of,
)
from sim.replay.recording import Key, Network, Recording
from sim.scenario.result import Result
from sim.scenario.tap import Tap
from sim.world.truth import Truth

Point = tuple[float, float]


class MosaicWorld:
    """Paints the recorded grid as a mosaic: each sample is the recorded one. A `SceneWorld`.

    Args:
        recording: whose grids.
        width_px, height_px: size of the pictures.
    """

    def __init__(self, recording: Recording, width_px: int, height_px: int) -> None:
        shape = recording.grid_rows, recording.grid_columns, 3
        rows = recording.grids.unpack()
        self._grids = {t_ms: grid.reshape(shape) for (_, t_ms, _), grid in rows.items()}
        blank: U8 = np.zeros((height_px, width_px, 3), np.uint8)
        if grid_of(blank).shape != shape:
            raise ValueError(f"grids of {shape} do not belong to {width_px}x{height_px} pixels")
        self._row = _cells(height_px, grid_of(blank).shape[0])
        self._column = _cells(width_px, grid_of(blank).shape[1])
        self._newest = next(iter(self._grids.values()))
        self._wide: U8 = np.zeros((shape[0], width_px, 3), np.uint8)

    def render(self, t_ms: float, pixels: U8) -> None:
        """Paint the grid of a time; where there is none, the last one again."""
        self._newest = self._grids.get(t_ms, self._newest)
        np.take(self._newest, self._column, axis=1, out=self._wide, mode="clip")
        np.take(self._wide, self._row, axis=0, out=pixels, mode="clip")

    def pose(self, t_ms: float) -> None:
        """Nobody is there."""

    def warm_up(self) -> None:
        """Nothing to compile."""

    def brief(self) -> Truth:
        """A recording knows no truth."""
        return Truth(0.0, (), ())

    def ground_polygon(self, points_m: Sequence[Point], steps: int) -> Sequence[Point]:
        """The site is recorded as it was."""
        return []

    def project_ground(self, points_m: Sequence[Point]) -> Sequence[Point]:
        """The same."""
        return []


class ReplaySession:
    """Gives the recorded outputs of one network. Implements `Session`.

    Attributes:
        missing: calls at moments at which none was recorded.
    """

    def __init__(self, network: Network, calls: Calls) -> None:
        self.inputs: Sequence[Array] = as_tensors([network.input])
        self.outputs: Sequence[Array] = as_tensors(network.outputs)
        self.missing = 0
        self._calls = calls
        self._rows = network.tensors.unpack()
        self._flat = [output.reshape(-1).view(np.uint8) for output in self.outputs]

    def invoke(self) -> None:
        """Put the outputs of this moment where they belong; unknown moments change nothing."""
        key = self._calls.key()
        if key is not None:
            self.missing += not self.put(key)

    def put(self, key: Key) -> bool:
        """Fill the outputs; False when there are none of this moment."""
        row = self._rows.get(key)
        if row is None:
            return False
        start = 0
        for flat in self._flat:
            np.copyto(flat, row[start : start + flat.size])
            start += flat.size
        return True

    def close(self) -> None:
        """Nothing to free."""


class ReplayNpu:
    """Loads no file. Implements `Npu`."""

    def __init__(self, target: str, networks: Sequence[Network], now: Now) -> None:
        self.target = target
        self.sessions: list[ReplaySession] = []
        self._networks = networks
        self._now = now

    def load(self, path: str) -> Session:
        """The recorded network, whatever the file. Raises ModelRefused for one too many."""
        index = self._now.loads("answered")
        if index >= len(self._networks):
            raise ModelRefused(path, f"only {len(self._networks)} networks were recorded")
        session = ReplaySession(self._networks[index], Calls(self._now))
        self.sessions.append(session)
        return session


class ReplayTap(Tap):
    """Hands the recording out, and notes what the loop does with it."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._now = Now()
        self._log = Log()
        self._npus: list[ReplayNpu] = []

    def back_end(self, kind: str, name: str) -> Callable[..., Any]:
        """The recorded network instead of a real one."""
        if kind != "npu":
            return super().back_end(kind, name)
        self._now.booting()

        def make(config: NpuConfig) -> ReplayNpu:
            npu = ReplayNpu(config.driver, self._recording.networks, self._now)
            self._npus.append(npu)
            return npu

        return make

    def device(self, kind: str, made: Callable[..., Any]) -> Callable[..., Any]:
        """The values that the stale check looks at are the recorded ones, not the mosaic's."""
        if kind != "npu":
            return made
        return lambda config: WrappedNpu(made(config), self._put_samples)

    def booted(self, machine: Machine, boot: int) -> None:
        """The recorded time begins."""
        for session in self._npus[-1].sessions:
            session.put((boot, WARM_MS, 0))
        self._now.booted(machine, boot)
        self._log.watch(machine, boot)

    @property
    def missing(self) -> int:
        """How often the network was asked at a moment at which it was not when recorded."""
        return sum(session.missing for npu in self._npus for session in npu.sessions)

    def did(self, result: Result) -> Did:
        """What the loop did this time."""
        return self._log.did(result)

    def _put_samples(self, session: Session) -> Callable[[], None]:
        invoke, samples = session.invoke, samples_of(session.inputs[0])
        calls = Calls(self._now)
        rows = self._recording.networks[self._now.loads("asked")].samples.unpack()

        def stand_in() -> None:
            key = calls.key()
            row = rows.get(key) if key is not None else None
            if row is not None and row.size == samples.size:
                np.copyto(samples, row.view(samples.dtype))
            invoke()

        return stand_in


def _cells(pixels: int, cells: int) -> Any:
    """The cell of each row or column of pixels; sample i is the first pixel of cell i."""
    step = -(-pixels // cells) if pixels % cells else pixels // cells
    return np.minimum(np.arange(pixels) // step, cells - 1)
