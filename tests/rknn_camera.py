"""A camera on a Rockchip NPU that fails on a timeline, in virtual time, as a process of its own.

`python -m tests.rknn_camera '{"words": {"run": -1}, "from_ms": 2000, "to_ms": 5000}'` runs the real
loop in sealed memory on the virtual NPU (tests/drivers/npu/virtual_npu.py) and prints one JSON
object: events, edges of the fault relay, and when frames were judged.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
DEADLINE_MS = 150
BODY = """\
in picture 2 1 0 0.0078125 1 64 96 3
out box8 2 0 -3 0.02 1 4 8 12
out class8 2 0 -128 0.00390625 1 1 8 12
out box16 2 0 -3 0.02 1 4 4 6
out class16 2 0 -128 0.00390625 1 1 4 6
"""
"""The tensors of tests/models/tiny_tflite.py, channels-first as Rockchip's converter has them."""


def package(folder: Path) -> Path:
    """A detector compiled for a rk3588; what it finds is noise."""
    from models.pack import to_toml
    from tests.drivers.npu import virtual_npu
    from tests.models import tiny_tflite

    content = virtual_npu.model(BODY)
    tables = tiny_tflite.description(content, ["person"])
    digest = hashlib.sha256(content).hexdigest()
    file = {"npu": "rk3588", "file": "tiny.rknn", "sha256": digest, "bytes": len(content)}
    tables |= {"targets": [file], "thresholds": {"score": 0.97, "nms_iou": 0.6}}
    folder.mkdir()
    (folder / "model.toml").write_text(to_toml(tables), encoding="utf-8")
    (folder / "tiny.rknn").write_bytes(content)
    return folder


def main() -> int:
    """Run it."""
    plan = json.loads(sys.argv[1])
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from runtime.memory import prepare_allocator

    prepare_allocator()
    from msgspec.structs import replace

    from drivers.board import NpuConfig, load_board
    from drivers.npu.rknn import RknnNpu
    from runtime import boot, plugins
    from runtime.site_check import load_site
    from tests.drivers.npu import virtual_npu

    folder = Path(tempfile.mkdtemp())
    control = virtual_npu.install(folder, pytest.MonkeyPatch())
    relays, judged_ms = [], []

    def find_driver(kind: str, name: str) -> Any:
        found: Any = RknnNpu if kind == "npu" else plugins.driver(kind, name)
        return {"camera": timed, "output": recorded}.get(kind, lambda base: base)(found)

    def timed(base: Any) -> Any:
        class Camera(base):
            def grab(self, frame, now_ms) -> bool:
                fails = plan["from_ms"] <= now_ms < plan["to_ms"]
                if fails != bool(control.text):
                    control(**plan["words"] if fails else {})
                return super().grab(frame, now_ms)

        return Camera

    def recorded(base: Any) -> Any:
        class Output(base):
            def __init__(self, config, clock) -> None:
                super().__init__(config, clock)
                relays.extend([self] * (config.role == "fault"))

        return Output

    board = load_board(ROOT / "board_configs/sim.toml")
    npu = NpuConfig(
        driver="rknn", target="rk3588", core_mask=7, call_deadline_ms=DEADLINE_MS,
        rknn_runtimes=["2.3.2"], rknn_drivers=["0.9.8"],
    )  # fmt: skip
    board = replace(board, npu=npu)
    site = load_site(ROOT / "board_configs/site/zone_whole_view.toml")
    with (folder / "events.jsonl").open("wb", buffering=0) as events:
        options = boot.Options(
            site_file="site", source="synthetic:", model=str(package(folder / "tiny")), fast=True,
            journal=str(folder / "journal.ring"), events=events, find_driver=find_driver,
        )  # fmt: skip
        with boot.boot(board, site, options) as machine:
            machine.loop.on_frame = lambda context: judged_ms.append(context.now_ms)
            machine.loop.run(plan["frames"])
    lines = (folder / "events.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    edges = [list(edge) for edge in relays[0].edges()]
    json.dump({"events": told, "relay": edges, "judged_ms": judged_ms}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
