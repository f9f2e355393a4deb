"""`haetae ota channel` as a vendor types it: a release from 1 % to all, and a halt."""

from __future__ import annotations

import json

import pytest

from ota import key_files
from ota.carriers.channel import Seen, check
from ota.carriers.channel_cli import HALT, channel
from ota.carriers.rollout import stage_of
from ota.key_files import make_key
from ota.key_ring import Body, Key, body_bytes, ring_bytes, trust_first
from ota.keys import DOMAIN_RING, sign
from ota.run_cli import ARGUMENTS, OK, REFUSED
from tests.ota import vendor
from tests.ota.bundles import fake_files, signed, write

NOTHING = Seen()
KEY = ("--key", "channel-1.key", "--passphrase-file", "phrase")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk with a channel key, a ring that names it, and bundle 13."""
    monkeypatch.setattr(key_files, "COSTS", dict.fromkeys(key_files.KINDS, (1, 8192)))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "phrase").write_text("correct horse\n")
    public = make_key(tmp_path / "channel-1.key", "channel", "channel-1", b"correct horse")
    roots = [vendor.key(name) for name in vendor.ROOTS]
    keys = [Key(public=public, name="channel-1")]
    body = body_bytes(
        Body(
            version=1, product=vendor.PRODUCT, threshold=2, roots=roots, bundle_threshold=1,
            bundle_keys=[vendor.key("bundle 1")], channel_keys=keys,
        )
    )  # fmt: skip
    signatures = [sign(vendor.seed(name), DOMAIN_RING, body) for name in vendor.ROOTS[:2]]
    (tmp_path / "ring-1.ring").write_bytes(ring_bytes(body, signatures))
    write(tmp_path / "ppe-13.bundle", signed(fake_files(), release=13, version="2026.13"))
    return tmp_path


def run(*words: str) -> int:
    return channel(list(words))


def published(desk, seen: Seen = NOTHING):
    ring = trust_first((desk / "ring-1.ring").read_bytes())
    return check((desk / "haetae.channel").read_bytes(), ring, seen)


def begin() -> None:
    words = ("--product", vendor.PRODUCT, "--ring", "ring-1.ring", "--poll-min", "30")
    assert run("new", "haetae.channel", *words) == OK
    assert run("add", "haetae.channel", "ppe-13.bundle", *KEY) == OK


def test_a_release_from_its_first_stage_to_all(desk, capsys):
    begin()
    first = published(desk)
    [release] = first.channel.releases
    assert (release.release, release.url, release.share) == (13, "ppe-13.bundle", 0.01)
    assert release.bytes == (desk / "ppe-13.bundle").stat().st_size
    assert first.channel.poll_s == 1800
    told = ("--confirmed", "981", "--failed", "4", "--held-h", "24")
    assert run("widen", "haetae.channel", "13", *told, *KEY) == OK
    second = published(desk, first.seen)
    assert second.channel.releases[0].share == 0.1
    assert run("widen", "haetae.channel", "13", "--force", *KEY) == OK
    assert published(desk, second.seen).channel.releases[0].share == 1.0
    assert run("widen", "haetae.channel", "13", "--force", *KEY) == ARGUMENTS
    assert "last stage" in capsys.readouterr().err


def test_a_halt_is_one_command(desk, capsys):
    begin()
    seen = published(desk).seen
    assert run("halt", "haetae.channel", "13", "--why", "blind at dusk", *KEY) == OK
    assert published(desk, seen).channel.releases[0].share == 0.0
    assert run("widen", "haetae.channel", "13", "--force", *KEY) == ARGUMENTS
    capsys.readouterr()
    assert run("show", "haetae.channel", "--ring", "ring-1.ring") == OK
    assert "HALTED: blind at dusk" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("told", "code", "text"),
    [
        (("--confirmed", "50", "--held-h", "48"), REFUSED, "wait for 100 reports"),
        (("--confirmed", "500", "--held-h", "3"), REFUSED, "24 h"),
        (("--confirmed", "90", "--failed", "10", "--held-h", "48"), HALT, "halt release 13"),
        (("--confirmed", "90", "--overdue", "10", "--held-h", "1"), HALT, "halt release 13"),
    ],
)
def test_it_is_not_widened_before_cameras_have_told(desk, capsys, told, code, text):
    begin()
    before = (desk / "haetae.channel").read_bytes()
    assert run("widen", "haetae.channel", "13", *told, *KEY) == code
    assert text in capsys.readouterr().err
    assert (desk / "haetae.channel").read_bytes() == before


def test_a_change_takes_the_signature_off(desk, capsys):
    begin()
    assert run("halt", "haetae.channel", "13") == OK
    assert "not signed yet" in capsys.readouterr().out
    assert run("show", "haetae.channel", "--ring", "ring-1.ring") == REFUSED
    assert run("sign", "haetae.channel", *KEY) == OK
    assert run("show", "haetae.channel", "--ring", "ring-1.ring") == OK


def test_show_says_whether_a_camera_may_take_it(desk, capsys):
    begin()
    first = next(f"cam-{n}" for n in range(1000) if stage_of(f"cam-{n}", 13) < 0.01)
    later = next(f"cam-{n}" for n in range(1000) if stage_of(f"cam-{n}", 13) > 0.01)
    capsys.readouterr()
    for device, may in ((first, True), (later, False)):
        assert run("show", "haetae.channel", "--device", device, "--json") == OK
        told = json.loads(capsys.readouterr().out)
        assert told["releases"][0]["device"]["may_take"] is may


@pytest.mark.parametrize(
    "words",
    [
        ("add", "haetae.channel", "ppe-13.bundle"),  # it is there already
        ("halt", "haetae.channel", "14"),
        ("show", "nothing.channel"),
        ("new", "haetae.channel", "--product", "x"),  # never overwritten
        ("sign", "haetae.channel"),
        ("add", "haetae.channel", "ppe-13.bundle", "--stages", "x"),
    ],
)
def test_wrong_arguments(desk, words):
    begin()
    assert run(*words) == ARGUMENTS


@pytest.mark.parametrize("rings", [("--ring", "ring-1.ring"), ()])
def test_a_bundle_that_no_camera_would_take_is_not_added(desk, capsys, rings):
    signers = ["bundle 9"] if rings else []
    write(desk / "ppe-14.bundle", signed(fake_files(), release=14, signers=signers))
    assert run("new", "x.channel", "--product", vendor.PRODUCT, *rings) == OK
    assert run("add", "x.channel", "ppe-14.bundle") == REFUSED
    assert "signature" in capsys.readouterr().err
    assert run("add", "x.channel", "ppe-13.bundle") == OK


def test_a_key_of_another_kind_does_not_sign(desk, capsys):
    begin()
    make_key(desk / "kim.key", "operator", "kim", b"correct horse")
    words = ("--key", "kim.key", "--passphrase-file", "phrase")
    assert run("sign", "haetae.channel", *words) == ARGUMENTS
    assert "no channel key" in capsys.readouterr().err
