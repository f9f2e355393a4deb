"""The watchdog: it is there, holds the times of the board file, and is stopped again.

It is only ever armed where the kernel says that it can be stopped: a board that resets itself a
minute after its test is no tested board.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

from drivers.faults import WatchdogFault
from drivers.interfaces import Watchdog
from runtime.unit_test.result import Bench, Row, judged, untested, word

ITEM, NAME = "watchdog", "watchdog"
MODULE: Final = "look at its kernel module and at [watchdog] of the board file"


def watchdog(bench: Bench) -> Iterator[Row]:
    """Arm it, feed it once, stop it."""
    config = bench.board.watchdog
    place = _place(bench) if config.driver == "linux" else None
    if config.driver == "systemd":
        yield untested(ITEM, NAME, "systemd feeds it: only a service that it started can tell")
        return
    if place is not None and word(place / "nowayout") == "1":
        text = f"{word(place / 'identity')}: can never be stopped (nowayout), so it was not armed"
        yield untested(ITEM, NAME, text)
        return
    if place is not None and word(place / "state") == "active":
        step = "stop whoever feeds it (RuntimeWatchdogSec of systemd), then test again"
        yield judged(ITEM, NAME, False, "is armed already: somebody feeds it", next=step)
        return
    yield from _arm(bench, place)


def _arm(bench: Bench, place: Path | None) -> Iterator[Row]:
    config = bench.board.watchdog
    made: Watchdog | None = None
    wrong = ""
    try:
        made = cast(Watchdog, bench.find("watchdog", config.driver)(config, bench.clock))
        made.feed(bench.clock.now_ms())
    except WatchdogFault as fault:
        wrong = fault.detail or fault.reason
    finally:
        stopped = _stop(made)
    limit = f"{config.timeout_ms} ms, {config.boot_ms} ms at boot"
    who = word(place / "identity") if place is not None else config.driver
    text = wrong or f"{who or config.driver}: armed and fed"
    value = float(config.timeout_ms)
    yield judged(
        ITEM, NAME, not wrong, text, limit, value=None if wrong else value, unit="ms", next=MODULE
    )
    if made is None:
        return
    state = word(place / "state") if place is not None else ""
    is_armed = state == "active" or bool(stopped)
    text = stopped or (f"state {state}" if state else "closed with the letter that stops it")
    step = "THIS BOARD RESETS ITSELF SOON: it was armed, and cannot be stopped"
    yield judged("watchdog.stopped", "watchdog: stopped", not is_armed, text, "inactive", next=step)


def _stop(made: Watchdog | None) -> str:
    """Why it was not stopped, or ""."""
    if made is None:
        return ""
    try:
        made.disarm()
    except WatchdogFault as fault:
        return fault.detail or fault.reason
    return ""


def _place(bench: Bench) -> Path:
    """In sysfs; /dev/watchdog is the first one."""
    name = Path(bench.board.watchdog.device).name
    return bench.sys / "class/watchdog" / ("watchdog0" if name == "watchdog" else name)
