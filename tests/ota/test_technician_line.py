"""Pushes over a serial line that is slow, stopped with Ctrl-C, and unplugged on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from drivers.clock import MonotonicClock
from ota import technician_cli, technician_watch
from ota.technician_cli import push
from sim.board.cable import Cable
from tests.ota.bundles import fake_files, signed, write
from tests.ota.fake_camera import Script, Served
from tests.places import REPOSITORY

BAUD = 1_500_000
CHUNK_BYTES = 1 << 16
PUSH = "import sys; from ota.technician_cli import push; sys.exit(push(sys.argv[1:]))"


class Line:
    """A cable on a thread; whoever asks may pull its plug."""

    def __init__(self, folder: Path) -> None:
        self.cable = Cable(folder / "camera", folder / "laptop", MonotonicClock(), BAUD)
        self.link = f"serial:{folder}/laptop"
        self._wishes: list[str] = []
        self._ended = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.cable.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended = True
        self._thread.join()
        self.cable.__exit__()

    def unplug(self):
        self._wish("unplug")

    def plug(self):
        self._wish("plug")

    def _wish(self, what):
        self._wishes.append(what)
        while self._wishes:
            time.sleep(0.005)

    def _run(self):
        while not self._ended:
            self.cable.run(20.0)
            if self._wishes:
                getattr(self.cable, self._wishes[0])()
                self._wishes.pop(0)


@pytest.fixture
def line(tmp_path):
    with Line(tmp_path) as made:
        yield made


@pytest.fixture
def served(line, tmp_path, monkeypatch):
    monkeypatch.setenv("HAETAE_LINK", line.link)
    monkeypatch.delenv("HAETAE_KEY", raising=False)
    monkeypatch.setattr(technician_watch, "LOOK_MS", 50.0)
    monkeypatch.setattr(technician_cli, "AGAIN_MS", 100.0)
    monkeypatch.setattr("ota.link.push.HELLO_MS", 800.0)
    script = Script(staged_ms=0, shadow_ms=300, probation_ms=1500)
    with Served(f"serial:{tmp_path}/camera", script, tmp_path) as camera:
        yield camera


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    return write(folder / "new.bundle", signed(fake_files(), version="2026.2", release=2))


def when_half_of_it_is_there(served, do):
    """On a thread: wait for two of the large chunks, then do it."""
    return when(lambda: served.camera.taken_bytes >= 2 * CHUNK_BYTES, do)


def when(is_so, do):
    def run():
        until = time.monotonic() + 20
        while not is_so() and time.monotonic() < until:
            time.sleep(0.005)
        do()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def payload_bytes(served):
    return sum(chunk.size for chunk in served.camera._chunks)


def test_ctrl_c_and_the_same_command_again_sends_only_the_rest(line, served, bundle, capsys):
    process = subprocess.Popen(
        [sys.executable, "-c", PUSH, str(bundle)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    stop = when_half_of_it_is_there(served, lambda: process.send_signal(signal.SIGINT))
    out, err = process.communicate(timeout=30)
    stop.join()
    assert process.returncode == 130
    assert err.strip().endswith("Run the same command again: it goes on where it stopped")
    assert "Traceback" not in err and "pushing version 2026.2" in out
    there, whole = served.camera.taken_bytes, payload_bytes(served)
    assert 2 * CHUNK_BYTES <= there < whole
    assert push([str(bundle), "--no-watch"]) == 0
    out = capsys.readouterr().out
    assert f"{there / 1e3:.0f} kB of it are there already" in out
    assert served.camera.taken_bytes == whole  # no chunk twice


def test_ctrl_c_while_watching_leaves_the_trial_alone(line, served, bundle):
    process = subprocess.Popen(
        [sys.executable, "-c", PUSH, str(bundle), "--watch"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    for text in process.stdout:
        if "on trial" in text:
            process.send_signal(signal.SIGINT)
            break
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped watching; the trial goes on" in err
    assert served.camera._phase()[0] in ("shadow", "probation", "over")


def test_a_pulled_plug_is_told_and_the_push_goes_on(line, served, bundle, capsys):
    def pull():
        line.unplug()
        time.sleep(0.3)
        line.plug()

    pulled = when_half_of_it_is_there(served, pull)
    assert push([str(bundle), "--watch"]) == 0
    pulled.join()
    out = capsys.readouterr().out
    broken = out.index("the link is broken; trying again. Look at plug and power")
    assert broken < out.index("the camera answers again") < out.index("all of it is there")
    assert "confirmed just now" in out
    whole = payload_bytes(served)
    assert served.camera.taken_bytes == whole
    assert line.cable.carried_bytes < 1.5 * whole


def test_a_plug_that_is_pulled_while_the_trial_is_watched(line, served, bundle, capsys):
    def pull():
        line.unplug()
        time.sleep(0.3)
        line.plug()

    assert push([str(bundle), "--no-watch"]) == 0
    looked = served.camera.asked.count("status")
    pulled = when(lambda: served.camera.asked.count("status") > looked + 2, pull)
    assert push([str(bundle), "--watch"]) == 0
    pulled.join()
    out = capsys.readouterr().out
    assert out.index("the link is broken") < out.index("the camera answers again")
    assert "confirmed just now" in out


def test_a_plug_that_stays_away(line, served, bundle, capsys):
    pulled = when_half_of_it_is_there(served, line.unplug)
    assert push([str(bundle), "--patience", "1", "--json"]) == 7
    pulled.join()
    out, err = capsys.readouterr()
    assert json.loads(out)["reason"] == "unreachable"
    assert "the link was broken for" in err
    assert "the same command again goes on where it stopped" in err
    line.plug()
    assert push([str(bundle), "--no-watch"]) == 0
    assert served.camera.taken_bytes == payload_bytes(served)
