"""A stick: the newest good bundle on it gets in, whatever else is on it, and nothing gets out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ota.carriers import usb
from ota.carriers.carry import Carry
from ota.carriers.usb import StickCarrier, open_inside, scan
from tests.ota.carriers.world import World, bundle_bytes


@pytest.fixture
def stick(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


def carry_of(world: World, stick: Path) -> Carry:
    return Carry(world.connect, [StickCarrier(stick, world.say)], world.clock, world.say)


def names(stick: Path) -> list[str]:
    return [found.name for found in scan(stick)]


def test_a_stick_is_plugged_in_and_its_bundle_confirmed(stick):
    world = World()
    carry = carry_of(world, stick)
    world.steps(carry, 5000)
    (stick / "new.bundle").write_bytes(bundle_bytes(5))
    world.steps(carry, 5000)
    assert world.pushed == [5]
    world.confirm()
    world.steps(carry, 20_000)
    assert world.release == 5 and world.pushed == [5]
    assert world.said[-1] == "stick: confirmed"


def test_the_highest_release_comes_first_and_the_lower_ones_not_at_all(stick):
    world = World()
    carry = carry_of(world, stick)
    for name, release in (("a", 3), ("m", 9), ("z", 6)):
        (stick / f"{name}.bin").write_bytes(bundle_bytes(release))
    world.steps(carry, 4000)
    world.confirm()
    world.steps(carry, 60_000)
    assert world.pushed == [9]
    assert not any("refuses" in line for line in world.said)


def test_a_refused_one_is_offered_once_and_the_next_best_is_taken(stick):
    world = World()
    carry = carry_of(world, stick)
    (stick / "stranger.bundle").write_bytes(bundle_bytes(9, signers=["bundle 9"]))
    (stick / "ours.bundle").write_bytes(bundle_bytes(6))
    world.steps(carry, 60_000)
    assert world.pushed == [6]
    refusals = [line for line in world.said if "refuses" in line]
    assert len(refusals) == 1 and "signature" in refusals[0]


def test_a_bundle_that_failed_its_trial_comes_again_only_with_the_stick(stick):
    world = World()
    carry = carry_of(world, stick)
    bundle = stick / "new.bundle"
    bundle.write_bytes(bundle_bytes(5))
    world.steps(carry, 4000)
    world.roll_back()
    world.steps(carry, 600_000)
    assert world.pushed == [5]
    assert "stick: agreement: sees nobody" in world.said
    data = bundle.read_bytes()
    bundle.unlink()
    world.steps(carry, 4000)
    bundle.write_bytes(data)
    world.steps(carry, 10_000)  # now the camera itself says why not
    assert world.pushed == [5]
    assert "refuses it: agreement" in world.said[-1]


def test_a_stick_pulled_in_the_middle_goes_on_when_it_is_back(stick, monkeypatch):
    world = World()
    carry = carry_of(world, stick)
    (stick / "new.bundle").write_bytes(bundle_bytes(5))
    read = usb.StickBundle.chunk

    def pulled(self, chunk):
        if chunk.index >= 2:
            raise OSError(5, "Input/output error")
        return read(self, chunk)

    monkeypatch.setattr(usb.StickBundle, "chunk", pulled)
    (hidden := stick.with_name("away")).mkdir()
    world.during = lambda count: count == 1 and (stick / "new.bundle").rename(hidden / "b")
    world.steps(carry, 10_000)
    assert world.pushed == [] and world.chunks == [1, 2]
    assert "Input/output error" in "".join(world.said)
    monkeypatch.setattr(usb.StickBundle, "chunk", read)
    world.during = lambda count: None
    (hidden / "b").rename(stick / "new.bundle")
    world.steps(carry, 10_000)
    assert world.pushed == [5]
    assert world.chunks[2] == 3, "it went on where it was"


def test_a_bundle_for_another_product_is_told_and_not_offered(stick):
    world = World()
    (stick / "x").write_bytes(bundle_bytes(5, product="kettle"))
    world.steps(carry_of(world, stick), 60_000)
    assert world.pushed == []
    assert sum("kettle" in line for line in world.said) == 1


@pytest.mark.parametrize("data", [b"", b"HAETAE\x1a", b"HAETAE\x1a\x01" + b"\xff" * 500])
def test_junk_is_passed_over_without_a_loop(stick, data):
    world = World()
    (stick / "junk.bundle").write_bytes(data)
    (stick / "photo.jpg").write_bytes(b"\xff\xd8" + bytes(1000))
    world.steps(carry_of(world, stick), 60_000)
    assert world.pushed == []
    assert len(world.said) <= 2


def test_a_cut_off_bundle_is_told_once(stick):
    world = World()
    (stick / "cut.bundle").write_bytes(bundle_bytes(5)[:-1])
    world.steps(carry_of(world, stick), 60_000)
    assert sum("truncated" in line for line in world.said) == 1


def test_no_link_leads_out_of_the_stick(stick, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "real.bundle").write_bytes(bundle_bytes(5))
    (stick / "file.bundle").symlink_to(outside / "real.bundle")
    (stick / "folder").symlink_to(outside)
    os.mkfifo(stick / "fifo.bundle")
    assert names(stick) == []
    with pytest.raises(OSError, match="symbolic"):
        open_inside(stick, "file.bundle")
    with pytest.raises(OSError):
        open_inside(stick, "folder/real.bundle")
    with pytest.raises(FileNotFoundError):
        open_inside(stick, "fifo.bundle")


def test_a_full_stick_is_looked_at_in_bounds(stick, monkeypatch):
    monkeypatch.setattr(usb, "MAX_NAMES", 30)
    monkeypatch.setattr(usb, "MAX_BUNDLES", 4)
    small = bundle_bytes(5)[:2000]
    for number in range(20):
        (stick / f"{number:02d}.bundle").write_bytes(small)
    assert len(scan(stick)) == 4
    monkeypatch.setattr(usb, "MAX_BUNDLES", 400)
    for number in range(40):
        (stick / f"x{number:02d}.bundle").write_bytes(small)
    assert len(scan(stick)) <= 30


def test_folders_are_followed_so_far(stick):
    deep = stick
    for number in range(usb.MAX_DEPTH + 1):
        deep = deep / f"d{number}"
        deep.mkdir()
    (deep.parent / "a.bundle").write_bytes(bundle_bytes(5)[:2000])
    (deep / "b.bundle").write_bytes(bundle_bytes(5)[:2000])
    assert names(stick) == ["d0/d1/d2/a.bundle"]


def test_a_spoilt_one_beside_good_ones_is_told_once(stick):
    world = World()
    (stick / "a.bundle").write_bytes(b"HAETAE\x1a\x01" + b"\xff" * 500)
    (stick / "b.bundle").write_bytes(bundle_bytes(5, signers=["bundle 9"]))
    (stick / "c.bundle").write_bytes(bundle_bytes(4))
    world.steps(carry_of(world, stick), 60_000)
    assert world.pushed == [4]
    assert sum("a.bundle" in line for line in world.said) == 1


def test_a_bundle_in_a_folder_is_found(stick):
    (stick / "updates" / "2026").mkdir(parents=True)
    (stick / "updates" / "2026" / "new.bundle").write_bytes(bundle_bytes(5))
    world = World()
    world.steps(carry_of(world, stick), 5000)
    assert world.pushed == [5]


def test_the_stick_is_only_read(stick):
    (stick / "new.bundle").write_bytes(bundle_bytes(5))
    stick.chmod(0o555)
    before = (stick / "new.bundle").stat()
    world = World()
    world.steps(carry_of(world, stick), 5000)
    after = (stick / "new.bundle").stat()
    stick.chmod(0o755)
    assert world.pushed == [5]
    assert (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    assert [path.name for path in stick.iterdir()] == ["new.bundle"]


def test_no_folder_is_no_stick(tmp_path):
    world = World()
    world.steps(carry_of(world, tmp_path / "nothing"), 5000)
    assert world.said == []


def test_what_is_known_of_spoilt_files_stays_small(stick):
    world = World()
    carrier = StickCarrier(stick, world.say)
    carry = Carry(world.connect, [carrier], world.clock, world.say)
    for number in range(50):
        (stick / "junk.bundle").write_bytes(b"HAETAE\x1a\x01" + b"\xff" * (500 + number))
        world.steps(carry, 3000)
    assert len(world.said) > 50
    assert len(carrier._spoilt) == 1


def test_a_stick_full_of_pictures_is_read_once(stick, monkeypatch):
    for number in range(50):
        (stick / f"{number}.jpg").write_bytes(b"\xff\xd8" + bytes(1000))
    opened: list[str] = []
    is_bundle = usb._is_bundle
    monkeypatch.setattr(
        usb, "_is_bundle", lambda at, name: opened.append(name) or is_bundle(at, name)
    )
    world = World()
    carry = carry_of(world, stick)
    world.steps(carry, 60_000)
    assert len(opened) == 50
    (stick / "7.jpg").write_bytes(bundle_bytes(5))
    world.steps(carry, 60_000)
    assert len(opened) > 50 and world.pushed == [5], "what has changed is looked at again"


def test_a_file_that_grows_shorter_is_no_refusal_of_the_camera(stick):
    world = World()
    bundle = stick / "new.bundle"
    bundle.write_bytes(bundle_bytes(5))
    world.during = lambda count: count == 1 and os.truncate(bundle, 100_000)
    carry = carry_of(world, stick)
    world.steps(carry, 3000)
    assert not any("refuses" in line for line in world.said)
    assert any("ends inside chunk" in line for line in world.said)
    world.during = lambda count: None
    bundle.write_bytes(bundle_bytes(5))
    world.steps(carry, 5000)
    assert world.pushed == [5]
