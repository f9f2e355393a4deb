"""A new board file for a porter: what is not known is empty, and so a mistake with its name."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

from msgspec import Struct, structs

import drivers
from drivers.board import Board

TEMPLATE = Path(__file__).with_name("board_new.toml")
BOARDS = Path(drivers.__file__).resolve().parent.parent / "board_configs"
"""The board files that come with the runtime."""
DEFAULTS: dict[str, str] = {
    "soc": '""',
    "address_space_mb": "0",
    "models": '{ detector = "ppe_s", skeleton = "skeleton_s", action = "action_xs" }',
    "atomic_unit_bytes": "0",
    "watchdog": '{ driver = "linux", timeout_ms = 5000 }',
    "thermal": '{ zones = [""] }',
    "supported": '["camera", "output", "watchdog", "thermal"]',
    "width_px": "640",
    "height_px": "480",
    "fps": "15.0",
    "npu": 'driver = "tflite" # on the CPU; other NPUs: docs/devices.md\nthreads = 1',
}
WIRED = ("chip", "line", "on_boot", "on_release")
TO_MEASURE = ("camera.source", *(f"outputs[{n}].{key}" for n in range(2) for key in WIRED))
"""Left empty always: what hangs on a board is nobody else's."""
TO_FILL = ("soc", "memory.address_space_mb", "storage.atomic_unit_bytes", "thermal.zones[0]")
"""Left empty where no other board says them."""


def shipped_boards() -> list[Path]:
    """The board files that come with the runtime, by name."""
    return sorted(BOARDS.glob("*.toml"))


def scaffold(name: str, like: Board | None = None) -> str:
    """A board file to be filled.

    Args:
        name: of the new board.
        like: a board with the same SoC, whose memory, NPU, watchdog and thermometers are taken.

    Returns:
        TOML of fewer than 40 lines; its mistakes are `TO_MEASURE` and, without `like`, `TO_FILL`.
    """
    places = DEFAULTS | (_taken(like) if like else {})
    origin = "Nothing of it was tried yet."
    if like:
        origin = f"Soc, memory, NPU, watchdog and thermometers are those of {like.name}. {origin}"
    text = TEMPLATE.read_text(encoding="utf-8")
    return Template(text).substitute(places, title=name, name=json.dumps(name), origin=origin)


def _taken(like: Board) -> dict[str, str]:
    taken = {
        "soc": _toml(like.soc),
        "address_space_mb": str(like.memory.address_space_mb),
        "models": _toml(like.models),
        "atomic_unit_bytes": str(like.storage.atomic_unit_bytes),
        "watchdog": _toml(like.watchdog),
        "supported": _toml([name for name in like.supported if name != "input"]),
        "width_px": str(like.camera.width_px),
        "height_px": str(like.camera.height_px),
        "fps": str(like.camera.fps),
        "npu": "\n".join(f"{key} = {_toml(value)}" for key, value in _stated(like.npu).items()),
    }
    return taken | ({"thermal": _toml(like.thermal)} if like.thermal else {})


def _stated(config: Struct) -> dict[str, Any]:
    """The fields of a section that are not as they would be without being written."""
    found = {}
    for field in structs.fields(config):
        value = getattr(config, field.name)
        default = field.default_factory() if callable(field.default_factory) else field.default
        if value != default:
            found[field.name] = value
    return found


def _toml(value: Any) -> str:
    """A value as TOML has it, on one line."""
    if isinstance(value, Struct):
        return _toml(_stated(value))
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)
