"""The trial, step by step, against a store that remembers the order of things."""

from types import SimpleNamespace

import pytest

from drivers.clock import VirtualClock
from drivers.faults import ModelRefused, NpuFault
from drivers.update_config import UpdatesConfig
from ota.refusal import Refused
from ota.state import SlotInfo, State
from runtime.agreement import Agreement
from runtime.desk import Desk
from runtime.trial import RETRY_MS, Trial, waiting_slot

CONFIG = UpdatesConfig(
    path="x", ring="y", settle_ms=1000, shadow_ms=2000, probation_ms=3000, most_ms=20000, people=5
)


class FakeEyes:
    def __init__(self, name, log):
        self.name, self.log = name, log

    def close(self):
        self.log.append(f"close {self.name}")


class FakeSide:
    """The loop's side: what drives, what looks on."""

    def __init__(self, log):
        self.log = log
        self.live = SimpleNamespace(eyes=FakeEyes("old", log))
        self.shadow = SimpleNamespace(agreement=Agreement(640, 360), failures=0, last_failure="")

    def look_on(self, seat):
        self.log.append(f"look on {seat.eyes.name}")

    def swap(self, seat, watcher):
        self.live = seat
        self.log.append(f"drive {seat.eyes.name}")
        self.shadow.agreement.restart()

    def end(self):
        self.log.append("end")


class FakeStore:
    """Slots in memory; `fails` makes the next durable step fail."""

    def __init__(self, log, **state):
        self.log, self.fails = log, False
        self.state = State(**state)

    def _do(self, what, **changes):
        if self.fails:
            raise Refused("storage", "full")
        self.log.append(what)
        fields = {name: getattr(self.state, name) for name in self.state.__struct_fields__}
        self.state = State(**fields | changes)

    def begin_trial(self):
        self._do("try durable", trial=1, tries=self.state.tries + 1)
        return 1

    def confirm(self):
        self._do("confirmed durable", trial=-1, active=1, slots=(SlotInfo(), STAYS))

    def roll_back(self, reason, detail=""):
        self._do(f"rolled back durable: {reason}", trial=-1, slots=(SlotInfo(), BAD))


STAGED = SlotInfo(status="staged", version="2.0", release=2)
STAYS = SlotInfo(status="confirmed", version="2.0", release=2)
BAD = SlotInfo(status="bad", version="2.0", release=2)


class World:
    """A trial with everything around it."""

    def __init__(self, **state):
        self.log = []
        self.clock = VirtualClock()
        self.store = FakeStore(self.log, **{"slots": (SlotInfo(), STAGED)} | state)
        self.updater = SimpleNamespace(
            store=self.store, running=-1, load_set=lambda slot: (None, {}), go_back=lambda: -1
        )
        self.side, self.desk = FakeSide(self.log), Desk()
        faults = {
            name: SimpleNamespace(name=f"{name}_fault", active=False, reason="r")
            for name in ("npu", "memory", "loop")
        }
        self.health = SimpleNamespace(healthy=True, **faults)
        self.built = lambda: SimpleNamespace(eyes=FakeEyes("new", self.log))
        self.trial = Trial(
            CONFIG, self.updater, self.desk, self.side, self.build, self.health, self.clock
        )

    def build(self, files, origin):
        self.log.append("build")
        return self.built()

    def go(self, to_ms):
        while self.clock.now_ms() < to_ms:
            self.clock.sleep_until_ms(self.clock.now_ms() + 100)
            self.trial.step(self.clock.now_ms())

    def agree(self, people=10, found=10):
        agreement = self.side.shadow.agreement
        agreement.people, agreement.found = people, found

    @property
    def notes(self):
        return [state for state, _ in self.desk.notes]


def test_good_students_stay_and_the_try_is_durable_before_they_run():
    world = World()
    world.go(1500)
    assert world.log == ["try durable", "build", "look on new"]
    world.agree()
    world.go(4000)
    assert world.trial.phase == "probation" and world.log[-1] == "drive new"
    world.agree()
    world.go(8000)
    assert world.log[-3:] == ["confirmed durable", "end", "close old"]
    assert world.notes == ["trial", "shadow", "probation", "confirmed"]
    assert world.trial.phase == "idle" and world.updater.running == 1


def test_a_camera_that_is_not_healthy_begins_no_trial():
    world = World()
    world.health.healthy = False
    world.go(5000)
    assert world.log == []
    world.health.healthy = True
    world.go(5900)
    assert world.log == [], "it must have been healthy for a while"
    world.go(6500)
    assert world.log[0] == "try durable"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Refused("golden", "far off"), "golden"),
        (Refused("latency", "80 ms"), "latency"),
        (ModelRefused("x", "no such classes"), "student"),
        (NpuFault("invoke_failed", ""), "student"),
        (MemoryError(), "memory"),
    ],
    ids=lambda value: getattr(value, "reason", str(value)),
)
def test_students_that_cannot_be_built_never_look_on(failure, reason):
    world = World()

    def refuse():
        raise failure

    world.built = refuse
    world.go(3000)
    assert world.log == ["try durable", "build", f"rolled back durable: {reason}"]
    world.go(10000)
    assert len(world.log) == 3, "and are not tried again"


@pytest.mark.parametrize("phase", ["shadow", "probation"])
@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (lambda world: world.agree(20, 3), "agreement"),
        (lambda world: setattr(world.side.shadow.agreement, "extra", 99), "agreement"),
        (lambda world: setattr(world.side.shadow, "failures", 5), "student"),
        (lambda world: setattr(world.health.npu, "active", True), "health"),
        (lambda world: setattr(world.health.memory, "active", True), "health"),
        (lambda world: world.trial.roll_back("anna"), "operator"),
    ],
    ids=["blind", "everywhere", "fails", "npu", "memory", "operator"],
)
def test_trouble_brings_the_old_students_back_first_and_is_written_down_then(
    phase, trouble, reason
):
    world = World()
    world.go(1500 if phase == "shadow" else 4000)
    assert world.trial.phase == phase
    world.log.clear()
    trouble(world)
    world.go(world.clock.now_ms() + 200)
    back = "drive old" if phase == "probation" else "end"
    assert world.log == [back, "close new", f"rolled back durable: {reason}"]
    assert world.side.live.eyes.name == "old" and world.trial.phase == "idle"


def test_undecided_students_are_given_more_time_and_then_given_up():
    world = World()
    world.go(1500)
    world.agree(20, 12)
    world.go(6000)
    assert world.trial.phase == "shadow"
    world.go(8000)
    assert world.log[-1] == "rolled back durable: agreement"


def test_blind_students_take_over_nothing_while_it_is_not_sure_yet():
    world = World()
    world.go(1500)
    world.agree(11, 0)
    world.go(6500)
    assert world.trial.phase == "shadow" and "drive new" not in world.log
    world.go(8000)
    assert world.log[-1] == "rolled back durable: agreement"


def test_flash_that_refuses_a_roll_back_is_asked_again_before_anything_else():
    world = World()
    world.go(4000)
    world.store.fails = True
    world.agree(20, 3)
    world.go(4200)
    assert world.side.live.eyes.name == "old", "the old students drive all the same"
    assert world.trial.phase == "idle" and "waits" in world.notes
    world.store.fails = False
    world.go(4200 + RETRY_MS + 5000)
    assert world.log[-1] == "rolled back durable: agreement"
    assert world.log.count("try durable") == 1, "what failed is not tried again"


def test_a_loop_that_does_not_come_by_ends_the_trial_and_nothing_stays_loaded():
    world = World()

    def stalled(seat):
        raise Refused("unavailable", "the camera's loop does not answer")

    world.side.look_on = stalled
    world.go(3000)
    assert world.log == ["try durable", "build", "close new", "rolled back durable: health"]


def test_without_people_nothing_is_confirmed_and_the_end_is_a_roll_back():
    world = World()
    world.go(4000)
    world.go(15000)
    assert world.trial.phase == "probation" and world.trial.left_ms(15000) == 0
    world.go(30000)
    assert world.log[-1] == "rolled back durable: agreement"


def test_an_operator_confirms_early_but_only_on_probation():
    world = World()
    world.go(1500)
    with pytest.raises(Refused, match="shadow"):
        world.trial.confirm("anna")
    world.go(4000)
    world.trial.confirm("anna")
    assert "confirmed durable" in world.log and world.desk.notes[-1][1]["by"] == "anna"


def test_flash_that_refuses_the_confirmation_is_asked_again():
    world = World()
    world.go(4000)
    world.agree()
    world.store.fails = True
    world.go(8000)
    assert world.trial.phase == "probation" and "waits" in world.notes
    assert "close old" not in world.log, "the way back stays open"
    world.store.fails = False
    world.agree()
    world.go(8000 + RETRY_MS + 1000)
    assert "confirmed durable" in world.log


def test_a_reset_in_the_first_try_gives_another_one_and_in_the_last_none():
    world = World(trial=1, tries=1)
    world.go(2000)
    assert world.log[:2] == ["try durable", "build"] and world.store.state.tries == 2
    world = World(trial=1, tries=2)
    world.go(3000)
    assert world.log == ["rolled back durable: reset"]


def test_nothing_waits_in_an_empty_camera():
    assert waiting_slot(State()) == -1
    assert waiting_slot(State(slots=(SlotInfo(), STAGED))) == 1
    assert waiting_slot(State(slots=(STAYS, BAD))) == -1
    world = World(slots=(STAYS, BAD), active=0)
    world.go(5000)
    assert world.log == []
    with pytest.raises(Refused, match="no students are on trial"):
        world.trial.roll_back("anna")


def test_going_back_builds_first_and_is_durable_before_the_swap():
    world = World(slots=(STAYS, BAD), active=0, previous=-1)
    world.updater.go_back = lambda: world.log.append("back durable") or -1
    world.trial.go_back(lambda: world.log.append("build factory") or world.built())
    assert world.log == ["build factory", "back durable", "drive new", "close old"]
