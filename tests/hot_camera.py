"""A camera in sealed memory whose board gets hot, in virtual time, as a process of its own.

`python -m tests.hot_camera` reads the real thermometers' driver on a tree of files, and prints one
JSON object: events, times of judged pictures, and the figures of the run.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 200
STEPS = ((3000.0, b"92000\n"), (9000.0, b"50000\n"), (12000.0, b"97000\n"), (15000.0, b"50000\n"))
"""When it is how hot, ms and thousandths of a degree."""


def main() -> int:
    """Run it."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from runtime.memory import prepare_allocator

    prepare_allocator()
    from msgspec.structs import replace

    from drivers.board import load_board
    from drivers.thermal import Thermal
    from drivers.thermal_config import ThermalConfig
    from runtime import boot, plugins
    from runtime.site_check import load_site

    folder = Path(tempfile.mkdtemp())
    zone = folder / "thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("soc\n")
    (zone / "temp").write_text("50000\n")
    file, left, judged_ms = os.open(zone / "temp", os.O_WRONLY), list(STEPS), []

    def find_driver(kind: str, name: str) -> Any:
        if kind == "thermal":
            return lambda config: Thermal(config, folder)
        return plugins.driver(kind, name)

    def on_frame(context: Any) -> None:
        judged_ms.append(context.now_ms)
        if left and context.now_ms >= left[0][0]:
            os.pwrite(file, left.pop(0)[1], 0)

    board = load_board(ROOT / "board_configs/sim.toml")
    board = replace(board, thermal=ThermalConfig(zones=["soc"]))
    site = load_site(ROOT / "board_configs/site/zone_whole_view.toml")
    with (folder / "events.jsonl").open("wb", buffering=0) as events:
        options = boot.Options(
            site_file="site", source="synthetic:", fast=True, journal=str(folder / "ring"),
            events=events, find_driver=find_driver,
        )  # fmt: skip
        with boot.boot(board, site, options) as machine:
            machine.loop.on_frame = on_frame
            machine.loop.run(FRAMES)
            report = machine.metrics.report(machine.seal, 0, machine.context.dropped_events)
    told = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    json.dump({"events": told, "judged_ms": judged_ms, "report": report}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
