"""What links may ask of this camera. Called on the worker; the loop does what is the loop's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from drivers.faults import HardwareFault, ModelRefused, StorageFault
from drivers.interfaces import Clock
from ota.key_ring import parse_chain
from ota.refusal import Refused
from ota.service import Asker, Rank
from ota.updater import Updater
from runtime.control import CommandRefused, Control, Target
from runtime.desk import Desk
from runtime.journal import Journal
from runtime.journal_pages import page
from runtime.trial import Trial
from runtime.trial_side import Seat
from runtime.update_status import StatusSource

Answer = dict[str, Any]
KINDS: Final[dict[str, type]] = {
    "head": bytes, "allow_older": bool, "session": bytes, "index": int, "data": bytes,
    "rings": bytes, "from_seq": int, "most": int, "number": int, "place": str, "rule": str,
    "for_ms": int, "text": str,
}  # fmt: skip
"""Arguments and their types."""
MAX_PLACE: Final = 60


class UpdateService:
    """Implements `ota.service.Service`.

    Args:
        hello: what anybody may know.
        updater, trial: what may change.
        build_factory: makes a seat of the students that the camera was made with.
        desk, control: to the loop and its alarms.
        status: tells how things are; on the loop's thread.
        journal: read only.
        check_site: raises Refused where a site file cannot be used; then stores it.
        site_text: the site file that runs.
        headroom: room for a transfer's buffers.
        clock: injected.

    Attributes:
        unit_bytes: a file in a slot begins at multiples of it.
    """

    def __init__(
        self,
        hello: Answer,
        updater: Updater,
        trial: Trial,
        build_factory: Callable[[], Seat],
        desk: Desk,
        control: Control,
        status: StatusSource,
        journal: Journal,
        take_site: Callable[[str, str], None],
        site_text: Callable[[], str],
        headroom: Callable[[], AbstractContextManager[None]],
        clock: Clock,
    ) -> None:
        self._hello = hello
        self.unit_bytes = updater.facts.unit_bytes
        self._updater, self._trial, self._build_factory = updater, trial, build_factory
        self._desk, self._control, self._status = desk, control, status
        self._journal, self._take_site, self._site_text = journal, take_site, site_text
        self._headroom, self._clock = headroom, clock
        self._do: dict[str, Callable[[Answer, Asker], Answer]] = {
            "status": lambda _, by: desk.call(status.read),
            "journal": lambda asked, by: self._pages(asked),
            "offer": self._offer,
            "chunk": lambda asked, by: self._chunk(asked),
            "abandon": lambda _, by: self._abandon(by),
            "confirm": lambda _, by: self._confirm(by),
            "rollback": lambda _, by: self._roll_back(by),
            "ring": lambda asked, by: {"ring": updater.rings(parse_chain(asked["rings"]))},
            "alarms": lambda _, by: {"alarms": desk.call(control.listed)},
            "ack": self._operate(lambda c, by, asked: c.acknowledge(by, _target(asked))),
            "mute": self._operate(lambda c, by, asked: c.mute(by)),
            "shelve": self._operate(
                lambda c, by, asked: c.shelve(by, _target(asked), float(asked.get("for_ms", 0)))
            ),
            "unshelve": self._operate(lambda c, by, asked: c.unshelve(by, _target(asked))),
            "self_test": self._operate(lambda c, by, _: c.self_test(by, clock.now_ms())),
            "site": self._site,
            "site_get": lambda _, by: {"text": self._site_text()},
        }

    @property
    def commands(self) -> set[str]:
        """What may be asked for."""
        return set(self._do)

    def hello(self) -> Answer:
        """What anybody may know."""
        return self._hello

    def operator(self, key_id: bytes) -> tuple[bytes, Rank, str] | None:
        """Public key, role and name of an operator; None where unknown or revoked."""
        ring = self._updater.ring
        found = ring.operators.get(key_id)
        if found is None or key_id in ring.revoked:
            return None
        return found.public, found.rank, found.name

    def ask(self, command: str, arguments: Answer, by: Asker) -> Answer:
        """Do a command that `by` may ask for. Raises Refused."""
        do = self._do.get(command)
        if do is None:
            raise Refused("unknown", f"there is no command {command[:40]}")
        try:
            return do(checked(arguments), by)
        except KeyError as missing:
            raise Refused("argument", f"{command}: {missing} is missing") from missing
        except StorageFault as fault:
            raise Refused("storage", f"{command}: {fault.reason}") from fault
        except MemoryError as error:
            raise Refused("memory", f"{command}: not now") from error
        except OSError as error:
            raise Refused("unavailable", f"{command}: {error.strerror}") from error

    def _offer(self, asked: Answer, by: Asker) -> Answer:
        if self._trial.phase != "idle":
            raise Refused("busy", f"students {self._trial.version} are on trial")
        allow_older = bool(asked.get("allow_older")) and by.rank >= Rank.TECHNICIAN
        with self._headroom():
            answer = self._updater.offer(asked["head"], allow_older)
        self._desk.note("offered", {"by": by.name, "path": str(by.path), **_told(answer)})
        return answer

    def _chunk(self, asked: Answer) -> Answer:
        with self._headroom():
            following = self._updater.chunk(asked["session"], asked["index"], asked["data"])
        if following < 0:
            self._desk.note("received", {})
        return {"next": following}

    def _abandon(self, by: Asker) -> Answer:
        if self._trial.phase != "idle":
            raise Refused("busy", "students are on trial; roll them back instead")
        self._updater.abandon()
        self._desk.note("abandoned", {"by": by.name})
        return {}

    def _confirm(self, by: Asker) -> Answer:
        self._trial.confirm(by.name)
        return {}

    def _roll_back(self, by: Asker) -> Answer:
        if self._trial.phase != "idle":
            self._trial.roll_back(by.name)
            return {"was": "trial"}
        try:
            self._trial.go_back(self._build_factory)
        except (ModelRefused, HardwareFault) as fault:
            raise Refused("student", str(fault)[:200]) from fault
        self._desk.note("went_back", {"by": by.name})
        return {"was": "confirmed"}

    def _pages(self, asked: Answer) -> Answer:
        return page(self._journal, max(0, asked.get("from_seq", 0)), asked.get("most", 0))

    def _site(self, asked: Answer, by: Asker) -> Answer:
        if self._trial.phase != "idle":
            raise Refused("busy", "students are on trial, and a restart would end it")
        self._take_site(asked["text"], by.name)
        self._desk.note("site", {"by": by.name, "bytes": len(asked["text"])})
        return {"restart": True}

    def _operate(
        self, act: Callable[[Control, str, Answer], object]
    ) -> Callable[[Answer, Asker], Answer]:
        def ask(asked: Answer, by: Asker) -> Answer:
            def on_loop() -> object:
                try:
                    return act(self._control, by.name, asked)
                except CommandRefused as refused:
                    self._control.refuse(by.name, str(refused))
                    raise Refused("argument", str(refused)) from refused

            done = self._desk.call(on_loop)
            return {"alarms": done} if isinstance(done, int) else {}

        return ask


def checked(arguments: Answer) -> Answer:
    """Arguments that are known and of the right type. Raises Refused."""
    for name, value in arguments.items():
        kind = KINDS.get(name)
        if kind is None:
            raise Refused("argument", f"unknown argument {ascii(name)[:40]}")
        if type(value) is not kind:
            raise Refused("argument", f"{name}: must be {kind.__name__}")
        is_name = name in ("place", "rule")
        if is_name and not (len(str(value)) <= MAX_PLACE and str(value).isprintable()):
            raise Refused("argument", f"{name}: at most {MAX_PLACE} printable characters")
    return arguments


def _target(asked: Answer) -> Target:
    names = ("number", "place", "rule")
    return Target(**{name: asked[name] for name in names if name in asked})


def _told(answer: Answer) -> Answer:
    return {name: answer[name] for name in ("chunks", "bytes", "done", "state") if name in answer}
