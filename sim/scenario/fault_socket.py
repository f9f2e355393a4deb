"""Takes faults for a running simulator through a Unix socket, while it waits for real time.

One request is one JSON line {"component", "type", "for_ms", "options"}; the answer is one line,
"ACK" or "NACK: why". Nothing listens unless somebody asked for it.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from sim.board.clock import BoardReset
from sim.board.faults import complaints
from sim.scenario.schema import FaultConfig

MAX_REQUEST_BYTES = 4096
PATIENCE_S = 0.5
"""A client that connects and says nothing holds up the picture no longer than this."""


class FaultSocket:
    """The listening end.

    Args:
        path: of the socket; made now, and gone after `close`.

    Raises:
        OSError: it cannot be made, e.g. since another simulator has it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(4)
        self._inject: Callable[[FaultConfig], None] | None = None
        self._outputs: tuple[str, ...] = ()

    def serve(self, inject: Callable[[FaultConfig], None], outputs: tuple[str, ...]) -> None:
        """From now on: break things with `inject`; `outputs` are those of the board."""
        self._inject, self._outputs = inject, outputs

    def wait(self, seconds: float) -> None:
        """Wait, and answer whoever calls meanwhile.

        Raises:
            BoardReset: a fault that ends the run was asked for.
        """
        end_s = time.monotonic() + seconds
        while True:
            left_s = max(0.0, end_s - time.monotonic())
            ready, _, _ = select.select([self._listener], [], [], left_s)
            if ready:
                self._answer()
            if left_s == 0.0:
                return

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _answer(self) -> None:
        peer, _ = self._listener.accept()
        with peer:
            peer.settimeout(PATIENCE_S)
            try:
                request = peer.makefile("rb").readline(MAX_REQUEST_BYTES)
                reason = self._obey(request)
            except BoardReset:
                peer.sendall(b"ACK\n")
                raise
            except OSError:
                return
            peer.sendall(f"NACK: {reason}\n".encode() if reason else b"ACK\n")

    def _obey(self, request: bytes) -> str:
        """Do what a request asks; returns why not, or ""."""
        try:
            fault = msgspec.convert({"at_ms": 0, **json.loads(request)}, FaultConfig)
        except (ValueError, TypeError) as error:
            return f"not a request: {error}"
        wrong = list(complaints(fault.component, fault.type, fault.options, self._outputs))
        if wrong or self._inject is None:
            return "; ".join(f"{key} = {value!r}: {allowed}" for key, value, allowed in wrong)
        self._inject(fault)
        return ""


def ask(path: Path, fault: dict[str, object], timeout_s: float = 10.0) -> str:
    """Send one request to a running simulator; returns its answer.

    Raises:
        OSError: nobody listens there, or it does not answer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(timeout_s)
        peer.connect(str(path))
        peer.sendall(json.dumps(fault).encode() + b"\n")
        return peer.makefile("r", encoding="utf-8").readline().strip()
