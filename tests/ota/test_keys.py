"""Signatures: whose, over what, and how often they count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from ota import wire
from ota.keys import (
    DOMAIN_BUNDLE,
    DOMAIN_RING,
    MAX_SIGNATURES,
    Signature,
    key_id,
    parse_signatures,
    public_of,
    sign,
    signatures_bytes,
    signers,
)
from ota.refusal import Refused
from tests.ota.vendor import name_id, public, seed

BODY = b"what is signed"
KNOWN = {name_id(name): public(name) for name in ("a", "b")}


def test_a_known_signature_of_rfc_8032():
    """Test 1 of section 7.1, so that no other curve or encoding can slip in."""
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    known = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert public_of(secret).hex() == known


def test_what_is_signed_is_domain_zero_body():
    signature = sign(seed("a"), DOMAIN_RING, BODY)
    assert signature.value == SigningKey(seed("a")).sign(b"haetae key ring 1\0" + BODY).signature
    assert signature.key_id == name_id("a")


def test_signers_are_the_known_keys_that_signed():
    signatures = [sign(seed(name), DOMAIN_RING, BODY) for name in ("a", "b", "stranger")]
    assert signers(KNOWN, DOMAIN_RING, BODY, signatures) == {name_id("a"), name_id("b")}


def test_a_key_that_signs_twice_counts_once():
    twice = [sign(seed("a"), DOMAIN_RING, BODY)] * 2
    assert signers(KNOWN, DOMAIN_RING, BODY, twice) == {name_id("a")}


def test_a_wrong_signature_does_not_stand_before_a_right_one_of_the_same_key():
    right = sign(seed("a"), DOMAIN_RING, BODY)
    wrong = Signature(right.key_id, bytes(64))
    assert signers(KNOWN, DOMAIN_RING, BODY, [wrong, right]) == {right.key_id}


@pytest.mark.parametrize(
    "signature",
    [
        sign(seed("a"), DOMAIN_BUNDLE, BODY),
        sign(seed("a"), DOMAIN_RING, BODY + b"."),
        Signature(name_id("b"), sign(seed("a"), DOMAIN_RING, BODY).value),
        Signature(name_id("a"), bytes(64)),
        Signature(name_id("a"), b"short"),
    ],
    ids=["other domain", "other body", "under another id", "zeros", "short"],
)
def test_what_does_not_count(signature):
    assert signers(KNOWN, DOMAIN_RING, BODY, [signature]) == set()


def test_what_was_signed_before_another_domain_does_not_count():
    """Otherwise a signed ring that holds a command would be a signed command."""
    inside = DOMAIN_BUNDLE.encode() + b"\0" + BODY
    ring = sign(seed("a"), DOMAIN_RING, b"some ring " + inside)
    stretched = Signature(ring.key_id, ring.value + b"haetae key ring 1\0some ring ")
    assert signers(KNOWN, DOMAIN_BUNDLE, BODY, [stretched]) == set()


def test_a_public_key_of_small_order_signs_nothing():
    """With one, a signature of zeros would hold for any body."""
    for weak in (bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"):
        for value in (bytes(64), b"\x01" + bytes(63)):
            found = signers(
                {key_id(weak): weak}, DOMAIN_RING, BODY, [Signature(key_id(weak), value)]
            )
            assert found == set()


@given(st.lists(st.tuples(st.binary(min_size=8, max_size=8), st.binary(min_size=64, max_size=64))))
def test_signatures_come_back_as_they_went(pairs):
    signatures = tuple(Signature(*pair) for pair in pairs[:MAX_SIGNATURES])
    assert parse_signatures(signatures_bytes(signatures)) == signatures


def test_no_bytes_are_no_signatures():
    assert parse_signatures(b"") == ()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "malformed"),
        ([[b"12345678"]], "malformed"),
        ([[b"1234567", bytes(64)]], "malformed"),
        ([[b"12345678", bytes(63)]], "malformed"),
        ([["12345678", bytes(64)]], "malformed"),
        ([7], "malformed"),
        ([[b"12345678", bytes(64)]] * (MAX_SIGNATURES + 1), "too_long"),
        ([[bytes(4096), bytes(64)]], "too_long"),
    ],
)
def test_what_is_no_list_of_signatures(value, reason):
    with pytest.raises(Refused) as refused:
        parse_signatures(wire.pack(value))
    assert refused.value.reason == reason
