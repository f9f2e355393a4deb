"""What `haetae selftest` prints and writes, and the exit code that the line goes by."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from drivers.storage import FileStorage
from ota import status_cli
from ota.golden import check_golden
from runtime import unit_test_cli
from runtime.unit_test.page import page
from runtime.unit_test.result import Report, Row
from runtime.unit_test_cli import ARGUMENTS, BUSY, FAIL, PASS, STORAGE, selftest
from tests.places import REPOSITORY

KEYS = {
    "format", "passed", "device", "serial", "board", "soc", "runtime", "kernel", "machine",
    "models", "utc", "lasted_ms", "rows",
}  # fmt: skip
ROW_KEYS = {"item", "name", "verdict", "measured", "limit", "value", "unit", "next"}


@pytest.fixture
def board_file(tmp_path: Path) -> str:
    """The simulated board, with its journal in a folder of the test."""
    text = (REPOSITORY / "board_configs/sim.toml").read_text()
    (tmp_path / "unit").mkdir()
    file = tmp_path / "board.toml"
    file.write_text(text.replace("build/journal.ring", str(tmp_path / "unit/journal.ring")))
    return str(file)


def quick(board_file: str, *more: str) -> list[str]:
    return ["--board", board_file, "--only", "outputs", "--only", "watchdog", *more]


def test_a_script_reads_what_a_person_reads(board_file, tmp_path, capsys):
    files = tmp_path / "unit.json", tmp_path / "label.html"
    line = quick(board_file, "--json", str(files[0]), "--html", str(files[1]))
    assert selftest(line) == PASS
    told = json.loads(files[0].read_text())
    assert set(told) == KEYS
    assert (told["format"], told["passed"], told["board"]) == (1, True, "sim")
    assert all(set(row) == ROW_KEYS for row in told["rows"])
    printed = capsys.readouterr().out
    html = files[1].read_text()
    for row in told["rows"]:
        assert row["name"] in printed
        assert row["name"] in html
    assert printed.rstrip().endswith("PASS")


def test_json_alone_goes_where_a_script_reads(board_file, capsys):
    assert selftest(quick(board_file, "--json")) == PASS
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_strict_wants_everything_tested(board_file, capsys):
    assert selftest(quick(board_file)) == PASS
    assert selftest(quick(board_file, "--strict")) == FAIL
    assert "FAIL: not everything was tested" in capsys.readouterr().out


def test_a_failure_is_an_exit_code_and_a_next_step(board_file, tmp_path, capsys):
    with Path(board_file).open("a") as file:
        file.write('[thermal]\nzones = ["no-such-zone"]\n')
    assert selftest(["--board", board_file, "--only", "heat"]) == FAIL
    printed = capsys.readouterr().out
    assert "next: temperature: look at the names in [thermal]" in printed
    assert "FAIL: 1 of" in printed


def test_a_driver_that_is_not_installed_fails(board_file, capsys):
    text = Path(board_file).read_text().replace('driver = "synthetic"', 'driver = "nobody"')
    Path(board_file).write_text(text)
    assert selftest(["--board", board_file, "--only", "camera"]) == FAIL
    assert "must be one of" in capsys.readouterr().out


def test_a_camera_that_runs_is_left_alone(board_file, tmp_path, capsys):
    held = FileStorage(tmp_path / "unit/journal.ring", 4096 * 2000, 4096)
    assert selftest(quick(board_file)) == BUSY
    told = capsys.readouterr()
    assert "stop it first" in told.err
    assert told.out == ""
    held.close()
    assert selftest(quick(board_file)) == PASS


@pytest.mark.parametrize(
    "more",
    [["--ask"], ["--only", "mood"], ["--loop-back", "/nowhere"], ["--board", "/nowhere"]],
)
def test_wrong_arguments_are_told(board_file, more, capsys):
    assert selftest([*quick(board_file), *more]) == ARGUMENTS
    assert capsys.readouterr().err


def test_wires_of_unknown_outputs_are_told_at_once(board_file, tmp_path, capsys):
    wires = tmp_path / "wires.toml"
    pin = '[[pins]]\noutput = "{}"\nline = "5"\n'
    names = ("horn", "siren", "siren", "bell")
    wires.write_text("format = 1\n" + "".join(pin.format(name) for name in names))
    assert selftest(quick(board_file, "--loop-back", str(wires))) == ARGUMENTS
    told = capsys.readouterr().err
    assert "'horn'" in told or '"horn"' in told
    assert "bell" in told
    assert "must be named once" in told


def test_a_report_that_cannot_be_written_is_told(board_file):
    assert selftest(quick(board_file, "--html", "/proc/none/label.html")) == STORAGE


@pytest.mark.parametrize(
    ("words", "link", "is_there"),
    [
        (["--link", "unix:/x"], "", True),
        (["--link=unix:/x", "--json"], "", True),
        ([], "unix:/x", True),
        (["--board", "x"], "unix:/x", False),
        ([], "", False),
    ],
)
def test_over_a_link_the_camera_is_asked(monkeypatch, words, link, is_there):
    asked = []
    monkeypatch.setattr(status_cli, "selftest", lambda argv: asked.append(argv) or 0)
    monkeypatch.setattr(unit_test_cli, "_test", lambda arguments: 0)
    monkeypatch.setenv("HAETAE_LINK", link)
    assert selftest(words) == 0
    assert bool(asked) is is_there


class Text(HTMLParser):
    """All text of a page, and whether its tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.open = "", []

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag, attributes) -> None:
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag


def a_report(**changes: object) -> Report:
    rows = [
        Row(item="a", name="camera: rate", verdict="fail", measured="3 /s", limit="9", next="look"),
        Row(item="b", name="siren", verdict="not tested", measured="<script>alert(1)</script>"),
        Row(item="c", name="clock", verdict="pass", measured="ok"),
    ]
    made = Report(
        format=1, passed=False, device="cam-0017", serial="SN 1", board="b", soc="s", runtime="r",
        kernel="k", machine="m", models={"detector": "x 1"}, utc="2026-11-21T10:00:00Z",
        lasted_ms=9000, rows=rows,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def test_the_page_says_it_all_and_runs_nothing():
    html = page(a_report())
    seen = Text()
    seen.feed(html)
    assert seen.open == []
    for words in (
        "cam-0017",
        "FAIL",
        "1 passed, 1 failed, 1 not tested",
        "SN 1",
        "camera: rate: look",
    ):
        assert words in seen.text
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")
    assert "default-src 'none'" in html


def test_a_unit_without_a_name_is_called_by_its_serial():
    assert "SN 1" in page(a_report(device=""))
    assert "unit without a name" in page(a_report(device="", serial=""))


@pytest.mark.parametrize("name", ["ppe_s", "skeleton_s", "action_xs"])
def test_a_shipped_student_answers_its_own_golden_inputs(name):
    """After a new training: haetae ota golden models/students/NAME."""
    from drivers.board import NpuConfig
    from drivers.npu.tflite import TfliteNpu
    from models.package import find_package, load_package
    from models.signature import open_session

    package = load_package(find_package(name), "tflite")
    session = open_session(package, TfliteNpu(NpuConfig(driver="tflite")))
    data = (package.folder / "golden.msgpack").read_bytes()
    assert check_golden(data, session, "tflite") < 0.5
    session.close()


def test_the_command_is_imported_without_the_loop():
    """The process that seals memory is another one; this one stays small."""
    code = "import sys, runtime.unit_test_cli; print('runtime.boot' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
