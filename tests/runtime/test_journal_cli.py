"""`haetae journal`: what a technician types, and what comes out."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from drivers.clock import VirtualClock
from drivers.storage import FileStorage
from runtime.journal import Journal
from runtime.journal_cli import journal

BOARD = Path(__file__).resolve().parents[2] / "board_configs" / "sim.toml"
BODY = {"kind": "hazard", "rule": "zone", "zone": "gate 1", "track": 3, "why": {"hold_ms": 300.5}}


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Path]:
    """A ring with three events of a runtime that is still running."""
    storage = FileStorage(tmp_path / "journal.ring", 16 * 1024, 1024)
    running = Journal(storage, VirtualClock(1234.5, 1_700_000_000_123), 0xABC)
    running.append(5, {"kind": "boot", "state": "started", "rule": ""})
    running.append(1, BODY)
    running.append(42, {"odd": float("nan"), "text": "\x1b[31m\n", "raw": b"\x01"})
    yield tmp_path / "journal.ring"
    storage.close()


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = journal([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def test_show_prints_a_table_while_the_runtime_runs(
    ring: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "show", "--path", ring, "--values")
    lines = out.splitlines()
    assert code == 0
    assert len(lines) == 5
    assert lines[1] == "-- run 0000000000000abc"
    assert lines[2].split() == ["1", "2023-11-14T22:13:20.123Z", "1.234", "boot", "state=started"]
    assert lines[3].endswith('rule=zone zone="gate 1" track=3 why={"hold_ms":300.5}')
    assert lines[4].split()[3] == "42"
    assert "\x1b" not in out


def test_show_says_in_words_what_happened(ring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "--path", ring)
    assert code == 0
    assert "\x1b" not in out
    assert out.splitlines() == [
        "-- run 0000000000000abc",
        "-- 2023-11-14 (UTC)",
        "       1  22:13:20 started on board ? with site ?",
        "       2  22:13:20 person #3 is in zone gate 1",
        "       3  22:13:20 42",
    ]


def test_show_prints_only_the_newest(ring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "--path", ring, "--last", 1, "--json")
    (row,) = map(json.loads, out.splitlines())
    assert code == 0
    assert row["seq"] == 3
    assert row["body"] == {"odd": "nan", "text": "\x1b[31m\n", "raw": "01"}


def test_show_works_on_a_copy(ring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copy(ring, ring.with_name("copy"))
    assert run(capsys, "show", "--path", copy)[:2] == run(capsys, "show", "--path", ring)[:2]


def test_show_finds_the_ring_through_the_board_file(
    ring: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    board = tmp_path / "board.toml"
    board.write_text(BOARD.read_text().replace("build/journal.ring", str(ring)))
    assert run(capsys, "show", "--board", board)[:2] == run(capsys, "show", "--path", ring)[:2]


def test_an_empty_ring_is_no_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "ring").write_bytes(bytes(8192))
    code, out, err = run(capsys, "show", "--path", tmp_path / "ring")
    assert (code, out) == (0, "")
    assert "no events" in err


def test_export_to_json_lines(ring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ring.with_name("x.jsonl")
    assert run(capsys, "export", "--path", ring, "--out", out)[0] == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert rows[1]["body"] == BODY
    assert rows[1]["boot"] == "0000000000000abc"


def test_export_to_csv(ring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ring.with_name("x.csv")
    assert run(capsys, "export", "--path", ring, "--out", out)[0] == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["boot", "hazard", "42"]
    assert json.loads(rows[1]["body"]) == BODY


def test_export_to_sqlite_replaces_an_older_export(
    ring: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ring.with_name("x.sqlite")
    for _ in range(2):
        assert run(capsys, "export", "--path", ring, "--out", out)[0] == 0
    with closing(sqlite3.connect(out)) as base:
        rows = base.execute("SELECT seq, kind, mono_ms, body FROM events").fetchall()
    assert [row[:3] for row in rows] == [
        (1, "boot", 1234.5),
        (2, "hazard", 1234.5),
        (3, "42", 1234.5),
    ]
    assert json.loads(rows[1][3]) == BODY


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["print"],
        ["show"],
        ["show", "--path", "RING", "--board", "b.toml"],
        ["show", "--path", "RING", "--last", "0"],
        ["show", "--path", "RING", "--last", "-3"],
        ["show", "--board", "nowhere.toml"],
        ["export", "--path", "RING"],
        ["export", "--path", "RING", "--out", "x.doc"],
        ["export", "--path", "RING", "--out", "RING"],
    ],
)
def test_wrong_arguments_are_2(
    ring: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    before = ring.read_bytes()
    words = [str(ring) if word == "RING" else word for word in arguments]
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert err
    assert ring.read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "--path", "nowhere"],
        ["show", "--path", "/"],
        ["export", "--path", "nowhere", "--out", "x.csv"],
        ["export", "--path", "RING", "--out", "no/such/folder/x.csv"],
        ["export", "--path", "RING", "--out", "no/such/folder/x.sqlite"],
    ],
)
def test_a_journal_that_cannot_be_read_is_6(
    ring: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ring.parent)
    code, _, err = run(capsys, *(str(ring) if word == "RING" else word for word in arguments))
    assert code == 6
    assert len(err.splitlines()) == 1
    assert [path.name for path in ring.parent.iterdir()] == [ring.name]


def test_help_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert "show" in out
