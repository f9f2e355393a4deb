"""The last answer, kept for a question that comes twice; a long one is read in pieces."""

from __future__ import annotations

from typing import Any

from ota import wire
from ota.link.messages import MAX_ANSWER_BYTES, Kind, Terms


class Answers:
    """One answer, at most MAX_ANSWER_BYTES long.

    Attributes:
        number: of the question that it is for.
    """

    number: int | None

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """There is none."""
        self.number, self._crc = None, 0
        self._packed = b""
        self._refusal: list[Any] = []

    def keep(self, number: int, crc: int, answer: list[Any]) -> None:
        """[result] or [reason, detail], in place of the one before.

        Args:
            number: of the question.
            crc: of the question, so that another one with its number is told apart.
            answer: what is to be said.
        """
        self.forget()
        self.number, self._crc = number, crc
        if len(answer) == 1:
            self._packed = wire.pack(answer[0])
            if len(self._packed) > MAX_ANSWER_BYTES:
                answer = ["too_long", f"the answer has {len(self._packed)} bytes; ask for less"]
                self._packed = b""
        if len(answer) == 2:
            self._refusal = answer

    def is_for(self, number: int, crc: int) -> bool:
        """Whether this very question has been answered."""
        return (number, crc) == (self.number, self._crc)

    def has(self, number: int, offset: int) -> bool:
        """Whether there are bytes to read at `offset` of the answer to question `number`."""
        return number == self.number and 0 <= offset < len(self._packed)

    def message(self, number: int, offset: int, terms: Terms) -> list[Any]:
        """What to send: the whole, the refusal, or the piece that begins at `offset`."""
        if self._refusal:
            return [Kind.REFUSED, number, *self._refusal]
        if len(self._packed) <= terms.piece_bytes and offset == 0:
            return [Kind.ANSWER, number, self._packed]
        piece = self._packed[offset : offset + terms.piece_bytes]
        return [Kind.LONG_ANSWER, number, offset, len(self._packed), piece]
