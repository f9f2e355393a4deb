"""An output that is a file, for tests of what another process holds: "1" or "0"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drivers.faults import OutputFault


class LevelFile:
    """Implements `Output`. Its name is the file; a file "refuse" beside it makes it refuse."""

    def __init__(self, config: Any, clock: Any) -> None:
        self.name = config.name
        self.level = False
        self._release_level = config.on_release == "on"
        if not Path(self.name).parent.is_dir():
            raise OutputFault("missing", f"no folder {Path(self.name).parent}")
        self.set(False, clock.now_ms())

    def set(self, level: bool, now_ms: float) -> None:
        if Path(self.name).with_name("refuse").exists():
            raise OutputFault("refused", "the test says so")
        Path(self.name).write_text("1" if level else "0")
        self.level = level

    def release(self, now_ms: float) -> None:
        Path(self.name).write_text("1" if self._release_level else "0")
