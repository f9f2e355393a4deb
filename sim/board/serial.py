"""A serial cable in virtual time: two ends, a baud rate, and what happens to cables."""

from __future__ import annotations

import random
from collections import deque

from drivers.interfaces import Clock
from sim.board.faults import Options

BAUD = 921_600
BITS_PER_BYTE = 10
"""Start, eight, stop."""
BUFFER_BYTES = 4096
"""Of each end's sender and receiver, as a UART driver of Linux has."""
NOISE_PERCENT = 2
"""Of damaged bytes, where the scenario does not say."""


class SerialCable:
    """Two ends that see each other's bytes later, and not always as they were sent.

    Args:
        clock: virtual time.
        faults: live table: "noise" (percent), "cut", "slow" (percent of the speed that is lost).
        seed: of the noise.
        baud: bits per second.

    Attributes:
        board: the firmware's end.
        technician: the other end.
    """

    def __init__(
        self, clock: Clock, faults: dict[str, Options], seed: int, baud: int = BAUD
    ) -> None:
        there, back = self._wires = tuple(
            _Wire(clock, faults, seed * 2 + way, baud / BITS_PER_BYTE / 1e3) for way in (0, 1)
        )
        self.board = SerialEnd(back, there)
        self.technician = SerialEnd(there, back)

    def settle(self) -> None:
        """Deliver what has come by now over the cable as it was: call before a fault changes."""
        for wire in self._wires:
            wire.deliver()


class SerialEnd:
    """One end. Implements `drivers.interfaces.Serial`."""

    def __init__(self, out: _Wire, into: _Wire) -> None:
        self._out = out
        self._into = into
        self._is_open = True

    def read(self, max_bytes: int) -> bytes:
        """Bytes that have arrived, at most so many."""
        return self._into.take(max_bytes) if self._is_open else b""

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Hand over bytes to send; returns how many were taken."""
        return self._out.put(bytes(data)) if self._is_open else 0

    def close(self) -> None:
        """Close. May be called twice."""
        self._is_open = False


class _Wire:
    """One direction."""

    def __init__(
        self, clock: Clock, faults: dict[str, Options], seed: int, bytes_per_ms: float
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._chance = random.Random(seed)
        self._bytes_per_ms = bytes_per_ms
        self._moving: deque[tuple[float, int]] = deque()
        self._free_ms = 0.0
        self._arrived = bytearray()

    def put(self, data: bytes) -> int:
        """Send as many as fit the sender's buffer; each arrives after its time on the wire."""
        self.deliver()
        now_ms = self._clock.now_ms()
        taken = data[: max(0, BUFFER_BYTES - len(self._moving))]
        slow = self._faults.get("slow")
        speed = self._bytes_per_ms * (1 - (slow["percent"] / 100 if slow else 0.0))
        self._free_ms = max(self._free_ms, now_ms)
        for byte in taken:
            self._free_ms += 1 / speed
            self._moving.append((self._free_ms, byte))
        return len(taken)

    def take(self, max_bytes: int) -> bytes:
        """What has arrived."""
        self.deliver()
        out = bytes(self._arrived[:max_bytes])
        del self._arrived[:max_bytes]
        return out

    def deliver(self) -> None:
        """Bytes whose time has come: lost on a cut cable, or when the receiver's buffer is full."""
        now_ms = self._clock.now_ms()
        is_cut, noise = "cut" in self._faults, self._faults.get("noise")
        share = noise.get("percent", NOISE_PERCENT) / 100 if noise is not None else 0.0
        while self._moving and self._moving[0][0] <= now_ms:
            _, byte = self._moving.popleft()
            if is_cut or len(self._arrived) >= BUFFER_BYTES:
                continue
            if share and self._chance.random() < share:
                byte ^= 1 << self._chance.randrange(8)
            self._arrived.append(byte)
