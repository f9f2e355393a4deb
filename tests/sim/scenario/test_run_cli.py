"""`haetae sim` on the command line: exit codes, lines, JUnit, faults from outside."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from xml.etree import ElementTree

import pytest

from sim import cli, junit
from sim.cli import COMMANDS, sim
from sim.scenario.fault_socket import FaultSocket, ask
from sim.scenario.find import NotFound, find, shipped
from sim.scenario.load import load_scenario
from sim.scenario.result import Checked, Eye, FrameTimes, Plan, Result
from tests.places import REPOSITORY
from tests.sim.scenario.texts import ENTRY, NO_LOSS, expect

CHILD = ("--child", "tests.sim.scenario.stand_in_child")
SHORT = ENTRY.replace("duration_ms = 9000", "duration_ms = 1500")


@pytest.fixture
def scenario(tmp_path):
    def write(text, name="x"):
        path = tmp_path / f"{name}.scenario.toml"
        path.write_text(text)
        return str(path)

    return write


class TestRun:
    def test_a_wrong_expectation_fails_is_named_and_the_rest_is_judged(
        self, scenario, tmp_path, capsys
    ):
        wrong = expect("event", 'state = "raised"') + NO_LOSS
        out = tmp_path / "junit.xml"
        code = sim(["run", scenario(SHORT + wrong), *CHILD, "--junit", str(out)])
        lines = capsys.readouterr().out.splitlines()
        assert code == 1
        assert lines[0].startswith("FAIL  zone entry: hazard raised at any time: none at all")
        assert lines[1].startswith("PASS  zone entry: every event")
        assert lines[-1].startswith("0 passed, 1 failed")
        suite = ElementTree.parse(out).getroot()[0]
        assert (suite.get("tests"), suite.get("failures")) == ("2", "1")

    def test_seeds_and_repetitions(self, scenario, capsys):
        words = ["run", scenario(SHORT + NO_LOSS), *CHILD]
        assert sim([*words, "--seeds", "4..5"]) == 0
        assert re.findall(r"PASS  zone entry seed (\d): every", capsys.readouterr().out) == [
            "4",
            "5",
        ]
        assert sim([*words, "--repeat", "2"]) == 0
        assert re.search(r"entry: 2 runs, all the same \w{12}\n", capsys.readouterr().out)

    def test_all_mistakes_of_all_files_and_nothing_is_played(self, scenario, capsys):
        files = [scenario("seed = -1", "a"), scenario("speed = 3", "b")]
        assert sim(["run", *files, "--child", "never.played"]) == 2
        errors = capsys.readouterr().err
        assert "a.scenario.toml: seed = -1" in errors
        assert "b.scenario.toml: speed" in errors

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (["zone_enty"], "zone_entry"),
            (["zone_entry", "--seeds", "5..1"], "A..B"),
            (["zone_entry", "--seed", "1", "--seeds", "1..2"], "not allowed"),
            (["zone_entry", "--jobs", "0"], ">= 1"),
            (["zone_entry", "--faults", "x"], "--realtime"),
            (["zone_entry", "--video"], "--report"),
            ([], "required"),
        ],
    )
    def test_wrong_arguments_are_refused_with_words(self, arguments, word, capsys):
        assert sim(["run", *arguments]) == 2
        assert word in capsys.readouterr().err

    def test_in_real_time_it_takes_as_long_as_it_says_and_faults_come_from_outside(
        self, scenario, tmp_path
    ):
        socket = tmp_path / "faults.sock"
        text = SHORT.replace("1500", "3000") + expect(
            "event", 'kind = "fault"\nrule = "camera_fault"\nstate = "raised"'
        )
        words = ["run", scenario(text), *CHILD, "--realtime", "--faults", str(socket)]
        program = f"import sys; from sim.cli import sim; sys.exit(sim({words!r}))"
        command = [sys.executable, "-c", program]
        with subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        ) as running:
            wait_for(socket)
            began_s = time.monotonic()
            answers = [
                ask(socket, {"component": "camera", "type": "upside_down"}),
                ask(socket, {"component": "lens", "type": "dirty"}),
                ask(socket, {"component": "camera", "type": "silent", "for_ms": 1500}),
            ]
            out, _ = running.communicate(timeout=60)
        assert running.returncode == 0, out
        assert 1.5 < time.monotonic() - began_s < 12
        assert answers[0].startswith("NACK: type = 'upside_down'") and "unplugged" in answers[0]
        assert "must be one of camera, npu" in answers[1]
        assert answers[2] == "ACK"
        assert not socket.exists()


def wait_for(path):
    end_s = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end_s, "nobody listens"
        time.sleep(0.02)


class TestFault:
    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (["camera", "upside_down"], "unplugged"),
            (["camera", "silent", "--socket", "/nowhere/x.sock"], "no simulator listens"),
            (["camera", "silent", "--option", "percent"], "NAME=VALUE"),
            (["camera", "silent", "--for-ms", "soon"], "whole number"),
        ],
    )
    def test_what_cannot_be_done_is_refused(self, arguments, word, capsys):
        assert sim(["fault", *arguments]) == 2
        assert word in capsys.readouterr().err

    def test_the_list_names_everything(self, capsys):
        assert sim(["fault", "--list"]) == 0
        out = capsys.readouterr().out
        for word in ("camera", "unplugged", "torn_record", "fault_relay", "at_operation"):
            assert word in out

    def test_the_answer_of_the_simulator_is_the_exit_code(self, tmp_path, capsys):
        path, broken = tmp_path / "s", []
        server = FaultSocket(path)
        server.serve(broken.append, ("siren",))
        thread = threading.Thread(target=server.wait, args=(2.0,))
        thread.start()
        try:
            words = ["--socket", str(path), "--option", "ms=96", "--for-ms", "500"]
            assert sim(["fault", "npu", "slow", *words]) == 0
            assert sim(["fault", "horn", "refused", "--socket", str(path)]) == 2
        finally:
            thread.join()
            server.close()
        assert capsys.readouterr().out.startswith("ACK\nNACK: component = 'horn'")
        assert [(f.component, f.type, f.for_ms, f.options) for f in broken] == [
            ("npu", "slow", 500, {"ms": 96})
        ]

    @pytest.mark.parametrize("request_", [b"", b"{", b"[1]", b'{"component": 3}\n'])
    def test_rubbish_on_the_socket_is_refused(self, request_, tmp_path):
        server = FaultSocket(tmp_path / "s")
        server.serve(lambda fault: None, ())
        assert server._obey(request_).startswith("not a request")
        server.close()


class TestNew:
    def test_it_writes_a_scenario_that_can_be_read(self, tmp_path, capsys):
        out = tmp_path / "mine.scenario.toml"
        assert sim(["new", "my first one", "--out", str(out)]) == 0
        assert load_scenario(out).scenario.name == "my first one"
        assert str(out) in capsys.readouterr().out

    def test_it_overwrites_nothing(self, tmp_path, capsys):
        out = tmp_path / "mine.scenario.toml"
        out.write_text("precious")
        assert sim(["new", "mine", "--out", str(out)]) == 2
        assert out.read_text() == "precious"
        assert "nothing was written" in capsys.readouterr().err

    @pytest.mark.parametrize("name", ["", "../x", 'a"b', "x" * 60])
    def test_names_that_are_no_names_are_refused(self, name, tmp_path):
        assert sim(["new", name, "--out", str(tmp_path / "x")]) == 2


class TestList:
    def test_it_shows_name_and_purpose_of_each(self, capsys):
        assert sim(["list"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == len(shipped())
        assert any(line.startswith("zone_entry ") for line in lines)

    def test_waiting_ones_say_for_what(self, capsys):
        assert sim(["list", "--waiting"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines and all("waits for" in line for line in lines)


def test_commands_are_named_and_only_the_one_asked_for_is_imported(capsys):
    assert sim([]) == 2
    assert sim(["dance"]) == 2
    assert sim(["--help"]) == 0
    assert capsys.readouterr().err.count("contact sheet") == 3
    assert all(":" in where for where, _ in COMMANDS.values())
    assert not hasattr(cli, "play")


def test_scenarios_are_found_by_file_folder_and_name(scenario, tmp_path):
    path = scenario(SHORT, "b")
    scenario(SHORT, "a")
    assert [file.name for file in find([path, str(tmp_path)])] == [
        "b.scenario.toml",
        "a.scenario.toml",
    ]
    assert find(["zone_entry"])[0] in shipped()
    assert sorted(find(["zone_entry", "all"])) == shipped(), "each once"
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="in this folder"):
        find([str(tmp_path / "empty")])


def result(verdict="failed", checked=(), why=""):
    eye = Eye(at_m=(0, 0), height_m=4, pan_deg=0, tilt_deg=10, across_deg=70)
    return Result(
        scenario="a <b> & \x00",
        file="f",
        purpose="p",
        seed=1,
        duration_ms=1,
        fps=10,
        width_px=1,
        height_px=1,
        board="b",
        site="s",
        verdict=verdict,
        why=why,
        plan=Plan(camera=eye, zones=[], lines=[], structures=[]),
        frames=FrameTimes(t_ms=[], tick_ms=[], render_ms=[]),
        expectations=list(checked),
    )


def check(ok):
    words = "it's \"<" + "\x1b" + '>"'
    return Checked(
        that="event", sentence=words, ok=ok, measured=words, allowed="&", from_ms=0, to_ms=1
    )


def test_junit_can_be_parsed_whatever_the_words_are(tmp_path):
    path = tmp_path / "deep" / "junit.xml"
    runs = [
        result("failed", [check(True), check(False)]),
        result("waits", [check(False)], "waits for x"),
        result("early", [check(True)], "passes already"),
        result("refused", [], "no\x07 site"),
    ]
    junit.write(runs, path)
    root = ElementTree.parse(path).getroot()
    totals = {name: root.get(name) for name in ("tests", "failures", "errors")}
    assert totals == {"tests": "6", "failures": "2", "errors": "1"}
    cases = [[[e.tag for e in case] for case in suite] for suite in root]
    assert cases == [[[], ["failure"]], [["skipped"]], [[], ["failure"]], [["error"]]]
    assert [suite.get("skipped") for suite in root] == ["0", "1", "0", "0"]
    assert root[0][1].get("name") == '2 it\'s "<?>"'
    for suite in root:
        assert int(suite.get("tests")) == len(suite)


def test_a_full_disk_is_told_of_and_does_not_hide_the_summary(scenario, capsys):
    assert sim(["run", scenario(SHORT + NO_LOSS), *CHILD, "--junit", "/dev/full"]) == 2
    said = capsys.readouterr()
    assert "/dev/full" in said.err and "No space left" in said.err
    assert "1 passed" in said.out
