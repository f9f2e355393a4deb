"""Each expectation, met and unmet, on runs that are written by hand."""

from __future__ import annotations

import msgspec
import pytest

from sim.board.lines import Edge
from sim.scenario.expect import Expect
from sim.scenario.judge import judge
from sim.scenario.result import FaultSeen, OutputSeen, ResetSeen
from sim.scenario.schema import ActionConfig, FaultConfig, Scenario, SiteChoice
from sim.scenario.seen import Seen
from sim.scenario.truth_log import TruthLog
from sim.world.config import LineConfig, PersonConfig, StepConfig, WorldConfig, ZoneConfig
from sim.world.truth import PersonTruth, Truth

SQUARE = [(0.0, 0.0), (9.0, 0.0), (9.0, 9.0)]
WORLD = WorldConfig(
    zones=[ZoneConfig(name="press", polygon_m=SQUARE)],
    lines=[LineConfig(name="gate", start_m=(2.0, -1.0), end_m=(2.0, 1.0))],
    people=[PersonConfig(name="anna", at_m=(0.0, 0.0), script=[StepConfig(do="stand")])],
)


class Walk:
    """Anna goes 1 m a second along y = 0, is in the press from x = 1 to 3, and falls at 3.5 s."""

    def pose(self, t_ms):
        self.t_ms = t_ms

    def brief(self):
        x = self.t_ms / 1000
        zones = ("press",) if 1 <= x < 3 else ()
        action = "fall" if x >= 3.5 else "walk"
        person = PersonTruth(
            "anna", None, 1, 1, None, None, None, action, x < 2, True, (x, 0.0), 0, 1, zones
        )
        return Truth(self.t_ms, (person,), ())


def event(t_ms, kind="hazard", rule="zone", zone="press", state="raised", seq=1, **why):
    row = {"t_ms": t_ms, "kind": kind, "rule": rule, "zone": zone, "state": state}
    return {**row, "seq": seq, "why": why, "frame": 1, "track": 1, "boot": 1}


def verdict(table, **run):
    """Judge one expectation over a run of 5 s."""
    truth = TruthLog(Walk())
    truth.fill(float(t) for t in range(0, 5000, 100))
    scenario = Scenario(
        format=1,
        name="n",
        purpose="to be judged",
        duration_ms=5000,
        site=SiteChoice(),
        world=WORLD,
        faults=[FaultConfig(at_ms=1000, component="camera", type="silent")],
        actions=[ActionConfig(at_ms=2500, do="mute")],
        expect=[msgspec.convert(table, Expect)],
    )
    outputs = [
        OutputSeen(name="siren", role="siren", on_boot=False),
        OutputSeen(name="relay", role="fault", on_boot=False),
    ]
    (checked,) = judge(Seen(scenario, outputs, truth, **run))
    return checked


def ok(table, **run):
    return verdict(table, **run).ok


AFTER = {"after": {"person": "anna", "enters": "press"}, "within_ms": 500}


class TestMoments:
    @pytest.mark.parametrize(
        ("moment", "t_ms"),
        [
            ({"person": "anna", "enters": "press"}, 1000),
            ({"person": "anna", "leaves": "press"}, 3000),
            ({"person": "anna", "crosses": "gate"}, 2000),
            ({"person": "anna", "action": "fall"}, 3500),
            ({"person": "anna", "loses": "helmet"}, 2000),
            ({"person": "anna", "appears": True}, 0),
            ({"operator": 0}, 2500),
            ({"fault": 0}, 1000),
            ({"fault_ends": 0}, 3000),
            ({"boot": 1}, 4200),
        ],
    )
    def test_are_known_to_the_frame(self, moment, t_ms):
        run = {
            "resets": [ResetSeen(t_ms=1200, cause="killed", detail="", boot_ms=4200)],
            "faults": [silent(1000, 3000)],
        }
        checked = verdict({"that": "silent", "after": moment, "within_ms": 10}, **run)
        # a line is crossed between two pictures, seen in the later one
        assert t_ms <= checked.from_ms <= t_ms + 100
        assert checked.to_ms == checked.from_ms + 10

    def test_one_that_never_comes_fails_and_says_so(self):
        table = {**AFTER, "that": "silent", "after": {**AFTER["after"], "nth": 2}}
        checked = verdict(table)
        assert not checked.ok
        assert "never happened" in checked.measured
        assert checked.from_ms is None


def silent(from_ms, to_ms):
    return FaultSeen(
        number=0,
        component="camera",
        type="silent",
        from_ms=from_ms,
        to_ms=to_ms,
        options={},
        text="",
    )


class TestEvents:
    def test_one_in_time_meets_it(self):
        checked = verdict({"that": "event", "zone": "press", **AFTER}, events=[event(1300)])
        assert checked.ok
        assert (checked.measured, checked.allowed, checked.at_ms) == ("300 ms", "0..500 ms", 1300)

    @pytest.mark.parametrize("t_ms", [900, 1501])
    def test_one_too_early_or_too_late_does_not(self, t_ms):
        checked = verdict({"that": "event", **AFTER}, events=[event(t_ms)])
        assert not checked.ok
        assert f"nearest at {t_ms}" in checked.measured

    @pytest.mark.parametrize("t_ms", [1000, 1500])
    def test_both_ends_belong_to_the_window(self, t_ms):
        assert ok({"that": "event", **AFTER}, events=[event(t_ms)])

    @pytest.mark.parametrize(
        "filters",
        [{"kind": "alarm"}, {"rule": "line"}, {"zone": "pit"}, {"state": "in"}, {"why": {"n": 2}}],
    )
    def test_one_that_does_not_fit_counts_for_nothing(self, filters):
        assert ok({"that": "event", "why": {"n": 1}}, events=[event(1, n=1)])
        assert not ok({"that": "event", **filters}, events=[event(1, n=1)])
        assert ok({"that": "no_event", **filters}, events=[event(1, n=1)])

    @pytest.mark.parametrize(("count", "met"), [(1, False), (2, True), (3, True), (4, False)])
    def test_they_can_be_counted(self, count, met):
        events = [event(100 * n) for n in range(count)]
        assert ok({"that": "event", "min": 2, "max": 3}, events=events) is met

    def test_a_window_may_lie_before_its_moment(self):
        table = {"that": "event", **AFTER, "from_ms": -800, "within_ms": 0}
        assert ok(table, events=[event(400)])
        assert not ok(table, events=[event(1100)])

    def test_one_that_should_not_be_there_is_named(self):
        checked = verdict({"that": "no_event", "between_ms": [0, 2000]}, events=[event(1700)])
        assert not checked.ok
        assert "zone press raised at 1700 ms" in checked.measured


def edges(*changes):
    roles = {"siren": "siren", "relay": "fault"}
    return [Edge(t_ms, name, roles[name], level) for t_ms, name, level in changes]


class TestOutputs:
    def test_an_edge_in_time_meets_it(self):
        table = {"that": "output", "role": "siren", **AFTER}
        assert ok(table, edges=edges((1200, "siren", True)))
        assert not ok(table, edges=edges((900, "siren", True)))
        assert not ok({**table, "level": "off"}, edges=edges((1200, "siren", True)))
        assert not ok({**table, "name": "relay"}, edges=edges((1200, "siren", True)))

    def test_silence_is_silence_over_the_whole_window(self):
        table = {"that": "silent", "between_ms": [1000, 2000]}
        assert ok(table)
        assert ok(table, edges=edges((500, "siren", True), (999, "siren", False)))
        assert not ok(table, edges=edges((500, "siren", True))), "it sounds already"
        assert not ok(table, edges=edges((2000, "siren", True)))
        assert ok(table, edges=edges((2001, "siren", True)))

    def test_a_level_holds_from_an_edge_at_the_beginning(self):
        table = {"that": "holds", "role": "fault", "level": "on", "between_ms": [1000, 2000]}
        assert ok(table, edges=edges((1000, "relay", True)))
        assert not ok(table, edges=edges((1100, "relay", True)))
        assert not ok(table, edges=edges((0, "relay", True), (1500, "relay", False)))


NOTICED = {"that": "fault", "shown_as": "camera_fault", "raised_ms": 1000, "cleared_ms": 600}


class TestFault:
    def run(self, raised=1900, dropped=1900, cleared=3500, closed=3500, reason="no_frame"):
        events = [
            event(raised, "fault", "camera_fault", "", "raised", reason=reason),
            event(cleared, "fault", "camera_fault", "", "cleared"),
        ]
        relay = edges((0, "relay", True), (dropped, "relay", False), (closed, "relay", True))
        return {"faults": [silent(1000, 3000)], "events": events, "edges": relay}

    def test_noticed_shown_and_over_in_time(self):
        assert ok(NOTICED, **self.run())
        assert ok({**NOTICED, "reason": "no_frame"}, **self.run())

    @pytest.mark.parametrize(
        "late", [{"raised": 2001}, {"dropped": 2001}, {"cleared": 3601}, {"closed": 3601}]
    )
    def test_each_of_the_four_can_be_late(self, late):
        assert not ok(NOTICED, **self.run(**late))

    def test_another_reason_does_not_count(self):
        assert not ok({**NOTICED, "reason": "frozen"}, **self.run())

    def test_a_fault_that_was_never_played_fails(self):
        assert not ok(NOTICED)


class TestTheRest:
    def test_resets_are_counted_by_cause(self):
        resets = [ResetSeen(t_ms=700, cause="watchdog", detail="", boot_ms=900)]
        assert ok({"that": "reset"}, resets=resets)
        assert ok({"that": "reset", "cause": "watchdog"}, resets=resets)
        assert not ok({"that": "reset", "cause": "power_cut"}, resets=resets)
        assert ok({"that": "reset", "cause": "power_cut", "count": 0}, resets=resets)
        assert not ok({"that": "reset", "between_ms": [0, 600]}, resets=resets)

    def test_what_was_shown_must_be_in_the_journal(self):
        shown = [event(1, seq=4), event(2, seq=5)]
        kept = {4: event(1), 5: event(2)}
        assert ok({"that": "no_loss"}, events=shown, journal=kept)
        checked = verdict({"that": "no_loss"}, events=shown, journal={4: event(1)})
        assert not checked.ok
        assert "the first is 5" in checked.measured
        assert not ok({"that": "no_loss"}, events=shown, journal={**kept, 5: event(2, "alarm")})

    def test_what_a_fault_tore_or_the_ring_has_overwritten_is_no_loss(self):
        shown = [event(1, seq=4), event(2, seq=5)]
        assert ok({"that": "no_loss"}, events=shown, journal={4: event(1)}, torn=[5])
        assert ok({"that": "no_loss"}, events=shown, journal={5: event(2)}, oldest_kept=5)

    def test_people_are_counted_across_a_line(self):
        events = [event(t, rule="line", zone="gate", state=s) for t, s in ((1, "in"), (2, "out"))]
        assert ok({"that": "count", "line": "gate", "people_in": 1, "people_out": 1}, events=events)
        assert not ok({"that": "count", "line": "gate", "people_in": 2}, events=events)
        assert not ok({"that": "count", "line": "door", "people_in": 1}, events=events)

    def test_how_it_ended(self):
        assert ok({"that": "exit"}, end="planned")
        assert not ok({"that": "exit"}, end="camera_gone")
        assert ok({"that": "exit", "how": "camera_gone"}, end="camera_gone")
