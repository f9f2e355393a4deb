"""Sends a bundle: offer, pieces, and as often as the line is lost: find the camera, offer again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from drivers.faults import LinkFault
from ota.bundle import Bundle
from ota.link.lost import Forgotten, LinkLost, as_refused
from ota.link.messages import COMPLETE, Kind
from ota.link.progress import Pace, Progress
from ota.link.sender import Sender
from ota.manifest import Chunk, take
from ota.refusal import Refused

if TYPE_CHECKING:
    from ota.link.client import LinkClient

SILENT_TIMES: Final = 4
"""So many pieces without an answer: the line is lost."""
GIVE_UP_MS: Final = 600_000.0
"""Without a byte that arrived."""
BAD_AFTER: Final = 16
BAD_SHARE: Final = 0.35
"""Of the pieces are sent again. Where half of the frames arrive, 70 % of frames half as long do."""
HELLO_MS: Final = 5000.0
OFFER_MS: Final = 30_000.0
MAX_REFUSED_CHUNKS: Final = 5
"""In a row; then it is not the line that spoils them."""


class Chunks:
    """The chunks that a camera takes, as a `Source`."""

    def __init__(self, bundle: Bundle, chunks: Sequence[Chunk]) -> None:
        self._bundle, self._chunks = bundle, chunks
        self.last = len(chunks) - 1
        self._held = -1, b""

    def size(self, index: int) -> int:
        """Bytes of a chunk in the bundle."""
        return self._chunks[index].stored_size

    def read(self, index: int) -> bytes:
        """Its bytes; the last one stays at hand."""
        if self._held[0] != index:
            self._held = index, self._bundle.chunk(self._chunks[index])
        return self._held[1]


class Push:
    """One bundle on its way.

    Args:
        client: of the camera.
        bundle: open.
        allow_older: said in the offer.
        progress: told several times a second.
    """

    def __init__(
        self,
        client: LinkClient,
        bundle: Bundle,
        allow_older: bool,
        progress: Callable[[Progress], None],
    ) -> None:
        self._client, self._bundle, self._progress = client, bundle, progress
        self._offer = {"head": bundle.head_data, "allow_older": allow_older}
        self._refused_chunks = 0
        self._done = self._sent = self._resent = 0

    def run(self) -> None:
        """Push until all is there. Raises as `LinkClient.push`."""
        if not self._client.welcome:
            self._client.hello()
        chunks = take(self._bundle.manifest, str(self._client.welcome.get("target", "")), 1).chunks
        self._source = Chunks(self._bundle, chunks)
        self._starts = [0, *accumulate(chunk.stored_size for chunk in chunks)]
        self._pace = Pace(self._starts[-1])
        moved_ms, done = self._client.talk.now_ms(), self._done
        while True:
            try:
                self._push()
                return
            except (LinkLost, LinkFault, Forgotten) as lost:
                if self._done != done:
                    moved_ms, done = self._client.talk.now_ms(), self._done
                self._find_again(lost, moved_ms + GIVE_UP_MS)

    def _push(self) -> None:
        first, token = self._offered()
        if first == COMPLETE:
            self._tell(COMPLETE, 0)
            return
        client = self._client
        sender = Sender(
            client.talk.send,
            client.exchange.count,
            client.exchange.terms,
            token,
            self._source,
            first,
        )
        try:
            self._send(sender, token)
        finally:
            self._sent += sender.sent
            self._resent += sender.resent
        self._tell(COMPLETE, 0)

    def _send(self, sender: Sender, token: int) -> None:
        talk = self._client.talk
        while sender.index != COMPLETE:
            now_ms = talk.now_ms()
            sender.fill(now_ms)
            sender.nudge(now_ms, talk.moved_ms)
            if sender.silent > SILENT_TIMES:
                raise LinkLost("the camera does not answer any more", "push again: it goes on")
            self._judge_line(sender)
            for kind, sequence, *parts in talk.receive():
                self._take(sender, kind, sequence, parts, token)
            if self._pace.is_due(now_ms):
                self._tell(sender.index, sender.offset)

    def _judge_line(self, sender: Sender) -> None:
        """Go over to shorter frames where they would get on better."""
        sent, resent = self._sent + sender.sent, self._resent + sender.resent
        if sent >= BAD_AFTER and resent > BAD_SHARE * sent and self._client.shrink():
            self._sent = self._resent = sender.sent = sender.resent = 0
            raise Forgotten(may_be_done=False)

    def _offered(self) -> tuple[int, int]:
        """The chunk that the camera wants first, and the transfer's token."""
        answer, last = self._client.ask("offer", self._offer, OFFER_MS), self._source.last
        match answer:
            case {"next": int() as first, "token": int() as token} if COMPLETE <= first <= last:
                return first, token
            case _:
                asked = f"chunk {answer.get('next')} of {last + 1}"
                raise Refused("argument", f"the camera asks for {asked}")

    def _take(self, sender: Sender, kind: int, sequence: int, parts: list[Any], token: int) -> None:
        now_ms = self._client.talk.now_ms()
        match kind, parts:
            case Kind.ACK, [int() as of, int(), int(), int()] if of == token:
                before = sender.index
                if sender.answered(sequence, parts[1:], now_ms) and sender.index != before:
                    self._refused_chunks = 0
            case Kind.STRANGER, _ if sender.is_flying(sequence):
                raise Forgotten(may_be_done=False)
            case Kind.REFUSED, [str() as reason, str()] if sender.is_flying(sequence):
                self._refused(sender, as_refused(parts), reason)

    def _refused(self, sender: Sender, refused: Refused, reason: str) -> None:
        if reason == "session":
            raise Forgotten(may_be_done=False)
        self._refused_chunks += reason != "too_many"
        if reason not in ("chunk", "too_many") or self._refused_chunks > MAX_REFUSED_CHUNKS:
            raise refused
        if reason == "chunk":
            sender.begin_again(self._client.talk.now_ms())

    def _find_again(self, lost: Exception, until_ms: float) -> None:
        """Open the port again and say hello, as long as it takes. Raises LinkLost."""
        client, now_ms = self._client, self._client.talk.now_ms
        self._pace.lost()
        while True:
            self._progress(self._pace.at(self._done, now_ms(), is_lost=True))
            try:
                if isinstance(lost, LinkLost):
                    client.reopen()
                client.hello(HELLO_MS)
                return
            except LinkLost as again:
                lost = again
            if client.reconnect is None or now_ms() > until_ms:
                raise LinkLost(lost.what, "push again: it goes on where it was") from lost

    def _tell(self, index: int, offset: int) -> None:
        self._done = self._starts[index] + offset if index != COMPLETE else self._starts[-1]
        self._progress(self._pace.at(self._done, self._client.talk.now_ms()))
