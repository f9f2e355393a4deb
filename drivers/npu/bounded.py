"""The start of an NPU's runtime, which may never come back, on a thread and within a deadline.

`rknn_init` waits for a kernel driver and for firmware; a delegate waits for its device. A call that
hangs cannot be ended, so it is left behind: what it brings when it does come back is undone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from drivers.faults import ModelRefused, NpuFault

T = TypeVar("T")
STACK_BYTES: Final = 2 << 20
"""Loading parses whole models; the default of 8 MiB counts against RLIMIT_AS."""
ERRORS: Final = (
    *(ModelRefused, NpuFault, RuntimeError, ValueError),
    *(TypeError, AttributeError, MemoryError, OSError),
)
"""What loading raises; it is raised again where it was called."""


def within(deadline_ms: float, work: Callable[[], T], undo: Callable[[T], object]) -> T:
    """Do `work` on a thread of its own.

    Args:
        deadline_ms: real time, whatever the injected clock does: a hung driver is real.
        work: what may hang, outside of Python.
        undo: gets what `work` returned after the deadline, on its thread.

    Raises:
        NpuFault: "hung" after the deadline; "init_failed": the thread died; what `work` raises.
    """
    step = _Step(work, undo)
    before = threading.stack_size(STACK_BYTES)
    try:
        threading.Thread(target=step.run, name="npu load", daemon=True).start()
    finally:
        threading.stack_size(before)
    return step.wait(deadline_ms)


class _Step(Generic[T]):
    """One call, its outcome, and whether anybody waits for it still."""

    def __init__(self, work: Callable[[], T], undo: Callable[[T], object]) -> None:
        self._work, self._undo = work, undo
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._is_left = False
        self._found: list[T] = []
        self._error: Any = NpuFault("init_failed", "the thread that loads has died")

    def run(self) -> None:
        """On the thread."""
        try:
            found = self._work()
            with self._lock:
                if not self._is_left:
                    self._found.append(found)
                    return
            self._undo(found)
        except ERRORS as error:
            self._error = error
        finally:
            self._ended.set()

    def wait(self, deadline_ms: float) -> T:
        """Wherever it was called."""
        self._ended.wait(deadline_ms / 1000)
        with self._lock:
            self._is_left = not self._ended.is_set() and not self._found
            if self._is_left:
                raise NpuFault("hung", f"the NPU did not start within {deadline_ms:.0f} ms")
        if self._found:
            return self._found.pop()
        raise self._error
