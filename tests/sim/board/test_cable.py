"""A cable between two pseudo terminals: its bytes, its speed, and its plug."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from drivers.clock import MonotonicClock
from drivers.faults import LinkFault
from drivers.serial_port import SerialPort
from sim.board.cable import BITS_PER_BYTE, Cable
from sim.cli import sim
from tests.places import REPOSITORY


@pytest.fixture
def line(tmp_path):
    with Cable(tmp_path / "one", tmp_path / "other", MonotonicClock()) as made:
        yield made, tmp_path


def through(cable, sender, receiver, data):
    """What comes out at the other end, in a second at most."""
    taken, came = 0, b""
    until_ms = MonotonicClock().now_ms() + 1000
    while len(came) < len(data) and MonotonicClock().now_ms() < until_ms:
        taken += sender.write(data[taken : taken + 4096])
        cable.run(5.0)
        came += receiver.read(1 << 16)
    return came


def test_every_byte_comes_out_as_it_went_in(line):
    cable, folder = line
    one, other = SerialPort(str(folder / "one")), SerialPort(str(folder / "other"))
    data = bytes(range(256)) * 200  # no byte means anything to the line, not even Ctrl-C
    assert through(cable, one, other, data) == data
    assert through(cable, other, one, data[::-1]) == data[::-1]
    assert cable.carried_bytes == 2 * len(data)
    one.close()
    other.close()


def test_a_slow_line_takes_its_time(tmp_path):
    baud, count = 115_200, 3000
    with Cable(tmp_path / "one", tmp_path / "other", MonotonicClock(), baud) as cable:
        one, other = SerialPort(str(tmp_path / "one")), SerialPort(str(tmp_path / "other"))
        began = time.monotonic()
        assert through(cable, one, other, bytes(count)) == bytes(count)
        took = time.monotonic() - began
        one.close()
        other.close()
    assert took > 0.8 * count * BITS_PER_BYTE / baud


def test_a_pulled_plug_hangs_up_and_comes_back(line):
    cable, folder = line
    one, other = SerialPort(str(folder / "one")), SerialPort(str(folder / "other"))
    cable.unplug()
    assert not (folder / "other").exists()
    with pytest.raises(LinkFault):
        other.read(10)
    other.close()
    one.write(b"nobody hears this")
    cable.run(20.0)
    cable.plug()
    again = SerialPort(str(folder / "other"))
    assert through(cable, one, again, b"hello") == b"hello"
    one.close()
    again.close()


def test_the_command_ends_when_it_is_told_to(tmp_path):
    run = "import sys; from sim.cli import sim; sys.exit(sim(sys.argv[1:]))"
    ends = tmp_path / "new" / "one", tmp_path / "new" / "other"
    process = subprocess.Popen(
        [sys.executable, "-c", run, "cable", *map(str, ends), "--baud", "921600"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("a cable from ")
    assert all(end.is_char_device() for end in ends)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert not any(end.exists() for end in ends)


def test_wrong_arguments(capsys):
    assert sim(["cable"]) == 2
    assert sim(["cable", "a", "b", "--baud", "-1"]) == 2
    assert capsys.readouterr().err
