"""Records as sentences: each says who, where, what rule, which values, and since when."""

from __future__ import annotations

import json
from io import BytesIO
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.clock import VirtualClock
from runtime.alarm_phrases import PHRASES
from runtime.alarm_words import cause, quantity, sentence, told
from runtime.event import KINDS, Events
from runtime.journal import Journal
from runtime.record import Recorder
from runtime.site_rules import RuleConfig
from sim.board.flash import Flash

WALL_MS = 1_767_226_445_000
"""2026-01-01, 00:14:05 UTC."""


def record(state, why, *, kind="alarm", rule="zone", zone="press", track=12, t_ms=61_000.0):
    return kind, {
        "t_ms": t_ms,
        "rule": rule,
        "zone": zone,
        "track": track,
        "state": state,
        "why": why,
    }


INSIDE = {"inside_ms": 1200, "hold_ms": 300, "since_ms": 60_000, "severity": "danger"}
GONE = "was in zone press (1.2 s inside; the limit is 0.3 s), since 00:14:04"
SENTENCES = [
    (
        record("active_unacked", {**INSIDE, "siren": "march"}),
        "00:14:05 DANGER: person #12 is in zone press (1.2 s inside; the limit is 0.3 s),"
        " since 00:14:04; siren on, not acknowledged",
    ),
    (
        record("active_unacked", {**INSIDE, "shelved": True, "severity": "warning"}),
        "00:14:05 WARNING: person #12 is in zone press (1.2 s inside; the limit is 0.3 s),"
        " since 00:14:04; shelved, so no siren and no lamp, not acknowledged",
    ),
    (
        record("active_acked", {**INSIDE, "acknowledged": True, "by": "lee"}),
        "00:14:05 DANGER: person #12 is in zone press (1.2 s inside; the limit is 0.3 s),"
        " since 00:14:04; acknowledged by lee, lamp on",
    ),
    (
        record("returned_unacked", INSIDE),
        f"00:14:05 DANGER, cause gone: person #12 {GONE}; not acknowledged, lamp on",
    ),
    (
        record("returned_unacked", {**INSIDE, "restored": True, "since_wall_ms": WALL_MS - 5000}),
        "00:14:05 DANGER, cause gone: person #12 was in zone press (1.2 s inside; the limit is"
        " 0.3 s), since 00:14:00; not acknowledged, lamp on (kept over a restart)",
    ),
    (
        record("normal", {**INSIDE, "acknowledged": True, "by": "button ack"}),
        f"00:14:05 DANGER ended: person #12 {GONE}; acknowledged by button ack",
    ),
    (
        record("normal", INSIDE),
        f"00:14:05 DANGER ended: person #12 {GONE}; its cause has gone",
    ),
    (
        record("shelved", {"severity": "danger", "duration_ms": 600_000, "by": "lee"}),
        "00:14:05 DANGER shelved for 10 min by lee: rule zone of zone press",
    ),
    (
        record("unshelved", {"severity": "danger"}),
        "00:14:05 DANGER is off the shelf: rule zone of zone press",
    ),
    (
        record("dropped", {"severity": "danger"}),
        "00:14:05 DANGER dropped: the site file no longer has its rule, rule zone of zone press",
    ),
    (
        record("raised", {"inside_ms": 300, "hold_ms": 300}, kind="hazard"),
        "00:14:05 person #12 is in zone press (0.3 s inside; the limit is 0.3 s)",
    ),
    (
        record("cleared", {"outside_ms": 1000, "clear_ms": 1000}, kind="hazard"),
        "00:14:05 person #12 has left zone press (1.0 s outside; the limit is 1.0 s)",
    ),
    (
        record("cleared", {"track_lost": True, "unseen_ms": 1000}, kind="hazard"),
        "00:14:05 person #12 has been lost from sight",
    ),
    (
        record("in", {"occupancy": 3}, kind="hazard", rule="line", zone="gate"),
        "00:14:05 person #12 went in over line gate (in less out: 3)",
    ),
    (
        record("raised", {"reason": "no_frame"}, kind="fault", rule="camera_fault", zone=""),
        "00:14:05 FAULT: the camera does not see (no_frame); the fault relay drops",
    ),
    (
        record("acknowledged", {"by": "lee"}, kind="operator", rule="", zone=""),
        "00:14:05 lee acknowledged all alarms",
    ),
    (
        record("shelved", {"by": "lee", "for_ms": 600_000}, kind="operator"),
        "00:14:05 lee shelved the alarm of rule zone of zone press for 10 min",
    ),
    (
        record(
            "passed",
            {"by": "schedule", "outputs": ["strobe"]},
            kind="operator",
            rule="self_test",
            zone="",
        ),
        "00:14:05 self test passed (strobe), asked for by schedule",
    ),
    (
        record("on", {"output": "siren", "role": "siren", "pattern": "march"}, kind="output"),
        "00:14:05 output siren on, pattern march",
    ),
]


@pytest.mark.parametrize(("of", "text"), SENTENCES, ids=lambda value: str(value)[:30])
def test_sentences(of, text):
    assert sentence(*of, WALL_MS) == text


def test_a_clock_that_lost_the_date_does_not_drop_the_relay():
    body = record("raised", {"reason": "x"}, kind="fault", rule="clock_fault", zone="")[1]
    text = sentence("fault", body, 0)
    assert "lost the date" in text and "relay" not in text


RULES = [
    ("entry_predicted", {"probability": 0.61, "threshold": 0.5, "horizon_ms": 2000, "held_ms": 200,
                         "hold_ms": 200},
     "person #12 will probably enter zone press within 2.0 s (probability 0.61; the limit is 0.5;"
     " for 0.2 s; the limit is 0.2 s)"),
    ("man_down", {"fell": True, "down_ms": 600, "hold_ms": 500},
     "person #12 has fallen in zone press (down for 0.6 s; the limit is 0.5 s)"),
    ("ppe", {"missing": ["helmet"], "missing_ms": 2100, "hold_ms": 2000},
     "person #12 is without helmet in zone press (missing for 2.1 s; the limit is 2.0 s)"),
    ("posture", {"action": "arms_raised", "score": 0.8, "least_score": 0.5},
     "person #12 is seen arms_raised in zone press (score 0.8; the limit is 0.5)"),
    ("proximity", {"distance_mm": 1200, "limit_mm": 2000},
     "person #12 is too near to zone press (1.2 m away; the limit is 2.0 m)"),
    ("crowd", {"people": 5, "at_most": 3},
     "too many people in zone press (5 people; the limit is 3)"),
    ("loiter", {"stay_ms": 61_000, "dwell_ms": 60_000},
     "person #12 stays too long in zone press (there for 61.0 s; the limit is 60.0 s)"),
    ("immobile", {"for_ms": 31_000, "still_ms": 30_000},
     "person #12 does not move in zone press (still for 31.0 s; the limit is 30.0 s)"),
    ("intrusion_of_view", {"kind": "covered", "missing": 0.9, "covered_share": 0.5},
     "the camera's view is covered (share of the picture covered 0.9; the limit is 0.5)"),
    ("ppe", {"missing_ms": 2000, "hold_ms": 2000, "missing": ["vest"], "evidence": 0.1},
     "person #12 is without vest in zone press (missing for 2.0 s; the limit is 2.0 s)"),
    ("combined", {"held_ms": 500, "hold_ms": 500, "all_of": ["fallen", "still"]},
     "person #12 is a hazard by fallen, still at once (for 0.5 s; the limit is 0.5 s)"),
    ("of_tomorrow", {"heat_ms": 1500, "limit_ms": 1000, "foot_px": [1, 2]},
     "person #12 is a hazard in zone press by rule of_tomorrow (heat 1.5 s, limit 1.0 s)"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "why", "text"), RULES, ids=[row[0] for row in RULES])
def test_every_rule_says_who_where_and_which_values_against_which_limits(rule, why, text):
    assert cause(record("raised", why, rule=rule)[1]) == text


def test_every_kind_of_rule_that_a_site_may_have_has_a_phrase():
    kinds = {str(kind.__struct_config__.tag) for kind in get_args(RuleConfig)}
    assert kinds - set(PHRASES) == set()


@pytest.mark.parametrize("rule", sorted(PHRASES))
@pytest.mark.parametrize("form", ["now", "was", "ended"])
@pytest.mark.parametrize("zone", ["", "press"])
def test_a_phrase_leaves_no_hole(rule, form, zone):
    text = cause(record("raised", {}, rule=rule, zone=zone, track=0)[1], form)
    assert "{" not in text and "  " not in text and text == text.strip()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("held_ms", 1240, "1.2 s"), ("dwell_ms", 600_000, "10 min"), ("distance_mm", 2500, "2.5 m"),
     ("share", 0.25, "0.25"), ("fell", True, "yes"), ("needs", ["vest"], "vest")],
)  # fmt: skip
def test_quantities(name, value, text):
    assert quantity(name, value) == text


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(
    sorted({*INSIDE, "by", "missing", "reason", "people", "fell", "since_wall_ms"})
)


@given(
    st.sampled_from([*KINDS, "of_tomorrow"]),
    st.dictionaries(st.sampled_from(["t_ms", "rule", "zone", "track", "state"]), PLAIN),
    st.dictionaries(NAMES, PLAIN) | PLAIN,
    st.integers(-(1 << 63), (1 << 63) - 1),
)
def test_whatever_a_journal_holds_there_are_words_for_it(kind, body, why, wall_ms):
    assert isinstance(sentence(kind, {**body, "why": why}, wall_ms), str)
    assert told(kind, {}, wall_ms) is not None


def test_event_lines_carry_the_words():
    lines, clock = BytesIO(), VirtualClock(0.0, WALL_MS)
    events = Events()
    events.add("hazard", 300.0, 3, "raised", {"inside_ms": 300, "hold_ms": 300}, rule="zone",
               zone="press", track=12)  # fmt: skip
    Recorder(Journal(Flash(bytes(8 * 4096), 4096), clock, 1), lines).write(events, 300.0)
    line = json.loads(lines.getvalue())
    assert line["text"] == sentence("hazard", line, WALL_MS)
    assert "person #12 is in zone press" in line["text"]
