"""The technician's side: finds the camera, loses it, finds it again, and asks nothing twice."""

from __future__ import annotations

import pytest

from drivers.faults import LinkFault
from ota.bundle import BundleFile
from ota.link.client import LinkClient
from ota.link.frames import encode
from ota.link.lost import LinkLost
from ota.link.messages import TERMS, Kind, Terms
from ota.link.talk import HOLD_MS
from ota.refusal import Refused
from ota.service import Path, Rank
from tests.ota.link.bench import Setup
from tests.ota.link.camera import SEEDS, write_bundle

BYTES = 300_000


@pytest.fixture
def file(tmp_path):
    payload = write_bundle(tmp_path / "b", BYTES)
    return tmp_path / "b", payload


def push(setup: Setup, file, **more) -> list:
    seen: list = []
    with BundleFile(file[0]) as bundle:
        setup.client.push(bundle, progress=seen.append, **more)
    assert setup.camera.payload == file[1]
    return seen


def test_hello_tells_who_is_there():
    setup = Setup()
    welcome = setup.client.hello()
    assert (welcome["device"], welcome["path"], welcome["protocol"]) == ("cam-7", "cable", 1)


def test_nobody_there_is_told_with_advice():
    setup = Setup()
    setup.clock.camera = lambda now_ms: None
    with pytest.raises(LinkLost, match="check cable"):
        setup.client.hello(3000)
    assert setup.clock.now_ms() < 4000


def test_a_wrong_baud_rate_or_port_is_guessed_from_the_noise():
    setup = Setup()
    setup.clock.camera = lambda now_ms: setup.line.back.say(b"\x80\xfe\x11\0")
    with pytest.raises(LinkLost, match="baud"):
        setup.client.hello(1000)


def test_the_camera_is_found_among_kernel_messages():
    setup = Setup()
    setup.line.back.noise_share = 0.5

    def poll(now_ms: float) -> None:
        if now_ms % 50 == 0:
            setup.line.back.say(setup.line.back.printk())
        setup.server.poll(now_ms)

    setup.clock.camera = poll
    for _ in range(10):
        assert setup.client.ask("status") == {"text": "fine"}
    assert setup.client.talk.decoder.noise_bytes > 1000


def test_a_camera_that_is_starting_is_waited_for_and_its_boot_loader_left_alone():
    setup = Setup()
    countdown = b"\r\nU-Boot 2024.01\r\nHit any key to stop autoboot:  2 \b\b\b 1 \r\n"
    setup.clock.camera = lambda now_ms: None
    setup.clock.at.append((600.0, lambda: setup.line.back.say(countdown)))
    sent: list[int] = []
    for at_ms in (640.0, 600.0 + HOLD_MS - 100):
        setup.clock.at.append((at_ms, lambda: sent.append(setup.line.there.sent)))
    setup.clock.at.append((9000.0, lambda: setup.serve(Path.CABLE)))
    setup.client.hello(30_000)
    assert sent[0] == sent[1] > 0
    assert 9000 < setup.clock.now_ms() < 13_000


def test_answers_that_get_lost_are_asked_for_again_and_done_once():
    for seed in range(20):
        setup = Setup(key=SEEDS[Rank.TECHNICIAN])
        setup.line.there.chance.seed(seed)
        setup.line.back.chance.seed(seed + 99)
        setup.line.there.hit_share = setup.line.back.hit_share = 0.2
        assert setup.client.ask("rollback", timeout_ms=60_000) == {"text": "fine"}
        assert [command for command, _ in setup.camera.asked] == ["rollback"]


def test_long_questions_and_long_answers_cross_a_bad_line():
    setup = Setup(key=SEEDS[Rank.TECHNICIAN])
    setup.line.there.hit_share = setup.line.back.hit_share = 0.1
    setup.camera.answer = {"text": "y" * 50_000}
    assert setup.client.ask("site", {"text": "x" * 60_000}, 60_000) == setup.camera.answer
    assert [command for command, _ in setup.camera.asked] == ["site"]


def test_what_the_camera_refuses_is_raised_as_it_said():
    setup = Setup(Path.LAN)
    with pytest.raises(Refused, match="not_signed: status over lan"):
        setup.client.ask("status")
    signed = Setup(Path.LAN, key=SEEDS[Rank.VIEWER])
    assert signed.client.ask("status") == {"text": "fine"}
    with pytest.raises(Refused, match="not_permitted"):
        signed.client.ask("rollback")


def test_commands_can_be_signed_one_after_the_other_and_after_a_pause():
    setup = Setup(Path.LAN, key=SEEDS[Rank.VENDOR])
    for pause_ms in (0, 0, 25_000, 50_000, 100_000):
        setup.client.talk.rest(pause_ms)
        setup.client.ask("mute")
    assert len(setup.camera.asked) == 5


def test_a_challenge_that_grew_old_is_exchanged():
    setup = Setup(Path.LAN, key=SEEDS[Rank.VENDOR])
    setup.client.hello()
    setup.client.talk.rest(35_000)
    assert setup.client.ask("mute") == {"text": "fine"}


def test_a_reason_of_a_newer_camera_is_told():
    setup = Setup()
    heard = []

    def newer(now_ms: float) -> None:
        for kind, sequence, *_ in setup.server.decoder.feed(setup.line.camera.read(9000), now_ms):
            heard.append(kind)
            setup.line.camera.write(encode([Kind.REFUSED, sequence, "moonlight", "it is full"]))

    setup.clock.camera = newer
    with pytest.raises(Refused, match="unavailable: moonlight: it is full"):
        setup.client.hello()


def test_another_protocol_is_told(monkeypatch):
    setup = Setup()
    monkeypatch.setattr("ota.link.server.PROTOCOL", 2)
    with pytest.raises(LinkLost, match="protocol 2, this program 1; use another version"):
        setup.client.hello()


def test_a_camera_that_started_anew_is_greeted_again_and_asked_again():
    setup = Setup()
    setup.client.ask("status")
    setup.serve(Path.CABLE)
    assert setup.client.ask("status") == {"text": "fine"}


def test_nobody_is_asked_twice_for_what_may_be_done_already():
    setup = Setup(key=SEEDS[Rank.TECHNICIAN])
    setup.client.ask("status")
    began = len(setup.camera.asked)

    def dies_after_doing(now_ms: float) -> None:
        setup.server.poll(now_ms)
        if len(setup.camera.asked) > began:
            setup.line.back.cut(True)
            setup.clock.at.append((now_ms + 2000, lambda: setup.line.back.cut(False)))
            setup.serve(Path.CABLE)

    setup.clock.camera = dies_after_doing
    with pytest.raises(LinkLost, match="nobody can tell whether rollback was done"):
        setup.client.ask("rollback")
    assert len(setup.camera.asked) == began + 1


def test_a_push_tells_how_far_it_is_how_fast_and_how_long_it_will_take(file):
    seen = push(Setup(), file)
    assert seen[-1].done == seen[-1].total == BYTES
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    middle = seen[len(seen) // 2]
    assert 80_000 < middle.bytes_per_s < 92_160
    assert middle.left_ms == pytest.approx((BYTES - middle.done) / middle.bytes_per_s * 1e3)


def test_a_push_that_is_there_already_sends_nothing(file):
    setup = Setup()
    push(setup, file)
    before = setup.line.there.sent
    assert push(setup, file)[-1].done == BYTES
    assert setup.line.there.sent - before < 4000


def test_ctrl_c_leaves_what_is_there_and_the_next_push_goes_on(file):
    setup = Setup()

    def stop(progress) -> None:
        if progress.done > BYTES / 2:
            raise KeyboardInterrupt

    with BundleFile(file[0]) as bundle, pytest.raises(KeyboardInterrupt):
        setup.client.push(bundle, progress=stop)
    before = setup.line.there.sent
    setup.client = LinkClient(setup.line.plug(), setup.clock)
    seen = push(setup, file)
    assert seen[0].done > BYTES / 3
    assert setup.line.there.sent - before < BYTES * 0.6


def test_frames_get_shorter_on_a_bad_line(file):
    """One byte of 3000 is hit: of frames of 4 KiB a quarter would arrive."""
    setup = Setup()
    setup.line.there.byte_hit_share = setup.line.back.byte_hit_share = 1 / 3000
    push(setup, file)
    assert setup.client.exchange.terms.frame_bytes < TERMS.frame_bytes / 2
    assert setup.line.there.sent < 2.5 * BYTES


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_a_push_crosses_a_line_full_of_kernel_messages(file, noise):
    setup = Setup()
    setup.line.there.noise_share = setup.line.back.noise_share = noise
    push(setup, file)
    assert setup.clock.now_ms() < 20_000


def test_a_push_survives_a_camera_that_starts_anew(file):
    setup = Setup()
    setup.clock.at.append((1500.0, lambda: setup.serve(Path.CABLE)))
    push(setup, file)
    assert [command for command, _ in setup.camera.asked].count("offer") == 2


def test_a_push_waits_for_a_plug_that_is_out_for_long(file):
    setup = Setup()
    is_out = []

    def plug():
        if is_out:
            raise LinkFault("missing", "/dev/ttyUSB0: no adapter")
        return setup.line.plug()

    setup.client.reconnect = plug
    setup.clock.at.append((1000.0, lambda: (setup.line.pull(), is_out.append(1))))
    setup.clock.at.append((61_000.0, is_out.clear))
    seen = push(setup, file)
    assert any(progress.is_lost for progress in seen)
    assert setup.clock.now_ms() < 75_000


def test_a_silent_cable_is_waited_for_and_found_again(file):
    setup = Setup()
    for wire in (setup.line.there, setup.line.back):
        setup.clock.at.append((1000.0, lambda wire=wire: wire.cut(True)))
        setup.clock.at.append((41_000.0, lambda wire=wire: wire.cut(False)))
    push(setup, file)
    assert setup.clock.now_ms() < 55_000


def test_a_push_gives_up_and_says_what_to_do(file):
    setup = Setup()
    setup.clock.at.append((1000.0, lambda: setattr(setup.clock, "camera", lambda now_ms: None)))
    with BundleFile(file[0]) as bundle, pytest.raises(LinkLost, match="push again: it goes on"):
        setup.client.push(bundle)
    assert setup.clock.now_ms() < 700_000
    setup.client.reconnect = None
    with BundleFile(file[0]) as bundle, pytest.raises(LinkLost):
        setup.client.push(bundle)


def test_chunks_that_are_spoiled_once_are_sent_again_and_those_that_always_are_end_it(file):
    setup = Setup()
    setup.camera.spoil_chunks = 3
    push(setup, file)
    hopeless = Setup()
    hopeless.camera.spoil_chunks = 1 << 30
    with BundleFile(file[0]) as bundle, pytest.raises(Refused, match="chunk: planted"):
        hopeless.client.push(bundle)


@pytest.mark.parametrize("terms", [Terms(512, 1), Terms(1024, 16), Terms(1 << 20, 99), TERMS])
def test_a_push_works_on_any_terms(file, terms):
    setup = Setup(terms=terms)
    push(setup, file)


def test_a_push_over_the_lan_is_signed_once(file):
    setup = Setup(Path.LAN, key=SEEDS[Rank.TECHNICIAN])
    push(setup, file)
    assert {by.rank for _, by in setup.camera.asked} == {Rank.TECHNICIAN}
    nobody = Setup(Path.LAN)
    with BundleFile(file[0]) as bundle, pytest.raises(Refused, match="not_signed"):
        nobody.client.push(bundle)


@pytest.mark.parametrize("baud", [9600, 115_200, 1_500_000])
def test_a_push_at_another_speed(tmp_path, baud):
    payload = write_bundle(tmp_path / "s", 40_000)
    setup = Setup(baud=baud)
    push(setup, (tmp_path / "s", payload))
    assert setup.line.there.sent < 1.1 * 40_000 + 3000
