"""The log of a disk, and what a power cut leaves: on logs made here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.board.block_log import TEAR_BYTES, BlockLog, BrokenLog, Disk, Flag, write_log

SECTORS = 8
BASE = bytes(SECTORS * TEAR_BYTES)


def sector(letter: str) -> bytes:
    return letter.encode() * TEAR_BYTES


NOTHING = Flag(0)


def write(at: int, letters: str, flags: Flag = NOTHING) -> tuple[int, bytes, Flag]:
    return at * TEAR_BYTES, b"".join(sector(letter) for letter in letters), flags


FLUSH = (0, b"", Flag.FLUSH)


def left(requests, position, chance, seed=0, lies=False) -> str:
    """The disk after a cut: the first letter of each sector."""
    disk = Disk(BlockLog(write_log(requests)), BASE, lies).cut(position, chance, seed)
    assert len(disk) == len(BASE)
    return "".join(chr(disk[n * TEAR_BYTES] or ord(".")) for n in range(SECTORS))


def test_what_was_flushed_is_there_and_the_rest_is_lost():
    requests = [write(0, "ab"), FLUSH, write(1, "c"), write(2, "d")]
    assert left(requests, 4, chance=0.0) == "ab......"
    assert left(requests, 4, chance=1.0) == "acd....."
    assert left(requests, 1, chance=0.0) == "........"
    assert left(requests, 3, chance=1.0) == "ac......"


def test_a_write_with_fua_is_there_once_another_follows():
    requests = [write(0, "a"), write(1, "b", Flag.FUA), write(2, "c")]
    assert left(requests, 3, chance=0.0) == ".b......"
    assert left(requests, 2, chance=0.0) == "........"


def test_a_disk_that_lies_keeps_nothing_for_sure():
    requests = [write(0, "ab"), FLUSH, write(2, "c", Flag.FUA), FLUSH]
    assert left(requests, 4, chance=0.0, lies=True) == "........"
    assert left(requests, 4, chance=1.0, lies=True) == "abc....."


def test_a_discard_and_a_mark_have_no_data():
    log = BlockLog(write_log([(0, b"", Flag.DISCARD), write(3, "x"), (0, b"", Flag.MARK)]))
    assert [entry.is_write for entry in log.entries] == [False, True, False]
    assert log.data(log.entries[1]) == sector("x")


def test_sectors_of_one_write_are_lost_one_by_one():
    requests = [write(0, "abcdefgh")]
    seen = {left(requests, 1, 0.5, seed) for seed in range(40)}
    assert len(seen) > 20
    assert left(requests, 1, 0.5, 7) == left(requests, 1, 0.5, 7)


def test_positions_never_fall():
    disk = Disk(BlockLog(write_log([write(0, "a"), FLUSH])), BASE)
    disk.cut(2)
    with pytest.raises(ValueError, match="cut at 1, told up to 2"):
        disk.cut(1)


def test_what_is_no_log():
    whole = write_log([write(0, "a"), FLUSH])
    for data in (b"", b"x" * 600, bytes([whole[0] ^ 1]) + whole[1:]):
        with pytest.raises(BrokenLog):
            BlockLog(data)


def test_the_end_that_a_killed_qemu_did_not_write_is_left_out():
    whole = write_log([write(0, "a"), write(1, "bb")])
    assert len(BlockLog(whole).entries) == 2
    for end in range(TEAR_BYTES, len(whole)):
        assert len(BlockLog(whole[:end]).entries) == (end >= 3 * TEAR_BYTES)


REQUESTS = st.lists(
    st.one_of(
        st.just(FLUSH),
        st.builds(
            write,
            st.integers(0, SECTORS - 2),
            st.text("abcdef", min_size=1, max_size=2),
            st.sampled_from([NOTHING, Flag.FUA]),
        ),
    ),
    max_size=12,
)


@given(REQUESTS, st.integers(0, 12), st.floats(0, 1), st.integers(0, 9))
def test_each_sector_is_what_was_flushed_or_something_newer(requests, position, chance, seed):
    """Against a disk that is a list of letters per sector, the newest last."""
    position = min(position, len(requests))
    may_be = [["."] for _ in range(SECTORS)]
    for at, data, flags in requests[:position]:
        if flags & Flag.FLUSH:
            may_be = [letters[-1:] for letters in may_be]
        for number in range(len(data) // TEAR_BYTES):
            may_be[at // TEAR_BYTES + number].append(chr(data[number * TEAR_BYTES]))
    found = left(requests, position, chance, seed)
    assert all(letter in letters for letter, letters in zip(found, may_be, strict=True))
    if chance == 1.0:
        assert found == "".join(letters[-1] for letters in may_be)
