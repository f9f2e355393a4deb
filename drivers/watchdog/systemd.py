"""systemd as the watchdog of the service: one datagram to the socket it names, no library.

READY=1 with the first feed, WATCHDOG=1 from then on, STOPPING=1 at a planned end. Where the unit
says nothing of a watchdog, or gives the loop longer than the board file, that is a fault: nobody
would reset a hung camera in time. Tested on real sockets, not
under systemd itself. Source: sd_notify(3), systemd.service(5) WatchdogSec=.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from drivers.board import WatchdogConfig
from drivers.faults import WatchdogFault
from drivers.interfaces import Clock

SHARE = 4
"""Told once in this part of the time: with a loop that is late it stays within the half."""
UNIT = "the unit file needs Type=notify and WatchdogSec="


class SystemdWatchdog:
    """The service manager. Implements `Watchdog`.

    Args:
        config: `timeout_ms` is the longest WatchdogSec that is accepted.
        environment: of this process.

    Raises:
        WatchdogFault: reason "not_watched" when systemd does not watch this process, "timeout"
            when it watches too patiently, "cannot_open" when its socket is not there.
    """

    def __init__(
        self, config: WatchdogConfig, _: Clock, environment: Mapping[str, str] = os.environ
    ) -> None:
        watch_ms = _watch_ms(environment)
        if watch_ms > config.timeout_ms:
            detail = f"WatchdogSec is {watch_ms:g} ms, watchdog.timeout_ms {config.timeout_ms}"
            raise WatchdogFault("timeout", f"{detail}: the unit must not wait longer")
        self._every_ms = watch_ms / SHARE
        self._told_ms: float | None = None
        self._socket: socket.socket | None = _connected(environment.get("NOTIFY_SOCKET", ""))

    def feed(self, now_ms: float) -> None:
        """Tell it when that is due. Raises WatchdogFault "not_fed", "closed"."""
        if self._told_ms is None:
            self._tell(b"READY=1\nWATCHDOG=1")
        elif now_ms - self._told_ms < self._every_ms:
            return
        else:
            self._tell(b"WATCHDOG=1")
        self._told_ms = now_ms

    def disarm(self) -> None:
        """Say that the end is planned. May be called twice. Raises WatchdogFault."""
        if self._socket is None:
            return
        try:
            self._tell(b"STOPPING=1")
        finally:
            self._socket.close()
            self._socket = None

    def _tell(self, message: bytes) -> None:
        if self._socket is None:
            raise WatchdogFault("closed", "the service manager has been told of the end")
        try:
            self._socket.send(message)
        except OSError as error:  # a queue that is full too: the manager does not read
            raise WatchdogFault("not_fed", f"NOTIFY_SOCKET: {error.strerror}") from error


def _watch_ms(environment: Mapping[str, str]) -> float:
    """How long systemd waits for this process, ms."""
    text, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not text.isdecimal() or int(text) == 0:
        raise WatchdogFault("not_watched", f"WATCHDOG_USEC is {text!r}: {UNIT}")
    if pid and pid != str(os.getpid()):
        detail = f"WATCHDOG_PID is {pid}, this process {os.getpid()}"
        raise WatchdogFault("not_watched", f"{detail}: start the camera without a shell around it")
    return int(text) / 1000


def _connected(address: str) -> socket.socket:
    """The manager's socket; never waits. "@" begins an abstract name."""
    if not address.startswith(("/", "@")):
        raise WatchdogFault("not_watched", f"NOTIFY_SOCKET is {address!r}: {UNIT}")
    name = "\0" + address[1:] if address.startswith("@") else address
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    made.setblocking(False)
    try:
        made.connect(name)
    except OSError as error:
        made.close()
        raise WatchdogFault("cannot_open", f"{address}: {error.strerror}") from error
    return made
