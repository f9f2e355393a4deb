"""The camera at the other end of the link, as a carrier sees it, and what became of a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from ota.bundle import Bundle
from ota.link.progress import Progress

ON_TRIAL: Final = ("staged", "shadow", "probation")
"""Phases in which a set waits for its outcome, and no other is offered."""
PASSING: Final = frozenset({"busy", "storage", "too_many", "unavailable", "session", "chunk"})
"""Refusals that say nothing about the bundle: it may be offered again later."""


class SourceLost(Exception):
    """A stick was pulled out or a server went away: try again later. The text is for people."""


class SourceGone(SourceLost):
    """It is not there any more, or not what it was: trying the same again is of no use."""


class Interrupted(Exception):
    """A push was given up for something more important. The text is for people."""


class Camera(Protocol):
    """The part of `ota.link.client.LinkClient` that carriers need."""

    def hello(self) -> dict[str, Any]:
        """Find the camera. Raises LinkLost."""
        ...

    def ask(self, command: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for a command. Raises Refused or LinkLost."""
        ...

    def push(
        self,
        bundle: Bundle,
        allow_older: bool = False,
        progress: Callable[[Progress], None] = ...,
    ) -> None:
        """Offer a bundle and send it. Raises Refused, LinkLost, and what the bundle raises."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Facts(NamedTuple):
    """What a camera tells, as far as carriers ask.

    Attributes:
        device, product, board, soc, target, runtime: who it is; soc may be "".
        version, release, digest: of the students that it runs.
        phase: of its update.
        coming, done: digest of what it receives, and bytes of it that are there.
        status: all that it told.
    """

    device: str
    product: str
    board: str
    soc: str
    target: str
    runtime: str
    version: str
    release: int
    digest: bytes
    phase: str
    coming: bytes
    done: int
    status: Mapping[str, Any]


class Outcome(NamedTuple):
    """How an update ended; `reason`: of `ota.refusal.REASONS` or an outcome of `ota.status`."""

    is_confirmed: bool
    reason: str = ""
    detail: str = ""


class Carrier(Protocol):
    """A way on which bundles come. Called from one thread; nothing it does changes the camera."""

    name: str

    def is_due(self, now_ms: float) -> bool:
        """Whether it wants to look now; cheap."""
        ...

    def look(self, facts: Facts, now_ms: float) -> Bundle | None:
        """Look for a bundle that this camera should have, and open it. Raises SourceLost."""
        ...

    def has(self, digest: bytes) -> bool:
        """Whether a transfer that stands still is one of its own, begun by a process before."""
        ...

    def is_wanted(self, now_ms: float) -> bool:
        """Asked several times a second while its bundle is pushed: whether to go on."""
        ...

    def watch(self, facts: Facts, now_ms: float) -> None:
        """What it brought is on trial; called every few seconds."""
        ...

    def told(self, digest: bytes, outcome: Outcome) -> None:
        """How an update that it brought has ended."""
        ...

    def again(self, now_ms: float) -> None:
        """Its push did not come to an end, and not for its own fault: look again soon."""
        ...


def facts_of(welcome: Mapping[str, Any], status: Mapping[str, Any]) -> Facts:
    """What the camera said, with "" and 0 for what it did not say."""
    students, update = _table(status, "students"), _table(status, "update")
    return Facts(
        device=_text(welcome, "device"),
        product=_text(welcome, "product"),
        board=_text(welcome, "board"),
        soc=_text(welcome, "soc"),
        target=_text(welcome, "target"),
        runtime=_text(welcome, "runtime"),
        version=_text(students, "version"),
        release=_number(students, "release"),
        digest=_digest(students),
        phase=_text(update, "phase") or "idle",
        coming=_digest(update),
        done=_number(update, "done"),
        status=status,
    )


def outcome_of(facts: Facts, digest: bytes) -> Outcome | None:
    """How the update with this manifest's digest ended; None: not yet, or nobody knows."""
    if facts.phase in ON_TRIAL:
        return None
    if facts.digest == digest:
        return Outcome(True)
    last = _table(facts.status, "last")
    if _digest(last) == digest and _text(last, "outcome") != "confirmed":
        reason = _text(last, "reason") or _text(last, "outcome")
        return Outcome(False, reason, _text(last, "detail"))
    return None


def is_final(outcome: Outcome) -> bool:
    """Whether offering the same bundle to the same camera again would be of no use."""
    return outcome.is_confirmed or outcome.reason not in PASSING


def _table(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = of.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(of: Mapping[str, Any], key: str) -> str:
    found = of.get(key)
    return found if isinstance(found, str) else ""


def _number(of: Mapping[str, Any], key: str) -> int:
    found = of.get(key)
    return found if isinstance(found, int) else 0


def _digest(of: Mapping[str, Any]) -> bytes:
    try:
        return bytes.fromhex(_text(of, "digest"))
    except ValueError:
        return b""
