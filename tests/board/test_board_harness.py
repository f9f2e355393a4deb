"""The harness of the virtual board, without a board: what it hears, counts and writes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.board.console import BoardFault, Console
from tests.board.pins import Pins
from tests.board.qmp import Qmp, QmpRefused
from tests.board.report import Report


@pytest.fixture
def board(tmp_path: Path) -> Iterator[tuple[Console, socket.socket]]:
    """A console, and the end that QEMU would have."""
    console = Console(tmp_path / "c", tmp_path / "console.log")
    end = socket.socket(socket.AF_UNIX)
    end.connect(str(tmp_path / "c"))
    console.connect(5)
    yield console, end
    end.close()
    console.close()


def test_a_line_is_waited_for_and_then_read_past(board: tuple[Console, socket.socket]) -> None:
    console, end = board
    end.sendall(b"one\r\ntwo 2\r\none again\r\n")
    assert console.wait("one", 5).string == "one"
    assert console.wait(r"one|two (\d)", 5)[1] == "2"
    with pytest.raises(BoardFault, match=r"(?s)not in 0\.1 s\n.*one again"):
        console.wait("three", 0.1)


def test_a_board_that_ended_is_not_waited_for(board: tuple[Console, socket.socket]) -> None:
    console, end = board
    end.sendall(b"last words\n")
    end.close()
    with pytest.raises(BoardFault, match=r"(?s)the board has ended\n.*last words"):
        console.wait("more", 30)


def test_the_boards_time_goes_on_over_a_reset(board: tuple[Console, socket.socket]) -> None:
    console, end = board
    began_s = time.monotonic()
    for uptime in ("10.0", "10.5", "0.3", "0.8"):
        end.sendall(f"tick {uptime}\n".encode())
        time.sleep(0.02)
    over_s = time.monotonic()
    end.sendall(b"tick 0.8\n")
    assert console.guest_s(began_s) == 10.0
    assert console.guest_s(over_s) == pytest.approx(10.5 + 0.8)
    assert console.lines == [], "ticks are no lines"


class _Qemu:
    """Answers as QEMU does; `levels` is what the GPIO chip's data register reads."""

    def __init__(self, path: Path) -> None:
        self.levels = 0
        self._end = socket.socket(socket.AF_UNIX)
        self._end.connect(str(path))
        self._end.sendall(b'{"QMP": {}}\n')
        threading.Thread(target=self._answer, daemon=True).start()

    def tell(self, event: str) -> None:
        self._end.sendall(json.dumps({"event": event, "data": {"n": 1}}).encode() + b"\n")

    def close(self) -> None:
        self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()

    def _answer(self) -> None:
        with self._end.makefile("r") as lines:
            for line in lines:
                asked = json.loads(line)
                answer = {"return": self._say(asked["execute"])}
                if asked["execute"] == "wrong":
                    answer = {"error": {"desc": "not known"}}
                self._end.sendall(json.dumps(answer).encode() + b"\n")

    def _say(self, name: str) -> object:
        if name == "qom-list":
            return [{"name": "device[6]", "type": "child<pl061>"}]
        return f"00000000090303fc: 0x{self.levels:08x}"


@pytest.fixture
def qemu(tmp_path: Path) -> Iterator[tuple[Qmp, _Qemu]]:
    qmp = Qmp(tmp_path / "q")
    made = _Qemu(tmp_path / "q")
    qmp.connect(5)
    yield qmp, made
    made.close()
    qmp.close()


def test_events_are_found_among_answers(qemu: tuple[Qmp, _Qemu]) -> None:
    qmp, machine = qemu
    machine.tell("RESET")
    machine.tell("WATCHDOG")
    assert qmp.wait_event("WATCHDOG", 0, 5) == 1
    assert qmp.wait_event("RESET", 1, 0.05) is None
    with pytest.raises(QmpRefused, match="wrong: not known"):
        qmp.command("wrong")


def test_every_change_of_a_pin_is_kept(qemu: tuple[Qmp, _Qemu], tmp_path: Path) -> None:
    qmp, machine = qemu
    pins = Pins(qmp, tmp_path / "t")
    qtest = socket.socket(socket.AF_UNIX)
    qtest.connect(str(tmp_path / "t"))
    pins.connect(5)
    assert pins.wait(2, False, 5) is not None
    began_s = time.monotonic()
    machine.levels = 0b100
    rose_s = pins.wait(2, True, 5)
    assert rose_s is not None and rose_s >= began_s
    machine.levels = 0
    assert pins.wait(2, False, 5) is not None
    assert pins.was_high(2, began_s) and not pins.was_high(2, time.monotonic())
    assert not pins.was_high(1, began_s)
    assert pins.wait(1, True, 0.05) is None
    pins.close()
    qtest.close()


def test_a_board_that_fails_a_story_fails_the_report(tmp_path: Path) -> None:
    report = Report()
    with report.telling("good"):
        report.within("it takes a second", 1.0, 0.5, 1.5)
    with report.telling("bad"):
        report.within("it takes a second", 2.0, 0.5, 1.5)
        raise BoardFault("pin 0 not high in 9 s")
    report.write(tmp_path / "board.xml")
    suites = ElementTree.parse(tmp_path / "board.xml").getroot().findall("testsuite")
    assert [(s.get("name"), s.get("failures")) for s in suites] == [("good", "0"), ("bad", "2")]
    assert report.failed == 2
