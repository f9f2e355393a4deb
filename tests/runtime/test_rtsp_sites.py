"""Beside an older camera: the same rules on its stream as on its recording, for every site file.

Several cameras are several processes: each run here has one stream, one site file, one journal.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.storage import FileReader
from runtime.journal import read_all
from tests.machine import BOARD, SITES, haetae
from tests.places import REPOSITORY, data_root
from tests.streams import H264Clip, MjpegServer, RtspServer

pytestmark = pytest.mark.data
UNTIL_S = 49.0
"""Two people have crossed the floor by then, and nobody is in the picture."""
FRAMES = round(10 * UNTIL_S)
WITHIN_S = 1.0
MOST_LATE_S = 0.3
WEIGHED = ("entry_predicted", "man_down", "posture", "immobile", "combined")
"""Rules that weigh evidence over time: what is near their threshold falls on either side of it when
pictures come some ms earlier or later."""
ON_EDGE = ("construction_site",)
"""Site files on the edge of whose zones the people of this clip stop to work."""
LEAD_S = 12
"""Time to load every network before the clip begins."""
ALL = sorted(path.stem for path in SITES.glob("*.toml"))
NAMES = ALL if os.environ.get("HAETAE_LONG") else ("counting", "ppe", "zone_whole_view")
"""Each takes a minute of real time; with HAETAE_LONG set every site file has its turn."""
Hazard = tuple[str, str, str]


def clip_path() -> Path:
    path = data_root() / "video/intel/one-by-one-person-detection.mp4"
    if not path.is_file():
        pytest.skip(f"HAETAE_DATA has no {path.name}")
    return path


@pytest.fixture(scope="module")
def clip() -> H264Clip:
    return H264Clip(clip_path())


def board(folder: Path, **camera: object) -> Path:
    """The simulated board, its camera section changed."""
    text = BOARD.read_text()
    for key, value in camera.items():
        text, count = re.subn(rf"(?m)^{key} = \S+", f"{key} = {value}", text)
        assert count == 1, key
    file = folder / "board.toml"
    file.write_text(text)
    return file


def arguments(folder: Path, site: Path, source: object, board_file: Path = BOARD) -> list[str]:
    names = {"--journal": "journal.ring", "--events": "events.jsonl", "--metrics": "metrics.json"}
    files = [word for name, file in names.items() for word in (name, str(folder / file))]
    return ["run", "--board", str(board_file), "--site", str(site), "--source", str(source), *files]


def always(name: str, folder: Path) -> Path:
    """A shipped site file whose rules hold at every hour: a stream has the hour that it is now."""
    file = folder / f"{name}.toml"
    text = (SITES / f"{name}.toml").read_text()
    file.write_text(re.sub(r"(?m)^schedule = .*\n", "", text))
    return file


@contextmanager
def watching(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A camera in real time; killed at the latest when the test is over."""
    command = [sys.executable, "-m", "runtime.main", *words]
    with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()


def hazards(folder: Path, began_s: float | None = None) -> list[tuple[float, Hazard]]:
    """(seconds, what) of every hazard; of a stream, seconds since its clip began."""
    reader, found = FileReader(folder / "journal.ring"), []
    for record in read_all(reader):
        body = record.body
        if body.get("kind") == "hazard":
            t_s = body["t_ms"] / 1e3 if began_s is None else record.mono_ms / 1e3 - began_s
            found.append((t_s, (str(body["rule"]), str(body["zone"]), str(body["state"]))))
    reader.close()
    return found


def faults(folder: Path) -> list[tuple[float, dict[str, Any]]]:
    """(monotonic s, body) of every fault."""
    reader = FileReader(folder / "journal.ring")
    found = [(r.mono_ms / 1e3, r.body) for r in read_all(reader) if r.body.get("kind") == "fault"]
    reader.close()
    return found


def compare(
    seen: list[tuple[float, Hazard]], expected: list[tuple[float, Hazard]], *, on_edge: bool = False
) -> None:
    """As many of each kind, and each within the tolerance."""
    kinds = {what for _, what in seen + expected}
    for kind in kinds:
        ours = sorted(t_s for t_s, what in seen if what == kind)
        theirs = sorted(t_s for t_s, what in expected if what == kind)
        if on_edge or kind[0] in WEIGHED:
            assert abs(len(ours) - len(theirs)) <= 1, f"{kind}: {ours}, in the file {theirs}"
            continue
        assert len(ours) == len(theirs), f"{kind}: {ours} on the stream, {theirs} in the file"
        for t_s, wanted_s in zip(ours, theirs, strict=True):
            assert abs(t_s - wanted_s) <= WITHIN_S, f"{kind}: {ours}, in the file {theirs}"


class Pulse:
    """How late this machine wakes up: a test in real time proves nothing where that is long."""

    def __init__(self) -> None:
        self.late_s = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while True:
            before_s = time.monotonic()
            if self._over.wait(0.05):
                return
            self.late_s = max(self.late_s, time.monotonic() - before_s - 0.05)


@contextmanager
def in_real_time(pulse: Pulse) -> Iterator[None]:
    """What fails is a failure, unless the machine was too busy to watch."""
    try:
        yield
    except AssertionError:
        if pulse.late_s > MOST_LATE_S:
            pytest.skip(f"the machine was {pulse.late_s:.1f} s late: too busy for real time")
        raise


def until(condition: Callable[[], object], limit_s: float = 90.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def from_the_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What a site file gives on the recording itself."""
    known: dict[str, list[tuple[float, Hazard]]] = {}

    def run(name: str) -> list[tuple[float, Hazard]]:
        if name not in known:
            folder = tmp_path_factory.mktemp(name)
            words = arguments(folder, always(name, folder), clip_path())
            done = haetae(*words, "--fast", "--frames", FRAMES)
            assert done.returncode == 0, done.stderr
            known[name] = hazards(folder)
        return known[name]

    return run


@pytest.fixture(scope="module")
def from_the_stream(
    clip: H264Clip, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, RtspServer, Pulse]]:
    """Every site file at once, each on a camera of its own."""
    found: dict[str, tuple[Path, RtspServer, Pulse]] = {}
    with ExitStack() as stack:
        running, pulse = [], stack.enter_context(Pulse())
        for name in NAMES:
            server = RtspServer(clip, until_s=UNTIL_S, lead_s=LEAD_S)
            stack.callback(server.die)
            folder = tmp_path_factory.mktemp(f"{name}_stream")
            words = arguments(folder, always(name, folder), server.url)
            running.append((server, stack.enter_context(watching(*words))))
            found[name] = folder, server, pulse
        for server, process in running:
            assert server.ended.wait(LEAD_S + UNTIL_S + 60)
            stop(process)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_site_file_gives_the_same_hazards_on_a_stream_as_on_its_recording(
    name: str,
    from_the_file: Callable[[str], Any],
    from_the_stream: dict[str, tuple[Path, RtspServer, Pulse]],
) -> None:
    folder, server, pulse = from_the_stream[name]
    expected = from_the_file(name)
    with in_real_time(pulse):
        compare(hazards(folder, server.began_s), expected, on_edge=name in ON_EDGE)
        assert server.clients == 1
        assert [t_s for t_s, _ in faults(folder) if t_s < server.ended_s] == []


def test_the_comparison_is_of_something(from_the_file: Callable[[str], Any]) -> None:
    assert [what for _, what in from_the_file("counting")] == [("line", "gate", "in")] * 2
    assert len(from_the_file("zone_whole_view")) == 4
    with pytest.raises(AssertionError, match="on the stream"):
        compare([], from_the_file("counting"))
    late = [(t_s + 2 * WITHIN_S, what) for t_s, what in from_the_file("counting")]
    with pytest.raises(AssertionError, match="in the file"):
        compare(late, from_the_file("counting"))


def test_the_same_over_http(tmp_path: Path, from_the_file: Callable[[str], Any]) -> None:
    server = MjpegServer(clip_path(), until_s=UNTIL_S)
    words = arguments(tmp_path, SITES / "counting.toml", server.url)
    with Pulse() as pulse, watching(*words) as process:
        assert server.ended.wait(UNTIL_S + 60)
        stop(process)
    server.die()
    expected = from_the_file("counting")
    with in_real_time(pulse):
        compare(hazards(tmp_path, server.began_s), expected)


def test_a_camera_that_loses_its_power_is_told_within_a_second_and_found_again(
    tmp_path: Path, clip: H264Clip, from_the_file: Callable[[str], Any]
) -> None:
    """It dies 3 s into the clip, comes back 4 s later, and shows the clip from its beginning."""
    server = RtspServer(clip, until_s=24.0)
    words = arguments(tmp_path, SITES / "counting.toml", server.url, board(tmp_path, retry_ms=200))
    with Pulse() as pulse, watching(*words) as process:
        until(lambda: (tmp_path / "events.jsonl").exists() and server.clients)
        until(lambda: (tmp_path / "events.jsonl").read_text())
        time.sleep(3.0)
        died_s = time.monotonic()
        server.die()
        time.sleep(4.0)
        server.revive()
        assert server.ended.wait(90)
        stop(process)
    server.die()
    (raised_s, raised), (cleared_s, cleared), *_ = faults(tmp_path)
    assert (raised["state"], cleared["state"]) == ("raised", "cleared")
    assert raised["why"]["reason"] in ("read_failed", "no_frame", "open_failed")
    (first, *_) = hazards(tmp_path, server.began_s)
    expected = from_the_file("counting")[0]
    assert first[1] == expected[1]
    with in_real_time(pulse):
        assert raised_s - died_s <= 1.2
        assert 4.0 < cleared_s - died_s <= 20
        assert abs(first[0] - expected[0]) <= WITHIN_S


@pytest.mark.parametrize(
    ("path", "login", "reason"),
    [("/nothing", "", "open_failed"), ("/cctv", "guard:right", "open_failed")],
)
def test_a_wrong_address_or_password_is_refused_plainly(
    tmp_path: Path, clip: H264Clip, path: str, login: str, reason: str
) -> None:
    server = RtspServer(clip, login=login)
    url = f"rtsp://guard:wrong@127.0.0.1:{server.port}{path}"
    quick = board(tmp_path, give_up_ms=4000, retry_ms=300)
    done = haetae(*arguments(tmp_path, SITES / "counting.toml", url, quick))
    server.die()
    assert done.returncode == 4
    assert reason in done.stderr
    assert f"rtsp://127.0.0.1:{server.port}{path}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    ((_, fault), *_) = faults(tmp_path)
    assert (fault["rule"], fault["state"]) == ("camera_fault", "raised")
    kept = (tmp_path / "journal.ring").read_bytes() + done.stderr.encode()
    assert b"wrong" not in kept and b"guard" not in kept


def test_a_password_that_is_right_opens_it(tmp_path: Path, clip: H264Clip) -> None:
    server = RtspServer(clip, until_s=12.0, login="guard:right")
    url = f"rtsp://guard:right@127.0.0.1:{server.port}/cctv"
    with watching(*arguments(tmp_path, SITES / "counting.toml", url)) as process:
        assert server.ended.wait(60)
        stop(process)
    server.die()
    assert json.loads((tmp_path / "metrics.json").read_text())["frames"] > 30
    assert b"right" not in (tmp_path / "journal.ring").read_bytes()


def test_an_address_that_is_none_is_refused_before_anything_starts(tmp_path: Path) -> None:
    done = haetae(*arguments(tmp_path, SITES / "counting.toml", "rtsp:///cctv"))
    assert done.returncode == 2
    assert "rtsp://HOST" in done.stderr
