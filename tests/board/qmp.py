"""QEMU's control socket: commands with their answers, and what it tells unasked."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any


class QmpRefused(Exception):
    """QEMU refused a command; the message says which, and why."""


class Qmp:
    """The end of the socket that QEMU connects to. Commands may come from several threads.

    Args:
        path: of a Unix socket; listened on from here on, so that nothing is missed.
    """

    def __init__(self, path: Path) -> None:
        self._listener = listen(path)
        self._turn = threading.Lock()
        self._heard = threading.Condition()
        self._answers: list[dict[str, Any]] = []
        self._is_over = False
        self.events: list[tuple[float, str, dict[str, Any]]] = []
        """Host time in monotonic seconds, name, data."""
        self._connection: socket.socket | None = None

    def connect(self, timeout_s: float) -> None:
        """Wait for QEMU. Raises TimeoutError."""
        self._listener.settimeout(timeout_s)
        self._connection, _ = self._listener.accept()
        threading.Thread(target=self._read, daemon=True).start()
        self.command("qmp_capabilities")

    def command(self, name: str, **arguments: Any) -> Any:
        """Ask and wait for the answer. Raises QmpRefused, also when QEMU has ended."""
        if self._connection is None:
            raise QmpRefused(f"{name}: not connected")
        with self._turn:
            asked = {"execute": name, "arguments": arguments}
            try:
                self._connection.sendall(json.dumps(asked).encode() + b"\n")
            except OSError as error:
                raise QmpRefused(f"{name}: {error}") from error
            with self._heard:
                self._heard.wait_for(lambda: self._answers or self._is_over, 30)
                if not self._answers:
                    why = "QEMU has ended" if self._is_over else "no answer"
                    raise QmpRefused(f"{name}: {why}")
                answer = self._answers.pop()
        if "error" in answer:
            raise QmpRefused(f"{name}: {answer['error']['desc']}")
        return answer["return"]

    def monitor(self, line: str) -> str:
        """A line for the human's monitor; returns what it prints."""
        return str(self.command("human-monitor-command", **{"command-line": line}))

    def wait_event(self, name: str, since: int, timeout_s: float) -> int | None:
        """Index of the first event of a name from the index `since` on; None: none in time."""

        def found() -> int | None:
            named = (i for i, event in enumerate(self.events) if i >= since and event[1] == name)
            return next(named, None)

        with self._heard:
            self._heard.wait_for(lambda: found() is not None or self._is_over, timeout_s)
            return found()

    def close(self) -> None:
        """May be called twice."""
        self._listener.close()
        if self._connection is not None:
            self._connection.close()

    def _read(self) -> None:
        assert self._connection is not None
        try:
            for line in self._connection.makefile("r", encoding="utf-8"):
                self._take(json.loads(line))
        except (OSError, ValueError):  # QEMU has ended, or we have closed
            pass
        with self._heard:
            self._is_over = True
            self._heard.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        with self._heard:
            if "event" in message:
                told = (time.monotonic(), message["event"], message.get("data", {}))
                self.events.append(told)
            elif "QMP" not in message:
                self._answers.append(message)
            self._heard.notify_all()


def listen(path: Path) -> socket.socket:
    """A listening Unix socket."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    return listener
