"""What operators may do, and that what is refused changes nothing."""

from __future__ import annotations

import json
import socket
import stat
import threading
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.faults import InputFault
from runtime import alarm_cli, control_socket
from runtime.alarm import MAX_SHELF_MS, Alarms
from runtime.alarm_cause import Cause, Causes
from runtime.alarm_config import AlarmConfig, SelfTestConfig
from runtime.alarm_state import AlarmState
from runtime.control import CommandRefused, Control, Target
from runtime.control_socket import MAX_BYTES, ControlSocket, read
from runtime.control_stage import open_socket
from runtime.rules.engine import RuleInfo
from runtime.self_test import SelfTest

N, AU, AA, RU = AlarmState
TABLE = (
    RuleInfo("zone", "press", "danger"),
    RuleInfo("zone", "yard", "warning"),
    RuleInfo("line", "press", "danger"),
)


class FakeRules:
    table = TABLE


class Desk:
    """A control with alarms that are stepped by hand."""

    def __init__(self) -> None:
        self.alarms = Alarms([info.severity for info in TABLE], AlarmConfig(min_on_ms=0))
        self.causes = Causes(self.alarms.retrigger_ms)
        self.test = SelfTest(SelfTestConfig())
        self.control = Control(self.alarms, FakeRules(), self.causes, self.test)
        self.t_ms = 0.0
        self.inside: tuple[int, ...] = ()
        self.step()

    def step(self, *active: int, after_ms: float = 100.0) -> None:
        self.t_ms += after_ms
        counts = [int(rule in active) for rule in range(len(TABLE))]
        fresh = [rule for rule in active if rule not in self.inside]
        self.inside = active
        self.alarms.step(counts, fresh, self.t_ms)

    @property
    def state(self):
        alarms = self.alarms
        return [
            (one.state, one.is_quiet, one.shelved_until_ms, one.ack_asked) for one in alarms.each
        ], self.test.phase


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "c.sock")


@pytest.fixture
def served(desk, path):
    made = ControlSocket(path, desk.control, 0.0)
    yield desk, made
    made.close()


def done(desk: Desk) -> list[tuple]:
    return [(state, rule, place) for state, rule, place, _ in desk.control.done]


def test_acknowledging_a_place_leaves_the_others(desk):
    desk.step(0, 1)
    assert desk.control.acknowledge("lee", Target(place="press")) == 1
    desk.step(0, 1)
    assert desk.alarms.states == [AA, AU, N]
    assert desk.alarms.edges[-1].why == {"acknowledged": True, "by": "lee"}
    assert done(desk) == [("acknowledged", "", "press")]


def test_a_place_with_several_rules_needs_their_kind(desk):
    desk.step(0, 2)
    assert desk.control.acknowledge("lee", Target(place="press", rule="line")) == 1
    desk.step(0, 2)
    assert desk.alarms.states == [AU, N, AA]


def test_shelving_ends_by_itself_and_by_the_operator(desk):
    desk.step(0)
    assert desk.control.shelve("lee", Target(number=1), 60_000) == 1
    desk.step(0)
    assert not desk.alarms.sound.strobe
    assert desk.control.unshelve("lee") == 1
    desk.step(0)
    assert desk.alarms.sound.pattern == "march"
    assert done(desk) == [("shelved", "zone", "press"), ("unshelved", "", "")]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (lambda c: c.acknowledge("lee", Target(place="nowhere")), "no such alarm; there are"),
        (lambda c: c.acknowledge("lee", Target(number=4)), "there are 1 to 3"),
        (lambda c: c.shelve("lee", Target(), 1000.0), "say which alarm"),
        (lambda c: c.shelve("lee", Target(number=1), MAX_SHELF_MS + 1), "1 ms to 8 h"),
        (lambda c: c.shelve("lee", Target(number=1), 0), "1 ms to 8 h"),
        (lambda c: c.unshelve("lee", Target(rule="zome")), "no such alarm"),
        (lambda c: c.self_test("lee", 0.0), "an alarm shows"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(desk, command, words):
    desk.step(0)
    before = desk.state
    with pytest.raises(CommandRefused, match=words):
        command(desk.control)
    assert desk.state == before


def test_the_list_says_who_where_and_since_when(desk):
    desk.causes.last[1] = Cause(12, 100.0, {"inside_ms": 1200, "hold_ms": 300})
    desk.step(1, after_ms=400)
    rows = desk.control.listed()
    assert [row["number"] for row in rows] == [2, 1, 3], "those that stand come first"
    text = "person #12 is in zone yard (1.2 s inside; the limit is 0.3 s)"
    assert rows[0] == {
        "number": 2, "rule": "zone", "place": "yard", "severity": "warning",
        "state": "active_unacked", "shelved_ms": 0, "for_ms": 400, "text": text,
    }  # fmt: skip


def exchange(served, message, now_ms=0.0):
    """Send, let the loop look once, and return the answer."""
    _, made = served
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind("")
        link.settimeout(2)
        data = message if isinstance(message, bytes) else msgpack.packb(message)
        link.sendto(data, str(made._path))
        made.poll(now_ms)
        return msgpack.unpackb(link.recv(1 << 17))


def test_a_command_over_the_socket(served):
    desk, _ = served
    desk.step(0)
    assert exchange(served, {"do": "ack", "by": "lee"}) == {"ok": True, "alarms": 1}
    desk.step(0)
    assert desk.alarms.states[0] is AA
    answer = exchange(served, {"do": "list", "by": "lee"})
    assert [row["state"] for row in answer["alarms"]] == ["active_acked", "normal", "normal"]
    assert exchange(served, {"do": "mute", "by": "lee"}) == {"ok": True}


BAD = [
    (b"\xc1", "msgpack map"),
    (b"", "msgpack map"),
    (msgpack.packb([1]), "msgpack map"),
    (b"\x91" * 500, "msgpack map"),
    (msgpack.packb({"do": "ack", "by": "x" * 600}), "512 bytes"),
    (msgpack.packb({"do": "explode", "by": "lee"}), "do: must be one of list, ack"),
    (msgpack.packb({"do": "ack"}), "who asks"),
    (msgpack.packb({"do": "ack", "by": ""}), "who asks"),
    (msgpack.packb({"do": "ack", "by": "a\nb"}), "printable"),
    (msgpack.packb({"do": "ack", "by": "lee", "number": True}), "number: must be a number"),
    (msgpack.packb({"do": "ack", "by": "lee", "number": "1"}), "number: must be a number"),
    (msgpack.packb({"do": "ack", "by": "lee", "force": 1}), "unknown key 'force'"),
    (msgpack.packb({"do": "ack", "by": "lee", "\x1b[2J": 1}), r"unknown key '\x1b[2J'"),
    (msgpack.packb({"do": "ack", "by": "lee", 5: 1}), "msgpack map"),
    (msgpack.packb({"do": "shelve", "by": "lee", "number": 1}), "1 ms to 8 h"),
    (msgpack.packb({"do": "shelve", "by": "lee", "number": 1, "for_ms": 1 << 62}), "1 ms to 8 h"),
    (msgpack.packb({"do": "ack", "by": "lee", "number": -1}), "there are 1 to 3"),
]


@pytest.mark.parametrize(("data", "words"), BAD, ids=[words for _, words in BAD])
def test_a_bad_message_is_refused_with_a_reason_and_changes_nothing(served, data, words):
    desk, _ = served
    desk.step(0)
    before = desk.state
    answer = exchange(served, data)
    assert not answer["ok"] and words in answer["reason"]
    assert desk.state == before
    assert done(desk) == [("refused", "", "")]


@given(st.binary(max_size=MAX_BYTES + 8))
def test_whatever_comes_is_a_message_or_refused(data):
    try:
        do = read(data)["do"]
    except CommandRefused:
        return
    assert do in control_socket.COMMANDS


def test_too_many_messages_are_not_even_written_down(served):
    desk, _ = served
    answers = [exchange(served, b"junk") for _ in range(12)]
    assert ["too many" in answer["reason"] for answer in answers] == [False] * 10 + [True] * 2
    assert len(desk.control.done) == 10
    assert exchange(served, {"do": "mute", "by": "lee"}, now_ms=200.0) == {"ok": True}


def test_one_look_takes_one_message(served):
    desk, made = served
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        for _ in range(3):
            link.sendto(msgpack.packb({"do": "mute", "by": "lee"}), str(made._path))
        made.poll(0.0)
        assert len(desk.control.done) == 1


def test_who_does_not_wait_for_the_answer_is_obeyed_all_the_same(served):
    desk, made = served
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind("")
        link.sendto(msgpack.packb({"do": "mute", "by": "lee"}), str(made._path))
    made.poll(0.0)
    assert done(desk) == [("muted", "", "")]


def test_only_owner_and_group_may_command(served, path):
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o660


def test_a_socket_that_was_left_behind_is_taken_over(desk, path):
    ControlSocket(path, desk.control, 0.0)._socket.close()
    made = ControlSocket(path, desk.control, 0.0)
    assert exchange((desk, made), {"do": "mute", "by": "lee"}) == {"ok": True}
    made.close()
    made.close()
    assert not Path(path).exists()


def test_a_socket_in_use_or_a_file_is_not_taken_over(served, path, desk, tmp_path):
    with pytest.raises(InputFault, match="another process"):
        ControlSocket(path, desk.control, 0.0)
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InputFault, match="no socket"):
        ControlSocket(str(tmp_path / "file"), desk.control, 0.0)
    assert (tmp_path / "file").read_text() == "precious"


def test_without_its_socket_the_camera_watches_on(desk, tmp_path):
    assert open_socket("", desk.control, 0.0) == (None, "")
    made, problem = open_socket(str(tmp_path / "no" / "c.sock"), desk.control, 0.0)
    assert (made, problem) == (None, "socket_failed")


def command(served, *arguments):
    """`haetae alarm` in a thread, with the loop that answers it in this one."""
    _, made = served
    codes: list[int] = []
    line = [arguments[0], "--socket", str(made._path), "--by", "lee", *arguments[1:]]
    asking = threading.Thread(target=lambda: codes.append(alarm_cli.alarm(line)))
    asking.start()
    while asking.is_alive():
        made.poll(0.0)
        asking.join(0.01)
    return codes[0]


def test_the_command_lists_and_acknowledges(served, capsys):
    desk, _ = served
    desk.causes.last[0] = Cause(12, 100.0, {"inside_ms": 1200, "hold_ms": 300})
    desk.step(0)
    assert command(served, "list") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1].split()[:5] == ["1", "danger", "active_unacked", "zone", "press"]
    assert "person #12 is in zone press (1.2 s inside" in out[1]
    assert command(served, "ack", "--place", "press", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "alarms": 1}
    assert command(served, "shelve", "1", "--for", "10min") == 0
    assert desk.alarms.shelved_ms(0) == 600_000
    assert command(served, "unshelve", "1") == 0
    assert command(served, "mute") == 0


def test_the_command_tells_a_refusal(served, capsys):
    desk, _ = served
    desk.step(0)
    assert command(served, "test") == 1
    assert "an alarm shows" in capsys.readouterr().err
    assert command(served, "ack", "9") == 1


@pytest.mark.parametrize(
    "line",
    [[], ["ack"], ["explode", "--socket", "x"], ["shelve", "1", "--socket", "x"],
     ["shelve", "1", "--socket", "x", "--for", "10"], ["ack", "one", "--socket", "x"]],
)  # fmt: skip
def test_wrong_arguments(line, capsys):
    assert alarm_cli.alarm(line) == 2
    assert capsys.readouterr().err


def test_nobody_there(tmp_path, capsys):
    assert alarm_cli.alarm(["list", "--socket", str(tmp_path / "none")]) == 7
    assert "No such file" in capsys.readouterr().err


def test_help_tells_the_exit_codes(capsys):
    assert alarm_cli.alarm(["--help"]) == 0
    assert "exit codes: 0 done, 1 refused" in capsys.readouterr().out
