"""The real firmware on the virtual board, each run in a process of its own, with planted faults."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from drivers.storage import FileReader
from runtime.journal import read_all
from sim.scenario import inline_site, leave
from sim.scenario.jobs import Task, play_all
from sim.scenario.load import load_scenario
from tests.sim.scenario.texts import ENTRY, NO_LOSS, RAISED, expect, fault

CHILD = "tests.sim.scenario.stand_in_child"
CUTS = [(count, tail) for tail in ("old", "erased", "garbage", "") for count in (1, 2, 3, 4)]
RELAY = expect("output", 'role = "fault"\nlevel = "on"\nafter = { boot = 1 }\nwithin_ms = 500')


def quick(text, duration_ms=3000, reboot_ms=500):
    changed = f"duration_ms = {duration_ms}\nreboot_ms = {reboot_ms}"
    return text.replace("duration_ms = 9000", changed)


PLANS = {
    "entry": ENTRY + RAISED + NO_LOSS + expect("exit"),
    "killed_with_alarm": quick(ENTRY, 9000)
    + fault("power", "kill", 6000)
    + RELAY
    + NO_LOSS
    + expect("reset", 'cause = "killed"')
    + expect("event", 'kind = "shutdown"\nstate = "planned"\nmax = 1'),
    "cuts": quick(ENTRY, 500 * len(CUTS) + 1000, 100)
    + "".join(
        fault("power", "kill", 500 * n)
        + fault("power", "cut", 500 * n + 10, 0, f'at_operation = {count}, tail = "{tail}"')
        for n, (count, tail) in enumerate(CUTS, start=1)
    )
    + "".join(fault("storage", "torn_record", 500 * n + 5) for n in (3, 9))
    + expect("reset", f'cause = "power_cut"\ncount = {len(CUTS)}')
    + NO_LOSS,
    "hang": quick(ENTRY, 9000)
    + "[board.set]\nwatchdog.timeout_ms = 1500\n"
    + fault("npu", "hang", 1000, 3000)
    + RELAY
    + NO_LOSS
    + expect("reset", 'cause = "watchdog"\nafter = { fault = 0 }\nwithin_ms = 1700')
    + expect("exit"),
    "hang_with_deadline": quick(ENTRY, 5000)
    + '[board.set]\nwatchdog.timeout_ms = 1500\n"npu.call_deadline_ms" = 200\n'
    + fault("npu", "hang", 1000, 2000)
    + expect("reset", "count = 0")
    + expect("fault", 'shown_as = "npu_fault"\nreason = "hung"\ncleared_ms = 1000'),
    "hang_to_the_end": quick(ENTRY, 3000)
    + "[board.set]\nwatchdog.timeout_ms = 60000\n"
    + fault("npu", "hang", 1000)
    + expect("exit", 'how = "hung"'),
    "off_at_the_end": quick(ENTRY, 3000, 5000)
    + fault("power", "cut", 1000)
    + expect("exit", 'how = "dead"')
    + expect("holds", 'role = "fault"\nlevel = "off"\nbetween_ms = [1000, 3000]'),
    "camera_gone": quick(ENTRY, 16000)
    + fault("camera", "unplugged", 500)
    + expect("exit", 'how = "camera_gone"'),
    "slow_npu": quick(ENTRY) + fault("npu", "slow", 0, 0, "ms = 140") + expect("exit"),
    "operator": ENTRY
    + '[[actions]]\nat_ms = 6100\ndo = "acknowledge"\nplace = "press"\n'
    + expect("event", 'kind = "alarm"\nstate = "active_acked"\nafter = { operator = 0 }\n'
             "within_ms = 100")
    + expect("silent", "between_ms = [6200, 9000]")
    + expect("holds", 'role = "strobe"\nlevel = "on"\nbetween_ms = [6200, 8900]'),
}  # fmt: skip
BLIND = {"silent": "no_frame", "frozen": "frozen", "covered": "dark"}
PLANS["blind"] = (
    quick(ENTRY, 12000)
    + "".join(fault("camera", type_, 1000 + 4000 * n, 2000) for n, type_ in enumerate(BLIND))
    + "".join(
        expect("fault", f'of = {n}\nshown_as = "camera_fault"\nreason = "{why}"\ncleared_ms = 600')
        for n, why in enumerate(BLIND.values())
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plans")


@pytest.fixture(scope="module")
def results(folder):
    tasks = []
    for name, text in PLANS.items():
        file = folder / f"{name}.scenario.toml"
        file.write_text(text)
        tasks.append(Task(load_scenario(file), out=folder / name, child=CHILD))
    tasks += [replace(tasks[0], seed=3, out=None), replace(tasks[0], seed=4, out=None)]
    played = [runs[0] for runs in play_all(tasks, jobs=2)]
    return dict(zip([*PLANS, "entry again", "entry with another seed"], played, strict=True))


@pytest.mark.parametrize("name", PLANS)
def test_it_happens_as_expected(results, name):
    unmet = [f"{c.sentence}: {c.measured}" for c in results[name].expectations if not c.ok]
    assert (unmet, results[name].end) == ([], results[name].end), results[name].why
    assert results[name].expectations


@pytest.mark.parametrize(
    ("waits_for", "met", "refused", "verdict"),
    [
        ("", True, "", "passed"),
        ("", False, "", "failed"),
        ("", True, "no site", "refused"),
        ("better days", False, "", "waits"),
        ("better days", False, "zone out of sight", "refused"),
        ("better days", True, "", "early"),
    ],
)
def test_verdicts(waits_for, met, refused, verdict):
    scenario = SimpleNamespace(waits_for=waits_for)
    checked = [SimpleNamespace(ok=True, sentence="a"), SimpleNamespace(ok=met, sentence="b")]
    found, why = leave.verdict(scenario, checked, refused)
    assert found == verdict
    assert refused in why and (found == "refused" or waits_for in why)


def test_a_rule_that_is_not_there_yet_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(inline_site, "UNBUILT", frozenset({"yodelling"}))
    text = quick(ENTRY).replace('kind = "zone"', 'kind = "yodelling"') + NO_LOSS
    file = tmp_path / "later.scenario.toml"
    file.write_text(text.replace("seed = 3", 'waits_for = "rule yodelling"'))
    ((result, *_), *_) = play_all([Task(load_scenario(file), child=CHILD)], jobs=1)
    assert result.verdict == "waits"
    assert "no rule yodelling yet" in result.why


def test_a_zone_that_the_camera_does_not_see_is_refused(folder):
    file = folder / "unseen.scenario.toml"
    file.write_text(ENTRY.replace("[0.5, 0.1], [7.5, 0.1]", "[90, 0], [99, 0]") + NO_LOSS)
    ((result,),) = play_all([Task(load_scenario(file), child=CHILD)], jobs=1)
    assert result.verdict == "refused"
    assert "world.zones[0]" in result.why and "picture" in result.why


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(results):
    first = results["entry"].hashes
    assert results["entry again"].hashes == first
    other = results["entry with another seed"].hashes
    assert other["journal"] != first["journal"] and other["all"] != first["all"]


def test_the_result_tells_the_whole_story(results):
    result = results["entry"]
    assert [event["t_ms"] for event in result.events] == sorted(e["t_ms"] for e in result.events)
    assert result.frames.t_ms == [100.0 * n for n in range(90)]
    assert len(result.frames.tick_ms) == len(result.frames.render_ms) == 90
    (anna,) = result.tracks
    assert anna.name == "anna" and len(anna.t_ms) == len(anna.x_m) == len(anna.action)
    assert result.plan.zones[0].points_px[0] == (340.0, 355.0)
    assert result.metrics[0]["frames"] == 90
    assert result.speed > 1


def test_the_files_are_what_was_shown(results, folder):
    result, files = results["entry"], results["entry"].files
    lines = (folder / "entry" / files["events"]).read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [e["seq"] for e in result.events]
    reader = FileReader(folder / "entry" / files["journal"])
    assert [record.seq for record in read_all(reader)] == [e["seq"] for e in result.events]
    reader.close()
    assert not list(folder.glob("*/annotated*")), "nobody asked for a clip"


def test_a_dying_process_writes_and_shows_nothing(results):
    result = results["killed_with_alarm"]
    (reset,) = result.resets
    late = [e for e in result.events if reset.t_ms <= e["t_ms"] < reset.boot_ms]
    assert late == []
    assert [e.by_reset for e in result.edges if e.t_ms == reset.t_ms] == [True] * 3
    assert not [e for e in result.edges if reset.t_ms < e.t_ms < reset.boot_ms]


def test_boots_are_told_apart(results):
    result = results["killed_with_alarm"]
    assert {event["boot"] for event in result.events} == {1, 2}
    starts = [event["t_ms"] for event in result.events if event["kind"] == "boot"]
    assert starts == [0.0, 6500.0]


def test_every_cut_struck_when_it_was_due(results):
    result = results["cuts"]
    cuts = [f.from_ms for f in result.faults if f.type == "cut"]
    assert cuts == [r.t_ms for r in result.resets if r.cause == "power_cut"]
    boots_ms = [500.0 * n + 100 for n in range(1, len(CUTS) + 1)]
    ticks = [0 if count <= 2 else 100 for count, _ in CUTS]
    assert cuts == [at + late for at, late in zip(boots_ms, ticks, strict=True)]


def test_a_slow_network_makes_the_loop_late(results):
    assert results["slow_npu"].metrics[0]["dropped_frames"] > 0
    assert results["slow_npu"].metrics[0]["lagging_frames"] > 0


def test_a_process_that_dies_is_told_with_its_last_words(folder, results):
    task = Task(load_scenario(folder / "entry.scenario.toml"), child="tests.sim.scenario.none")
    ((result,),) = play_all([task], jobs=1)
    assert result.verdict == "refused"
    assert "tests.sim.scenario.none" in result.why
