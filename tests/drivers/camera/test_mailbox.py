from __future__ import annotations

import threading
import time

import numpy as np

from drivers.interfaces import U8
from drivers.mailbox import Mailbox


def arrays(count: int) -> list[U8]:
    return [np.zeros((2, 2, 3), np.uint8) for _ in range(count)]


def test_nothing_is_taken_before_something_was_posted() -> None:
    slot, mine = arrays(2)
    assert Mailbox(slot).take(mine) is None


def test_a_picture_is_taken_once_and_no_array_is_ever_in_two_hands() -> None:
    slot, back, front = arrays(3)
    box = Mailbox(slot)
    assert box.post(back, 7.0) is slot
    assert box.take(front) is back
    assert (box.taken, box.taken_ms) == (0, 7.0)
    assert box.take(back) is None
    assert box.post(slot, 8.0) is front


def test_the_newest_wins_and_the_numbers_tell_what_was_missed() -> None:
    slot, back, front = arrays(3)
    box = Mailbox(slot)
    for now_ms in (1.0, 2.0, 3.0):
        spare = box.post(back, now_ms)
        assert spare is not None
        newest, back = back, spare
    assert box.take(front) is newest
    assert (box.taken, box.taken_ms, box.posted) == (2, 3.0, 3)


def test_after_close_nothing_can_be_posted_or_taken() -> None:
    slot, back, front = arrays(3)
    box = Mailbox(slot)
    box.post(back, 1.0)
    box.close()
    assert box.closed
    assert box.post(slot, 2.0) is None
    assert box.take(front) is None


def test_a_fast_poster_and_a_taker_never_see_a_torn_picture() -> None:
    slot, back, front = [np.zeros((64, 64, 3), np.uint8) for _ in range(3)]
    box, stop = Mailbox(slot), threading.Event()

    def post(mine: U8) -> None:
        level = 0
        while not stop.is_set():
            level = (level + 1) % 256
            mine[:] = level
            spare = box.post(mine, float(level))
            assert spare is not None
            mine = spare

    thread = threading.Thread(target=post, args=(back,))
    thread.start()
    taken = 0
    try:
        while taken < 50:
            full = box.take(front)
            if full is None:
                time.sleep(0.001)
                continue
            front, taken = full, taken + 1
            assert full.min() == full.max() == int(box.taken_ms)
    finally:
        stop.set()
        thread.join()
