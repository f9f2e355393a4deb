"""What a link may ask of a camera, and who may ask it.

The camera's side of every link (serial, TCP, Unix socket) calls a `Service`; what may be asked with
which role, and what may be asked without a key, stands in COMMANDS alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple, Protocol


class Rank(IntEnum):
    """Roles of operators; each may do what the ones before may."""

    NOBODY = 0
    VIEWER = 1
    TECHNICIAN = 2
    VENDOR = 3


class Path(StrEnum):
    """The way on which somebody asks."""

    CABLE = "cable"
    LOCAL = "local"
    LAN = "lan"


@dataclass(frozen=True)
class Asker:
    """Who asks.

    Attributes:
        path: on which way.
        rank: proven by a signature for this very command; NOBODY without one.
        name: for the records: the operator's name in the key ring, or the path.
    """

    path: Path
    rank: Rank
    name: str


class Command(NamedTuple):
    """One thing to ask for.

    Attributes:
        least: role that may ask; on the paths in `open_on` nobody has to sign.
        open_on: where it may be asked without a key.
        text: for people.
    """

    least: Rank
    open_on: tuple[Path, ...]
    text: str


_HERE: Final = (Path.CABLE, Path.LOCAL)
COMMANDS: Final[dict[str, Command]] = {
    "status": Command(Rank.VIEWER, _HERE, "what runs, what is on trial, faults and alarms"),
    "journal": Command(Rank.VIEWER, (Path.LOCAL,), "records: from_seq, most"),
    "offer": Command(Rank.TECHNICIAN, _HERE, "begin or go on with an update: head, allow_older"),
    "chunk": Command(Rank.TECHNICIAN, _HERE, "a part of it: session, index, data"),
    "abandon": Command(Rank.TECHNICIAN, (), "give up a transfer"),
    "confirm": Command(Rank.TECHNICIAN, (), "end the trial now: the new students stay"),
    "rollback": Command(Rank.TECHNICIAN, (), "end the trial, or go back to the students before"),
    "ring": Command(Rank.TECHNICIAN, _HERE, "newer key rings: rings"),
    "alarms": Command(Rank.VIEWER, (Path.LOCAL,), "the alarms, those that stand first"),
    "ack": Command(Rank.TECHNICIAN, (), "acknowledge: number, place, rule"),
    "mute": Command(Rank.TECHNICIAN, (), "silence what sounds"),
    "shelve": Command(Rank.TECHNICIAN, (), "number, place, rule, for_ms"),
    "unshelve": Command(Rank.TECHNICIAN, (), "number, place, rule"),
    "self_test": Command(Rank.TECHNICIAN, (), "exercise the outputs, and report"),
    "site": Command(Rank.TECHNICIAN, (), "a new site file: text"),
    "site_get": Command(Rank.VIEWER, (Path.LOCAL,), "the site file that runs"),
}


class Service(Protocol):
    """The camera, as a link sees it. Called from one thread; each call returns within 2 s."""

    def hello(self) -> dict[str, Any]:
        """What anybody may know: product, board, device (its name), runtime (version)."""
        ...

    def operator(self, key_id: bytes) -> tuple[bytes, Rank, str] | None:
        """Public key, role and name of an operator in the key ring; None where unknown."""
        ...

    def ask(self, command: str, arguments: dict[str, Any], by: Asker) -> dict[str, Any]:
        """Do a command of COMMANDS that `by` may ask for; plain values both ways.

        offer: {head: bytes, allow_older: bool} ->
            {session: bytes (16), next: int (-1: complete), chunks: int, bytes: int (all of them),
            done: int (bytes that are there), state: str}
        chunk: {session, index, data} -> {next: int (-1: complete)}
        status: {} -> see docs in `ota.status`.

        Raises:
            Refused: nothing has changed.
        """
        ...
