"""How things are, as plain values: what a technician and a fleet want to know. See `ota.status`."""

from __future__ import annotations

from typing import Any

from drivers.interfaces import Clock
from ota.state import FACTORY
from ota.status import stored
from ota.updater import Updater
from runtime.alarm import Alarms
from runtime.alarm_state import AlarmState
from runtime.health import Health
from runtime.memory import usage_kb
from runtime.trial import Trial
from runtime.trial_side import TrialSide

Table = dict[str, Any]
COUNTED_MS = 1000.0
"""Pictures are counted over at least this long."""


class StatusSource:
    """Reads everything at one moment; on the loop's thread.

    Args:
        updater, trial, side: what runs, and what is on trial.
        health, alarms: the camera's.
        site_name: of the site that runs.
        budget_kb: of the address space.
        period_ms: from picture to picture, as the camera is set.
        clock: injected.
    """

    def __init__(
        self,
        updater: Updater,
        trial: Trial,
        side: TrialSide,
        health: Health,
        alarms: Alarms,
        site_name: str,
        budget_kb: int,
        period_ms: float,
        clock: Clock,
    ) -> None:
        self._updater, self._trial = updater, trial
        self._side, self._health, self._alarms = side, health, alarms
        self._site_name, self._budget_kb, self._clock = site_name, budget_kb, clock
        self._period_ms = period_ms
        self._began_ms = clock.now_ms()
        self._counted: tuple[float, int] | None = None
        self._fps: float | None = None

    def read(self) -> Table:
        """The status."""
        now_ms = self._clock.now_ms()
        told = stored(self._updater)
        told["uptime_ms"] = round(now_ms - self._began_ms)
        if self._updater.running == FACTORY:
            told["students"]["version"] = self._side.factory_version
        if self._trial.phase != "idle":
            told["update"] |= self._on_trial(now_ms)
        if self._trial.ended_ms is not None:
            told["last"]["ago_ms"] = round(now_ms - self._trial.ended_ms)
        told["site"] |= {"name": self._site_name}
        told["health"] = {
            "healthy": self._health.healthy,
            "faults": {each.name: each.reason for each in self._health.all if each.active},
        }
        standing = sum(each is not AlarmState.NORMAL for each in self._alarms.states)
        told["alarms"] = {"standing": standing}
        told["camera"] = self._rate(now_ms)
        told["heat"] = {"celsius": self._health.celsius, "shed": self._health.shed}
        told["memory"] = {"rss_kb": usage_kb()[0], "budget_kb": self._budget_kb}
        return told

    def _rate(self, now_ms: float) -> Table:
        """Pictures that were judged, a second, since the last look that is old enough."""
        frames, wanted = self._health.judged_frames, {"wanted_fps": 1e3 / self._period_ms}
        if self._counted is None:
            self._counted = now_ms, frames
        since_ms, before = self._counted
        if now_ms - since_ms >= COUNTED_MS:
            self._fps = (frames - before) / (now_ms - since_ms) * 1e3
            self._counted = now_ms, frames
        return wanted if self._fps is None else {"fps": self._fps, **wanted}

    def _on_trial(self, now_ms: float) -> Table:
        counted = self._side.shadow.agreement.figures()
        return {
            "phase": self._trial.phase,
            "left_ms": round(self._trial.left_ms(now_ms)),
            "agreement": {"seen": counted["found"], "of": counted["people"], **counted},
        }
