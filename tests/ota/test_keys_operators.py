"""Signed commands: one nonce, one command, one camera."""

from __future__ import annotations

import pytest

from ota.keys import DOMAIN_COMMAND, sign, signers
from ota.operators import MAX_OUTSTANDING, NONCE_BYTES, NONCE_MS, Challenges, command_body
from ota.refusal import Refused
from tests.ota.vendor import name_id, public, seed

NONCE = bytes(range(16))
BODY = command_body("mast-7", NONCE, "ack", {"number": 3, "place": "gate"})


def taken(challenges: Challenges, nonce: bytes, now_ms: float) -> bool:
    try:
        challenges.take(nonce, now_ms)
    except Refused as refused:
        return refused.reason != "nonce"
    return True


@pytest.mark.parametrize(
    "other",
    [
        command_body("mast-8", NONCE, "ack", {"number": 3, "place": "gate"}),
        command_body("mast-7", bytes(16), "ack", {"number": 3, "place": "gate"}),
        command_body("mast-7", NONCE, "mute", {"number": 3, "place": "gate"}),
        command_body("mast-7", NONCE, "ack", {"number": 4, "place": "gate"}),
        command_body("mast-7", NONCE, "ack", {}),
    ],
    ids=["camera", "nonce", "command", "argument", "no argument"],
)
def test_a_signature_holds_for_one_command_alone(other):
    known = {name_id("kim"): public("kim")}
    signature = sign(seed("kim"), DOMAIN_COMMAND, BODY)
    assert signers(known, DOMAIN_COMMAND, BODY, [signature]) == {name_id("kim")}
    assert signers(known, DOMAIN_COMMAND, other, [signature]) == set()


def test_the_order_of_arguments_does_not_matter():
    assert command_body("mast-7", NONCE, "ack", {"place": "gate", "number": 3}) == BODY


def test_a_nonce_is_taken_once():
    challenges = Challenges()
    nonce = challenges.new(0.0)
    assert len(nonce) == NONCE_BYTES
    assert taken(challenges, nonce, 10.0)
    assert not taken(challenges, nonce, 10.0)


def test_a_nonce_ages():
    challenges = Challenges()
    first, second = challenges.new(0.0), challenges.new(0.0)
    assert taken(challenges, first, NONCE_MS)
    assert not taken(challenges, second, NONCE_MS + 1.0)


@pytest.mark.parametrize("nonce", [b"", bytes(16), bytes(15), bytes(17)])
def test_a_nonce_that_was_never_given_out(nonce):
    challenges = Challenges()
    challenges.new(0.0)
    assert not taken(challenges, nonce, 0.0)


def test_there_are_at_most_eight_and_the_oldest_goes():
    challenges = Challenges()
    nonces = [challenges.new(0.0) for _ in range(MAX_OUTSTANDING + 1)]
    assert [taken(challenges, nonce, 0.0) for nonce in nonces] == [False] + [True] * MAX_OUTSTANDING


def test_nonces_differ():
    challenges = Challenges()
    assert len({challenges.new(0.0) for _ in range(1000)}) == 1000
