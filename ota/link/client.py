"""The technician's side of a link: say hello, ask, push a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from secrets import randbelow
from types import TracebackType
from typing import Any, Final

from drivers.faults import LinkFault
from drivers.interfaces import Clock, Serial
from ota import wire
from ota.bundle import Bundle
from ota.keys import DOMAIN_COMMAND, sign
from ota.link.lost import Forgotten, LinkLost, as_refused
from ota.link.messages import MAX_ANSWER_BYTES, NO_TOKEN, PROTOCOL, TERMS, Kind, Terms
from ota.link.progress import Progress
from ota.link.push import Push
from ota.link.sender import Sender
from ota.link.talk import Talk
from ota.operators import command_body
from ota.refusal import Refused

HELLO_MS: Final = 15_000.0
ASK_MS: Final = 10_000.0
AGAIN_MS: Final = 700.0
"""After so long without an answer a question is put again; it is done only once."""
NONCE_GOOD_MS: Final = 20_000.0
"""A challenge that is older is exchanged for a new one; the camera takes it for 30 s."""
HARMLESS: Final = frozenset(
    {"status", "journal", "offer", "ring", "alarms", "mute", "site", "site_get", "abandon"}
)
"""Commands that may be done twice, should the camera have forgotten that it did them."""


class LinkClient:
    """One camera at the other end. A context manager; Ctrl-C leaves nothing behind on the camera.

    Args:
        port: open.
        clock: injected time.
        key: an operator's private key (its seed); None: nothing can be signed.
        reconnect: opens the port again after it was lost; raises LinkFault while it cannot.
        terms: most that this side can do.

    Attributes:
        welcome: what the camera said to the last hello; empty before.
    """

    def __init__(
        self,
        port: Serial,
        clock: Clock,
        key: bytes | None = None,
        reconnect: Callable[[], Serial] | None = None,
        terms: Terms = TERMS,
    ) -> None:
        self.talk = Talk(port, clock)
        self.welcome: dict[str, Any] = {}
        self.terms = self._most = terms
        self.reconnect = reconnect
        self._key = key
        self._conversation = randbelow(1 << 16) << 16
        self._sent = 0
        self._nonce, self._nonce_ms = b"", 0.0

    def hello(self, timeout_ms: float = HELLO_MS) -> dict[str, Any]:
        """Find the camera, through whatever a console prints meanwhile.

        Raises:
            LinkLost: no answer in time.
            Refused: it speaks another protocol.
        """
        message = [Kind.HELLO, self.count(), PROTOCOL, self._most.frame_bytes, self._most.window]
        for kind, parts in self._exchange(message, timeout_ms):
            if kind == Kind.WELCOME and parts and isinstance(parts[0], dict):
                self._welcomed(parts[0])
                return self.welcome
            if kind == Kind.REFUSED:
                raise as_refused(parts)
        raise LinkLost("no camera answers", self._advice())

    def ask(
        self,
        command: str,
        arguments: dict[str, Any] | None = None,
        timeout_ms: float = ASK_MS,
    ) -> dict[str, Any]:
        """Ask for a command of `ota.service.COMMANDS`; signed where there is a key.

        Raises:
            Refused: as the camera says it.
            LinkLost: no answer in time, or nobody can tell whether it was done.
        """
        try:
            if not self.welcome:
                self.hello()
            for _ in range(3):
                try:
                    return self._ask(command, arguments or {}, timeout_ms)
                except Forgotten as forgotten:
                    if forgotten.may_be_done and command not in HARMLESS:
                        break
                    self.hello()
            raise LinkLost(f"the camera started anew during {command}", "see its status")
        except LinkFault as fault:
            raise LinkLost(f"the connection is gone: {fault.detail}", self._advice()) from fault

    def push(
        self,
        bundle: Bundle,
        allow_older: bool = False,
        progress: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        """Offer a bundle and send what the camera takes of it, until all of it is there.

        Raises:
            Refused: as the camera says it.
            LinkLost: the line was lost and could not be found again; pushing again goes on.
            OSError: the bundle cannot be read.
        """
        Push(self, bundle, allow_older, progress).run()

    def close(self) -> None:
        """Close the port. May be called twice."""
        self.talk.close()

    def __enter__(self) -> LinkClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def count(self) -> int:
        """The next sequence number of this conversation."""
        self._sent = (self._sent + 1) & 0xFFFF
        return self._conversation | self._sent

    def _welcomed(self, welcome: dict[str, Any]) -> None:
        self.welcome = welcome
        frame_bytes, window = welcome.get("frame_bytes"), welcome.get("window")
        if not isinstance(frame_bytes, int) or not isinstance(window, int):
            raise Refused("malformed", "the camera's hello")
        self.terms = self._most.agreed(frame_bytes, window)
        self._nonce, self._nonce_ms = bytes(welcome.get("nonce", b"")), self.talk.now_ms()

    def _ask(self, command: str, arguments: dict[str, Any], timeout_ms: float) -> dict[str, Any]:
        question = [command, arguments, *self._proof(command, arguments)]
        number = self.count()
        body = wire.pack([Kind.ASK, number, *question])
        if self.terms.fits(body):
            heard = self._exchange([Kind.ASK, number, *question], timeout_ms)
        else:
            heard = self._exchange_long(number, wire.pack(question), timeout_ms)
        for kind, parts in heard:
            match kind, parts:
                case Kind.ANSWER, [bytes() as packed]:
                    return _answer(packed)
                case Kind.LONG_ANSWER, [0, int() as total, bytes() as piece]:
                    return _answer(self._rest(number, total, piece, timeout_ms))
                case Kind.REFUSED, _:
                    raise as_refused(parts)
        raise LinkLost(f"no answer to {command}", self._advice())

    def _proof(self, command: str, arguments: dict[str, Any]) -> list[bytes]:
        """Nonce, key id and signature; nothing without a key."""
        if self._key is None:
            return []
        nonce = self._take_nonce()
        body = command_body(str(self.welcome.get("device")), nonce, command, arguments)
        return [nonce, *sign(self._key, DOMAIN_COMMAND, body)]

    def _take_nonce(self) -> bytes:
        nonce, self._nonce = self._nonce, b""
        if nonce and self.talk.now_ms() - self._nonce_ms < NONCE_GOOD_MS:
            return nonce
        for kind, parts in self._exchange([Kind.CHALLENGE, self.count()], ASK_MS):
            if kind == Kind.NONCE and parts and isinstance(parts[0], bytes):
                return parts[0]
            if kind == Kind.REFUSED:
                raise as_refused(parts)
        raise LinkLost("the camera gives no challenge", self._advice())

    def _exchange(self, message: list[Any], timeout_ms: float) -> Iterator[tuple[int, list[Any]]]:
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
                again_ms, wait_ms = self.talk.now_ms() + wait_ms, min(2 * wait_ms, 3000.0)
            for kind, sequence, *parts in self.talk.receive():
                if sequence == message[1] and kind == Kind.STRANGER:
                    raise Forgotten(may_be_done=times > 1)
                if sequence == message[1] and not _is_flood(kind, parts):
                    yield kind, parts

    def _exchange_long(
        self, number: int, question: bytes, timeout_ms: float
    ) -> Iterator[tuple[int, list[Any]]]:
        """The same with a question that is longer than a frame."""
        sender = Sender(
            self.talk.send, self.count, self.terms, NO_TOKEN, lambda _: question, number, number
        )
        start_ms = self.talk.now_ms()
        while (now_ms := self.talk.now_ms()) - start_ms < timeout_ms:
            sender.fill(now_ms)
            sender.nudge(now_ms)
            for kind, sequence, *parts in self.talk.receive():
                is_ours = sequence == number or sender.is_flying(sequence)
                if is_ours and kind == Kind.STRANGER:
                    raise Forgotten(may_be_done=sender.silent > 0)
                if kind == Kind.ACK and _is_ack(parts, NO_TOKEN):
                    sender.answered(sequence, parts[1:], self.talk.now_ms())
                elif is_ours and not _is_flood(kind, parts):
                    yield kind, parts

    def _rest(self, number: int, total: int, first: bytes, timeout_ms: float) -> bytes:
        """The pieces of a long answer, one after the other."""
        whole = bytearray(first)
        if total > MAX_ANSWER_BYTES or not first:
            raise Refused("too_long", f"the answer has {total} bytes")
        while len(whole) < total:
            whole += self._next_piece(number, len(whole), timeout_ms)
        return bytes(whole)

    def _next_piece(self, number: int, offset: int, timeout_ms: float) -> bytes:
        sequence = self.count()
        message = [Kind.MORE, sequence, number, offset]
        for kind, parts in self._exchange(message, timeout_ms):
            match kind, parts:
                case Kind.LONG_ANSWER, [int() as at, int(), bytes() as piece] if piece:
                    if at == offset:
                        return piece
                case Kind.REFUSED, _:
                    raise as_refused(parts)
        raise LinkLost("the answer stopped half-way", self._advice())

    def _advice(self) -> str:
        noise = self.talk.decoder.noise_bytes
        if noise and not self.talk.decoder.frames:
            return (
                f"{noise} bytes came that are no frames: is it the camera's port, at the right baud"
                " rate, or is the camera still starting?"
            )
        return "check cable and power; if somebody else is connected, wait until they are done"


def _answer(packed: bytes) -> dict[str, Any]:
    answer = wire.unpack(packed, MAX_ANSWER_BYTES, "answer")
    if not isinstance(answer, dict):
        raise Refused("malformed", "the camera's answer is no map")
    return answer


def _is_ack(parts: list[Any], token: int) -> bool:
    match parts:
        case [int() as of, int(), int(), int()]:
            return of == token
        case _:
            return False


def _is_flood(kind: int, parts: list[Any]) -> bool:
    """A refusal that is no answer: too much was asked just now; the question is put again."""
    return kind == Kind.REFUSED and bool(parts) and parts[0] == "too_many"
