"""The simulated outputs and watchdog record what a board would have done."""

from __future__ import annotations

import pytest

from drivers.board import OutputConfig, WatchdogConfig
from drivers.clock import VirtualClock
from drivers.interfaces import Output, Watchdog
from sim.board.outputs import RecordedOutput
from sim.board.watchdog import SimWatchdog


def output(on_boot: str = "off", on_release: str = "off", capacity: int = 8) -> RecordedOutput:
    config = OutputConfig(
        name="siren", role="siren", driver="recorded", on_boot=on_boot, on_release=on_release
    )  # type: ignore[arg-type]
    return RecordedOutput(config, VirtualClock(), capacity)


def watchdog() -> SimWatchdog:
    return SimWatchdog(WatchdogConfig(driver="sim", timeout_ms=100), VirtualClock())


def test_they_are_an_output_and_a_watchdog() -> None:
    assert isinstance(output(), Output)
    assert isinstance(watchdog(), Watchdog)


@pytest.mark.parametrize("on_boot", ["off", "on"])
def test_the_boot_level_holds_until_the_first_set_and_is_no_edge(on_boot: str) -> None:
    out = output(on_boot=on_boot)
    assert out.level == (on_boot == "on")
    assert out.edges() == []


def test_only_changes_are_edges() -> None:
    out = output()
    for now_ms, level in ((0, False), (10, True), (20, True), (30, False), (40, False)):
        out.set(level, now_ms)
    assert out.edges() == [(10.0, True), (30.0, False)]


@pytest.mark.parametrize(("on_release", "edges"), [("on", [(5.0, True)]), ("off", [])])
def test_release_gives_the_level_of_the_board(on_release: str, edges: list[object]) -> None:
    out = output(on_release=on_release)
    out.release(5)
    out.release(6)
    assert out.edges() == edges
    assert out.level == (on_release == "on")


def test_the_oldest_edges_give_way_and_are_counted() -> None:
    out = output(capacity=4)
    for n in range(10):
        out.set(n % 2 == 0, n)
    assert out.edges() == [(6.0, True), (7.0, False), (8.0, True), (9.0, False)]
    assert out.dropped == 6


def test_the_first_feed_arms_the_watchdog() -> None:
    dog = watchdog()
    assert not dog.bitten(1e9)
    dog.feed(1000)
    assert not dog.bitten(1100)
    assert dog.bitten(1100.1)


def test_a_watchdog_fed_in_time_does_not_bite() -> None:
    dog = watchdog()
    for now_ms in range(0, 1000, 100):
        dog.feed(now_ms)
    assert not dog.bitten(1000)


def test_a_late_feed_does_not_undo_the_bite() -> None:
    dog = watchdog()
    dog.feed(0)
    dog.feed(500)
    assert dog.bitten(501)


def test_a_disarmed_watchdog_does_not_bite() -> None:
    dog = watchdog()
    dog.feed(0)
    dog.disarm()
    assert not dog.bitten(1e9)
