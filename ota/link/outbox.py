"""What is on its way out of a port that takes as much as it likes."""

from __future__ import annotations

from typing import Any

from drivers.interfaces import Serial
from ota.link.frames import encode, longest_frame
from ota.link.messages import Terms


class Outbox:
    """At most two of the longest frames and some short ones wait here.

    What finds no room is dropped: the other side asks again for what it has not got.

    Args:
        terms: the longest frame.

    Attributes:
        dropped: frames that found no room.
    """

    def __init__(self, terms: Terms) -> None:
        self._frame_bytes = longest_frame(terms.frame_bytes)
        self._waiting = bytearray()
        self.dropped = 0

    @property
    def is_full(self) -> bool:
        """Whether the longest frame might find no room: take nothing more in until it is sent."""
        return len(self._waiting) > self._frame_bytes

    def put(self, message: list[Any]) -> None:
        """Send this when there is room."""
        frame = encode(message)
        if len(self._waiting) + len(frame) > 2 * self._frame_bytes:
            self.dropped += 1
        else:
            self._waiting += frame

    def flush(self, port: Serial) -> bool:
        """Hand over what the port takes; returns whether it took anything. Raises LinkFault."""
        if not self._waiting:
            return False
        taken = port.write(self._waiting)
        del self._waiting[:taken]
        return taken > 0

    def clear(self) -> None:
        """Nobody is there any more who waits for it."""
        self._waiting.clear()
