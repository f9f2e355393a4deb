"""What PROTOCOL.md says is what the code does."""

from __future__ import annotations

import re
from zlib import crc32

import pytest

from drivers.socket_port import SILENT_MS as ROOM_MS
from ota import wire
from ota.keys import DOMAIN_COMMAND
from ota.link import messages, refusals, server
from ota.link.frames import FRAME_BYTES, HALF_PACKET_MS, Decoder, encode
from ota.link.messages import PROTOCOL, TERMS, Kind
from ota.link.talk import AUTOBOOT, HOLD_MS
from ota.operators import NONCE_MS
from tests.places import REPOSITORY

TEXT = (REPOSITORY / "ota/link/PROTOCOL.md").read_text()
HELLO = [Kind.HELLO, 0x12340001, PROTOCOL, *TERMS]


def row(name: str) -> str:
    (found,) = re.findall(rf"^\| {re.escape(name)} \| (.*) \|$", TEXT, re.M)
    return found


def test_the_example_is_a_hello():
    (line,) = re.findall(r"^    (00 06 .*)$", TEXT, re.M)
    frame = bytes.fromhex(line)
    assert encode(HELLO) == frame
    assert Decoder().feed(frame, 0.0) == [HELLO]
    assert f"CRC-32 0x{crc32(wire.pack(HELLO)):08x}" in TEXT


def test_the_table_of_messages_is_whole():
    rows = re.findall(r"^\| (\d+) ([A-Z_]+) \| (PC|camera) \|", TEXT, re.M)
    assert [(int(number), name) for number, name, _ in rows] == [(k, k.name) for k in Kind]
    assert all((who == "PC") == (int(number) < 16) for number, _, who in rows)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("frame before COBS", [512, FRAME_BYTES, FRAME_BYTES - TERMS.piece_bytes]),
        ("REFUSED and WELCOME", [server.MAX_DETAIL_BYTES, FRAME_BYTES]),
        ("window", [1, messages.CAMERA_TERMS.window, TERMS.window]),
        ("question, in pieces", [messages.MAX_QUESTION_BYTES, messages.MAX_STORED_BYTES]),
        ("answer", [messages.MAX_ANSWER_BYTES]),
        ("nesting, items", [wire.MAX_DEPTH, wire.MAX_ITEMS, wire.MAX_VALUES]),
        ("half a packet", [HALF_PACKET_MS]),
        ("messages", [server.PER_SECOND, server.BURST]),
        (
            "refusals written down",
            [refusals.LOGGED_BURST, 1 / refusals.LOGGED_PER_SECOND],
        ),
        ("silence", [server.SILENT_MS / 1e3]),
        ("clients of a socket", [ROOM_MS / 1e3]),
    ],
)
def test_the_limits_are_those_of_the_code(name, numbers):
    assert [float(number) for number in re.findall(r"\d+", row(name))] == numbers


def test_the_words_are_those_of_the_code():
    assert f'"{DOMAIN_COMMAND}"' in TEXT
    assert f"for {NONCE_MS // 1000} s" in TEXT
    assert f"`{AUTOBOOT.decode()}`" in TEXT and f"for {HOLD_MS / 1e3:g} s when" in TEXT
