"""The board's watchdog and systemd's beside it: both are fed, both are disarmed."""

import pytest

from drivers.board import WatchdogConfig
from drivers.clock import VirtualClock
from drivers.faults import WatchdogFault
from runtime.watchdogs import Watchdogs, arm

BOARD = WatchdogConfig(driver="linux")


class Seen:
    def __init__(self, name, log):
        self.name, self.log = name, log

    def feed(self, now_ms):
        self.log.append((self.name, "feed", now_ms))

    def disarm(self):
        self.log.append((self.name, "disarm"))
        if self.name == "systemd":
            raise WatchdogFault("not_fed", "its queue is full")


@pytest.fixture
def log():
    return []


@pytest.fixture
def find(log):
    return lambda kind, name: lambda config, clock: Seen(name, log)


def names(log):
    return [entry[0] for entry in log]


def test_the_boards_alone_where_systemd_does_not_watch(find, log):
    arm(BOARD, VirtualClock(), find, {}).feed(5.0)
    assert log == [("linux", "feed", 5.0)]


def test_both_are_fed_where_systemd_watches(find, log):
    arm(BOARD, VirtualClock(), find, {"WATCHDOG_USEC": "5000000"}).feed(5.0)
    assert sorted(names(log)) == ["linux", "systemd"]


def test_systemd_is_not_fed_twice(find, log):
    board = WatchdogConfig(driver="systemd")
    arm(board, VirtualClock(), find, {"WATCHDOG_USEC": "5000000"}).feed(5.0)
    assert names(log) == ["systemd"]


@pytest.mark.parametrize("order", [("systemd", "linux"), ("linux", "systemd")])
def test_each_is_disarmed_also_where_another_refuses(log, order):
    with pytest.raises(WatchdogFault):
        Watchdogs(*(Seen(name, log) for name in order)).disarm()
    assert sorted(names(log)) == ["linux", "systemd"]
