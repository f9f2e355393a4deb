"""Walks that hypothesis plans: any action in any order, cut anywhere, and what must stay true."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ota.state import FACTORY, NONE
from sim.board.cuts import outcomes
from sim.board.flash import Flash
from tests.ota.actions import ACTIONS, BEFORE, BUNDLES, GOAL, attempt
from tests.ota.camera import new_flash
from tests.ota.pure import remembered  # noqa: F401
from tests.ota.witness import FACTORY_SET, View, Witness, view

IS_LONG = os.environ.get("HAETAE_LONG") == "1"
pytestmark = pytest.mark.timeout(3600 if IS_LONG else 300)
NUMBERS = st.integers(0, 999)


class Walk(RuleBasedStateMachine):
    """The model is the last `View`, and what was ever promised: the floor and the key ring."""

    @initialize(fill=st.sampled_from([b"\x00", b"\xff", b"\x5a"]))
    def start(self, fill: bytes) -> None:
        self.witness = Witness(new_flash(fill), [*BUNDLES.values(), GOAL])
        self.camera = self.witness.start()
        self.floor = 0
        self.ring = 1

    @rule(name=st.sampled_from([*ACTIONS]), number=NUMBERS)
    def act(self, name: str, number: int) -> None:
        before = view(self.camera)
        refused = attempt(ACTIONS[name], self.camera, number)
        after = view(self.camera)
        if refused:
            assert after == before, f"{name} was refused ({refused}) and changed something"
        self._look(before, after)

    @rule(name=st.sampled_from([*BEFORE]), number=NUMBERS)
    def prepare(self, name: str, number: int) -> None:
        """Give an action something to do, so that walks get somewhere."""
        for earlier in BEFORE[name]:
            self.act(earlier, number)

    @rule(number=NUMBERS)
    def install(self, number: int) -> None:
        for name in (*BEFORE["confirm"], "confirm"):
            self.act(name, number)

    @rule()
    def restart(self) -> None:
        before = view(self.camera)
        self.camera = self.witness.start()
        assert view(self.camera) == before

    @rule(
        name=st.sampled_from([*ACTIONS]),
        number=NUMBERS,
        moment=NUMBERS,
        left=NUMBERS,
        is_ready=st.booleans(),
    )
    def cut(self, name: str, number: int, moment: int, left: int, is_ready: bool) -> None:
        if is_ready and name in BEFORE:
            self.prepare(name, number)
        before = view(self.camera)
        cuts = self.witness.record(lambda: attempt(ACTIONS[name], self.camera, number))
        after = view(self.camera)
        cut = cuts[moment % len(cuts)]
        ways = list(outcomes(cut))
        image = bytes(cut.image(ways[left % len(ways)]))
        allowed = [after] if cut is cuts[-1] else [before, after]
        self.witness.check(Flash(image), allowed, ACTIONS[name].is_atomic)
        self.witness.flash = Flash(image)
        self.camera = self.witness.start()
        self._look(before, view(self.camera))

    @invariant()
    def what_is_promised_holds(self) -> None:
        state = self.camera.store.state
        assert state.floor >= self.floor, "the floor was lowered"
        assert self.camera.ring.version >= self.ring, "an old key ring came back"
        self.floor, self.ring = state.floor, self.camera.ring.version
        assert state.trial == NONE or state.slots[state.trial].status == "staged"
        assert state.active == FACTORY or state.slots[state.active].status == "confirmed"
        assert state.active == FACTORY or state.slots[state.active].counter >= state.floor
        assert state.trial == NONE or state.trial != state.active
        assert sum(one.status in ("receiving", "staged") for one in state.slots) <= 1

    def teardown(self) -> None:
        if hasattr(self, "witness"):
            self.witness.goal = GOAL
            self.witness.check(self.witness.flash, [view(self.camera)], True)

    def _look(self, before: View, after: View) -> None:
        """What runs changes only by a confirm or on the way back, never by itself."""
        if after.active != before.active:
            assert after.active in (before.trial, before.previous, FACTORY_SET)
        if after.tries < before.tries:
            assert (after.trial, after.staged) != (before.trial, before.staged)


Walk.TestCase.settings = settings(
    max_examples=2000 if IS_LONG else 80,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
)
TestWalk = Walk.TestCase
