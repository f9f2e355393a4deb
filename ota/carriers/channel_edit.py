"""Changes of a channel file, each with the next number; the signatures are off after each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ota.bundle import BundleFile
from ota.carriers.channel import (
    Channel,
    ChannelFile,
    Release,
    body_bytes,
    parse_body,
)
from ota.carriers.rollout import Reports, Stage, Verdict, judge
from ota.key_ring import check_bundle, parse_ring
from ota.keys import parse_signatures
from ota.refusal import Refused


class MustHalt(Refused):
    """Cameras told that too many of them did not keep a release."""


def new(product: str, poll_s: int, rings: Sequence[bytes]) -> ChannelFile:
    """An empty channel, number 1.

    Raises:
        Refused: "malformed".
    """
    return _file(Channel(product=product, sequence=1, poll_s=poll_s), rings)


def add(file: ChannelFile, bundle: BundleFile, url: str, stages: list[Stage]) -> ChannelFile:
    """With one more bundle, open to its first stage.

    What every camera would refuse is refused here, as far as the channel's newest ring tells.

    Raises:
        Refused: "product", "signature", "revoked_key", "argument" (it is there already), or
            "malformed".
    """
    manifest, channel = bundle.manifest, file.channel
    if manifest.product != channel.product:
        raise Refused(
            "product", f"a bundle for {manifest.product}, a channel for {channel.product}"
        )
    if file.rings:
        check_bundle(parse_ring(file.rings[-1]), bundle.head)
    elif not parse_signatures(bundle.head.signatures):
        raise Refused("signature", "the bundle is not signed yet: haetae ota sign")
    if any(release.digest == bundle.head.digest for release in channel.releases):
        raise Refused("argument", f"release {manifest.release} is on the channel already")
    release = Release(
        boards=manifest.boards, socs=manifest.socs, version=manifest.version,
        release=manifest.release, url=url, digest=bundle.head.digest, bytes=bundle.size,
        stages=stages,
    )  # fmt: skip
    return _with(file, [*channel.releases, release])


def check_widen(file: ChannelFile, number: int, reports: Reports, held_h: float) -> None:
    """See that what cameras told allows the next stage.

    Raises:
        Refused: "health": they told too little yet.
        MustHalt: "health": too many failed.
    """
    for release in _found(file, number):
        stage = release.stages[release.stage]
        verdict = judge(stage, reports, held_h)
        told = f"{reports.confirmed} confirmed, {reports.failed} failed, {reports.overdue} overdue"
        if verdict is Verdict.HALT:
            least = f"needed are {stage.least_confirmed:.0%} confirmed"
            raise MustHalt("health", f"{told}; {least}: halt release {number}")
        if verdict is Verdict.HOLD:
            needed = f"{stage.least_reports} reports and {stage.hold_h:g} h"
            raise Refused("health", f"{told} in {held_h:g} h; wait for {needed}, or --force")


def widen(file: ChannelFile, number: int) -> ChannelFile:
    """A release open to its next stage.

    Raises:
        Refused: "argument": no such release, halted, or in its last stage.
    """
    found = _found(file, number)
    for release in found:
        if release.halted:
            raise Refused("argument", f"release {number} is halted; make a newer one")
        if release.stage + 1 >= len(release.stages):
            raise Refused("argument", f"release {number} is in its last stage")
    return _changed(file, number, lambda one: msgspec.structs.replace(one, stage=one.stage + 1))


def halt(file: ChannelFile, number: int, why: str) -> ChannelFile:
    """A release that no camera takes any more.

    Raises:
        Refused: "argument": no such release.
    """
    _found(file, number)
    return _changed(file, number, lambda one: msgspec.structs.replace(one, halted=True, why=why))


def told(file: ChannelFile) -> dict[str, Any]:
    """All of it as plain values."""
    found: dict[str, Any] = msgspec.to_builtins(file.channel, builtin_types=(bytes,))
    for release, raw in zip(file.channel.releases, found["releases"], strict=True):
        raw["digest"] = release.digest.hex()
        raw["share"] = release.share
    found["signed_by"] = [signature.key_id.hex() for signature in file.signatures]
    found["rings"] = len(file.rings)
    return found


def _found(file: ChannelFile, number: int) -> list[Release]:
    found = [release for release in file.channel.releases if release.release == number]
    if not found:
        known = ", ".join(str(release.release) for release in file.channel.releases) or "none"
        raise Refused("argument", f"no release {number} on the channel; there are: {known}")
    return found


def _changed(file: ChannelFile, number: int, change: Any) -> ChannelFile:
    releases = [
        change(release) if release.release == number else release
        for release in file.channel.releases
    ]
    return _with(file, releases)


def _with(file: ChannelFile, releases: list[Release]) -> ChannelFile:
    sequence = file.channel.sequence + 1
    changed = msgspec.structs.replace(file.channel, sequence=sequence, releases=releases)
    return _file(changed, file.rings)


def _file(channel: Channel, rings: Sequence[bytes]) -> ChannelFile:
    body = body_bytes(channel)
    return ChannelFile(parse_body(body), body, (), tuple(rings))
