"""The worker asks, the loop does."""

import threading
import time

import pytest

from ota.refusal import Refused
from runtime import desk as desk_room
from runtime.desk import MOST_NOTES, Desk


def served(desk, calls, until):
    """Be the loop until the worker has ended."""
    worker = threading.Thread(target=calls)
    worker.start()
    deadline = time.monotonic() + 10
    while worker.is_alive() and time.monotonic() < deadline:
        until()
        desk.serve()
    worker.join(5)
    assert not worker.is_alive()


def test_what_is_asked_for_is_done_on_the_loops_thread():
    desk, done = Desk(), []

    def ask():
        done.append(desk.call(lambda: threading.get_ident()))
        done.append(desk.call(lambda: "second"))

    served(desk, ask, lambda: None)
    assert done == [threading.get_ident(), "second"]


def test_the_loops_own_thread_is_served_at_once():
    assert Desk().call(lambda: 7) == 7


def test_a_refusal_comes_back_to_who_asked():
    desk, seen = Desk(), []

    def refuse():
        raise Refused("nothing", "none")

    def ask():
        try:
            desk.call(refuse)
        except Refused as refused:
            seen.append(refused.reason)
        seen.append(desk.call(lambda: "goes on"))

    served(desk, ask, lambda: None)
    assert seen == ["nothing", "goes on"]


def test_a_loop_that_does_not_come_by_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(desk_room, "ANSWER_S", 0.05)
    desk, seen, done = Desk(), [], []

    def ask():
        with pytest.raises(Refused, match="does not answer"):
            desk.call(lambda: done.append("late"))
        seen.append("refused")

    worker = threading.Thread(target=ask)
    worker.start()
    worker.join(5)
    desk.serve()
    assert seen == ["refused"] and not done, "what was given up is not done later"


def test_a_camera_that_ends_takes_no_more_questions():
    desk, seen = Desk(), []
    desk.is_open = False

    def ask():
        with pytest.raises(Refused, match="ending"):
            desk.call(lambda: None)
        seen.append("refused")

    worker = threading.Thread(target=ask)
    worker.start()
    worker.join(5)
    assert seen == ["refused"]


def test_notes_are_bounded():
    desk = Desk()
    for number in range(3 * MOST_NOTES):
        desk.note("trial", {"number": number})
    assert len(desk.notes) == MOST_NOTES and desk.notes[-1][1] == {"number": 3 * MOST_NOTES - 1}
