"""The channel file: only the vendor's newest one is followed, and each camera finds its release."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ota import wire
from ota.carriers.channel import (
    MAX_CHANNEL_BYTES,
    Camera,
    Seen,
    body_bytes,
    bundle_url,
    check,
    choose,
    file_bytes,
    parse_file,
)
from ota.carriers.rollout import Stage, stage_of
from ota.key_ring import trust_first
from ota.keys import DOMAIN_BUNDLE, sign
from ota.refusal import Refused
from tests.ota import vendor
from tests.ota.carriers.channels import channel, release, signed

RING = trust_first(vendor.ring(1))
NOTHING = Seen()
CAMERA = Camera("cam-1", "rk3588_evb", "rk3588", 3)


def refused(data: bytes, seen: Seen = NOTHING) -> str:
    with pytest.raises(Refused) as caught:
        check(data, RING, seen)
    return caught.value.reason


def test_a_signed_channel_is_followed():
    checked = check(signed(channel(5, release(4), poll_s=60)), RING, Seen())
    assert checked.seen.sequence == 5
    assert checked.channel.poll_s == 60
    assert choose(checked.channel, CAMERA) == release(4)


def test_it_may_come_again_and_may_go_on():
    seen = check(signed(channel(5)), RING, Seen()).seen
    assert check(signed(channel(5)), RING, seen).seen == seen
    assert check(signed(channel(6)), RING, seen).seen.sequence == 6


def test_it_never_goes_back():
    seen = check(signed(channel(5, release(4, halted=True))), RING, Seen()).seen
    assert refused(signed(channel(4, release(4))), seen) == "channel_old"
    assert refused(signed(channel(5, release(4))), seen) == "channel_old"


@pytest.mark.parametrize("signers", [(), ("bundle 1",), ("channel 2",), ("root 1", "root 2")])
def test_nobody_else_signs_it(signers):
    assert refused(signed(channel(1), signers)) == "signature"


def test_a_signature_for_a_bundle_is_none_for_a_channel():
    body = body_bytes(channel(1))
    made = sign(vendor.seed("channel 1"), DOMAIN_BUNDLE, body)
    assert refused(file_bytes(body, [made], [])) == "signature"


def test_another_product_is_refused():
    assert refused(signed(channel(1, product="other"))) == "product"


def test_it_brings_newer_key_rings():
    newer = vendor.ring(2, bundle_keys=("bundle 2",))
    checked = check(signed(channel(1), rings=[newer]), RING, Seen())
    assert checked.ring.version == 2
    alone = vendor.ring(2, signed_by=["root 1"])
    assert refused(signed(channel(1), rings=[alone])) == "ring_signature"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"stage": 1}, "stage 1 of 1"),
        ({"stages": [Stage(share=0.5), Stage(share=0.5)]}, "do not rise"),
        ({"url": "ftp://a/b"}, "no http address"),
        ({"url": "https://user:word@a/b"}, "no http address"),
        ({"url": "file:///etc/passwd"}, "no http address"),
        ({"url": "a b"}, "url"),
        ({"bytes": 1 << 40}, "bytes"),
        ({"digest": b"short"}, "digest"),
        ({"stages": []}, "stages"),
    ],
)
def test_what_cannot_be_is_refused(changes, text):
    with pytest.raises(Refused, match=text) as caught:
        check(signed(channel(1, release(4, **changes))), RING, Seen())
    assert caught.value.reason == "malformed"


def test_the_same_bundle_twice_is_refused():
    assert refused(signed(channel(1, release(4), release(5, digest=bytes([4]) * 32)))) == (
        "malformed"
    )


def test_newer_formats_and_huge_files_are_told_apart():
    assert refused(signed(channel(1, format=2))) == "newer_format"
    assert refused(bytes(MAX_CHANNEL_BYTES + 1)) == "too_long"


@given(st.binary(max_size=400))
def test_junk_is_refused(data):
    with pytest.raises(Refused):
        parse_file(data)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_never_followed(position, change):
    data = bytearray(signed(channel(1, release(4))))
    position %= len(data)
    data[position] ^= change
    try:
        checked = check(bytes(data), RING, Seen())
    except Refused:
        return
    assert checked.channel == channel(1, release(4))


@given(
    st.recursive(
        st.none() | st.integers(-(2**63), 2**64 - 1) | st.binary(), st.lists, max_leaves=20
    )
)
def test_other_msgpack_is_refused(value):
    with pytest.raises(Refused):
        parse_file(wire.pack({"body": wire.pack(value), "signatures": []}))


@pytest.mark.parametrize(
    ("releases", "chosen"),
    [
        ([], None),
        ([release(3)], None),  # it runs that
        ([release(2)], None),
        ([release(4), release(6), release(5)], 6),
        ([release(4), release(6, halted=True)], 4),
        ([release(4), release(6, boards=["other"])], 4),
        ([release(6, boards=["rk3588_evb"], socs=["rk3588"])], 6),
        ([release(4), release(6, socs=["rk3566"])], 4),
        ([release(4), release(6, digest=b"x" * 32)], 4),  # tried and not kept
    ],
)
def test_which_release_a_camera_takes(releases, chosen):
    found = choose(channel(1, *releases), CAMERA, given_up=[b"x" * 32])
    assert (found and found.release) == chosen


def test_a_stage_that_has_not_come_to_it_is_waited_for():
    place = stage_of("cam-1", 4)
    below, above = Stage(share=place - 1e-6), Stage(share=place + 1e-6)
    stages = [below, above]
    assert choose(channel(1, release(4, stages=stages)), CAMERA) is None
    assert choose(channel(1, release(4, stages=stages, stage=1)), CAMERA) is not None


def test_a_camera_that_does_not_tell_its_soc_may_ask():
    unknown = CAMERA._replace(soc="")
    assert choose(channel(1, release(4, socs=["rk3566"])), unknown) is not None


def test_where_the_bundle_lies():
    base = "https://cdn.example/cam/haetae.channel"
    assert bundle_url(base, release(4)) == "https://cdn.example/cam/4.bundle"
    other = release(4, url="https://other.example/x")
    assert bundle_url(base, other) == "https://other.example/x"
    with pytest.raises(Refused, match="https"):
        bundle_url(base, release(4, url="http://cdn.example/x"))
