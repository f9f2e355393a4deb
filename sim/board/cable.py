"""A serial cable made of code: two pseudo terminals with bytes running between them."""

from __future__ import annotations

import os
import selectors
import tty
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from drivers.interfaces import Clock

BITS_PER_BYTE: Final = 10
"""On a line with 8N1: a start bit, 8, a stop bit."""
BUFFER_BYTES: Final = 1 << 16
"""On the way in one direction; a sender waits for more."""
READ_BYTES: Final = 4096


@dataclass
class _End:
    """One plug."""

    path: Path
    master: int = -1
    slave: int = -1
    waiting: bytearray = field(default_factory=bytearray)
    credit: float = 0.0

    def plug(self) -> None:
        """Make the device and give it its name."""
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        draft = self.path.with_name(self.path.name + ".new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(os.ttyname(self.slave))
        draft.replace(self.path)

    def unplug(self) -> None:
        """Take the device away: whoever has it open sees it hang up."""
        self.path.unlink(missing_ok=True)
        for number in (self.master, self.slave):
            if number >= 0:
                os.close(number)
        self.master = self.slave = -1
        self.waiting.clear()


class Cable:
    """A cable between two device names. Use it as a context manager, and call `run`.

    Args:
        one, other: paths at which the devices appear, as symbolic links.
        clock: injected time.
        baud: of the line; 0: as fast as it goes.
    """

    def __init__(self, one: Path, other: Path, clock: Clock, baud: int = 0) -> None:
        self._ends = _End(Path(one)), _End(Path(other))
        self._clock, self._per_ms = clock, baud / BITS_PER_BYTE / 1e3
        self._then_ms = clock.now_ms()
        self.carried_bytes = 0

    def __enter__(self) -> Cable:
        for end in self._ends:
            end.path.parent.mkdir(parents=True, exist_ok=True)
            end.plug()
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            end.unplug()

    def unplug(self) -> None:
        """Pull the plug of the second end."""
        self._ends[1].unplug()

    def plug(self) -> None:
        """Put it back."""
        self._ends[1].plug()

    def run(self, for_ms: float) -> None:
        """Carry bytes for so long."""
        until_ms = self._clock.now_ms() + for_ms
        while (now_ms := self._clock.now_ms()) < until_ms:
            self._earn(now_ms)
            with selectors.DefaultSelector() as ready:
                for end, peer in (self._ends, self._ends[::-1]):
                    wants = selectors.EVENT_READ if len(peer.waiting) < BUFFER_BYTES else 0
                    wants |= selectors.EVENT_WRITE if end.waiting and end.credit >= 1 else 0
                    if end.master >= 0 and wants:
                        ready.register(end.master, wants, (end, peer))
                rest_s = (until_ms - now_ms) / 1e3
                is_slow = self._per_ms and any(end.waiting for end in self._ends)
                for key, events in ready.select(min(rest_s, 0.002) if is_slow else rest_s):
                    self._move(*key.data, events)

    def _earn(self, now_ms: float) -> None:
        """Each direction may carry so many bytes more."""
        earned = (now_ms - self._then_ms) * self._per_ms
        self._then_ms = now_ms
        for end in self._ends:
            most = max(64.0, self._per_ms * 10)
            end.credit = min(most, end.credit + earned) if self._per_ms else float(BUFFER_BYTES)

    def _move(self, end: _End, peer: _End, events: int) -> None:
        if events & selectors.EVENT_READ:
            try:
                data = os.read(end.master, READ_BYTES)
            except (BlockingIOError, OSError):  # nobody has the other side open
                data = b""
            if peer.master >= 0:  # else: the bytes go nowhere
                peer.waiting += data
        if events & selectors.EVENT_WRITE:
            try:
                sent = os.write(end.master, end.waiting[: int(end.credit)])
            except BlockingIOError:
                return
            del end.waiting[:sent]
            end.credit -= sent
            self.carried_bytes += sent
