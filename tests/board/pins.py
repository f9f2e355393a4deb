"""The pins of QEMU's PL061, read and driven from outside the board.

Source: Arm PL061 technical reference manual (DDI 0190), sections 3.3.1 and 3.3.2; QEMU 7.2,
docs/devel/qtest.
"""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

from tests.board.qmp import Qmp, QmpRefused, listen

DATA = 0x0903_03FC
"""GPIODATA of the machine `virt`, all eight lines unmasked."""
PERIOD_S = 0.02
"""Between two looks: a blinking siren's edges are 100 ms apart at least."""


class Pins:
    """Looks at the pins all the time and keeps every change of any.

    Args:
        qmp: connected.
        qtest: path of the socket for QEMU's qtest protocol, by which inputs are driven.
    """

    def __init__(self, qmp: Qmp, qtest: Path) -> None:
        self._qmp, self._listener = qmp, listen(qtest)
        self._connection: socket.socket | None = None
        self._chip = ""
        self._heard = threading.Condition()
        self._is_over = False
        self.changes: list[tuple[float, int]] = []
        """Host time in monotonic seconds, all eight lines from then on."""

    def connect(self, timeout_s: float) -> None:
        """Wait for QEMU, then look until `close`. Raises TimeoutError."""
        self._listener.settimeout(timeout_s)
        self._connection, _ = self._listener.accept()
        parts = self._qmp.command("qom-list", path="/machine/unattached")
        names = [part["name"] for part in parts if part["type"] == "child<pl061>"]
        self._chip = f"/machine/unattached/{names[0]}"
        threading.Thread(target=self._watch, daemon=True).start()

    def read(self) -> int:
        """All eight lines now, line 0 lowest."""
        return int(self._qmp.monitor(f"xp /1xw {DATA:#x}").split()[-1], 16) & 0xFF

    def wait(self, line: int, high: bool, timeout_s: float) -> float | None:
        """When the line was last seen to become so, or now; None: not in time."""
        with self._heard:
            self._heard.wait_for(lambda: self._since(line, high) or self._is_over, timeout_s)
            return self._since(line, high)

    def was_high(self, line: int, since_s: float) -> bool:
        """Whether the line was high at any time from then until now."""
        with self._heard:
            last = max((i for i, (t, _) in enumerate(self.changes) if t <= since_s), default=0)
            return any(level >> line & 1 for _, level in self.changes[last:])

    def drive(self, line: int, high: bool) -> None:
        """Put a level on a line that the board reads."""
        assert self._connection is not None, "the board is off"
        command = f"set_irq_in {self._chip} unnamed-gpio-in {line} {int(high)}\n"
        self._connection.sendall(command.encode())
        answer = self._connection.recv(4096)
        assert answer.startswith(b"OK"), answer

    def close(self) -> None:
        """May be called twice."""
        self._is_over = True
        self._listener.close()
        if self._connection is not None:
            self._connection.close()

    def _since(self, line: int, high: bool) -> float | None:
        """Since when the line has been so; None: it is not so now."""
        since_s = None
        for t_s, levels in reversed(self.changes):
            if bool(levels >> line & 1) is not high:
                break
            since_s = t_s
        return since_s

    def _watch(self) -> None:
        last = -1
        while not self._is_over:
            try:
                levels = self.read()
            except QmpRefused:  # QEMU has ended
                break
            if levels != last:
                last = levels
                with self._heard:
                    self.changes.append((time.monotonic(), levels))
                    self._heard.notify_all()
            time.sleep(PERIOD_S)
        with self._heard:
            self._is_over = True
            self._heard.notify_all()
