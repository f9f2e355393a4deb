"""Key rings: who may make the next one, and what it then allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ota import wire
from ota.head import MAX_RINGS_BYTES, Head
from ota.key_ring import (
    MAX_CHAIN,
    MAX_RING_BYTES,
    advance,
    body_bytes,
    chain_bytes,
    check_bundle,
    parse_body,
    parse_chain,
    parse_ring,
    ring_bytes,
    trust_first,
)
from ota.keys import DOMAIN_BUNDLE, DOMAIN_RING, Signature, key_id, sign
from ota.refusal import Refused
from ota.service import Rank
from tests.ota.vendor import (
    ROOTS,
    body,
    bundle_signatures,
    name_id,
    operator,
    public,
    ring,
    seed,
)

FIRST = trust_first(ring(1))
MANIFEST = b"manifest"


def refusal(call, *arguments) -> str:
    with pytest.raises(Refused) as refused:
        call(*arguments)
    return refused.value.reason


def head(*names: str) -> Head:
    return Head(MANIFEST, bundle_signatures(MANIFEST, *names), b"")


def test_a_ring_says_who_may_do_what():
    data = ring(3, operators=[operator("kim", "technician")], revoked=["bundle 0"])
    found = parse_ring(data)
    assert (found.version, found.product, found.threshold) == (3, "haetae-cam", 2)
    assert set(found.roots) == {name_id(name) for name in ROOTS}
    assert found.bundle_keys == {name_id("bundle 1"): public("bundle 1")}
    assert found.channel_keys == {name_id("channel 1"): public("channel 1")}
    assert found.operators[name_id("kim")] == (public("kim"), Rank.TECHNICIAN, "kim")
    assert found.revoked == {name_id("bundle 0")}
    assert found.names[name_id("bundle 1")] == "bundle-1"
    assert found.data == data


# -- the first ring


def test_a_first_ring_is_signed_by_enough_of_its_own_roots():
    assert trust_first(ring(1, ROOTS)).version == 1


@pytest.mark.parametrize(
    "signed_by",
    [[], ["root 1"], ["root 1", "root 1"], ["root 1", "thief"], ["bundle 1", "root 2"]],
    ids=["none", "1 of 2", "one root twice", "foreign root", "a bundle key"],
)
def test_a_first_ring_with_too_few_signatures(signed_by):
    assert refusal(trust_first, ring(1, signed_by)) == "ring_signature"


def test_a_root_under_anothers_id_does_not_count_for_it():
    data = body_bytes(body(1))
    one = sign(seed("root 1"), DOMAIN_RING, data)
    assert refusal(
        trust_first, ring_bytes(data, [one, Signature(name_id("root 2"), one.value)])
    ) == ("ring_signature")


def test_a_signature_for_a_bundle_is_none_for_a_ring():
    data = body_bytes(body(1))
    wrong = [sign(seed(name), DOMAIN_BUNDLE, data) for name in ROOTS]
    assert refusal(trust_first, ring_bytes(data, wrong)) == "ring_signature"


# -- the way up


def test_the_next_ring_is_taken():
    assert advance(FIRST, [ring(2)]).version == 2


def test_a_chain_of_several_versions_is_walked_at_once():
    assert advance(FIRST, [ring(number) for number in range(1, 8)]).version == 7


def test_nothing_newer_leaves_the_very_ring():
    second = advance(FIRST, [ring(2)])
    assert advance(second, []) is second
    assert advance(second, [ring(1), ring(2)]) is second


def test_an_older_ring_that_is_replayed_takes_nothing_back():
    second = advance(FIRST, [ring(2, revoked=["bundle 1"], bundle_keys=["bundle 2"])])
    assert advance(second, [ring(1)]) is second
    assert refusal(check_bundle, second, head("bundle 1")) == "revoked_key"


def test_a_gap_is_not_jumped():
    assert refusal(advance, FIRST, [ring(3)]) == "ring_gap"
    assert refusal(advance, FIRST, [ring(2), ring(4)]) == "ring_gap"


def test_rings_in_the_wrong_order_are_a_gap():
    assert refusal(advance, FIRST, [ring(3), ring(2)]) == "ring_gap"


def test_two_rings_of_one_version_are_a_conflict():
    other = ring(1, bundle_keys=["thief"])
    assert refusal(advance, FIRST, [other]) == "ring_conflict"
    assert refusal(advance, FIRST, [ring(2), ring(2, bundle_keys=["thief"])]) == "ring_conflict"


def test_the_same_ring_with_more_signatures_is_the_same():
    assert advance(FIRST, [ring(1, ROOTS)]) is FIRST


@pytest.mark.parametrize(
    "signed_by",
    [[], ["root 1"], ["root 3", "root 3"], ["root 1", "thief"], ["thief", "thief 2"]],
    ids=["none", "1 of 2", "one root twice", "foreign root", "foreign roots"],
)
def test_a_next_ring_with_too_few_signatures(signed_by):
    assert refusal(advance, FIRST, [ring(2, signed_by)]) == "ring_signature"


def test_one_bad_ring_refuses_the_whole_chain():
    assert refusal(advance, FIRST, [ring(2), ring(3, ["root 1"])]) == "ring_signature"


def test_foreign_roots_cannot_sign_for_themselves():
    """A ring that is in order by itself is not the next one of ours."""
    thieves = ["thief", "thief 2"]
    data = ring(2, thieves, roots=thieves)
    assert trust_first(data).version == 2
    assert refusal(advance, FIRST, [data]) == "ring_signature"


def test_roots_are_rotated_by_the_old_and_the_new_ones():
    roots = ["root 2", "root 3", "root 4"]
    both = advance(
        FIRST, [ring(2, ["root 1", "root 2", "root 4"], roots=roots, revoked=["root 1"])]
    )
    assert set(both.roots) == {name_id(name) for name in roots}
    assert advance(both, [ring(3, ["root 3", "root 4"], roots=roots)]).version == 3
    assert refusal(advance, both, [ring(3, ["root 1", "root 2"], roots=roots)]) == "ring_signature"


def test_a_ring_that_its_own_roots_did_not_sign_is_refused():
    """Otherwise a mistake in the new roots would lock every camera out for ever."""
    data = ring(2, ["root 1", "root 2"], roots=["root 4", "root 5", "root 6"])
    assert refusal(advance, FIRST, [data]) == "ring_signature"


def test_the_threshold_of_the_old_ring_holds_for_the_new_one():
    assert refusal(advance, FIRST, [ring(2, ["root 1"], threshold=1)]) == "ring_signature"
    assert advance(FIRST, [ring(2, ["root 1", "root 2"], threshold=1)]).threshold == 1


def test_a_ring_of_another_product():
    assert refusal(advance, FIRST, [ring(2, product="other")]) == "product"


def test_a_chain_has_a_bound():
    assert refusal(advance, FIRST, [ring(1)] * (MAX_CHAIN + 1)) == "too_long"


# -- what a ring may say


@pytest.mark.parametrize(
    "fields",
    [
        {"bundle_keys": ["root 1"]},
        {"roots": ["root 1", "root 1"]},
        {"revoked": ["root 1"]},
        {"revoked": ["bundle 1"]},
        {"revoked": ["channel 1"]},
        {"revoked": ["kim"], "operators": [operator("kim", "viewer")]},
        {"threshold": 4},
        {"threshold": 0},
        {"bundle_threshold": 2},
        {"bundle_threshold": 0},
        {"roots": []},
        {"operators": [operator("kim", "root")]},
    ],
    ids=str,
)
def test_rings_that_cannot_be(fields):
    data = body_bytes(body(1, **fields))
    assert refusal(parse_body, data) == "malformed"
    assert refusal(parse_ring, ring_bytes(data, [])) == "malformed"


@pytest.mark.parametrize("value", [7, [], {}, {"body": 7}, {"body": b"", "signatures": []}])
def test_what_is_no_ring(value):
    assert refusal(parse_ring, wire.pack(value)) == "malformed"


def test_a_public_key_has_its_length():
    raw = wire.unpack(body_bytes(body(1)), MAX_RING_BYTES)
    raw["roots"][0]["public"] = bytes(31)
    assert refusal(parse_body, wire.pack(raw)) == "malformed"


def test_a_newer_format_says_so_and_newer_fields_are_passed_over():
    raw = wire.unpack(body_bytes(body(1)), MAX_RING_BYTES)
    assert refusal(parse_body, wire.pack(raw | {"format": 2})) == "newer_format"
    assert parse_body(wire.pack(raw | {"colour": "red"})) == body(1)


def test_a_ring_is_not_longer_than_4_kib():
    assert refusal(parse_ring, bytes(MAX_RING_BYTES + 1)) == "too_long"


def test_three_roots_two_keys_each_and_twenty_operators_fit():
    people = [operator(f"operator {number}", "technician") for number in range(20)]
    data = ring(1, ROOTS, bundle_keys=["bundle 1", "bundle 2"], operators=people)
    assert len(data) < MAX_RING_BYTES
    assert len(trust_first(data).operators) == 20


# -- what a ring allows


def test_a_bundle_with_a_signature_of_the_ring():
    check_bundle(FIRST, head("bundle 1"))
    check_bundle(FIRST, head("stranger", "bundle 1"))


@pytest.mark.parametrize("names", [(), ("stranger",), ("root 1",), ("channel 1",)], ids=str)
def test_a_bundle_without_one(names):
    assert refusal(check_bundle, FIRST, head(*names)) == "signature"


def test_a_bundle_needs_as_many_keys_as_the_ring_says():
    two = trust_first(ring(1, bundle_keys=["bundle 1", "bundle 2"], bundle_threshold=2))
    assert refusal(check_bundle, two, head("bundle 1")) == "signature"
    assert refusal(check_bundle, two, head("bundle 1", "bundle 1")) == "signature"
    check_bundle(two, head("bundle 2", "bundle 1"))


def test_a_revoked_key_beside_a_good_one_does_no_harm():
    second = advance(FIRST, [ring(2, bundle_keys=["bundle 2"], revoked=["bundle 1"])])
    check_bundle(second, head("bundle 1", "bundle 2"))


def test_a_ring_without_bundle_keys_takes_no_bundle():
    closed = trust_first(ring(1, bundle_keys=[], revoked=["bundle 1"]))
    assert refusal(check_bundle, closed, head("bundle 1")) == "revoked_key"
    assert refusal(check_bundle, closed, head()) == "signature"


def test_an_operator_whose_key_was_revoked_is_gone():
    with_kim = trust_first(ring(1, operators=[operator("kim", "vendor")]))
    without = advance(with_kim, [ring(2, revoked=["kim"])])
    assert name_id("kim") in with_kim.operators
    assert name_id("kim") not in without.operators


# -- chains


def test_a_chain_comes_back_as_it_went():
    rings = [ring(1), ring(2)]
    assert parse_chain(chain_bytes(rings)) == rings
    assert parse_chain(b"") == []


@pytest.mark.parametrize("rings", [[b""] * (MAX_CHAIN + 1), [bytes(MAX_RING_BYTES)] * 8])
def test_a_chain_that_no_camera_would_take_is_not_made(rings):
    assert refusal(chain_bytes, rings) == "too_long"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (wire.pack([7]), "malformed"),
        (wire.pack({}), "malformed"),
        (wire.pack([b""] * (MAX_CHAIN + 1)), "too_long"),
        (bytes(MAX_RINGS_BYTES + 1), "too_long"),
    ],
)
def test_what_is_no_chain(data, reason):
    assert refusal(parse_chain, data) == reason


# -- any ring


@given(st.integers(1, 3), st.lists(st.sampled_from([*ROOTS, "thief"]), max_size=5))
def test_a_ring_is_taken_exactly_when_enough_roots_signed(threshold, signed_by):
    data = ring(1, signed_by, threshold=threshold)
    if len(set(signed_by) - {"thief"}) >= threshold:
        assert trust_first(data).data == data
    else:
        assert refusal(trust_first, data) == "ring_signature"


@given(st.binary(max_size=200))
def test_bytes_from_anywhere_are_refused(data):
    with pytest.raises(Refused):
        parse_ring(data)


@given(st.integers(0, 8 * len(ring(1)) - 1))
def test_no_bit_of_a_ring_can_be_flipped_unseen(bit):
    """Only what nobody signed may differ, and then the ring says the same."""
    data = bytearray(ring(1))
    data[bit // 8] ^= 1 << bit % 8
    try:
        found = trust_first(bytes(data))
    except Refused:
        return
    assert found.body == FIRST.body


def test_the_id_of_a_key_is_fixed_by_its_bytes():
    assert key_id(bytes(32)).hex() == "eb37671d1b8c0016"
