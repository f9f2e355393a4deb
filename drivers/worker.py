"""A thread for work that may wait for flash and for links, beside the loop that may not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from drivers.interfaces import Clock

STACK_BYTES: Final = 1 << 20
"""Enough for an interpreter that builds a network; the default of 8 MiB counts as memory."""
REST_S: Final = 0.01
"""Between two steps that found nothing to do: 921,600 baud bring 920 bytes meanwhile, and the
kernel keeps 4,096."""
END_S: Final = 2.0


class ThreadWorker:
    """Calls a step again and again until it is closed. Implements `Worker`.

    Attributes:
        is_alive: it has been started and has not ended: a step that raised has ended it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._step: Callable[[float], bool] = lambda now_ms: False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it works."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, step: Callable[[float], bool]) -> None:
        """Begin; before the memory is sealed.

        Args:
            step: called with the injected clock's time; returns True when there is more to do.
        """
        self._step = step
        before = threading.stack_size(STACK_BYTES)
        try:
            self._thread = threading.Thread(target=self._work, name="updates", daemon=True)
            self._thread.start()
        finally:
            threading.stack_size(before)

    def _work(self) -> None:
        while not self._stop.is_set():
            if not self._step(self._clock.now_ms()):
                self._stop.wait(REST_S)

    def close(self) -> None:
        """End after the present step. May be called twice."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(END_S)
