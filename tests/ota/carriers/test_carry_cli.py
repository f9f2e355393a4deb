"""`haetae ota carry` as a process runs it: over a real Unix socket, with files and servers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from drivers.clock import MonotonicClock
from drivers.socket_port import listen_unix
from ota.carriers import carry, carry_cli
from ota.carriers.carry_cli import ARGUMENTS, DONE, REFUSED, UNREACHABLE
from ota.head import parse_head
from ota.link.server import LinkServer
from ota.refusal import Refused
from ota.service import Asker, Path, Rank
from ota.status import stored
from tests.ota import camera as board
from tests.ota import vendor
from tests.ota.carriers import channels, servers
from tests.ota.carriers.hawkbit_server import TOKEN, hawkbit
from tests.ota.carriers.servers import serving
from tests.ota.carriers.world import FACTS, bundle_bytes

CLOCK = MonotonicClock()


class Runtime:
    """A camera whose trials end at the second look. Implements `ota.service.Service`."""

    def __init__(self, ends_well: bool = True) -> None:
        self.updater = board.start(board.new_flash(slot_bytes=FACTS.slot_bytes), FACTS, CLOCK)
        self.ends_well, self.looks = ends_well, 0
        self.asked: list[tuple[str, Rank, Path]] = []

    def hello(self) -> dict[str, Any]:
        names = ("device", "product", "board", "runtime", "target")
        return {name: getattr(FACTS, name) for name in names} | {"unpack": True}

    def operator(self, key_id: bytes) -> None:
        return None

    def ask(self, command: str, arguments: dict[str, Any], by: Asker) -> dict[str, Any]:
        self.asked.append((command, by.rank, by.path))
        match command:
            case "offer":
                return self.updater.offer(arguments["head"], arguments["allow_older"])
            case "chunk":
                return {"next": self.updater.chunk(**arguments)}
            case "status":
                return self.status()
        raise Refused("unknown", command)

    def status(self) -> dict[str, Any]:
        told = stored(self.updater)
        if told["update"]["phase"] == "staged":
            self.looks += 1
            if self.looks == 2:
                self.updater.store.begin_trial()
                if self.ends_well:
                    self.updater.store.confirm()
                    self.updater.load_active()
                else:
                    self.updater.store.roll_back("latency", "80 ms of 60")
        return told

    @property
    def release(self) -> int:
        return int(stored(self.updater)["students"]["release"])


@contextmanager
def running(runtime: Runtime, socket) -> Iterator[str]:
    server = LinkServer(listen_unix(socket, CLOCK), Path.LOCAL, runtime, CLOCK, lambda *entry: None)
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            if not server.poll(CLOCK.now_ms()):
                is_over.wait(0.001)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield f"unix:{socket}"
    finally:
        is_over.set()
        worker.join()
        server.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits of a second become ten milliseconds; SIGTERM is as it was afterwards."""
    monkeypatch.setattr(carry, "IDLE_MS", 10.0)
    monkeypatch.setattr(carry, "WATCH_MS", 20.0)
    monkeypatch.setattr(carry_cli, "LOST_MS", 10.0)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def camera(tmp_path):
    runtime = Runtime()
    with running(runtime, tmp_path / "link") as runtime.link:
        yield runtime


def run(*words: object) -> int:
    return carry_cli.carry([str(word) for word in words])


def test_from_a_stick_to_confirmed_students(camera, tmp_path, capsys):
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "new.bundle").write_bytes(bundle_bytes(5))
    assert run("--link", camera.link, "--usb", tmp_path / "media", "--once") == DONE
    assert camera.release == 5
    told = capsys.readouterr().out
    assert told.startswith("camera mast-7\n")
    assert "stick: 100 %" in told and told.endswith("stick: confirmed\n")
    assert {rank for _, rank, _ in camera.asked} == {Rank.NOBODY}, "it needs no key here"


def channel_words(static, url: str, folder) -> list[object]:
    data = bundle_bytes(5)
    static.files["/5.bundle"] = data
    release = channels.release(5, digest=parse_head(data).digest, bytes=len(data))
    static.files["/haetae.channel"] = channels.signed(channels.channel(1, release))
    (folder / "ring").write_bytes(vendor.ring(1))
    return ["--channel", f"{url}/haetae.channel", "--ring", folder / "ring", "--state", folder]


def test_from_a_channel_to_confirmed_students(camera, tmp_path):
    with serving() as (static, url):
        words = channel_words(static, url, tmp_path)
        assert run("--link", camera.link, *words, "--once") == DONE
        assert camera.release == 5
        assert run("--link", camera.link, *words, "--once") == DONE
        assert static.sent["/5.bundle"] < len(bundle_bytes(5))


class Inbox:
    """A vendor's server: takes reports."""

    def __init__(self, static) -> None:
        self.static = static
        self.told: list[dict[str, Any]] = []
        self.refuse = 0

    def handler(self, base):
        inbox = self

        def post(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if inbox.refuse:
                inbox.refuse -= 1
                return self.answer(503, b"")
            inbox.told.append(json.loads(data) | {"token": self.headers.get("Authorization")})
            return self.answer(204, b"")

        return type("Inbox", (base,), {"post": post})


@pytest.mark.parametrize("ends_well", [True, False])
def test_the_vendors_server_hears_how_it_ended(tmp_path, ends_well):
    runtime = Runtime(ends_well)
    with running(runtime, tmp_path / "link") as link, serving() as (static, url):
        inbox = Inbox(servers.Static())
        inbox.refuse = 1
        handler = type("Bound", (inbox.handler(servers.Handler),), {"static": inbox.static})
        with servers.running(handler) as report:
            (tmp_path / "token").write_text("secret\n")
            words = channel_words(static, url, tmp_path)
            words += ["--report", f"{report}/in", "--report-token-file", tmp_path / "token"]
            assert run("--link", link, *words, "--once") == DONE
    ended = "confirmed" if ends_well else "failed"
    assert [one["event"] for one in inbox.told] == ["began", ended]
    assert inbox.told[1]["reason"] == ("" if ends_well else "latency")
    assert {one["token"] for one in inbox.told} == {"Bearer secret"}
    assert all("authorization" not in headers for headers in static.headers)
    assert inbox.told[0]["device"] == "mast-7" and inbox.told[0]["release"] == 5


def test_from_hawkbit_to_a_closed_action(camera, tmp_path):
    with hawkbit() as server:
        server.assign("8", bundle_bytes(5))
        (tmp_path / "token").write_text(TOKEN + "\n")
        words = ("--hawkbit", server.url, "--token-file", tmp_path / "token", "--once")
        assert run("--link", camera.link, *words) == DONE
        assert server.closed == {"8": "success"}
    assert camera.release == 5


def test_it_waits_for_the_camera_and_ends_when_it_is_told(tmp_path, capsys):
    runtime = Runtime()
    (tmp_path / "media").mkdir()

    def later() -> None:
        with running(runtime, tmp_path / "link"):
            (tmp_path / "media" / "new.bundle").write_bytes(bundle_bytes(5))
            while runtime.release != 5 and not is_over.wait(0.01):
                pass
            signal.pthread_kill(main, signal.SIGTERM)
            is_over.wait(5)

    is_over, main = threading.Event(), threading.main_thread().ident
    worker = threading.Timer(0.1, later)
    worker.start()
    assert run("--link", f"unix:{tmp_path}/link", "--usb", tmp_path / "media") == DONE
    is_over.set()
    worker.join()
    assert runtime.release == 5
    assert capsys.readouterr().out.count("camera: ") == 1, "a camera that is away is said once"


def test_with_once_it_waits_for_a_camera_and_watches_the_trial_to_its_end(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(carry_cli, "LOST_MS", 10.0)
    runtime, is_over = Runtime(), threading.Event()
    (tmp_path / "new.bundle").write_bytes(bundle_bytes(5))

    def later() -> None:
        with running(runtime, tmp_path / "link"):
            is_over.wait(20)

    worker = threading.Timer(0.1, later)
    worker.start()
    assert run("--link", f"unix:{tmp_path}/link", "--usb", tmp_path, "--once", "--wait") == DONE
    is_over.set()
    worker.join()
    assert runtime.release == 5
    assert "stick: confirmed" in capsys.readouterr().out


def test_no_camera(tmp_path):
    assert run("--link", f"unix:{tmp_path}/x", "--usb", tmp_path, "--once") == UNREACHABLE


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "nowhere to look"),
        (("--channel", "https://cdn.example/x"), "--ring"),
        (("--channel", "ftp://cdn.example/x", "--ring", "ring", "--state", "."), "https://"),
        (("--channel", "https://a.example/x", "--ring", "r", "--state", "/no/such"), "no such"),
        (("--hawkbit", "hawkbit.example"), "https://"),
        (("--usb", ".", "--link", "nonsense"), "no link"),
    ],
)
def test_wrong_arguments(words, text, capsys):
    assert run("--link", "unix:/tmp/none", *words) == ARGUMENTS
    assert text in capsys.readouterr().err


def test_files_that_are_wrong(camera, tmp_path, capsys):
    words = ("--link", camera.link, "--channel", "http://localhost:1/x", "--state", tmp_path)
    (tmp_path / "ring").write_bytes(vendor.ring(1, signed_by=["root 1"]))
    assert run(*words, "--ring", tmp_path / "ring", "--once") == REFUSED
    assert "ring_signature" in capsys.readouterr().err
    assert run(*words, "--ring", tmp_path / "none", "--once") == ARGUMENTS
    (tmp_path / "token").write_text("two words\n")
    hawk = ("--link", camera.link, "--hawkbit", "http://localhost:1", "--once")
    assert run(*hawk, "--token-file", tmp_path / "token") == REFUSED
    assert run(*hawk, "--ca", tmp_path / "none") == ARGUMENTS


def test_without_the_extra_it_says_what_to_install(camera, tmp_path, monkeypatch, capsys):
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'urllib3'", name="urllib3")

    monkeypatch.setattr(carry_cli, "import_module", missing)
    words = ("--link", camera.link, "--hawkbit", "http://localhost:1", "--once")
    assert run(*words) == ARGUMENTS
    assert "haetae[net]" in capsys.readouterr().err


def test_a_stick_needs_nothing_of_the_network():
    words = "import sys, ota.carriers.carry_cli; sys.exit('urllib3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0
