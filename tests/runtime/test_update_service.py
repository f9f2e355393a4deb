"""What a link may ask of a running camera, and what it is told when it may not."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.faults import StorageFault
from ota.refusal import Refused
from ota.service import COMMANDS, Asker, Path, Rank
from runtime.control import CommandRefused
from runtime.desk import Desk
from runtime.update_service import KINDS, UpdateService, checked

ANNA = Asker(Path.LAN, Rank.TECHNICIAN, "anna")
NOBODY = Asker(Path.CABLE, Rank.NOBODY, "cable")


class FakeControl:
    def __init__(self):
        self.done = []

    def acknowledge(self, by, target):
        if target.place == "nowhere":
            raise CommandRefused("no such alarm")
        self.done.append(("ack", by, target.place))
        return 2

    def shelve(self, by, target, for_ms):
        self.done.append(("shelve", by, target.number, for_ms))
        return 1

    def mute(self, by):
        self.done.append(("mute", by))

    def refuse(self, by, reason):
        self.done.append(("refused", by, reason))

    def listed(self):
        return [{"number": 1}]


class World:
    def __init__(self, phase="idle"):
        self.log = []
        ring = SimpleNamespace(
            operators={b"key": SimpleNamespace(public=b"p", rank=Rank.VIEWER, name="bob")},
            revoked={b"gone"},
        )
        ring.operators[b"gone"] = ring.operators[b"key"]
        self.updater = SimpleNamespace(
            ring=ring,
            facts=SimpleNamespace(unit_bytes=512),
            offer=lambda head, older: self.note("offer", head, older) or {"state": "receiving"},
            chunk=lambda session, index, data: self.note("chunk", index) or 5 - index,
            abandon=lambda: self.note("abandon"),
            rings=lambda chain: 7,
        )
        self.trial = SimpleNamespace(
            phase=phase,
            version="2.0",
            confirm=lambda by: self.note("confirm", by),
            roll_back=lambda by: self.note("roll back", by),
            go_back=lambda build: self.note("go back"),
        )
        self.control, self.desk = FakeControl(), Desk()
        self.service = UpdateService(
            {"device": "cam"},
            self.updater,
            self.trial,
            lambda: None,
            self.desk,
            self.control,
            SimpleNamespace(read=lambda: {"uptime_ms": 1}),
            None,
            lambda text, by: self.note("site", text, by),
            lambda: "the site",
            nullcontext,
            SimpleNamespace(now_ms=lambda: 0.0),
        )

    def note(self, *what):
        self.log.append(what)

    def ask(self, command, by=ANNA, **arguments):
        return self.service.ask(command, arguments, by)


def test_every_command_of_the_table_is_there():
    assert World().service.commands == set(COMMANDS)
    with pytest.raises(Refused, match="unknown"):
        World().ask("format_everything")


def test_alarms_are_operated_in_the_name_of_who_asked():
    world = World()
    assert world.ask("ack", place="pit") == {"alarms": 2}
    assert world.ask("shelve", number=3, for_ms=1000) == {"alarms": 1}
    assert world.ask("mute") == {}
    assert world.control.done == [
        ("ack", "anna", "pit"), ("shelve", "anna", 3, 1000.0), ("mute", "anna"),
    ]  # fmt: skip
    assert world.ask("alarms") == {"alarms": [{"number": 1}]}


def test_what_the_alarms_refuse_is_refused_and_written_down():
    world = World()
    with pytest.raises(Refused, match="argument: no such alarm"):
        world.ask("ack", place="nowhere")
    assert world.control.done == [("refused", "anna", "no such alarm")]


def test_older_students_need_a_technician():
    world = World()
    world.ask("offer", head=b"h", allow_older=True)
    world.ask("offer", NOBODY, head=b"h", allow_older=True)
    assert world.log == [("offer", b"h", True), ("offer", b"h", False)]


@pytest.mark.parametrize("phase", ["shadow", "probation"])
def test_while_students_are_on_trial_nothing_else_begins(phase):
    world = World(phase)
    for command, arguments in (("offer", {"head": b"h"}), ("abandon", {}), ("site", {"text": "x"})):
        with pytest.raises(Refused, match="busy"):
            world.ask(command, **arguments)
    assert world.log == []
    assert world.ask("rollback") == {"was": "trial"} and world.log == [("roll back", "anna")]


def test_without_a_trial_a_rollback_goes_to_the_students_before():
    world = World()
    assert world.ask("rollback") == {"was": "confirmed"}
    assert world.log == [("go back",)] and world.desk.notes[-1][0] == "went_back"


def test_the_last_chunk_is_written_down():
    world = World()
    assert world.ask("chunk", session=b"s", index=1, data=b"") == {"next": 4}
    assert not world.desk.notes
    assert world.ask("chunk", session=b"s", index=6, data=b"") == {"next": -1}
    assert world.desk.notes[-1][0] == "received"


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        ("offer", {}, "'head' is missing"),
        ("chunk", {"session": b"s", "data": b""}, "'index' is missing"),
        ("offer", {"head": "text"}, "head: must be bytes"),
        ("ack", {"number": True}, "number: must be int"),
        ("ack", {"place": "x" * 61}, "place: at most 60 printable characters"),
        ("ack", {"place": "a\x1b[2J"}, "place: at most 60 printable characters"),
        ("status", {"verbose": True}, "unknown argument 'verbose'"),
    ],
)
def test_arguments_that_cannot_be_are_named(command, arguments, words):
    world = World()
    with pytest.raises(Refused, match="argument") as refused:
        world.ask(command, **arguments)
    assert words in str(refused.value) and world.log == []


values = st.none() | st.booleans() | st.integers() | st.binary() | st.text() | st.floats()


@given(st.dictionaries(st.sampled_from([*KINDS, "other", ""]), values, max_size=4))
def test_arguments_are_of_their_kind_or_refused(arguments):
    is_known = all(name in KINDS for name in arguments)
    fits = is_known and all(type(value) is KINDS[name] for name, value in arguments.items())
    if fits and all(arguments.get(name, "").isprintable() for name in ("place", "rule")):
        assert checked(arguments) == arguments
    else:
        with pytest.raises(Refused, match="argument"):
            checked(arguments)


def test_flash_or_a_file_that_cannot_be_read_is_refused_and_ends_no_worker():
    def failing(fault):
        def read(*_):
            raise fault

        return read

    world = World()
    world.service._journal = SimpleNamespace(read_from=failing(StorageFault("io", "worn out")))
    world.service._site_text = failing(FileNotFoundError(2, "No such file", "site.toml"))
    for command, reason in (("journal", "storage"), ("site_get", "unavailable")):
        with pytest.raises(Refused) as refused:
            world.ask(command)
        assert refused.value.reason == reason


def test_operators_are_those_of_the_ring_less_the_revoked():
    service = World().service
    assert service.operator(b"key") == (b"p", Rank.VIEWER, "bob")
    assert service.operator(b"gone") is None and service.operator(b"none") is None
