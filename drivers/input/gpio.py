"""A push button on a line of a GPIO chip, through libgpiod 2 (character device).

The kernel keeps the edges, so a press is seen however long the loop was busy, and debounces them
(in hardware where the chip can). One poll of a file descriptor per look while nobody presses.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

from drivers.faults import InputFault
from drivers.gpio_chip import chip_path
from drivers.interfaces import Clock
from drivers.operator_config import InputConfig

CONSUMER = "haetae"
BIASES = {
    "as_is": Bias.AS_IS,
    "pull_up": Bias.PULL_UP,
    "pull_down": Bias.PULL_DOWN,
    "disabled": Bias.DISABLED,
}


class GpioInput:
    """One button. Implements `Input`.

    Args:
        config: chip, line, polarity, bias, debounce.

    Raises:
        InputFault: there is no such chip or line, or somebody else holds it.
    """

    def __init__(self, config: InputConfig, _: Clock) -> None:
        self.name = config.name
        line: int | str = int(config.line) if config.line.isdecimal() else config.line
        try:
            chip = chip_path(config.chip, gpiod.Chip)
            self._request: Any = gpiod.request_lines(
                chip, consumer=CONSUMER, config={line: _settings(config)}
            )
            self._level = self._request.get_value(line) is Value.ACTIVE
        except (OSError, ValueError) as error:
            detail = f"{config.name}: {config.chip} line {config.line}: {error}"
            raise InputFault("cannot_request", detail) from error

    def pressed(self, now_ms: float) -> bool:
        """The level now, and once for a press that came and went. Raises InputFault."""
        was_pressed = False
        try:
            while self._request.wait_edge_events(timedelta(0)):
                for event in self._request.read_edge_events():
                    self._level = event.event_type is event.Type.RISING_EDGE
                    was_pressed = was_pressed or self._level
        except (OSError, ValueError) as error:
            raise InputFault("cannot_read", f"{self.name}: {error}") from error
        return self._level or was_pressed

    def close(self) -> None:
        """Let go of the line. May be called twice."""
        if self._request:
            self._request.release()
            self._request = None


def _settings(config: InputConfig) -> Any:
    """Edges are of the logical level: rising is pressed, whatever the polarity."""
    return gpiod.LineSettings(
        direction=Direction.INPUT,
        edge_detection=Edge.BOTH,
        bias=BIASES[config.bias],
        active_low=config.active_low,
        debounce_period=timedelta(milliseconds=config.debounce_ms),
    )
