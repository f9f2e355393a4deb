"""The technician's end of the wire: messages out, messages in, and nothing that waits for long."""

from __future__ import annotations

from typing import Any, Final

from drivers.interfaces import Clock, Serial
from ota.link.frames import Decoder, encode

POLL_MS: Final = 2.0
READ_BYTES: Final = 1 << 16
AUTOBOOT: Final = b"autoboot"
"""A boot loader counts down on a console that is shared: a key stroke now would stop it."""
HOLD_MS: Final = 5000.0


class Talk:
    """Messages over one port.

    Args:
        port: open; `replace` puts another in its place.
        clock: injected time.

    Attributes:
        sent_bytes: on the wire so far.
        moved_ms: when the port last took some.
        decoder: its counts tell of the line.
    """

    def __init__(self, port: Serial, clock: Clock) -> None:
        self._port, self._clock = port, clock
        self._waiting = bytearray()
        self._heard = b""
        self._hold_ms = -HOLD_MS
        self.decoder = Decoder()
        self.sent_bytes = 0
        self.moved_ms = 0.0

    @property
    def waiting_bytes(self) -> int:
        """Not yet taken by the port."""
        return len(self._waiting)

    def now_ms(self) -> float:
        """Injected time, ms."""
        return self._clock.now_ms()

    def send(self, message: list[Any]) -> None:
        """Queue a message, and hand over what the port takes. Raises LinkFault."""
        self._waiting += encode(message)
        self._flush()

    def receive(self) -> list[list[Any]]:
        """Messages that have come; waits POLL_MS when there are none. Raises LinkFault."""
        self._flush()
        data = self._port.read(READ_BYTES)
        if not data:
            self._clock.sleep_until_ms(self._clock.now_ms() + POLL_MS)
            data = self._port.read(READ_BYTES)
        self._heard = (self._heard + data)[-2 * len(AUTOBOOT) - len(data) :]
        if AUTOBOOT in self._heard:
            self._hold_ms, self._heard = self._clock.now_ms(), b""
        return self.decoder.feed(data, self._clock.now_ms())

    def rest(self, for_ms: float) -> None:
        """Wait."""
        self._clock.sleep_until_ms(self._clock.now_ms() + for_ms)

    def replace(self, port: Serial) -> None:
        """Go on with another port; what was under way is lost."""
        self.close()
        self._port = port
        self._waiting.clear()
        self.decoder.reset()

    def close(self) -> None:
        """Close the port. May be called twice."""
        self._port.close()

    def _flush(self) -> None:
        if self._waiting and self._clock.now_ms() - self._hold_ms >= HOLD_MS:
            taken = self._port.write(self._waiting)
            self.sent_bytes += taken
            if taken:
                self.moved_ms = self._clock.now_ms()
            del self._waiting[:taken]
