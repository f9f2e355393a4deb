"""The chunks of an update that was offered, piece by piece.

An offer that the camera has taken opens a transfer. It holds for the connection it was made on, and
covers the chunks: no signature for each. Its token tells pieces of this transfer from older ones.
"""

from __future__ import annotations

from secrets import randbelow
from typing import Any

from ota.link.assembly import Assembly
from ota.link.messages import COMPLETE, MAX_STORED_BYTES, NO_TOKEN
from ota.refusal import Refused
from ota.service import Asker, Service


class Transfer:
    """The one of a link, and its buffer for one chunk.

    Args:
        service: takes whole chunks.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._assembly = Assembly(MAX_STORED_BYTES)
        self._session = b""
        self._by: Asker | None = None
        self._token = NO_TOKEN
        self._next = COMPLETE

    def begin(self, answer: dict[str, Any], by: Asker) -> int:
        """An offer was taken: its token. Half a chunk of the same bundle is kept.

        Args:
            answer: of the camera to the offer.
            by: who made it, and so sends all of its chunks.
        """
        session, self._next = bytes(answer["session"]), int(answer["next"])
        self._token = 1 + randbelow((1 << 32) - 1)
        held = self._assembly.key
        if held is not None and session == self._session and held[1] == self._next:
            self._assembly.rename((self._token, self._next))
        self._by, self._session = by, session
        return self._token

    def end(self) -> None:
        """The connection is no more: its chunks are not covered. Half a chunk stays for later."""
        self._by, self._token = None, NO_TOKEN

    def wants(self, token: int, index: int, total_bytes: int, offset: int) -> bool:
        """Whether a piece brings the transfer on."""
        key = token, index
        is_next = self._by is not None and key == (self._token, self._next)
        return is_next and self._assembly.lacks(key, total_bytes, offset)

    def put(
        self, token: int, index: int, total_bytes: int, offset: int, data: bytes, piece_bytes: int
    ) -> None:
        """A piece of the chunk that is wanted; of another one: passed over.

        Raises:
            Refused: "session": no such transfer; or what the camera says to the whole chunk.
        """
        if self._by is None or token != self._token:
            raise Refused("session", "offer the bundle again")
        if index != self._next:
            return
        self._assembly.begin((token, index), total_bytes, piece_bytes)
        self._assembly.put(offset, data)
        if self._assembly.is_complete:
            self._store(index, self._by)

    def wanted(self) -> list[int]:
        """For an ACK: [token, index or COMPLETE, first offset missing, bits of the later ones]."""
        if self._assembly.key != (self._token, self._next):
            return [self._token, self._next, 0, 0]
        return [self._token, self._next, self._assembly.next_offset, self._assembly.later]

    def _store(self, index: int, by: Asker) -> None:
        data = bytes(self._assembly.view())
        self._assembly.clear()
        arguments = {"session": self._session, "index": index, "data": data}
        self._next = int(self._service.ask("chunk", arguments, by)["next"])
