"""Students change places in the stage table of a loop."""

from types import SimpleNamespace

import pytest

from runtime.loop import Loop, Stage, always
from runtime.metrics import Metrics
from runtime.posture import NEVER_MS, Postures
from runtime.posture_stages import Look
from runtime.trial_side import Seat, TrialSide


def row(name, log, who):
    return Stage(name, lambda context: log.append(f"{who} {name}"), always, 1.0)


class Clockwork:
    """A rate keeper that does not wait."""

    behind = lagging = False

    def begin(self):
        return 0.0

    def end(self, worked):
        pass

    def wait(self):
        pass


@pytest.fixture
def world():
    log = []
    context = SimpleNamespace(
        begin=lambda now_ms: None, behind=False, postures=None, captured_ns=0, invoke_ns=0,
        fresh=False, judged=False, reasons={}, shed=0,
    )  # fmt: skip
    table = tuple(row(name, log, "old") for name in ("detect", "track", "skeleton", "alarm"))
    loop = Loop(table, context, Clockwork(), Metrics())
    shadow = SimpleNamespace(
        begin=lambda eyes, live, is_new: log.append(f"{eyes.name} looks on, new: {is_new}"),
        end=lambda: log.append("nobody looks on"),
    )
    tracker = SimpleNamespace(birth_score=0.5)
    old, new = (
        SimpleNamespace(
            name=name, birth_score=score, bodies=None, examine=lambda: 32,
            first_rows=lambda *_, who=name: (row("detect", log, who),),
            second_rows=lambda *_, who=name: (row("skeleton", log, who),),
        )
        for name, score in (("old", 0.5), ("new", 0.4))
    )  # fmt: skip
    rows = (*old.first_rows(), *old.second_rows())
    side = TrialSide(loop, context, tracker, Metrics(), shadow, None, old, rows)
    return SimpleNamespace(log=log, loop=loop, side=side, tracker=tracker, new=new)


def test_the_rows_of_the_students_change_and_no_other(world):
    side, seat = world.side, world.side.seat(world.new)
    world.loop.tick()
    side.swap(seat, side.live)
    world.loop.tick()
    assert world.log == [
        "old detect", "old track", "old skeleton", "old alarm", "old looks on, new: False",
        "new detect", "old track", "new skeleton", "old alarm",
    ]  # fmt: skip
    assert world.tracker.birth_score == 0.4 and side.live is seat


def test_the_way_back_is_the_same_way(world):
    side, before = world.side, world.side.live
    side.swap(side.seat(world.new), before)
    world.log.clear()
    side.swap(before, None)
    world.loop.tick()
    assert world.log[0] == "nobody looks on" and "old detect" in world.log
    assert world.tracker.birth_score == 0.5


def test_a_row_that_is_not_in_the_table_is_a_mistake(world):
    with pytest.raises(ValueError, match="export"):
        world.loop.swap((row("export", world.log, "new"),))


def test_whoever_had_a_slot_before_is_forgotten_when_students_come_back():
    postures = Postures(4, ("stand", "fall"))
    network = SimpleNamespace()
    session = SimpleNamespace(invoke=None)
    skeletons = SimpleNamespace(capacity=2)
    look = Look(network, session, postures, skeletons, Metrics(), (640, 360))
    look._size_px[2] = look._long_px[2] = look._seen[2] = 77.0
    look._feet._seen_ms[2] = 1000.0
    loop = SimpleNamespace(swap=lambda rows: None)
    context = SimpleNamespace(postures=None)
    eyes = SimpleNamespace(
        first_rows=lambda *_: (), second_rows=lambda *_: (), examine=lambda: 0, bodies=None,
        birth_score=0.5,
    )  # fmt: skip
    shadow, tracker = SimpleNamespace(end=lambda: None), SimpleNamespace()
    side = TrialSide(loop, context, tracker, Metrics(), shadow, None, eyes, ())
    side.swap(Seat(eyes, (Stage("skeleton", look, always, 1.0),), 0), None)
    assert look._size_px[2] == look._long_px[2] == look._seen[2] == 0.0
    assert look._feet._seen_ms[2] == NEVER_MS
