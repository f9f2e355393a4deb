"""Private keys at rest: sealed, for their owner alone, never overwritten."""

from __future__ import annotations

import stat

import pytest

from ota import key_files, wire
from ota.key_files import (
    MAX_KEY_FILE_BYTES,
    PublicKey,
    ask_passphrase,
    make_key,
    open_key,
    parse_public,
    public_text,
    read_public,
)
from ota.keys import DOMAIN_RING, key_id, public_of, sign, signers
from ota.refusal import Refused

PHRASE = b"correct horse"
REAL_COSTS = dict(key_files.COSTS)


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch):
    monkeypatch.setattr(key_files, "COSTS", dict.fromkeys(key_files.KINDS, (1, 8192)))


@pytest.fixture
def made(tmp_path):
    path = tmp_path / "root-1.key"
    return path, make_key(path, "root", "root-1", PHRASE)


def refusal(call, *arguments) -> str:
    with pytest.raises(Refused) as refused:
        call(*arguments)
    return refused.value.reason


def test_a_key_opens_with_its_passphrase_and_signs(made):
    path, public = made
    seed = open_key(path, PHRASE)
    assert public_of(seed) == public
    known = {key_id(public): public}
    assert signers(known, DOMAIN_RING, b"body", [sign(seed, DOMAIN_RING, b"body")]) == set(known)


@pytest.mark.parametrize("phrase", [b"correct hors", b"", PHRASE + b" "])
def test_a_wrong_passphrase(made, phrase):
    assert refusal(open_key, made[0], phrase) == "passphrase"


def test_the_private_key_lies_nowhere_in_the_clear(made):
    path, public = made
    seed = open_key(path, PHRASE)
    for file in path.parent.iterdir():
        assert seed not in file.read_bytes()
        assert seed.hex() not in file.read_text("latin-1")
    assert public.hex() in path.with_suffix(".pub").read_text()


def test_only_the_owner_reads_a_private_key(made):
    path, _ = made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.with_suffix(".pub").stat().st_mode) & 0o222 == 0o200


@pytest.mark.parametrize("suffix", [".key", ".pub"])
def test_nothing_is_overwritten_and_nothing_half_made(tmp_path, suffix):
    there = tmp_path / f"kim{suffix}"
    there.write_text("mine")
    with pytest.raises(FileExistsError):
        make_key(tmp_path / "kim.key", "operator", "kim", PHRASE)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(there.name, "mine")]


def test_two_keys_of_one_passphrase_have_nothing_in_common(tmp_path):
    make_key(tmp_path / "a.key", "root", "a", PHRASE)
    make_key(tmp_path / "b.key", "root", "b", PHRASE)
    first, second = (
        wire.unpack((tmp_path / name).read_bytes(), MAX_KEY_FILE_BYTES)
        for name in ("a.key", "b.key")
    )
    for field in ("public", "salt", "sealed"):
        assert first[field] != second[field]


@pytest.mark.parametrize("name", ["", "two words", "../up", "x" * 65])
def test_names_that_are_no_words(tmp_path, name):
    assert refusal(make_key, tmp_path / "a.key", "root", name, PHRASE) == "malformed"
    assert list(tmp_path.iterdir()) == []


def test_a_private_key_has_its_suffix(tmp_path):
    assert refusal(make_key, tmp_path / "a.pem", "root", "a", PHRASE) == "argument"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("kind", "king"),
        ("public", bytes(31)),
        ("salt", b""),
        ("ops", 10**6),
        ("memory", 1 << 40),
        ("memory", 1),
        ("sealed", bytes(300)),
    ],
)
def test_key_files_that_cannot_be(made, field, value):
    """Costs have a bound, so that a planted file cannot eat the machine's memory."""
    path, _ = made
    raw = wire.unpack(path.read_bytes(), MAX_KEY_FILE_BYTES)
    path.write_bytes(wire.pack(raw | {field: value}))
    assert refusal(open_key, path, PHRASE) == "malformed"


def test_a_damaged_key_file_does_not_open(made):
    path, _ = made
    raw = wire.unpack(path.read_bytes(), MAX_KEY_FILE_BYTES)
    damaged = bytes([raw["sealed"][0] ^ 1]) + raw["sealed"][1:]
    path.write_bytes(wire.pack(raw | {"sealed": damaged}))
    assert refusal(open_key, path, PHRASE) == "passphrase"
    path.write_bytes(wire.pack(raw | {"public": bytes(32)}))
    assert refusal(open_key, path, PHRASE) == "malformed"
    path.write_bytes(bytes(MAX_KEY_FILE_BYTES + 1))
    assert refusal(open_key, path, PHRASE) == "too_long"


def test_public_keys_are_read_from_both_files(made):
    path, public = made
    assert read_public(path) == read_public(path.with_suffix(".pub"))
    assert read_public(path) == PublicKey("root", "root-1", public)


def test_a_public_key_that_came_through_windows():
    key = PublicKey("operator", "kim", public_of(bytes(32)))
    assert parse_public(public_text(key).replace("\n", "\r\n").encode(), "kim.pub") == key


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("kind: operator", "kind: king", "malformed"),
        ("name: kim", "name: a b", "malformed"),
        ("public: ", "public: 00", "malformed"),
        ("public: 3b", "public: 3c", "malformed"),
        ("id: ", "id: 0", "malformed"),
        ("haetae public key 1", "haetae public key 2", "newer_format"),
        ("haetae public key 1", "ssh-ed25519", "malformed"),
    ],
)
def test_public_files_that_cannot_be(old, new, reason):
    text = public_text(PublicKey("operator", "kim", public_of(bytes(32))))
    assert old in text
    assert refusal(parse_public, text.replace(old, new).encode(), "kim.pub") == reason


def test_a_passphrase_of_a_file_is_its_first_line(tmp_path):
    file = tmp_path / "phrase"
    file.write_bytes(b"correct horse\r\nsecond line\n")
    assert ask_passphrase(file, "x") == b"correct horse"
    file.write_bytes(b"\n")
    assert refusal(ask_passphrase, file, "x") == "passphrase"


def test_a_new_passphrase_is_asked_for_twice(monkeypatch):
    answers = iter(["correct horse", "correct hose"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    assert refusal(ask_passphrase, None, "x", True) == "passphrase"


def test_real_costs_are_those_of_libsodium():
    """256 MiB and three passes for what is worth stealing."""
    assert REAL_COSTS["root"] == REAL_COSTS["bundle"] == (3, 256 << 20)
    assert REAL_COSTS["operator"] == (2, 64 << 20)
