"""The stage heat: a board that gets too hot does less, in a declared order, and never no alarms.

1. from `shed_c` on far people's skeletons, and all that a loop which is behind leaves out;
2. from `slow_c` on every second picture, too;
3. from `too_hot_c` on `heat_fault`: the board may soon switch itself off, and the relay drops.
Each ends `settle_c` below its limit. The thermometers are read now and then, on the loop's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.faults import ThermalFault
from drivers.thermal import Thermometer
from drivers.thermal_config import ThermalConfig
from runtime.context import Context
from runtime.health import Health
from runtime.loop import Stage, always

if TYPE_CHECKING:
    from runtime.hardware import Hardware

TOO_HOT: Final = "too_hot"
STEPS: Final = (("heat_shed", "far people are left out"), ("heat_slow", "every second picture"))
"""What is told of each step of doing less: rule and reason."""


class Heat:
    """Reads, and says in `context.shed` how much to leave out.

    Args:
        thermometer: None where it could not be had.
        problem: why not, or "".
        config: limits.
        health: is told the temperature and the step, for the status.
    """

    def __init__(
        self, thermometer: Thermometer | None, problem: str, config: ThermalConfig, health: Health
    ) -> None:
        self._thermometer, self._reason = thermometer, problem
        self._limits = (config.shed_c, config.slow_c)
        self._too_hot_c, self._settle_c = config.too_hot_c, config.settle_c
        self._every_ms = float(config.look_ms)
        self._health = health
        self._next_ms = 0.0
        self._level = 0
        self._celsius = 0.0
        self._read()

    def __call__(self, context: Context) -> None:
        """Read when it is time; the fault is raised by the stage health."""
        if self._thermometer is not None and context.now_ms >= self._next_ms:
            self._next_ms = context.now_ms + self._every_ms
            self._read()
            self._step(context)
        context.shed = self._level
        if self._reason:
            context.reasons["thermal"] = self._reason

    def _read(self) -> None:
        """The hottest zone; a governor that is another one is no business of the loop."""
        thermometer = self._thermometer
        if thermometer is None:
            return
        reason = ""
        try:
            thermometer.read()
        except ThermalFault as fault:
            reason = fault.reason
        if reason == "cannot_read":
            self._reason = reason
            return
        self._celsius = self._health.celsius = thermometer.reading.hottest_c
        least_c = self._too_hot_c - (self._settle_c if self._reason == TOO_HOT else 0.0)
        self._reason = TOO_HOT if self._celsius >= least_c else ""

    def _step(self, context: Context) -> None:
        """Up at a limit, down below it by `settle_c`; each step is written down."""
        level = self._level
        while level < len(STEPS) and self._celsius >= self._limits[level]:
            self._tell(context, level, "raised")
            level += 1
        while level and self._celsius < self._limits[level - 1] - self._settle_c:
            level -= 1
            self._tell(context, level, "cleared")
        self._level = self._health.shed = level

    def _tell(self, context: Context, step: int, state: str) -> None:
        rule, reason = STEPS[step]
        why: dict[str, object] = {
            "reason": reason,
            "detail": f"{self._celsius:.1f} C, limit {self._limits[step]:g} C",
        }
        context.events.add("fault", context.t_ms, context.frame.frame_id, state, why, rule=rule)


def heat_stages(
    hardware: Hardware, config: ThermalConfig | None, health: Health
) -> tuple[Stage, ...]:
    """The row of the stage table, before all others; none for a board without `[thermal]`."""
    if config is None:
        return ()
    thermometer, problem = hardware.thermometer(config)
    return (Stage("heat", Heat(thermometer, problem, config, health), always, 0.1),)
