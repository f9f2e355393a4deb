"""What a board file says beyond its own schema: drivers and networks that are there, and notes.

Mistakes keep a camera from starting. Notes are what the board's porter should know, and may want.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from drivers.board import Board, load_board
from drivers.faults import ModelRefused
from drivers.npu_config import RKNN, NpuConfig
from drivers.toml_strict import Check, Complaint
from models.package import find_package, read_info, target_file
from runtime import plugins

ROLES = ("detector", "skeleton", "action")
DRIVERS = {
    "camera": "camera.driver",
    "npu": "npu.driver",
    "storage": "storage.driver",
    "watchdog": "watchdog.driver",
    "dead_man": "dead_man.driver",
    "output": "outputs[].driver",
    "input": "inputs[].driver",
    "worker": "updates.worker",
}
"""Where each kind of driver is named."""
ListDrivers = Callable[[str], list[str]]
"""Kind of a driver -> their names."""


def check_board(file: str | Path, list_drivers: ListDrivers | None = None) -> Board:
    """Read a board file, and look for what it names as far as any machine can.

    Args:
        file: its path.
        list_drivers: of what is installed.

    Raises:
        ConfigErrors: every mistake, also drivers that nobody provides, and packages that come with
            the runtime and have no file for this NPU.
    """
    names = list_drivers or partial(plugins.names, plugins.DRIVERS)
    drivers = (Check((key,), partial(_driver, key, kind, names)) for kind, key in DRIVERS.items())
    packages = (Check((f"models.{role}", "npu"), partial(_package, role)) for role in ROLES)
    return load_board(file, (*drivers, *packages))


def _driver(
    key: str, kind: str, names: ListDrivers, value: str | dict[str, str]
) -> Iterator[Complaint]:
    named = value if isinstance(value, dict) else {key: value}
    for at, name in named.items():
        if name not in names(kind):
            yield at, name, f"must be one of {', '.join(names(kind))}"


def _package(role: str, name: str, npu: NpuConfig) -> Iterator[Complaint]:
    """A folder that is not on this machine may be on the camera: `--live` looks there."""
    folder = find_package(name)
    if not name or not (folder.is_dir() or "/" not in name):
        return
    target = npu.target if npu.driver == RKNN else "tflite"
    try:
        info = read_info(folder)
        target_file(info, target, str(folder))
    except ModelRefused as refused:
        yield f"models.{role}", name, refused.reason
        return
    if info.role != role:
        yield f"models.{role}", name, f"must be a package of this role; it is of {info.role}"


def notes(board: Board) -> Iterator[str]:
    """What is allowed, and yet worth a look."""
    if not board.verified:
        yield "verified is empty: nothing was tried on this very board"
    if board.camera.source.startswith("/dev/video"):
        text = "changes with the order of plugging in: --live tells a name that stays"
        yield f"camera.source {board.camera.source} {text}"
    for output in board.outputs:
        if output.driver == "gpio" and output.chip.startswith("/dev/"):
            yield f"{output.name}: {output.chip} may change with the kernel: gpiodetect has a label"
        if output.role != "fault" and output.on_boot == "on":
            yield f"{output.name} is on from power-on until the runtime takes it over"
        if output.role == "strobe" and output.on_release == "on":
            yield f"{output.name} is on after a crash"
    if board.dead_man is None:
        yield f"no [dead_man]: a loop that hangs shows after {board.watchdog.timeout_ms} ms"
    if board.thermal is None:
        yield "no [thermal]: nobody looks at temperatures and clocks"
