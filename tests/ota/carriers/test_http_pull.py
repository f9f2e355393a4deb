"""A camera follows a channel: stages, halts, roll-backs, servers that lie, files that are old."""

from __future__ import annotations

import pytest

from ota.carriers import memory, pace
from ota.carriers.carry import Carry
from ota.carriers.channel import Release
from ota.carriers.http_pull import ChannelCarrier
from ota.carriers.rollout import Stage, stage_of
from ota.carriers.usb import StickCarrier
from ota.carriers.web import Web
from ota.head import parse_head
from ota.key_ring import trust_first
from ota.refusal import Refused
from tests.ota import vendor
from tests.ota.carriers import channels
from tests.ota.carriers.servers import NOW_MS, serving
from tests.ota.carriers.world import FACTS, World, bundle_bytes

POLL_MS = 600_000.0
HOUR_MS = 3_600_000.0
CHANNEL = "/haetae.channel"


class Site:
    """A camera, its carrier, and the server that it follows."""

    def __init__(self, static, url: str, folder, world: World | None = None) -> None:
        self.static, self.url, self.folder = static, url, folder
        self.world = world or World()
        self.web = Web(NOW_MS)
        self.stick = folder / "media"
        self.stick.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """The carrier process starts (anew)."""
        world = self.world
        channel = ChannelCarrier(
            self.web, self.url + CHANNEL, FACTS.device, trust_first(vendor.ring(1)),
            self.folder / "memory", world.clock, lambda: 0.5, world.say, POLL_MS,
        )  # fmt: skip
        stick = StickCarrier(self.stick, world.say)
        self.carry = Carry(world.connect, [stick, channel], world.clock, world.say)

    def publish(self, sequence: int, *releases: Release, **how) -> None:
        fields = {name: how.pop(name) for name in ("poll_s", "product") if name in how}
        what = channels.channel(sequence, *releases, **fields)
        self.static.files[CHANNEL] = channels.signed(what, **how)

    def put(self, number: int, **fields) -> Release:
        data = bundle_bytes(number)
        self.static.files[f"/{number}.bundle"] = data
        values = {"digest": parse_head(data).digest, "bytes": len(data)}
        return channels.release(number, **values | fields)

    def run(self, for_ms: float = 2 * POLL_MS) -> None:
        self.world.least_wait_ms = 10_000.0 if for_ms > HOUR_MS else 0.0
        self.world.steps(self.carry, for_ms)

    def asked(self, path: str) -> int:
        return sum(one == path for one, _ in self.static.asked)


@pytest.fixture
def site(tmp_path):
    with serving() as (static, url):
        made = Site(static, url, tmp_path)
        yield made
        made.web.close()


def test_a_release_comes_by_the_channel(site):
    site.publish(1, site.put(5))
    site.run()
    assert site.world.pushed == [5]
    site.world.confirm()
    site.run(3 * HOUR_MS)
    assert site.world.pushed == [5] and site.world.release == 5


def test_polls_keep_their_pace_and_cost_little(site):
    site.publish(1)
    site.run(8 * HOUR_MS)
    polls = site.asked(CHANNEL)
    assert 8 * HOUR_MS / POLL_MS * 0.9 <= polls <= 8 * HOUR_MS / POLL_MS * 1.1 + 1
    assert site.static.sent[CHANNEL] == len(site.static.files[CHANNEL]), "the rest is 304"


def test_the_channel_sets_the_pace(site):
    site.publish(1, poll_s=7200)
    site.run(24 * HOUR_MS)
    assert 11 <= site.asked(CHANNEL) <= 14


def test_a_stage_that_has_not_come_to_it_is_waited_for(site):
    place = stage_of(FACTS.device, 5)
    stages = [Stage(share=place / 2), Stage(share=1.0)]
    site.publish(1, site.put(5, stages=stages))
    site.run()
    assert site.world.pushed == []
    site.publish(2, site.put(5, stages=stages, stage=1))
    site.run()
    assert site.world.pushed == [5]


def test_a_halted_release_is_not_taken(site):
    site.publish(1, site.put(5, halted=True), site.put(4))
    site.run()
    assert site.world.pushed == [4]


def test_a_release_that_is_halted_during_its_push_is_given_up(site):
    release = site.put(5)
    site.publish(1, release)

    def halt(count: int) -> None:
        site.world.clock.sleep_until_ms(site.world.clock.now_ms() + 2 * POLL_MS)
        site.publish(2, site.put(5, halted=True))

    site.world.during = halt
    site.run()
    assert site.world.pushed == []
    assert any("not wanted any more" in line for line in site.world.said)


def test_what_failed_here_is_never_fetched_again(site):
    site.publish(1, site.put(5))
    site.run()
    site.world.roll_back()
    site.run()
    site.start()
    fetched = site.asked("/5.bundle")
    site.run(6 * HOUR_MS)
    assert site.world.pushed == [5]
    assert site.asked("/5.bundle") == fetched
    site.publish(2, site.put(5), site.put(6))
    site.run()
    assert site.world.pushed == [5, 6]


def test_what_failed_while_the_carrier_was_away_is_known_too(site):
    site.publish(1, site.put(5))
    site.run()
    site.start()
    site.world.roll_back()
    fetched = site.asked("/5.bundle")
    site.run(6 * HOUR_MS)
    assert site.asked("/5.bundle") == fetched
    kept = memory.load(site.folder / "memory")
    assert len(kept.given_up) == 1 and kept.offer is None


def test_a_camera_that_is_busy_gets_it_later(site):
    site.publish(1, site.put(5))
    push, refusals = site.world.push, [Refused("busy", "something else is on trial")] * 3

    def busy(*words, **named):
        if refusals:
            raise refusals.pop()
        push(*words, **named)

    site.world.push = busy
    site.run()
    assert site.world.pushed == [5]
    assert memory.load(site.folder / "memory").given_up == []


def test_what_this_camera_refuses_is_not_fetched_again(site):
    data = bundle_bytes(5, signers=["bundle 9"])
    site.static.files["/5.bundle"] = data
    digest = parse_head(data).digest
    site.publish(1, channels.release(5, digest=digest, bytes=len(data)))
    site.run(6 * HOUR_MS)
    assert site.asked("/5.bundle") == 1
    assert sum("signature" in line for line in site.world.said) == 1


def test_another_runtime_may_take_what_this_one_did_not(tmp_path):
    kept = memory.Memory()
    kept.meet("0.1.0")
    kept.give_up(b"x" * 32)
    kept.meet("0.1.0")
    assert kept.given_up == [b"x" * 32]
    kept.meet("0.2.0")
    assert kept.given_up == []


def test_a_memory_stays_small(tmp_path):
    kept = memory.Memory()
    for number in range(3 * memory.MAX_GIVEN_UP):
        kept.give_up(number.to_bytes(32, "big"))
    memory.save(tmp_path / "memory", kept)
    again = memory.load(tmp_path / "memory").given_up
    assert len(again) == memory.MAX_GIVEN_UP
    assert again[-1] == (3 * memory.MAX_GIVEN_UP - 1).to_bytes(32, "big"), "the newest are kept"


def test_an_older_channel_file_is_not_followed_even_after_a_restart(site):
    site.publish(7)
    site.run()
    site.start()
    site.publish(6, site.put(5))
    site.run()
    assert site.world.pushed == []
    assert any("channel_old" in line for line in site.world.said)


def test_a_channel_of_a_stranger_is_not_followed(site):
    site.publish(1, site.put(5), signers=["bundle 1"])
    site.run()
    assert site.world.pushed == []
    assert any("signature" in line for line in site.world.said)


def test_newer_key_rings_are_kept(site):
    site.publish(1, rings=[vendor.ring(2)])
    site.run()
    assert memory.load(site.folder / "memory").ring == vendor.ring(2)
    site.start()
    site.publish(2, site.put(5), rings=[vendor.ring(3, signed_by=["root 1"])])
    site.run()
    assert site.world.pushed == []


@pytest.mark.parametrize("damage", [b"", b"\x00", b"\xff" * 100, bytes(1 << 16)])
def test_a_damaged_memory_is_begun_anew(site, damage):
    (site.folder / "memory").write_bytes(damage)
    site.start()
    site.publish(1, site.put(5))
    site.run()
    assert site.world.pushed == [5]


def test_a_memory_that_cannot_be_written_costs_no_update(site):
    (site.folder / "memory.new").mkdir()
    site.publish(1, site.put(5))
    site.run()
    assert site.world.pushed == [5]
    assert any("memory" in line for line in site.world.said)


def test_a_server_that_is_down_is_asked_ever_more_slowly(site):
    site.static.statuses[CHANNEL] = [503] * 10_000
    site.run(8 * HOUR_MS)
    longest_ms = pace.backoff_ms(99, 0.5)
    assert 8 * HOUR_MS / longest_ms < site.asked(CHANNEL) < 8 * HOUR_MS / longest_ms + 12


def test_a_channel_file_that_is_huge_is_not_read(site):
    site.static.files[CHANNEL] = bytes(64 << 20)
    site.run(POLL_MS)
    assert site.static.sent[CHANNEL] < site.asked(CHANNEL) * (32 << 20), "not read to its end"
    assert any("more than 131072 bytes" in line for line in site.world.said)


def test_the_bundle_on_the_server_must_be_the_one_that_is_named(site):
    release = site.put(5)
    site.publish(1, release)
    site.static.files["/5.bundle"] = bundle_bytes(6)
    site.run()
    assert site.world.pushed == []
    assert any("not the bundle" in line for line in site.world.said)


def test_a_link_that_breaks_costs_little(site):
    site.publish(1, site.put(5))
    site.static.break_after["/5.bundle"] = [1 << 30, 50_000, 50_000]
    site.run()
    assert site.world.pushed == [5]
    assert site.static.sent["/5.bundle"] < 0.7 * len(bundle_bytes(5)), "its own target, once"


def test_the_stick_wins_over_the_network(site):
    site.publish(1, site.put(5))
    site.world.during = lambda count: (
        (site.stick / "new.bundle").write_bytes(bundle_bytes(8)) if count == 1 else None
    )
    site.world.clock.sleep_until_ms(POLL_MS)
    site.run()
    assert site.world.pushed[0] == 8
    assert any("gives way to the stick" in line for line in site.world.said)
    site.world.confirm()
    site.run()
    assert site.world.pushed == [8], "release 5 is older now"


def test_a_useless_stick_only_delays_the_network(site):
    site.publish(1, site.put(5))
    site.world.during = lambda count: (
        (site.stick / "junk.bundle").write_bytes(bundle_bytes(5, product="kettle"))
        if count == 1
        else None
    )
    site.run()
    assert site.world.pushed == [5]
    assert site.world.chunks == [*sorted(site.world.chunks[:-1]), -1], "it went on where it was"
