"""A camera at a hawkBit: what is assigned comes, and the server learns how it really ended."""

from __future__ import annotations

import json

import pytest

from ota.carriers.camera import SourceLost
from ota.carriers.carry import Carry
from ota.carriers.ddi import Ddi
from ota.carriers.hawkbit import HawkbitCarrier
from ota.carriers.web import Web
from tests.ota.carriers.hawkbit_server import BASE, DEVICE, TENANT, TOKEN, hawkbit
from tests.ota.carriers.servers import NOW_MS, serving
from tests.ota.carriers.world import World, bundle_bytes

POLL_MS = 600_000.0


class Site:
    def __init__(self, server, token: str = TOKEN) -> None:
        self.server, self.world = server, World()
        self.web = Web(NOW_MS, token=f"TargetToken {token}", token_for=server.url)
        self.start()

    def start(self) -> None:
        """The carrier process starts (anew)."""
        world = self.world
        ddi = Ddi(self.web, self.server.url, TENANT, DEVICE)
        carrier = HawkbitCarrier(self.web, ddi, DEVICE, world.clock, lambda: 0.5, world.say)
        self.carry = Carry(world.connect, [carrier], world.clock, world.say)

    def run(self, for_ms: float = 2.2 * POLL_MS) -> None:
        self.world.least_wait_ms = 20_000.0
        self.world.steps(self.carry, for_ms)
        assert self.server.wrong == []


@pytest.fixture
def site():
    with hawkbit() as server:
        made = Site(server)
        yield made
        made.web.close()


def test_success_is_told_only_after_the_camera_has_confirmed(site):
    site.server.assign("8", bundle_bytes(5))
    site.run()
    assert site.world.pushed == [5]
    assert site.server.closed == {}
    assert set(site.server.told()) == {("proceeding", "none")}
    site.world.confirm()
    site.run()
    assert site.server.closed == {"8": "success"}
    assert site.server.told()[-1] == ("closed", "success")


def test_a_roll_back_is_a_failure_with_the_cameras_reason(site):
    site.server.assign("8", bundle_bytes(5))
    site.run()
    site.world.roll_back("agreement", "sees 3 of 40")
    site.run()
    assert site.server.closed == {"8": "failure"}
    assert site.server.feedback[-1][4] == ["agreement", "sees 3 of 40"]
    assert site.world.pushed == [5]


def test_a_refusal_is_a_failure_with_its_reason(site):
    site.server.assign("8", bundle_bytes(5, signers=["bundle 9"]))
    site.run()
    assert site.server.closed == {"8": "failure"}
    assert site.server.feedback[-1][4][0] == "signature"


def test_the_trial_is_told_once_per_phase(site):
    site.server.assign("8", bundle_bytes(5))
    site.run(3 * POLL_MS)
    details = [one[4][0] for one in site.server.feedback]
    assert details == ["fetches release 5", "in the camera: staged"]
    site.world.updater.store.begin_trial()
    site.run()
    assert site.server.feedback[-1][4] == ["in the camera: shadow"]


def test_attributes_are_told_when_they_are_asked_for(site):
    site.run()
    told = site.server.attributes
    assert told["board"] == "sim" and told["students.release"] == "0" and told["ring"] == "1"
    site.server.assign("8", bundle_bytes(5))
    site.run()
    site.world.confirm()
    site.run()
    assert site.server.attributes["students.release"] == "5"


def test_the_server_sets_the_pace(site):
    site.server.sleep = "01:00:00"
    site.run(12 * 3_600_000)
    polls = sum(path == BASE for path, _ in site.server.asked)
    assert 11 <= polls <= 15


@pytest.mark.parametrize("sleep", ["", "soon", "00:00:00", "999:99:99"])
def test_a_pace_that_cannot_be_is_bounded(site, sleep):
    site.server.sleep = sleep
    site.run(POLL_MS + 3_600_000)
    assert 1 <= sum(path == BASE for path, _ in site.server.asked) <= 150


def test_a_cancellation_before_the_trial_is_accepted(site):
    site.server.assign("8", bundle_bytes(5))

    def cancel(count: int) -> None:
        site.server.cancelling = True
        site.world.clock.sleep_until_ms(site.world.clock.now_ms() + 60_000)

    site.world.during = cancel
    site.run()
    assert site.world.pushed == []
    assert site.server.closed == {"8": "canceled"}


def test_a_cancellation_during_the_trial_is_rejected(site):
    site.server.assign("8", bundle_bytes(5))
    site.run()
    site.server.cancelling = True
    site.run()
    assert site.server.feedback[-1][:3] == ("cancelAction", "8", "rejected")
    site.world.confirm()
    site.run()
    assert site.server.closed == {"8": "success"}


def test_a_cancellation_of_what_never_began_is_accepted(site):
    site.server.assign("8", bundle_bytes(5))
    site.server.cancelling = True
    site.run()
    assert site.server.closed == {"8": "canceled"}
    assert site.world.pushed == []


@pytest.mark.parametrize(
    "how",
    [
        {"download": "skip", "update": "skip"},
        {"download": "forced", "update": "skip"},
        {"download": "forced", "update": "forced", "maintenanceWindow": "unavailable"},
    ],
)
def test_a_maintenance_window_is_waited_for(site, how):
    site.server.how = how
    site.server.assign("8", bundle_bytes(5))
    site.run()
    assert site.world.pushed == []
    assert site.server.told() == [("scheduled", "none")]
    site.server.how = {"download": "forced", "update": "forced", "maintenanceWindow": "available"}
    site.run()
    assert site.world.pushed == [5]


def test_the_outcome_is_told_although_the_carrier_started_anew(site):
    site.server.assign("8", bundle_bytes(5))
    site.run()
    site.world.confirm()
    site.start()
    site.run()
    assert site.server.closed == {"8": "success"}
    assert site.world.pushed == [5]


def test_the_outcome_is_told_although_the_server_was_down(site):
    site.server.assign("8", bundle_bytes(5))
    site.run()
    site.world.confirm()
    site.server.refuse_closed = 4
    site.run()
    assert site.server.closed == {"8": "success"}


def test_a_refusal_is_told_later_without_another_offer(site):
    site.server.assign("8", bundle_bytes(5, signers=["bundle 9"]))
    site.server.refuse_closed = 3
    site.run()
    assert site.server.closed == {"8": "failure"}
    assert sum("refuses" in line for line in site.world.said) == 1


def test_an_action_that_somebody_closed_on_the_server_is_over(site):
    site.server.assign("8", bundle_bytes(5))
    site.run()
    site.server.closed["8"], site.server.action = "canceled", ""
    site.world.confirm()
    site.run()
    assert not any("410" in line or "404" in line for line in site.world.said)
    site.server.assign("9", bundle_bytes(6))
    site.run()
    assert site.world.pushed == [5, 6]


def test_the_same_bundle_again_after_a_failure_fails_at_once(site):
    site.server.assign("8", bundle_bytes(5))
    site.run()
    site.world.roll_back()
    site.run()
    site.server.assign("9", bundle_bytes(5))
    site.run()
    assert site.server.closed == {"8": "failure", "9": "failure"}
    assert site.world.pushed == [5]


def test_a_deployment_without_a_bundle_fails(site):
    site.server.assign("8", b"#!/bin/sh\nreboot\n", "run.sh")
    site.run()
    assert site.server.closed == {"8": "failure"}
    assert site.server.feedback[-1][4][0] in ("malformed", "truncated")


def test_the_bundle_is_found_among_other_files(site):
    site.server.assign("8", b"read me first, all of it, please", "readme.txt")
    first = site.server.chunks
    site.server.assign("8", bundle_bytes(5))
    site.server.chunks = first + site.server.chunks
    site.run()
    assert site.world.pushed == [5]


def test_a_wrong_token_is_said_and_tried_slowly():
    with hawkbit() as server:
        site = Site(server, token="wrong")
        site.run(8 * 3_600_000)
        site.web.close()
        assert any("does not know this device or its token" in line for line in site.world.said)
        assert len(site.world.said) < 30


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff", b'{"_links": 5}', b"[" * 100_000, b'{"config": []}']
)
def test_what_is_no_hawkbit_is_lost_and_nothing_more(data):
    with serving() as (static, url):
        static.files[BASE] = data
        web = Web(NOW_MS)
        with pytest.raises(SourceLost):
            Ddi(web, url, TENANT, DEVICE).poll()
        web.close()


def test_names_are_quoted_in_addresses():
    with serving() as (static, url):
        static.files["/A%2FB/controller/v1/cam%201%3F"] = json.dumps({}).encode()
        web = Web(NOW_MS)
        assert Ddi(web, url, "A/B", "cam 1?").poll().deployment == ""
        web.close()
