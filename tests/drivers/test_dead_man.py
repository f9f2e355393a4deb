"""The fault relay falls by itself, whatever becomes of the loop: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drivers.board import OutputConfig
from drivers.clock import MonotonicClock
from drivers.dead_man import ProcessDeadMan
from drivers.faults import OutputFault
from drivers.operator_config import DeadManConfig
from tests.drivers.level_file import LevelFile
from tests.places import REPOSITORY

WITHIN_S = 1.2
"""A fault relay falls within about a second; the rest is for a busy machine."""


@pytest.fixture
def line(tmp_path: Path) -> Path:
    return tmp_path / "relay"


@pytest.fixture
def loop(line: Path):
    """Starts the loop of another process; returns it and the pid of its guard."""
    started = []

    def start(hang: str) -> tuple[subprocess.Popen, int]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.drivers.dead_man_loop", str(line), hang],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        guard = int(process.stdout.readline())
        return process, guard

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def fell_within_s(line: Path, limit_s: float = 5.0) -> float:
    """Time until the line falls."""
    began = time.monotonic()
    while line.read_text() != "0":
        assert time.monotonic() - began < limit_s, "the relay stays up"
        time.sleep(0.005)
    return time.monotonic() - began


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def ends_within_s(pid: int, limit_s: float) -> bool:
    end = time.monotonic() + limit_s
    while is_there(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not is_there(pid)


def test_a_stopped_loop_lets_the_relay_fall_and_a_continued_one_raises_it(loop, line):
    process, _ = loop("never")
    time.sleep(0.3)
    assert line.read_text() == "1"
    process.send_signal(signal.SIGSTOP)
    assert 0.5 < fell_within_s(line) < WITHIN_S
    process.send_signal(signal.SIGCONT)
    end = time.monotonic() + 2
    while line.read_text() != "1":
        assert time.monotonic() < end, "the loop beats again, and the relay stays down"
        time.sleep(0.01)


def test_a_killed_loop_lets_the_relay_fall_at_once_and_leaves_nothing_behind(loop, line):
    process, guard = loop("never")
    time.sleep(0.3)
    process.kill()
    assert fell_within_s(line) < WITHIN_S
    assert ends_within_s(guard, 3)


@pytest.mark.parametrize("hang", ["gil", "thread"])
def test_a_c_call_that_never_returns_lets_the_relay_fall(loop, line, hang):
    """Also where a thread does the beating: it is the proof that a thread would be stopped too."""
    process, _ = loop(hang)
    assert process.stdout.readline() == "hangs\n"
    assert fell_within_s(line) < WITHIN_S


def test_signals_for_the_whole_group_do_not_end_the_guard_before_the_loop(loop, line):
    _, guard = loop("never")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guard, number)
    time.sleep(0.3)
    assert is_there(guard) and line.read_text() == "1"


def test_the_guard_is_small(loop):
    _, guard = loop("never")
    time.sleep(0.3)
    rollup = Path(f"/proc/{guard}/smaps_rollup").read_text().splitlines()
    kb = {row.split()[0]: int(row.split()[1]) for row in rollup[1:]}
    private_kb = kb["Private_Clean:"] + kb["Private_Dirty:"]
    print(f"RSS {kb['Rss:']} kB, private {private_kb} kB, Pss {kb['Pss:']} kB")
    assert kb["Rss:"] < 16_000 and private_kb < 8_000


@pytest.fixture
def here(line: Path):
    """A guarded output of this process."""
    dead_man = ProcessDeadMan(DeadManConfig(driver="process"), MonotonicClock())
    config = OutputConfig(name=str(line), role="fault", driver="level_file")
    output = dead_man.guard(config, LevelFile, MonotonicClock())
    yield dead_man, output
    dead_man.close()


def test_a_planned_end_lets_go_and_leaves_nothing_behind(here, line):
    dead_man, output = here
    output.set(True, 0.0)
    assert (line.read_text(), output.level) == ("1", True)
    output.release(0.0)
    output.release(0.0)
    assert line.read_text() == "0"
    dead_man.close()
    dead_man.close()
    assert not is_there(output.pid)


def test_a_refusal_comes_back_as_one(here, line):
    _, output = here
    (line.parent / "refuse").touch()
    with pytest.raises(OutputFault, match="the test says so"):
        output.set(True, 0.0)
    (line.parent / "refuse").unlink()
    output.set(True, 0.0)
    assert line.read_text() == "1"


def test_an_output_that_cannot_be_made_refuses_at_the_start(tmp_path):
    dead_man = ProcessDeadMan(DeadManConfig(driver="process"), MonotonicClock())
    config = OutputConfig(name=str(tmp_path / "no" / "relay"), role="fault", driver="level_file")
    with pytest.raises(OutputFault, match="no folder"):
        dead_man.guard(config, LevelFile, MonotonicClock())
    dead_man.close()


def test_a_guard_that_died_is_a_fault_at_every_beat(here):
    dead_man, output = here
    dead_man.beat(0.0)
    os.kill(output.pid, signal.SIGKILL)
    time.sleep(0.1)
    for now_ms in (200.0, 400.0):
        with pytest.raises(OutputFault, match="guard_gone"):
            dead_man.beat(now_ms)
    with pytest.raises(OutputFault, match="guard_gone"):
        output.set(True, 500.0)


def test_a_guard_that_hangs_is_ended_so_that_its_line_falls(here):
    dead_man, output = here
    os.kill(output.pid, signal.SIGSTOP)
    with pytest.raises(OutputFault, match="guard_hung"):
        beat_for(dead_man, 3000)
    assert not is_there(output.pid)


def beat_for(dead_man: ProcessDeadMan, ms: int) -> None:
    for now_ms in range(0, ms, 100):
        dead_man.beat(float(now_ms))


def test_beats_are_few(here, monkeypatch):
    dead_man, output = here
    sent = []
    monkeypatch.setattr(output, "_send", sent.append)
    for now_ms in range(0, 1000, 10):
        monkeypatch.setattr(output, "_waits", False)
        dead_man.beat(float(now_ms))
    assert len(sent) == 10
