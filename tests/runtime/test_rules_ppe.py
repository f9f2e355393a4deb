"""Rule ppe as a table of short stories: what is seen on whom, and who is blamed."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.toml_strict import ConfigErrors
from models.package import find_package, read_info
from models.tables import Detections
from runtime.geometry import resolve_site
from runtime.needs import check_classes
from runtime.posture import Postures
from runtime.rules.build import build_rules
from runtime.site import Site, ZoneConfig
from runtime.site_rules import OverrideConfig, PpeRuleConfig
from runtime.tables import Hazards, Tracks, TrackState
from runtime.wearing import Seen
from tests.machine import camera, events, haetae, metrics
from tests.runtime.bodies import ACTIONS, box_of, figure

WIDTH, HEIGHT, STEP_MS = 640, 360, 100
CLASSES = ("person", "helmet", "vest", "bare_head")
TALL, WIDE = 200.0, 70.0
LEFT = ZoneConfig(name="left", polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)])


def part(box, share, size):
    """A square of `size` heights in the middle of the box, `share` of it below its top."""
    x, y = (box[0] + box[2]) / 2, box[1] + share * (box[3] - box[1])
    half = size * (box[3] - box[1]) / 2
    return [x - half, y - half, x + half, y + half]


def on_head(box):
    return part(box, 0.07, 0.14)


def on_chest(box):
    return part(box, 0.36, 0.3)


def in_hand(box):
    return [side + 22 * (i % 2 == 0) for i, side in enumerate(part(box, 0.52, 0.12))]


WHERE = {"helmet": on_head, "bare_head": on_head, "vest": on_chest, "carried": in_hand}


def person(x=320.0, bottom=330.0, tall=TALL, wide=WIDE):
    return [x - wide / 2, bottom - tall, x + wide / 2, bottom]


class Gate:
    """People with boxes, and things that are seen on them."""

    def __init__(self, zones=(), postures=None, capacity=4, **rule) -> None:
        rule = {"needs": ["helmet"], "hold_ms": 1000, "clear_ms": 500, **rule}
        rules = [PpeRuleConfig(**rule)]
        site = Site(format=1, name="t", units="fraction", rules=rules, zones=list(zones))
        resolved = resolve_site(site, WIDTH, HEIGHT, "t.toml")
        self.table = Detections(16)
        seen = Seen(self.table, CLASSES)
        self.rules = build_rules(site, resolved, capacity, postures, seen=seen)
        self.tracks, self.hazards = Tracks(capacity), Hazards(len(self.rules.table))
        self.postures = postures
        self.t_ms = 0.0
        self.edges: list[tuple[float, int, str, int]] = []
        self.whys: list[dict[str, object]] = []

    def show(self, for_ms, *people, things=None):
        """Each person: box, and the names of what is seen on them."""
        for _ in range(round(for_ms / STEP_MS)):
            rows = [(name, WHERE[name](box)) for box, *names in people for name in names]
            rows = [*rows, *(things or [])]
            for slot, (box, *_) in enumerate(people):
                self.place(slot, box)
            self.table.count = len(rows)
            for row, (name, box) in enumerate(rows):
                self.table.boxes[row] = box
                self.table.scores[row] = 0.5
                self.table.classes[row] = CLASSES.index(name.replace("carried", "helmet"))
            self.tick()
        return self

    def place(self, slot, box):
        tracks = self.tracks
        if tracks.state[slot] == TrackState.FREE:
            tracks.track_id[slot] += 10 + slot
        tracks.state[slot] = TrackState.CONFIRMED
        tracks.boxes[slot] = box
        tracks.foot[slot] = (box[0] + box[2]) / 2, box[3]
        tracks.centre[slot] = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        tracks.last_ms[slot] = self.t_ms
        tracks.refresh_live()

    def tick(self):
        self.hazards.edges.clear()
        self.rules.update(self.tracks, self.t_ms, self.hazards)
        self.tracks.died.clear()
        self.edges += [(self.t_ms, e.slot, e.state, e.rule) for e in self.hazards.edges]
        self.whys += [edge.why for edge in self.hazards.edges]
        self.t_ms += STEP_MS

    @property
    def blamed(self) -> list[tuple[int, str]]:
        return [(slot, state) for _, slot, state, _ in self.edges]


RAISED, BOTH = [(0, "raised")], [(0, "raised"), (0, "cleared")]
HELMET, BARE, NOTHING = (person(), "helmet"), (person(), "bare_head"), (person(),)
STORIES = {
    "wears it": (lambda s: s.show(9000, HELMET), []),
    "has a bare head from the first": (lambda s: s.show(3000, BARE), RAISED),
    "is never seen with one": (lambda s: s.show(4000, NOTHING), RAISED),
    "takes it off": (lambda s: s.show(3000, HELMET).show(2500, BARE), RAISED),
    "takes it off for a moment": (
        lambda s: s.show(3000, HELMET).show(800, BARE).show(3000, HELMET),
        [],
    ),
    "puts it on": (lambda s: s.show(3000, BARE).show(3000, HELMET), BOTH),
    "turns the head away for less than the memory": (
        lambda s: s.show(3000, HELMET).show(2000, NOTHING).show(3000, HELMET),
        [],
    ),
    "is not seen with it any more": (lambda s: s.show(3000, HELMET).show(4000, NOTHING), RAISED),
    "carries it in the hand": (lambda s: s.show(4000, (person(), "carried")), RAISED),
    "is far away": (lambda s: s.show(9000, (person(tall=60.0, wide=20.0),)), []),
    "is far away, with a bare head": (
        lambda s: s.show(9000, (person(tall=80.0, wide=26.0), "bare_head")),
        RAISED,
    ),
    "is cut by the upper edge": (lambda s: s.show(9000, (person(bottom=195.0),)), []),
    "lies": (lambda s: s.show(9000, (person(tall=70.0, wide=200.0),)), []),
    "walks away, the helmet seen from behind": (
        lambda s: [
            s.show(1000, (person(tall=t, wide=t / 3), "helmet")) for t in range(220, 60, -20)
        ],
        [],
    ),
    "crouches with it": (
        lambda s: s.show(2000, HELMET).show(
            5000, (person(tall=110.0, wide=65.0),), things=[("helmet", [306, 221, 334, 249])]
        ),
        [],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_who_is_blamed(name):
    tell, expected = STORIES[name]
    site = Gate()
    tell(site)
    assert site.blamed == expected


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_helmet_that_is_seen_now_and_then_is_worn(share):
    site, due = Gate(), 0.0
    for _ in range(300):
        due += share
        site.show(STEP_MS, HELMET if due >= 1.0 else NOTHING)
        due -= due >= 1.0
    assert site.blamed == []


def test_one_box_in_thirty_is_no_helmet():
    site = Gate()
    for tick in range(300):
        site.show(STEP_MS, HELMET if tick % 30 == 29 else NOTHING)
    assert (0, "raised") in site.blamed


def test_of_two_side_by_side_the_one_without_is_blamed():
    with_one, without = person(280.0), person(350.0)
    assert Gate().show(6000, (with_one, "helmet"), (without,)).blamed == [(1, "raised")]
    assert Gate().show(6000, (without,), (with_one, "helmet")).blamed == [(0, "raised")]


def test_one_helmet_in_a_crowd_belongs_to_one_person():
    """Four close together, boxes overlapping by half: whose head it is, wears it."""
    boxes = [person(200.0 + 35.0 * k, bottom=330.0 - 4 * k) for k in range(4)]
    site = Gate(least_height=0.1).show(
        6000, (boxes[0],), (boxes[1], "helmet"), *((b,) for b in boxes[2:])
    )
    assert 1 not in {slot for slot, _ in site.blamed}
    assert (0, "raised") in site.blamed


def test_who_stands_behind_somebody_is_not_blamed_for_what_is_hidden():
    front, behind = person(320.0, bottom=350.0, tall=300.0, wide=110.0), person(330.0, bottom=300.0)
    site = Gate().show(6000, (front, "helmet"), (behind,))
    assert site.blamed == []


def test_an_item_higher_than_anybody_belongs_to_nobody():
    sign = [("helmet", [300, 60, 330, 90])]
    assert Gate().show(5000, NOTHING, things=sign).blamed == RAISED


def test_a_thing_of_another_size_is_no_helmet():
    banner = [("helmet", [250.0, 70.0, 390.0, 220.0])]
    assert Gate().show(5000, NOTHING, things=banner).blamed == RAISED


def test_each_item_is_a_hazard_of_its_own_and_says_which():
    site = Gate(needs=["helmet", "vest"]).show(6000, (person(), "bare_head"))
    assert [info.kind for info in site.rules.table] == ["ppe", "ppe"]
    assert site.hazards.active == [1, 1]
    first, second = site.whys
    assert (first["missing"], second["missing"]) == (["helmet"], ["vest"])
    assert first["bare_head_score"] == 0.5 and first["evidence"] < first["threshold"]
    assert first["missing_ms"] >= 1000 and "unseen_ms" not in first
    site.show(3000, (person(), "helmet", "vest"))
    assert site.hazards.active == [0, 0]
    assert site.whys[-1]["worn"] == ["vest"]
    assert site.whys[-1]["last_score"] == 0.5 and site.whys[-1]["unseen_ms"] == 0


def test_a_vest_alone_is_needed_where_only_that_is_said():
    assert Gate(needs=["vest"]).show(6000, (person(), "vest", "bare_head")).blamed == []
    assert Gate(needs=["vest"]).show(6000, (person(), "helmet")).blamed == RAISED


def test_a_vest_on_the_ground_is_not_worn():
    site = Gate(needs=["vest"])
    site.show(6000, NOTHING, things=[("vest", [300.0, 300.0, 340.0, 340.0])])
    assert site.blamed == RAISED


def test_the_better_seen_of_helmet_and_bare_head_counts():
    site = Gate()
    for _ in range(60):
        site.table.count = 2
        site.place(0, person())
        for row, (name, score) in enumerate((("helmet", 0.7), ("bare_head", 0.4))):
            site.table.boxes[row] = on_head(person())
            site.table.scores[row] = score
            site.table.classes[row] = CLASSES.index(name)
        site.tick()
    assert site.blamed == []


def test_a_machine_zone_exempts_and_a_work_zone_requires():
    rule = {"zone": "left", "exempt_zones": ["cab"]}
    cab = ZoneConfig(name="cab", polygon=[(0, 0), (0.2, 0), (0.2, 1), (0, 1)])
    for x, expected in ((60.0, []), (200.0, RAISED), (500.0, [])):
        site = Gate(zones=[LEFT, cab], **rule).show(5000, (person(x), "bare_head"))
        assert site.blamed == expected, x


def test_an_override_is_stricter_by_the_machine():
    overrides = [OverrideConfig(zone="left", severity="danger", hold_ms=0)]
    site = Gate(zones=[LEFT], needs=["helmet", "vest"], overrides=overrides)
    table = [(info.place, info.severity, info.source) for info in site.rules.table]
    assert table == [("", "warning", 0), ("left", "danger", 0)] * 2
    site.show(5000, (person(100.0), "bare_head", "vest"))
    assert site.hazards.active == [0, 1, 0, 0]


def test_what_was_seen_before_the_zone_counts_in_it():
    """Who walks in with a helmet that was seen outside is not blamed at once."""
    site = Gate(zones=[LEFT], zone="left", hold_ms=0)
    site.show(2000, (person(500.0), "helmet")).show(1500, (person(200.0),))
    assert site.blamed == []


def test_a_new_person_in_an_old_slot_starts_anew():
    site = Gate().show(3000, HELMET)
    site.tracks.state[0] = TrackState.FREE
    site.tracks.died[:] = [0]
    site.tracks.refresh_live()
    site.tick()
    site.show(3000, NOTHING)
    assert site.blamed == RAISED, "the helmet was somebody else's"


def test_of_two_helmets_the_one_on_the_other_head_is_not_ones_own():
    """The helmet between two heads belongs to the nearer head, and to nobody else."""
    left, right = person(300.0), person(340.0)
    helmet = ("helmet", [338.0, 132.0, 362.0, 158.0])
    assert Gate().show(6000, (left,), (right,), things=[helmet]).blamed == [(0, "raised")]


def test_who_is_not_seen_in_a_frame_is_not_judged_by_it():
    site = Gate().show(2000, HELMET)
    for _ in range(60):
        site.table.count = 0
        site.tick()
    assert site.blamed == []


def test_a_vest_is_found_on_somebody_whose_legs_are_below_the_picture():
    box = [165.0, 209.0, 265.0, HEIGHT]
    site = Gate(needs=["vest"]).show(6000, (box,), things=[("vest", [183.0, 258.0, 251.0, 357.0])])
    assert site.blamed == []


@pytest.mark.parametrize("angle", ["stand", "bend"])
def test_a_skeleton_tells_where_the_head_is(angle):
    """Bent over, the head is beside the box's middle; the skeleton knows, the box does not."""
    postures = Postures(4, ACTIONS)
    site = Gate(postures=postures, least_height=0.1)
    joints = np.asarray(figure(angle, x=320.0))
    box = [float(side) for side in box_of(joints)]
    head = joints[:5, :2].mean(axis=0)
    for _ in range(60):
        site.place(0, box)
        postures.keypoints[0], postures.torso_px[0] = joints, 50.0
        postures.found_ms[0] = site.t_ms
        site.table.count = 1
        site.table.boxes[0] = [head[0] - 13, head[1] - 13, head[0] + 13, head[1] + 13]
        site.table.scores[0], site.table.classes[0] = 0.5, CLASSES.index("helmet")
        site.tick()
    assert site.blamed == []
    for _ in range(60):
        site.place(0, box)
        postures.found_ms[0] = site.t_ms
        site.table.count = 0
        site.tick()
    assert site.blamed == RAISED


def site_of(*needs) -> Site:
    rules = [PpeRuleConfig(needs=list(needs))]
    return Site(format=1, name="t", units="fraction", rules=rules)


def test_a_detector_that_does_not_know_the_item_is_refused_before_the_start():
    check_classes(site_of("helmet", "vest"), CLASSES, "site.toml")
    with pytest.raises(ConfigErrors) as refused:
        check_classes(site_of("helmet", "vest"), ("person", "helmet"), "site.toml")
    (mistake,) = refused.value.mistakes
    assert (mistake.key, mistake.value) == ("rules[0].needs[1]", "vest")
    assert "finds only person, helmet" in mistake.allowed


def test_the_shipped_detector_knows_the_items():
    classes = read_info(find_package("ppe_s")).classes
    check_classes(site_of("helmet", "vest"), classes, "site.toml")


@pytest.mark.data
def test_the_worker_in_helmet_and_vest_is_never_blamed(tmp_path, shared_data):
    """A real clip, never trained on: every frame, with no hold time to hide behind."""
    site = tmp_path / "strict.toml"
    site.write_text(
        'format = 1\nname = "t"\nunits = "fraction"\n'
        '[[rules]]\nkind = "ppe"\nhold_ms = 0\nneeds = ["helmet", "vest"]\n'
    )
    clip = shared_data / "video/intel/worker-zone-detection.gif"
    done = haetae(*camera(tmp_path, "--fast", "--source", clip, site=str(tmp_path / "strict")))
    assert done.returncode == 0, done.stderr
    assert metrics(tmp_path)["frames"] == 71
    assert [event for event in events(tmp_path) if event["kind"] == "hazard"] == []


@pytest.mark.data
def test_each_of_six_real_people_without_anything_is_blamed_once_for_each_item(
    tmp_path, shared_data
):
    """They cross an office floor one at a time, in street clothes."""
    site = tmp_path / "strict.toml"
    site.write_text('format = 1\nname = "t"\nunits = "fraction"\n[[rules]]\nkind = "ppe"\n')
    clip = shared_data / "video/intel/one-by-one-person-detection.mp4"
    done = haetae(*camera(tmp_path, "--fast", "--source", clip, site=str(tmp_path / "strict")))
    assert done.returncode == 0, done.stderr
    found = [event for event in events(tmp_path) if event["kind"] == "hazard"]
    raised = [(e["track"], *e["why"]["missing"]) for e in found if e["state"] == "raised"]
    assert sorted(raised) == [(n, item) for n in range(1, 7) for item in ("helmet", "vest")]
    assert all(e["why"].get("track_lost") for e in found if e["state"] == "cleared")
