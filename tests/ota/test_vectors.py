"""Bundles kept forever: what made them then, two judges of today, and the document about them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.package_checks import PLAIN_NAME
from ota.admission import Facts
from ota.area import needed_bytes
from ota.build import Source
from ota.bundle import BundleFile
from ota.host import back_ends
from ota.manifest import take
from ota.refusal import REASONS, Refused
from ota.store import Store
from ota.updater import Updater
from ota.verify import OK, REFUSED, Device, verify
from sim.board.flash import Flash
from tests.ota import camera, make_vectors
from tests.places import REPOSITORY

FOLDER = make_vectors.FOLDER
LISTED = json.loads((FOLDER / "vectors.json").read_text())
BUNDLES: dict[str, dict[str, str]] = LISTED["bundles"]
NAMES = sorted(BUNDLES)
DOCUMENT = REPOSITORY / "ota" / "FORMAT.md"
LINE = re.compile(r"^([0-9a-f]{4})  ((?:[0-9a-f]{2} ?){1,16})(?: +(\S.*))?$")
UNIT = 512


def at(name: str) -> Path:
    return FOLDER / f"{name}.bundle"


def test_every_file_is_listed_and_every_reason_is_one():
    assert {path.stem for path in FOLDER.glob("*.bundle")} == set(BUNDLES)
    assert {row["reason"] for row in BUNDLES.values()} <= {"", *REASONS}
    assert LISTED["device"] == make_vectors.DEVICE


@pytest.mark.parametrize("name", NAMES)
def test_what_a_pc_says(name):
    row = BUNDLES[name]
    ring = (FOLDER / LISTED["ring"]).read_bytes()
    bases = [at(row["base"])] if row["base"] else []
    checks = verify(at(name), ring, Device(**LISTED["device"]), bases, {})
    wrong = [one.reason for one in checks if one.result == REFUSED and one.name != "student"]
    assert wrong[:1] == ([row["reason"]] if row["reason"] else [])


def running(base: str) -> Updater:
    """The camera of the vectors: it runs `base`, or else another set with its release."""
    said = LISTED["device"]
    facts = Facts(
        device="mast-7",
        can_unpack=True,
        unit_bytes=UNIT,
        **{key: said[key] for key in said if key not in ("floor", "release")},
    )
    size = needed_bytes(1 << 15, UNIT)
    updater = Updater(
        Store(Flash(b"\xff" * size, UNIT), 1 << 15),
        facts,
        (FOLDER / LISTED["ring"]).read_bytes(),
    )
    files = [Source("detector", "net.tflite", "tflite", b"what runs")]
    camera.install(updater, camera.make(files, said["release"], counter=said["floor"]))
    if base:
        push(updater, at(base))
        updater.store.begin_trial()
        updater.store.confirm()
        updater.load_active()
    return updater


def push(updater: Updater, path: Path) -> None:
    """As a carrier would: the file is opened, offered, and sent chunk by chunk."""
    with BundleFile(path) as bundle:
        chunks = take(bundle.manifest, updater.facts.target, UNIT).chunks
        answer: dict[str, Any] = updater.offer(bundle.head_data, False)
        wanted = answer["next"]
        while wanted >= 0:
            wanted = updater.chunk(answer["session"], wanted, bundle.chunk(chunks[wanted]))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_camera_says(name):
    updater = running(BUNDLES[name]["base"])
    said = ""
    try:
        push(updater, at(name))
    except Refused as refused:
        said = refused.reason
    assert said == BUNDLES[name]["reason"]
    if not said:
        _, files = updater.load_set(updater.store.begin_trial())
        assert set(files) == {"detector"}


@pytest.mark.parametrize("name", sorted(make_vectors.vectors()))
def test_they_are_still_made_like_this(name):
    made = make_vectors.vectors()[name]
    assert at(name).read_bytes() == made.data
    assert BUNDLES[name]["reason"] == made.reason


def test_the_real_one_loads_and_answers():
    ring = (FOLDER / LISTED["ring"]).read_bytes()
    checks = verify(at("plain"), ring, Device(**LISTED["device"]), [], back_ends())
    assert [one.name for one in checks if one.name == "student" and one.result == OK]
    assert {one.result for one in checks} <= {OK, "not asked"}


def walked() -> list[tuple[int, bytes, str]]:
    """Offset, bytes and words of each line of the document's walk."""
    found = []
    for line in DOCUMENT.read_text().splitlines():
        if match := LINE.match(line):
            found.append((int(match[1], 16), bytes.fromhex(match[2]), match[3] or ""))
    return found


def test_the_document_walks_through_the_real_one_without_a_gap():
    data = at("plain").read_bytes()
    lines = walked()
    for offset, content, words in lines:
        assert data[offset : offset + len(content)] == content, f"{offset:04x} {words}"
    with BundleFile(at("plain")) as bundle:
        end = len(bundle.head_data)
        assert bundle.head.digest.hex() in DOCUMENT.read_text()
        names = [entry.name for entry in bundle.manifest.files]
    offset = 0
    for start, content, _ in lines:
        if start < end:
            assert start == offset
            offset += len(content)
    assert offset == end
    payload = [words for start, _, words in lines if start >= end]
    assert [words.split(":")[0] for words in payload] == names
    assert all(PLAIN_NAME.fullmatch(name) for name in names)


def number_of(content: bytes) -> int:
    """The value behind a key of at most 31 letters."""
    value = content[1 + (content[0] & 0x1F) :]
    return int.from_bytes(value[1:] or value, "big")


def test_numbers_in_the_words_of_the_walk_are_those_in_its_bytes():
    is_number = re.compile(r"(?:bytes|counter|release|memory_mb): (\d+)$")
    said = [(is_number.search(words), content) for _, content, words in walked()]
    found = [(int(match[1]), number_of(content)) for match, content in said if match]
    assert len(found) == 6
    assert all(word == number for word, number in found)


def refusals(data: bytes, path: Path) -> list[str]:
    path.write_bytes(data)
    ring = (FOLDER / LISTED["ring"]).read_bytes()
    checks = verify(path, ring, Device(**LISTED["device"]), [], {})
    return [one.name for one in checks if one.result == REFUSED and one.name != "student"]


def test_every_single_flipped_bit_of_a_bundle_is_noticed(tmp_path):
    data = bytearray(at("small").read_bytes())
    path = tmp_path / "a.bundle"
    assert refusals(data, path) == []
    step = 1 if os.environ.get("HAETAE_LONG") else 23
    for place in range(0, 8 * len(data), step):
        data[place // 8] ^= 1 << place % 8
        assert refusals(data, path), f"bit {place % 8} of byte {place // 8}"
        data[place // 8] ^= 1 << place % 8


@given(place=st.integers(0, 14_000), bits=st.integers(1, 255))
def test_other_bytes_in_a_real_bundle_are_noticed(tmp_path_factory, place, bits):
    data = bytearray(at("plain").read_bytes())
    data[place] ^= bits
    assert refusals(data, tmp_path_factory.getbasetemp() / "b.bundle")
