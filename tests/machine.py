"""Start cameras as processes, whole or with planted faults."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.pack import pack, pack_movenet
from models.package import DESCRIPTION, STUDENTS
from tests.places import REPOSITORY, data_root

BOARD = REPOSITORY / "board_configs/sim.toml"
SITES = REPOSITORY / "board_configs/site"


def haetae(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "runtime.main", *map(str, arguments)]
    return subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False, **options
    )


def camera(tmp_path: Path, *arguments: object, site: str = "zone_whole_view") -> list[object]:
    """Arguments of `haetae run` on the simulated board with all its files in `tmp_path`."""
    return [
        *("run", "--board", BOARD, "--site", SITES / f"{site}.toml"),
        *("--journal", tmp_path / "journal.ring", "--events", tmp_path / "events.jsonl"),
        *("--metrics", tmp_path / "metrics.json", *arguments),
    ]


def events(tmp_path: Path) -> list[dict[str, Any]]:
    """The event lines that a camera left."""
    return [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]


def metrics(tmp_path: Path) -> dict[str, Any]:
    """The figures that a camera left."""
    report: dict[str, Any] = json.loads((tmp_path / "metrics.json").read_text())
    return report


def faulty(timeout_s: float = 240, **plan: Any) -> dict[str, Any]:
    """Run `tests.faulty` on a plan; returns its events, output edges, end and report."""
    command = [sys.executable, "-m", "tests.faulty", json.dumps(plan)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def reference(folder: Path, size: str = "320x256") -> Path:
    """The reference detector of the data sets as a package; skips where it is absent."""
    description = data_root() / f"models/reference/yolox_nano_person_{size}_int8.json"
    if not description.is_file():
        pytest.skip(f"HAETAE_DATA has no {description.name}")
    pack(description, folder, score=0.3, nms_iou=0.6)
    return folder


def skeleton_package(folder: Path) -> Path:
    """The shipped skeleton student, or a packed stand-in; skips where there is neither."""
    shipped = STUDENTS / "skeleton_s"
    if (shipped / DESCRIPTION).is_file():
        return shipped
    stand_in = data_root() / "models/coral/movenet_single_pose_lightning_ptq.tflite"
    if not stand_in.is_file():
        pytest.skip(f"no skeleton package, and HAETAE_DATA has no {stand_in.name}")
    pack_movenet(stand_in, folder, score=0.2)
    return folder
