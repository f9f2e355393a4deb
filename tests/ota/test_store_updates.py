"""The life of a student set on one camera, without power cuts."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from msgspec import structs

from drivers.clock import VirtualClock
from drivers.faults import StorageFault
from ota.head import Head, parse_head
from ota.manifest import parse_manifest, to_bytes
from ota.pack_delta import can_unpack, pack_chunk
from ota.refusal import Refused
from ota.state import FACTORY, NONE
from ota.status import stored
from ota.updater import Updater
from tests.ota import vendor
from tests.ota.camera import (
    FACTS,
    Bundle,
    bundle,
    delta,
    install,
    make,
    new_flash,
    push,
    ring,
    small_files,
    start,
)


@pytest.fixture
def camera() -> Updater:
    return start(new_flash())


def reason_of(what, *args, **how) -> str:
    with pytest.raises(Refused) as refused:
        what(*args, **how)
    return refused.value.reason


def runs(camera: Updater) -> tuple[int, dict[str, bytes]]:
    loaded = camera.load_active()
    return loaded.slot, loaded.files


@pytest.mark.parametrize("fill", [b"\x00", b"\xff", b"\x5a"], ids=["new", "erased", "garbage"])
def test_a_camera_without_anything_on_flash_runs_what_came_with_the_image(fill):
    camera = start(new_flash(fill))
    assert runs(camera) == (FACTORY, {})
    assert camera.store.ring == b""
    assert camera.store.site.text == ""


def test_a_set_comes_is_tried_and_stays(camera):
    new = bundle(1, counter=3)
    answer = camera.offer(new.head)
    assert (answer["state"], answer["next"], answer["chunks"]) == ("receiving", 0, 3)
    assert (answer["done"], answer["bytes"]) == (0, 30 + 600 + 1300)
    assert [camera.chunk(answer["session"], n, new.chunk(n)) for n in range(3)] == [1, 2, -1]
    assert camera.store.begin_trial() == 0
    assert camera.store.state.tries == 1
    assert camera.store.state.floor == 0
    assert camera.load_set(0)[1] == new.plain
    camera.store.confirm()
    assert camera.store.state.floor == 3
    assert runs(camera) == (0, new.plain)
    assert runs(start(camera.store._storage)) == (0, new.plain)
    assert (
        camera.store.read_file(0, "detector", "net.bin", "tflite")
        == new.plain["detector"]["net.bin"]
    )


def test_the_next_set_goes_to_the_other_slot_and_there_is_a_way_back_and_forth(camera):
    first, second, third = bundle(1), bundle(2), bundle(3)
    install(camera, first)
    install(camera, second)
    assert camera.store.state.active == 1
    assert camera.go_back() == 0
    assert runs(camera) == (0, first.plain)
    assert camera.go_back() == 1
    assert runs(camera) == (1, second.plain)
    install(camera, third)
    assert runs(camera) == (0, third.plain)
    assert camera.store.state.previous == 1


def test_the_way_back_from_the_first_set_leads_to_the_factory(camera):
    install(camera, bundle(1))
    assert camera.go_back() == FACTORY
    assert runs(camera)[0] == FACTORY
    assert reason_of(start(new_flash()).go_back) == "nothing"


def test_no_way_back_leads_below_the_floor(camera):
    install(camera, bundle(1, counter=1))
    install(camera, bundle(2, counter=2))
    assert reason_of(camera.go_back) == "counter"
    assert reason_of(camera.offer, bundle(3, counter=1).head, True) == "counter"
    assert camera.store.state.active == 1


def test_a_trial_that_fails_leaves_the_old_set_and_says_why(camera):
    install(camera, bundle(1))
    push(camera, bundle(2))
    camera.store.begin_trial()
    camera.store.roll_back("latency", "90 ms; at most 50")
    state = camera.store.state
    assert (state.active, state.trial, state.tries) == (0, NONE, 0)
    assert (state.last.outcome, state.last.reason, state.last.release) == (
        "rolled_back",
        "latency",
        2,
    )
    assert reason_of(camera.offer, bundle(2).head) == "latency"
    camera.abandon()
    install(camera, bundle(2))


def test_what_is_there_already_is_said(camera):
    push(camera, bundle(1))
    answer = camera.offer(bundle(1).head)
    assert (answer["state"], answer["next"], answer["done"]) == ("staged", -1, 1930)
    assert camera.chunk(answer["session"], 2, bundle(1).chunk(2)) == -1
    camera.store.begin_trial()
    assert camera.offer(bundle(1).head)["state"] == "trial"
    assert reason_of(camera.offer, bundle(2).head) == "busy"
    assert reason_of(camera.abandon) == "busy"
    camera.store.confirm()
    assert reason_of(camera.offer, bundle(1).head) == "nothing"
    install(camera, bundle(2))
    camera.go_back()
    assert reason_of(camera.offer, bundle(2).head) == "nothing"


def test_an_older_release_is_taken_only_where_it_is_asked_for(camera):
    install(camera, bundle(5))
    assert reason_of(camera.offer, bundle(4).head) == "older"
    install(camera, bundle(4), allow_older=True)
    assert camera.store.state.slots[camera.store.state.active].release == 4


def test_going_back_by_an_offer_of_the_set_before_needs_no_bytes(camera):
    install(camera, bundle(1))
    install(camera, bundle(2))
    assert camera.offer(bundle(1).head, allow_older=True)["state"] == "staged"
    assert camera.store.state.previous == FACTORY


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"product": "other"}, "product"),
        ({"boards": ["mast", "dome"]}, "board"),
        ({"socs": ["rk3588"]}, "soc"),
        ({"min_runtime": "0.2.0"}, "runtime"),
        ({"memory_mb": 33}, "memory"),
        ({"signed_by": ()}, "signature"),
        ({"signed_by": ("bundle 2",)}, "signature"),
        ({"files": small_files(1, (30, 600, 20_000))}, "size"),
        ({"files": small_files(1, target="rk3588")}, "target"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bundle_that_does_not_fit_is_refused_before_anything_is_written(camera, changes, reason):
    how = {"files": small_files(1), "release": 1} | changes
    before = bytes(camera.store._storage.visible)
    assert reason_of(camera.offer, make(**how).head) == reason
    assert bytes(camera.store._storage.visible) == before


def test_a_wrong_chunk_is_refused_and_the_right_one_taken_then(camera):
    new = bundle(1)
    session = camera.offer(new.head)["session"]
    assert reason_of(camera.chunk, session, 0, new.chunk(0)[:-1] + b"\0") == "chunk"
    assert reason_of(camera.chunk, session, 0, new.chunk(0) + b"\0") == "chunk"
    assert reason_of(camera.chunk, session, 3, new.chunk(0)) == "argument"
    assert reason_of(camera.chunk, bytes(16), 0, new.chunk(0)) == "session"
    assert camera.chunk(session, 2, new.chunk(2)) == 0
    assert camera.chunk(session, 0, new.chunk(0)) == 1
    assert camera.chunk(session, 0, new.chunk(0)) == 1


def test_a_transfer_goes_on_after_a_reset_with_what_the_slot_holds(camera):
    new = bundle(1)
    session = camera.offer(new.head)["session"]
    camera.chunk(session, 0, new.chunk(0))
    again = start(camera.store._storage)
    assert reason_of(again.chunk, session, 1, new.chunk(1)) == "session"
    answer = again.offer(new.head)
    assert (answer["next"], answer["done"], answer["session"]) == (1, 600, session)
    push(again, new)


def test_a_transfer_that_is_alive_is_not_pushed_aside_by_an_older_one():
    clock = VirtualClock()
    camera = start(new_flash(), clock=clock)
    camera.offer(bundle(5).head)
    assert reason_of(camera.offer, bundle(4).head) == "busy"
    clock.sleep_until_ms(clock.now_ms() + 61_000)
    assert camera.offer(bundle(4).head)["state"] == "receiving"
    assert camera.offer(bundle(6).head)["state"] == "receiving"
    assert sum(info.status == "receiving" for info in camera.store.state.slots) == 1


def test_a_part_of_a_transfer_that_was_given_up_is_refused(camera):
    session = camera.offer(bundle(1).head)["session"]
    camera.store.abandon()
    assert reason_of(camera.chunk, session, 0, bundle(1).chunk(0)) == "session"


def test_a_newer_key_ring_is_kept_even_when_its_bundle_is_refused(camera):
    newer = ring(2, bundle_keys=("bundle 2",), revoked=("bundle 1",))
    install(camera, bundle(1))
    assert reason_of(camera.offer, bundle(2, rings=(newer,)).head) == "revoked_key"
    again = start(camera.store._storage)
    assert again.ring.version == 2
    assert again.store.ring == newer
    assert runs(again) == (0, bundle(1).plain), "a revoked key must not blind the camera"
    assert again.distrust == camera.distrust == "revoked_key"
    install(again, bundle(3, signed_by=("bundle 2",)))
    assert reason_of(again.go_back) == "revoked_key"
    assert again.distrust == ""
    assert again.rings([newer]) == 2


def test_a_set_that_waits_for_its_trial_is_not_loaded_once_its_key_is_revoked(camera):
    push(camera, bundle(1))
    camera.rings([ring(2, bundle_keys=("bundle 2",), revoked=("bundle 1",))])
    slot = camera.store.begin_trial()
    assert reason_of(camera.load_set, slot) == "revoked_key"


def test_a_wrong_key_ring_changes_nothing(camera):
    assert reason_of(camera.rings, [ring(3)]) == "ring_gap"
    assert reason_of(camera.rings, [ring(2, signed_by=("root 1",))]) == "ring_signature"
    assert camera.store.ring == b""


def test_a_damaged_active_set_gives_way_to_the_one_before_and_may_be_sent_again(camera):
    install(camera, bundle(1))
    install(camera, bundle(2))
    flash = camera.store._storage
    flash.visible[camera.store._layout.slots[1] + 2048] ^= 1
    again = start(flash)
    assert runs(again) == (0, bundle(1).plain)
    assert (again.store.state.last.outcome, again.store.state.last.reason) == ("damaged", "chunk")
    install(again, bundle(2))


def test_a_damaged_set_does_not_open_the_way_to_one_whose_key_was_revoked(camera):
    both = ("bundle 1", "bundle 2")
    install(camera, bundle(1))
    camera.rings([ring(2, bundle_keys=both)])
    install(camera, bundle(2, signed_by=("bundle 2",)))
    camera.rings([ring(2, bundle_keys=both), ring(3, bundle_keys=both[1:], revoked=both[:1])])
    flash = camera.store._storage
    flash.visible[camera.store._layout.slots[1] + 2048] ^= 1
    assert runs(start(flash))[0] == FACTORY
    assert runs(start(flash))[0] == FACTORY


def test_what_cannot_be_read_for_a_moment_is_not_given_up(camera):
    install(camera, bundle(1))
    install(camera, bundle(2))
    flash = camera.store._storage
    again = start(flash)
    read_at, flash.read_at = flash.read_at, fails
    assert runs(again)[0] == FACTORY
    flash.read_at = read_at
    assert again.offer(bundle(3).head)["state"] == "receiving"
    assert runs(start(flash)) == (1, bundle(2).plain)


def test_what_can_never_be_read_again_makes_room(camera):
    install(camera, bundle(1))
    install(camera, bundle(2))
    flash = camera.store._storage
    again = start(flash)
    read_at, bad = flash.read_at, camera.store._layout.slots[1]
    flash.read_at = lambda at, length: fails() if at == bad else read_at(at, length)
    assert runs(again) == (0, bundle(1).plain)
    assert again.store.state.active == 1
    with pytest.raises(Refused, match="storage"):
        push(again, bundle(3))
    assert again.store.state.active == 0
    assert runs(again) == (0, bundle(1).plain)


def fails(*_: int) -> bytes:
    raise StorageFault("io", "no answer")


def test_a_damaged_set_does_not_open_the_way_below_the_floor(camera):
    install(camera, bundle(1, counter=1))
    install(camera, bundle(2, counter=2))
    flash = camera.store._storage
    flash.visible[camera.store._layout.slots[1] + 2048] ^= 1
    again = start(flash)
    assert runs(again)[0] == FACTORY
    assert again.store.state.floor == 2


@pytest.mark.skipif(not can_unpack(), reason="zstandard is not installed")
def test_a_delta_is_unpacked_against_what_runs(camera):
    new = delta(2, 0, bundle(1))
    assert reason_of(camera.offer, new.head) == "base"
    install(camera, bundle(1))
    install(camera, new)
    assert runs(camera) == (1, new.plain)
    unable = start(new_flash(), replace(FACTS, can_unpack=False))
    install(unable, bundle(1))
    assert reason_of(unable.offer, new.head) == "delta"


@pytest.mark.skipif(not can_unpack(), reason="zstandard is not installed")
def test_a_delta_ends_when_what_it_is_against_runs_no_more(camera):
    install(camera, bundle(1))
    new = delta(2, 0, bundle(1))
    session = camera.offer(new.head)["session"]
    camera.chunk(session, 0, new.chunk(0))
    camera.go_back()
    assert reason_of(camera.chunk, session, 1, new.chunk(1)) == "base"


@pytest.mark.skipif(not can_unpack(), reason="zstandard is not installed")
def test_chunks_may_be_packed_against_nothing(camera):
    new = delta(2, 0, bundle(1))
    manifest = structs.replace(parse_manifest(parse_head(new.head).manifest), base=None)
    packed = [pack_chunk(file.data, b"") for file in small_files(7)]
    files = [
        structs.replace(
            entry, bytes=len(file.data), chunks=[sha256(file.data).digest()], stored=[len(one)]
        )
        for entry, file, one in zip(
            sorted(manifest.files, key=lambda entry: entry.bytes),
            small_files(7),
            packed,
            strict=True,
        )
    ]
    body = to_bytes(structs.replace(manifest, files=files))
    head = Head(body, vendor.bundle_signatures(body, "bundle 1"), b"").to_bytes()
    session = camera.offer(head)["session"]
    assert [camera.chunk(session, n, packed[n]) for n in range(3)] == [1, 2, -1]


def test_the_status_says_where_an_update_is(camera):
    assert stored(camera)["students"]["from"] == "factory"
    assert stored(camera)["update"]["phase"] == "idle"
    new: Bundle = bundle(1)
    session = camera.offer(new.head)["session"]
    camera.chunk(session, 0, new.chunk(0))
    update = stored(camera)["update"]
    assert (update["phase"], update["done"], update["bytes"]) == ("receiving", 600, 1930)
    push(camera, new)
    assert stored(camera)["update"]["phase"] == "staged"
    install(camera, new)
    assert stored(camera)["students"] | {"counter": 0} == {
        "from": "slot 0",
        "version": "1.1",
        "release": 1,
        "counter": 0,
        "digest": new.digest.hex(),
        "distrust": "",
    }
    assert stored(camera)["previous"]["from"] == "factory"
    assert stored(camera)["ring"] == 1
    camera.rings([ring(2)])
    assert stored(camera)["ring"] == 2
    assert stored(camera)["site"]["from"] == "image"
    camera.store.save_site("x = 1")
    assert stored(camera)["site"]["from"] == "trial"
    assert stored(camera)["site"]["digest"] == camera.store.site.digest.hex()
    camera.store._storage.read_at = fails
    stored(camera)
    assert stored(camera)["product"] == vendor.PRODUCT
