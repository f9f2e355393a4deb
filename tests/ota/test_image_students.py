"""Students that came with a new image, and those in the slots: the newer ones run."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ota import steps
from ota.refusal import Refused
from ota.state import FACTORY, NONE, SlotInfo, State
from ota.store import Store
from ota.updater import Updater
from sim.board.cuts import outcomes, take
from sim.board.flash import Flash
from tests.ota.camera import FACTS, UNIT, bundle, install, new_flash, push, start


def boot(flash: Flash, release: int, counter: int = 0) -> Updater:
    """The camera starts from an image with these students."""
    facts = replace(FACTS, factory_release=release)
    camera = start(flash, facts, store=partial(Store, factory_counter=counter))
    camera.load_active()
    return camera


def with_set(*releases: int, counter: int = 1, image: int = 1) -> Flash:
    flash = new_flash()
    camera = boot(flash, image)
    for release in releases:
        install(camera, bundle(release, counter=counter))
    return flash


def test_newer_students_of_a_new_image_run_and_the_slot_is_the_way_back():
    flash = with_set(5)
    camera = boot(flash, 6, counter=1)
    assert camera.running == FACTORY
    assert camera.store.state.previous == 0
    assert camera.store.state.last.outcome == "image"
    assert boot(flash, 6, counter=1).running == FACTORY
    assert camera.go_back() == 0
    assert boot(flash, 6, counter=1).running == 0, "an operator's word stands, until the next image"
    assert boot(flash, 7, counter=1).running == FACTORY


def test_older_students_of_a_new_image_do_not_run():
    flash = with_set(5)
    assert boot(flash, 4).running == 0
    assert boot(flash, 5, counter=1).running == 0, "the same release"


def test_an_image_that_falls_back_brings_its_own_students_back():
    """A new image did not come up; the one before runs again."""
    flash = with_set(5)
    assert boot(flash, 6, counter=1).running == FACTORY
    camera = boot(flash, 1)
    assert camera.running == 0
    assert camera.store.state.previous == FACTORY
    assert camera.load_set(0)[1] == bundle(5, counter=1).plain


def test_students_below_the_floor_never_take_over():
    flash = with_set(5, counter=3)
    assert boot(flash, 6, counter=2).running == 0


def test_a_higher_counter_takes_over_too():
    """Something had to be closed: the image has a later release of the same counter line."""
    flash = with_set(9, counter=1)
    assert boot(flash, 2, counter=2).running == FACTORY


def test_bundles_older_than_the_new_image_are_refused():
    camera = boot(with_set(5), 8, counter=1)
    with pytest.raises(Refused, match="older"):
        camera.offer(bundle(7, counter=1).head)
    install(camera, bundle(9, counter=1))
    assert camera.running != FACTORY


@pytest.mark.parametrize("is_begun", [False, True])
def test_what_is_on_trial_and_older_than_the_image_is_given_up(is_begun):
    flash = with_set(5)
    camera = boot(flash, 1)
    push(camera, bundle(6, counter=1))
    if is_begun:
        camera.store.begin_trial()
    state = boot(flash, 7, counter=1).store.state
    assert (state.active, state.previous, state.trial) == (FACTORY, 0, NONE)
    assert (state.slots[1].status, state.slots[1].why) == ("bad", "older")


def test_what_is_on_trial_and_newer_than_the_image_goes_on():
    flash = with_set(5)
    camera = boot(flash, 1)
    push(camera, bundle(9, counter=1))
    camera.store.begin_trial()
    state = boot(flash, 7, counter=1).store.state
    assert (state.active, state.trial) == (FACTORY, 1)


def test_a_camera_that_knows_no_releases_is_as_ever():
    flash = with_set(5, image=0)
    before = boot(flash, 0).store.state
    assert (before.active, before.image) == (0, 0)


def test_flash_that_takes_nothing_leaves_what_ran():
    flash = with_set(5)
    flash.is_failing = lambda operation: "io"
    assert boot(flash, 6, counter=1).running == 0
    flash.is_failing = lambda operation: None
    assert boot(flash, 6, counter=1).running == FACTORY


@pytest.mark.parametrize(("old", "new"), [(1, 6), (6, 1)], ids=["image newer", "falls back"])
def test_a_cut_while_the_image_changes_leaves_one_or_the_other(old, new):
    flash = with_set(5)
    boot(flash, old, counter=1)
    cuts = []
    flash.before = lambda flash, units: cuts.append(take(flash, units))
    wanted = boot(flash, new, counter=1).running
    flash.before = None
    tries = 0
    for cut in cuts:
        for patch in outcomes(cut, seeds=2, points=(0.0, 0.5)):
            again = boot(Flash(bytes(cut.image(patch)), UNIT), new, counter=1)
            assert again.running == wanted
            assert again.load_set(0)[1] == bundle(5, counter=1).plain
            tries += 1
    assert tries > 20


releases = st.integers(0, 6)
infos = st.builds(
    SlotInfo,
    status=st.sampled_from(["empty", "staged", "confirmed", "bad"]),
    release=releases,
    counter=st.integers(0, 3),
)


@given(
    st.tuples(infos, infos),
    st.sampled_from([FACTORY, 0, 1]),
    st.sampled_from([FACTORY, 0, 1]),
    st.integers(0, 3),
    st.lists(st.tuples(releases, st.integers(0, 3)), min_size=1, max_size=4),
)
def test_whatever_images_come_the_state_stays_one_that_can_run(
    slots, active, previous, floor, ways
):
    state = State(active=active, previous=previous, floor=floor, slots=slots)
    for slot in {active, previous} - {FACTORY}:
        state = steps.with_slot(state, slot, replace_status(state.slots[slot], floor))
    for release, counter in ways:
        before, state = state, steps.image_changed(state, release, counter)
        assert state.image == release
        assert state.floor == floor
        if state.active not in (before.active, FACTORY):
            assert state.slots[state.active].status == "confirmed"
            assert state.slots[state.active].counter >= floor
        if state.active == FACTORY != before.active:
            assert counter >= floor and state.previous == before.active


def replace_status(info: SlotInfo, floor: int) -> SlotInfo:
    return SlotInfo(status="confirmed", release=info.release, counter=max(info.counter, floor))
