"""Real ports: a pty pair, loopback TCP, a Unix socket; and what happens when they go away."""

from __future__ import annotations

import os
import pty
import socket
import stat
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as File

import pytest

from drivers.clock import MonotonicClock, VirtualClock
from drivers.faults import LinkFault
from drivers.interfaces import Serial
from drivers.serial_port import SerialPort
from drivers.socket_port import (
    SILENT_MS,
    Listening,
    ListeningPort,
    SocketPort,
    connect_tcp,
    connect_unix,
    listen_tcp,
    listen_unix,
)
from ota.bundle import BundleFile
from ota.link.address import open_port, parse
from ota.link.client import LinkClient
from ota.link.lost import LinkLost
from ota.link.server import LinkServer
from ota.service import Path
from tests.ota.link.camera import Camera, write_bundle

BYTES = 400_000
CLOCK = MonotonicClock()


@contextmanager
def serving(port: Serial, path: Path, camera: Camera) -> Iterator[LinkServer]:
    """A worker that polls a camera's link."""
    server = LinkServer(port, path, camera, CLOCK, lambda *entry: None)
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            if not server.poll(CLOCK.now_ms()):
                is_over.wait(0.001)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield server
    finally:
        is_over.set()
        worker.join()
        server.close()


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Two pty pairs tied together: device files of both ends of a cable."""
    ends = [pty.openpty() for _ in range(2)]
    names = [os.ttyname(slave) for _, slave in ends]
    is_over = threading.Event()

    def carry(a: int, b: int) -> None:
        while not is_over.is_set():
            try:
                os.write(b, os.read(a, 4096))
            except OSError:
                return

    pairs = (ends[0][0], ends[1][0]), (ends[1][0], ends[0][0])
    workers = [threading.Thread(target=carry, args=pair, daemon=True) for pair in pairs]
    for master, slave in ends:
        tty.setraw(slave)
        os.set_blocking(master, True)
    for worker in workers:
        worker.start()
    try:
        yield names[0], names[1]
    finally:
        is_over.set()
        for _, slave in ends:
            os.close(slave)
        for worker in workers:
            worker.join(2)
        for master, _ in ends:
            os.close(master)


@pytest.fixture
def file(tmp_path: File):
    return tmp_path / "b", write_bundle(tmp_path / "b", BYTES)


def push(address: str, file, camera: Camera) -> None:
    with LinkClient(open_port(parse(address)), CLOCK) as client, BundleFile(file[0]) as bundle:
        assert client.ask("status") == {"text": "fine"}
        client.push(bundle)
    assert camera.payload == file[1]


def test_a_push_through_a_pty(file):
    camera = Camera()
    with cable() as (ours, theirs), serving(SerialPort(ours), Path.CABLE, camera):
        push(f"serial:{theirs}", file, camera)


def test_a_push_over_tcp(file):
    camera = Camera()
    port = listen_tcp("127.0.0.1", 0, CLOCK)
    with serving(port, Path.LOCAL, camera):
        push(f"tcp:127.0.0.1:{port.address[1]}", file, camera)


def test_a_push_through_a_unix_socket(file, tmp_path):
    camera = Camera()
    with serving(listen_unix(tmp_path / "s", CLOCK), Path.LOCAL, camera):
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660
        push(f"unix:{tmp_path / 's'}", file, camera)
    assert list(tmp_path.glob("s*")) == []


def test_a_second_technician_is_turned_away_and_told(tmp_path):
    camera = Camera()
    with serving(listen_unix(tmp_path / "s", CLOCK), Path.LOCAL, camera):
        first = LinkClient(connect_unix(str(tmp_path / "s")), CLOCK)
        first.ask("status")
        with (
            LinkClient(connect_unix(str(tmp_path / "s")), CLOCK) as second,
            pytest.raises(LinkLost, match="somebody else is connected"),
        ):
            second.hello()
        first.ask("status")
        first.close()
        with LinkClient(
            connect_unix(str(tmp_path / "s")),
            CLOCK,
            reconnect=lambda: connect_unix(str(tmp_path / "s")),
        ) as third:
            assert third.ask("status") == {"text": "fine"}


def both(port: ListeningPort, path: File) -> tuple[Serial, Serial]:
    first, second = connect_unix(str(path)), connect_unix(str(path))
    port.admit()
    port.admit()
    return first, second


def test_who_was_silent_makes_room_for_the_newest(tmp_path):
    clock = VirtualClock()
    port = listen_unix(tmp_path / "s", clock)
    assert isinstance(port, Listening) and port.connection == 0
    first, second = both(port, tmp_path / "s")
    assert port.connection == 1
    with pytest.raises(LinkFault, match="closed"):
        second.read(9)
    clock.sleep_until_ms(SILENT_MS - 1)
    port.heard()
    clock.sleep_until_ms(SILENT_MS + 1)
    third = connect_unix(str(tmp_path / "s"))
    port.admit()
    assert port.connection == 1
    clock.sleep_until_ms(2 * SILENT_MS)
    fourth = connect_unix(str(tmp_path / "s"))
    port.admit()
    assert port.connection == 2
    fourth.write(b"new")
    assert port.read(9) == b"new"
    for gone in (first, third):
        with pytest.raises(LinkFault):
            gone.read(9)
    fourth.close()
    assert port.read(9) == b"" and port.connection == 0
    assert port.write(b"x") == 0
    for end in (first, second, third, port, port):
        end.close()


def test_who_has_left_makes_room_at_once(tmp_path):
    port = listen_unix(tmp_path / "s", VirtualClock())
    first = connect_unix(str(tmp_path / "s"))
    port.admit()
    first.write(b"the last words")
    first.close()
    second = connect_unix(str(tmp_path / "s"))
    port.admit()
    second.write(b"new")
    assert (port.connection, port.read(99)) == (2, b"new")
    second.close()
    port.close()


def test_a_unix_socket_takes_the_place_of_a_dead_one_and_of_nothing_else(tmp_path):
    path = tmp_path / "s"
    port = listen_unix(path, CLOCK)
    with pytest.raises(LinkFault, match="in_use"):
        listen_unix(path, CLOCK)
    port._path = None  # dies without taking its file away
    port.close()
    assert path.exists()
    listen_unix(path, CLOCK).close()
    path.write_text("precious")
    with pytest.raises(LinkFault, match="not_a_socket"):
        listen_unix(path, CLOCK)
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("serial:/dev/ttyNONE", "missing"),
        ("serial:/etc/hostname", "open_failed"),
        ("unix:/nowhere/s", "missing"),
        ("tcp:127.0.0.1:1", "refused"),
        ("tcp:no.such.host.invalid:7447", "open_failed"),
    ],
)
def test_what_cannot_be_opened_says_why(address, reason):
    with pytest.raises(LinkFault) as caught:
        open_port(parse(address))
    assert caught.value.reason == reason and caught.value.detail


def test_a_port_that_is_open_elsewhere_is_refused():
    with cable() as (ours, _):
        port = SerialPort(ours)
        with pytest.raises(LinkFault, match="in_use"):
            SerialPort(ours)
        port.close()
        port.close()
        again = SerialPort(ours)
        assert again.read(9) == b""
        again.close()


def test_a_pulled_adapter_is_a_fault_and_can_be_closed():
    master, slave = pty.openpty()
    port = SerialPort(os.ttyname(slave))
    os.write(master, b"abc")
    assert port.read(9) == b"abc" and port.read(9) == b""
    os.close(slave)
    os.close(master)
    with pytest.raises(LinkFault, match="gone"):
        port.read(9)
    with pytest.raises(LinkFault, match="gone"):
        port.write(b"x")
    port.close()
    with pytest.raises(LinkFault, match="gone"):
        port.write(b"x")


def test_a_port_that_is_full_takes_what_fits():
    left, right = socket.socketpair()
    with left, right:
        port = SocketPort(left, "pair")
        taken = 0
        while count := port.write(bytes(65536)):
            taken += count
        assert taken > 65536 and port.write(b"x") == 0
        assert port.read(9) == b""
        right.close()
        with pytest.raises(LinkFault):
            port.write(b"x")
        with pytest.raises(LinkFault):
            port.read(9)


def test_tcp_connections_are_kept_alive():
    port = listen_tcp("127.0.0.1", 0, CLOCK)
    client = connect_tcp(*port.address)
    port.admit()
    server = port._client
    for end in (client, server):
        made = end._socket
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
    client.close()
    port.close()
    with pytest.raises(LinkFault, match="refused"):
        connect_tcp("127.0.0.1", 1)
