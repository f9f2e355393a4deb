"""A journal that is fetched over a link: whole, in pieces, and on where the file ends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.storage import FileReader
from ota.refusal import Refused
from runtime.journal import Journal, read_all
from runtime.journal_export import as_row
from runtime.journal_pages import page
from runtime.journal_pull import Kept, pull
from tests.runtime.journals import Camera

PAGE = 7


class Line:
    """A camera's answer to `journal`, and how often it was asked."""

    def __init__(self, folder, slots=64):
        self.camera = Camera(folder / "camera.ring", slots=slots).boot()
        self.asked = 0

    def tell(self, times):
        for number in range(times):
            self.camera.wait(1000).alarm("active_unacked" if number % 2 else "normal")
        return self

    def __call__(self, command, arguments):
        assert command == "journal"
        self.asked += 1
        journal = Journal(self.camera._storage, self.camera._clock, 1)
        return page(journal, arguments["from_seq"], min(arguments["most"], PAGE))

    @property
    def rows(self):
        return [json.loads(json.dumps(as_row(record))) for record in read_all(self.camera._storage)]


@pytest.fixture
def line(tmp_path):
    return Line(tmp_path)


def fetch(line, path, tell=lambda *_: None):
    kept = Kept(path)
    return kept.write(pull(line, kept.last_seq), tell)


def rows(path):
    return [json.loads(each) for each in path.read_text().splitlines()]


def records(path):
    reader = FileReader(path)
    try:
        return list(read_all(reader))
    finally:
        reader.close()


def test_lines_of_json_as_an_export_of_the_ring_gives_them(line, tmp_path):
    line.tell(20)
    out = tmp_path / "pulled.jsonl"
    assert fetch(line, out) == 21
    assert rows(out) == line.rows
    assert line.asked == 3


def test_a_copy_of_the_ring_is_read_like_the_ring(line, tmp_path):
    line.tell(20)
    out = tmp_path / "pulled.ring"
    assert fetch(line, out) == 21
    assert [as_row(each) for each in records(out)] == line.rows


@pytest.mark.parametrize("name", ["pulled.jsonl", "pulled.ring"])
def test_it_goes_on_where_the_file_ends(line, tmp_path, name):
    out = tmp_path / name
    assert fetch(line.tell(9), out) == 10
    before = out.read_bytes()
    assert fetch(line, out) == 0
    assert fetch(line.tell(5), out) == 5
    assert out.read_bytes().startswith(before)
    other = tmp_path / f"whole{out.suffix}"
    fetch(line, other)
    assert out.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("name", ["pulled.jsonl", "pulled.ring"])
@pytest.mark.parametrize("torn", [1, 100, 4095])
def test_a_torn_end_comes_again(line, tmp_path, name, torn):
    """Power gone on the technician's side, in the middle of a write."""
    out, whole = tmp_path / name, tmp_path / f"whole{name}"
    fetch(line.tell(9), out)
    fetch(line, whole)
    out.write_bytes(out.read_bytes()[: -min(torn, 100) if out.suffix == ".jsonl" else -torn])
    assert fetch(line, out) >= 1
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("name", ["pulled.jsonl", "pulled.ring"])
def test_a_torn_end_is_cut_off_also_where_nothing_is_new(line, tmp_path, name):
    out = tmp_path / name
    fetch(line.tell(9), out)
    whole = out.read_bytes()
    out.write_bytes(whole + b'{"seq": 11, "boot": "' + b"x" * 3000)
    assert fetch(line, out) == 0
    assert out.read_bytes() == whole


def test_stopped_half_way_only_the_rest_is_asked_for(line, tmp_path):
    line.tell(40)
    out = tmp_path / "pulled.jsonl"

    def stop(seq, newest):
        if seq == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(line, out, stop)
    line.asked = 0
    assert fetch(line, out) == 21
    assert rows(out) == line.rows
    assert line.asked == 4  # 22 records, the last of the file among them, in pages of 7


def test_what_was_overwritten_meanwhile_is_a_gap(tmp_path):
    line, out = Line(tmp_path, slots=8).tell(5), tmp_path / "pulled.jsonl"
    fetch(line, out)
    line.tell(20)
    assert fetch(line, out) == 8
    assert [row["seq"] for row in rows(out)] == [1, 2, 3, 4, 5, 6, *range(19, 27)]


def test_a_file_of_another_camera_is_not_gone_on_with(line, tmp_path):
    out = tmp_path / "pulled.jsonl"
    fetch(line.tell(9), out)
    (tmp_path / "other").mkdir()
    other = Line(tmp_path / "other").tell(3)
    before = out.read_bytes()
    with pytest.raises(ValueError, match="of another camera"):
        fetch(other, out)
    other.camera.boot()
    with pytest.raises(ValueError, match="of another camera"):
        fetch(other.tell(9), out)
    assert out.read_bytes() == before


@pytest.mark.parametrize("name", ["a.jsonl", "a.ring"])
def test_a_file_that_is_something_else_is_left_alone(tmp_path, name):
    out = tmp_path / name
    out.write_bytes(b"precious\n" * 1000)
    with pytest.raises(ValueError, match="take another name"):
        Kept(out)
    with pytest.raises(ValueError, match="must end in"):
        Kept(tmp_path / "a.csv")


VALUES = st.none() | st.integers(-9, 2**64) | st.text(max_size=4) | st.binary(max_size=4)
BODIES = st.dictionaries(st.text(max_size=4), VALUES | st.lists(VALUES, max_size=3), max_size=3)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "seq": VALUES, "boot": VALUES, "mono_ms": st.floats(), "wall_ms": VALUES,
        "kind": st.sampled_from(["alarm", "new_kind", "77", "²", ""]), "body": BODIES | VALUES,
    },
)  # fmt: skip


@given(st.lists(RECORDS, max_size=4), VALUES)
def test_whatever_a_camera_answers_is_rows_or_a_refusal(found, last):
    def ask(command, arguments):
        return {"records": found, "last": last}

    try:
        for pulled, _ in pull(ask, 0):
            json.dumps(pulled.row, allow_nan=False)
    except (Refused, ValueError):
        return


def test_a_kind_of_a_newer_camera_keeps_its_name(tmp_path):
    record = {"seq": 1, "boot": 5, "mono_ms": 1.0, "wall_ms": 0, "kind": "weather", "body": {}}

    def ask(command, arguments):
        return {"records": [record][arguments["from_seq"] :], "last": 1}

    out = tmp_path / "a.jsonl"
    assert fetch(ask, out) == 1
    assert rows(out)[0]["kind"] == "weather"
