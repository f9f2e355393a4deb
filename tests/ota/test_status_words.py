"""What a technician reads: every sentence of a status, of a self test and of a push's progress."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.clock import VirtualClock
from ota import self_test_words
from ota.link.progress import Progress
from ota.refusal import REASONS
from ota.status_words import lines, next_step, outcome, phase
from ota.technician_progress import Meter, line
from ota.technician_watch import BEGIN_MS, LOOK_MS, Watch, same, verdict
from ota.technician_words import MOST_CHARACTERS, plain, printable, share, size, span

OLD, NEW = b"\1" * 32, b"\2" * 32


def told(**changes):
    """The status of a camera that is well."""
    return {
        "device": "gate-3",
        "board": "sim",
        "runtime": "0.1.0",
        "uptime_ms": 7_500_000,
        "students": {"from": "slot 0", "version": "2026.11", "release": 12, "digest": OLD},
        "update": {"phase": "idle"},
        "last": {},
        "previous": {"version": "2026.10", "release": 11, "digest": b"\3" * 32},
        "ring": 2,
        "site": {"name": "yard", "from": "stored"},
        "health": {"healthy": True, "faults": {}},
        "alarms": {"standing": 0},
        "memory": {"rss_kb": 61_000, "budget_kb": 90_000},
        **changes,
    }


@pytest.mark.parametrize(
    ("ms", "words"),
    [(-5, "0 s"), (999, "0 s"), (12_400, "12 s"), (60_000, "1 min"), (250_000, "4 min 10 s"),
     (7_500_000, "2 h 5 min"), (86_400_000, "1 d"), (100_000_000, "1 d 3 h")],
)  # fmt: skip
def test_a_duration(ms, words):
    assert span(ms) == words


def test_sizes_and_shares():
    assert [size(n) for n in (0, 312, 680_000, 2_000_000)] == ["0 B", "312 B", "680 kB", "2.0 MB"]
    assert size(4_294_967_296) == "4.3 GB"
    assert [share(0, 10), share(9_999, 10_000), share(10, 10), share(0, 0)] == [0, 99, 100, 100]


def test_a_camera_that_is_well():
    assert lines(told()) == [
        "camera    gate-3, board sim, runtime 0.1.0, up for 2 h 5 min",
        "runs      version 2026.11 (release 12)",
        "before    version 2026.10 (release 11); `haetae ota rollback` goes back to it",
        "site      yard, pushed and kept",
        "faults    none",
        "alarms    none",
        "memory    62.5 MB of 92.2 MB",
        "keys      key ring 2",
        "next      nothing to do",
    ]


def test_a_trial_says_how_long_it_still_takes():
    update = {"phase": "probation", "version": "2026.12", "release": 13, "left_ms": 250_000}
    update["agreement"] = {"seen": 38, "of": 40}
    found = lines(told(update=update))
    assert "update    version 2026.12 (release 13): on trial, 4 min 10 s left" in found
    assert "          sees 38 of the 40 people that the students before see" in found
    assert found[-1] == (
        "next      wait, or end it now: `haetae ota confirm`, or `haetae ota rollback`"
    )


def test_a_roll_back_says_when_and_why():
    last = {"outcome": "rolled_back", "reason": "agreement", "detail": "12 of 40 people",
            "version": "2026.12", "release": 13, "digest": NEW, "ago_ms": 190_000}  # fmt: skip
    found = lines(told(last=last))
    assert (
        "update    version 2026.12 (release 13): rolled back 3 min 10 s ago: it does not see what"
        " the present student sees (12 of 40 people)"
    ) in found
    assert "Tell whoever made the bundle the reason" in found[-1]


@pytest.mark.parametrize(
    ("update", "words"),
    [({"phase": "receiving", "done": 680_000, "bytes": 2_000_000},
      "coming in: 34 % (680 kB of 2.0 MB) is there"),
     ({"phase": "receiving"}, "coming in"),
     ({"phase": "staged"}, "has come in whole; its trial begins by itself"),
     ({"phase": "shadow", "left_ms": 61_000},
      "on trial: it looks on beside the present students, 1 min 1 s left"),
     ({"phase": "probation"}, "on trial"),
     ({"phase": "probation", "left_ms": 0}, "on trial, waiting for people to walk by"),
     ({"phase": "idle"}, "none"), ({}, "none")],
)  # fmt: skip
def test_each_phase(update, words):
    assert phase(update) == words


def test_students_that_run_on_trial_and_those_of_the_factory():
    new = {"version": "2026.12", "release": 13, "digest": NEW}
    update = {"phase": "probation", **new}
    found = lines(
        told(students=new, previous={"from": "factory", "version": "factory"}, update=update)
    )
    assert found[1] == "runs      version 2026.12 (release 13), on trial"
    assert not any(line.startswith("before") for line in found)
    found = lines(told(previous={"from": "factory", "version": "factory"}))
    assert (
        "before    the students it left the factory with; `haetae ota rollback` goes back to it"
        in found
    )


def test_no_way_back_below_the_floor():
    found = lines(
        told(floor=4, previous={"version": "2026.10", "counter": 3, "digest": b"\3" * 32})
    )
    assert (
        "before    version 2026.10; no way back: older than this camera may ever run again" in found
    )


def test_distrust_a_locked_flash_and_a_site_file_that_failed():
    site = {
        "from": "image",
        "digest": "ab" * 32,
        "last": {"outcome": "rolled_back", "reason": "reset"},
    }
    students = {**told()["students"], "distrust": "revoked_key"}
    found = lines(told(students=students, storage="state_unreadable", site=site))
    assert any("not trusted any more: signed with a key that was revoked" in line for line in found)
    assert "flash     nothing can be changed: state_unreadable" in found
    assert "site      file abababab, as it came with the camera" in found
    assert "          the site file before is back: the camera was reset during the trial" in found


def test_faults_come_first_in_what_to_do():
    status = told(health={"healthy": False, "faults": {"camera_fault": "dark", "odd": "x"}})
    found = lines(status)
    assert "faults    it is blind (camera_fault: dark)" in found
    assert "          odd: x" in found
    assert found[-1] == "next      look at the lens, the light and the sensor's plug"


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"update": {"phase": "receiving"}}, "push the same bundle again"),
     ({"update": {"phase": "staged"}}, "look again in a minute"),
     ({"update": {"phase": "shadow"}}, "alarms work as ever"),
     ({"alarms": {"standing": 2}}, "`haetae alarm list`"),
     ({"health": {"healthy": False, "faults": {}}}, "first pictures"),
     ({}, "nothing to do")],
)  # fmt: skip
def test_what_to_do_next(changes, words):
    assert words in next_step(told(**changes))


@pytest.mark.parametrize("name", ["confirmed", "rolled_back", "went_back", "abandoned", "damaged"])
def test_every_outcome_has_words(name):
    assert "_" not in outcome({"outcome": name})


def test_text_from_a_camera_cannot_move_the_cursor_or_fill_the_screen():
    name = "\x1b[2J\r\n" + "x" * 2000
    found = lines(told(device=name, site={"name": name}))
    assert all(line.isprintable() and len(line) < MOST_CHARACTERS + 100 for line in found)
    assert len(printable("y" * 5000)) == MOST_CHARACTERS


NUMBERS = st.integers(-(2**40), 2**40)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.binary(max_size=4)
KEYS = st.sampled_from(sorted(told())) | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(told())), JSON))
def test_whatever_a_camera_tells_gives_lines(changes):
    """An older or a newer runtime, or one that is ill."""
    for text in lines(told(**changes)):
        assert text.isprintable()
    for row in self_test_words.rows(told(**changes), {}):
        assert row.verdict in ("pass", "fail", "not told")
    json.dumps(plain(told(**changes)))


# the self test


PASSED = {"state": "passed", "outputs": ["siren"]}


def verdicts(status, outputs=None):
    found = self_test_words.rows(status, PASSED if outputs is None else outputs)
    assert all(row.next_step for row in found if row.verdict == "fail")
    return {row.name: row.verdict for row in found}


def test_a_camera_that_passes():
    status = told(camera={"fps": 9.8, "wanted_fps": 10.0})
    outputs = {"state": "passed", "outputs": ["strobe", "siren"], "wall_ms": 1_763_700_000_000}
    found = self_test_words.rows(status, outputs)
    assert self_test_words.is_passed(found)
    assert found[0] == ("outputs", "pass", "switched and read back: strobe, siren", "")
    assert {row.verdict for row in found} == {"pass"}


@pytest.mark.parametrize(
    ("changes", "outputs", "name"),
    [({}, {"state": "failed", "reason": "siren: level is off"}, "outputs"),
     ({}, {"state": "interrupted"}, "outputs"),
     ({}, {}, "outputs"),
     ({"health": {"faults": {"output_fault": "siren"}}}, {"state": "passed"}, "outputs"),
     ({"camera": {"fps": 5.0, "wanted_fps": 10.0}}, None, "frames"),
     ({"health": {"faults": {"camera_fault": "dark"}}}, None, "picture"),
     ({"health": {"faults": {"npu_fault": "no_result"}}}, None, "network"),
     ({"health": {"faults": {"storage_fault": "full"}}}, None, "storage"),
     ({"health": {"faults": {"watchdog_fault": ""}}}, None, "watchdog"),
     ({"health": {"faults": {"operator_fault": "stuck"}}}, None, "buttons"),
     ({"health": {"faults": {"loop_fault": "late"}}}, None, "speed"),
     ({"health": {"faults": {"new_fault": "x"}}}, None, "new_fault"),
     ({"memory": {"rss_kb": 89_000, "budget_kb": 90_000}}, None, "memory"),
     ({"health": {"faults": {"memory_fault": "refused"}}}, None, "memory"),
     ({}, {"state": "passed", "wall_ms": 3_600_000}, "clock")],
)  # fmt: skip
def test_what_fails(changes, outputs, name):
    found = verdicts(told(**changes), outputs)
    assert found[name] == "fail"
    assert [other for other, verdict in found.items() if verdict == "fail"] == [name]


def test_what_a_camera_does_not_tell_has_not_failed():
    found = verdicts({"device": "old"})
    assert found["outputs"] == "pass"
    assert {verdict for name, verdict in found.items() if name != "outputs"} == {"not told"}


# progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def meter(out):
    clock = VirtualClock()
    return Meter(out, clock), clock


def test_on_a_terminal_one_line_is_rewritten():
    out = Terminal()
    shown, clock = meter(out)
    for part in range(11):
        shown.show(Progress(part * 100_000, 1_000_000, 1e5, (10 - part) * 1e3))
        clock.sleep_until_ms(clock.now_ms() + 1000)
    shown.say("done")
    text = out.getvalue()
    assert text.count("\r") >= 10 and text.count("\n") == 2
    assert " 30 %  300 kB of 1.0 MB  100 kB/s  7 s left" in text
    assert "100 %  1.0 MB of 1.0 MB" in text


def test_elsewhere_there_is_a_line_now_and_then():
    out = io.StringIO()
    shown, clock = meter(out)
    for part in range(1001):
        shown.show(Progress(part * 1000, 1_000_000, 0.0, None))
        clock.sleep_until_ms(clock.now_ms() + 30)
    found = out.getvalue().splitlines()
    assert "\r" not in out.getvalue()
    assert 5 <= len(found) <= 8
    assert found[0].startswith("  0 %") and found[-1].startswith("100 %")


def test_the_line_of_a_push():
    assert line(Progress(0, 2_000_000, 0.0, None)) == "  0 %  0 B of 2.0 MB"
    told = line(Progress(680_000, 2_000_000, 91_000, 14_500.0))
    assert told == " 34 %  680 kB of 2.0 MB  91 kB/s  14 s left"
    assert line(Progress(5, 5, 91.0, 0.0)) == "100 %  5 B of 5 B"


# watching


class Trial:
    """Statuses, one per look."""

    def __init__(self, clock, *statuses):
        self.clock, self.left = clock, list(statuses)

    def __call__(self):
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


def watched(*statuses):
    clock, out = VirtualClock(), io.StringIO()
    found = Watch(Trial(clock, *statuses), Meter(out, clock), clock).run(NEW)
    return found, out.getvalue().splitlines(), clock.now_ms()


def on_trial(phase_, **more):
    return told(update={"phase": phase_, "version": "2026.12", "digest": NEW, **more})


def test_a_trial_is_followed_to_its_end():
    last = {"outcome": "confirmed", "version": "2026.12", "digest": NEW.hex()}
    end, out, _ = watched(
        on_trial("staged"),
        on_trial("shadow", left_ms=4000, agreement={"seen": 0, "of": 0}),
        on_trial("probation", left_ms=3000),
        told(last=last),
    )
    assert out == [
        "version 2026.12: has come in whole; its trial begins by itself",
        "version 2026.12: on trial: it looks on beside the present students, 4 s left;"
        " nobody has walked by yet for a comparison",
        "version 2026.12: on trial, 3 s left",
    ]
    assert verdict(end, NEW) == ("confirmed", "version 2026.12: confirmed")


def test_a_long_phase_is_told_again_now_and_then():
    waits = [on_trial("probation", left_ms=left) for left in range(40_000, 0, -int(LOOK_MS))]
    last = {"outcome": "rolled_back", "reason": "health", "version": "2026.12", "digest": NEW}
    end, out, _ = watched(*waits, told(last=last))
    assert len(out) == 3
    assert verdict(end, NEW)[0] == "rolled_back"


def test_a_trial_that_does_not_begin_is_not_waited_for_forever():
    end, _, took_ms = watched(on_trial("staged"))
    assert BEGIN_MS < took_ms < 2 * BEGIN_MS
    assert verdict(end, NEW)[0] == "waiting"
    end, _, took_ms = watched(told())
    assert took_ms < 2 * BEGIN_MS and verdict(end, NEW)[0] == "waiting"


def test_digests_are_told_in_several_ways():
    assert same(NEW, NEW) and same(NEW.hex(), NEW) and same(NEW.hex()[:16], NEW)
    assert not any(same(each, NEW) for each in (OLD, OLD.hex(), "", b"", None, 7))


def test_every_refusal_says_what_to_do_or_what_is_meant():
    for reason, text in REASONS.items():
        assert len(text) > 10, reason
