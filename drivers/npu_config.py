"""`[npu]` of a board file: the back end, how it is called, and rules between the values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct
from msgspec.structs import replace

from drivers.npu.rockchip import CORES, masks, single_cores
from drivers.toml_strict import Check, Complaint

RKNN: Final = "rknn"
MOST_DEADLINE_MS: Final = 500
"""Of an NPU that can hang: with a frame period before it, the alarm is still within 1 s."""

Name = Annotated[str, Meta(min_length=1)]
Version = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+){1,3}[a-z0-9]*$")]


class NpuConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[npu]`: the back end and how it is called."""

    driver: Name
    runtime: Literal["auto", "litert", "tflite"] = "auto"
    threads: Annotated[int, Meta(ge=1, le=16)] = 1
    delegate: str = ""
    """Shared library of an external TFLite delegate (VX, Edge TPU, Ethos-U); empty = CPU."""
    delegate_options: dict[str, str] = {}
    call_deadline_ms: Annotated[int, Meta(ge=0)] = 0
    """A longer inference is `npu_fault`, on a thread of its own; 0 = call inline (CPU). The driver
    rknn may run a network three times in one call, to prove that its outputs are new."""
    load_deadline_ms: Annotated[int, Meta(ge=500, le=60_000)] = 4000
    """Where call_deadline_ms is set: the start of a network that takes longer is `npu_fault`."""
    golden_stale_check: bool = True
    """Treat outputs bit-identical to the last ones for a changed input as a fault."""
    target: str = ""
    """Of the driver rknn: the SoC that model files must be compiled for, e.g. "rk3588"."""
    core_mask: Annotated[int, Meta(ge=0, le=7)] = 0
    """Of the driver rknn: the NPU cores that work together, 1 + 2 + 4; 0 = any one of them."""
    rknn_runtimes: list[Version] = []
    """Versions of librknnrt.so that were tried on this board; another one is `npu_fault`."""
    rknn_drivers: list[Version] = []
    """Versions of the kernel's NPU driver that were tried on this board, likewise."""


def each_core(npu: NpuConfig) -> list[tuple[str, NpuConfig]]:
    """Every core of an NPU that may be used: its name, and what uses it alone; "" where unnamed."""
    masks_ = single_cores(npu.target, npu.core_mask) if npu.driver == RKNN else ()
    if not masks_:
        return [("", npu)]
    return [(f"core {mask.bit_length() - 1}", replace(npu, core_mask=mask)) for mask in masks_]


def _delegate(npu: NpuConfig) -> Iterator[Complaint]:
    if npu.delegate and npu.driver != "tflite":
        yield "npu.delegate", npu.delegate, 'must be left out unless npu.driver = "tflite"'
    if npu.delegate_options and not npu.delegate:
        allowed = "must be left out, or npu.delegate must name the library they are for"
        yield "npu.delegate_options", npu.delegate_options, allowed


def _rknn(npu: NpuConfig) -> Iterator[Complaint]:
    if npu.driver == RKNN:
        yield from _target(npu)
        yield from _needed(npu)
        return
    for name in ("target", "core_mask", "rknn_runtimes", "rknn_drivers"):
        value = getattr(npu, name)
        if value:
            yield f"npu.{name}", value, f'must be left out unless npu.driver = "{RKNN}"'


def _target(npu: NpuConfig) -> Iterator[Complaint]:
    if npu.target not in CORES:
        value = npu.target or UNSET
        yield "npu.target", value, f'must be one of {", ".join(CORES)} for npu.driver = "{RKNN}"'
    elif npu.core_mask not in masks(npu.target):
        allowed = ", ".join(map(str, masks(npu.target)))
        cores = CORES[npu.target]
        has = f"a {npu.target} has {cores} core{'s' * (cores > 1)}"
        yield "npu.core_mask", npu.core_mask, f"must be one of {allowed}: {has}"


def _needed(npu: NpuConfig) -> Iterator[Complaint]:
    """What an NPU that hangs, and fails with the wrong driver, cannot do without."""
    if not 1 <= npu.call_deadline_ms <= MOST_DEADLINE_MS:
        allowed = f"must be 1 to {MOST_DEADLINE_MS}: an NPU can hang, and blind is an alarm in 1 s"
        yield "npu.call_deadline_ms", npu.call_deadline_ms, allowed
    for name, what in (("rknn_runtimes", "librknnrt.so"), ("rknn_drivers", "NPU driver")):
        if not getattr(npu, name):
            allowed = f'must name the {what} versions tried on this board, as ["1.2.3"]'
            yield f"npu.{name}", UNSET, allowed
    only_tflite: dict[str, Any] = {"runtime": "auto", "threads": 1}
    for name, default in only_tflite.items():
        value = getattr(npu, name)
        if value != default:
            yield f"npu.{name}", value, 'must be left out unless npu.driver = "tflite"'


CHECKS: Final = (Check(("npu",), _delegate), Check(("npu",), _rknn))
