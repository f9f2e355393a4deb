"""The camera's side of a link: takes messages, asks the gate, then the camera, and answers.

One worker polls it. It never waits; memory does not grow with what comes. One question is
outstanding at a time, and an answer is kept so that a question that comes twice is not done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from zlib import crc32

from drivers.interfaces import Clock, Serial
from drivers.socket_port import Listening
from ota import wire
from ota.link.answers import Answers
from ota.link.frames import Decoder
from ota.link.gate import Gate
from ota.link.long_question import LongQuestion
from ota.link.messages import CAMERA_TERMS, NO_TOKEN, PROTOCOL, Kind, Proof, Terms, read_question
from ota.link.outbox import Outbox
from ota.link.rate import Credit
from ota.link.refusals import Log, RefusalLog
from ota.link.transfer import Transfer
from ota.refusal import REASONS, Refused
from ota.service import Path, Service

PER_SECOND, BURST = 20.0, 40.0
"""Messages that are taken on average and at once; pieces that are wanted are not counted."""
MAX_DETAIL_BYTES: Final = 3000
"""Of a refusal: room for all mistakes of a site file at once."""
READ_BYTES: Final = 8192
"""Looked at per poll, so that one noisy link does not hold up the others."""
SILENT_MS: Final = 60_000
"""Who says nothing for so long has gone: the link is free for somebody else."""


class LinkServer:
    """One port of the camera.

    Args:
        port: serial, TCP or Unix socket; a `Listening` one tells who is connected.
        path: the way that this port is, which decides what is open on it.
        service: the camera.
        clock: injected time.
        log: takes what was refused, seldom enough for a journal: (event, values).
        terms: most that this camera can do.

    Attributes:
        decoder: its counts tell of the line.
    """

    def __init__(
        self,
        port: Serial,
        path: Path,
        service: Service,
        clock: Clock,
        log: Log,
        terms: Terms = CAMERA_TERMS,
    ) -> None:
        self.decoder = Decoder(terms.frame_bytes)
        self._path, self._service, self._clock = path, service, clock
        self._most = self._terms = terms
        self._gate = Gate(path, service)
        self._refusals = RefusalLog(log, path)
        self._credit = Credit(PER_SECOND, BURST)
        self._answers = Answers()
        self._outbox = Outbox(terms)
        self._transfer = Transfer(service)
        self._long = LongQuestion()
        self._takes: dict[int, Callable[[int, list[Any], float], None]] = {
            Kind.HELLO: self._hello,
            Kind.ASK: self._ask,
            Kind.PIECE: self._piece,
            Kind.MORE: self._more,
            Kind.CHALLENGE: self._challenge,
        }
        self._set_port(port)

    def poll(self, now_ms: float) -> bool:
        """Take and send what can be; returns whether there was anything.

        Raises:
            LinkFault: the port has failed; give another one to `replace`.
        """
        self._notice_change(now_ms)
        sent = self._outbox.flush(self._port)
        if self._outbox.is_full:
            return sent
        data = self._port.read(READ_BYTES)
        for message in self.decoder.feed(data, now_ms):
            self._take(message, now_ms)
        return self._outbox.flush(self._port) or sent or bool(data)

    def replace(self, port: Serial) -> None:
        """Go on with another port, after a fault."""
        self.close()
        self._set_port(port)

    def close(self) -> None:
        """Close the port. May be called twice."""
        self._port.close()
        self._start_over(0)

    def _set_port(self, port: Serial) -> None:
        self._port = port
        self._listening = port if isinstance(port, Listening) else None
        self._heard_ms = self._clock.now_ms()
        self._start_over(self._listening.connection if self._listening else 0)

    def _start_over(self, connection: int) -> None:
        """Whoever speaks now is not who spoke before: nothing that was allowed holds any more."""
        self._connection = connection
        self._conversation = -1
        self._terms = self._most
        self._gate.forget()
        self._answers.forget()
        self._transfer.end()
        self._outbox.clear()
        self.decoder.reset()

    def _notice_change(self, now_ms: float) -> None:
        """Somebody else is connected, or nobody has said anything for long."""
        if self._listening is not None:
            self._listening.admit()
            if self._listening.connection != self._connection:
                self._heard_ms = now_ms
                self._start_over(self._listening.connection)
        if now_ms - self._heard_ms > SILENT_MS:
            self._heard_ms = now_ms
            self._start_over(self._connection)
            if self._listening is not None:
                self._listening.drop()

    def _take(self, message: list[Any], now_ms: float) -> None:
        kind, sequence, *parts = message
        take = self._takes.get(kind)
        if not self._is_wanted(kind, parts) and not self._credit.spend(now_ms):
            self._refuse(sequence, Refused("too_many"), str(kind), now_ms)
        elif take is None:
            self._refuse(sequence, Refused("unknown", f"message of type {kind}"), "", now_ms)
        elif kind != Kind.HELLO and sequence >> 16 != self._conversation:
            self._outbox.put([Kind.STRANGER, sequence])
        else:
            self._heard_ms = now_ms
            take(sequence, parts, now_ms)

    def _is_wanted(self, kind: int, parts: list[Any]) -> bool:
        """Whether a message is a piece that brings something on: these are not counted."""
        match parts:
            case [int() as token, int() as index, int() as total, int() as offset, bytes()]:
                wanted = self._long if token == NO_TOKEN else self._transfer
                return kind == Kind.PIECE and wanted.wants(token, index, total, offset)
            case _:
                return False

    def _useful(self) -> None:
        """Something was allowed and done: who is there keeps the place."""
        self._heard_ms = self._clock.now_ms()
        if self._listening is not None:
            self._listening.heard()

    def _hello(self, sequence: int, parts: list[Any], now_ms: float) -> None:
        match parts:
            case [int() as protocol, int() as frame_bytes, int() as window] if protocol >= 1:
                if sequence >> 16 != self._conversation:
                    self._start_over(self._connection)
                    self._conversation = sequence >> 16
                self._terms = self._most.agreed(frame_bytes, window)
                self._outbox.put([Kind.WELCOME, sequence, self._welcome(now_ms)])
            case _:
                self._refuse(sequence, Refused("argument", "hello"), "hello", now_ms)

    def _welcome(self, now_ms: float) -> dict[str, Any]:
        return {
            **self._service.hello(),
            "protocol": PROTOCOL,
            "path": self._path.value,
            "frame_bytes": self._terms.frame_bytes,
            "window": self._terms.window,
            "nonce": self._gate.challenge(now_ms),
        }

    def _challenge(self, sequence: int, parts: list[Any], now_ms: float) -> None:
        self._outbox.put([Kind.NONCE, sequence, self._gate.challenge(now_ms)])

    def _ask(self, sequence: int, parts: list[Any], now_ms: float) -> None:
        body = wire.pack(parts)
        if not self._answers.is_for(sequence, crc32(body)):
            self._answers.keep(sequence, crc32(body), self._done(parts, now_ms))
        self._answer(sequence, 0)

    def _piece(self, sequence: int, parts: list[Any], now_ms: float) -> None:
        match parts:
            case [int() as token, int() as index, int() as total, int() as offset, bytes() as data]:
                try:
                    if token == NO_TOKEN:
                        self._long_piece(sequence, index, total, offset, data, now_ms)
                    else:
                        self._chunk_piece(sequence, token, index, total, offset, data)
                except Refused as refused:
                    self._refuse(sequence, refused, "piece", now_ms)
            case _:
                self._refuse(sequence, Refused("argument", "no piece"), "piece", now_ms)

    def _chunk_piece(
        self, sequence: int, token: int, index: int, total: int, offset: int, data: bytes
    ) -> None:
        self._transfer.put(token, index, total, offset, data, self._terms.piece_bytes)
        self._outbox.put([Kind.ACK, sequence, *self._transfer.wanted()])
        self._useful()

    def _long_piece(
        self, sequence: int, number: int, total: int, offset: int, data: bytes, now_ms: float
    ) -> None:
        if type(number) is not int or not 0 <= number < 1 << 32:
            raise Refused("argument", "no number of a question")
        if self._answers.number == number:
            self._answer(number, 0)
            return
        whole = self._long.put(number, total, offset, data, self._terms.piece_bytes)
        if whole is None:
            self._outbox.put([Kind.ACK, sequence, *self._long.wanted()])
            return
        question = wire.unpack(whole, len(whole), "question")
        self._answers.keep(number, 0, self._done(question, now_ms))
        self._answer(number, 0)

    def _more(self, sequence: int, parts: list[Any], now_ms: float) -> None:
        match parts:
            case [int() as offset] if self._answers.has(sequence, offset):
                self._answer(sequence, int(offset))
            case _:
                self._refuse(sequence, Refused("session", "no such answer"), "more", now_ms)

    def _answer(self, number: int, offset: int) -> None:
        self._outbox.put(self._answers.message(number, offset, self._terms))

    def _done(self, question: Any, now_ms: float) -> list[Any]:
        """Do what is asked: [result], or [reason, detail]."""
        parts = read_question(question) if isinstance(question, list) else None
        if parts is None:
            return self._refused(Refused("argument", "no question"), "ask", now_ms)
        command, arguments, proof = parts
        try:
            return [self._do(command, arguments, proof, now_ms)]
        except Refused as refused:
            return self._refused(refused, command, now_ms)

    def _do(
        self, command: str, arguments: dict[str, Any], proof: Proof | None, now_ms: float
    ) -> dict[str, Any]:
        by = self._gate.check(command, arguments, proof, now_ms)
        answer = self._service.ask(command, arguments, by)
        self._useful()
        if command != "offer":
            return answer
        return {**answer, "token": self._transfer.begin(answer, by)}

    def _refused(self, refused: Refused, command: str, now_ms: float) -> list[Any]:
        self._refusals.tell(refused, command, now_ms)
        detail = (refused.detail or REASONS[refused.reason]).encode("utf-8", "replace")
        return [refused.reason, detail[:MAX_DETAIL_BYTES].decode("utf-8", "ignore")]

    def _refuse(self, sequence: int, refused: Refused, command: str, now_ms: float) -> None:
        if self._refusals.may_answer(refused, now_ms):
            self._outbox.put([Kind.REFUSED, sequence, *self._refused(refused, command, now_ms)])
