"""What differs is named once, with how often, where first, and how much."""

from __future__ import annotations

import copy
import math

import pytest

from drivers.toml_strict import ConfigErrors
from sim.replay.compare import FIELDS, compare, load_tolerance
from sim.replay.did import Did, FrameDid
from sim.scenario.result import EdgeSeen, FaultSeen, ResetSeen

FAULT = FaultSeen(
    number=0, component="npu", type="error", from_ms=1.0, to_ms=2.0, options={}, text=""
)


def frame(number: int) -> FrameDid:
    return FrameDid(
        boot=1, frame=number, t_ms=100.0 * number, now_ms=100.0 * number,
        boxes=[[10.0, 10.0, 20.0, 60.0]], scores=[0.5], classes=[0], track_id=[1],
        track_state=[2], track_boxes=[[10.0, 10.0, 20.0, 60.0]], hazards=[0], alarms=["normal"],
        pattern="", levels=[False, False, True],
    )  # fmt: skip


def event(t_ms: float, state: str = "raised") -> dict[str, object]:
    return {
        "seq": 1, "t_ms": t_ms, "frame": 1, "kind": "hazard", "rule": "zone", "zone": "pit",
        "track": 1, "state": state, "why": {"hold_ms": 300}, "boot": 1,
    }  # fmt: skip


def run() -> Did:
    return Did(
        frames=[frame(n) for n in range(10)],
        events=[event(200.0), event(700.0, "cleared")],
        edges=[EdgeSeen(t_ms=200.0, name="siren", role="siren", level=True)],
        faults=[], resets=[], end="planned",
    )  # fmt: skip


def test_the_same_is_the_same():
    assert compare(run(), run(), {}) == []


def first(did: Did) -> FrameDid:
    return did.frames[3]


CHANGES = {
    "frames": lambda d: d.frames.pop(3),
    "frame.t_ms": lambda d: setattr(first(d), "t_ms", 301.0),
    "detections.count": lambda d: first(d).boxes.clear(),
    "detections.box_px": lambda d: first(d).boxes[0].__setitem__(0, 12.5),
    "detections.score": lambda d: setattr(first(d), "scores", [0.4]),
    "detections.class": lambda d: setattr(first(d), "classes", [1]),
    "tracks.id": lambda d: setattr(first(d), "track_id", [2]),
    "tracks.box_px": lambda d: first(d).track_boxes[0].__setitem__(3, 61.0),
    "hazards.active": lambda d: setattr(first(d), "hazards", [1]),
    "alarms.state": lambda d: setattr(first(d), "alarms", ["active_unacked"]),
    "sound.pattern": lambda d: setattr(first(d), "pattern", "march"),
    "outputs.level": lambda d: setattr(first(d), "levels", [True, False, True]),
    "events": lambda d: d.events.pop(),
    "events.t_ms": lambda d: d.events[0].update(t_ms=300.0),
    "events.why": lambda d: d.events[0].update(why={"hold_ms": 400}),
    "edges": lambda d: d.edges.clear(),
    "edges.t_ms": lambda d: setattr(d.edges[0], "t_ms", 250.0),
    "faults": lambda d: d.faults.append(FAULT),
    "resets": lambda d: d.resets.append(ResetSeen(t_ms=1, cause="x", detail="", boot_ms=2)),
    "end": lambda d: setattr(d, "end", "hung"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_is_compared_by_itself(field):
    now = copy.deepcopy(run())
    CHANGES[field](now)
    [found] = compare(now, run(), {})
    assert found.field == field
    assert found.count == 1
    assert found.is_beyond
    assert compare(now, run(), {field: math.inf})[0].is_beyond is False


def test_the_first_the_number_and_the_largest_are_told():
    now = run()
    for number, by_px in ((7, 4.0), (2, 1.0), (5, 2.0)):
        now.frames[number].track_boxes[0][0] += by_px
    [found] = compare(now, run(), {"tracks.box_px": 4.0})
    assert (found.count, found.first_ms, found.largest) == (3, 200.0, 4.0)
    assert found.first == "11 instead of 10"
    assert not found.is_beyond
    assert compare(now, run(), {"tracks.box_px": 3.9})[0].is_beyond


def test_what_two_processors_may_differ_by_passes_without_a_table():
    now = run()
    now.frames[2].track_boxes[0][1] += 0.001
    now.frames[2].boxes[0][1] += 0.001
    now.events[0]["why"] = {"hold_ms": 300.001}
    found = compare(now, run(), {})
    assert [one.field for one in found] == ["detections.box_px", "tracks.box_px", "events.why"]
    assert not any(one.is_beyond for one in found)
    assert all(one.is_beyond for one in compare(now, run(), dict.fromkeys(FIELDS, 0.0)))


@pytest.mark.parametrize(
    ("our", "their", "amount"),
    [
        ({"a": 1}, {"a": 1.0}, 0.0),
        ({"a": [1, 2.5]}, {"a": [1, 2.0]}, 0.5),
        ({"a": {"b": -3}}, {"a": {"b": 3}}, 6.0),
        ({"a": True}, {"a": False}, 1.0),
        ({"a": "in"}, {"a": "out"}, 1.0),
        ({"a": 1}, {"b": 1}, 1.0),
        ({"a": [1]}, {"a": [1, 2]}, 1.0),
    ],
)
def test_values_of_an_event_are_compared_as_numbers_where_they_are(our, their, amount):
    now, reference = run(), run()
    now.events[0]["why"], reference.events[0]["why"] = our, their
    found = compare(now, reference, {})
    assert [one.largest for one in found] == ([amount] if amount else [])


def test_a_tolerance_table_is_read(tmp_path):
    file = tmp_path / "t.toml"
    file.write_text('[tolerance]\n"tracks.box_px" = 0.5\n"events.why" = "ignore"\n')
    assert load_tolerance(file) == {"tracks.box_px": 0.5, "events.why": math.inf}


def test_every_mistake_of_a_tolerance_table_is_named(tmp_path):
    file = tmp_path / "t.toml"
    file.write_text(
        '[tolerance]\nboxes = 1\n"events" = -1\n"end" = "never"\n"resets" = true\n[more]\n'
    )
    with pytest.raises(ConfigErrors) as refused:
        load_tolerance(file)
    text = str(refused.value)
    for word in ("more", "tolerance.boxes", "tolerance.events", "tolerance.end", "resets"):
        assert word in text
    assert "tracks.box_px" in text
