"""`haetae run` as people use it: a process, real files, signals and exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from drivers.storage import FileReader
from runtime.journal import read_all
from tests.machine import BOARD, SITES, camera, events, faulty, haetae, metrics, reference
from tests.places import REPOSITORY

EVENT_KEYS = {"seq", "t_ms", "frame", "kind", "rule", "zone", "track", "state", "why"}
METRIC_KEYS = {
    *("frames", "fps", "frame_ms_p50", "frame_ms_p99", "invoke_ms_p50", "overhead_ratio"),
    *("rss_kb_sealed", "rss_kb_end", "kept_objects_per_frame", "dropped_frames"),
}
PEOPLE = 6
"""Who crosses the floor of the acceptance video, one at a time."""
EMPTY_S = [
    (0, 5.9),
    (20, 22.7),
    (45.1, 50),
    (70.3, 73.5),
    (87.2, 91.5),
    (120.2, 122.8),
    (136.5, 139.4),
]
"""Nobody is in the picture, seconds."""


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """One fast run over the synthetic room with everything on."""
    folder = tmp_path_factory.mktemp("run")
    video = folder / "clip.mp4"
    arguments = camera(folder, "--fast", "--frames", 90, "--video", video)
    done = haetae(*arguments)
    assert done.returncode == 0, done.stderr
    return folder, done


def test_it_is_quiet_when_not_on_a_terminal(synthetic):
    _, done = synthetic
    assert done.stdout == ""
    assert done.stderr == ""


def test_events_are_lines_with_the_promised_keys(synthetic):
    folder, _ = synthetic
    found = events(folder)
    assert all(set(event) >= EVENT_KEYS for event in found)
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert {event["kind"] for event in found} >= {"boot", "hazard", "alarm", "output", "shutdown"}


def test_metrics_have_the_promised_figures(synthetic):
    folder, _ = synthetic
    figures = metrics(folder)
    assert set(figures) >= METRIC_KEYS
    assert figures["frames"] == 90
    assert figures["overhead_ratio"] > 1.0
    assert figures["dropped_frames"] == 0


def test_the_journal_holds_what_the_lines_say(synthetic):
    folder, _ = synthetic
    records = list(read_all(FileReader(folder / "journal.ring")))
    assert [record.seq for record in records] == [event["seq"] for event in events(folder)]
    shown = haetae("journal", "show", "--path", folder / "journal.ring", "--json")
    assert shown.returncode == 0
    assert len(shown.stdout.splitlines()) == len(records)


def test_the_clip_shows_nobody(synthetic):
    """The person of the synthetic room has detail; in the clip only a coarse grid is left."""
    folder, _ = synthetic
    capture = cv2.VideoCapture(str(folder / "clip.mp4"), cv2.CAP_FFMPEG)
    frames = [capture.read() for _ in range(90)]
    capture.release()
    assert all(ok for ok, _ in frames)
    assert frames[0][1].shape == (360, 640, 3)


def test_a_second_camera_on_the_same_journal_is_refused(tmp_path):
    with start(camera(tmp_path, "--source", "synthetic:frames=600")) as first:
        wait_for_events(tmp_path)
        journal = tmp_path / "journal.ring"
        site = SITES / "counting.toml"
        second = haetae("run", "--board", BOARD, "--site", site, "--fast", "--journal", journal)
        first.kill()
    assert second.returncode == 6
    assert "in_use" in second.stderr


@contextmanager
def start(arguments):
    """A camera in real time; killed at the latest when the test is over."""
    command = [sys.executable, "-m", "runtime.main", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=REPOSITORY, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_events(folder, count=2, limit_s=60):
    path = folder / "events.jsonl"
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if path.exists() and path.read_text().count("\n") >= count:
            return
        time.sleep(0.05)
    pytest.fail(f"no {count} events within {limit_s} s")


def test_sigterm_is_a_planned_end(tmp_path):
    with start(camera(tmp_path)) as process:
        wait_for_events(tmp_path)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors.decode()
    last = events(tmp_path)[-1]
    assert (last["kind"], last["state"]) == ("shutdown", "planned")
    assert metrics(tmp_path)["frames"] > 0


def test_at_the_end_every_output_is_at_its_release_level():
    edges = faulty(frames=45)["edges"]
    assert all(moves[-1][1] is False for moves in edges.values())


def test_sigkill_at_any_moment_loses_no_acknowledged_record(tmp_path):
    """An event line is written after its record is durable, so each line must be found again."""
    acknowledged = 0
    for moment in range(4):
        (tmp_path / "events.jsonl").unlink(missing_ok=True)
        with start(camera(tmp_path, "--fast")) as process:
            wait_for_events(tmp_path, count=3 + 2 * moment)
            process.kill()
        lines = (tmp_path / "events.jsonl").read_text().split("\n")[:-1]
        shown = {json.loads(line)["seq"] for line in lines}
        kept = {record.seq for record in read_all(FileReader(tmp_path / "journal.ring"))}
        assert shown <= kept
        assert min(shown) > acknowledged, "numbers go on over a crash"
        acknowledged = max(shown)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("absent.mp4", None, "missing"),
        ("zero.mp4", b"", "empty"),
        ("garbage.mp4", bytes(range(256)) * 200, "not_video"),
    ],
)
def test_a_source_that_never_works_is_a_fault_first_and_exit_4_then(
    tmp_path, name, content, reason
):
    source = tmp_path / name
    if content is not None:
        source.write_bytes(content)
    done = haetae(*camera(tmp_path, "--fast", "--source", source))
    assert done.returncode == 4
    assert reason in done.stderr and name in done.stderr
    (fault,) = [event for event in events(tmp_path) if event["kind"] == "fault"]
    assert fault["t_ms"] <= 1000
    assert fault["why"]["reason"] == reason
    assert metrics(tmp_path)["frames"] == 0


def test_a_source_that_comes_back_is_watched_again(tmp_path):
    """The file is not there at boot and appears later, in real time."""
    source = tmp_path / "late.avi"
    with start(camera(tmp_path, "--source", source)) as process:
        wait_for_events(tmp_path, count=2)
        part = tmp_path / "part.avi"
        writer = cv2.VideoWriter(str(part), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 360))
        rng = np.random.default_rng(0)
        for _ in range(20):
            writer.write(rng.integers(0, 255, (360, 640, 3), np.uint8))
        writer.release()
        part.rename(source)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    faults = [e["state"] for e in events(tmp_path) if e["kind"] == "fault"]
    assert faults == ["raised", "cleared"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--source", "http://127.0.0.1:9/x", "--fast"], 2, "live"),
        (["--source", "synthetic:speed=3"], 2, "speed"),
        (["--model", "/nowhere"], 3, "model.toml"),
        (["--board", "nowhere.toml"], 2, "nowhere.toml"),
        (["--frames", "-1"], 2, "0 or more"),
        (["--events", "/proc/nowhere/e.jsonl"], 6, "/proc/nowhere"),
        (["--journal", "/proc/nowhere/j.ring"], 6, "/proc/nowhere"),
        (["--video", "/proc/nowhere/v.mp4"], 6, "/proc/nowhere"),
    ],
)
def test_what_is_refused_says_why(tmp_path, arguments, code, words):
    done = haetae(*camera(tmp_path, *arguments))
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_under_the_event_lines_does_not_end_the_camera(tmp_path):
    done = haetae(*camera(tmp_path, "--fast", "--frames", 60), "--events", "/dev/full")
    assert done.returncode == 0, done.stderr
    records = list(read_all(FileReader(tmp_path / "journal.ring")))
    faults = [record.body for record in records if record.body["kind"] == "fault"]
    assert faults[0]["rule"] == "storage_fault"
    assert faults[0]["why"]["reason"] == "events_file"
    assert any(record.body["kind"] == "hazard" for record in records)
    assert metrics(tmp_path)["frames"] == 60


def test_a_check_of_nothing_is_refused():
    assert haetae("check").returncode == 2


def test_mistakes_of_both_files_are_told_at_once(tmp_path):
    board, site = tmp_path / "b.toml", tmp_path / "s.toml"
    board.write_text(BOARD.read_text().replace("fps = 10.0", "fps = -1.0"))
    site.write_text((SITES / "counting.toml").read_text().replace('line = "gate"', 'line = "x"'))
    done = haetae("run", "--board", board, "--site", site)
    assert done.returncode == 2
    assert "camera.fps = -1.0" in done.stderr
    assert "rules[0].line" in done.stderr and "gate" in done.stderr


def alarm_times(found):
    return [
        e["t_ms"] / 1000 for e in found if e["kind"] == "alarm" and e["state"] == "active_unacked"
    ]


@pytest.mark.parametrize("model", ["student", "reference"])
def test_everyone_who_crosses_the_floor_is_counted_once(tmp_path, shared_data, model):
    video = shared_data / "video/intel/one-by-one-person-detection.mp4"
    extra = ["--model", reference(tmp_path / "model")] if model == "reference" else []
    done = haetae(*camera(tmp_path, "--fast", "--source", video, *extra, site="counting"))
    assert done.returncode == 0, done.stderr
    crossings = [e["state"] for e in events(tmp_path) if e["kind"] == "hazard"]
    assert crossings == ["in"] * PEOPLE


@pytest.mark.parametrize("model", ["student", "reference"])
def test_each_person_is_one_alarm_and_the_empty_room_none(tmp_path, shared_data, model):
    video = shared_data / "video/intel/one-by-one-person-detection.mp4"
    extra = ["--model", reference(tmp_path / "model")] if model == "reference" else []
    done = haetae(*camera(tmp_path, "--fast", "--source", video, *extra))
    assert done.returncode == 0, done.stderr
    times = alarm_times(events(tmp_path))
    assert len(times) == PEOPLE
    for begin_s, end_s in EMPTY_S:
        assert not any(begin_s <= at <= end_s for at in times)
