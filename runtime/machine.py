"""A running camera: its parts in one place, and which camera driver a source needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.camera.supervised import SupervisedCamera
from drivers.interfaces import Clock
from runtime.alarm import Alarms
from runtime.context import Context
from runtime.control import Control
from runtime.counts import Counts
from runtime.health import Health
from runtime.loop import Loop
from runtime.memory import Seal
from runtime.metrics import Metrics
from runtime.outputs import Outputs
from runtime.record import Recorder
from runtime.rules.engine import Rules

if TYPE_CHECKING:
    from runtime.update_service import UpdateService
    from runtime.updates import Updates


@dataclass
class Machine:
    """Everything that runs. Made by `boot`, ended by its context manager."""

    loop: Loop
    context: Context
    camera: SupervisedCamera
    outputs: Outputs
    alarms: Alarms
    control: Control
    health: Health
    metrics: Metrics
    seal: Seal
    recorder: Recorder
    clock: Clock
    rules: Rules
    counts: Counts | None = None
    updates: Updates | None = None
    service: UpdateService | None = None


def camera_driver(source: str, default: str) -> str:
    """Which camera driver a `--source` needs; the board's own when there is none."""
    if not source:
        return default
    scheme = source.split(":", 1)[0]
    if scheme in ("rtsp", "rtsps", "http", "https"):
        return "stream"
    if scheme == "synthetic":
        return "synthetic"
    if source.startswith("/dev/"):
        return "v4l2"
    return "folder" if Path(source).is_dir() else "video"
