"""The technician's side of a link: say hello, ask, push a bundle."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from drivers.closing import Closing
from drivers.faults import LinkFault
from drivers.interfaces import Clock, Serial
from ota import wire
from ota.bundle import Bundle
from ota.keys import DOMAIN_COMMAND, sign
from ota.link.exchange import Exchange
from ota.link.lost import Forgotten, LinkLost, as_refused
from ota.link.messages import (
    LEAST_FRAME_BYTES,
    MAX_ANSWER_BYTES,
    MAX_WINDOW,
    PROTOCOL,
    TERMS,
    Kind,
    Terms,
)
from ota.link.progress import Progress
from ota.link.push import Push
from ota.link.talk import Talk
from ota.operators import command_body
from ota.refusal import Refused

HELLO_MS: Final = 15_000.0
ASK_MS: Final = 10_000.0
TRY_AGAIN_MS: Final = 500.0
"""Between two tries to open a lost port."""
TIMES: Final = 3
"""A question is put again so often after the camera has started anew or the line was lost."""
NONCE_GOOD_MS: Final = 20_000.0
"""A challenge that is older is exchanged for a new one; the camera takes it for 30 s."""
HARMLESS: Final = frozenset(
    {"status", "journal", "offer", "ring", "alarms", "mute", "site", "site_get", "abandon"}
)
"""Commands that may be done twice, should the camera have forgotten that it did them."""


class LinkClient(Closing):
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
        self.exchange = Exchange(self.talk, terms)
        self.welcome: dict[str, Any] = {}
        self._most = terms
        self.reconnect = reconnect
        self._key = key
        self._nonce, self._nonce_ms = b"", 0.0

    def hello(self, timeout_ms: float = HELLO_MS) -> dict[str, Any]:
        """Find the camera, through whatever a console prints meanwhile.

        Raises:
            LinkLost: no answer in time, or it speaks another protocol.
            Refused: what answers is no camera.
        """
        until_ms = self.talk.now_ms() + timeout_ms
        while True:
            try:
                return self._hello(until_ms - self.talk.now_ms())
            except LinkFault as fault:
                if self.reconnect is None or self.talk.now_ms() >= until_ms:
                    raise self._lost(fault) from fault
            self.talk.rest(TRY_AGAIN_MS)
            self.reopen()

    def reopen(self) -> None:
        """Open the port again; where it cannot be opened yet, the next hello will find that out.

        Raises:
            LinkLost: nobody has said how.
        """
        if self.reconnect is None:
            raise LinkLost("the camera does not answer any more", self.exchange.advice())
        self.talk.close()
        with suppress(LinkFault):
            self.talk.replace(self.reconnect())

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
        for _ in range(TIMES):
            try:
                if not self.welcome:
                    self.hello()
                return self._ask(command, arguments or {}, timeout_ms)
            except LinkFault as fault:
                if self.reconnect is None:
                    raise self._lost(fault) from fault
                may_be_done = True
            except Forgotten as forgotten:
                may_be_done = forgotten.may_be_done
            self.welcome = {}
            if may_be_done and command not in HARMLESS:
                break
        raise LinkLost(f"nobody can tell whether {command} was done", "look at the status")

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

    def shrink(self) -> bool:
        """The line is bad: ask for shorter frames with the next hello; False: there are none."""
        frame_bytes, window = self._most.frame_bytes // 2, self._most.window * 2
        if frame_bytes < LEAST_FRAME_BYTES:
            return False
        self._most = Terms(frame_bytes, min(window, MAX_WINDOW))
        return True

    def close(self) -> None:
        """Close the port. May be called twice."""
        self.talk.close()

    def _hello(self, timeout_ms: float) -> dict[str, Any]:
        message = [Kind.HELLO, self.exchange.count(), PROTOCOL, *self._most]
        for kind, parts in self.exchange.once(message, timeout_ms):
            if kind == Kind.WELCOME and parts and isinstance(parts[0], dict):
                self._welcomed(parts[0])
                return self.welcome
            if kind == Kind.REFUSED:
                raise as_refused(parts)
        raise LinkLost("no camera answers", self.exchange.advice())

    def _lost(self, fault: LinkFault) -> LinkLost:
        if fault.reason == "closed" and not self.welcome:
            advice = "somebody else is connected: try again when they are done"
            return LinkLost("the camera has hung up", advice)
        return LinkLost(fault.detail, self.exchange.advice())

    def _welcomed(self, welcome: dict[str, Any]) -> None:
        match welcome:
            case {"frame_bytes": int() as frame_bytes, "window": int() as window}:
                self.exchange.terms = self._most.agreed(frame_bytes, window)
            case _:
                raise Refused("malformed", "the camera's hello")
        if welcome.get("protocol", PROTOCOL) != PROTOCOL:
            speaks = (
                f"the camera speaks protocol {welcome['protocol']!s:.9}, this program {PROTOCOL}"
            )
            raise LinkLost(speaks, "use another version of haetae on this computer")
        nonce = welcome.get("nonce")
        self._nonce = nonce if isinstance(nonce, bytes) else b""
        self.welcome, self._nonce_ms = welcome, self.talk.now_ms()

    def _ask(self, command: str, arguments: dict[str, Any], timeout_ms: float) -> dict[str, Any]:
        question = [command, arguments, *self._proof(command, arguments, timeout_ms)]
        number = self.exchange.count()
        body = wire.pack([Kind.ASK, number, *question])
        if self.exchange.terms.fits(body):
            heard = self.exchange.once([Kind.ASK, number, *question], timeout_ms)
        else:
            heard = self.exchange.long(number, wire.pack(question), timeout_ms)
        for kind, parts in heard:
            match kind, parts:
                case Kind.ANSWER, [bytes() as packed]:
                    return _answer(packed)
                case Kind.LONG_ANSWER, [0, int() as total, bytes() as piece]:
                    return _answer(self.exchange.whole(number, total, piece, timeout_ms))
                case Kind.REFUSED, _:
                    raise as_refused(parts)
        raise LinkLost(f"no answer to {command}", self.exchange.advice())

    def _proof(self, command: str, arguments: dict[str, Any], timeout_ms: float) -> list[bytes]:
        """Nonce, key id and signature; nothing without a key."""
        if self._key is None:
            return []
        nonce = self._take_nonce(timeout_ms)
        body = command_body(str(self.welcome.get("device")), nonce, command, arguments)
        return [nonce, *sign(self._key, DOMAIN_COMMAND, body)]

    def _take_nonce(self, timeout_ms: float) -> bytes:
        nonce, self._nonce = self._nonce, b""
        if nonce and self.talk.now_ms() - self._nonce_ms < NONCE_GOOD_MS:
            return nonce
        for kind, parts in self.exchange.once([Kind.CHALLENGE, self.exchange.count()], timeout_ms):
            if kind == Kind.NONCE and parts and isinstance(parts[0], bytes):
                return parts[0]
            if kind == Kind.REFUSED:
                raise as_refused(parts)
        raise LinkLost("the camera gives no challenge", self.exchange.advice())


def _answer(packed: bytes) -> dict[str, Any]:
    answer = wire.unpack(packed, MAX_ANSWER_BYTES, "answer")
    if not isinstance(answer, dict):
        raise Refused("malformed", "the camera's answer is no map")
    return answer
