"""The camera's side: bounded, patient with nonsense, and never done twice what was asked once."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from ota import wire
from ota.link.frames import encode, longest_frame
from ota.link.messages import COMPLETE, MAX_WINDOW, NO_TOKEN, TERMS, Kind
from ota.link.server import BURST, PER_SECOND, SILENT_MS
from ota.refusal import Refused
from ota.service import Path, Rank
from tests.ota.link.bench import CONVERSATION, Hall, Raw
from tests.ota.link.camera import SEEDS, write_bundle

PIECE = TERMS.piece_bytes


@pytest.fixture
def raw():
    made = Raw()
    made.hello()
    return made


@pytest.fixture
def head(tmp_path):
    payload = write_bundle(tmp_path / "b", 200_000)
    data = (tmp_path / "b").read_bytes()
    return data[: len(data) - len(payload)], payload


def offer(raw: Raw, head: bytes, signed: bool = False, conversation=CONVERSATION) -> dict:
    arguments = {"head": head, "allow_older": False}
    if signed:
        message = raw.signed(SEEDS[Rank.TECHNICIAN], "offer", arguments)
    else:
        message = [Kind.ASK, raw.next(conversation), "offer", arguments]
    (answer,) = raw.say(message)
    assert answer[0] == Kind.ANSWER, answer
    return wire.unpack(answer[2], 1 << 16)


def pieces(raw: Raw, token: int, index: int, data: bytes, conversation=CONVERSATION) -> list[list]:
    return [
        [Kind.PIECE, raw.next(conversation), token, index, len(data), at, data[at : at + PIECE]]
        for at in range(0, len(data), PIECE)
    ]


def chunk_of(payload: bytes, index: int) -> bytes:
    """Of the first file, which has 100 000 bytes."""
    return payload[:100_000][index << 16 : (index + 1) << 16]


def test_who_has_not_said_hello_is_a_stranger(raw):
    fresh = Raw()
    assert fresh.say([Kind.ASK, 7, "status", {}]) == [[Kind.STRANGER, 7]]
    assert raw.say([Kind.ASK, 7, "status", {}]) == [[Kind.STRANGER, 7]]
    assert fresh.camera.asked == raw.camera.asked == []


def test_terms_are_the_lesser_of_both(raw):
    assert raw.hello(terms=(1024, 2))["frame_bytes"] == 1024
    assert raw.hello(terms=(1 << 30, 1 << 30))["frame_bytes"] == TERMS.frame_bytes
    assert raw.hello(terms=(1 << 30, 1 << 30))["window"] == MAX_WINDOW
    least = raw.hello(terms=(-5, 0))
    assert (least["frame_bytes"], least["window"]) == (512, 1)


@pytest.mark.parametrize(
    "parts", [[], [0, 1, 2], ["1", 2, 3], [1, None, 3], [1, 2], [1, 2, 3, 4], [[1], 2, 3]]
)
def test_a_hello_that_is_none_is_refused(parts):
    raw = Raw()
    (answer,) = raw.say([Kind.HELLO, 5, *parts])
    assert answer[:3] == [Kind.REFUSED, 5, "argument"]


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([], "argument"),
        (["status"], "argument"),
        (["status", []], "argument"),
        ([7, {}], "argument"),
        (["status", {}, b"1"], "argument"),
        (["status", {}, b"1", b"2", "3"], "argument"),
        (["nothing such", {}], "unknown"),
        (["rollback", {}], "not_signed"),
    ],
)
def test_refusals_say_why_and_are_written_down(raw, parts, reason):
    ((kind, _, said, detail),) = raw.say([Kind.ASK, raw.next(), *parts])
    assert (kind, said) == (Kind.REFUSED, reason) and detail
    assert raw.log[-1][1]["reason"] == reason and raw.camera.asked == []


def test_a_long_story_is_cut_short(raw, monkeypatch):
    def ask(command, arguments, by):
        raise Refused("busy", "\udce4" + "\u20ac" * 5000)

    monkeypatch.setattr(raw.camera, "ask", ask)
    ((_, _, reason, detail),) = raw.say([Kind.ASK, raw.next(), "status", {}])
    assert reason == "busy" and detail == "?" + "\u20ac" * 999
    assert len(raw.log[-1][1]["detail"]) == 200


def test_unknown_messages_are_refused(raw):
    ((kind, _, reason, _),) = raw.say([99, raw.next(), "x"])
    assert (kind, reason) == (Kind.REFUSED, "unknown")


def test_a_long_answer_is_read_in_pieces(raw):
    raw.camera.answer = {"text": "".join(map(chr, range(32, 126))) * 200}
    number = raw.next()
    ((kind, _, offset, total, piece),) = raw.say([Kind.ASK, number, "status", {}])
    assert (kind, offset, len(piece)) == (Kind.LONG_ANSWER, 0, PIECE)
    whole = piece
    while len(whole) < total:
        ((_, _, offset, _, piece),) = raw.say([Kind.MORE, number, len(whole)])
        assert offset == len(whole)
        whole += piece
    assert wire.unpack(whole, 1 << 17) == raw.camera.answer
    for beyond in (total, -1, 1 << 40):
        assert raw.say([Kind.MORE, number, beyond])[0][2] == "session"
    assert len(raw.camera.asked) == 1


def test_an_answer_that_is_too_long_is_refused(raw):
    raw.camera.answer = {"text": "x" * (1 << 17)}
    assert raw.say([Kind.ASK, raw.next(), "status", {}])[0][2] == "too_long"


def test_chunks_arrive_in_any_order_and_twice(raw, head):
    data, payload = head
    token = offer(raw, data)["token"]
    sent = pieces(raw, token, 0, chunk_of(payload, 0))
    random.Random(2).shuffle(sent)
    for message in sent[:-1]:
        assert raw.say(message, message)[-1][3] == 0
    answer = raw.say(sent[-1])[-1]
    assert answer[0] == Kind.ACK and answer[2:] == [token, 1, 0, 0]
    assert raw.camera.stored == {0: chunk_of(payload, 0)}
    assert raw.say(sent[3])[-1][2:] == [token, 1, 0, 0]  # late: harmless


def test_an_ack_names_what_is_missing(raw, head):
    data, payload = head
    token = offer(raw, data)["token"]
    sent = pieces(raw, token, 0, chunk_of(payload, 0))
    assert raw.say(sent[0])[-1][2:] == [token, 0, PIECE, 0]
    assert raw.say(sent[2])[-1][2:] == [token, 0, PIECE, 0b1]
    assert raw.say(sent[5])[-1][2:] == [token, 0, PIECE, 0b1001]
    assert raw.say(sent[1])[-1][2:] == [token, 0, 3 * PIECE, 0b10]


def test_a_chunk_that_is_wrong_is_asked_for_again(raw, head):
    data, payload = head
    token = offer(raw, data)["token"]
    wrong = bytes(1) + chunk_of(payload, 0)[1:]
    assert [raw.say(m)[-1] for m in pieces(raw, token, 0, wrong)][-1][2] == "chunk"
    right = [raw.say(m)[-1] for m in pieces(raw, token, 0, chunk_of(payload, 0))]
    assert right[0][4] == PIECE and right[-1][2:] == [token, 1, 0, 0]


@pytest.mark.parametrize(
    ("index", "total", "offset", "size", "reason"),
    [
        (0, 65536, 1, PIECE, "argument"),
        (0, 65536, -PIECE, PIECE, "argument"),
        (0, 65536, 65536, PIECE, "argument"),
        (0, 65536, 1 << 50, PIECE, "argument"),
        (0, 65536, 0, PIECE - 1, "argument"),
        (0, 0, 0, 0, "argument"),
        (0, -1, 0, 1, "argument"),
        (0, 1 << 18, 0, PIECE, "too_long"),
        (0, (1 << 64) - 1, 0, PIECE, "too_long"),
    ],
)
def test_pieces_that_cannot_be_are_refused(raw, head, index, total, offset, size, reason):
    token = offer(raw, head[0])["token"]
    message = [Kind.PIECE, raw.next(), token, index, total, offset, b"x" * size]
    assert raw.say(message)[-1][2] == reason
    long = [Kind.PIECE, raw.next(), NO_TOKEN, raw.next(), total, offset, b"x" * size]
    assert raw.say(long)[-1][2] == reason


def test_pieces_need_an_offer_of_this_conversation(raw, head):
    data, payload = head
    chunk = chunk_of(payload, 0)
    assert raw.say(pieces(raw, 5, 0, chunk)[0])[-1][2] == "session"
    token = offer(raw, data)["token"]
    other = 0x4321 << 16
    raw.hello(other)
    (answer,) = raw.say(pieces(raw, token, 0, chunk)[0])
    assert answer[0] == Kind.STRANGER
    assert raw.say(pieces(raw, token, 0, chunk, other)[0])[-1][2] == "session"


def test_on_the_lan_a_signed_offer_covers_its_chunks_on_its_connection_only(head):
    data, payload = head
    hall = Hall()
    raw = Raw(Path.LAN, hall)
    raw.hello()
    token = offer(raw, data, signed=True)["token"]
    for message in pieces(raw, token, 0, chunk_of(payload, 0)):
        assert raw.say(message)[-1][0] == Kind.ACK
    hall.connection = 2
    rest = pieces(raw, token, 1, chunk_of(payload, 1))
    assert raw.say(rest[0]) == [[Kind.STRANGER, rest[0][1]]]
    raw.hello()  # even with the same conversation's number
    assert raw.say(rest[0])[-1][2] == "session"
    assert list(raw.camera.stored) == [0]


def test_an_answer_is_for_whoever_asked():
    hall = Hall()
    raw = Raw(Path.LAN, hall)
    raw.hello()
    asked = raw.signed(SEEDS[Rank.VIEWER], "status", {})
    assert raw.say(asked)[0][0] == raw.say(asked)[0][0] == Kind.ANSWER
    hall.connection = 2
    raw.hello()
    assert raw.say(asked)[0][:3] == [Kind.REFUSED, asked[1], "nonce"]


def test_half_a_chunk_outlives_the_connection(raw, head):
    data, payload = head
    token = offer(raw, data)["token"]
    sent = pieces(raw, token, 0, chunk_of(payload, 0))
    for message in sent[:5]:
        raw.say(message)
    other = 0x4321 << 16
    raw.hello(other)
    again = offer(raw, data, conversation=other)["token"]
    answer = raw.say(pieces(raw, again, 0, chunk_of(payload, 0), other)[5])[-1]
    assert answer[2:] == [again, 0, 6 * PIECE, 0]


def test_pieces_of_an_offer_before_are_passed_over(raw, head):
    data, payload = head
    before = offer(raw, data)["token"]
    now = offer(raw, data)["token"]
    assert raw.say(pieces(raw, before, 0, chunk_of(payload, 0))[0])[-1][2] == "session"
    assert raw.say(pieces(raw, now, 0, chunk_of(payload, 0))[0])[-1][2:] == [now, 0, PIECE, 0]


def test_half_a_chunk_of_another_bundle_is_no_part_of_this_one(raw, head, tmp_path):
    data, payload = head
    sent = pieces(raw, offer(raw, data)["token"], 0, chunk_of(payload, 0))
    for message in sent[:5]:
        raw.say(message)
    other = write_bundle(tmp_path / "other", 200_000, seed=2)
    data = (tmp_path / "other").read_bytes()[: -len(other)]
    token = offer(raw, data)["token"]
    for message in pieces(raw, token, 0, chunk_of(other, 0)):
        answer = raw.say(message)[-1]
    assert answer[2:] == [token, 1, 0, 0]


def test_a_technician_who_vanishes_frees_the_link(head):
    hall = Hall()
    raw = Raw(Path.LOCAL, hall)
    raw.hello()
    token = offer(raw, head[0])["token"]
    raw.work(SILENT_MS + 2000)
    assert hall.dropped == 1
    hall.connection = 2
    raw.hello(0x5555 << 16)
    (answer,) = raw.say(pieces(raw, token, 0, b"x" * 9, 0x5555 << 16)[0])
    assert answer[2] == "session"


def test_only_what_is_allowed_keeps_the_place():
    hall = Hall()
    raw = Raw(Path.LAN, hall)
    raw.hello()
    raw.nonce()
    raw.say([Kind.ASK, raw.next(), "status", {}])
    assert hall.useful == 0
    raw.say(raw.signed(SEEDS[Rank.VIEWER], "status", {}))
    assert hall.useful == 1


def test_who_asks_too_much_is_slowed_down_and_answered_once_a_second(raw):
    raw.work(10_000)
    flood = [[Kind.ASK, raw.next(), "status", {}] for _ in range(400)]
    answers = [answer for message in flood for answer in raw.say(message)]
    done = [answer for answer in answers if answer[0] == Kind.ANSWER]
    seconds = 400 * 1.0 / 1e3
    assert len(done) == len(raw.camera.asked) <= BURST + PER_SECOND * seconds + 1
    slowed = [answer for answer in answers if answer[0] == Kind.REFUSED]
    assert len(slowed) == 1 and slowed[0][2] == "too_many"
    raw.work(2000)
    assert raw.say([Kind.ASK, raw.next(), "status", {}])[0][0] == Kind.ANSWER


def test_refusals_fill_no_journal(raw):
    for _ in range(500):
        raw.say([Kind.ASK, raw.next(), "rollback", {}])
        raw.work(100)
    minutes = raw.clock.now_ms() / 60_000
    assert len(raw.log) <= 10 + 12 * minutes + 1
    assert sum(1 + values["passed_over"] for _, values in raw.log) > 400


def test_pieces_that_bring_nothing_are_counted(raw, head):
    data, payload = head
    raw.work(10_000)
    token = offer(raw, data)["token"]
    piece = pieces(raw, token, 0, chunk_of(payload, 0))[0]
    answers = [raw.say(piece) for _ in range(300)]
    assert sum(map(len, answers)) < 100


def test_who_does_not_read_is_not_listened_to(raw):
    raw.camera.answer = {"text": "x" * 3000}
    raw.port.takes = 0
    messages = [encode([Kind.ASK, raw.next(), "status", {}]) for _ in range(30)]
    raw.say(raw=b"".join(messages[:10]))
    asked = len(raw.camera.asked)
    raw.say(raw=b"".join(messages[10:]))
    assert len(raw.camera.asked) == asked
    raw.port.takes = 1 << 20
    raw.port.incoming.clear()
    answers = raw.work()
    assert 1 <= len(answers) <= 2 * longest_frame(TERMS.frame_bytes) / 3000


def test_a_slow_loris_gets_no_memory_and_no_place():
    hall = Hall()
    raw = Raw(Path.LAN, hall)
    frame = encode([Kind.HELLO, CONVERSATION, 1, 9000, 4])
    for byte in (frame[:-1] * 50)[:700]:
        raw.say(raw=bytes([byte or 1]))
        raw.work(100)
    assert hall.useful == 0 and hall.dropped >= 1 and raw.camera.asked == []


def test_a_million_bytes_of_nonsense_change_nothing(head):
    raw = Raw()
    raw.hello()
    chance = random.Random(9)
    kinds = [*Kind, 0, 6, 255]

    def value(depth: int = 0):
        made = [
            lambda: chance.randrange(-3, 300),
            lambda: chance.getrandbits(63),
            lambda: chance.randbytes(chance.randrange(40)),
            lambda: chance.choice(("status", "rollback", "offer", "", "\u20ac")),
            lambda: [value(depth + 1) for _ in range(chance.randrange(4) * (depth < 9))],
            lambda: {chance.choice("abc"): value(depth + 1)} if depth < 9 else {},
            lambda: chance.choice((None, True, 1.5, float("nan"))),
        ]
        return chance.choice(made)()

    def message() -> list:
        sequence = chance.choice((raw.sequence | CONVERSATION, chance.getrandbits(32)))
        return [chance.choice(kinds), sequence, *(value() for _ in range(chance.randrange(7)))]

    def spoiled() -> bytes:
        frame = bytearray(encode(message()))
        if chance.random() < 0.3:
            frame[chance.randrange(len(frame))] = chance.randrange(256)
        return bytes(frame) if chance.random() < 0.8 else chance.randbytes(200)

    total = 0
    raw.say(raw=spoiled())
    tracemalloc.start()
    while total < 1_000_000:
        data = b"".join(spoiled() for _ in range(40))
        total += len(data)
        raw.say(raw=data)
        raw.work(50)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {command for command, _ in raw.camera.asked} <= {"status"}
    assert raw.camera.stored == {}
    raw.camera.asked.clear()
    assert kept < 100_000 and peak < 600_000
    raw.work(5000)
    raw.hello()
    assert raw.say([Kind.ASK, raw.next(), "status", {}])[0][0] == Kind.ANSWER


def test_the_memory_of_a_link_is_there_from_the_start(head, tmp_path):
    tracemalloc.start()
    raw = Raw()
    at_start, _ = tracemalloc.get_traced_memory()
    raw.hello()
    data, payload = head
    token = offer(raw, data)["token"]
    for message in pieces(raw, token, 0, chunk_of(payload, 0)):
        raw.say(message)
    raw.camera.stored.clear()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 200_000 < at_start < 400_000
    assert after - at_start < 50_000


def test_a_complete_transfer_wants_nothing(raw, tmp_path):
    payload = write_bundle(tmp_path / "s", 3000)
    data = (tmp_path / "s").read_bytes()[:-3000]
    token = offer(raw, data)["token"]
    files = payload[:1500], payload[1500:2500], payload[2500:]
    for index, chunk in enumerate(files):
        (message,) = pieces(raw, token, index, chunk)
        answer = raw.say(message)[-1]
    assert answer[3] == COMPLETE and raw.camera.payload == payload
    assert raw.say(message)[-1][3] == COMPLETE
