"""systemd as the watchdog: the datagrams, on real sockets; who is not watched is told."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from itertools import pairwise

import pytest

from drivers.board import WatchdogConfig
from drivers.clock import VirtualClock
from drivers.faults import WatchdogFault
from drivers.interfaces import Watchdog
from drivers.watchdog.systemd import SystemdWatchdog


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """The socket of a service manager, and the name that it goes by."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@haetae-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(address.replace("@", "\0", 1) if request.param == "abstract" else address)
        made.setblocking(False)
        yield made, address


@pytest.fixture
def watchdog():
    """Makes watchdogs, and ends them."""
    made = []

    def make(address: str, **environment: str) -> SystemdWatchdog:
        environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000", **environment}
        config = WatchdogConfig(driver="systemd", timeout_ms=5000)
        made.append(SystemdWatchdog(config, VirtualClock(), environment))
        return made[-1]

    yield make
    for dog in made:
        with suppress(WatchdogFault):
            dog.disarm()


def heard(made: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(made.recv(200))
        except BlockingIOError:
            return found


def test_it_is_ready_with_the_first_feed_and_told_within_half_its_time(manager, watchdog):
    made, address = manager
    dog = watchdog(address, WATCHDOG_PID=str(os.getpid()))
    assert isinstance(dog, Watchdog)
    assert heard(made) == []
    told_ms = []
    for now_ms in range(0, 20_000, 700):  # a loop that is slow
        dog.feed(float(now_ms))
        told_ms += [now_ms for _ in heard(made)]
    gaps_ms = [b - a for a, b in pairwise(told_ms)]
    assert max(gaps_ms) <= 2000
    assert min(gaps_ms) >= 1000, "not with every frame"


def test_what_is_said(manager, watchdog):
    made, address = manager
    dog = watchdog(address)
    dog.feed(0.0)
    dog.feed(10.0)
    dog.feed(1000.0)
    dog.disarm()
    dog.disarm()
    assert heard(made) == [b"READY=1\nWATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]
    with pytest.raises(WatchdogFault, match="closed"):
        dog.feed(9000.0)


NOT_WATCHED = [
    ({"WATCHDOG_USEC": ""}, "not_watched.*WatchdogSec"),
    ({"WATCHDOG_USEC": "0"}, "not_watched"),
    ({"WATCHDOG_USEC": "-1"}, "not_watched"),
    ({"WATCHDOG_PID": "1"}, "not_watched.*WATCHDOG_PID is 1"),
    ({"NOTIFY_SOCKET": ""}, "not_watched.*Type=notify"),
    ({"NOTIFY_SOCKET": "vsock:2:1"}, "not_watched"),
    ({"NOTIFY_SOCKET": "/nowhere/notify"}, "cannot_open: /nowhere/notify"),
    ({"WATCHDOG_USEC": "5000001"}, "timeout.*must not wait longer"),
]


@pytest.mark.parametrize(("environment", "expected"), NOT_WATCHED, ids=str)
def test_who_is_not_watched_is_told(manager, watchdog, environment, expected):
    with pytest.raises(WatchdogFault, match=expected):
        watchdog(**{"address": manager[1], **environment})


def test_a_manager_that_does_not_read_is_a_fault_and_never_a_wait(manager, watchdog):
    dog = watchdog(manager[1])
    with pytest.raises(WatchdogFault, match="not_fed"):
        feed_for(dog, 10_000)


def feed_for(dog: SystemdWatchdog, times: int) -> None:
    for time in range(times):
        dog.feed(1000.0 * time)


def test_a_manager_that_went_away_is_a_fault(manager, watchdog):
    made, address = manager
    dog = watchdog(address)
    dog.feed(0.0)
    made.close()
    with pytest.raises(WatchdogFault, match="not_fed"):
        dog.feed(2000.0)
    with pytest.raises(WatchdogFault):
        dog.disarm()
    dog.disarm()
