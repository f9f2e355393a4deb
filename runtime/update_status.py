"""How things are, as plain values: what a technician and a fleet want to know. See `ota.status`."""

from __future__ import annotations

from typing import Any

from drivers.interfaces import Clock
from ota.state import FACTORY, Last, SlotInfo
from ota.updater import Updater
from runtime.alarm import Alarms
from runtime.alarm_state import AlarmState
from runtime.health import Health
from runtime.memory import usage_kb
from runtime.trial import Trial, waiting_slot
from runtime.trial_side import TrialSide

Table = dict[str, Any]


class StatusSource:
    """Reads everything at one moment; on the loop's thread.

    Args:
        hello: device, product, board, runtime.
        updater, trial, side: what runs, and what is on trial.
        health, alarms: the camera's.
        site: name of the site that runs, its SHA-256, and where it came from.
        budget_kb: of the address space.
        clock: injected.
    """

    def __init__(
        self,
        hello: Table,
        updater: Updater,
        trial: Trial,
        side: TrialSide,
        health: Health,
        alarms: Alarms,
        site: Table,
        budget_kb: int,
        clock: Clock,
    ) -> None:
        self._hello, self._updater, self._trial = hello, updater, trial
        self._side, self._health, self._alarms = side, health, alarms
        self._site, self._budget_kb, self._clock = site, budget_kb, clock
        self._began_ms = clock.now_ms()

    def read(self) -> Table:
        """The status."""
        store = self._updater.store
        state, now_ms = store.state, self._clock.now_ms()
        return {
            **{name: self._hello[name] for name in ("device", "product", "board", "runtime")},
            "uptime_ms": round(now_ms - self._began_ms),
            "students": self._students(state.active),
            "previous": self._students(state.previous),
            "floor": state.floor,
            "update": self._update(now_ms),
            "last": self._last(state.last, now_ms),
            "ring": self._updater.ring.version,
            "distrust": self._updater.distrust,
            "locked": store.locked,
            "site": {**self._site, "last": self._last(state.site.last, None)},
            "health": {
                "healthy": self._health.healthy,
                "faults": {each.name: each.reason for each in self._health.all if each.active},
            },
            "alarms": {
                "standing": sum(each is not AlarmState.NORMAL for each in self._alarms.states)
            },
            "memory": {"rss_kb": usage_kb()[0], "budget_kb": self._budget_kb},
        }

    def _students(self, slot: int) -> Table:
        if slot == FACTORY:
            name = self._side.factory_version
            return {"from": "factory", "version": name, "release": 0, "counter": 0, "digest": b""}
        info = self._updater.store.state.slots[slot]
        return {"from": f"slot {slot}", **_told(info)}

    def _update(self, now_ms: float) -> Table:
        trial, transfer = self._trial, self._updater.transfer
        if trial.phase != "idle":
            counted = self._side.shadow.agreement.figures()
            seen = {"seen": counted["found"], "of": counted["people"], **counted}
            told = {"version": trial.version, "release": trial.release, "agreement": seen}
            return {"phase": trial.phase, **told, "left_ms": round(trial.left_ms(now_ms))}
        slot = waiting_slot(self._updater.store.state)
        if slot >= 0:
            return {"phase": "staged", **_told(self._updater.store.state.slots[slot])}
        if transfer is not None and transfer.next >= 0:
            info = self._updater.store.state.slots[transfer.slot]
            sizes = {
                "done": transfer.done_bytes,
                "bytes": sum(chunk.size for chunk in transfer.taken.chunks),
            }
            return {"phase": "receiving", **_told(info), **sizes}
        return {"phase": "idle"}

    def _last(self, last: Last, now_ms: float | None) -> Table:
        told: Table = {
            "outcome": last.outcome,
            "reason": last.reason,
            "detail": last.detail,
            "version": last.version,
            "release": last.release,
            "digest": last.digest,
        }
        ended_ms = self._trial.ended_ms
        if now_ms is not None and ended_ms is not None:
            told["ago_ms"] = round(now_ms - ended_ms)
        return told


def _told(info: SlotInfo) -> Table:
    return {
        "version": info.version,
        "release": info.release,
        "counter": info.counter,
        "digest": info.digest,
    }
