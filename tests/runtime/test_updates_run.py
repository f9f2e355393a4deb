"""A running camera, a process of its own in sealed memory, gets students over its socket."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drivers.board import NpuConfig
from drivers.clock import MonotonicClock
from drivers.npu.tflite import TfliteNpu
from models.package import STUDENTS, load_package
from models.signature import open_session
from ota.build import collect
from ota.bundle import BundleFile
from ota.golden_make import make_golden
from ota.link.address import open_port, parse
from ota.link.client import LinkClient
from ota.refusal import Refused
from sim.board import students
from tests.ota import bundles, vendor
from tests.places import REPOSITORY

SITES = REPOSITORY / "board_configs" / "site"
BOARD = REPOSITORY / "board_configs" / "sim.toml"
WAIT_S = 60
UPDATES = """
[updates]
path = "{folder}/slots.area"
ring = "{folder}/ring"
product = "{product}"
device = "cam-1"
links = ["unix:{folder}/link"]
settle_ms = 300
shadow_ms = 800
probation_ms = 1000
most_ms = 60000
people = 6
"""


def golden(folder):
    package = load_package(folder, "tflite")
    session = open_session(package, TfliteNpu(NpuConfig(driver="tflite")))
    try:
        return make_golden(session, package.info, "tflite")
    finally:
        session.close()


def make_bundle(folder, kind, release):
    detector = students.make(kind, folder / f"student_{kind}")
    sets = {
        "detector": detector,
        "skeleton": STUDENTS / "skeleton_s",
        "action": STUDENTS / "action_xs",
    }
    goldens = {role: golden(path) for role, path in sets.items()}
    files = [file for path in sets.values() for file in collect(path, ["tflite"], goldens)]
    data = bundles.signed(files, release=release, version=f"1.{release}.0")
    return bundles.write(folder / f"{release}.bundle", data)


class Camera:
    def __init__(self, folder, site):
        self.folder, self.now = folder, None
        (folder / "ring").write_bytes(
            vendor.ring(1, operators=[vendor.operator("anna", "technician")])
        )
        board = Path(BOARD).read_text().replace("build/journal.ring", f"{folder}/journal.ring")
        board += UPDATES.format(folder=folder, product=vendor.PRODUCT)
        (folder / "board.toml").write_text(board)
        self.events = folder / "events.jsonl"
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "runtime.main", "run", "--board", str(folder / "board.toml"),
                "--site", str(site), "--source", "synthetic:seed=3", "--events", str(self.events),
                "--metrics", str(folder / "metrics.json"),
            ],
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def client(self):
        """A connection, as soon as the camera listens."""
        deadline = time.monotonic() + WAIT_S
        while not (self.folder / "link").exists():
            assert self.process.poll() is None, self.process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        address = parse(f"unix:{self.folder / 'link'}")
        self.hang_up()
        self.now = LinkClient(
            open_port(address),
            MonotonicClock(),
            vendor.seed("anna"),
            reconnect=lambda: open_port(address),
        )
        self.now.hello()
        return self.now

    def hang_up(self):
        if self.now is not None:
            self.now.close()

    def told(self, kind):
        lines = self.events.read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["kind"] == kind]

    def end(self):
        self.hang_up()
        self.process.terminate()
        _, error = self.process.communicate(timeout=WAIT_S)
        assert self.process.returncode == 0, error.decode()


def follow(client, release):
    """Until the trial of this release has ended; the status then."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        status = client.ask("status", {}, 5000)
        if status["last"]["release"] == release and status["update"]["phase"] == "idle":
            return status
        time.sleep(0.1)
    raise AssertionError(f"no end of the trial: {status}")


def push(client, path):
    with BundleFile(path) as bundle:
        client.push(bundle, False, lambda progress: None)


@pytest.fixture
def camera(tmp_path):
    made = Camera(tmp_path, SITES / "man_down.toml")
    yield made
    made.hang_up()
    if made.process.poll() is None:
        made.process.kill()
        made.process.communicate()


def test_students_come_and_go_while_it_watches(camera, tmp_path):
    client = camera.client()
    push(client, make_bundle(tmp_path, "good", 2))
    status = follow(client, 2)
    assert status["last"]["outcome"] == "confirmed"
    assert status["students"]["from"] == "slot 0" and status["floor"] == 1

    push(client, make_bundle(tmp_path, "blind", 3))
    status = follow(client, 3)
    assert (status["last"]["outcome"], status["last"]["reason"]) == ("rolled_back", "agreement")
    assert status["students"]["release"] == 2 and status["health"]["healthy"]
    with pytest.raises(Refused, match="agreement"):
        push(client, tmp_path / "3.bundle")

    push(client, make_bundle(tmp_path, "good", 4))
    first_kb = follow(client, 4)["memory"]["rss_kb"]
    push(client, make_bundle(tmp_path, "good", 5))
    status = follow(client, 5)
    assert status["memory"]["rss_kb"] < 1.05 * first_kb, "memory does not grow with each update"
    camera.end()
    assert camera.told("fault") == []
    figures = json.loads((tmp_path / "metrics.json").read_text())
    assert figures["dropped_frames"] <= 0.02 * figures["frames"] + 2
    states = [event["state"] for event in camera.told("update")]
    assert states.count("confirmed") == 3 and states.count("rolled_back") == 1


def test_a_pushed_site_file_is_run_after_a_restart_and_a_wrong_one_never(camera):
    client = camera.client()
    with pytest.raises(Refused, match="not TOML"):
        client.ask("site", {"text": "nonsense"}, 5000)
    wrong = (SITES / "demo_zone.toml").read_text().replace("polygon", "polygone")
    with pytest.raises(Refused, match="polygon"):
        client.ask("site", {"text": wrong}, 5000)
    assert client.ask("status", {}, 5000)["site"]["from"] == "image"
    text = (SITES / "demo_zone.toml").read_text()
    assert client.ask("site", {"text": text}, 5000) == {"restart": True}
    pid, deadline = camera.process.pid, time.monotonic() + WAIT_S
    while len(camera.told("boot")) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    status = camera.client().ask("status", {}, 5000)
    assert status["site"]["from"] == "trial" and status["site"]["name"] == "demo zone"
    assert camera.process.pid == pid and camera.process.poll() is None
    assert camera.now.ask("site_get", {}, 5000)["text"] == text
    camera.end()
    assert [event["state"] for event in camera.told("shutdown")] == ["planned", "planned"]
