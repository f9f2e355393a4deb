"""What must be true of a camera after a power cut, and how it is found out.

A step is one call. `Witness.play` does it once, uncut, and takes down each moment at which the
power could have gone; then it starts a camera on all that such a cut may leave, and compares it
with the camera before and after the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from drivers.faults import StorageFault
from ota.admission import Facts
from ota.refusal import Refused
from ota.state import FACTORY, NONE
from ota.store import Store
from ota.updater import Updater
from sim.board.cuts import Cut, Patch, outcomes, take
from sim.board.flash import Flash
from tests.ota.camera import FACTS, Bundle, install, start

Outcomes = Callable[[Cut], Iterator[Patch]]
FACTORY_SET = b"factory"


class View(NamedTuple):
    """All that a camera has promised, without slot numbers.

    Attributes:
        active, previous, trial, staged: digests; FACTORY_SET; b"" for none.
        tries, floor: as in the state.
        ring: version.
        site: text to use. site_confirmed: the text behind one on trial.
        site_tries: of the one on trial, -1 without one.
    """

    active: bytes
    previous: bytes
    trial: bytes
    staged: bytes
    tries: int
    floor: int
    ring: int
    site: str
    site_confirmed: str
    site_tries: int


def view(camera: Updater) -> View:
    store, state = camera.store, camera.store.state

    def digest(slot: int) -> bytes:
        return FACTORY_SET if slot == FACTORY else state.slots[slot].digest

    staged = [info.digest for info in state.slots if info.status == "staged"]
    site = state.site
    return View(
        active=digest(state.active),
        previous=digest(state.previous),
        trial=b"" if state.trial == NONE else digest(state.trial),
        staged=b"".join(staged),
        tries=state.tries if staged else 0,
        floor=state.floor,
        ring=camera.ring.version,
        site=store.site.text,
        site_confirmed=store.site_confirmed.text,
        site_tries=site.tries if site.trial >= 0 else -1,
    )


def chunks_there(camera: Updater) -> dict[bytes, int]:
    """Of each set that is on its way: chunks that a new offer would not ask for."""
    store, found = camera.store, {}
    for slot, info in enumerate(store.state.slots):
        if info.status == "receiving":
            with suppress(Refused):  # its head is not there yet
                _, taken = store.contents(slot, camera.facts.target)
                found[info.digest] = len(taken.chunks) - sum(store.missing(slot, taken))
    return found


class Failed(Exception):
    """A camera that is not as it must be after a cut."""


class Counts(NamedTuple):
    cuts: int
    distinct: int
    failing: int


class Witness:
    """Plays steps on one flash and tries every cut of them.

    Args:
        flash: of the camera. known: every bundle that may run, by digest.
        facts, store: of the camera. ways: what a cut may leave.
        goal: a bundle that is installed after each cut; None: it is not tried.
        count_only: go on after a failure.
    """

    def __init__(
        self,
        flash: Flash,
        known: Sequence[Bundle],
        facts: Facts = FACTS,
        store: type[Store] = Store,
        ways: Outcomes = outcomes,
        goal: Bundle | None = None,
        count_only: bool = False,
    ) -> None:
        self.flash = flash
        self.known = {bundle.digest: bundle for bundle in known}
        self.facts = facts
        self.store = store
        self.ways = ways
        self.goal = goal
        self.count_only = count_only
        self.cuts = self.distinct = self.failing = 0
        self.complaints: list[str] = []
        self.received: dict[bytes, int] = {}

    def start(self, flash: Flash | None = None) -> Updater:
        return start(flash or self.flash, self.facts, None, self.store)

    def play(self, name: str, camera: Updater, step: Callable[[], object], atomic: bool) -> None:
        """Do a step, then try every cut of it.

        Args:
            name: for the report.
            camera: on `flash`.
            step: one call.
            atomic: it is one durable change: all of it happens, or nothing.
        """
        before = view(camera)
        is_honest = self.flash.atomic_unit_bytes >= self.flash.unit_bytes
        self.received = chunks_there(camera) if is_honest else {}
        cuts = self.record(step)
        after = view(camera)
        self.try_all(name, cuts, before, after, atomic)

    def like(self, image: bytes | bytearray) -> Flash:
        """The same flash with this on it."""
        return Flash(bytes(image), self.flash.unit_bytes, self.flash.atomic_unit_bytes)

    def record(self, step: Callable[[], object]) -> list[Cut]:
        """Do a step; gives the moments at which the power could have gone."""
        found: list[Cut] = []
        syncs = 0

        def moment(flash: Flash, units: set[int]) -> None:
            nonlocal syncs
            found.append(take(flash, units, syncs))
            syncs += not units

        self.flash.before = moment
        try:
            step()
        finally:
            self.flash.before = None
        found.append(take(self.flash, set(), syncs))
        return found

    def try_all(
        self, name: str, cuts: Sequence[Cut], before: View, after: View, atomic: bool
    ) -> None:
        seen: set[tuple[int, Patch]] = set()
        for cut in cuts:
            is_over = cut is cuts[-1]
            allowed = (after,) if is_over else (before, after)
            for patch in self.ways(cut):
                self.cuts += 1
                if (cut.syncs, patch) in seen and not is_over:
                    continue
                seen.add((cut.syncs, patch))
                self.distinct += 1
                self._try(f"{name}, operation {cut.operation}", cut.image(patch), allowed, atomic)

    def _try(self, name: str, image: bytearray, allowed: Sequence[View], atomic: bool) -> None:
        try:
            self.check(self.like(image), allowed, atomic)
        except (Failed, Refused, StorageFault, ValueError, LookupError) as error:
            self.failing += 1
            self.complaints.append(f"{name}: {type(error).__name__}: {error}")
            if not self.count_only:
                raise AssertionError(self.complaints[-1]) from error

    def check(self, flash: Flash, allowed: Sequence[View], atomic: bool) -> Updater:
        """Start on what a cut left. Raises Failed, or what it meets."""
        camera = self.start(flash)
        found = view(camera)
        must(not camera.store.locked, f"locked: {camera.store.locked}")
        if atomic:
            must(found in allowed, f"half a step: {found} is none of {allowed}")
        for name, value in found._asdict().items():
            values = [getattr(one, name) for one in allowed]
            must(value in values, f"{name} is {value!r}, not one of {values!r}")
        for digest, count in chunks_there(camera).items():
            must(count >= self.received.get(digest, 0), "chunks that were taken are lost")
        self._check_sets(camera, found)
        if self.goal is not None:
            complete(camera, self.goal)
            must(camera.store.state.floor >= found.floor, "the floor was lowered")
        return camera

    def _check_sets(self, camera: Updater, found: View) -> None:
        """What is said to be there is there, and nothing below the floor runs."""
        loaded = camera.load_active()
        must((loaded.slot == FACTORY) == (found.active == FACTORY_SET), "the active set is gone")
        state = camera.store.state
        for slot, info in enumerate(state.slots):
            if info.status not in ("staged", "confirmed") or info.counter < state.floor:
                must(slot not in (state.active, state.trial), f"a {info.status} set runs")
                continue
            if is_revoked(camera, slot):
                continue
            _, files = camera.load_set(slot)
            wanted = self.known[info.digest].plain
            must(files == wanted, f"other bytes in slot {slot}")

    @property
    def counts(self) -> Counts:
        return Counts(self.cuts, self.distinct, self.failing)


def must(holds: bool, complaint: str) -> None:
    if not holds:
        raise Failed(complaint)


def is_revoked(camera: Updater, slot: int) -> bool:
    """Whether a set may be refused because of its key."""
    try:
        camera.check_trust(slot)
    except Refused as refused:
        if refused.reason != "revoked_key" or not camera.ring.revoked:
            raise
        return True
    return False


def complete(camera: Updater, goal: Bundle) -> None:
    """Whatever the cut left: this bundle can be installed, and runs."""
    store = camera.store
    if store.state.trial != NONE and view(camera).trial == goal.digest:
        camera.load_set(store.begin_trial())
        store.confirm()
    elif store.state.trial != NONE:
        store.roll_back("reset")
    if view(camera).active != goal.digest:
        install(camera, goal)
    loaded = camera.load_active()
    must(loaded.slot >= 0, "the update was completed and the factory runs")
    must(loaded.files == goal.plain, "it runs other bytes")
