"""Where the worker hands things to the loop: one at a time, taken between two stages.

What the worker wants of alarms, tables and stages is done by the loop's own thread, so that nothing
of the loop is ever shared. A worker that runs on that thread itself (a simulator's) is served at
once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, TypeVar, cast

from ota.refusal import Refused

ANSWER_S: Final = 1.5
"""A loop that does not come by within this time is behind by many frames, or hangs."""
MOST_NOTES: Final = 64
T = TypeVar("T")
Note = tuple[str, dict[str, object]]
"""State and why of an event of kind "update"."""


class Desk:
    """Made on the loop's thread.

    Attributes:
        notes: events of kind "update" that wait to be written down.
        is_open: a loop serves it.
    """

    def __init__(self) -> None:
        self._loop = threading.get_ident()
        self._lock = threading.Lock()
        self._todo: Callable[[], object] | None = None
        self._answered = threading.Event()
        self._answer: object = None
        self._refused: Refused | None = None
        self.notes: deque[Note] = deque(maxlen=MOST_NOTES)
        self.is_open = True

    def note(self, state: str, why: Mapping[str, object]) -> None:
        """Have something written down."""
        self.notes.append((state, dict(why)))

    def call(self, do: Callable[[], T]) -> T:
        """Have the loop do something, and wait for its answer.

        Raises:
            Refused: as `do` raises it; "unavailable" where the loop does not come by.
        """
        if threading.get_ident() == self._loop:
            return do()
        if not self.is_open:
            raise Refused("unavailable", "the camera is ending")
        self._answered.clear()
        with self._lock:
            self._todo = do
        if not self._answered.wait(ANSWER_S):
            with self._lock:
                is_taken, self._todo = self._todo is None, None
            if not is_taken or not self._answered.wait(ANSWER_S):
                raise Refused("unavailable", "the camera's loop does not answer")
        answer, refused = self._answer, self._refused
        self._answer = self._refused = None
        if refused is not None:
            raise refused
        return cast(T, answer)

    def serve(self) -> None:
        """On the loop's thread: do what waits. Costs a look at one attribute at rest."""
        if self._todo is None:
            return
        with self._lock:
            todo, self._todo = self._todo, None
        if todo is None:
            return
        try:
            self._answer = todo()
        except Refused as refused:
            self._refused = refused
        finally:
            self._answered.set()
