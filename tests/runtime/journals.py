"""Journals made by hand: records as a camera writes them, at times that a test chooses."""

from __future__ import annotations

from pathlib import Path

from drivers.clock import VirtualClock
from drivers.storage import FileStorage
from runtime.counts_record import Encoder, Period, ZoneHour
from runtime.event import Events
from runtime.journal import Journal
from runtime.record import Recorder

HOUR_MS = 3_600_000
DAY_MS = 1_763_596_800_000
"""2025-11-20T00:00:00Z."""
DWELL_S = [5, 15, 30]


class Camera:
    """Writes the journal of a camera that boots, counts, alarms, breaks and stops."""

    def __init__(self, path: Path, start_ms: int = DAY_MS, slots: int = 4096) -> None:
        self._storage = FileStorage(path, 4096 * slots, 4096)
        self._clock = VirtualClock(0.0, start_ms)
        self._boots = 0
        self._recorder: Recorder | None = None
        self._events = Events()
        self._boot_at_ms = 0.0

    def wait(self, ms: float) -> Camera:
        self._clock.sleep_until_ms(self._clock.now_ms() + ms)
        return self

    def boot(self, site: str = "yard") -> Camera:
        self._boots += 1
        self._recorder = Recorder(Journal(self._storage, self._clock, self._boots), None)
        self._boot_at_ms = self._clock.now_ms()
        return self.tell("boot", "started", {"board": "sim", "site": site})

    def tell(
        self, kind: str, state: str, why: dict[str, object], rule: str = "", zone: str = ""
    ) -> Camera:
        assert self._recorder is not None
        t_ms = self._clock.now_ms() - self._boot_at_ms
        self._events.add(kind, t_ms, 1, state, why, rule=rule, zone=zone)
        self._recorder.write(self._events, self._clock.now_ms())
        return self

    def alarm(self, state: str, zone: str = "press", *, acked: bool = False) -> Camera:
        why: dict[str, object] = {"severity": "danger", "latch": True}
        return self.tell(
            "alarm", state, why | ({"acknowledged": True} if acked else {}), "zone", zone
        )

    def fault(self, state: str, name: str = "camera_fault", reason: str = "frozen") -> Camera:
        return self.tell("fault", state, {"reason": reason}, name)

    def hour(self, period: Period) -> Camera:
        for part in Encoder(4096).encode(period):
            self.tell("counts", "hour", part)
        return self

    def stop(self) -> Camera:
        return self.tell("shutdown", "planned", {"alarms": []})

    def close(self) -> None:
        self._storage.close()


def zone_hour(tracks: int, ms: float = 60_000.0, dwell: tuple[int, ...] = (0, 0, 0, 0)) -> ZoneHour:
    """A zone with so many tracks, each of which came and left once."""
    return ZoneHour(tracks, ms, tracks, 0, tracks, 0, min(tracks, 3), dwell)


def an_hour(from_ms: int = DAY_MS, **values: object) -> Period:
    """An hour of nobody, but for what is named."""
    base: dict[str, object] = {
        **{"from_ms": from_ms, "period_ms": HOUR_MS, "observed_ms": HOUR_MS, "grid": (8, 6)},
        **{"picture": (640, 360), "k": 5, "dwell_s": DWELL_S},
    }
    return Period(**(base | values))  # type: ignore[arg-type]
