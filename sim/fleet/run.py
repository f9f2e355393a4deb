"""The simulation: every poll, transfer, trial and power return of every camera, minute by minute.

Cameras do not see each other, so the events of one minute are worked off together, as arrays; each
keeps its own moment. Only the roll-out looks at all of them, every few minutes, as a vendor's job.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ota.carriers import pace
from ota.carriers.rollout import Reports
from sim.fleet.load import Load, Times
from sim.fleet.population import Population, populate
from sim.fleet.rollout import Rollout
from sim.fleet.settings import HOUR_MS, Settings

STEP_MS = 60_000.0
IDLE, FETCHING, TRYING, CONFIRMED, FAILED, DARK = range(6)
NIGHT_H = (20.0, 6.0)
Index = NDArray[np.int64]


@dataclass
class Outcome:
    """What became of a fleet.

    Attributes:
        settings, rollout, load: as they were.
        at_h: float64[T], hours of the samples.
        tried, confirmed, failed: int64[T], cameras so far.
        confirmed_at_ms: float64[N], inf where it did not.
        wasted_bytes: sent and lost in transfers that broke.
    """

    settings: Settings
    rollout: Rollout
    load: Load
    at_h: Times
    tried: NDArray[np.int64]
    confirmed: NDArray[np.int64]
    failed: NDArray[np.int64]
    confirmed_at_ms: Times
    wasted_bytes: float


class Fleet:
    """All cameras at a moment."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.random = np.random.default_rng(settings.seed)
        self.cameras: Population = populate(settings, self.random)
        count = settings.cameras
        self.load = Load(settings.hours)
        self.rollout = Rollout(settings)
        self.state = np.full(count, IDLE, dtype=np.int8)
        self.failures = np.zeros(count, dtype=np.int64)
        self.got_bytes = np.zeros(count)
        self.began_ms = np.full(count, np.inf)
        self.told_ms = np.full(count, np.inf)
        self.seen_share = np.zeros(count)
        self.wasted_bytes = 0.0
        self.next_ms = settings.poll_ms * ((self.cameras.phase + self.random.random(count)) % 1)

    def run(self) -> Outcome:
        """Play all of it."""
        samples = []
        steps = int(self.settings.hours * HOUR_MS / STEP_MS)
        powers = self._powers()
        for step in range(steps):
            now_ms = step * STEP_MS
            while powers and powers[0][0] <= now_ms:
                self._power(*powers.pop(0))
            if now_ms % self.settings.control_ms == 0:
                reports = self.reports(now_ms)
                self.rollout.control(now_ms, reports)
                tried = int(np.isfinite(self.began_ms).sum())
                samples.append((now_ms / HOUR_MS, tried, reports.confirmed, reports.failed))
            self._step(now_ms)
        return self._outcome(samples)

    def reports(self, now_ms: float) -> Reports:
        """What the vendor's server has been told."""
        told = self.told_ms <= now_ms
        late = self.began_ms + self.settings.overdue_h * HOUR_MS < now_ms
        return Reports(
            confirmed=int((told & (self.state == CONFIRMED)).sum()),
            failed=int((told & (self.state == FAILED)).sum()),
            overdue=int((late & ~told).sum()),
        )

    def _step(self, now_ms: float) -> None:
        end_ms, share = now_ms + STEP_MS, self.rollout.share_seen(now_ms)
        while (due := np.flatnonzero(self.next_ms < end_ms)).size:
            state = self.state[due]
            self._fetch(due[state == FETCHING])
            self._judge(due[state == TRYING])
            self._poll(due[(state != FETCHING) & (state != TRYING)], share)

    def _poll(self, due: Index, share: float) -> None:
        at_ms, settings = self.next_ms[due], self.settings
        is_news = self.seen_share[due] != share
        self.load.ask(at_ms, settings.poll_bytes + is_news * float(settings.channel_bytes))
        random = self.random.random((2, due.size))
        lost = self.cameras.is_flaky[due] & (random[0] < settings.flaky_poll_failure)
        self._back_off(due[lost], at_ms[lost], random[1][lost])
        came, at_ms = due[~lost], at_ms[~lost]
        self.failures[came] = 0
        self.seen_share[came] = share
        wants = (self.state[came] == IDLE) & (self.cameras.stage[came] < share)
        phase = self.cameras.phase[came]
        wait_ms = pace.wait_ms(phase, random[1][~lost], settings.poll_ms, settings.jitter)
        self.next_ms[came] = np.where(wants, at_ms, at_ms + wait_ms)
        self.state[came[wants]] = FETCHING
        self.began_ms[came[wants]] = at_ms[wants]

    def _fetch(self, due: Index) -> None:
        if not due.size:
            return
        at_ms, settings, rate = self.next_ms[due], self.settings, self.cameras.rate[due]
        left = settings.bundle_bytes - self.got_bytes[due]
        full_ms = left / rate
        drop_ms = self.random.exponential(settings.flaky_drop_ms, due.size)
        breaks = self.cameras.is_flaky[due] & (drop_ms < full_ms)
        for_ms = np.where(breaks, drop_ms, full_ms)
        sent = for_ms * rate
        self.load.transfer(at_ms, for_ms, sent, settings.range_bytes)
        ranges = sent / settings.range_bytes
        self.load.ask(at_ms, settings.poll_bytes + settings.request_bytes * ranges)
        got = np.where(breaks, np.floor(sent / settings.chunk_bytes) * settings.chunk_bytes, left)
        self.got_bytes[due] += got
        self.wasted_bytes += float((sent - got).sum())
        random = self.random.random(due.size)
        self._back_off(due[breaks], (at_ms + for_ms)[breaks], random[breaks])
        done, done_ms = due[~breaks], (at_ms + for_ms)[~breaks]
        self.failures[done] = 0
        self.state[done] = TRYING
        self.next_ms[done] = done_ms + settings.trial_ms * (0.8 + 0.4 * random[~breaks])

    def _judge(self, due: Index) -> None:
        fails, silent = self.cameras.fails[due], self.cameras.is_silent[due]
        self.state[due] = np.where(fails, np.where(silent, DARK, FAILED), CONFIRMED)
        self.told_ms[due] = np.where(silent, np.inf, self.next_ms[due])
        random = self.random.random(due.size)
        self.next_ms[due] += self.settings.poll_ms * (0.9 + 0.2 * random)
        self.next_ms[due[silent]] = np.inf

    def _back_off(self, lost: Index, at_ms: Times, random: Times) -> None:
        self.failures[lost] += 1
        waits = [pace.backoff_ms(n, r) for n, r in zip(self.failures[lost], random, strict=True)]
        self.next_ms[lost] = at_ms + np.array(waits)

    def _power(self, at_ms: float, cameras: NDArray[np.bool_], is_on: bool) -> None:
        """A trial that is cut short begins again after the start, as on the camera."""
        which = np.flatnonzero(cameras & (self.state != DARK))
        if not is_on:
            self.next_ms[which] = np.inf
            return
        which = which[np.isinf(self.next_ms[which])]
        random = self.random.random((2, which.size))
        least_ms, most_ms = self.settings.boot_ms
        up_ms = at_ms + least_ms + (most_ms - least_ms) * random[0]
        spread_ms = self.settings.boot_spread_ms
        first_ms = pace.first_wait_ms(self.cameras.phase[which], random[1], spread_ms)
        is_trying = self.state[which] == TRYING
        self.next_ms[which] = up_ms + np.where(is_trying, self.settings.trial_ms, first_ms)
        self.failures[which] = 0

    def _powers(self) -> list[tuple[float, NDArray[np.bool_], bool]]:
        """(when, which cameras, on or off), in order."""
        settings, (dusk, dawn) = self.settings, NIGHT_H
        storm, night = self.cameras.in_storm, self.cameras.off_at_night & ~self.cameras.in_storm
        found = [
            ((settings.storm_at_h - 1.0) * HOUR_MS, storm, False),
            (settings.storm_at_h * HOUR_MS, storm, True),
        ]
        for day in range(int(settings.hours / 24) + 1):
            found.append(((day * 24 + dawn) * HOUR_MS, night, True))
            found.append(((day * 24 + dusk) * HOUR_MS, night, False))
        found.append((0.0, night, False))
        return sorted(found, key=lambda power: power[0])

    def _outcome(self, samples: list[tuple[float, int, int, int]]) -> Outcome:
        at_h, tried, confirmed, failed = np.array(samples).T
        done_ms = np.where(self.state == CONFIRMED, self.told_ms, np.inf)
        return Outcome(
            self.settings, self.rollout, self.load, at_h, tried.astype(np.int64),
            confirmed.astype(np.int64), failed.astype(np.int64), done_ms, self.wasted_bytes,
        )  # fmt: skip


def run(settings: Settings) -> Outcome:
    """Simulate a fleet; the same settings give the same outcome."""
    return Fleet(settings).run()
