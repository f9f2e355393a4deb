"""Pieces against a model: whatever comes, what is put together is what was sent."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ota.link.assembly import Assembly
from ota.refusal import Refused

MOST = 600


class Pieces(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.assembly = Assembly(MOST)
        self.there: dict[int, bytes] = {}
        self.key, self.total, self.grid = None, 0, 1

    @rule(
        number=st.integers(0, 1),
        total=st.sampled_from([-1, 0, 1, 130, 131, MOST, MOST + 1]),
        grid=st.sampled_from([33, 65]),
    )
    def begin(self, number, total, grid):
        try:
            self.assembly.begin((7, number), total, grid)
        except Refused:
            assert not 1 <= total <= MOST
            return
        if (self.key, self.total, self.grid) != ((7, number), total, grid):
            self.there = {}
        self.key, self.total, self.grid = (7, number), total, grid

    @rule(number=st.integers(-1, 4), beside=st.sampled_from([0, 0, 0, 1]), data=st.data())
    def put(self, number, beside, data):
        offset = number * self.grid + beside
        due = max(0, min(self.grid, self.total - offset))
        piece = bytes([data.draw(st.integers(0, 255))]) * (
            due + data.draw(st.sampled_from([0, 0, 1]))
        )
        lacked = self.assembly.lacks(self.key, self.total, offset) if self.key else True
        try:
            was_new = self.assembly.put(offset, piece)
        except Refused:
            assert beside or len(piece) != due or not 0 <= offset < self.total
            return
        assert was_new == lacked == (number not in self.there)
        self.there.setdefault(number, piece)

    @rule()
    def clear(self):
        self.assembly.clear()
        self.there, self.key, self.total = {}, None, 0

    @rule()
    def rename(self):
        if self.key is not None:
            self.key = 8 - self.key[0] + 6, self.key[1]
            self.assembly.rename(self.key)

    @invariant()
    def names_what_is_missing(self):
        if self.key is None:
            assert not self.assembly.is_complete
            return
        count = -(-self.total // self.grid)
        missing = next((n for n in range(count) if n not in self.there), count)
        assert self.assembly.next_offset == missing * self.grid
        later = sum(1 << n for n in range(32) if missing + 1 + n in self.there)
        assert self.assembly.later == later
        assert self.assembly.is_complete == (missing == count)
        if self.assembly.is_complete:
            whole = b"".join(self.there[number] for number in range(count))
            assert bytes(self.assembly.view()) == whole


TestPieces = Pieces.TestCase
TestPieces.settings = settings(max_examples=60, stateful_step_count=30)
