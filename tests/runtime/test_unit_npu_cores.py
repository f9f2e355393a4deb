"""`haetae selftest` on a virtual NPU of three cores, through the real back end."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.board import ModelsConfig, NpuConfig, load_board
from drivers.clock import MonotonicClock
from drivers.npu.rknn import RknnNpu
from models.package import load_package
from models.signature import open_session
from ota.golden_make import make_golden
from ota.manifest import GOLDEN_FILE
from runtime.unit_test.npu import npu
from runtime.unit_test.result import Bench
from tests.drivers.npu import virtual_npu
from tests.drivers.npu.virtual_npu import Control
from tests.places import REPOSITORY
from tests.rknn_camera import package
from tests.runtime.unit_bench import failed, verdicts

CONFIG = NpuConfig(
    driver="rknn", target="rk3588", core_mask=7, call_deadline_ms=400,
    rknn_runtimes=["2.3.2"], rknn_drivers=["0.9.8"],
)  # fmt: skip


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Control:
    return virtual_npu.install(tmp_path, monkeypatch)


@pytest.fixture
def bench(control: Control, tmp_path: Path) -> Bench:
    """A board whose only network has golden inputs, made while all cores were well."""
    folder = package(tmp_path / "tiny")
    made = load_package(folder, "rk3588")
    session = open_session(made, RknnNpu(CONFIG))
    (folder / GOLDEN_FILE).write_bytes(make_golden(session, made.info, "rk3588"))
    session.close()
    board = load_board(REPOSITORY / "board_configs/sim.toml")
    board = replace(board, npu=CONFIG, models=ModelsConfig(detector=str(folder)))
    return Bench(board=board, clock=MonotonicClock(), find=lambda kind, name: RknnNpu)


def test_every_core_is_tried_alone(bench):
    assert verdicts(list(npu(bench))) == {
        f"npu.core{core}.{what}": "pass" for core in range(3) for what in ("detector", "time")
    }


@pytest.mark.parametrize(
    ("words", "items"),
    [
        ({"core": 2, "off": 60}, ["npu.core1.detector"]),
        ({"core": 4, "run": -1}, ["npu.core2.load"]),
        ({"runtime": "1.0.0"}, ["npu.core0.load", "npu.core1.load", "npu.core2.load"]),
    ],
)
def test_the_core_that_is_wrong_is_named(bench, control, words, items):
    control(**words)
    assert failed(list(npu(bench))) == items


def test_cores_that_may_not_be_used_are_left_alone(bench, control):
    control(core=4, run=-1)
    only_two = replace(bench.board, npu=replace(CONFIG, core_mask=3))
    rows = list(npu(Bench(board=only_two, clock=bench.clock, find=bench.find)))
    assert failed(rows) == []
    assert {row.item.split(".")[1] for row in rows} == {"core0", "core1"}
