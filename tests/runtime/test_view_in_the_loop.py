"""The sealed loop with rule intrusion_of_view: its stage, its memory, and an operator's word."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.interfaces import Frame
from drivers.toml_strict import ConfigErrors
from models.tables import Detections
from runtime.alarm import Alarms
from runtime.alarm_config import AlarmConfig
from runtime.context import Context
from runtime.site_check import load_site
from runtime.tables import Hazards, Tracks
from runtime.view import View
from runtime.view_stage import view_stages
from tests.machine import faulty
from tests.runtime.views import HEIGHT, WIDTH, alive, seen, yard

FRAMES = 800
ALLOWED_KB = 8
"""Two pages, as without the rule: see test_seal."""
SITE = """format = 1
name = "t"
units = "fraction"
[[rules]]
kind = "intrusion_of_view"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    path = tmp_path_factory.mktemp("site") / "view.toml"
    path.write_text(SITE)
    return str(path)


@pytest.fixture(scope="module")
def watched(site):
    return faulty(frames=FRAMES, site=site)


def test_the_stage_is_there_before_the_rules_and_cheap(watched):
    spent = watched["report"]["stage_ms_mean"]
    assert list(spent)[2:5] == ["track", "view", "rules"]
    assert 0 < spent["view"] < 0.1 * spent["detect"]


def test_memory_does_not_move(watched):
    report = watched["report"]
    assert report["frames"] == FRAMES
    assert report["rss_kb_end"] - report["rss_kb_sealed"] <= ALLOWED_KB
    assert report["address_space_kb_end"] <= report["address_space_kb_sealed"]
    assert report["kept_objects_per_frame"] < 0.2
    assert report["cyclic_objects_per_frame"] < 0.05


def test_people_who_walk_by_are_no_alarm(watched):
    assert [e for e in watched["events"] if e["kind"] in ("hazard", "fault")] == []


def test_without_the_rule_there_is_no_stage():
    done = faulty(frames=20)
    assert "view" not in done["report"]["stage_ms_mean"]


def test_in_the_dark_the_fault_comes_first_and_the_rule_on_top(site):
    done = faulty(frames=120, site=site, camera=[["dark", 6000, 11_000]])
    told = [
        (e["kind"], e["rule"], e["state"])
        for e in done["events"]
        if e["kind"] in ("fault", "hazard") and e["t_ms"] < 11_000
    ]
    assert told == [
        ("fault", "camera_fault", "raised"),
        ("hazard", "intrusion_of_view", "raised"),
    ]
    (hazard,) = [e for e in done["events"] if e["kind"] == "hazard"][:1]
    assert hazard["why"]["kind"] == "dark" and hazard["track"] == 0 and hazard["zone"] == ""


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("kinds = []", "rules[0].kinds"),
        ('kinds = ["blurred"]', "rules[0].kinds[0]"),
        ("max_shift = 0.0", "rules[0].max_shift"),
        ("covered_share = 1.5", "rules[0].covered_share"),
        ("zone = 'pit'", "rules[0].zone"),
    ],
)
def test_mistakes_are_named(tmp_path, line, key):
    path = tmp_path / "site.toml"
    path.write_text(SITE + line + "\n")
    with pytest.raises(ConfigErrors) as refused:
        load_site(path)
    assert [mistake.key for mistake in refused.value.mistakes] == [key]


class Camera:
    """The stage with an alarm that an operator may acknowledge; the rule's word is given."""

    def __init__(self) -> None:
        self.view = View(1)
        frame = Frame(WIDTH, HEIGHT)
        self.context = Context(frame, Detections(4), Tracks(4), Hazards(1), None, self.view)
        self.alarms = Alarms(["warning"], AlarmConfig())
        (self.stage,) = view_stages(self.context, (WIDTH, HEIGHT), self.alarms)

    def see(self, picture, looks: int) -> None:
        for _ in range(looks):
            self.context.t_ms += 400
            self.context.frame.pixels = alive(picture, int(self.context.t_ms))
            self.stage.run(self.context)

    def raise_(self, kind) -> None:
        self.view.raised[0] = kind
        self.alarms.step([1], [0], self.context.t_ms)

    def acknowledge(self) -> None:
        self.alarms.acknowledge()
        self.alarms.step([1], [], self.context.t_ms)


@pytest.mark.parametrize(
    ("kind", "forgets"), [("moved", True), ("frozen", True), ("covered", False), ("dark", False)]
)
def test_acknowledging_takes_a_move_as_right_and_never_a_cover(kind, forgets):
    camera, home = Camera(), seen(yard())
    camera.see(home, 12)
    camera.raise_(kind)
    camera.see(home, 2)
    assert camera.view.learned
    camera.acknowledge()
    camera.see(home, 1)
    assert camera.view.learned is not forgets
    camera.see(home, 12)
    assert camera.view.learned, "it was forgotten once, not at every look"


def test_a_context_without_the_table_has_no_stage():
    frame = Frame(WIDTH, HEIGHT)
    context = Context(frame, Detections(4), Tracks(4), Hazards(1))
    assert view_stages(context, (WIDTH, HEIGHT), Alarms([], AlarmConfig())) == ()
    assert np.all(frame.pixels == 0)
