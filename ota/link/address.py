"""Where a camera is: `serial:/dev/ttyUSB0[:921600]`, `tcp:host:port`, `unix:/path`."""

from __future__ import annotations

from typing import Final, NamedTuple

from drivers.interfaces import Serial
from drivers.serial_port import BAUD, SerialPort
from drivers.socket_port import connect_tcp, connect_unix

FORMS: Final = "serial:/dev/ttyUSB0[:921600], tcp:host:port or unix:/path"
MAX_BAUD: Final = 12_000_000


class Address(NamedTuple):
    """A camera's address.

    Attributes:
        kind: "serial", "tcp" or "unix".
        where: device file, host, or path of the socket.
        number: baud rate, TCP port; 0 for a Unix socket.
    """

    kind: str
    where: str
    number: int

    def __str__(self) -> str:
        """As it is written."""
        host = f"[{self.where}]" if ":" in self.where and self.kind == "tcp" else self.where
        return f"{self.kind}:{host}" + (f":{self.number}" if self.number else "")


def parse(text: str) -> Address:
    """Read an address.

    Raises:
        ValueError: it is none; the message says what it may be.
    """
    kind, _, rest = text.partition(":")
    match kind:
        case "serial":
            path, colon, baud = rest.rpartition(":")
            has_baud = colon and baud.isdigit()  # names under /dev/serial/by-path have colons too
            where, number = (path, _number(baud, MAX_BAUD)) if has_baud else (rest, BAUD)
        case "tcp":
            where, _, port = rest.rpartition(":")
            where, number = where.removeprefix("[").removesuffix("]"), _number(port, 65535)
        case "unix":
            where, number = rest, 0
        case _:
            where, number = "", 0
    if not where or number is None:
        raise ValueError(f"{text!r} is no link; it must be {FORMS}")
    return Address(kind, where, number)


def open_port(address: Address) -> Serial:
    """Open it; over TCP this may take some seconds. Raises LinkFault."""
    match address.kind:
        case "serial":
            return SerialPort(address.where, address.number)
        case "tcp":
            return connect_tcp(address.where, address.number)
        case _:
            return connect_unix(address.where)


def _number(text: str, most: int) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    return int(text) if is_number and 1 <= int(text) <= most else None
