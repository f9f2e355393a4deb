"""What a camera has promised, seen from outside: over its cable, with the log of its flash beside.

Nobody logs in on an image, so nothing in it can mark its promises among the writes of its flash. An
event that a technician can read was acknowledged before; how long the log is once it was read is a
place behind which no power cut may lose it. That place is later than the promise, never earlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ota.technician import Camera
from runtime.journal_pull import Pulled, pull
from tests.board.block_log import BlockLog
from tests.board.marks import Mark


class Seen(NamedTuple):
    """An event, in words as those of `tests.board.marks`, and how long the log was by then."""

    log_bytes: int
    words: list[str]


class Watch:
    """Looks at a camera, again and again; nothing of it changes the camera.

    Args:
        link: the technician's end of its cable.
        key, phrase: files of a technician's.
        log: of its flash.

    Attributes:
        arguments: for a command that is typed at the same end.
        seen: what it has promised, in order.
    """

    def __init__(self, link: str, key: Path, phrase: Path, log: Path) -> None:
        self._words = (link, str(key), str(phrase))
        self.arguments = ("--link", link, "--key", str(key), "--passphrase-file", str(phrase))
        self._log = log
        self._told = self._newest = 0
        self.seen: list[Seen] = []

    def look(self) -> dict[str, Any]:
        """The status, and whatever was promised by now. Raises LinkLost, Refused."""
        with Camera(*self._words) as camera:
            found = [each for each, _ in pull(camera.ask, self._told + 1)]
            status = camera.status()
        # the newest may still be on its way to the flash: it counts when it is seen once more
        sure = [each for each in found if each.seq <= self._newest or each is not found[-1]]
        log_bytes = self._log.stat().st_size
        self.seen += [Seen(log_bytes, words(each)) for each in sure]
        self._told = max([self._told, *(each.seq for each in sure)])
        self._newest = max([self._newest, *(each.seq for each in found)])
        return status

    def phase(self) -> str:
        """Of the update."""
        return str(self.look()["update"]["phase"])


def words(pulled: Pulled) -> list[str]:
    """An event as `haetae run --events` on the board would be marked."""
    why = pulled.body.get("why", {})
    release = why.get("release", 0) if isinstance(why, dict) else 0
    return ["event", str(pulled.seq), pulled.kind, str(pulled.body.get("state", "")), str(release)]


def marks(seen: Sequence[Seen], log: BlockLog) -> list[Mark]:
    """Each behind the last request that was whole in the log by then."""
    ends = [entry.data_at + entry.length * entry.is_write for entry in log.entries]
    return [Mark(sum(end <= each.log_bytes for end in ends) - 1, each.words) for each in seen]
