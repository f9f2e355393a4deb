"""All checks of a unit, one after the other, and the report of what they found."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from drivers.faults import HardwareFault, ModelRefused, StorageFault
from drivers.interfaces import Storage
from models.package import find_package, read_info
from runtime.plugins import UnknownPlugin
from runtime.provision import read_identity, unit_folder
from runtime.unit_test.camera import camera
from runtime.unit_test.clock import ClockWatch, utc
from runtime.unit_test.heat import heat
from runtime.unit_test.memory import memory
from runtime.unit_test.npu import npu
from runtime.unit_test.outputs import buttons, outputs
from runtime.unit_test.result import FORMAT, Bench, Report, Row, judged, untested, word
from runtime.unit_test.storage import storage
from runtime.unit_test.watchdog import watchdog
from runtime.version import VERSION

Check = Callable[[Bench], Iterator[Row]]
CHECKS: Final[dict[str, Check]] = {
    "camera": camera,
    "npu": npu,
    "outputs": outputs,
    "buttons": buttons,
    "watchdog": watchdog,
    "storage": storage,
    "memory": memory,
    "heat": heat,
}
"""In this order; the clock is watched over all of them."""
SERIALS: Final = ("firmware/devicetree/base/serial-number", "class/dmi/id/product_serial")


class Busy(Exception):
    """The camera runs; its devices cannot be tested meanwhile."""


def run_checks(
    bench: Bench, only: tuple[str, ...] = (), tell: Callable[[Row], None] = lambda row: None
) -> Report:
    """Test a unit.

    Args:
        bench: what to test, and with what.
        only: names of CHECKS, or "clock"; empty: all.
        tell: called with each row as it is there.

    Raises:
        Busy: the camera runs.
    """
    began_ms = bench.clock.now_ms()
    began_utc = utc(bench.clock.wall_ms())
    rows = []
    with _alone(bench):
        for row in _rows(bench, only):
            rows.append(row)
            tell(row)
    identity = read_identity(unit_folder(bench.board))
    return Report(
        format=FORMAT,
        passed=all(row.verdict != "fail" for row in rows),
        device=identity.device if identity else "",
        serial=next(filter(None, (word(bench.sys / name) for name in SERIALS)), "").rstrip("\0"),
        board=bench.board.name,
        soc=bench.board.soc,
        runtime=VERSION,
        kernel=platform.release(),
        machine=platform.machine(),
        models=_models(bench),
        utc=began_utc,
        lasted_ms=round(bench.clock.now_ms() - began_ms),
        rows=rows,
    )


def _rows(bench: Bench, only: tuple[str, ...]) -> Iterator[Row]:
    watch = ClockWatch(bench)
    yield _identity(bench)
    for name, check in CHECKS.items():
        if only and name not in only:
            continue
        try:
            yield from check(bench)
        except UnknownPlugin as unknown:
            yield judged(name, name, False, str(unknown), next="install it into the image")
        except HardwareFault as fault:
            yield judged(name, name, False, str(fault))
    if not only or "clock" in only:
        yield from watch.rows()


@contextmanager
def _alone(bench: Bench) -> Iterator[None]:
    """The journal is held meanwhile, as a camera that runs holds it. Raises Busy."""
    config = bench.board.storage
    if not Path(config.path).exists():
        yield
        return
    size = config.atomic_unit_bytes * config.journal_slots
    held: Storage | None = None
    try:
        make = bench.find("storage", config.driver)
        held = cast(Storage, make(config.path, size, config.atomic_unit_bytes))
    except StorageFault as fault:
        if fault.reason == "in_use":
            raise Busy(config.path) from fault
    except UnknownPlugin:
        pass
    try:
        yield
    finally:
        if held is not None:
            held.close()


def _identity(bench: Bench) -> Row:
    """Whether this unit has its name and keys."""
    identity = read_identity(unit_folder(bench.board))
    if identity is None:
        return untested("identity", "identity", "not provisioned: haetae provision")
    step = "this unit was provisioned as another board: make a new data partition"
    ok, text = identity.board == bench.board.name, f"{identity.device}, for {identity.board}"
    return judged("identity", "identity", ok, text, bench.board.name, next=step)


def _models(bench: Bench) -> dict[str, str]:
    """Student and version by role."""
    models = bench.board.models
    names = {"detector": models.detector, "skeleton": models.skeleton, "action": models.action}
    return {role: _version(name) for role, name in names.items() if name}


def _version(name: str) -> str:
    try:
        info = read_info(find_package(name))
    except ModelRefused:
        return name
    return f"{info.name} {info.version}"
