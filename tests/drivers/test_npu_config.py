"""`[npu]`: what a board with a Rockchip NPU must say, and what it cannot ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drivers.npu.rockchip import CORES, masks, single_cores, soc_names
from drivers.npu_config import CHECKS, NpuConfig
from drivers.toml_strict import ConfigErrors, check_strict

GOOD = {
    "driver": "rknn",
    "target": "rk3588",
    "core_mask": 7,
    "call_deadline_ms": 300,
    "rknn_runtimes": ["2.3.2"],
    "rknn_drivers": ["0.9.8"],
}


def mistakes(**change: Any) -> list[str]:
    raw = {key: value for key, value in (GOOD | change).items() if value is not None}
    checks = [check._replace(needs=("",)) for check in CHECKS]
    try:
        check_strict("", raw, NpuConfig, checks)
    except ConfigErrors as errors:
        return [str(mistake) for mistake in errors.mistakes]
    return []


def test_a_whole_section_is_good() -> None:
    assert mistakes() == []
    assert mistakes(target="rk3568", core_mask=None, rknn_runtimes=["2.0.0b0"]) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"target": None, "core_mask": None}, "npu.target: must be one of rk3588, rk3576, rk3562"),
        ({"target": "rk3399", "core_mask": None}, "npu.target = 'rk3399': must be one of rk3588"),
        ({"core_mask": 5}, "npu.core_mask = 5: must be one of 0, 1, 2, 4, 3, 7: a rk3588 has 3"),
        ({"target": "rk3576"}, "npu.core_mask = 7: must be one of 0, 1, 2, 3: a rk3576 has 2 co"),
        ({"target": "rk3566"}, "npu.core_mask = 7: must be one of 0: a rk3566 has 1 core"),
        ({"core_mask": 8}, "core_mask = 8: must be "),
        ({"call_deadline_ms": None}, "npu.call_deadline_ms = 0: must be 1 to 500"),
        ({"call_deadline_ms": 501}, "npu.call_deadline_ms = 501: must be 1 to 500"),
        ({"rknn_runtimes": None}, "npu.rknn_runtimes: must name the librknnrt.so versions"),
        ({"rknn_drivers": []}, "npu.rknn_drivers: must name the NPU driver versions"),
        (
            {"rknn_drivers": ["v0.9"]},
            "rknn_drivers[0] = 'v0.9': must be text in quotes of the pattern",
        ),
        ({"threads": 2}, "npu.threads = 2: must be left out unless npu.driver"),
        ({"runtime": "litert"}, "npu.runtime = 'litert': must be left out unless"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(change: dict[str, Any], says: str) -> None:
    (found,) = mistakes(**change)
    assert found.startswith(says)


def test_all_mistakes_come_at_once() -> None:
    found = mistakes(target="rk3576", call_deadline_ms=0, rknn_runtimes=None, threads=4)
    assert [text.split(":")[0].split(" =")[0] for text in found] == [
        "npu.core_mask",
        "npu.call_deadline_ms",
        "npu.rknn_runtimes",
        "npu.threads",
    ]


def test_other_drivers_have_no_rockchip_words() -> None:
    found = mistakes(driver="tflite", call_deadline_ms=None)
    assert [text.split(" =")[0] for text in found] == [
        "npu.target",
        "npu.core_mask",
        "npu.rknn_runtimes",
        "npu.rknn_drivers",
    ]


def test_masks_exist_only_where_there_are_cores() -> None:
    assert {target: masks(target) for target in CORES} == {
        "rk3588": (0, 1, 2, 4, 3, 7),
        "rk3576": (0, 1, 2, 3),
        "rk3562": (0,),
        "rk3566": (0,),
        "rk3568": (0,),
        "rv1126b": (0,),
    }
    assert single_cores("rk3588", 0) == (1, 2, 4)
    assert single_cores("rk3588", 3) == (1, 2)
    assert single_cores("rk3588", 4) == (4,)
    assert single_cores("rk3576", 0) == (1, 2)
    assert single_cores("rk3568", 0) == ()


def test_the_device_tree_names_the_soc(tmp_path: Path) -> None:
    tree = tmp_path / "compatible"
    assert soc_names(tree) == ()
    tree.write_bytes(b"xunlong,orangepi-5\0rockchip,rk3588s\0rockchip,rk3588\0")
    assert soc_names(tree) == ("rk3588s", "rk3588")
    tree.write_bytes(b"linux,dummy-virt\0")
    assert soc_names(tree) == ()
