"""A siren, strobe or relay behind a serial cable: Modbus RTU, a coil or a holding register.

`set` only posts the level and never waits: the cable's thread (`drivers.output.modbus_bus`) writes
and repeats it. `check` tells when the device has not confirmed it for `fault_ms`. Tested over
pseudo terminals against a small device of our own only.
"""

from __future__ import annotations

from drivers.faults import OutputFault
from drivers.interfaces import Clock
from drivers.output.modbus_bus import Bus, Slot
from drivers.output_config import OutputConfig

_buses: dict[str, Bus] = {}
"""By port: outputs on one cable share its thread."""


class ModbusOutput:
    """One coil or register. Implements `Output` and `Checked`.

    A port or device that is not there is no refusal at the start but a fault in operation, found by
    `check`: the camera watches on, and the siren works as soon as it is there.

    Args:
        config: port, speed, unit, coil or register, times.
        clock: monotonic time.

    Raises:
        OutputFault: reason "no_thread".

    Attributes:
        name: from the board file.
        level: last level wished.
    """

    def __init__(self, config: OutputConfig, clock: Clock) -> None:
        self.name = config.name
        self.level = config.on_boot == "on"
        self._config = config
        self._slot = Slot(config)
        self._bus: Bus | None = _buses.get(config.port)
        if self._bus is None:
            self._bus = _buses[config.port] = Bus(config, clock)
        self._bus.add(self._slot)

    def set(self, level: bool, now_ms: float) -> None:
        """Have the level written as soon as the cable is free. Raises OutputFault "released"."""
        if self._bus is None:
            raise OutputFault("released", f"{self.name}: it has been let go of")
        self.level = bool(level)
        self._bus.post(self._slot, self.level)

    def check(self, now_ms: float) -> None:
        """Whether the device confirms the level.

        Raises:
            OutputFault: it has not for `fault_ms`; reason "no_answer", "bad_answer", "refused" by
                the device, "port_gone", or "hung" when the port itself does not return.
        """
        if self._bus is None:
            return
        late_ms, fault = self._bus.late_ms(self._slot, now_ms)
        if late_ms <= self._config.fault_ms:
            return
        if fault is None:
            raise OutputFault("hung", f"{self.name}: {self._config.port} does not return")
        raise OutputFault(fault.reason, fault.detail)

    def release(self, now_ms: float) -> None:
        """Write the stated level and let go; waits `fault_ms` at most. May be called twice.

        Raises:
            OutputFault: reason "not_released" when the device does not confirm it.
        """
        bus, self._bus = self._bus, None
        if bus is None:
            return
        self.level = self._config.on_release == "on"
        bus.post(self._slot, self.level)
        is_confirmed = bus.wait(self._slot, self._config.fault_ms)
        if bus.remove(self._slot):
            del _buses[self._config.port]
        if not is_confirmed:
            raise OutputFault("not_released", f"{self.name}: the device does not confirm it")
