"""`haetae-boot`, as people, systemd and RAUC call it."""

import json

import pytest

from ota.image import boot_cli, boot_state
from ota.image.boot_state import LOST, SlotState, factory, misc_image, primary
from ota.image.misc import MiscPartition, change, read
from ota.image.prove import LOOK_MS, ill, prove
from ota.link.lost import LinkLost


@pytest.fixture
def camera(tmp_path):
    (tmp_path / "misc").write_bytes(misc_image(factory()))
    (tmp_path / "cmdline").write_text("console=ttyAMA0 haetae.slot=b rauc.slot=b ro\n")

    def run(*words):
        files = ["--misc", str(tmp_path / "misc"), "--cmdline", str(tmp_path / "cmdline")]
        return boot_cli.main([*files, *words])

    run.folder = tmp_path
    return run


def state(camera):
    with MiscPartition(camera.folder / "misc") as misc:
        return read(misc)[0]


def set_state(camera, step):
    with MiscPartition(camera.folder / "misc") as misc:
        change(misc, step)


def printed(capsys):
    return capsys.readouterr().out.strip()


def test_rauc_installs_into_the_other_slot(camera, capsys):
    """The calls of RAUC 1.8 while it installs, as its manual lists them."""
    assert camera("set-state", "a", "bad") == 0
    assert camera("get-state", "a") == 0
    assert printed(capsys) == "bad"
    assert camera("set-primary", "a") == 0
    assert camera("get-primary") == 0
    assert printed(capsys) == "a"
    assert state(camera).a == SlotState(3, False)
    assert camera("get-state", "a") == 0
    assert printed(capsys) == "good"
    assert camera("get-current") == 0
    assert printed(capsys) == "b"
    assert camera("set-state", "b", "good") == 0


def test_status_in_words_and_as_json(camera, capsys):
    camera("bad", "a")
    assert camera("status") == 0
    assert printed(capsys).splitlines() == [
        "runs    b",
        "next    b",
        "slot a  bad, has not proved itself",
        "slot b  3 of 3 tries left, was well before",
    ]
    camera("status", "--json")
    told = json.loads(printed(capsys))
    assert (told["running"], told["next"], told["order"]) == ("b", "b", ["a", "b"])
    assert told["slots"] == {"a": {"left": 0, "proved": False}, "b": {"left": 3, "proved": True}}


def test_a_damaged_copy_is_told(camera, capsys):
    with (camera.folder / "misc").open("r+b") as file:
        file.write(b"\xff" * 64)
    camera("status")
    assert "damaged copy 0: crc" in printed(capsys)


def test_good_without_a_slot_is_the_one_that_runs(camera):
    set_state(camera, lambda _: primary(LOST, "b"))
    assert camera("good") == 0
    assert (state(camera).a.is_proved, state(camera).b.is_proved) == (False, True)


@pytest.mark.parametrize("words", [[], ["good", "c"], ["set-state", "a", "well"], ["nonsense"]])
def test_wrong_arguments(camera, words):
    assert camera(*words) == 2


def test_where_there_is_no_partition(camera, capsys):
    (camera.folder / "misc").unlink()
    assert camera("status") == 6
    assert "missing" in capsys.readouterr().err


def test_where_the_kernel_was_told_no_slot(camera, capsys):
    (camera.folder / "cmdline").write_text("ro\n")
    assert camera("good") == 6
    assert "no haetae.slot=a" in capsys.readouterr().err


def test_a_slot_that_has_proved_itself_needs_no_camera(camera, capsys):
    """A camera whose cable is broken must not restart for ever."""
    set_state(camera, lambda before: primary(before, "b"))
    assert camera("prove", "--link", f"unix:{camera.folder}/none") == 0
    assert "before" in printed(capsys)


def test_a_new_slot_that_nobody_answers_from_is_not_proved(camera, capsys):
    set_state(camera, lambda _: primary(LOST, "b"))
    link = f"unix:{camera.folder}/none"
    assert camera("prove", "--link", link, "--within-s", "0.1") == 1
    assert "slot b has not proved itself" in capsys.readouterr().err
    assert not state(camera).b.is_proved
    assert camera("prove", "--link", "carrier pigeon") == 2


# -- when it is well

WELL = {"health": {"healthy": True, "faults": {}}, "camera": {"fps": 12.0, "wanted_fps": 12.0}}
STARTING = {"health": {"healthy": True, "faults": {}}, "camera": {"wanted_fps": 12.0}}
STOPPED = {"health": {"healthy": True, "faults": {}}, "camera": {"fps": 0.0, "wanted_fps": 12.0}}
BLIND = {"health": {"healthy": False, "faults": {"camera_fault": "frozen"}}, "camera": {"fps": 9.0}}


class Clock:
    def __init__(self):
        self.ms = 0.0

    def now_ms(self):
        return self.ms

    def sleep_until_ms(self, until_ms):
        self.ms = max(self.ms, until_ms)


def proved(answers, within_ms=60_000.0):
    clock, left = Clock(), list(answers)

    def ask():
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return prove(ask, clock, within_ms), clock.ms


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (WELL, ""),
        (STARTING, "it judges no pictures"),
        (STOPPED, "it judges no pictures"),
        (BLIND, "camera_fault: frozen"),
        ({}, "it does not say that it is healthy"),
        ({"health": {"healthy": "yes"}, "camera": {"fps": 1}}, "it does not say"),
        ({"health": 3, "camera": []}, "it does not say"),
    ],
)
def test_why_a_camera_is_not_well(status, why):
    assert ill(status).startswith(why) and bool(ill(status)) == bool(why)


def test_three_good_looks_in_a_row():
    assert proved([STARTING, WELL]) == ("", 3 * LOOK_MS)
    assert proved([WELL, WELL, BLIND, WELL]) == ("", 5 * LOOK_MS)


def test_a_camera_that_starts_over_and_over_is_not_well():
    why, took_ms = proved([WELL, WELL, LinkLost("no camera answers", "")] * 30)
    assert why and took_ms >= 60_000


def test_nobody_answers():
    assert "no camera answers" in proved([LinkLost("no camera answers", "")])[0]


def test_well_too_late():
    assert "2" in proved([BLIND, WELL], within_ms=2.5 * LOOK_MS)[0]


def test_rauc_may_not_write_over_the_way_back(camera, capsys):
    """b is new and still to prove itself; a is what the camera goes back to."""
    set_state(camera, lambda before: primary(boot_state.bad(before, "b"), "b"))
    assert camera("set-state", "a", "bad") == 1
    assert "the way back" in capsys.readouterr().err
    assert state(camera).a == SlotState(3, True)
    camera("good")
    assert camera("set-state", "a", "bad") == 0
