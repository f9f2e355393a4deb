"""Scenario files: all mistakes at once, each with file, key and what is allowed."""

from __future__ import annotations

import pytest

from drivers.toml_strict import ConfigErrors
from sim.scenario import inline_site
from sim.scenario.load import load_scenario
from sim.scenario.new_cli import TEMPLATE
from tests.sim.scenario.texts import ENTRY, NO_LOSS, RAISED, expect, fault


def write(tmp_path, text):
    path = tmp_path / "x.scenario.toml"
    path.write_text(text)
    return path


def mistakes(tmp_path, text):
    """key -> what is allowed."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigErrors) as raised:
        load_scenario(path)
    assert all(m.file.endswith(".toml") for m in raised.value.mistakes)
    return {m.key: m.allowed for m in raised.value.mistakes}


def test_a_good_one_is_read(tmp_path):
    loaded = load_scenario(write(tmp_path, ENTRY + RAISED))
    assert loaded.scenario.name == "zone entry"
    assert loaded.board.name == "sim"
    assert loaded.site is None


def test_the_template_is_a_good_one():
    assert load_scenario(TEMPLATE).scenario.expect


def test_every_mistake_is_named_at_once(tmp_path):
    text = ENTRY.replace("duration_ms = 9000", 'duration_ms = "long"\nspeed = 2')
    text = text.replace('kind = "zone", zone = "press"', 'kind = "zone", zone = "pess"')
    text = text.replace('do = "stand"', 'do = "dance"')
    text += '[board]\nfile = "sim"\nset = { "camera.fps" = 2000 }\n'
    text += fault("camera", "wet", 0) + expect("event", 'kind = "alert"') + expect("luck")
    found = mistakes(tmp_path, text)
    assert set(found) == {
        "speed",
        "duration_ms",
        "camera.fps",
        "world.people[0].script[0].do",
        "site.rules[0].zone",
        "faults[0].type",
        "expect[0].kind",
        "expect[1].that",
    }
    assert "press" in found["site.rules[0].zone"]
    assert "unplugged" in found["faults[0].type"]
    assert "no_loss" in found["expect[1].that"]
    assert '"dance"' not in found["world.people[0].script[0].do"]
    assert "tie_shoes" in found["world.people[0].script[0].do"]


@pytest.mark.parametrize(
    ("tables", "key", "word"),
    [
        (fault("camera", "silent", 9000), "faults[0].at_ms", "9000"),
        (fault("camera", "silent", 8000, 2000), "faults[0].for_ms", "duration_ms"),
        (fault("lens", "dirty", 1), "faults[0].component", "fault_relay"),
        (fault("power", "cut", 1, 500), "faults[0].for_ms", "no length"),
        (fault("npu", "slow", 1), "faults[0].options.ms", "missing"),
        ('[[actions]]\nat_ms = 1\ndo = "shelve"\n', "actions[0].for_ms", "for ever"),
        ('[[actions]]\nat_ms = 1\ndo = "mute"\nplace = "x"\n', "actions[0].place", "press"),
        (expect("count", 'line = "gate"\npeople_in = 1'), "expect[0].line", "no lines"),
        (expect("fault", 'shown_as = "npu_fault"'), "expect[0].of", "0 faults"),
        (expect("event", 'zone = "pess"'), "expect[0].zone", "press"),
        (expect("event", "min = 3\nmax = 2"), "expect[0].max", "min"),
        (expect("output", 'name = "horn"'), "expect[0].name", "siren"),
        (expect("silent", "between_ms = [5, 99999]"), "expect[0].between_ms", "duration_ms"),
        (expect("silent", "between_ms = [5, 4]"), "expect[0].between_ms", "from <= to"),
        (expect("silent", "within_ms = 5"), "expect[0].within_ms", "after"),
        (expect("silent", 'after = { person = "anna" }'), "expect[0].within_ms", "missing"),
        (
            expect("silent", 'within_ms = 5\nafter = { person = "ann", appears = true }'),
            "expect[0].after.person",
            "anna",
        ),
        (
            expect("silent", 'within_ms = 5\nafter = { person = "anna", enters = "x" }'),
            "expect[0].after.enters",
            "press",
        ),
        (
            expect("silent", 'within_ms = 5\nafter = { person = "anna" }'),
            "expect[0].after",
            "exactly one",
        ),
        (
            expect("silent", "within_ms = 5\nafter = { fault = 0 }"),
            "expect[0].after.fault",
            "only 0",
        ),
    ],
)
def test_values_must_fit_one_another(tmp_path, tables, key, word):
    found = mistakes(tmp_path, ENTRY + tables + NO_LOSS)
    assert word in found[key]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('{ do = "stand" }', '{ do = "walk" }', "world.people[0].script[0].to_m"),
        ('{ do = "stand" }', '{ do = "climb" }', "world.people[0].script[0].to_height_m"),
        ('{ do = "stand" }', "", "world.people[0].script"),
        ("[0.5, 0.1], [7.5, 0.1], ", "", "world.zones[0].polygon_m"),
        ("hold_ms = 300", "hold_ms = -1", "site.rules[0].hold_ms"),
        ('kind = "zone"', 'kind = "yodelling"', "site.rules[0].kind"),
        ("format = 1", "format = 2", "format"),
        ('purpose = "A worker', 'purpose = "short" # ', "purpose"),
    ],
)
def test_the_rest_of_the_file_is_checked(tmp_path, old, new, key):
    assert key in mistakes(tmp_path, ENTRY.replace(old, new, 1) + NO_LOSS)


def test_people_and_machines_have_names_of_their_own(tmp_path):
    again = '[[world.machines]]\nname = "anna"\nkind = "forklift"\nat_m = [0, 9]\n'
    assert "world.machines[0].name" in mistakes(tmp_path, ENTRY + again + NO_LOSS)


class TestBoard:
    def test_values_of_the_board_file_can_be_changed(self, tmp_path):
        text = ENTRY + NO_LOSS + '[board.set]\n"npu.call_deadline_ms" = 200\ncamera.fps = 12.5\n'
        text += '"outputs.strobe.on_boot" = "on"\n'
        board = load_scenario(write(tmp_path, text)).board
        assert (board.npu.call_deadline_ms, board.camera.fps) == (200, 12.5)
        assert {o.name: o.on_boot for o in board.outputs}["strobe"] == "on"

    @pytest.mark.parametrize(
        ("line", "key"),
        [
            ('"camera.no_frame_ms" = 5000', "camera.no_frame_ms"),
            ('"camera.nose" = 1', "camera.nose"),
            ('"outputs.horn.on_boot" = "on"', "board.set.outputs.horn.on_boot"),
            ('"name.first" = 1', "board.set.name.first"),
            ('"npu.driver" = "abacus"', "npu.driver"),
        ],
    )
    def test_and_are_checked_like_the_file_itself(self, tmp_path, line, key):
        assert key in mistakes(tmp_path, ENTRY + NO_LOSS + f"[board.set]\n{line}\n")

    def test_a_board_that_is_not_there_is_named(self, tmp_path):
        text = ENTRY + NO_LOSS + '[board]\nfile = "moon"\n'
        assert "no such file" in mistakes(tmp_path, text)["board.file"]


class TestSite:
    def test_a_later_rule_is_no_mistake_of_a_scenario_that_waits(self, tmp_path, monkeypatch):
        monkeypatch.setattr(inline_site, "UNBUILT", frozenset({"yodelling"}))
        text = ENTRY.replace('kind = "zone"', 'kind = "yodelling"') + NO_LOSS
        load_scenario(write(tmp_path, text.replace("seed = 3", 'waits_for = "rule yodelling"')))
        assert "site.rules[0].kind" in mistakes(tmp_path, text)

    def test_a_rule_that_nobody_has_heard_of_is_one_all_the_same(self, tmp_path):
        text = ENTRY.replace('kind = "zone"', 'kind = "yawning"') + NO_LOSS
        text = text.replace("seed = 3", 'waits_for = "rule yawning"')
        assert "site.rules[0].kind" in mistakes(tmp_path, text)

    def test_a_site_file_stands_alone(self, tmp_path):
        text = ENTRY.replace("[site]", '[site]\nfile = "y.toml"') + NO_LOSS
        assert set(mistakes(tmp_path, text)) == {"site.rules"}

    def test_mistakes_of_a_site_file_are_named_with_that_file(self, tmp_path):
        (tmp_path / "y.toml").write_text("format = 1\n")
        start = ENTRY.index("rules = ")
        text = ENTRY[:start] + 'file = "y.toml"\n' + ENTRY[ENTRY.index("[[world.zones") :] + NO_LOSS
        with pytest.raises(ConfigErrors) as raised:
            load_scenario(write(tmp_path, text))
        assert {m.file for m in raised.value.mistakes} == {str(tmp_path / "y.toml")}


@pytest.mark.parametrize("text", ["", "x = [", "format = 1", "[[expect]]", "site = 3\nworld = 4"])
def test_rubbish_is_refused_with_words(tmp_path, text):
    assert mistakes(tmp_path, text)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigErrors, match="no such file"):
        load_scenario(tmp_path / "none.scenario.toml")
