"""A UART line in virtual time, byte-exact in its timing, with what happens to lines."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from drivers.clock import VirtualClock
from drivers.faults import LinkFault

BAUD = 921_600
SENDER_BYTES = 4096
RECEIVER_BYTES = 65_536
"""What a UART driver of Linux holds: its own buffer, and that of the tty."""


class Bench(VirtualClock):
    """Time that lets the camera work while the technician's side waits."""

    def __init__(self, every_ms: float = 2.0) -> None:
        super().__init__()
        self.every_ms = every_ms
        self.next_ms = every_ms
        self.at: list[tuple[float, Callable[[], None]]] = []
        self.camera: Callable[[float], object] = lambda now_ms: None

    def sleep_until_ms(self, deadline_ms: float) -> None:
        while self.next_ms <= deadline_ms:
            super().sleep_until_ms(self.next_ms)
            self.next_ms += self.every_ms
            for due in [event for event in self.at if event[0] <= self.now_ms()]:
                self.at.remove(due)
                due[1]()
            self.camera(self.now_ms())
        super().sleep_until_ms(deadline_ms)


class Wire:
    """One direction: each byte takes its time; some frames are hit, some text comes between."""

    def __init__(self, clock: Bench, baud: int, seed: int) -> None:
        self.clock, self.bytes_per_ms = clock, baud / 10 / 1e3
        self.chance = random.Random(seed)
        self.turnaround_ms = 0.0
        self.hit_share = 0.0
        self.byte_hit_share = 0.0
        self.noise_share = 0.0
        self.is_cut = False
        self.sent = self.frames = self.hit = self.lost = 0
        self._moving: deque[tuple[float, bytes]] = deque()
        self._free_ms = 0.0
        self._arrived = bytearray()
        self._inside = False

    def put(self, data: bytes) -> int:
        self._deliver()
        waiting = sum(len(piece) for _, piece in self._moving)
        taken = data[: max(0, SENDER_BYTES - waiting)]
        if not taken:
            return 0
        start_ms = max(self._free_ms, self.clock.now_ms() + self.turnaround_ms)
        self.sent += len(taken)
        spoiled = self._spoil(taken)
        self._moving.append((start_ms, spoiled))
        self._free_ms = start_ms + len(spoiled) / self.bytes_per_ms
        return len(taken)

    def take(self, most: int) -> bytes:
        self._deliver()
        out = bytes(self._arrived[:most])
        del self._arrived[:most]
        return out

    def cut(self, is_cut: bool) -> None:
        self._deliver()
        self.is_cut = is_cut

    def say(self, text: bytes) -> None:
        """A console prints in between."""
        self._moving.append((max(self._free_ms, self.clock.now_ms()), text))
        self._free_ms = self._moving[-1][0] + len(text) / self.bytes_per_ms

    def _deliver(self) -> None:
        now_ms = self.clock.now_ms()
        while self._moving:
            start_ms, data = self._moving[0]
            count = min(len(data), int((now_ms - start_ms) * self.bytes_per_ms + 1e-6))
            if count <= 0:
                return
            if self.is_cut or len(self._arrived) + count > RECEIVER_BYTES:
                self.lost += count
            else:
                self._arrived += data[:count]
            if count < len(data):
                self._moving[0] = (start_ms + count / self.bytes_per_ms, data[count:])
                return
            self._moving.popleft()

    def _spoil(self, data: bytes) -> bytes:
        """Hit one byte of a share of the frames; print kernel messages within a share of them."""
        out = bytearray()
        for byte in data:
            begins = byte != 0 and not self._inside
            self._inside = byte != 0
            if begins:
                self.frames += 1
                if self.chance.random() < self.hit_share:
                    self.hit += 1
                    byte ^= 1 << self.chance.randrange(8)
                if self.chance.random() < self.noise_share:
                    out += self.printk()
            if self.byte_hit_share and self.chance.random() < self.byte_hit_share:
                byte ^= 1 << self.chance.randrange(8)
            out.append(byte)
        return bytes(out)

    def printk(self) -> bytes:
        ms = self.chance.randrange(10**9)
        return f"\r\n[{ms / 1e6:12.6f}] usb 1-1: new full-speed USB device number 4\r\n".encode()


class End:
    """One end. A pulled plug is a fault on the technician's side, and silence on the camera's."""

    def __init__(self, out: Wire, into: Wire) -> None:
        self.out, self.into = out, into
        self.is_pulled = False

    def read(self, max_bytes: int) -> bytes:
        self._check()
        return self.into.take(max_bytes)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        self._check()
        return self.out.put(bytes(data))

    def close(self) -> None:
        self.is_pulled = True

    def _check(self) -> None:
        if self.is_pulled:
            raise LinkFault("gone", "the adapter was pulled")


class Line:
    """A cable between a camera and a technician."""

    def __init__(self, clock: Bench, baud: int = BAUD, seed: int = 1) -> None:
        self.there, self.back = Wire(clock, baud, 2 * seed), Wire(clock, baud, 2 * seed + 1)
        self.camera = End(self.back, self.there)
        self.technician = End(self.there, self.back)

    def pull(self) -> None:
        self.technician.is_pulled = True
        for wire in (self.there, self.back):
            wire.cut(True)

    def plug(self) -> End:
        """The adapter is back: the technician's side opens it anew."""
        for wire in (self.there, self.back):
            wire.cut(False)
        self.technician = End(self.there, self.back)
        return self.technician
