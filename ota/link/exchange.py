"""Questions and answers over a line that loses some: asked again until they are answered."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import randbelow
from typing import Any, Final

from ota.link.lost import Forgotten, LinkLost, as_refused
from ota.link.messages import MAX_ANSWER_BYTES, NO_TOKEN, Kind, Terms
from ota.link.sender import Sender
from ota.link.talk import Talk
from ota.refusal import Refused

AGAIN_MS: Final = 700.0
"""After so long without an answer a question is put again; it is done only once."""
MOST_AGAIN_MS: Final = 3000.0


class Exchange:
    """One conversation with a camera.

    Args:
        talk: the wire.
        terms: until the camera says otherwise.

    Attributes:
        terms: agreed.
    """

    def __init__(self, talk: Talk, terms: Terms) -> None:
        self.talk = talk
        self.terms = terms
        self._conversation = randbelow(1 << 16) << 16
        self._sent = 0

    def count(self) -> int:
        """The next sequence number of this conversation."""
        self._sent = (self._sent + 1) & 0xFFFF
        return self._conversation | self._sent

    def once(self, message: list[Any], timeout_ms: float) -> Iterator[tuple[int, list[Any]]]:
        """Send a message again and again, and give what comes in answer to it, until time is up.

        Args:
            message: [kind, sequence, ...].
            timeout_ms: for all of it.

        Raises:
            Forgotten: the camera does not know this conversation.
        """
        start_ms = self.talk.now_ms()
        again_ms, wait_ms, times = start_ms, AGAIN_MS, 0
        while self.talk.now_ms() - start_ms < timeout_ms:
            if self.talk.now_ms() >= again_ms and not self.talk.waiting_bytes:
                self.talk.send(message)
                times += 1
                again_ms, wait_ms = self.talk.now_ms() + wait_ms, min(2 * wait_ms, MOST_AGAIN_MS)
            for kind, sequence, *parts in self.talk.receive():
                if sequence == message[1] and kind == Kind.STRANGER:
                    raise Forgotten(may_be_done=times > 1)
                if sequence == message[1] and not _is_flood(kind, parts):
                    yield kind, parts

    def long(
        self, number: int, question: bytes, timeout_ms: float
    ) -> Iterator[tuple[int, list[Any]]]:
        """The same with a question that is longer than a frame."""
        source = OneItem(number, question)
        sender = Sender(self.talk.send, self.count, self.terms, NO_TOKEN, source, number)
        start_ms = self.talk.now_ms()
        while (now_ms := self.talk.now_ms()) - start_ms < timeout_ms:
            sender.fill(now_ms)
            sender.nudge(now_ms, self.talk.moved_ms)
            for kind, sequence, *parts in self.talk.receive():
                is_ours = sequence == number or sender.is_flying(sequence)
                if is_ours and kind == Kind.STRANGER:
                    raise Forgotten(may_be_done=sender.silent > 0)
                if kind == Kind.ACK and _is_ack(parts, NO_TOKEN):
                    sender.answered(sequence, parts[1:], self.talk.now_ms())
                elif is_ours and not _is_flood(kind, parts):
                    yield kind, parts

    def whole(self, number: int, total: int, first: bytes, timeout_ms: float) -> bytes:
        """The pieces of a long answer, one after the other."""
        whole = bytearray(first)
        if total > MAX_ANSWER_BYTES or not first:
            raise Refused("too_long", f"the answer has {total} bytes")
        while len(whole) < total:
            whole += self._next_piece(number, len(whole), timeout_ms)
        return bytes(whole)

    def _next_piece(self, number: int, offset: int, timeout_ms: float) -> bytes:
        for kind, parts in self.once([Kind.MORE, number, offset], timeout_ms):
            match kind, parts:
                case Kind.LONG_ANSWER, [int() as at, int(), bytes() as piece] if piece:
                    if at == offset:
                        return piece
                case Kind.REFUSED, _:
                    raise as_refused(parts)
        raise LinkLost("the answer stopped half-way", self.advice())

    def advice(self) -> str:
        """What to do when no camera answers."""
        noise = self.talk.decoder.noise_bytes
        if noise and not self.talk.decoder.frames:
            return (
                f"{noise} bytes came that are no frames: is it the camera's port, at the right baud"
                " rate, or is the camera still starting?"
            )
        return "check cable and power; if somebody else is connected, wait until they are done"


class OneItem:
    """A long question, as a `Source`."""

    def __init__(self, number: int, data: bytes) -> None:
        self.last = number
        self._data = data

    def size(self, index: int) -> int:
        """Bytes."""
        return len(self._data)

    def read(self, index: int) -> bytes:
        """All of them."""
        return self._data


def _is_ack(parts: list[Any], token: int) -> bool:
    match parts:
        case [int() as of, int(), int(), int()]:
            return of == token
        case _:
            return False


def _is_flood(kind: int, parts: list[Any]) -> bool:
    """A refusal that is no answer: too much was asked just now; the question is put again."""
    return kind == Kind.REFUSED and bool(parts) and parts[0] == "too_many"
