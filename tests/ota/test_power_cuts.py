"""A power cut at every storage operation leaves a camera that runs, and loses nothing promised.

The journal's own cuts are in tests/runtime/test_journal_power_cut.py. HAETAE_LONG=1 tries more.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from functools import partial

import pytest

from sim.board.cuts import outcomes, prefixes
from sim.board.flash import Flash
from tests.ota.actions import ACTIONS, BEFORE, BUNDLES, GOAL, attempt
from tests.ota.camera import FACTS, bundle, new_flash
from tests.ota.lives import CONFIRM, KNOWN, LIVES, sends, tries
from tests.ota.mutants import MUTANTS, no_crc, records_without_salt
from tests.ota.pure import remembered  # noqa: F401
from tests.ota.witness import Failed, Witness, view

IS_LONG = os.environ.get("HAETAE_LONG") == "1"
POINTS = tuple(n / 64 for n in range(64)) if IS_LONG else tuple(n / 11 for n in range(11))
THOROUGH = partial(outcomes, seeds=64 if IS_LONG else 8, points=POINTS)
QUICK = partial(outcomes, seeds=2, points=(0.0, 0.03, 0.2, 0.5))
pytestmark = pytest.mark.timeout(3600 if IS_LONG else 300)
CHAINS = 5000 if IS_LONG else 400


def play(name: str, flash: Flash | None = None, **how) -> Witness:
    """All steps of a life, each with all of its cuts."""
    life = LIVES[name]
    witness = Witness(flash or new_flash(), [*KNOWN, life.goal], **how)
    camera = witness.start()
    life.before(camera)
    for step in life.steps():
        witness.play(step.name, camera, lambda step=step: step.do(camera), step.is_atomic)
    return witness


@pytest.mark.parametrize("name", LIVES)
def test_no_cut_harms(name):
    witness = play(name, goal=LIVES[name].goal, ways=THOROUGH)
    print(f"\n{name}: {witness.cuts} cuts, {witness.distinct} of them distinct, 0 harm")
    assert witness.failing == 0
    assert witness.distinct > 100


def test_no_cut_harms_a_set_of_real_size():
    """Chunks of 64 KiB on flash with units of 4096 bytes."""
    facts = replace(FACTS, slot_bytes=160 * 1024, unit_bytes=4096)
    new = bundle(3, counter=2, sizes=(1000, 5000, 130_000))
    witness = Witness(
        new_flash(slot_bytes=facts.slot_bytes, unit=4096),
        [new],
        facts,
        ways=partial(outcomes, seeds=2, points=(0.0, 0.5)),
    )
    camera = witness.start()
    for step in (*sends(new, chunks=4), *tries(), CONFIRM):
        witness.play(step.name, camera, lambda step=step: step.do(camera), step.is_atomic)
    print(f"\nreal size: {witness.cuts} cuts, {witness.distinct} of them distinct, 0 harm")
    assert view(camera).active == new.digest


@pytest.mark.parametrize("name", ["receive", "trial and confirm", "key rings", "site"])
def test_no_cut_harms_on_flash_that_says_too_small_a_unit(name):
    """Data sheets are wrong: what counts lies 4096 bytes apart; chunks alone are sent again."""
    image = bytes(new_flash().durable)
    witness = play(name, Flash(image, 4096, 512), goal=LIVES[name].goal, ways=QUICK)
    assert witness.distinct > 20


def test_chains_of_five_cuts_harm_nothing():
    print(f"\nchains: {CHAINS} of 5 cuts, {chains(range(CHAINS))} cuts, 0 harm")


def test_chains_catch_records_of_one_number_that_mix(monkeypatch):
    """The first units of one and the last of another, where both were cut."""
    records_without_salt(monkeypatch)
    with pytest.raises(Failed, match="half a step"):
        chains(range(300, 1000))  # the 343rd does it today


def chains(numbers: range) -> int:
    """Any action, cut anywhere, and on from what that left, five times; gives the cuts made."""
    witness = Witness(new_flash(), [*BUNDLES.values(), GOAL])
    cuts = 0
    for number in numbers:
        chance = random.Random(number)
        witness.flash = new_flash()
        floor = 0
        for _ in range(5):
            camera = witness.start()
            for name in chance.choice([(), *BEFORE.values(), *BEFORE.values()]):
                attempt(ACTIONS[name], camera, chance.randrange(1000))
            floor = max(floor, camera.store.state.floor)
            image = cut_once(witness, camera, chance)
            cuts += 1
            witness.flash = witness.like(image)
            assert witness.start().store.state.floor >= floor
        witness.goal = GOAL
        here = view(witness.start())
        witness.check(witness.flash, [here], True)
        witness.goal = None
    return cuts


def cut_once(witness: Witness, camera, chance: random.Random) -> bytearray:
    """Do an action that writes and cut it at some moment; gives what is left, after a look."""
    cuts = []
    while len(cuts) < 2:
        name = chance.choice([*ACTIONS, "chunk", "chunk", "go on"])
        before = view(camera)
        number = chance.randrange(1000)
        cuts = witness.record(lambda n=number, a=ACTIONS[name]: attempt(a, camera, n))
    cut = chance.choice(cuts)
    image = cut.image(chance.choice(list(outcomes(cut))))
    allowed = [view(camera)] if cut is cuts[-1] else [before, view(camera)]
    witness.check(witness.like(image), allowed, ACTIONS[name].is_atomic)
    return image


@pytest.mark.parametrize("name", MUTANTS)
def test_a_camera_with_a_mistake_is_caught(name, monkeypatch):
    mutation = MUTANTS[name]
    mutation.make(monkeypatch)
    played = [play(life, count_only=True, ways=QUICK) for life in mutation.lives]
    failing, cuts = sum(one.failing for one in played), sum(one.distinct for one in played)
    harm = sum(mutation.harm in text for one in played for text in one.complaints)
    print(f"\nmutant, {name}: {failing} of {cuts} distinct cuts fail, {harm}: {mutation.harm}")
    assert harm > 0


def test_a_weak_model_of_tearing_misses_a_camera_without_crc(monkeypatch):
    """Where units only arrive whole and in order, records look safe that are not."""
    no_crc(monkeypatch)
    for life in MUTANTS["no CRC"].lives:
        missed = play(life, count_only=True, ways=prefixes).failing
        caught = play(life, count_only=True, ways=QUICK).failing
        assert caught > 20 * missed
