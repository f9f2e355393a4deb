"""`haetae board`: every mistake at once, new files that say what is missing, and the list."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from drivers.board import Board, load_board
from drivers.toml_strict import ConfigErrors
from runtime import board_check, board_cli
from runtime.board_scaffold import BOARDS, TO_FILL, TO_MEASURE, scaffold, shipped_boards
from tests.board_configs.test_real_boards import MAX_LINES, REAL, entry_points

WRONG = """
format = 1
name = "wrong"
soc = "rk3588"
suported = ["camera"]
supported = ["camera", "sirens", "input"]
memory = { address_space_mb = 512, headroom_mb = 1024 }
models = { detector = "skeleton_s", skeleton = "skeleton_s" }
storage = { driver = "flash", path = "ring", atomic_unit_bytes = 1000 }
watchdog = { driver = "linux", timeout_ms = 5000, boot_ms = 100 }
thermal = { governor = "performance", zones = ["a", "a"] }
outputs = [
    { name = "siren", role = "siren", driver = "gpio", line = "7", on_release = "on" },
    { name = "siren", role = "fault", driver = "gpio", line = "7", on_boot = "on", coil = 1 },
    { name = "strobe", role = "lamp", driver = "gipo" },
]

[camera]
driver = "v4l"
fps = 2.0

[npu]
driver = "tflite"
threads = 0
core_mask = 7
"""
MISTAKES = {
    "suported": "unknown key; did you mean supported?",
    "supported[1]": 'must be "camera" or',
    "memory.headroom_mb": "must be <= memory.address_space_mb = 512",
    "models.action": "must be named too",
    "storage.atomic_unit_bytes": "must be 512 or 1024",
    "storage.driver": "must be one of file",
    "watchdog.boot_ms": "must be >= watchdog.timeout_ms = 5000",
    "thermal.governor": "must be left out, or thermal.devfreq",
    "thermal.zones": "must be unique",
    "outputs[0].on_release": 'must be "off": a crash must not sound a siren',
    "outputs[1].name": "must be unique; outputs[0] has this name too",
    "outputs[1].on_boot": 'must be "off": a board that never starts',
    "outputs[1].coil": "must be left out: the driver is not",
    "outputs[1].line": "must be another line: outputs[0].line holds this one",
    "outputs[2].role": 'must be "buzzer" or "fault" or',
    "outputs[2].driver": "must be one of gpio, modbus, recorded",
    "camera.driver": "must be one of folder, stream",
    "camera.fps": "must be > 3: a blind camera",
    "npu.threads": "must be >= 1",
}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drivers of this very tree, whatever was installed before."""
    points = entry_points()
    monkeypatch.setattr(board_check.plugins, "names", lambda _, kind: sorted(points.get(kind, [])))


def told(text: str) -> dict[str, str]:
    """Key -> what is allowed, of lines `file: key = value: allowed`."""
    found = re.findall(r"^\S+?: ([\w.\[\]]+)(?: = .*?)?: (.*)$", text, re.MULTILINE)
    return dict(found)


def test_a_wrong_file_is_told_all_its_mistakes_at_once(tmp_path, capsys):
    file = tmp_path / "wrong.toml"
    file.write_text(WRONG)
    assert board_cli.board(["check", str(file)]) == 2
    found = told(capsys.readouterr().err)
    assert set(found) == set(MISTAKES)
    for key, allowed in MISTAKES.items():
        assert found[key].startswith(allowed), key
    assert file.read_text() == WRONG


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ('{ detector = "skeleton_s" }', "it is of skeleton"),
        ('{ detector = "nobody" }', "no such file"),
    ],
)
def test_networks_are_looked_for(models, says, tmp_path, capsys):
    file = tmp_path / "board.toml"
    text = (BOARDS / "raspberrypi-5.toml").read_text()
    file.write_text(re.sub(r"^models = .*$", f"models = {models}", text, flags=re.MULTILINE))
    assert board_cli.board(["check", str(file)]) == 2
    assert says in capsys.readouterr().err


def test_an_npu_without_a_file_for_it_is_told(tmp_path, capsys):
    """The shipped packages have none for Rockchip; those on the camera are not here to be seen."""
    text = (BOARDS / "radxa-rock-5b.toml").read_text()
    npu = re.search(r"^# (npu = .*)$", text, re.MULTILINE)
    assert npu
    file = tmp_path / "board.toml"
    file.write_text(re.sub(r"^npu = .*$", npu[1], text, flags=re.MULTILINE))
    assert board_cli.board(["check", str(file)]) == 2
    err = capsys.readouterr().err
    assert "models.detector = 'ppe_s': no file for target 'rk3588'; it has: tflite" in err
    models = re.search(r"^# (models = .*)$", text, re.MULTILINE)
    assert models
    file.write_text(re.sub(r"^models = .*$", models[1], file.read_text(), flags=re.MULTILINE))
    assert board_cli.board(["check", str(file)]) == 0


def test_a_good_file_has_notes(capsys):
    assert board_cli.board(["check", str(BOARDS / "raspberrypi-5.toml")]) == 0
    out = capsys.readouterr().out
    assert "no mistakes" in out and "note  verified is empty" in out


def mistakes(text: str, tmp_path: Path) -> set[str]:
    file = tmp_path / "new.toml"
    file.write_text(text)
    try:
        load_board(file)
    except ConfigErrors as errors:
        return {wrong.key for wrong in errors.mistakes}
    return set()


def filled(text: str) -> str:
    """As a porter would fill it."""
    for was, is_now in {
        'soc = ""': 'soc = "x"',
        "address_space_mb = 0": "address_space_mb = 1024",
        "atomic_unit_bytes = 0": "atomic_unit_bytes = 4096",
        '[""]': '["cpu-thermal"]',
        'chip = ""': 'chip = "gpio0"',
        'on_boot = ""': 'on_boot = "off"',
        'on_release = ""': 'on_release = "off"',
        'source = ""': 'source = "/dev/v4l/by-path/x"',
    }.items():
        text = text.replace(was, is_now)
    for line in ("17", "18"):
        text = text.replace('line = ""', f'line = "{line}"', 1)
    return text


def test_a_new_file_lacks_exactly_what_must_be_filled(tmp_path):
    text = scaffold("acme-1")
    assert mistakes(text, tmp_path) == {*TO_MEASURE, *TO_FILL}
    assert mistakes(filled(text), tmp_path) == set()
    assert len(text.splitlines()) < MAX_LINES


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_one_like_another_takes_all_but_what_hangs_on_it(path, tmp_path):
    like = load_board(path)
    text = scaffold("acme-1", like)
    assert mistakes(text, tmp_path) - {"thermal.zones[0]"} == set(TO_MEASURE)
    assert len(text.splitlines()) < MAX_LINES
    (tmp_path / "new.toml").write_text(filled(text))
    board = load_board(tmp_path / "new.toml")
    for section in ("soc", "memory", "npu", "models", "watchdog"):
        assert getattr(board, section) == getattr(like, section), section
    assert board.thermal == like.thermal or like.thermal is None
    assert board.verified == [] and board.name == "acme-1"


def test_new_writes_a_file_once_and_names_the_places(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert board_cli.board(["new", "acme-1", "--like", "radxa-rock-5b"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {key}: must" in out for key in TO_MEASURE)
    written = (tmp_path / "acme-1.toml").read_text()
    assert board_cli.board(["new", "acme-1"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "acme-1.toml").read_text() == written


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["new", "../x"], "must be letters"),
        (["new", "x", "--like", "nobody"], "nobody: there is no such file"),
        (["new", "x", "--out", "/nowhere/x.toml"], "No such file"),
        (["check", "/nowhere.toml"], "there is no such file"),
    ],
)
def test_refusals(words, says, capsys):
    assert board_cli.board(words) == 2
    assert says in capsys.readouterr().err


def test_the_list_has_every_board(capsys):
    assert board_cli.board(["list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        path.stem for path in shipped_boards()
    ]
    assert board_cli.board(["list", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert found["radxa-rock-5b"]["soc"] == "rk3588" and not found["radxa-rock-5b"]["verified"]
    assert "camera" in found["qemu-virt-arm64"]["supported"]


def test_the_schema_knows_every_key(capsys):
    assert board_cli.board(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    properties = schema["$defs"]["Board"]["properties"]
    assert set(properties) == set(Board.__struct_fields__)
    assert schema["$defs"]["Board"]["additionalProperties"] is False
