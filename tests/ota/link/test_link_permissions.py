"""Who may do what: every command, on every path, by everybody; and what signatures are worth."""

from __future__ import annotations

import pytest

from ota.keys import DOMAIN_BUNDLE, DOMAIN_COMMAND, Signature, sign
from ota.link.messages import Kind
from ota.operators import NONCE_MS, command_body
from ota.service import COMMANDS, Path, Rank
from tests.ota.link.bench import Raw
from tests.ota.link.camera import SEEDS, STRANGER_SEED, Camera

HEARD = {"offer", "chunk"}
"""Their arguments are looked at by the camera; here it refuses them, after it was asked."""


def expected(command: str, path: Path, rank: Rank) -> str:
    entry = COMMANDS[command]
    if path in entry.open_on or rank >= entry.least:
        return "done"
    return "not_signed" if rank is Rank.NOBODY else "not_permitted"


@pytest.fixture
def answering(monkeypatch):
    def ask(self, command, arguments, by):
        self.asked.append((command, by))
        return {"session": bytes(16), "next": -1}

    monkeypatch.setattr(Camera, "ask", ask)


@pytest.mark.parametrize("path", Path)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_done_for_whom_the_table_says(command, path, answering):
    for rank in Rank:
        raw = Raw(path)
        raw.hello()
        if rank is Rank.NOBODY:
            message = [Kind.ASK, raw.next(), command, {"number": 1}]
        else:
            message = raw.signed(SEEDS[rank], command, {"number": 1})
        (answer,) = raw.say(message)
        said = "done" if answer[0] == Kind.ANSWER else answer[2]
        assert said == expected(command, path, rank), (rank, answer)
        assert [asked for asked, _ in raw.camera.asked] == [command] * (said == "done")
        for _, by in raw.camera.asked:
            name = path.value if rank is Rank.NOBODY else rank.name.lower()
            assert (by.path, by.rank, by.name) == (path, rank, name)


def test_the_table_test_can_fail():
    assert {expected("rollback", Path.LAN, rank) for rank in Rank} == {
        "not_signed",
        "not_permitted",
        "done",
    }


def refused(answers: list[list]) -> str:
    (answer,) = answers
    assert answer[0] == Kind.REFUSED
    return answer[2]


@pytest.fixture
def raw():
    made = Raw(Path.LAN)
    made.hello()
    return made


def test_a_signed_command_is_worth_nothing_a_second_time(raw):
    message = raw.signed(SEEDS[Rank.TECHNICIAN], "rollback", {})
    assert raw.say(message)[0][0] == Kind.ANSWER
    message[1] = raw.next()
    assert refused(raw.say(message)) == "nonce"
    assert len(raw.camera.asked) == 1


def test_a_signed_command_that_is_sent_again_is_done_once(raw):
    message = raw.signed(SEEDS[Rank.TECHNICIAN], "rollback", {})
    answers = [raw.say(message)[0] for _ in range(3)]
    assert [answer[0] for answer in answers] == [Kind.ANSWER] * 3
    assert len(raw.camera.asked) == 1


def test_a_command_for_another_camera_is_refused(raw):
    message = raw.signed(SEEDS[Rank.VENDOR], "rollback", {}, device="cam-8")
    assert refused(raw.say(message)) == "not_signed"


@pytest.mark.parametrize("place", [2, 3, 4, 5, 6])
def test_what_is_signed_cannot_be_changed(raw, place):
    message = raw.signed(SEEDS[Rank.VENDOR], "rollback", {"why": "x"})
    changed = {
        2: "confirm",
        3: {"why": "y"},
        4: raw.nonce(),
        5: message[5][:-1] + b"?",
        6: bytes([message[6][0] ^ 1]) + message[6][1:],
    }
    message[place] = changed[place]
    assert refused(raw.say(message)) in ("not_signed", "operator_key")
    assert raw.camera.asked == []


def test_keys_that_are_not_in_the_ring_are_unknown(raw):
    assert refused(raw.say(raw.signed(STRANGER_SEED, "status", {}))) == "operator_key"


def test_a_key_cannot_stand_in_for_another(raw):
    message = raw.signed(STRANGER_SEED, "rollback", {})
    message[5] = raw.signed(SEEDS[Rank.VENDOR], "rollback", {})[5]
    assert refused(raw.say(message)) == "not_signed"


def test_a_signature_in_another_domain_is_none(raw):
    nonce = raw.nonce()
    body = command_body("cam-7", nonce, "rollback", {})
    proof = sign(SEEDS[Rank.VENDOR], DOMAIN_BUNDLE, body)
    assert refused(raw.say([Kind.ASK, raw.next(), "rollback", {}, nonce, *proof])) == "not_signed"
    assert DOMAIN_BUNDLE != DOMAIN_COMMAND


def test_an_old_challenge_is_refused(raw):
    message = raw.signed(SEEDS[Rank.VENDOR], "rollback", {})
    raw.work(NONCE_MS + 1000)
    assert refused(raw.say(message)) == "nonce"


@pytest.mark.parametrize(
    "proof",
    [(b"", b"", b""), (bytes(16), bytes(8), bytes(64)), (bytes(15), bytes(9), bytes(6000 // 2))],
)
def test_nonsense_for_a_proof_is_refused(raw, proof):
    assert refused(raw.say([Kind.ASK, raw.next(), "status", {}, *proof])) == "nonce"
    nonce = raw.nonce()
    message = [Kind.ASK, raw.next(), "status", {}, nonce, *proof[1:]]
    assert refused(raw.say(message)) == "operator_key"
    known = next(iter(raw.camera.operators))
    nonce = raw.nonce()
    message = [Kind.ASK, raw.next(), "status", {}, nonce, *Signature(known, proof[2])]
    assert refused(raw.say(message)) == "not_signed"


def test_a_challenge_is_for_one_conversation(raw):
    message = raw.signed(SEEDS[Rank.VENDOR], "rollback", {})
    other = 0x7777 << 16
    raw.hello(other)
    message[1] = raw.next(other)
    assert refused(raw.say(message)) == "nonce"


def test_unknown_commands_are_told_as_text_that_cannot_harm(raw):
    assert refused(raw.say([Kind.ASK, raw.next(), "\x1b[2J" * 90, {}])) == "unknown"
    name, values = raw.log[-1]
    assert name == "link_refused" and values["command"].isprintable()
    assert len(values["command"]) <= 40 and len(values["detail"]) <= 60
