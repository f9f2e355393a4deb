"""Mutated frames against the camera's side of a link, with the real device side behind it.

A conversation says hello and then many things, most of them changed: on the wire, below a CRC that
was made anew, or as values. Whatever reaches the camera must be open on this path, or be the very
thing that an operator has signed, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any
from zlib import crc32

from cobs import cobs

from ota import wire
from ota.keys import DOMAIN_COMMAND, sign
from ota.link.frames import Decoder, encode
from ota.link.messages import Kind
from ota.link.server import LinkServer
from ota.operators import command_body
from ota.refusal import Refused
from ota.service import COMMANDS, Asker, Path, Rank
from tests.ota import vendor
from tests.ota.attacked import FACTS, Camera, chunks_of, working
from tests.ota.fuzz_bundles import BODIES, MANIFESTS, VALID, Found
from tests.ota.mutate import mutated, mutated_value, packed

MESSAGES = 20
"""In one conversation."""
OPERATORS = {"kim": Rank.TECHNICIAN, "lee": Rank.VIEWER, "vendor": Rank.VENDOR}
NOISE = b"[   12.345678] usb 1-1: new high-speed USB device number 2\r\n"
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {}), ("confirm", {}), ("rollback", {}), ("self_test", {}), ("site_get", {}),
    ("ack", {"number": 3, "place": "gate", "rule": "zone"}), ("site", {"text": "x = 1\n" * 300}),
    ("journal", {"from_seq": 0, "most": 10}), ("ring", {"rings": [vendor.ring(3)]}),
    ("offer", {"head": VALID[0].head.to_bytes(), "allow_older": False}),
    ("chunk", {"session": VALID[0].head.digest[:16], "index": 0, "data": b"x"}),
)  # fmt: skip


class Port:
    """Takes everything, and gives what was put into it."""

    def __init__(self) -> None:
        self.inbox, self.outbox = bytearray(), bytearray()

    def read(self, max_bytes: int) -> bytes:
        data = bytes(self.inbox[:max_bytes])
        del self.inbox[:max_bytes]
        return data

    def write(self, data: bytes | bytearray | memoryview) -> int:
        self.outbox += data
        return len(data)

    def close(self) -> None:
        pass


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.ms = 0.0

    def now_ms(self) -> float:
        return self.ms

    def sleep_until_ms(self, at_ms: float) -> None:
        self.ms = at_ms


class Guarded:
    """A `Service` that knows what was signed, and finds out what should not have reached it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reached: Counter[str] = Counter()
        self.writes = 0
        self.start()

    def start(self) -> None:
        """A new conversation; flash as it was."""
        self.signed: Counter[tuple[str, bytes]] = Counter()
        self.nonces: set[bytes] = set()
        self._proven = 0
        self._offered_by: Asker | None = None
        if not hasattr(self, "camera") or self.camera.flash.writes != self.writes:
            self.camera = Camera(working())
            self.writes = self.camera.flash.writes

    def hello(self) -> dict[str, Any]:
        facts = ("device", "product", "board", "runtime", "target")
        return {name: getattr(FACTS, name) for name in facts} | {"unpack": True}

    def operator(self, key_id: bytes) -> tuple[bytes, Rank, str] | None:
        name = _IDS.get(key_id)
        return (vendor.public(name), OPERATORS[name], name) if name else None

    def ask(self, command: str, arguments: dict[str, Any], by: Asker) -> dict[str, Any]:
        self.reached[command] += 1
        self._check(command, arguments, by)
        match command, arguments:
            case "offer", {"head": bytes() as head}:
                answer = self.camera.updater.offer(head, bool(arguments.get("allow_older")))
                self._offered_by = by
                return answer
            case "chunk", {"session": bytes() as session, "index": int() as index, "data": data}:
                if not isinstance(data, bytes):
                    raise Refused("argument", "data")
                return {"next": self.camera.updater.chunk(session, index, data)}
            case (("offer" | "chunk"), _):
                raise Refused("argument", command)
            case _:
                return {"text": "fine", "list": [0] * 10}

    def _check(self, command: str, arguments: dict[str, Any], by: Asker) -> None:
        if by.path != self.path or command not in COMMANDS:
            raise Found(f"{command} as {by} on {self.path}")
        is_open = self.path in COMMANDS[command].open_on
        if command == "chunk" and by == self._offered_by:
            return
        if by.rank is Rank.NOBODY and is_open:
            return
        what = command, wire.pack(arguments)
        if self.signed[what] < 1:
            raise Found(f"{command} as {by.name} was not signed, or not so often")
        self.signed[what] -= 1
        self._proven += 1
        if self._proven > len(self.nonces):
            raise Found("a challenge was answered twice")
        if by.rank < COMMANDS[command].least and not is_open:
            raise Found(f"a {by.name} may not {command}")


CHUNKS = chunks_of(VALID[0])
_IDS = {vendor.name_id(name): name for name in OPERATORS}


class Links:
    """One server for each path, and conversations with them.

    Attributes:
        outcomes: (path, type of answer or reason) -> how often.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.clock = Clock()
        self._ends = [_End(path, self.clock) for path in Path]

    @property
    def reached(self) -> Counter[str]:
        """What reached a camera."""
        return sum((end.service.reached for end in self._ends), Counter[str]())

    def run(self, rng: Random) -> int:
        """One conversation; returns how many frames it had."""
        end, is_transfer = rng.choice(self._ends), rng.random() < 0.4
        conversation = rng.randrange(1 << 16) << 16
        end.service.start()
        end.nonce = b""
        self._hear(end, encode([Kind.HELLO, conversation, 1, rng.choice((256, 4160)), 4]))
        if is_transfer:
            self._hear(end, encode(_signed(end, conversation + 1, *ASKED[9], "kim")))
        for number in range(2, MESSAGES):
            make = _piece if is_transfer else rng.choice(_MESSAGES)
            message = make(rng, end, conversation + number)
            is_left = is_transfer and rng.random() < 0.8
            self._hear(end, encode(message) if is_left else spoilt(rng, message))
            self.clock.ms += rng.choice((1, 50, 200, 600))
        end.check()
        return MESSAGES

    def _hear(self, end: _End, data: bytes) -> None:
        end.hear(data)
        for answer in end.answers:
            reason = answer[2] if answer[0] == Kind.REFUSED else Kind(answer[0]).name
            self.outcomes[end.path.value, reason] += 1


class _End:
    def __init__(self, path: Path, clock: Clock) -> None:
        self.path, self.clock = path, clock
        self.port, self.service, self.nonce = Port(), Guarded(path), b""
        self.logged = 0
        self.server = LinkServer(self.port, path, self.service, clock, self._log)
        self.decoder = Decoder()
        self.answers: list[list[Any]] = []
        self.token = self.chunk = self.wanted = 0
        self.piece_bytes = 4096

    def _log(self, event: str, values: dict[str, Any]) -> None:
        self.logged += 1
        if len(repr(values)) > 1000:
            raise Found(f"a long record: {event}")

    def hear(self, data: bytes) -> None:
        """Send, let the camera work, take what it answers."""
        self.port.inbox += data
        while self.server.poll(self.clock.ms):
            pass
        out, self.port.outbox = bytes(self.port.outbox), bytearray()
        if len(out) > 16 * len(data) + 20_000:
            raise Found(f"{len(data)} bytes were answered with {len(out)}")
        self.answers = self.decoder.feed(out, self.clock.ms)
        for answer in self.answers:
            self._remember(answer)
        if self.decoder.damaged or self.decoder.malformed:
            raise Found("the camera has sent a frame that is none")

    def _remember(self, answer: list[Any]) -> None:
        match answer:
            case [Kind.WELCOME, _, welcome]:
                self.nonce, self.piece_bytes = welcome["nonce"], welcome["frame_bytes"] - 64
            case [Kind.NONCE, _, nonce]:
                self.nonce = nonce
            case [Kind.ACK, _, token, chunk, offset, _]:
                self.token, self.chunk, self.wanted = token, chunk, offset
            case [Kind.ANSWER, _, bytes() as packed_answer] if b"token" in packed_answer:
                said = wire.unpack(packed_answer, 1 << 17)
                self.token, self.chunk, self.wanted = said["token"], said["next"], 0

    def check(self) -> None:
        """At the end of a conversation: nothing but what was valid has come to flash."""
        camera = self.service.camera
        if camera.updater.ring.body not in BODIES:
            raise Found("a changed key ring was taken")
        if camera.flash.writes != self.service.writes:
            again = Camera(bytes(camera.flash.image))
            state = again.store.state
            for slot in {0, 1} - {state.active}:
                is_used = state.slots[slot].status != "empty"
                if is_used and again.store.head(slot).manifest not in MANIFESTS:
                    raise Found("a changed manifest was taken")


def _plain(rng: Random, end: _End, sequence: int) -> list[Any]:
    return [Kind.ASK, sequence, *rng.choice(ASKED)]


def _with_key(rng: Random, end: _End, sequence: int) -> list[Any]:
    """A command that an operator signs, with the challenge that was given last."""
    command, arguments = rng.choice(ASKED)
    name = rng.choice(("kim", "lee", "vendor", "thief"))
    if len(end.nonce) != 16:
        return [Kind.CHALLENGE, sequence]
    message = _signed(end, sequence, command, arguments, name)
    if rng.random() < 0.8:
        end.nonce = b""
    return message


def _signed(
    end: _End, sequence: int, command: str, arguments: dict[str, Any], name: str
) -> list[Any]:
    body = command_body(FACTS.device, end.nonce, command, arguments)
    signature = sign(vendor.seed(name), DOMAIN_COMMAND, body)
    if name in OPERATORS:
        end.service.signed[command, wire.pack(arguments)] += 1
        end.service.nonces.add(end.nonce)
    return [Kind.ASK, sequence, command, arguments, end.nonce, *signature]


def _piece(rng: Random, end: _End, sequence: int) -> list[Any]:
    """Of the chunk that is wanted, where a transfer is under way."""
    chunk = CHUNKS[end.chunk] if 0 <= end.chunk < len(CHUNKS) else CHUNKS[0]
    data, size = VALID[0].stored(chunk), end.piece_bytes
    at = end.wanted if rng.random() < 0.9 else size * rng.randrange(20)
    return [Kind.PIECE, sequence, end.token, chunk.index, len(data), at, data[at : at + size]]


def _long(rng: Random, end: _End, sequence: int) -> list[Any]:
    """Of a question that is longer than a frame."""
    whole = packed(["offer", dict(ASKED[9][1])])
    size = rng.choice((4096, 192))
    at = size * rng.randrange(-(-len(whole) // size))
    return [Kind.PIECE, sequence, 0, rng.randrange(3), len(whole), at, whole[at : at + size]]


def _other(rng: Random, end: _End, sequence: int) -> list[Any]:
    return rng.choice(
        (
            [Kind.MORE, sequence, sequence - 1, 0],
            [Kind.CHALLENGE, sequence],
            [Kind.HELLO, sequence, 1, 4160, 4],
            [Kind.HELLO, sequence, 2, 0, 0],
            [rng.randrange(300), sequence, {}],
        )
    )


_MESSAGES: tuple[Callable[[Random, _End, int], list[Any]], ...] = (
    _plain, _with_key, _with_key, _piece, _piece, _long, _other,
)  # fmt: skip


def spoilt(rng: Random, message: list[Any]) -> bytes:
    """The frame, changed somewhere; one in five is left as it is."""
    match rng.randrange(5):
        case 0:
            return encode(message)
        case 1:
            data = mutated(rng, encode(message), NOISE)
            if any(one != message for one in Decoder().feed(data, 0.0)):
                raise Found("a damaged frame was read as another")
            return data
        case 2:
            return _framed(mutated(rng, packed(message), NOISE))
        case 3:
            return NOISE + encode(message) + NOISE
        case _:
            return _framed(packed(mutated_value(rng, message, {"head": b"x"})))


def _framed(body: bytes) -> bytes:
    """With a right CRC, whatever the body is."""
    framed: bytes = cobs.encode(body + crc32(body).to_bytes(4, "little"))
    return b"\0" + framed + b"\0"
