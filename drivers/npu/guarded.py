"""A session on a thread of its own, for back ends whose calls can hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Final

import numpy.typing as npt

from drivers.faults import NpuFault
from drivers.interfaces import Clock, Session
from drivers.npu.tensors import DescribedSession, TensorDetail

STACK_BYTES: Final = 512 << 10
"""Enough for interpreters and delegates; the default of 8 MiB counts against RLIMIT_AS."""
STOP: Final = -1

Call = tuple[int, NpuFault | None]


class GuardedSession:
    """Runs `invoke` on one worker thread behind a single-slot mailbox and a deadline.

    A call that is late is abandoned, not killed: until it returns, every further `invoke` fails at
    once, so the network never runs twice at the same time. When it returns, the session is usable
    again. The deadline is real time, whatever the injected clock does: a hung driver is real.

    Attributes:
        inputs: the session's own arrays. While a call is abandoned it may still read them.
        outputs: the session's own arrays.
        input_details: what the model says of each input; empty where the session does not say.
        output_details: what the model says of each output; empty where the session does not say.
    """

    def __init__(self, session: Session, deadline_ms: float, clock: Clock) -> None:
        """Start the worker; do this before the memory is sealed.

        Args:
            session: the session to run; it belongs to this one from now on.
            deadline_ms: how long one `invoke` may take.
            clock: for the report of how long a call has been hanging.
        """
        self._session = session
        self._deadline_s = deadline_ms / 1000
        self._clock = clock
        self._calls: SimpleQueue[int] = SimpleQueue()
        self._results: SimpleQueue[Call] = SimpleQueue()
        self._requested = 0
        self._finished = 0
        self._since_ms = 0.0
        self._closed = False
        self.inputs: Sequence[npt.NDArray[Any]] = session.inputs
        self.outputs: Sequence[npt.NDArray[Any]] = session.outputs
        self.input_details: Sequence[TensorDetail] = ()
        self.output_details: Sequence[TensorDetail] = ()
        if isinstance(session, DescribedSession):
            self.input_details = session.input_details
            self.output_details = session.output_details
        _start(self._work)

    def _work(self) -> None:
        """The worker: one call at a time; closes the session when told to stop."""
        while (number := self._calls.get()) != STOP:
            fault: NpuFault | None = None
            try:
                self._session.invoke()
            except NpuFault as raised:
                fault = raised
            except (RuntimeError, ValueError, OSError, MemoryError) as error:
                fault = NpuFault("invoke_failed", str(error))
            self._finished = number
            self._results.put((number, fault))
        self._session.close()

    def invoke(self) -> None:
        """Run the network once on `inputs`, in at most the deadline.

        Raises:
            NpuFault: "hung" when the deadline passes and until the late call returns; "closed";
                whatever the session itself raises.
        """
        if self._closed:
            raise NpuFault("closed", "the session is closed")
        if self._finished != self._requested:
            raise NpuFault("hung", f"no answer for {self._clock.now_ms() - self._since_ms:.0f} ms")
        self._since_ms = self._clock.now_ms()
        self._requested += 1
        self._calls.put(self._requested)
        fault = self._answer()
        if fault is not None:
            raise fault

    def _answer(self) -> NpuFault | None:
        """The answer to the newest call; that of an abandoned one, come late, is thrown away."""
        deadline_s = time.monotonic() + self._deadline_s
        while True:
            try:
                left_s = max(0.0, deadline_s - time.monotonic())
                number, fault = self._results.get(timeout=left_s)
            except Empty:
                late_ms = self._deadline_s * 1000
                raise NpuFault("hung", f"no answer within {late_ms:.0f} ms") from None
            if number == self._requested:
                return fault

    def close(self) -> None:
        """Stop the worker; a hung one frees the network when it returns. May be called twice."""
        if not self._closed:
            self._closed = True
            self.inputs = self.outputs = ()
            self._calls.put(STOP)


def _start(work: Callable[[], None]) -> None:
    """Start a daemon thread with a small stack."""
    before = threading.stack_size(STACK_BYTES)
    try:
        threading.Thread(target=work, name="npu", daemon=True).start()
    finally:
        threading.stack_size(before)
