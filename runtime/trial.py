"""The trial of new students: tried, watched, confirmed or rolled back, whatever happens.

    staged -> try count durable -> built, golden inputs, time
           -> shadow -> swap -> probation -> confirmed

In the shadow the new students look beside the present ones, who drive the camera. After the swap,
between two frames, it is the other way round; the old ones are let go of at the end of the
probation alone. Whatever speaks against the new ones ends the trial: rolled back, with the reason
kept. A reset does so by itself, since the camera starts with the students that were confirmed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from drivers.faults import ModelRefused, NpuFault
from drivers.interfaces import Clock
from drivers.update_config import UpdatesConfig
from ota.refusal import Refused
from ota.state import State
from ota.updater import Updater
from runtime.desk import Desk
from runtime.health import Health
from runtime.memory import give_back
from runtime.shadow import MOST_FAILURES
from runtime.student_files import Files
from runtime.trial_side import Seat, TrialSide

Phase = Literal["idle", "shadow", "probation"]
UNDECIDED: Final = 3
"""Shadow times after which students who find too few people are given up."""
RETRY_MS: Final = 5000.0
"""Pause after the flash did not take the outcome."""
Build = Callable[[Files, str], Seat]


class Trial:
    """One trial at a time. Belongs to the worker; `step` is called again and again.

    Args:
        config: times and limits.
        updater: slots and state.
        desk: to the loop.
        side: the loop's side.
        build: makes a seat out of a set's files; raises Refused, ModelRefused, NpuFault.
        health: the camera's; read only.
        clock: injected.

    Attributes:
        phase: where it is.
        version, release: of the students on trial.
        ended_ms: when the last trial of this run ended; None: there was none.
    """

    def __init__(
        self,
        config: UpdatesConfig,
        updater: Updater,
        desk: Desk,
        side: TrialSide,
        build: Build,
        health: Health,
        clock: Clock,
    ) -> None:
        self._config, self._desk = config, desk
        self._updater, self._store = updater, updater.store
        self._side, self._build, self._health = side, build, health
        self._clock = clock
        self.ended_ms: float | None = None
        self.phase: Phase = "idle"
        self.version, self.release = "", 0
        self._since_ms = 0.0
        self._healthy_ms: float | None = None
        self._quiet_until_ms = 0.0
        self._new: Seat | None = None
        self._old: Seat | None = None
        self._unwritten: tuple[str, str] | None = None

    def step(self, now_ms: float) -> bool:
        """Advance; True when something was done."""
        if now_ms < self._quiet_until_ms:
            return False
        try:
            return self._step(now_ms)
        except Refused as refused:  # the flash did not take it, or the loop did not come by
            self._quiet_until_ms = now_ms + RETRY_MS
            self._desk.note("waits", {"reason": refused.reason, "detail": refused.detail})
            return False

    def _step(self, now_ms: float) -> bool:
        if self._unwritten is not None:
            self._store.roll_back(*self._unwritten)
            self._unwritten = None
        match self.phase:
            case "idle":
                return self._may_begin(now_ms) and self._begin(now_ms)
            case "shadow":
                return self._watch_shadow(now_ms)
            case "probation":
                return self._watch_probation(now_ms)

    def left_ms(self, now_ms: float) -> float:
        """Until this phase can end; 0 when it waits for people to compare."""
        config = self._config
        whole_ms = config.shadow_ms if self.phase == "shadow" else config.probation_ms
        return max(0.0, self._since_ms + whole_ms - now_ms) if self.phase != "idle" else 0.0

    def confirm(self, by: str) -> None:
        """An operator says that the new students stay. Raises Refused."""
        if self.phase != "probation":
            raise Refused("nothing", f"no students are in probation; the trial is {self.phase}")
        self._confirm({"by": by})

    def roll_back(self, by: str) -> None:
        """An operator ends the trial. Raises Refused."""
        if self.phase == "idle":
            raise Refused("nothing", "no students are on trial")
        self._fail("operator", f"ended by {by}")

    def _may_begin(self, now_ms: float) -> bool:
        """Students wait, and the camera has been healthy for a while."""
        state = self._store.state
        if state.trial >= 0 and state.tries >= self._config.max_tries:
            last = f"reset in try {state.tries} of {self._config.max_tries}"
            self._store.roll_back("reset", last)
            self._desk.note("rolled_back", {"reason": "reset", "detail": last})
            return False
        if waiting_slot(state) < 0:
            return False
        if not self._health.healthy:
            self._healthy_ms = None
            return False
        if self._healthy_ms is None:
            self._healthy_ms = now_ms
        return now_ms - self._healthy_ms >= self._config.settle_ms

    def _begin(self, now_ms: float) -> bool:
        slot = self._store.begin_trial()
        info = self._store.state.slots[slot]
        self.version, self.release = info.version, info.release
        tries = {"try": self._store.state.tries, "of": self._config.max_tries}
        self._desk.note("trial", {"version": info.version, "release": info.release, **tries})
        try:
            _, files = self._updater.load_set(slot)
            self._new = self._build(files, f"slot {slot}")
        except Refused as refused:
            self._fail(refused.reason, refused.detail)
        except ModelRefused as refused:
            self._fail("student", refused.reason)
        except NpuFault as fault:
            self._fail("student", str(fault))
        except (MemoryError, OSError):  # no memory, or no file in memory
            self._fail("memory", "it could not be built beside the present students")
        else:
            self._look_on(self._new, now_ms)
        return True

    def _look_on(self, new: Seat, now_ms: float) -> None:
        try:
            self._desk.call(lambda: self._side.look_on(new))
        except Refused as refused:
            self._fail("health", refused.detail)
        else:
            self.phase, self._since_ms = "shadow", now_ms
            self._desk.note("shadow", {"version": self.version})

    def _watch_shadow(self, now_ms: float) -> bool:
        shadow, config = self._side.shadow, self._config
        if self._end_if_bad():
            return True
        past_ms, agreement = now_ms - self._since_ms, shadow.agreement
        if past_ms < config.shadow_ms:
            return False
        if agreement.is_hopeful:
            self._swap(now_ms)
            return True
        if past_ms >= UNDECIDED * config.shadow_ms:
            detail = f"it finds {agreement.found} of {agreement.people} people"
            self._fail("agreement", detail)
            return True
        return False

    def _swap(self, now_ms: float) -> None:
        new, side = self._new, self._side
        assert new is not None
        seen = side.shadow.agreement.figures()
        self._old = old = side.live
        self._desk.call(lambda: side.swap(new, old))
        self.phase, self._since_ms = "probation", now_ms
        self._desk.note("probation", {"version": self.version, **seen})

    def _watch_probation(self, now_ms: float) -> bool:
        if self._end_if_bad():
            return True
        past_ms, config = now_ms - self._since_ms, self._config
        agreement = self._side.shadow.agreement
        if past_ms >= config.probation_ms and agreement.is_convincing(config.people):
            self._confirm(agreement.figures())
            return True
        if past_ms >= config.most_ms:
            detail = f"only {agreement.people} people came by to compare, {config.people} must"
            self._fail("agreement", detail)
            return True
        return False

    def _end_if_bad(self) -> bool:
        """What speaks against the new students ends the trial."""
        shadow, health = self._side.shadow, self._health
        complaint = shadow.agreement.complaint()
        for fault in (health.npu, health.memory, health.loop):
            if fault.active:
                self._fail("health", f"{fault.name}: {fault.reason}")
                return True
        if shadow.failures >= MOST_FAILURES:
            self._fail("student", f"{shadow.failures} inferences failed: {shadow.last_failure}")
            return True
        if complaint:
            reason = "latency" if complaint.startswith("too slow") else "agreement"
            self._fail(reason, complaint)
            return True
        return False

    def _confirm(self, why: dict[str, object]) -> None:
        """Durable first; then the old students are let go of."""
        self._store.confirm()
        self._updater.running = self._store.state.active
        side, old = self._side, self._old
        self._desk.call(side.end)
        self._desk.note("confirmed", {"version": self.version, "release": self.release, **why})
        self._clear()
        if old is not None:
            old.eyes.close()
            del old
        give_back()

    def _fail(self, reason: str, detail: str) -> None:
        """The old students drive the camera again before anything else is done."""
        side, old, new = self._side, self._old, self._new
        if self.phase == "probation" and old is not None:
            self._desk.call(lambda: side.swap(old, None))
        elif self.phase == "shadow":
            self._desk.call(side.end)
        was, version, release = self.phase, self.version, self.release
        self._clear()
        if new is not None:
            new.eyes.close()
            del new
        give_back()
        why = {"reason": reason, "detail": detail, "version": version, "release": release}
        self._desk.note("rolled_back", {**why, "phase": "build" if was == "idle" else was})
        self._unwritten = reason, detail  # until the flash has taken it
        self._store.roll_back(reason, detail)
        self._unwritten = None

    def _clear(self) -> None:
        self.phase, self._healthy_ms = "idle", None
        self.ended_ms = self._clock.now_ms()
        self._new = self._old = None

    def go_back(self, build_factory: Callable[[], Seat]) -> None:
        """An operator wants the students before the present ones; they were confirmed once.

        Raises:
            Refused, ModelRefused, NpuFault: there are none, or they cannot be loaded.
        """
        slot = self._store.state.previous
        seat = self._seat_of(slot) if slot >= 0 else build_factory()
        self._updater.running = self._updater.go_back()
        side, old = self._side, self._side.live
        self._desk.call(lambda: side.swap(seat, None))
        old.eyes.close()

    def _seat_of(self, slot: int) -> Seat:
        _, files = self._updater.load_set(slot)
        return self._build(files, f"slot {slot}")

    def close(self) -> None:
        """The camera ends: free what it does not see by."""
        for seat in (self._new, self._old):
            if seat is not None:
                seat.eyes.close()


def waiting_slot(state: State) -> int:
    """The slot of students that wait for a trial, or for another one; -1: none."""
    if state.trial >= 0:
        return state.trial
    return next((slot for slot, info in enumerate(state.slots) if info.status == "staged"), -1)
