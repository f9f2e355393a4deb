"""Whether a camera that comes back after a power cut has kept what it said before it.

`promised` is folded from the marks before the cut (tests/board/marks.py); the judges look at the
files that were left, by the runtime's own readers, and return what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from drivers.faults import StorageFault
from drivers.storage import FileReader, FileStorage
from ota.admission import Facts
from ota.area import needed_bytes
from ota.bundle import BundleFile
from ota.manifest import take
from ota.refusal import Refused
from ota.state import FACTORY, NONE, State
from ota.store import Store
from ota.updater import Updater
from runtime.journal import find_slot_bytes, read_all
from tests.board.marks import Mark

STAGES: Final = {"receiving": 1, "staged": 2, "trial": 3, "confirmed": 4}
TOLD: Final = ("trial", "confirmed")
"""States of update events that name a release; flash is so far by then."""


@dataclass
class Promised:
    """What was said to be done before a cut.

    Attributes:
        records: sequence number -> kind, in the camera's journal.
        release, stage: how far the newest students are, see STAGES.
        runs: release that was confirmed last; 0: the factory's.
        files: name -> number, of files that are written again and again.
    """

    records: dict[int, str] = field(default_factory=dict)
    release: int = 0
    stage: int = 0
    runs: int = 0
    files: dict[str, int] = field(default_factory=dict)

    def hear(self, mark: Mark) -> None:
        """Take one more."""
        match mark.words:
            case ["event", seq, kind, state, release]:
                self.records[int(seq)] = kind
                if kind == "update":
                    self._update(state, int(release))
            case ["file", name, number]:
                self.files[name] = int(number)

    def _update(self, state: str, release: int) -> None:
        if state in TOLD:
            self.release, self.stage = release, STAGES[state]
        if state == "confirmed":
            self.runs = release


@dataclass(frozen=True)
class Camera:
    """What is known of the camera.

    Attributes:
        facts: of its updates. ring: the key ring that it was provisioned with.
        counters: release -> security counter.
        newest: the bundle that it was given last.
        journal, updates: where they lie below /data.
    """

    facts: Facts
    ring: bytes
    counters: dict[int, int]
    newest: Path
    journal: str = "haetae/journal.ring"
    updates: str = "haetae/updates.area"


def judge(camera: Camera, files: Path, promised: Promised, goes_on: bool) -> list[str]:
    """All of it.

    Args:
        camera: that was cut.
        files: what was left; changed where it `goes_on`.
        promised: before the cut.
        goes_on: also bring the newest students to it now.
    """
    wrong = [*judge_journal(files / camera.journal, promised.records)]
    wrong += judge_updates(camera, files / camera.updates, promised)
    if goes_on and not wrong:
        wrong += judge_goes_on(camera, files / camera.updates)
    return wrong


def judge_journal(path: Path, records: dict[int, str]) -> Iterator[str]:
    """Every record that was acknowledged, and has not been written over, is there."""
    if not path.exists():
        if records:
            yield "journal: the file is gone"
        return
    with closing(FileReader(path)) as storage:
        there = {record.seq: record.kind_name for record in read_all(storage)}
        slots = storage.size_bytes // (find_slot_bytes(storage) or storage.size_bytes)
    newest = max([*there, *records], default=0)
    oldest = newest + 2 - slots  # the one being written has taken the place of the oldest
    lost = [seq for seq in records if seq >= oldest and there.get(seq) != records[seq]]
    if lost:
        yield f"journal: {len(lost)} acknowledged records lost: {lost[:5]}"


def judge_updates(camera: Camera, path: Path, promised: Promised) -> Iterator[str]:
    """The students that were confirmed run, whole; nothing is older than it was."""
    if not path.exists():
        if promised.release or promised.records:
            yield "updates: the file is gone"
        return
    try:
        storage = _open(camera, path)
    except StorageFault as fault:
        yield f"updates: {fault}"
        return
    with closing(storage):
        try:
            updater = _updater(camera, storage)
        except (StorageFault, Refused) as refused:
            yield f"updates: brick: {refused}"
            return
        state = updater.store.state
        yield from _behind(state, promised, camera)
        for slot, info in enumerate(state.slots):
            if info.status in ("staged", "confirmed") and info.counter >= state.floor:
                yield from _whole(updater, slot)
        if (slot := updater.load_active().slot) != state.active:
            yield f"updates: starts with slot {slot}, {state.active} is active"


def _behind(state: State, promised: Promised, camera: Camera) -> Iterator[str]:
    runs = state.slots[state.active].release if state.active != FACTORY else 0
    if runs < promised.runs:
        yield f"updates: a downgrade: release {runs} is active, {promised.runs} was confirmed"
    if state.floor < camera.counters.get(promised.runs, 0):
        yield f"updates: the floor is {state.floor}, release {promised.runs} was confirmed"
    if how_far(state) < (promised.release, promised.stage):
        yield f"updates: at {how_far(state)}, told ({promised.release}, {promised.stage})"


def how_far(state: State) -> tuple[int, int]:
    """Newest release in a slot, and its stage."""
    found = [(0, 0)]
    for slot, info in enumerate(state.slots):
        if info.status in STAGES:
            stage = STAGES["trial" if slot == state.trial else info.status]
            found.append((info.release, stage))
    return max(found)


def _whole(updater: Updater, slot: int) -> Iterator[str]:
    try:
        updater.load_set(slot)
    except Refused as refused:
        yield f"updates: slot {slot} is {updater.store.state.slots[slot].status}: {refused}"


def judge_goes_on(camera: Camera, path: Path) -> Iterator[str]:
    """The newest students come in and run, whatever was cut."""
    if path.exists():
        with closing(_open(camera, path)) as storage, BundleFile(camera.newest) as bundle:
            try:
                runs = _go_on(_updater(camera, storage), bundle)
            except Refused as refused:
                yield f"updates: does not go on: {refused}"
                return
            if runs != bundle.manifest.release:
                yield f"updates: release {runs} runs afterwards"


def _go_on(updater: Updater, bundle: BundleFile) -> int:
    """Returns the release that is active then."""
    store = updater.store
    updater.load_active()
    if store.state.trial != NONE:  # as after a reset: once more
        store.begin_trial()
        store.confirm()
    if bundle.head.digest != _active_digest(store.state):
        answer = updater.offer(bundle.head_data)
        chunks = take(bundle.manifest, updater.facts.target, updater.facts.unit_bytes).chunks
        wanted = answer["next"]
        while wanted >= 0:
            wanted = updater.chunk(answer["session"], wanted, bundle.chunk(chunks[wanted]))
        store.begin_trial()
        store.confirm()
    return store.state.slots[store.state.active].release


def _active_digest(state: State) -> bytes:
    return state.slots[state.active].digest if state.active != FACTORY else b""


def _open(camera: Camera, path: Path) -> FileStorage:
    facts = camera.facts
    return FileStorage(path, needed_bytes(facts.slot_bytes, facts.unit_bytes), facts.unit_bytes)


def _updater(camera: Camera, storage: FileStorage) -> Updater:
    return Updater(Store(storage, camera.facts.slot_bytes), camera.facts, camera.ring)


def fold(marks: Iterable[Mark], position: int) -> Promised:
    """What the marks before a cut have promised."""
    promised = Promised()
    for mark in marks:
        if mark.position < position:
            promised.hear(mark)
    return promised
