"""A board file held against the hardware that it names: nothing is driven, armed or written.

For the bench: camera and NPU are opened for a moment, so the runtime must not be running. Lines are
looked up and never requested, the watchdog is looked at and never opened, as opening arms it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from drivers.board import Board
from drivers.clock import MonotonicClock
from drivers.faults import CameraFault, ModelRefused, NpuFault, ThermalFault
from drivers.gpio_chip import chip_path
from drivers.interfaces import Camera, Npu
from drivers.thermal import SYSFS, Thermal
from models.package import find_package, load_package
from models.signature import open_session
from runtime import plugins
from runtime.options import FindDriver

BY_PATH = Path("/dev/v4l/by-path")


class Finding(NamedTuple):
    """What was looked at, and what is wrong with it; "" where nothing is."""

    what: str
    problem: str = ""


def live_check(
    board: Board,
    find: FindDriver = plugins.driver,
    sysfs: Path = SYSFS,
    open_chip: Callable[[str], Any] | None = None,
) -> Iterator[Finding]:
    """Look at all that a board file names.

    Args:
        board: loaded and checked.
        find: finds drivers.
        sysfs: /sys/class.
        open_chip: opens a GPIO chip, as `gpiod.Chip` does.
    """
    missing = list(_drivers(board, find))
    yield from missing
    if not missing:
        yield from _camera(board, find)
        yield from _networks(board, find)
    yield from _lines(board, open_chip)
    yield from _ports(board)
    yield from _watchdog(board, sysfs)
    yield from _thermal(board, sysfs)
    yield from storage(board)


def _drivers(board: Board, find: FindDriver) -> Iterator[Finding]:
    """Those that are not installed."""
    named = {("output", each.driver) for each in board.outputs}
    named |= {("input", each.driver) for each in board.inputs}
    named |= {("dead_man", board.dead_man.driver)} if board.dead_man else set()
    for kind in ("camera", "npu", "storage", "watchdog"):
        named.add((kind, getattr(board, kind).driver))
    for kind, name in sorted(named):
        try:
            find(kind, name)
        except plugins.UnknownPlugin as error:
            yield Finding(f"driver {kind}.{name}", str(error))


def _camera(board: Board, find: FindDriver) -> Iterator[Finding]:
    config = board.camera
    camera = cast(Camera, find("camera", config.driver)(config, config.source, MonotonicClock()))
    try:
        camera.open()
        size = f"{camera.width_px}x{camera.height_px} at {camera.fps:g}/s"
        name = _stable_name(config.source)
        yield Finding(f"camera {config.source or config.driver}: {size}{name}")
    except CameraFault as fault:
        there = _stable_names(config.source)
        yield Finding(f"camera {config.source or config.driver}", f"{fault}{there}")
    finally:
        camera.close()


def _stable_name(source: str) -> str:
    """What to write instead of /dev/videoN, which belongs to whoever is plugged in first."""
    if not source.startswith("/dev/video"):
        return ""
    named = [str(path) for path in _links() if path.resolve() == Path(source).resolve()]
    return f"; write rather {named[0]}" if named else ""


def _stable_names(source: str) -> str:
    """Of the cameras that are plugged in, where the one that the file names is not."""
    names = ", ".join(map(str, _links()))
    return f"; there are: {names}" if names and source.startswith("/dev/") else ""


def _links() -> list[Path]:
    return sorted(BY_PATH.glob("*-video-index0"))


def _networks(board: Board, find: FindDriver) -> Iterator[Finding]:
    """Each is loaded, which an NPU proves itself by, and given back."""
    models, what = board.models, f"npu {board.npu.driver}"
    try:
        npu = cast(Npu, find("npu", board.npu.driver)(board.npu))
        for name in filter(None, (models.detector, models.skeleton, models.action)):
            what = f"npu {board.npu.driver}: {name} for {npu.target}"
            open_session(load_package(find_package(name), npu.target), npu).close()
            yield Finding(what)
    except (NpuFault, ModelRefused) as fault:
        yield Finding(what, str(fault))


def _lines(board: Board, open_chip: Callable[[str], Any] | None) -> Iterator[Finding]:
    wanted = [(o.name, o.chip, o.line) for o in board.outputs if o.driver == "gpio"]
    wanted += [(o.name, o.chip, o.readback_line) for o in board.outputs if o.readback_line]
    wanted += [(i.name, i.chip, i.line) for i in board.inputs if i.driver == "gpio"]
    if wanted and open_chip is None:
        import gpiod  # not on every machine that checks a board file

        open_chip = gpiod.Chip
    for name, chip, line in wanted:
        assert open_chip is not None
        yield Finding(f"line {name}: {chip} {line}", _line_problem(open_chip, chip, line))


def _line_problem(open_chip: Callable[[str], Any], path: str, line: str) -> str:
    try:
        chip = open_chip(chip_path(path, open_chip))
    except (OSError, ValueError) as error:
        return str(error)
    try:
        info = chip.get_line_info(int(line) if line.isdecimal() else line)
    except (OSError, ValueError) as error:
        return str(error)
    finally:
        chip.close()
    return f"is held by {info.consumer!r}" if info.used else ""


def _ports(board: Board) -> Iterator[Finding]:
    for port in sorted({output.port for output in board.outputs if output.port}):
        yield Finding(f"port {port}", _device_problem(port))


def _watchdog(board: Board, sysfs: Path) -> Iterator[Finding]:
    config = board.watchdog
    if config.driver != "linux":
        return
    name = Path(config.device).name
    place = sysfs / "watchdog" / ("watchdog0" if name == "watchdog" else name)
    identity = _word(place / "identity")
    no_way_out = "; it can never be stopped" if _word(place / "nowayout") == "1" else ""
    problem = _device_problem(config.device)
    if not problem and _word(place / "state") == "active":
        problem = "is armed: somebody feeds it (systemd's RuntimeWatchdogSec?)"
    yield Finding(f"watchdog {config.device}: {identity or 'unknown'}{no_way_out}", problem)


def _thermal(board: Board, sysfs: Path) -> Iterator[Finding]:
    if board.thermal is None:
        return
    try:
        with Thermal(board.thermal, sysfs) as thermal:
            reading = thermal.read()
    except ThermalFault as fault:
        yield Finding("thermal", str(fault))
        return
    clock = f", NPU {reading.governor} {reading.clock_hz / 1e6:g} MHz" if reading.governor else ""
    yield Finding(f"thermal: {reading.hottest_c:.1f} C{clock}")


def storage(board: Board) -> Iterator[Finding]:
    """Whether the journal has a place: one finding."""
    config = board.storage
    folder = Path(config.path).absolute().parent
    what, needs = f"storage {config.path}", config.atomic_unit_bytes * config.journal_slots
    if not folder.is_dir():
        yield Finding(what, f"there is no folder {folder}")
    elif not os.access(folder, os.W_OK):
        yield Finding(what, f"no right to write in {folder}")
    elif not Path(config.path).exists() and _free_bytes(folder) < needs:
        yield Finding(what, f"{folder} has less than the {needs} bytes of the ring free")
    else:
        yield Finding(what)


def _free_bytes(folder: Path) -> int:
    numbers = os.statvfs(folder)
    return numbers.f_bavail * numbers.f_frsize


def _device_problem(path: str) -> str:
    if not Path(path).exists():
        return "there is no such device"
    return "" if os.access(path, os.R_OK | os.W_OK) else "no right to use it"


def _word(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # a kernel without CONFIG_WATCHDOG_SYSFS
        return ""
