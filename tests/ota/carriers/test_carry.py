"""One at a time: trials are waited for, a technician is not interrupted, a lost camera is found."""

from __future__ import annotations

import pytest

from drivers.faults import LinkFault
from ota.carriers.carry import SILENT_MS, Carry
from ota.carriers.usb import StickCarrier
from ota.head import parse_head
from ota.link.lost import LinkLost
from ota.manifest import parse_manifest, take
from tests.ota.carriers.world import World, bundle_bytes


@pytest.fixture
def stick(tmp_path):
    return tmp_path


class Technician:
    """Sends a bundle by cable, chunk by chunk."""

    def __init__(self, world: World, release: int) -> None:
        self.world, self.data = world, bundle_bytes(release)
        self.head = parse_head(self.data)
        self.start = len(self.head.to_bytes())
        self.answer = world.updater.offer(self.data[: self.start])
        self.next = self.answer["next"]

    def send(self) -> None:
        chunk = take(parse_manifest(self.head.manifest), "tflite", 1).chunks[self.next]
        first = self.start + chunk.bundle_at
        data = self.data[first : first + chunk.stored_size]
        self.next = self.world.updater.chunk(self.answer["session"], self.next, data)


def carry_of(world: World, stick) -> Carry:
    return Carry(world.connect, [StickCarrier(stick, world.say)], world.clock, world.say)


def test_a_technicians_transfer_is_not_ended(stick):
    world = World()
    cable = Technician(world, 5)
    (stick / "newer.bundle").write_bytes(bundle_bytes(9))
    carry = carry_of(world, stick)
    for _ in range(4):
        cable.send()
        world.steps(carry, 0.8 * SILENT_MS)
        assert world.pushed == []
    while cable.next >= 0:
        cable.send()
    world.confirm()
    world.steps(carry, 30_000)
    assert world.release == 5 and world.pushed == [9], "afterwards it is its turn"


def test_one_that_stands_still_makes_room(stick):
    world = World()
    Technician(world, 5).send()
    (stick / "newer.bundle").write_bytes(bundle_bytes(9))
    world.steps(carry_of(world, stick), SILENT_MS + 20_000)
    assert world.pushed == [9]


def test_a_trial_is_waited_for(stick):
    world = World()
    carry = carry_of(world, stick)
    (stick / "a.bundle").write_bytes(bundle_bytes(5))
    world.steps(carry, 5000)
    (stick / "b.bundle").write_bytes(bundle_bytes(9))
    world.steps(carry, 600_000)
    assert world.pushed == [5]
    world.confirm()
    world.steps(carry, 10_000)
    assert world.pushed == [5, 9]


def test_the_link_is_free_while_there_is_nothing_to_say(stick):
    world = World()
    calls: list[float] = []
    carry = Carry(
        lambda: calls.append(world.clock.now_ms()) or world.connect(),
        [StickCarrier(stick, world.say)], world.clock, world.say,
    )  # fmt: skip
    world.steps(carry, 3_600_000)
    assert calls == []
    (stick / "junk.bundle").write_bytes(b"HAETAE\x1a\x01" + bytes(1000))
    world.steps(carry, 3_600_000)
    assert len(calls) == 1


@pytest.mark.parametrize("lost", [LinkFault("gone", "x"), LinkLost("no answer", "wait")])
def test_a_camera_that_is_away_is_said_once_and_found_again(stick, lost):
    world = World()
    is_away = True

    def connect() -> World:
        if is_away:
            raise lost
        return world.connect()

    carry = Carry(connect, [StickCarrier(stick, world.say)], world.clock, world.say)
    (stick / "a.bundle").write_bytes(bundle_bytes(5))
    world.steps(carry, 600_000)
    assert sum(line.startswith("camera: ") for line in world.said) == 1
    is_away = False
    world.steps(carry, 20_000)
    assert world.pushed == [5]


def test_a_link_that_is_lost_during_a_push_is_taken_up_again(stick):
    world = World()
    carry = carry_of(world, stick)
    (stick / "a.bundle").write_bytes(bundle_bytes(5))

    def break_once(count: int) -> None:
        if count == 2:
            raise LinkLost("the line is lost", "push again")

    world.during = break_once
    world.steps(carry, 60_000)
    assert world.pushed == [5]
    assert world.chunks[:3] == [1, 2, 3], "it went on where it was"


def test_a_stick_that_is_plugged_in_again_goes_on_at_once_by_another_process(stick):
    world = World()
    (stick / "a.bundle").write_bytes(bundle_bytes(5))
    (stick / "junk.bundle").write_bytes(b"HAETAE\x1a\x01" + bytes(1000))

    class Ended(Exception):
        pass

    def end_once(count: int) -> None:
        if count == 2:
            raise Ended

    world.during = end_once
    with pytest.raises(Ended):
        world.steps(carry_of(world, stick), 60_000)
    world.steps(carry_of(world, stick), SILENT_MS / 4)
    assert world.pushed == [5]
    assert world.chunks[:3] == [1, 2, 3], "it went on where it was"


def test_an_update_that_somebody_gave_up_ends_the_watch(stick):
    world = World()
    carry = carry_of(world, stick)
    (stick / "a.bundle").write_bytes(bundle_bytes(5))
    world.steps(carry, 5000)
    assert carry.is_watching
    (stick / "a.bundle").unlink()
    world.updater.abandon()
    world.steps(carry, 20_000)
    assert not carry.is_watching
    assert world.said[-1].startswith("stick: operator")
