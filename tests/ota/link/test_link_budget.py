"""What a push may cost, measured in virtual time, where it is exact.

The line: 921,600 baud, a camera whose worker looks every 10 ms and that answers 10 ms later.
"""

from __future__ import annotations

import os
import random
import tracemalloc

import msgspec
import pytest

from drivers.faults import LinkFault
from ota.bundle import BundleFile
from ota.head import Head
from ota.manifest import CHUNK_BYTES, FileEntry, payload_bytes, to_bytes
from ota.refusal import Refused
from tests.ota.link.bench import Raw, Setup
from tests.ota.link.camera import write_bundle

BUNDLE_BYTES = 2_000_000
MOST_MS = 24_000
MOST_RATIO = 1.1
FLASH_MS = 60.0
"""That storing a chunk of 64 KiB may take, while nobody reads the line."""
SEEDS = range(40 if os.environ.get("HAETAE_LONG") else 3)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("budget") / "b.haetae"
    return path, write_bundle(path, BUNDLE_BYTES)


def made() -> Setup:
    setup = Setup()
    setup.clock.every_ms = 10.0
    return setup


def push(setup: Setup, file) -> float:
    """Returns bytes on the wire for each byte of the payload."""
    with BundleFile(file[0]) as bundle:
        setup.client.push(bundle)
    assert setup.camera.payload == file[1]
    return setup.line.there.sent / len(file[1])


def slow_flash(setup: Setup) -> None:
    busy_until_ms = 0.0
    poll, ask = setup.server.poll, setup.camera.ask

    def stores(command, arguments, by):
        nonlocal busy_until_ms
        busy_until_ms = setup.clock.now_ms() + FLASH_MS * (command == "chunk")
        return ask(command, arguments, by)

    setup.camera.ask = stores
    setup.clock.camera = lambda now_ms: now_ms >= busy_until_ms and poll(now_ms)


@pytest.mark.parametrize("flash", [False, True], ids=["at_once", "slow_flash"])
def test_two_megabytes_take_24_seconds_at_most(file, flash):
    setup = made()
    if flash:
        slow_flash(setup)
    ratio = push(setup, file)
    assert setup.clock.now_ms() <= MOST_MS
    assert ratio < 1.015


@pytest.mark.parametrize("seed", SEEDS)
def test_damage_and_three_unplugs_cost_a_tenth_at_most(file, seed):
    setup, chance, out = made(), random.Random(seed), []
    for wire in (setup.line.there, setup.line.back):
        wire.hit_share = 0.01
        wire.chance.seed(chance.random())

    def plug():
        if out:
            raise LinkFault("missing", "the adapter is out")
        return setup.line.plug()

    def pull():
        setup.line.pull()
        out.append(1)

    setup.client.reconnect = plug
    for at_ms in (3_000, 10_000, 17_000):
        at_ms += chance.uniform(-2000, 2000)
        setup.clock.at.append((at_ms, pull))
        setup.clock.at.append((at_ms + chance.uniform(100, 2000), out.clear))
    ratio = push(setup, file)
    assert ratio <= MOST_RATIO
    offers = [command for command, _ in setup.camera.asked].count("offer")
    assert offers == 4 and setup.line.there.hit + setup.line.back.hit > 3


def refusal_ms(path) -> float:
    setup = made()
    setup.client.hello()
    began_ms = setup.clock.now_ms()
    with BundleFile(path) as bundle, pytest.raises(Refused, match="product"):
        setup.client.push(bundle)
    return setup.clock.now_ms() - began_ms


def test_a_bundle_for_others_is_refused_within_a_second(file, tmp_path):
    path = tmp_path / "b.haetae"
    write_bundle(path, BUNDLE_BYTES, product="another")
    assert refusal_ms(path) < 100


def test_so_is_one_with_a_head_of_80_kilobytes(file, tmp_path):
    """A bundle for many NPUs that carries many key rings."""
    with BundleFile(file[0]) as bundle:
        manifest = bundle.manifest
    chunks = [bytes([n % 256]) * 32 for n in range(900)]
    large = [
        FileEntry(role="detector", name=name, bytes=900 * CHUNK_BYTES, chunks=chunks)
        for name in ("a.rknn", "b.rknn")
    ]
    manifest = msgspec.structs.replace(manifest, product="another", files=large)
    head = Head(to_bytes(manifest), bytes(4000), bytes(14_000)).to_bytes()
    assert 79_000 < len(head) < 80_000
    path = tmp_path / "large"
    with path.open("wb") as made_file:
        made_file.write(head)
        made_file.truncate(len(head) + payload_bytes(manifest))
    assert refusal_ms(path) < 1000


def test_a_link_takes_a_quarter_of_a_megabyte():
    Raw()
    tracemalloc.start()
    raw = Raw()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert raw.server is not None and 200_000 < taken < 260_000
