"""A dead man: a small process of its own holds the fault relay, and lets it fall in a silence.

A thread would not do: a C call that does not return and holds the interpreter's lock stops every
thread of the process, and a stopped or killed process takes its threads with it. The other process
(`drivers.dead_man_child`) holds the line, hears a beat at most every BEAT_MS and after `silent_ms`
without one drives the line to its level on release. When this process ends in any way, the pipe
ends and the line is let go of. When the other one ends, the kernel lets go of its line: the relay
falls, and the next beat says so. Nobody who is hung or dead can hold the relay up.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import structs

import drivers
from drivers.dead_man_child import BEAT, OFF, ON, READY, REFUSED, RELEASE
from drivers.faults import OutputFault
from drivers.interfaces import Clock, Output
from drivers.operator_config import DeadManConfig

BEAT_MS = 100.0
"""A beat is sent no more often than this: each wakes the other process."""
ANSWER_MS = 200
"""The other process drives a line within this time, or is taken for hung."""
START_MS = 5000
END_MS = 1000
MAX_ANSWERS = 512
COMMAND, ANSWERS = 0, 1
"""Ends of the pipes in the other process: its standard input and output."""
START = (
    "import sys,json;start=json.loads(sys.argv[1]);sys.path[:]=start.pop('path');"
    "from drivers.dead_man_child import main;main(**start)"
)


class ProcessDeadMan:
    """One small process per guarded output. Implements `DeadMan`."""

    def __init__(self, config: DeadManConfig, _: Clock) -> None:
        self._silent_ms = config.silent_ms
        self._guarded: list[GuardedOutput] = []

    def guard(self, config: Any, make: Callable[..., Output], clock: Clock) -> Output:
        """Make the output in a process of its own. Raises OutputFault."""
        guarded = GuardedOutput(config, make, self._silent_ms)
        self._guarded.append(guarded)
        return guarded

    def beat(self, now_ms: float) -> None:
        """The loop is alive. Raises OutputFault."""
        for guarded in self._guarded:
            guarded.beat(now_ms)

    def close(self) -> None:
        """The other processes end. May be called twice."""
        for guarded in self._guarded:
            guarded.close()


class GuardedOutput:
    """An output that another process drives. Implements `Output`.

    Args:
        config: the output's part of the board file.
        make: its driver, a class that the other process imports by its name.
        silent_ms: the other process lets the line fall after this long without a word.

    Raises:
        OutputFault: the process does not start, or its driver refuses.

    Attributes:
        pid: of the other process.
    """

    def __init__(self, config: Any, make: Callable[..., Output], silent_ms: int) -> None:
        self.name = str(config.name)
        self.level = config.on_boot == "on"
        self._beat_ms = self._heard_ms = -BEAT_MS
        self._waits = False
        self._is_gone = False
        command, self._down = os.pipe()
        self._up, answers = os.pipe()
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", "-c", START, _start(config, make, silent_ms)],
                dict(os.environ),
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, command, COMMAND),
                    (os.POSIX_SPAWN_DUP2, answers, ANSWERS),
                ],
                setpgroup=0,
            )
        finally:
            os.close(command)
            os.close(answers)
        os.set_blocking(self._down, False)
        self._poll = select.poll()
        self._poll.register(self._up, select.POLLIN)
        self._ask(READY, START_MS)

    def set(self, level: bool, now_ms: float) -> None:
        """Have the line driven. Raises OutputFault."""
        self._ask(ON if level else OFF, ANSWER_MS)
        self.level = bool(level)

    def release(self, now_ms: float) -> None:
        """Have the line let go of. May be called twice."""
        if not self._is_gone and self._down >= 0:
            self._ask(RELEASE, ANSWER_MS)

    def beat(self, now_ms: float) -> None:
        """Say that the loop is alive; a guard that no longer answers is ended. Raises OutputFault.

        Args:
            now_ms: injected clock.
        """
        if self._is_gone:
            raise OutputFault("guard_gone", f"{self.name}: the process that holds it has ended")
        if now_ms - self._beat_ms < BEAT_MS:
            return
        if self._waits and self._poll.poll(0):
            self._hear()
        if self._waits:
            if now_ms - self._heard_ms > ANSWER_MS + END_MS:
                self._give_up("guard_hung", "the process that holds it does not answer")
        else:
            self._heard_ms, self._waits = now_ms, True
        self._beat_ms = now_ms
        self._send(BEAT)

    def _hear(self) -> None:
        """The answers to beats. Raises OutputFault where one is a refusal, or there are no more."""
        answers = os.read(self._up, MAX_ANSWERS)
        if not answers:
            self._give_up("guard_gone", "the process that holds it has ended")
        self._waits = False
        if REFUSED in answers:
            reason = answers.partition(REFUSED)[2].decode(errors="replace")
            raise OutputFault("refused", f"{self.name}: {reason}")

    def close(self) -> None:
        """End the other process: it lets go of the line. May be called twice."""
        if self._down < 0:
            return
        os.close(self._down)
        self._down = -1
        if not self._is_gone:
            self._poll.poll(END_MS)  # the end of its answers is the end of the process
            self._kill()
        os.close(self._up)

    def _ask(self, what: bytes, wait_ms: int) -> None:
        """Send and wait for the answer to it; answers to beats come first. Raises OutputFault."""
        if self._is_gone:
            raise OutputFault("guard_gone", f"{self.name}: the process that holds it has ended")
        if what != READY:
            self._send(what)
        answered = b""
        while answered not in (what, REFUSED):
            if not self._poll.poll(wait_ms):
                self._give_up("guard_hung", f"no answer within {wait_ms} ms")
            answered = self._take()
        if answered == REFUSED:
            reason = os.read(self._up, 200).decode(errors="replace")
            raise OutputFault("refused", f"{self.name}: {reason}")

    def _take(self) -> bytes:
        """One answer. Raises OutputFault where the other process has ended."""
        answer = os.read(self._up, 1)
        if not answer:
            self._give_up("guard_gone", "the process that holds it has ended")
        return answer

    def _send(self, what: bytes) -> None:
        try:
            os.write(self._down, what)
        except OSError as error:
            self._give_up("guard_gone", f"the process that holds it: {error.strerror}")

    def _give_up(self, reason: str, detail: str) -> None:
        """Nobody may hold the relay up: end the other process, and the kernel lets it fall."""
        self._kill()
        raise OutputFault(reason, f"{self.name}: {detail}")

    def _kill(self) -> None:
        self._is_gone = True
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):  # has ended, and somebody has seen it
            return


def _start(config: Any, make: Callable[..., Output], silent_ms: int) -> str:
    """What the other process has to know."""
    root = str(Path(drivers.__file__).resolve().parent.parent)
    return json.dumps(
        {
            "path": [root, *(folder for folder in sys.path if folder)],
            "driver": f"{make.__module__}:{make.__qualname__}",
            "config": structs.asdict(config),
            "silent_ms": silent_ms,
        }
    )
