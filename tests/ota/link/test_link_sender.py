"""Only what is lost is sent again."""

from __future__ import annotations

from itertools import count

import pytest

from ota.link.exchange import OneItem
from ota.link.messages import Kind, Terms
from ota.link.sender import LEAST_WAIT_MS, Sender

TERMS = Terms(512, 4)
PIECE = TERMS.piece_bytes


class Desk:
    """A sender of one item of ten pieces, and what it has sent."""

    def __init__(self) -> None:
        self.sent: list[list] = []
        numbers = count(1)
        self.sender = Sender(
            self.sent.append, lambda: next(numbers), TERMS, 5, OneItem(0, bytes(10 * PIECE)), 0
        )

    def pieces(self) -> list[tuple[int, int]]:
        """(sequence, number) of those sent since the last look."""
        found = [(m[1], m[5] // PIECE) for m in self.sent if m[0] == Kind.PIECE]
        self.sent.clear()
        return found


@pytest.fixture
def desk():
    made = Desk()
    made.sender.fill(0.0)
    assert made.pieces() == [(1, 0), (2, 1), (3, 2), (4, 3)]
    return made


def test_each_answer_lets_one_more_go(desk):
    for sequence in range(1, 7):
        assert desk.sender.answered(sequence, [0, sequence * PIECE, 0], 10.0)
        desk.sender.fill(10.0)
        assert desk.pieces() == [(sequence + 4, sequence + 3)]
    assert desk.sender.resent == 0


def test_a_piece_that_is_lost_is_sent_again_and_no_other(desk):
    desk.sender.answered(1, [0, PIECE, 0], 10.0)
    desk.sender.answered(3, [0, PIECE, 0b1], 12.0)
    desk.sender.fill(12.0)
    assert [number for _, number in desk.pieces()] == [1, 4, 5]
    assert desk.sender.resent == 1


def test_an_answer_that_is_lost_costs_nothing(desk):
    desk.sender.answered(4, [0, 4 * PIECE, 0], 10.0)
    desk.sender.fill(10.0)
    assert [number for _, number in desk.pieces()] == [4, 5, 6, 7]
    assert desk.sender.resent == 0


def test_late_and_foreign_answers_change_nothing(desk):
    desk.sender.answered(2, [0, 2 * PIECE, 0], 10.0)
    assert not desk.sender.answered(1, [0, PIECE, 0], 11.0)
    assert not desk.sender.answered(77, [0, 9 * PIECE, 0], 11.0)
    assert desk.sender.offset == 2 * PIECE


def test_silence_costs_one_piece_at_a_time(desk):
    desk.sender.answered(1, [0, PIECE, 0], 10.0)
    desk.sender.fill(10.0)
    desk.pieces()
    desk.sender.nudge(10.0 + LEAST_WAIT_MS - 1, 0.0)
    desk.sender.nudge(10.0 + LEAST_WAIT_MS + 1, 100.0)
    assert desk.pieces() == []  # the line took a byte a moment ago
    desk.sender.nudge(100.0 + LEAST_WAIT_MS, 100.0)
    desk.sender.nudge(101.0 + LEAST_WAIT_MS, 100.0)
    ((sequence, number),) = desk.pieces()
    assert number == 1
    desk.sender.answered(sequence, [0, 5 * PIECE, 0], 600.0)
    desk.sender.fill(600.0)
    assert [number for _, number in desk.pieces()] == [5, 6, 7, 8]


def test_an_item_that_was_refused_is_sent_from_its_beginning(desk):
    desk.sender.answered(4, [0, 4 * PIECE, 0], 10.0)
    desk.sender.begin_again(11.0)
    desk.sender.fill(11.0)
    assert [number for _, number in desk.pieces()] == [0, 1, 2, 3]
