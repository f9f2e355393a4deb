"""What native code prints is kept out of the log, and its last line can be asked for."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from drivers.npu.stderr import Chatter, captured_stderr, silent_stderr


def say(text: str) -> None:
    os.write(2, text.encode())


def test_the_last_line_that_says_something_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_stderr() as chatter:
        assert chatter.last() == ""
        say("W one\nE two\n\n  \n")
        assert chatter.last() == "E two"
        say("x" * 10_000 + "\nE three")
        assert chatter.last() == "E three"
        say("y" * 5_000)
        assert chatter.last() == "y" * 300
    say("after")
    assert capfd.readouterr().err == "after"


def test_what_is_forgotten_is_not_told(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_stderr() as chatter:
        say("W a warning\n")
        chatter.forget()
        assert chatter.last() == ""
        say("E an error\n")
        assert chatter.last() == "E an error"
    assert capfd.readouterr().err == ""


def test_nothing_is_lost_when_the_block_raises(capfd: pytest.CaptureFixture[str]) -> None:
    for block in (captured_stderr, silent_stderr):
        with suppress(ValueError), block():
            say("inside")
            raise ValueError
        say("outside ")
    assert capfd.readouterr().err == "outside outside "
    assert Chatter().last() == ""


def test_no_descriptor_is_left_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with captured_stderr():
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
