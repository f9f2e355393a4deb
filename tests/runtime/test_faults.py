"""Everything that can break, broken on a timeline: seen within a second, shown, and recovered from.

The camera runs on the synthetic room at 10 frames/s in virtual time: a person walks through it
from 2 s to 10 s of every 12 s.
"""

from __future__ import annotations

import pytest

from tests.machine import faulty

START_MS, END_MS = 1000, 4000
SECOND_MS = 1000
FRAME_MS = 100
CLEAR_MS = 500


def of(result, kind, state=None, rule=None):
    return [
        event
        for event in result["events"]
        if event["kind"] == kind
        and (state is None or event["state"] == state)
        and (rule is None or event["rule"] == rule)
    ]


def relay(result):
    return [tuple(edge) for edge in result["edges"]["fault_relay"]]


@pytest.fixture(scope="module")
def quiet():
    return faulty(frames=60)


def test_without_a_fault_the_relay_is_energised_from_the_first_judged_frame(quiet):
    assert of(quiet, "fault") == []
    assert relay(quiet)[0] == (0.0, True)
    assert [level for _, level in relay(quiet)] == [True, False], "and dropped at the end only"


def test_the_person_is_an_alarm_and_the_empty_room_is_not(quiet):
    (raised,) = of(quiet, "hazard", "raised")
    assert raised["t_ms"] > 2000
    siren = quiet["edges"]["siren"]
    assert siren[0] == [raised["t_ms"], True], "the siren edge comes with the settling frame"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("silent", "no_frame"),
        ("frozen", "frozen"),
        ("dark", "dark"),
        ("unplugged", "read_failed"),
    ],
)
def test_a_blind_camera_is_an_alarm_within_a_second_and_recovers(fault, reason):
    result = faulty(frames=60, camera=[[fault, START_MS, END_MS]])
    (raised,) = of(result, "fault", "raised")
    (cleared,) = of(result, "fault", "cleared")
    assert raised["rule"] == "camera_fault"
    assert raised["why"]["reason"] in (reason, "missing")
    assert START_MS <= raised["t_ms"] <= START_MS + SECOND_MS
    _, (down_ms, down), (up_ms, up), _ = relay(result)
    assert (down, up) == (False, True)
    assert down_ms <= START_MS + SECOND_MS
    worst_retry_ms = 2000 if fault == "unplugged" else 0
    assert END_MS <= up_ms <= END_MS + worst_retry_ms + CLEAR_MS + FRAME_MS
    assert cleared["t_ms"] >= raised["t_ms"]


def test_a_camera_that_never_comes_back_ends_the_run_with_its_reason():
    config = {"give_up_ms": 5000}
    result = faulty(camera=[["unplugged", START_MS, 1e9]], camera_config=config, frames=1000)
    assert "pulled out by the test" in result["end"]
    assert of(result, "shutdown")[0]["state"] == "camera_gone"
    assert relay(result)[-1][1] is False


@pytest.mark.parametrize(
    ("fault", "reason"), [("error", "invoke_failed"), ("stale", "stale_output")]
)
def test_an_npu_that_fails_or_repeats_itself_is_an_alarm_and_recovers(fault, reason):
    start_ms, end_ms = 4000, 7000
    result = faulty(frames=90, npu=[[fault, start_ms, end_ms]])
    (raised,) = of(result, "fault", "raised")
    assert (raised["rule"], raised["why"]["reason"]) == ("npu_fault", reason)
    assert raised["t_ms"] <= start_ms + SECOND_MS
    (_, (down_ms, _), (up_ms, up), _) = relay(result)
    assert down_ms == raised["t_ms"]
    assert up and up_ms <= end_ms + CLEAR_MS + FRAME_MS
    assert result["report"]["npu_errors"] > 0


def test_memory_that_the_seal_refuses_is_a_fault_and_the_camera_goes_on():
    result = faulty(frames=60, npu=[["memory", 1000, 1100]])
    (raised,) = of(result, "fault", "raised")
    (cleared,) = of(result, "fault", "cleared")
    assert (raised["rule"], raised["why"]["reason"]) == ("memory_fault", "no_memory")
    assert raised["t_ms"] == 1000
    assert cleared["t_ms"] > raised["t_ms"]
    assert of(result, "hazard", "raised"), "it watches on"


def test_time_never_runs_backwards_over_a_lost_camera():
    result = faulty(frames=60, camera=[["unplugged", START_MS, END_MS]])
    times = [event["t_ms"] for event in result["events"]]
    assert times == sorted(times)


def test_a_siren_that_refuses_is_a_fault_and_the_strobe_still_lights():
    result = faulty(frames=80, output=[["siren", 2000, 6000]])
    (raised,) = of(result, "fault", "raised")
    assert (raised["rule"], raised["why"]["reason"]) == ("output_fault", "refused")
    assert result["edges"]["strobe"][0][1] is True
    assert result["edges"]["strobe"][0][0] < 6000
    assert any(level and at >= 6000 for at, level in result["edges"]["siren"]), "tried again"


def test_full_flash_is_a_fault_and_no_event_is_lost_or_reordered():
    result = faulty(frames=80, storage=[["full", 2500, 5000]])
    (raised,) = of(result, "fault", "raised")
    assert (raised["rule"], raised["why"]["reason"]) == ("storage_fault", "full")
    assert of(result, "hazard", "raised"), "written when there was room again"
    assert result["edges"]["siren"][0][0] < 5000, "the siren does not wait for the journal"
    seqs = [event["seq"] for event in result["events"]]
    assert seqs == sorted(set(seqs))
    times = [event["t_ms"] for event in result["events"]]
    assert times == sorted(times)


def test_two_runs_of_the_same_plan_are_the_same_to_the_byte():
    plan = {"frames": 70, "camera": [["frozen", 3000, 5000]], "npu": [["error", 6000, 6500]]}
    first, second = faulty(**plan), faulty(**plan)
    assert first["events"] == second["events"]
    assert first["edges"] == second["edges"]
