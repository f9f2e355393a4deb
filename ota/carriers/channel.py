"""The channel file: which release is for which cameras, and how many of them may take it now.

One small signed file beside the bundles on a static server. It decides what a carrier offers, and
when; the bundle's own signatures decide, in the camera, what it takes. So whoever steals a channel
key can delay, halt and order releases, and cannot make one.

    file:  msgpack {"body": bytes, "signatures": [[key id, Ed25519 signature], ...],
                    "rings": [key ring, ...]}, oldest ring first; see `ota.key_ring`
    body:  msgpack map of the fields of `Channel`; one channel key of the ring signs its bytes

The sequence number rises with every change; an older file than one that was seen is refused. There
is no date in it: a server that hands out the newest file that it ever had cannot be told from one
that holds newer ones back. A fleet finds such cameras by the release that they report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import Meta, Struct

from ota import wire
from ota.carriers.rollout import MAX_STAGES, Stage, stage_of
from ota.key_ring import MAX_CHAIN, KeyRing, advance
from ota.keys import DOMAIN_CHANNEL, Signature, signatures_from, signers
from ota.manifest import Sha256, Word
from ota.refusal import Refused

FORMAT: Final = 1
MAX_CHANNEL_BYTES: Final = 1 << 17
MAX_RELEASES: Final = 64
MAX_BUNDLE_BYTES: Final = 1 << 30

Address = Annotated[str, Meta(min_length=1, max_length=512, pattern=r"^[!-~]+$")]


class Release(Struct, frozen=True, kw_only=True):
    """One bundle on the channel.

    Attributes:
        boards, socs: names that it is for; empty: any.
        version, release: as in the bundle's manifest.
        url: where it lies; may be relative to the channel file.
        digest: of the bundle's manifest, SHA-256.
        bytes: of the whole file.
        stages: of its roll-out. stage: the present one, from 0.
        halted: no camera takes it any more. why: for people.
    """

    boards: Annotated[list[Word], Meta(max_length=64)] = []
    socs: Annotated[list[Word], Meta(max_length=64)] = []
    version: Word
    release: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    url: Address
    digest: Sha256
    bytes: Annotated[int, Meta(ge=1, le=MAX_BUNDLE_BYTES)]
    stages: Annotated[list[Stage], Meta(min_length=1, max_length=MAX_STAGES)]
    stage: Annotated[int, Meta(ge=0)] = 0
    halted: bool = False
    why: Annotated[str, Meta(max_length=200)] = ""

    @property
    def share(self) -> float:
        """Of the cameras, may take it now."""
        return 0.0 if self.halted else self.stages[self.stage].share


class Channel(Struct, frozen=True, kw_only=True):
    """What the channel's keys sign. Unknown keys are passed over; a newer `format` is refused.

    Attributes:
        product: whose cameras it is for.
        sequence: rises with every change.
        poll_s: how often cameras shall ask; 0: as they are set.
        releases: in any order.
    """

    format: Annotated[int, Meta(ge=1)] = FORMAT
    product: Word
    sequence: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    poll_s: Annotated[int, Meta(ge=0, le=7 * 86400)] = 0
    releases: Annotated[list[Release], Meta(max_length=MAX_RELEASES)] = []


class ChannelFile(NamedTuple):
    """A parsed file; that it is one says nothing about who signed it.

    Attributes:
        channel: what it says.
        body: the bytes that are signed.
        signatures, rings: as they came.
    """

    channel: Channel
    body: bytes
    signatures: tuple[Signature, ...]
    rings: tuple[bytes, ...]


class Seen(NamedTuple):
    """The newest channel file that was taken: its number, and SHA-256 of its body; 0 for none."""

    sequence: int = 0
    digest: bytes = b""


class Checked(NamedTuple):
    """A channel that may be followed, with what to remember of it."""

    channel: Channel
    ring: KeyRing
    seen: Seen


def body_bytes(channel: Channel) -> bytes:
    """The canonical bytes, which are signed."""
    return wire.pack(msgspec.to_builtins(channel, builtin_types=(bytes,)))


def file_bytes(body: bytes, signatures: Sequence[Signature], rings: Sequence[bytes]) -> bytes:
    """A channel's file."""
    named = [list(signature) for signature in signatures]
    return wire.pack({"body": body, "signatures": named, "rings": list(rings)})


def parse_file(data: bytes) -> ChannelFile:
    """Read a channel file; its signatures are not checked here.

    Raises:
        Refused: "malformed", "too_long", "too_deep" or "newer_format".
    """
    raw = wire.unpack(data, MAX_CHANNEL_BYTES, "channel")
    if not isinstance(raw, dict) or not isinstance(raw.get("body"), bytes):
        raise Refused("malformed", "channel: no body")
    rings = raw.get("rings", [])
    if not isinstance(rings, list) or not all(isinstance(ring, bytes) for ring in rings):
        raise Refused("malformed", "channel: no list of key rings")
    if len(rings) > MAX_CHAIN:
        raise Refused("too_long", f"channel: {len(rings)} key rings; at most {MAX_CHAIN}")
    signatures = signatures_from(raw.get("signatures", []))
    return ChannelFile(parse_body(raw["body"]), raw["body"], signatures, tuple(rings))


def parse_body(data: bytes) -> Channel:
    """Read what the channel's keys sign.

    Raises:
        Refused: as `parse_file`.
    """
    return wire.read(data, Channel, MAX_CHANNEL_BYTES, "channel", FORMAT, complaints)


def complaints(channel: Channel) -> Iterator[str]:
    """What is wrong between the values."""
    for release in channel.releases:
        where = f"release {release.release}"
        shares = [stage.share for stage in release.stages]
        if any(after <= before for before, after in pairwise(shares)):
            yield f"{where}: the shares of its stages do not rise"
        if release.stage >= len(release.stages):
            yield f"{where}: stage {release.stage} of {len(release.stages)}"
        if not is_address(release.url):
            yield f"{where}: no http address: {release.url}"
    digests = [release.digest for release in channel.releases]
    if len(set(digests)) != len(digests):
        yield "a bundle is there twice"


def is_address(url: str) -> bool:
    """An http or https address without a password in it, or one relative to the channel file."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("", "http", "https") and "@" not in parts.netloc


def check(data: bytes, ring: KeyRing, seen: Seen) -> Checked:
    """See that a channel file may be followed.

    Args:
        data: the file, from outside.
        ring: the newest key ring that the carrier has; the file may bring newer ones.
        seen: the newest file that was taken before.

    Raises:
        Refused: "signature", "product", "channel_old"; or as `parse_file` and `key_ring.advance`.
    """
    file = parse_file(data)
    ring = advance(ring, file.rings)
    if not signers(ring.channel_keys, DOMAIN_CHANNEL, file.body, file.signatures):
        raise Refused("signature", f"no channel key of key ring {ring.version} has signed it")
    channel, digest = file.channel, hashlib.sha256(file.body).digest()
    if channel.product != ring.product:
        raise Refused("product", f"a channel for {channel.product}; this is {ring.product}")
    if channel.sequence < seen.sequence:
        raise Refused("channel_old", f"number {channel.sequence}; {seen.sequence} was seen")
    if channel.sequence == seen.sequence and digest != seen.digest:
        raise Refused("channel_old", f"two channel files have the number {seen.sequence}")
    return Checked(channel, ring, Seen(channel.sequence, digest))


class Camera(NamedTuple):
    """What decides which release a camera may take; soc "" where it is not known."""

    device: str
    board: str
    soc: str
    release: int


def choose(channel: Channel, camera: Camera, given_up: Sequence[bytes] = ()) -> Release | None:
    """The highest release that is for this camera, newer than what it runs, and open to it now.

    Args:
        channel: checked.
        camera: who asks.
        given_up: digests of bundles that it has tried and did not keep.
    """
    fits = [
        release
        for release in channel.releases
        if release.release > camera.release
        and release.digest not in given_up
        and (not release.boards or camera.board in release.boards)
        and (not release.socs or not camera.soc or camera.soc in release.socs)
        and stage_of(camera.device, release.release) < release.share
    ]
    return max(fits, key=lambda release: release.release, default=None)


def bundle_url(channel_url: str, release: Release) -> str:
    """Where the bundle lies.

    Raises:
        Refused: "argument": from https to http, which would tell everybody on the way who asks.
    """
    url = urljoin(channel_url, release.url)
    if urlsplit(channel_url).scheme == "https" and urlsplit(url).scheme != "https":
        raise Refused("argument", f"{url}: the channel came over https")
    return url
