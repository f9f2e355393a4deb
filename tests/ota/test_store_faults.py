"""Flash that fails at any operation: nothing promised is lost, and it goes on when it is mended."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest

from drivers.faults import StorageFault
from ota import area
from ota.refusal import Refused
from ota.store import Store
from ota.updater import Updater
from sim.board.cuts import outcomes, take
from sim.board.flash import Flash
from tests.ota.camera import bundle, install, new_flash, push, start
from tests.ota.lives import KNOWN, LIVES, Step
from tests.ota.pure import remembered  # noqa: F401
from tests.ota.witness import Failed, View, Witness, complete, must, view

MOST_OPERATIONS = 60


def expected(name: str) -> list[View]:
    """The views of a life without faults: before the first step, and after each."""
    life = LIVES[name]
    camera = start(new_flash())
    life.before(camera)
    views = [view(camera)]
    for step in life.steps():
        step.do(camera)
        views.append(view(camera))
    return views


def is_one_of(found: View, allowed: tuple[View, ...]) -> bool:
    """Value by value: some steps are several changes."""
    return all(value in values for value, *values in zip(found, *allowed, strict=True))


def redo(camera: Updater, step: Step, number: int, steps: list[Step]) -> None:
    """A step that was refused, again; a part of a transfer begins with its offer."""
    if step.name.startswith("chunk"):
        offer = max(n for n in range(number) if steps[n].name.startswith("offer"))
        for earlier in (*steps[offer:number], step):
            earlier.do(camera)
    else:
        step.do(camera)


def live(name: str, first: int, reason: str, length: int, restarts: bool) -> int:
    """A life with faults at some operations; gives how many steps were refused."""
    life, views, steps = LIVES[name], expected(name), list(LIVES[name].steps())
    flash = new_flash()
    witness = Witness(flash, [*KNOWN, life.goal])
    camera = witness.start()
    life.before(camera)
    refused = 0
    begun = flash.operations
    flash.random.seed(first)
    flash.is_failing = lambda n: reason if first <= n - begun < first + length else None
    for number, step in enumerate(steps):
        before, after = views[number : number + 2]
        while True:
            try:
                redo(camera, step, number, steps) if refused else step.do(camera)
                break
            except Refused as error:
                must(error.reason == "storage", f"{step.name}: {error}")
                refused += 1
                must(refused < 50, "it never goes on")
                # An offer may have given up its slot before the write of the head failed.
                allowed = (before, after) if step.name.startswith("offer") else (before,)
                must(is_one_of(view(camera), allowed), f"{step.name} has changed something")
                witness.check(Flash(bytes(flash.durable)), (before, after), step.is_atomic)
                if restarts and flash.operations - begun >= first + length - 1:
                    return refused + cut_after_restart(witness, before, after, life.goal)
        while step.name == "start" and view(camera) == before:
            refused += 1  # it never raises; before the next offer it is tried again
            with suppress(Refused):
                camera.settle()
        must(view(camera) == after, f"{step.name}: {view(camera)}, not {after}")
        witness.check(Flash(bytes(flash.durable)), (after,), True)
    flash.is_failing = lambda n: None
    complete(camera, life.goal)
    return refused


def cut_after_restart(witness: Witness, before: View, after: View, goal) -> int:
    """After a fault the process starts anew, without a power cut; its next write is cut.

    What it reads then may never get to flash: the kernel has forgotten that it must.
    """
    camera = witness.start()
    found = view(camera)
    cuts = witness.record(lambda: camera.store.save_site("new"))
    saved = view(camera)
    sites = {"site": saved.site, "site_tries": saved.site_tries}
    allowed = [before, after, found, saved]
    allowed += [one._replace(**sites) for one in (before, after)]
    for cut in cuts[:-1]:
        for patch in outcomes(cut, seeds=1, points=(0.0, 0.3)):
            witness.check(Flash(bytes(cut.image(patch))), allowed, False)
    complete(camera, goal)
    return 0


def everywhere(name: str, reason: str, length: int, restarts: bool = False) -> int:
    refused = 0
    for first in range(1, MOST_OPERATIONS):
        met = live(name, first, reason, length, restarts)
        refused += met
        if not met:
            return refused
    raise AssertionError("a life has more operations than that")


@pytest.mark.parametrize("length", [1, 3], ids=lambda n: f"{n}_operations")
@pytest.mark.parametrize("name", LIVES)
def test_a_fault_at_any_operation_loses_nothing(name, length):
    for reason in ("io", "full") if length == 1 else ("read_only",):
        assert everywhere(name, reason, length) > 5


@pytest.mark.parametrize("name", ["receive", "trial and confirm", "site", "key rings"])
def test_a_process_that_starts_anew_after_a_fault_can_be_cut_too(name):
    assert everywhere(name, "io", 1, restarts=True) > 5


def test_two_records_would_not_be_enough_for_that(monkeypatch):
    monkeypatch.setattr(area, "STATES", 2)
    with pytest.raises(Failed, match="not one of"):
        everywhere("trial and confirm", "io", 1, restarts=True)


def test_what_was_only_read_must_be_made_durable_before_it_is_built_upon(monkeypatch):
    def believe(store: Store) -> None:
        """Without a look at what may be in the kernel's memory alone."""

    monkeypatch.setattr(Store, "settle", believe)
    with pytest.raises(Failed, match="not one of"):
        everywhere("site", "io", 1, restarts=True)


def test_flash_that_takes_nothing_for_hours_leaves_the_camera_as_it_was():
    flash = new_flash()
    camera = start(flash)
    install(camera, bundle(1))
    before = view(camera)
    flash.is_failing = lambda n: "read_only"
    for _ in range(200):
        with pytest.raises(Refused, match="storage"):
            camera.offer(bundle(2).head)
    assert view(camera) == before
    assert camera.load_active().slot == 0
    flash.is_failing = lambda n: None
    push(camera, bundle(2))


class DeafFlash(Flash):
    """Some of its reads fail while `is_on`."""

    is_on = False
    reads = 0
    failing = range(0)

    def read_at(self, offset: int, length: int) -> bytes:
        self.reads += self.is_on
        if self.is_on and self.reads in self.failing:
            raise StorageFault("io", "no answer")
        return super().read_at(offset, length)


def live_deaf(name: str, failing: range) -> bool:
    """A life in which some reads fail; False where they were never met."""
    life, views, steps = LIVES[name], expected(name), list(LIVES[name].steps())
    flash = DeafFlash(bytes(new_flash().durable))
    camera = start(flash)
    life.before(camera)
    flash.failing = failing
    was_refused = False
    for number, step in enumerate(steps):
        before, after = views[number : number + 2]
        for _ in range(len(failing) + 1):
            flash.is_on = True
            try:
                redo(camera, step, number, steps) if was_refused else step.do(camera)
            except Refused as error:
                flash.is_on = False
                must(error.reason == "storage", f"{step.name}: {error}")
                allowed = (before, after) if step.name.startswith("offer") else (before,)
                must(is_one_of(view(camera), allowed), f"{step.name} has changed something")
                found = view(start(Flash(bytes(flash.durable))))
                fits = found in (before, after) if step.is_atomic else True
                must(fits and is_one_of(found, (before, after)), f"{step.name} left {found}")
                was_refused = True
                continue
            break
        flash.is_on = False
        if step.name == "start":
            camera.settle()
        must(view(camera) == after, f"{step.name}: {view(camera)}, not {after}")
    complete(camera, life.goal)
    return flash.reads >= failing.start


@pytest.mark.parametrize("name", LIVES)
def test_a_read_that_fails_at_any_moment_loses_nothing(name):
    first = 1
    while live_deaf(name, range(first, first + 2)):
        first += 1
    assert first > 5


class RottenFlash(Flash):
    """One place of it never keeps what is written, and does not say so."""

    at = 0

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        super().write_at(offset, data)
        if offset <= self.at < offset + len(data):
            self.visible[self.at] ^= 1


@pytest.mark.parametrize("part", ["state", "slot"])
def test_what_reads_otherwise_than_it_was_written_is_never_called_done(part):
    plain = new_flash()
    layout = start(plain).store._layout
    flash = RottenFlash(bytes(plain.durable))
    flash.at = {"state": layout.states[1] + 40, "slot": layout.slots[0] + 2000}[part]
    camera = start(flash)
    with pytest.raises(Refused, match="storage"):
        install(camera, bundle(1))
    assert not any(info.status in ("staged", "confirmed") for info in camera.store.state.slots)
    flash.at = -1
    install(camera, bundle(1))


def test_flash_that_cannot_be_read_does_not_stop_the_start():
    class Unreadable(Flash):
        def read_at(self, offset: int, length: int) -> bytes:
            raise StorageFault("io", "no answer")

    flash = new_flash()
    install(start(flash), bundle(1))
    camera = start(Unreadable(bytes(flash.durable)))
    assert camera.load_active().slot == -1
    assert camera.store.site.text == ""


def test_the_moment_of_a_fault_can_be_cut():
    """A cut while the flash fails is a cut like any other."""
    flash = new_flash()
    camera = start(flash)
    install(camera, bundle(1))
    before = view(camera)
    flash.is_failing = lambda n: "io"
    cuts = []
    flash.before = lambda now, units: cuts.append(take(now, units))
    with pytest.raises(Refused, match="storage"):
        camera.store.save_site("x" * 700)
    witness = Witness(new_flash(), [*KNOWN, bundle(1)])
    for cut in cuts:
        for patch in partial(outcomes, seeds=2)(cut):
            witness.check(Flash(bytes(cut.image(patch))), (before,), True)
