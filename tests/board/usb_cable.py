"""A cable with a USB adapter at the board's end: pulled out and put back while bytes run.

QEMU 7.2 crashes now and then when a `usb-serial` is removed (`device_del`) and a byte comes in
behind it: its back end keeps calling a device that is no longer on a bus. Here nothing is removed.
QEMU's adapter is plugged while somebody is connected to its socket (without `always-plugged`), and
this is who connects: each byte goes between the socket and a pseudo terminal.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import tty
from contextlib import suppress
from pathlib import Path
from typing import Final

READ_BYTES: Final = 4096
CONNECT_S: Final = 20.0


class UsbCable:
    """The technician's end is a terminal that stays; the board's end is a Unix socket of QEMU's.

    Args:
        path: of the socket; QEMU listens there.

    Attributes:
        port: of the terminal.
        is_plugged: in the board.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.port = os.ttyname(self._far)
        self._board: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._end, self._ended = os.pipe()

    @property
    def is_plugged(self) -> bool:
        """In the board."""
        return self._board is not None

    def plug(self) -> None:
        """Put it in. Raises OSError: QEMU does not listen."""
        self._board = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._board.settimeout(CONNECT_S)
        self._board.connect(str(self._path))
        self._thread = threading.Thread(target=self._carry, args=(self._board,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Pull it out; what is on the way is lost."""
        if self._board is None or self._thread is None:
            return
        os.write(self._ended, b"x")
        self._thread.join()
        self._board.close()
        self._board = None
        os.read(self._end, 1)

    def close(self) -> None:
        """For good."""
        self.unplug()
        for number in (self._near, self._far, self._end, self._ended):
            os.close(number)

    def _carry(self, board: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            for source in (self._end, self._near, board.fileno()):
                ready.register(source, selectors.EVENT_READ)
            while True:
                sources = {key.fd for key, _ in ready.select()}
                if self._end in sources:
                    return
                try:
                    self._pass_on(board, sources)
                except OSError:  # QEMU has ended; unplugged all the same
                    return

    def _pass_on(self, board: socket.socket, sources: set[int]) -> None:
        if self._near in sources:
            board.sendall(os.read(self._near, READ_BYTES))
        if board.fileno() in sources:
            if not (data := board.recv(READ_BYTES)):
                raise ConnectionResetError
            with suppress(BlockingIOError):  # nobody reads: as with any cable, it is lost
                os.write(self._near, data)
