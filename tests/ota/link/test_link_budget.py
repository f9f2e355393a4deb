"""What a push may cost, measured in virtual time, where it is exact."""

from __future__ import annotations

import pytest

from ota.bundle import BundleFile
from ota.link.client import LinkClient
from ota.link.server import LinkServer
from ota.refusal import Refused
from ota.service import Path
from tests.ota.link.camera import Camera, write_bundle
from tests.ota.link.line import Bench, Line

TURNAROUND_MS = 10.0
BUNDLE_BYTES = 2_000_000


class Setup:
    def __init__(self, path=Path.CABLE, **camera) -> None:
        self.clock = Bench()
        self.line = Line(self.clock)
        self.line.back.turnaround_ms = TURNAROUND_MS
        self.camera = Camera(**camera)
        self.log: list = []
        self.server = LinkServer(
            self.line.camera, path, self.camera, self.clock, lambda *entry: self.log.append(entry)
        )
        self.clock.camera = self.server.poll
        self.client = LinkClient(self.line.technician, self.clock, reconnect=self.line.plug)


def test_two_megabytes_in_24_seconds(tmp_path):
    path = tmp_path / "b.haetae"
    payload = write_bundle(path, BUNDLE_BYTES)
    setup = Setup()
    with BundleFile(path) as bundle:
        setup.client.push(bundle)
    assert setup.camera.payload == payload

    assert setup.clock.now_ms() <= 24_000


def test_damage_and_unplugging_cost_a_tenth_at_most(tmp_path):
    path = tmp_path / "b.haetae"
    payload = write_bundle(path, BUNDLE_BYTES)
    setup = Setup()
    setup.line.there.hit_share = setup.line.back.hit_share = 0.01
    for at_ms in (4_321.0, 11_003.0, 17_777.0):
        setup.clock.at.append((at_ms, setup.line.pull))
    with BundleFile(path) as bundle:
        setup.client.push(bundle)
    assert setup.camera.payload == payload
    ratio = setup.line.there.sent / len(payload)

    assert ratio <= 1.1


def test_a_bundle_for_others_is_refused_within_a_second(tmp_path):
    path = tmp_path / "b.haetae"
    write_bundle(path, BUNDLE_BYTES, product="another")
    setup = Setup()
    setup.client.hello()
    began_ms = setup.clock.now_ms()
    with BundleFile(path) as bundle, pytest.raises(Refused, match="product"):
        setup.client.push(bundle)

    assert setup.clock.now_ms() - began_ms < 1000
