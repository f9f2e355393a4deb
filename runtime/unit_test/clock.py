"""The clock: it never goes back, keeps time, has a battery behind it, and knows the date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from runtime.unit_test.result import Bench, Row, judged, untested, word
from runtime.wall import is_plausible

LOOKS: Final = 20_000
WAIT_MS, MOST_LATE_MS = 200.0, 100.0
DRIFT_MS: Final = 1500.0
"""An RTC counts whole seconds, and may differ by one at both ends."""
RTC_WALL_S: Final = 120
BATTERY: Final = "set the clock (timedatectl set-time), and exchange its battery"


def utc(wall_ms: int) -> str:
    """Wall time as ISO 8601; "" where it is none."""
    try:
        return datetime.fromtimestamp(wall_ms / 1e3, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # garbage of a clock chip
        return ""


class ClockWatch:
    """Notes the time when the test begins, to compare when it ends."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._began_ms = bench.clock.now_ms()
        self._wall_ms = bench.clock.wall_ms()
        self._rtc_s = self._rtc()

    def rows(self) -> Iterator[Row]:
        """Every row."""
        yield self._monotonic()
        yield self._waits()
        yield self._date()
        yield self._battery()

    def _rtc(self) -> int | None:
        text = word(self._bench.sys / "class/rtc/rtc0/since_epoch")
        return int(text) if text.isdecimal() else None

    def _monotonic(self) -> Row:
        clock, steps = self._bench.clock, 0
        last_ms = self._began_ms
        for _ in range(LOOKS):
            now_ms = clock.now_ms()
            steps += now_ms < last_ms
            last_ms = now_ms
        text = f"{steps} steps back in {LOOKS} looks"
        step = "exchange the board: its timer goes backwards"
        name = "clock: monotonic"
        return judged(
            "clock.monotonic", name, not steps, text, "0", value=steps, unit="1", next=step
        )

    def _waits(self) -> Row:
        """A wait takes as long as it should, also by the wall."""
        clock = self._bench.clock
        began_ms, wall_ms = clock.now_ms(), clock.wall_ms()
        self._bench.wait(WAIT_MS)
        took_ms, wall_ms = clock.now_ms() - began_ms, clock.wall_ms() - wall_ms
        ok = all(WAIT_MS - 2 <= each <= WAIT_MS + MOST_LATE_MS for each in (took_ms, wall_ms))
        text = f"{took_ms:.0f} ms, by the wall {wall_ms:.0f} ms"
        limit = f"{WAIT_MS:.0f} to {WAIT_MS + MOST_LATE_MS:.0f} ms"
        step = "look at the load, and at who sets the clock"
        name = "clock: rate"
        return judged("clock.rate", name, ok, text, limit, value=took_ms, unit="ms", next=step)

    def _date(self) -> Row:
        wall_ms = self._bench.clock.wall_ms()
        text = utc(wall_ms) or f"{wall_ms} ms since 1970"
        step = "set the clock: rules with hours hold all day until then"
        ok, name = is_plausible(wall_ms), "clock: date"
        return judged("clock.wall", name, ok, text, "2025 to 2099", value=wall_ms / 1e3, unit="s",
                      next=step)  # fmt: skip

    def _battery(self) -> Row:
        """The RTC ticks, and agrees with the wall clock."""
        item, name, rtc_s = "clock.rtc", "clock: RTC", self._rtc()
        if rtc_s is None or self._rtc_s is None:
            return untested(item, name, "there is none: the date goes with the power")
        went_ms = self._bench.clock.now_ms() - self._began_ms
        off_ms = abs((rtc_s - self._rtc_s) * 1e3 - went_ms)
        differs_s = abs(rtc_s - self._bench.clock.wall_ms() / 1e3)
        text = f"{differs_s:.0f} s from the wall clock, "
        text += f"{off_ms / 1e3:.1f} s off in {went_ms / 1e3:.0f} s"
        ok = off_ms <= DRIFT_MS and differs_s <= RTC_WALL_S
        limit = f"<= {RTC_WALL_S} s, it ticks"
        return judged(item, name, ok, text, limit, value=differs_s, unit="s", next=BATTERY)
