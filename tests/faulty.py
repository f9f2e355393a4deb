"""A camera run in virtual time with faults on a timeline, as a process of its own.

Sealing a process cannot be undone, so every test of the sealed loop runs this module:
`python -m tests.faulty '{"camera": [["frozen", 2000, 5000]], ...}'` prints one JSON object.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from drivers.faults import CameraFault, CameraGone, NpuFault, OutputFault, StorageFault

ROOT = Path(__file__).resolve().parent.parent
FOREVER = 1e12


def active(faults: list[list[Any]], now_ms: float) -> str:
    """Name of the fault on a timeline of [name, from_ms, to_ms], or ""."""
    return next((name for name, start, end in faults if start <= now_ms < end), "")


def faulty_camera(base: type, faults: list[list[Any]]) -> type:
    """A camera that is unplugged, silent, frozen or dark at times."""

    class Camera(base):
        def open(self) -> None:
            if active(faults, self.clock.now_ms()) == "unplugged":
                raise CameraFault("missing", "pulled out by the test")
            super().open()

        def __init__(self, config, source, clock) -> None:
            super().__init__(config, source, clock)
            self.clock = clock
            self.last = None

        def grab(self, frame, now_ms) -> bool:
            fault = active(faults, now_ms)
            if fault == "unplugged":
                raise CameraFault("read_failed", "pulled out by the test")
            if fault == "silent":
                return False
            got = super().grab(frame, now_ms)
            if got and fault == "frozen":
                frame.pixels[:] = self.last
            elif got and fault == "dark":
                frame.pixels[:] = 3
                frame.pixels[::2] = int(now_ms / 100) % 5
            elif got:
                self.last = frame.pixels.copy() if faults else None
            return got

    return Camera


def recorded_camera(base: type, cycle: int) -> type:
    """A camera that draws its first `cycle` pictures once and shows them over and over."""

    class Camera(base):
        def open(self) -> None:
            super().open()
            if not hasattr(self, "pictures"):
                shape = (cycle, self.height_px, self.width_px, 3)
                self.pictures = np.full(shape, 0, np.uint8)
                for index, picture in enumerate(self.pictures):
                    self._scene.render(index * 1000 / self.fps, picture)
                self._scene = self

        def render(self, t_ms, pixels) -> None:
            np.copyto(pixels, self.pictures[round(t_ms * self.fps / 1000) % cycle])

    return Camera


def faulty_npu(base: type, faults: list[list[Any]], clock: list[Any], only: str = "") -> type:
    """An NPU whose inferences fail, or give old outputs, at times; `only`: of files so named."""

    class Npu(base):
        def load(self, path):
            session = super().load(path)
            if only not in str(path):
                return session
            invoke = session.invoke

            def guarded() -> None:
                fault = active(faults, clock[0].now_ms()) if clock else ""
                if fault == "memory":
                    raise MemoryError
                if fault == "error":
                    raise NpuFault("invoke_failed", "asked for by the test")
                if fault != "stale":
                    invoke()

            session.invoke = guarded
            return session

    return Npu


def faulty_output(base: type, faults: list[list[Any]], kept: list[Any]) -> type:
    """Outputs that keep their edges for the test, and refuse at times."""

    class Output(base):
        def __init__(self, config, clock) -> None:
            super().__init__(config, clock)
            kept.append(self)

        def set(self, level, now_ms) -> None:
            if active(faults, now_ms) == self.name:
                raise OutputFault("refused", "asked for by the test")
            super().set(level, now_ms)

    return Output


def faulty_storage(base: type, faults: list[list[Any]], clock: list[Any]) -> type:
    """Flash that is full at times."""

    class Storage(base):
        def write_at(self, offset, data) -> None:
            fault = active(faults, clock[0].now_ms()) if clock else ""
            if fault:
                raise StorageFault(fault, "asked for by the test")
            super().write_at(offset, data)

    return Storage


def plant_leak(kind: str, loop: Any) -> None:
    """Make every judged frame keep something."""
    kept: list[object] = []

    def append(_: object) -> None:
        kept.append(object())

    def cast(_: object) -> None:
        block = (ctypes.c_uint8 * 64)()
        ctypes.cast(block, ctypes.POINTER(ctypes.c_uint8))

    loop.on_frame = {"append": append, "cast": cast}[kind]


def main() -> int:
    """Run one camera; returns 0 also when it ended by a fault, which is in the output."""
    plan = json.loads(sys.argv[1])
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from runtime.memory import prepare_allocator

    prepare_allocator()
    from msgspec.structs import replace

    from drivers.board import load_board
    from runtime import boot, plugins
    from runtime.site_check import load_site

    real, kept, clock = plugins.driver, [], []

    def camera(base: type) -> type:
        cycle = plan.get("recorded", 0)
        base = recorded_camera(base, cycle) if cycle else base
        return faulty_camera(base, plan.get("camera", []))

    wrap = {
        "camera": camera,
        "npu": lambda base: faulty_npu(base, plan.get("npu", []), clock, plan.get("only", "")),
        "output": lambda base: faulty_output(base, plan.get("output", []), kept),
        "storage": lambda base: faulty_storage(base, plan.get("storage", []), clock),
    }
    plugins.driver = lambda kind, name: wrap.get(kind, lambda base: base)(real(kind, name))
    board = load_board(ROOT / "board_configs/sim.toml")
    board = replace(board, camera=replace(board.camera, **plan.get("camera_config", {})))
    board = replace(board, memory=replace(board.memory, **plan.get("memory_config", {})))
    site = load_site(ROOT / "board_configs/site" / plan.get("site", "zone_whole_view.toml"))
    folder = Path(tempfile.mkdtemp())
    end = ""
    with (folder / "events.jsonl").open("wb", buffering=0) as events:
        options = boot.Options(
            site_file="site",
            source=plan.get("source", "synthetic:"),
            model=plan.get("model", ""),
            skeleton=plan.get("skeleton", ""),
            action=plan.get("action", ""),
            fast=True,
            journal=str(folder / "journal.ring"),
            events=events,
        )
        try:
            with boot.boot(board, site, options) as machine:
                clock.append(machine.clock)
                if "leak" in plan:
                    plant_leak(plan["leak"], machine.loop)
                machine.loop.run(plan.get("frames", 100))
                report = machine.metrics.report(machine.seal, machine.camera.dropped_frames, 0)
        except CameraGone as gone:
            end, report = str(gone), {}
    lines = (folder / "events.jsonl").read_text().splitlines()
    edges = {output.name: [list(edge) for edge in output.edges()] for output in kept}
    json.dump(
        {"events": [json.loads(x) for x in lines], "edges": edges, "end": end, "report": report},
        sys.stdout,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
