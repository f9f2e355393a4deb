"""The serial console of a virtual board: every line with its time, and a way to type."""

from __future__ import annotations

import re
import socket
import threading
import time
from pathlib import Path

import numpy as np

from tests.board.qmp import listen

LAST_LINES = 30
LATE_S = 20.0
"""For the tick after a moment, of a board that is slow."""
TICK = re.compile(r"^tick (\d+\.\d+)$")
"""The guest's init says its uptime, seconds, some times a second."""


class BoardFault(Exception):
    """The board did not do in time what it should; the message ends with its console."""


class Console:
    """The end of the socket that QEMU connects to.

    Args:
        path: of a Unix socket; listened on from here on, so that nothing is missed.
        log: is written as lines come, each with seconds since the start.
    """

    def __init__(self, path: Path, log: Path) -> None:
        self._listener = listen(path)
        self._log = log.open("w", encoding="utf-8")
        self._connection: socket.socket | None = None
        self._heard = threading.Condition()
        self._read_up_to = 0
        self._start_s = time.monotonic()
        self._is_over = False
        self.lines: list[tuple[float, str]] = []
        """Host time in monotonic seconds, text; without ticks."""
        self._ticks: list[tuple[float, float]] = []
        self._uptime_s = 0.0

    def connect(self, timeout_s: float) -> None:
        """Wait for QEMU. Raises TimeoutError."""
        self._listener.settimeout(timeout_s)
        self._connection, _ = self._listener.accept()
        threading.Thread(target=self._read, daemon=True).start()

    def type(self, text: str) -> None:
        """Type a line."""
        assert self._connection is not None, "the board is off"
        self._connection.sendall(text.encode() + b"\n")

    def wait(self, pattern: str, timeout_s: float) -> re.Match[str]:
        """The next line with a pattern, after the last one waited for. Raises BoardFault."""
        match, self._read_up_to = self.find(pattern, self._read_up_to, timeout_s)
        return match

    def find(self, pattern: str, since: int, timeout_s: float) -> tuple[re.Match[str], int]:
        """The first line with a pattern from an index on, and the index after it."""
        wanted = re.compile(pattern)
        end_s = time.monotonic() + timeout_s
        with self._heard:
            while True:
                for at in range(since, len(self.lines)):
                    if match := wanted.search(self.lines[at][1]):
                        return match, at + 1
                since = len(self.lines)
                left_s = end_s - time.monotonic()
                if self._is_over or left_s <= 0:
                    why = "the board has ended" if self._is_over else f"not in {timeout_s:g} s"
                    raise BoardFault(f"console: {pattern!r}: {why}\n{self.last()}")
                self._heard.wait(left_s)

    def guest_s(self, host_s: float) -> float:
        """The board's time at a host time, seconds since power-on; resets are no break."""
        with self._heard:
            self._heard.wait_for(lambda: self._ticks[-1:] >= [(host_s,)] or self._is_over, LATE_S)
            hosts, guests = zip(*self._ticks, strict=True)
        return float(np.interp(host_s, hosts, guests))

    def last(self) -> str:
        """The last lines, for a message."""
        return "\n".join(f"    | {text}" for _, text in self.lines[-LAST_LINES:])

    def close(self) -> None:
        """May be called twice."""
        self._listener.close()
        if self._connection is not None:
            self._connection.close()

    def _read(self) -> None:
        assert self._connection is not None
        rest = b""
        try:
            while data := self._connection.recv(65536):
                *whole, rest = (rest + data).split(b"\n")
                self._take(whole)
        except OSError:  # QEMU has ended, or we have closed
            pass
        with self._heard:
            self._is_over = True
            self._heard.notify_all()
            self._log.close()

    def _tick(self, now_s: float, uptime_s: float) -> None:
        """After a reset the board's own count begins at 0."""
        began_s = self._uptime_s if uptime_s >= self._uptime_s else 0.0
        last_s = self._ticks[-1][1] if self._ticks else 0.0
        self._ticks.append((now_s, last_s + uptime_s - began_s))
        self._uptime_s = uptime_s

    def _take(self, whole: list[bytes]) -> None:
        now_s = time.monotonic()
        with self._heard:
            for line in whole:
                text = line.decode("utf-8", "replace").replace("\r", "")
                if tick := TICK.search(text):
                    self._tick(now_s, float(tick[1]))
                    continue
                self.lines.append((now_s, text))
                self._log.write(f"{now_s - self._start_s:8.2f} {text}\n")
            self._log.flush()
            self._heard.notify_all()
