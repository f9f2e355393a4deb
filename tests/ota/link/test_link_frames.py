"""The decoder finds every whole frame among anything, and never more than that."""

from __future__ import annotations

import random
import tracemalloc
from itertools import pairwise
from zlib import crc32

import msgpack
from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from ota.link.frames import FRAME_BYTES, HALF_PACKET_MS, Decoder, encode, longest_frame

MESSAGES = st.lists(
    st.tuples(st.integers(0, 99), st.integers(0, (1 << 32) - 1), st.binary(max_size=300)).map(list),
    max_size=6,
)
NOISE = st.binary(max_size=80).map(lambda data: data.replace(b"\0", b"\1"))
TEXT = b"\r\n[   12.345678] usb 1-1: new full-speed USB device number 4 using xhci_hcd\r\n"


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


def fed(decoder: Decoder, pieces: list[bytes]) -> list[list]:
    return [message for piece in pieces for message in decoder.feed(piece, 0.0)]


def framed(body: bytes) -> bytes:
    return b"\0" + cobs.encode(body + crc32(body).to_bytes(4, "little")) + b"\0"


@given(MESSAGES, st.lists(st.integers(0, 5000)), st.data())
def test_frames_are_found_between_noise_however_they_are_cut(messages, cuts, data):
    stream = b"".join(data.draw(NOISE) + encode(message) for message in messages)
    decoder = Decoder()
    assert fed(decoder, split(stream, cuts)) == messages
    assert decoder.frames == len(messages) and decoder.malformed == 0


@given(st.lists(st.binary(max_size=6000), max_size=5), MESSAGES)
def test_any_bytes_do_no_harm_and_the_next_frame_is_found(junk, messages):
    decoder = Decoder()
    fed(decoder, junk)
    good = b"".join(map(encode, messages))
    assert fed(decoder, [b"\0", good])[-len(messages) :] == messages or not messages


@given(MESSAGES.filter(bool), st.data())
def test_text_inside_a_frame_costs_this_frame_alone(messages, data):
    hit = data.draw(st.integers(0, len(messages) - 1))
    frames = [encode(message) for message in messages]
    at = data.draw(st.integers(2, len(frames[hit]) - 1))
    frames[hit] = frames[hit][:at] + TEXT + frames[hit][at:]
    found = Decoder().feed(b"".join(frames), 0.0)
    whole = [message for number, message in enumerate(messages) if number != hit]
    # before the last zero the text follows a whole frame's stuffed bytes; it spoils it all the same
    assert found == whole


@given(st.binary(min_size=1, max_size=300), st.data())
def test_no_flipped_bit_gets_through(payload, data):
    frame = bytearray(encode([3, 7, payload]))
    at = data.draw(st.integers(0, len(frame) * 8 - 1))
    frame[at // 8] ^= 1 << at % 8
    for message in Decoder().feed(b"\0" + bytes(frame) + b"\0", 0.0):
        assert message == [3, 7, payload]  # a zero before or behind was hit: the frame is whole


def test_printed_text_is_no_damaged_frame():
    decoder = Decoder()
    decoder.feed(TEXT + encode([1, 2]) + TEXT + b"\0", 0.0)
    assert (decoder.frames, decoder.damaged, decoder.noise_bytes) == (1, 0, 2 * len(TEXT))
    spoiled = bytearray(encode([1, 2, b"x" * 50]))
    spoiled[9] ^= 0x80
    decoder.feed(bytes(spoiled), 0.0)
    assert decoder.damaged == 1


def test_the_longest_frame_fits_and_one_byte_more_is_passed_over():
    def message_of(frame_bytes: int) -> list:
        return [1, 2, b"x" * (frame_bytes - 4 - 3 - 3)]

    decoder = Decoder()
    longest = encode(message_of(FRAME_BYTES))
    assert len(longest) <= longest_frame(FRAME_BYTES)
    assert len(decoder.feed(longest, 0.0)) == 1
    assert decoder.feed(encode(message_of(FRAME_BYTES + 40)), 0.0) == []
    assert decoder.damaged == 1
    assert decoder.feed(encode([1, 2]), 0.0) == [[1, 2]]


def test_half_a_packet_is_given_up_when_nothing_follows():
    frame = encode([1, 2, b"x" * 100])
    decoder = Decoder()
    decoder.feed(frame[:50], 0.0)
    decoder.feed(b"", HALF_PACKET_MS + 1)
    assert decoder.feed(frame[50:], HALF_PACKET_MS + 2) == []
    assert decoder.feed(frame, HALF_PACKET_MS + 3) == [[1, 2, b"x" * 100]]


def test_what_waited_while_nobody_looked_is_no_half_packet():
    frame = encode([1, 2, b"x" * 100])
    decoder = Decoder()
    decoder.feed(frame[:50], 0.0)
    assert decoder.feed(frame[50:], 2000.0) == [[1, 2, b"x" * 100]]


def test_messages_that_are_none_are_counted_and_passed_over():
    deep = b"\x91" * 900 + b"\xc0"
    bodies = [
        b"\xc0",  # nil
        msgpack.packb([]),
        msgpack.packb([1]),
        msgpack.packb(["1", 2]),
        msgpack.packb([True, 2]),
        msgpack.packb([1, -2]),
        msgpack.packb([1, 1 << 40]),
        msgpack.packb([1, 2]) + b"\xc0",
        b"\xdd\xff\xff\xff\xff",  # an array of 4 billion
        b"\xdf\xff\xff\xff\xff\x01",
        b"\xc6\xff\xff\xff\xff",  # 4 GB of bytes
        b"\x93\x01\x02" + deep,
    ]
    decoder = Decoder()
    for body in bodies:
        assert decoder.feed(framed(body), 0.0) == []
    assert (decoder.malformed, decoder.frames) == (len(bodies), 0)


def test_a_million_random_bytes_stay_within_the_memory_of_a_frame():
    chance = random.Random(4)
    junk = [chance.randbytes(1000) for _ in range(500)]
    junk += [bytes(chance.choices(range(1, 256), k=1000)) for _ in range(500)]  # no zero at all
    decoder = Decoder()
    for piece in junk[:3]:
        decoder.feed(piece, 0.0)
    tracemalloc.start()
    for piece in junk:
        decoder.feed(piece, 0.0)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert decoder.feed(b"\0" + encode([1, 2]), 0.0) == [[1, 2]]
    assert kept < 2 * FRAME_BYTES and peak < 8 * FRAME_BYTES
    assert decoder.frames == 1
