"""One serial cable with Modbus RTU devices: a thread of its own writes what is due to each.

Nobody waits for the cable but this thread. Every output has a slot with its newest wish; a wish
that is not confirmed is tried again, a confirmed one is repeated, so that a siren that falls silent
by itself stays on. A port that is gone is opened again. Bounded: one thread, one slot per output.
"""

from __future__ import annotations

import termios
import threading
from dataclasses import dataclass
from typing import Any

import minimalmodbus
import serial

from drivers.faults import OutputFault
from drivers.interfaces import Clock
from drivers.output_config import OutputConfig

STACK_BYTES = 512 << 10
"""Enough for the library; the default of 8 MiB counts against RLIMIT_AS."""
RETRY_MS = 100.0
"""Between two attempts that failed, so that a dead device does not keep the cable busy."""
IDLE_S = 60.0
JOIN_S = 2.0
PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


@dataclass(eq=False)
class Slot:
    """What one output wishes, and what is known of it; guarded by the bus's lock.

    Attributes:
        wish: level that it shall have; None: nothing has been wished yet.
        confirmed: level that the device has confirmed last.
        due_ms: when the wish has to be written (again); inf without one.
        again_ms: not before this, after an attempt that failed.
        fault: why the last attempt failed; None where it did not.
    """

    config: OutputConfig
    wish: bool | None = None
    confirmed: bool | None = None
    due_ms: float = float("inf")
    again_ms: float = 0.0
    fault: OutputFault | None = None

    @property
    def next_ms(self) -> float:
        """When it is this one's turn."""
        return max(self.due_ms, self.again_ms)


class Bus:
    """The cable. Start it before the memory is sealed.

    Args:
        config: of the first output on it: port and speed.
        clock: monotonic time.
    """

    def __init__(self, config: OutputConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._slots: list[Slot] = []
        self._change = threading.Condition()
        self._ends = False
        self._port: Any = None
        self._thread = threading.Thread(target=self._run, name="modbus", daemon=True)
        before = threading.stack_size(STACK_BYTES)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise OutputFault("no_thread", f"{config.port}: {error}") from error
        finally:
            threading.stack_size(before)

    def add(self, slot: Slot) -> None:
        """One more output."""
        with self._change:
            self._slots.append(slot)

    def remove(self, slot: Slot) -> bool:
        """One less; without any the thread ends. Returns whether that was the last one."""
        with self._change:
            self._slots.remove(slot)
            self._ends = not self._slots
            self._change.notify_all()
        if self._ends:
            self._thread.join(JOIN_S)
        return self._ends

    def post(self, slot: Slot, level: bool) -> None:
        """The newest wish takes the place of the one before. Never waits for the cable."""
        with self._change:
            if slot.wish is not level:
                slot.wish = level
                slot.due_ms, slot.again_ms = self._clock.now_ms(), 0.0
            self._change.notify_all()

    def late_ms(self, slot: Slot, now_ms: float) -> tuple[float, OutputFault | None]:
        """For how long its wish has been due, ms, and why the last attempt failed."""
        with self._change:
            return now_ms - slot.due_ms, slot.fault

    def wait(self, slot: Slot, timeout_ms: float) -> bool:
        """Wait until the wish is confirmed; real time, whatever the clock."""
        with self._change:
            return self._change.wait_for(lambda: slot.confirmed is slot.wish, timeout_ms / 1e3)

    def _run(self) -> None:
        while (slot := self._next()) is not None:
            level = slot.wish
            fault = self._write(slot.config, bool(level))
            with self._change:
                self._note(slot, level, fault)
                self._change.notify_all()
        self._close()

    def _next(self) -> Slot | None:
        """The slot that has been due longest, when one is; None: the end."""
        with self._change:
            while not self._ends:
                slot = min(self._slots, key=lambda each: each.next_ms, default=None)
                wait_ms = slot.next_ms - self._clock.now_ms() if slot else float("inf")
                if wait_ms <= 0:
                    return slot
                self._change.wait(min(wait_ms / 1e3, IDLE_S))
            return None

    def _note(self, slot: Slot, level: bool | None, fault: OutputFault | None) -> None:
        now_ms = self._clock.now_ms()
        slot.fault = fault
        if fault is not None:
            slot.again_ms = now_ms + RETRY_MS
            return
        slot.confirmed = level
        if slot.wish is level:
            slot.due_ms = now_ms + slot.config.repeat_ms

    def _write(self, config: OutputConfig, level: bool) -> OutputFault | None:
        """One request and its answer, which has to be its echo."""
        where = f"{config.name}: {config.port} unit {config.unit}"
        try:
            device = self._device(config)
            if config.coil is not None:
                device.write_bit(config.coil, int(level), functioncode=5)
            else:
                value = config.on_value if level else config.off_value
                device.write_register(config.register, value, functioncode=6)
        except minimalmodbus.NoResponseError:
            return OutputFault("no_answer", f"{where}: silent for {config.answer_ms} ms")
        except minimalmodbus.SlaveReportedException as error:
            return OutputFault("refused", f"{where}: {error}")
        except minimalmodbus.ModbusException as error:
            return OutputFault("bad_answer", f"{where}: {error}")
        except (OSError, termios.error) as error:  # serial.SerialException is an OSError
            self._close()
            return OutputFault("port_gone", f"{where}: {error}")
        return None

    def _device(self, config: OutputConfig) -> Any:
        """The device behind the port, which is opened where it is not. Raises OSError."""
        wait_s = config.answer_ms / 1e3
        if self._port is None:
            self._port = serial.Serial(
                self._config.port,
                self._config.baud,
                parity=PARITIES[self._config.parity],
                stopbits=self._config.stop_bits,
                timeout=wait_s,
                write_timeout=wait_s,
                exclusive=True,
            )
        self._port.timeout = wait_s
        return minimalmodbus.Instrument(self._port, config.unit)

    def _close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()
