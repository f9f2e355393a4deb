"""The NPU: every network on every core, against golden inputs and the time of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Final, cast

from drivers.faults import ModelRefused, NpuFault
from drivers.interfaces import Npu, Session
from drivers.npu_config import NpuConfig, each_core
from models.package import Package, find_package, load_package
from models.signature import open_session
from ota.golden import check_golden
from ota.manifest import GOLDEN_FILE
from ota.refusal import Refused
from runtime.unit_test.result import Bench, Row, judged, untested

TIMED: Final = 15
"""Runs of each network; the one in the middle counts."""
HOT: Final = "look at the NPU's governor and temperature, and at npu.threads of the board file"


def npu(bench: Bench) -> Iterator[Row]:
    """Every core in turn."""
    for core, config in each_core(bench.board.npu):
        yield from _core(bench, config, core)


def _core(bench: Bench, config: NpuConfig, core: str) -> Iterator[Row]:
    """All networks on one core, and how long they take together."""
    models = bench.board.models
    names = {"detector": models.detector, "skeleton": models.skeleton, "action": models.action}
    item = f"npu.{core.replace(' ', '')}" if core else "npu"
    what = f"NPU {core}".rstrip()
    total_ms = 0.0
    try:
        made = cast(Npu, bench.find("npu", config.driver)(config))
        for role, name in names.items():
            if name:
                package = load_package(find_package(name), made.target)
                session = open_session(package, made)
                try:
                    total_ms += _time_ms(bench, session)
                    yield _golden(f"{item}.{role}", f"{what}: {role}", package, session, made)
                finally:
                    session.close()
    except (NpuFault, ModelRefused) as fault:
        step = "look at the NPU's driver and versions: haetae check --live"
        yield judged(f"{item}.load", what, False, str(fault), next=step)
        return
    period_ms = 1e3 / bench.board.camera.fps
    yield judged(
        f"{item}.time", f"{what}: time", total_ms <= period_ms, f"{total_ms:.1f} ms for all",
        f"<= {period_ms:.4g} ms", value=total_ms, unit="ms", next=HOT,
    )  # fmt: skip


def _time_ms(bench: Bench, session: Session) -> float:
    """Of one run. Raises NpuFault."""
    session.invoke()
    took_ms = []
    for _ in range(TIMED):
        began_ms = bench.clock.now_ms()
        session.invoke()
        took_ms.append(bench.clock.now_ms() - began_ms)
    return median(took_ms)


def _golden(item: str, name: str, package: Package, session: Session, made: Npu) -> Row:
    file = package.folder / GOLDEN_FILE
    if not file.is_file():
        why = f"{package.info.name} has no {GOLDEN_FILE}: haetae ota golden makes it"
        return untested(item, name, why)
    try:
        used = check_golden(file.read_bytes(), session, made.target)
    except Refused as refused:
        step = "exchange the board: the network is whole, and is answered wrongly"
        return judged(item, name, False, refused.detail or refused.reason, "<= 100 %", next=step)
    text = f"golden inputs: {100 * used:.0f} % of the error allowed"
    return judged(item, name, True, text, "<= 100 %", value=100 * used, unit="%")
