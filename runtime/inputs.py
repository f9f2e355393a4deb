"""The operator's buttons: one press is one command, however long it lasts."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.faults import InputFault
from drivers.interfaces import Input
from drivers.operator_config import InputConfig

RETRY_MS = 1000.0
"""Pause before a button that could not be read is looked at again."""


class Button:
    """One button: only the edge counts, after it was released for long enough.

    Args:
        config: role, debounce and stuck times.
        device: the line.

    Attributes:
        reason: why it is of no use now, or "".
    """

    def __init__(self, config: InputConfig, device: Input) -> None:
        self.name, self.role = config.name, config.role
        self.device = device
        self.reason = ""
        self._config = config
        self._is_pressed = True  # held down at the start is no press
        self._changed_ms: float | None = None
        self._retry_ms = 0.0

    def poll(self, now_ms: float) -> bool:
        """True in the one call in which a press begins."""
        if now_ms < self._retry_ms:
            return False
        try:
            pressed = self.device.pressed(now_ms)
        except InputFault as fault:
            self.reason, self._retry_ms = fault.reason, now_ms + RETRY_MS
            return False
        if self._changed_ms is None:
            self._changed_ms = now_ms
        if pressed is self._is_pressed:
            held_ms = now_ms - self._changed_ms
            is_stuck = pressed and held_ms >= self._config.stuck_ms
            self.reason = f"button_stuck: {self.name}" if is_stuck else ""
            return False
        rested_ms, self._changed_ms = now_ms - self._changed_ms, now_ms
        self._is_pressed, self.reason = pressed, ""
        return pressed and rested_ms >= self._config.debounce_ms


class Inputs:
    """All buttons of the board.

    Args:
        buttons: those that are there.
        problem: why one is not, or "".
    """

    def __init__(self, buttons: Sequence[Button] = (), problem: str = "") -> None:
        self._buttons = tuple(buttons)
        self._problem = problem

    def __len__(self) -> int:
        return len(self._buttons)

    @property
    def reason(self) -> str:
        """Why a button is of no use now, or ""."""
        if self._problem:
            return self._problem
        return next((button.reason for button in self._buttons if button.reason), "")

    def poll(self, now_ms: float) -> list[Button]:
        """The buttons whose press begins now."""
        return [button for button in self._buttons if button.poll(now_ms)]

    def close(self) -> None:
        """Let go of the lines."""
        for button in self._buttons:
            button.device.close()
