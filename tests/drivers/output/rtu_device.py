"""A Modbus RTU device at the far end of a pseudo terminal, with faults to plant."""

from __future__ import annotations

import os
import pty
import select
import struct
import threading
import tty

WRITE_COIL, WRITE_REGISTER = 5, 6
BUSY = 6
"""Exception code of Modbus: server device busy."""


def crc(data: bytes) -> bytes:
    """CRC-16 of Modbus (polynomial 0xA001), low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


class RtuDevice:
    """Answers writes of coils and registers for the units that it has.

    Attributes:
        path: the port for the driver under test.
        units: addresses that answer.
        coils, registers: (unit, address) -> value written last.
        writes: all requests that were carried out, as (unit, function, address, value).
        fault: "", "silent", "busy", "bad_crc", "other_echo" or "half": what it does from now on.
        bad: requests with a wrong check sum.
    """

    def __init__(self, *units: int) -> None:
        self._near, far = pty.openpty()
        tty.setraw(far)
        self.path = os.ttyname(far)
        self._far = far
        self.units = set(units or (1,))
        self.coils: dict[tuple[int, int], int] = {}
        self.registers: dict[tuple[int, int], int] = {}
        self.writes: list[tuple[int, int, int, int]] = []
        self.fault = ""
        self.bad = 0
        self._ends = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        """Pull the adapter: the port ends."""
        self._ends = True
        self._thread.join()
        os.close(self._near)
        os.close(self._far)

    def _run(self) -> None:
        while not self._ends:
            if select.select([self._near], [], [], 0.01)[0]:
                self._hear(self._frame())

    def _frame(self) -> bytes:
        frame = b""
        while len(frame) < 8 and select.select([self._near], [], [], 0.05)[0]:
            frame += os.read(self._near, 8 - len(frame))
        return frame

    def _hear(self, frame: bytes) -> None:
        if crc(frame[:-2]) != frame[-2:]:
            self.bad += 1
            return
        unit, function, address, value = struct.unpack(">BBHH", frame[:-2])
        if unit not in self.units or self.fault == "silent":
            return
        if self.fault == "busy":
            self._say(struct.pack(">BBB", unit, function | 0x80, BUSY))
            return
        if self.fault == "other_echo":
            self._say(struct.pack(">BBHH", unit, function, address, value ^ 0xFF00))
            return
        store = self.coils if function == WRITE_COIL else self.registers
        store[unit, address] = value
        self.writes.append((unit, function, address, value))
        self._say(frame[:-2])

    def _say(self, answer: bytes) -> None:
        check = crc(answer) if self.fault != "bad_crc" else b"\0\0"
        whole = answer + check
        os.write(self._near, whole[:5] if self.fault == "half" else whole)
