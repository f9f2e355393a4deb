"""The page holds together: well formed, nothing from outside, every mark has its picture."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from typing import Any

import cv2
import numpy as np
import pytest

from sim.report import page
from sim.report.pictures import SCENARIO_BYTES
from tests.sim.report.report_results import ATTACK, GAP, brightness, leave_files, made_result

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Outline(HTMLParser):
    """Tags with their attributes, and whether every one is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.text += data

    def marks(self) -> list[dict[str, str | None]]:
        return [attrs for _, attrs in self.found if attrs.get("data-t") is not None]


@pytest.fixture
def report(tmp_path):
    made = made_result()
    leave_files(made, tmp_path)
    text = page.write([made], tmp_path).read_text(encoding="utf-8")
    return text, Outline(text)


def content(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="d1">(.*?)</script>', text)
    assert found
    return json.loads(found[1])


def test_the_page_is_well_formed(report):
    _, outline = report
    assert outline.wrong == []
    assert outline.open == []
    ids = [attrs["id"] for _, attrs in outline.found if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_nothing_comes_from_outside(report):
    text, outline = report
    for tag, attrs in outline.found:
        assert tag not in ("link", "iframe", "object", "base"), tag
        for name in ("src", "href", "data", "action", "poster"):
            value = attrs.get(name) or ""
            assert value == "" or value.startswith(("#", "data:image/jpeg;base64,")), value
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\((?!#)", text)


def test_every_mark_has_a_picture_of_its_moment(report):
    text, outline = report
    times = content(text)["t"]
    assert outline.marks()
    for mark in outline.marks():
        shown_ms, wanted_ms = times[int(mark["data-frame"])], float(mark["data-t"])
        assert shown_ms <= max(wanted_ms, 0) + 1
        limit_ms = 1100 if GAP[0] * 100 <= wanted_ms <= GAP[-1] * 100 + 100 else 101
        assert wanted_ms - shown_ms <= limit_ms, mark["aria-label"]


def test_a_picture_is_the_one_of_its_time(report):
    made = content(report[0])
    for t_ms, uri in zip(made["t"], made["uri"], strict=True):
        jpeg = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
        pixels = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
        assert pixels.shape == (90, 160, 3)
        assert brightness(pixels) == pytest.approx(t_ms / 6000, abs=0.02)


def test_marks_are_buttons_with_words(report):
    _, outline = report
    for mark in outline.marks():
        assert mark["role"] == "button"
        assert mark["tabindex"] in ("0", "-1")
        assert len(mark["aria-label"] or "") > 6


@pytest.mark.parametrize(
    "words",
    [
        "alarm zone pit: active, not acknowledged from 1.0 s",
        "alarm zone pit: active, acknowledged from 2.0 s",
        "alarm zone pit: returned, not acknowledged from 3.2 s",
        "alarm zone pit: shelved, duration_ms 900",
        "hazard zone pit #2 raised at 1.5 s",
        "line gate #3 in at 5.5 s",
        "no picture for 1.0 s",
        "yard: walk from 0.0 s",
        "yard: bend from 2.0 s",
        "yard enters pit at 1.0 s",
        "yard: helmet off at 4.5 s",
        "siren on march at 1.0 s",
        "siren: falls by a reset at 4.5 s",
        "asked for: camera silent, no picture comes, 3.0 s",
        "camera_fault raised at 3.3 s: reason no_frame",
        "reset: power_cut, yard at 4.5 s",
        "operator: acknowledge pit at 2.0 s",
        "PASS 1: output happens in time: 400 ms (0.9 s to 1.9 s)",
        "FAIL 2: event happens in time: yard (2.0 s to 3.0 s)",
    ],
)
def test_everything_that_happened_can_be_chosen(report, words):
    labels = [mark["aria-label"] or "" for mark in report[1].marks()]
    assert any(label.startswith(words) for label in labels), labels


def test_a_window_whose_moment_never_came_is_told(report):
    assert "its moment never came" in report[1].text


@pytest.mark.parametrize("verdict", ["passed", "failed", "waits", "early", "refused"])
def test_text_of_a_scenario_never_becomes_markup(tmp_path, verdict):
    clean, nasty = made_result("yard", verdict), made_result(ATTACK, verdict)
    nasty.events[0]["why"] = {ATTACK: ATTACK}
    leave_files(nasty, tmp_path)
    outline = Outline(page.page([nasty], tmp_path))
    plain = Outline(page.page([clean], tmp_path))
    assert outline.wrong == outline.open == []
    scripts = [tag for tag, _ in outline.found if tag == "script"]
    assert len(scripts) == len([tag for tag, _ in plain.found if tag == "script"])
    assert not any(name.startswith("on") for _, attrs in outline.found for name in attrs)
    assert "<script>alert(1)" in outline.text
    assert "\x07" not in outline.text


def test_a_run_without_a_clip_says_so(tmp_path):
    outline = Outline(page.page([made_result()], tmp_path))
    assert "No clip of this run" in outline.text
    assert {mark["data-frame"] for mark in outline.marks()} == {"-1"}


def test_pictures_of_another_run_are_not_shown(tmp_path):
    made = made_result()
    leave_files(made, tmp_path)
    made.hashes = {"all": "00"}
    assert {mark["data-frame"] for mark in Outline(page.page([made], tmp_path)).marks()} == {"-1"}


def test_pictures_stay_within_their_share(tmp_path, monkeypatch):
    """The marks come first; those that find no room show the picture before."""
    made = made_result()
    leave_files(made, tmp_path)
    whole = len(page.page([made], tmp_path))
    monkeypatch.setattr(page, "SCENARIO_BYTES", 12_000)
    outline = Outline(small := page.page([made], tmp_path))
    assert sum(map(len, content(small)["uri"])) <= 12_000
    assert len(small) < whole
    assert all(int(mark["data-frame"]) >= 0 for mark in outline.marks())
    assert 10 * SCENARIO_BYTES < 15_000_000


def test_a_scenario_that_was_refused_has_a_section(tmp_path):
    made = made_result("bare", "refused")
    made.tracks, made.events, made.edges, made.expectations = [], [], [], []
    made.frames.t_ms, made.frames.tick_ms, made.frames.render_ms = [], [], []
    made.plan.zones, made.plan.lines, made.plan.structures = [], [], []
    outline = Outline(page.page([made, made_result()], tmp_path))
    assert outline.wrong == []
    assert "REFUSED" in outline.text
