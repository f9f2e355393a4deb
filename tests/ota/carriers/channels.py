"""Signed channel files for tests, with the keys of `tests.ota.vendor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ota.carriers.channel import Channel, Release, body_bytes, file_bytes
from ota.carriers.rollout import Stage
from ota.keys import DOMAIN_CHANNEL, sign
from tests.ota import vendor

ALL = [Stage(share=1.0)]


def release(number: int, **fields: Any) -> Release:
    values: dict[str, Any] = {
        "version": f"1.{number}",
        "release": number,
        "url": f"{number}.bundle",
        "digest": bytes([number]) * 32,
        "bytes": 1000,
        "stages": ALL,
    }
    return Release(**values | fields)


def channel(sequence: int, *releases: Release, **fields: Any) -> Channel:
    values = {"product": vendor.PRODUCT, "sequence": sequence, "releases": list(releases)}
    return Channel(**values | fields)


def signed(
    what: Channel, signers: Sequence[str] = ("channel 1",), rings: Sequence[bytes] = ()
) -> bytes:
    body = body_bytes(what)
    signatures = [sign(vendor.seed(name), DOMAIN_CHANNEL, body) for name in signers]
    return file_bytes(body, signatures, rings)
