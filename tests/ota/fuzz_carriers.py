"""Mutants for who stands between: channel files that a carrier reads, answers that a client hears.

A carrier follows nothing that no channel key has signed. A client that hears a broken or hostile
camera ends with `Refused` or `LinkLost`, in bounded (virtual) time, and never otherwise.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgpack

from ota.carriers import channel
from ota.carriers.rollout import Stage
from ota.key_ring import trust_first
from ota.keys import DOMAIN_CHANNEL, sign
from ota.link.client import LinkClient
from ota.link.frames import Decoder, encode
from ota.link.lost import LinkLost
from ota.link.server import LinkServer
from ota.manifest import parse_manifest
from ota.refusal import Refused
from ota.service import Path
from tests.ota import vendor
from tests.ota.attacked import FACTS, RING_1, RING_2
from tests.ota.fuzz_bundles import BODIES, RING_3, STRANGE_RINGS, VALID, Found
from tests.ota.fuzz_link import NOISE, Clock, Guarded, Port, spoilt
from tests.ota.mutate import mutated, mutated_value, packed

MUTANTS = 20


def _file(sequence: int, rings: list[bytes], signer: str = "channel 1") -> bytes:
    release = channel.Release(
        version="1.6.0",
        release=6,
        url="six.bundle",
        digest=VALID[0].head.digest,
        bytes=len(VALID[0].to_bytes()),
        stages=[Stage(share=1.0)],
    )
    said = channel.Channel(product=vendor.PRODUCT, sequence=sequence, releases=[release])
    body = channel.body_bytes(said)
    return channel.file_bytes(body, [sign(vendor.seed(signer), DOMAIN_CHANNEL, body)], rings)


FILES = (_file(5, [RING_1, RING_2]), _file(6, [RING_1, RING_2, RING_3]))
STRANGE = (_file(7, [], "bundle 1"), _file(8, [], "thief"), _file(4, []))
SAID = {channel.parse_file(data).body for data in FILES}
ME = channel.Camera(FACTS.device, FACTS.board, FACTS.soc, 5)


class Channels:
    """Channel files, for a carrier that trusts key ring 1 and has seen number 5.

    Attributes:
        outcomes: (kind of mutant, reason or "taken") -> how often.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._ring = trust_first(RING_1)
        self._seen = channel.check(FILES[0], self._ring, channel.Seen()).seen

    def run(self, rng: Random) -> int:
        """Some mutants; returns how many."""
        for _ in range(MUTANTS):
            kind, data = rng.choice((_raw, _value, _insider))(rng)
            self._take(kind, data)
        return MUTANTS

    def _take(self, kind: str, data: bytes) -> None:
        try:
            checked = channel.check(data, self._ring, self._seen)
            release = channel.choose(checked.channel, ME)
            if release is not None:
                channel.bundle_url("https://updates.example/c/stable.channel", release)
        except Refused as refused:
            self.outcomes["channel " + kind, refused.reason] += 1
            return
        self.outcomes["channel " + kind, "taken"] += 1
        if kind != "insider" and channel.parse_file(data).body not in SAID:
            raise Found("a changed channel was followed")
        if checked.ring.body not in BODIES or checked.seen.sequence < self._seen.sequence:
            raise Found("a changed key ring, or an old channel")


def _raw(rng: Random) -> tuple[str, bytes]:
    return "raw", mutated(rng, rng.choice(FILES + STRANGE), rng.choice(FILES))


def _value(rng: Random) -> tuple[str, bytes]:
    tree = msgpack.unpackb(rng.choice(FILES + STRANGE))
    other = msgpack.unpackb(rng.choice(FILES))
    if rng.random() < 0.3:
        tree["rings"] = [rng.choice((RING_2, RING_3, *STRANGE_RINGS)) for _ in range(3)]
    if rng.random() < 0.5:
        body = msgpack.unpackb(tree["body"])
        return "value", packed(tree | {"body": packed(mutated_value(rng, body, {}))})
    return "value", packed(mutated_value(rng, tree, other))


def _insider(rng: Random) -> tuple[str, bytes]:
    body = msgpack.unpackb(channel.parse_file(FILES[1]).body)
    data = packed(mutated_value(rng, body, {"sequence": 9}))
    signature = sign(vendor.seed("channel 1"), DOMAIN_CHANNEL, data)
    return "insider", channel.file_bytes(data, [signature], [])


class InMemory:
    """A bundle that lies in memory. Implements `ota.bundle.Bundle`."""

    def __init__(self) -> None:
        self.head, self.payload = VALID[0]
        self.head_data = self.head.to_bytes()
        self.manifest = parse_manifest(self.head.manifest)
        self.size = len(VALID[0].to_bytes())

    def chunk(self, chunk: Any) -> bytes:
        return VALID[0].stored(chunk)

    def close(self) -> None:
        pass


class SpoiltPort:
    """A real camera, whose answers are changed on their way back. Implements `Serial`."""

    def __init__(self, rng: Random, server: LinkServer, port: Port, clock: Clock) -> None:
        self._rng, self._server, self._port, self._clock = rng, server, port, clock
        self._heard = Decoder()
        self._share = rng.choice((0.02, 0.2, 1.0))
        self.spoilt = 0

    def read(self, max_bytes: int) -> bytes:
        while self._server.poll(self._clock.ms):
            pass
        out, self._port.outbox = bytes(self._port.outbox), bytearray()
        return b"".join(map(self._changed, self._heard.feed(out, self._clock.ms)))[:max_bytes]

    def _changed(self, message: list[Any]) -> bytes:
        if self._rng.random() >= self._share:
            return encode(message)
        self.spoilt += 1
        if self._rng.random() < 0.5 and isinstance(message[2], bytes):
            inner = msgpack.unpackb(message[2]) if message[0] == 18 else message[2]
            message = [*message[:2], packed(mutated_value(self._rng, inner, {})), *message[3:]]
        return spoilt(self._rng, message) + NOISE * self._rng.randrange(2)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        self._port.inbox += data
        return len(data)

    def close(self) -> None:
        pass


class Clients:
    """A technician's side that asks and pushes, and hears mutants.

    Attributes:
        outcomes: (what was asked, how it ended) -> how often.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._clock, self._port = Clock(), Port()
        self._service = Guarded(Path.CABLE)
        self._server = LinkServer(self._port, Path.CABLE, self._service, self._clock, _forget)
        self._bundle = InMemory()

    def run(self, rng: Random) -> int:
        """One question or push; returns how many answers were changed."""
        self._service.start()
        self._clock.ms += 61_000
        port = SpoiltPort(rng, self._server, self._port, self._clock)
        client = LinkClient(port, self._clock)
        started_ms = self._clock.ms
        what = rng.choice(("status", "ring", "push"))
        try:
            if what == "push":
                client.push(self._bundle)
            else:
                client.ask(what, {})
        except Refused as refused:
            self.outcomes["client " + what, refused.reason] += 1
        except LinkLost:
            self.outcomes["client " + what, "lost"] += 1
        else:
            self.outcomes["client " + what, "done"] += 1
        if self._clock.ms - started_ms > 2 * 3_600_000:
            raise Found("a client did not come to an end")
        return port.spoilt


def _forget(event: str, values: dict[str, Any]) -> None:
    """No log is kept."""
