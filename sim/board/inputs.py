"""Push buttons made of code: the scenario presses them."""

from __future__ import annotations

from drivers.interfaces import Clock
from drivers.operator_config import InputConfig


class RecordedInput:
    """A button that is pressed by whoever calls `press`. Implements `Input`."""

    def __init__(self, config: InputConfig, _: Clock) -> None:
        self.name = config.name
        self._is_down = self._was_pressed = False

    def press(self) -> None:
        """Somebody puts a finger on it."""
        self._is_down = self._was_pressed = True

    def let_go(self) -> None:
        """The finger is gone."""
        self._is_down = False

    def pressed(self, now_ms: float) -> bool:
        """While it is down, and once for a press that came and went."""
        was_pressed, self._was_pressed = self._was_pressed, False
        return self._is_down or was_pressed

    def close(self) -> None:
        """Nothing to close; may be called twice."""
