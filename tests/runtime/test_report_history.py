"""A journal added up: runs, blindness, alarms and their acknowledgement, hours of counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from journals import DAY_MS, HOUR_MS, Camera, an_hour, zone_hour

from drivers.storage import FileReader
from runtime.journal import read_all
from runtime.report.history import History, Span, read, union_ms
from runtime.report.summary import summarise

MIN = 60_000


@pytest.fixture
def told(tmp_path: Path) -> Callable[[Callable[[Camera], object]], History]:
    def run(story: Callable[[Camera], object]) -> History:
        camera = Camera(tmp_path / "j.ring")
        story(camera)
        camera.close()
        reader = FileReader(tmp_path / "j.ring")
        try:
            return read(read_all(reader))
        finally:
            reader.close()

    return run


Told = Callable[[Callable[[Camera], object]], History]


def test_a_planned_run_is_as_long_as_its_records_say(told: Told) -> None:
    history = told(lambda camera: camera.boot("north").wait(90 * MIN).stop())
    (run,) = history.runs
    assert (run.span.length_ms, run.end) == (90 * MIN, "planned")
    assert (history.site, history.board, history.has_dates) == ("north", "sim", True)


def test_a_power_cut_ends_a_run_at_its_last_record(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot().wait(60 * MIN).hour(an_hour()).wait(20 * MIN)
        camera.boot().wait(30 * MIN).stop()

    history = told(story)
    assert [(run.span.length_ms, run.end) for run in history.runs] == [
        (60 * MIN, "cut"),
        (30 * MIN, "planned"),
    ]
    watch = summarise(history, 5).watch
    assert watch.off_ms == 20 * MIN, "from the last record to the next start"
    assert (watch.starts, watch.cuts) == (2, 1)


def test_blind_minutes_of_both_faults_are_counted_once(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot().wait(10 * MIN).fault("raised").wait(2 * MIN)
        camera.fault("raised", "npu_fault", "no_result").wait(MIN).fault("cleared")
        camera.wait(4 * MIN).fault("cleared", "npu_fault").wait(MIN)
        camera.fault("raised", "storage_fault", "full").wait(MIN).stop()

    history = told(story)
    assert [(b.fault, b.span.length_ms) for b in history.blind] == [
        ("camera_fault", 3 * MIN),
        ("npu_fault", 5 * MIN),
    ]
    watch = summarise(history, 5).watch
    assert (watch.blind_ms, watch.watched_ms) == (7 * MIN, 12 * MIN)


def test_who_was_blind_at_the_end_was_blind_until_the_end(told: Told) -> None:
    history = told(lambda camera: camera.boot().wait(MIN).fault("raised").wait(9 * MIN).stop())
    assert history.blind[0].span.length_ms == 9 * MIN


def test_the_time_to_acknowledge(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot()
        for seconds in (10, 20, 90):
            camera.alarm("active_unacked").wait(1000 * seconds)
            camera.alarm("active_acked", acked=True).wait(MIN).alarm("normal")
        camera.alarm("active_unacked").wait(5000).alarm("returned_unacked").wait(55_000)
        camera.alarm("active_unacked").wait(60_000).alarm("returned_unacked")
        camera.alarm("normal", acked=True)
        camera.alarm("active_unacked", "dock").wait(3000).alarm("normal", "dock")
        camera.alarm("active_unacked", "dock").wait(MIN).stop()

    press, dock = summarise(told(story), 5).alarms
    assert (press.rule, press.alarms, press.acknowledged) == ("zone press", 4, 4)
    assert press.ack_median_ms == (20_000 + 90_000) / 2
    assert press.ack_most_ms == 120_000, "from when it first sounded"
    assert (dock.alarms, dock.returned, dock.waiting) == (2, 1, 1)
    assert dock.ack_median_ms is None


def test_a_new_cause_while_acknowledged_is_a_new_alarm(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot().alarm("active_unacked").wait(5000).alarm("active_acked", acked=True)
        camera.wait(5000).alarm("active_unacked").wait(7000).alarm("active_acked", acked=True)

    assert [alarm.ack_ms for alarm in told(story).alarms] == [5000, 7000]


def test_shelving_is_no_acknowledgement(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot().alarm("active_unacked").wait(1000).alarm("shelved").wait(1000)
        camera.alarm("unshelved").wait(1000).alarm("active_acked", acked=True)

    assert [alarm.ack_ms for alarm in told(story).alarms] == [3000]


def test_an_alarm_that_was_kept_over_a_restart_is_one_alarm(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot().alarm("active_unacked").wait(10_000).alarm("active_unacked", "dock")
        camera.wait(20_000).boot()
        why: dict[str, object] = {"severity": "danger", "restored": True}
        camera.tell("alarm", "returned_unacked", why, "zone", "press").wait(30_000)
        camera.alarm("normal", acked=True).stop()

    press, dock = told(story).alarms
    assert (press.ack_ms, press.end) == (60_000, "acknowledged")
    assert (dock.rule, dock.end) == ("zone dock", "open"), "the next run knew nothing of it"


def test_rules_of_one_place_are_told_apart_by_their_severity(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot()
        for severity in ("danger", "warning"):
            camera.tell("alarm", "active_unacked", {"severity": severity}, "zone", "a").wait(1000)
        camera.tell("alarm", "active_acked", {"severity": "danger"}, "zone", "a").wait(1000)
        camera.tell("alarm", "active_acked", {"severity": "warning"}, "zone", "a")

    assert [alarm.ack_ms for alarm in told(story).alarms] == [2000, 2000]


def test_alarm_records_of_other_versions_are_read_too(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot()
        camera.tell("alarm", "ACTIVE_UNACKED", {"who": {"track": 3}, "where": [1, 2]}, "zone", "a")
        camera.tell("alarm", "something_new", {}, "zone", "a").wait(1000)
        camera.tell("alarm", "active_acked", {}, "zone", "a")

    assert [alarm.ack_ms for alarm in told(story).alarms] == [1000]


def test_hours_of_counts_come_back_as_they_were_counted(told: Told) -> None:
    hours = [
        an_hour(DAY_MS + n * HOUR_MS, cells={n: (1000.0, 7)}, zones={"a": zone_hour(n)})
        for n in range(3)
    ]

    def story(camera: Camera) -> None:
        camera.boot()
        for period in hours:
            camera.wait(HOUR_MS).hour(period)

    assert told(story).periods == hours


def test_an_old_journal_without_counts_says_so(told: Told) -> None:
    history = told(lambda camera: camera.boot().wait(MIN).alarm("active_unacked").stop())
    summary = summarise(history, 5)
    assert not summary.has_counts
    assert summary.alarms[0].alarms == 1


def test_a_window_cuts_runs_and_takes_hours_by_their_beginning(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot()
        for n in range(4):
            camera.wait(HOUR_MS).hour(an_hour(DAY_MS + n * HOUR_MS, lines={"gate": (9, 9)}))
        camera.stop()

    window = DAY_MS + 0.5 * HOUR_MS, DAY_MS + 2 * HOUR_MS
    summary = summarise(told(story), 5, window=window)
    assert summary.watch.ran_ms == 1.5 * HOUR_MS
    assert summary.hours == 1
    assert [hour.count_in for hour in summary.lines["gate"]] == [9]


def test_more_than_three_days_are_shown_by_the_hour_of_the_day(told: Told) -> None:
    def story(camera: Camera) -> None:
        camera.boot()
        for n in range(100):
            camera.wait(HOUR_MS).hour(an_hour(DAY_MS + n * HOUR_MS, lines={"gate": (10, 2)}))

    summary = summarise(told(story), 5)
    assert summary.by_hour_of_day
    hours = summary.lines["gate"]
    assert len(hours) == 24
    assert [hours[0].count_in, hours[23].count_in] == [50, 40]
    assert hours[0].withheld_out == 5 and hours[0].count_out == 0


def test_a_clock_that_was_never_set_gives_no_dates(tmp_path: Path) -> None:
    camera = Camera(tmp_path / "j.ring", start_ms=0)
    camera.boot().wait(HOUR_MS).hour(an_hour(0, lines={"gate": (6, 6)})).stop().close()
    reader = FileReader(tmp_path / "j.ring")
    summary = summarise(read(read_all(reader)), 5)
    reader.close()
    assert not summary.has_dates
    assert summary.watch.off_ms is None
    assert [hour.label for hour in summary.lines["gate"]] == ["1"]


def test_spans_that_overlap_are_counted_once() -> None:
    assert union_ms([Span(0, 10), Span(5, 10), Span(30, 5), Span(31, 1)]) == 20
    assert union_ms([]) == 0


def test_an_empty_journal_is_no_mistake() -> None:
    summary = summarise(read([]), 5)
    assert (summary.records, summary.has_counts, summary.watch.ran_ms) == (0, False, 0)
