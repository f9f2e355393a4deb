"""The virtual board's devices, each through the interface that the firmware uses."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.board import load_board
from drivers.faults import CameraFault, NpuFault, OutputFault, WatchdogFault
from drivers.interfaces import Camera, Frame, Output, Watchdog
from drivers.npu.tensors import DescribedSession
from sim.board.board import VirtualBoard
from sim.board.clock import BoardReset, SimClock
from sim.board.npu import SimNpu
from tests.places import REPOSITORY

BOARD = load_board(REPOSITORY / "board_configs/sim.toml")
PERIOD_MS = 100.0


class Scene:
    """Every picture is of one colour: its number."""

    def render(self, t_ms, pixels):
        pixels[:] = 20 + int(t_ms / PERIOD_MS) % 200


@pytest.fixture
def board():
    made = VirtualBoard(BOARD, SimClock(), Scene(), lambda t_ms: None, seed=1)
    made.switch_on()
    return made


def camera_of(board):
    camera = board.find_driver("camera", "synthetic")(BOARD.camera, "", board.clock)
    camera.open()
    return camera


def grabs(camera, *times):
    """(time, frame id, colour) of each picture that comes at these times."""
    frame, got = Frame(640, 360), []
    for now_ms in times:
        if camera.grab(frame, now_ms):
            got.append((frame.t_ms, frame.frame_id, int(frame.pixels[0, 0, 0])))
    return got


class TestCamera:
    def test_is_a_camera(self, board):
        assert isinstance(camera_of(board), Camera)

    def test_shows_the_world_as_it_is_now_whenever_it_is_opened(self, board):
        assert grabs(camera_of(board), 0, 50, 100) == [(0, 0, 20), (100, 1, 21)]
        assert grabs(camera_of(board), 5030, 5100) == [(5000, 0, 70), (5100, 1, 71)]

    def test_a_gap_in_the_numbers_is_a_picture_that_was_missed(self, board):
        assert [number for _, number, _ in grabs(camera_of(board), 0, 300, 400)] == [0, 3, 4]

    def test_opening_again_goes_on_without_a_gap(self, board):
        camera = camera_of(board)
        grabs(camera, 0, 100)
        camera.close()
        camera.open()
        assert [number for _, number, _ in grabs(camera, 900)] == [2]

    def test_rehearsal_leaves_no_trace(self, board):
        camera = camera_of(board)
        camera.rehearse(Frame(640, 360))
        assert grabs(camera, 0) == [(0, 0, 20)]

    def test_unplugged_it_fails_and_cannot_be_opened(self, board):
        camera = camera_of(board)
        board.break_("camera", "unplugged", {})
        with pytest.raises(CameraFault, match="read_failed"):
            grabs(camera, 0)
        with pytest.raises(CameraFault, match="missing"):
            camera.open()
        board.mend("camera", "unplugged")
        camera.open()
        assert len(grabs(camera, 0)) == 1

    def test_silent_it_gives_nothing(self, board):
        camera = camera_of(board)
        board.break_("camera", "silent", {})
        assert grabs(camera, 0, 100, 200) == []

    def test_frozen_it_gives_new_numbers_and_the_last_good_picture(self, board):
        camera = camera_of(board)
        grabs(camera, 0)
        board.break_("camera", "frozen", {})
        assert grabs(camera, 100, 200) == [(100, 1, 20), (200, 2, 20)]

    def test_covered_it_is_dark_and_not_frozen(self, board):
        camera, frame = camera_of(board), Frame(640, 360)
        board.break_("camera", "covered", {})
        pictures = []
        for now_ms in (0, 100, 200):
            camera.grab(frame, now_ms)
            pictures.append(frame.pixels.copy())
        assert max(picture.max() for picture in pictures) < BOARD.camera.dark_level
        assert (pictures[0] != pictures[1]).any() and (pictures[1] != pictures[2]).any()

    def test_garbage_is_noise_over_the_whole_range_and_repeatable(self, board):
        board.break_("camera", "garbage", {})
        camera, other = camera_of(board), camera_of(board)
        one, two = Frame(640, 360), Frame(640, 360)
        camera.grab(one, 0)
        other.grab(two, 0)
        assert one.pixels.min() == 0 and one.pixels.max() == 255
        assert (one.pixels == two.pixels).all()

    @pytest.mark.parametrize("percent", [30, 70, 100])
    def test_hidden_from_the_left_it_shows_the_rest(self, board, percent):
        camera, frame = camera_of(board), Frame(640, 360)
        camera.grab(frame, 0)
        before = frame.pixels.copy()
        board.break_("camera", "hidden", {"percent": percent, "level": 200})
        camera.grab(frame, 100)
        hidden = round(6.4 * percent) - 30
        assert abs(int(frame.pixels[:, :hidden].mean()) - 203) <= 2
        assert frame.pixels[:, :hidden].max() - frame.pixels[:, :hidden].min() < 12
        if percent < 100:
            rest = frame.pixels[:, hidden + 60 :].astype(int) - before[:, hidden + 60 :]
            assert abs(rest).max() < 20

    def test_dim_it_has_so_much_less_light(self, board):
        camera, frame = camera_of(board), Frame(640, 360)
        camera.grab(frame, 0)
        before = frame.pixels.mean()
        board.break_("camera", "dim", {"percent": 10})
        camera.grab(frame, 100)
        assert frame.pixels.mean() == pytest.approx(0.1 * before + 3.5, abs=1.0)

    def test_a_still_is_the_last_good_picture(self, board):
        camera = camera_of(board)
        grabs(camera, 0)
        board.break_("camera", "still", {})
        assert grabs(camera, 100, 200) == [(100, 1, 20), (200, 2, 20)]


class FakeNpu:
    """A network that counts its runs."""

    target = "tflite"

    def __init__(self):
        self.runs = 0
        self.inputs = self.outputs = (np.zeros((1, 4), np.uint8),)
        self.input_details = self.output_details = ()

    def load(self, path):
        return self

    def invoke(self):
        self.runs += 1

    def close(self):
        pass


def session_of(board, deadline_ms=0):
    fake = FakeNpu()
    npu = SimNpu(fake, board.clock, board.faults, deadline_ms)
    return fake, npu.load("model")


class TestNpu:
    def test_without_a_fault_every_call_runs_the_network_and_takes_no_time(self, board):
        fake, session = session_of(board)
        for _ in range(3):
            session.invoke()
        assert (fake.runs, board.clock.now_ms()) == (3, 0.0)
        assert isinstance(session, DescribedSession)

    def test_an_error_is_raised_and_nothing_runs(self, board):
        fake, session = session_of(board)
        board.break_("npu", "error", {})
        with pytest.raises(NpuFault, match="invoke_failed"):
            session.invoke()
        assert fake.runs == 0

    def test_stale_it_returns_without_having_run(self, board):
        fake, session = session_of(board)
        board.break_("npu", "stale", {})
        session.invoke()
        assert fake.runs == 0

    def test_memory_refused_is_a_memory_error(self, board):
        _, session = session_of(board)
        board.break_("memory", "refused", {})
        with pytest.raises(MemoryError):
            session.invoke()

    def test_slow_it_takes_its_time(self, board):
        fake, session = session_of(board)
        board.break_("npu", "slow", {"ms": 96})
        session.invoke()
        assert (fake.runs, board.clock.now_ms()) == (1, 96.0)

    def test_slower_than_its_deadline_it_is_given_up_there(self, board):
        fake, session = session_of(board, deadline_ms=50)
        board.break_("npu", "slow", {"ms": 96})
        with pytest.raises(NpuFault, match="hung"):
            session.invoke()
        assert (fake.runs, board.clock.now_ms()) == (0, 50.0)

    def test_a_hang_with_a_deadline_fails_there_then_at_once_until_it_is_over(self, board):
        fake, session = session_of(board, deadline_ms=200)
        board.clock.at(1000, lambda: board.mend("npu", "hang"))
        board.break_("npu", "hang", {})
        with pytest.raises(NpuFault, match="no answer within 200 ms"):
            session.invoke()
        assert board.clock.now_ms() == 200
        board.clock.sleep_until_ms(300)
        with pytest.raises(NpuFault, match="no answer for 300 ms"):
            session.invoke()
        assert board.clock.now_ms() == 300, "at once"
        board.clock.sleep_until_ms(1000)
        session.invoke()
        assert fake.runs == 1

    def test_a_hang_shorter_than_the_deadline_is_only_slow(self, board):
        fake, session = session_of(board, deadline_ms=200)
        board.clock.at(150, lambda: board.mend("npu", "hang"))
        board.break_("npu", "hang", {})
        session.invoke()
        assert (fake.runs, board.clock.now_ms()) == (1, 200.0)

    def test_a_hang_without_a_deadline_lasts_until_it_is_over(self, board):
        fake, session = session_of(board)
        board.clock.at(1500, lambda: board.mend("npu", "hang"))
        board.break_("npu", "hang", {})
        session.invoke()
        assert (fake.runs, board.clock.now_ms()) == (1, 1500.0)


def outputs_of(board):
    return {
        config.name: board.find_driver("output", "recorded")(config, board.clock)
        for config in BOARD.outputs
    }


def edges(board):
    return [(e.t_ms, e.name, e.level, e.by_reset) for e in board.lines.edges]


class TestLines:
    def test_an_output_is_an_output(self, board):
        assert isinstance(outputs_of(board)["siren"], Output)

    def test_only_changes_are_edges(self, board):
        siren = outputs_of(board)["siren"]
        for now_ms, level in ((1, False), (2, True), (3, True), (4, False)):
            siren.set(level, now_ms)
        assert edges(board) == [(2, "siren", True, False), (4, "siren", False, False)]

    def test_a_refusal_names_the_output_and_leaves_the_line(self, board):
        outputs = outputs_of(board)
        board.break_("siren", "refused", {})
        with pytest.raises(OutputFault, match="siren"):
            outputs["siren"].set(True, 1)
        outputs["strobe"].set(True, 1)
        assert edges(board) == [(1, "strobe", True, False)]

    def test_at_a_reset_lines_fall_and_a_dying_process_moves_nothing(self, board):
        outputs = outputs_of(board)
        outputs["siren"].set(True, 5)
        outputs["fault_relay"].set(True, 5)
        board.clock.sleep_until_ms(10)
        with pytest.raises(BoardReset):
            board.break_("power", "cut", {})
        outputs["siren"].set(True, 11)
        outputs["strobe"].set(True, 11)
        outputs["fault_relay"].release(11)
        assert edges(board)[2:] == [
            (10, "siren", False, True),
            (10, "fault_relay", False, True),
        ]

    def test_the_next_boot_drives_the_same_lines(self, board):
        outputs_of(board)["siren"].set(True, 5)
        with pytest.raises(BoardReset):
            board.break_("power", "kill", {})
        board.switch_on()
        outputs_of(board)["siren"].set(True, 9)
        assert [edge[:3] for edge in edges(board)] == [
            (5, "siren", True),
            (0, "siren", False),
            (9, "siren", True),
        ]


def dog_of(board):
    return board.find_driver("watchdog", "sim")(BOARD.watchdog, board.clock)


def feed_until(board, dog, end_ms):
    while board.clock.now_ms() < end_ms:
        dog.feed(board.clock.now_ms())
        board.clock.sleep_until_ms(board.clock.now_ms() + 100)


class TestWatchdog:
    timeout_ms = BOARD.watchdog.timeout_ms

    def test_is_a_watchdog(self, board):
        assert isinstance(dog_of(board), Watchdog)

    def test_fed_in_time_it_never_bites(self, board):
        feed_until(board, dog_of(board), 60_000)

    def test_never_fed_it_never_bites(self, board):
        dog_of(board)
        board.clock.sleep_until_ms(60_000)

    def test_not_fed_it_bites_at_its_timeout(self, board):
        dog = dog_of(board)
        feed_until(board, dog, 3000)
        with pytest.raises(BoardReset) as bite:
            board.clock.sleep_until_ms(60_000)
        assert bite.value.cause == "watchdog"
        assert board.clock.now_ms() == pytest.approx(2900 + self.timeout_ms, abs=1)
        assert not board.is_running

    def test_fed_at_the_very_deadline_it_does_not_bite(self, board):
        dog = dog_of(board)
        for _ in range(3):
            dog.feed(board.clock.now_ms())
            board.clock.sleep_until_ms(board.clock.now_ms() + self.timeout_ms)

    def test_disarmed_it_does_not_bite(self, board):
        dog = dog_of(board)
        dog.feed(0)
        dog.disarm()
        board.clock.sleep_until_ms(60_000)

    def test_it_bites_a_network_that_hangs(self, board):
        dog = dog_of(board)
        dog.feed(0)
        _, session = session_of(board)
        board.break_("npu", "hang", {})
        with pytest.raises(BoardReset, match="watchdog"):
            session.invoke()

    def test_that_refuses_its_feed_says_so_and_goes_hungry(self, board):
        dog = dog_of(board)
        dog.feed(0)
        board.break_("watchdog", "refused", {})
        with pytest.raises(WatchdogFault):
            dog.feed(1000)
        with pytest.raises(BoardReset):
            board.clock.sleep_until_ms(60_000)
        assert board.clock.now_ms() == pytest.approx(self.timeout_ms, abs=1)

    def test_the_dog_of_an_earlier_boot_is_dead(self, board):
        dog = dog_of(board)
        dog.feed(0)
        with pytest.raises(BoardReset):
            board.break_("power", "kill", {})
        board.switch_on()
        board.clock.sleep_until_ms(60_000)
        assert board.is_running


class TestPower:
    def unsynced(self, board):
        storage = board.find_driver("storage", "file")(None, 0, 0)
        storage.write_at(0, b"a" * 4096)
        storage.sync()
        storage.write_at(4096, b"b" * 4096)

    def test_a_killed_process_leaves_what_was_synced_and_nothing_torn(self, board):
        self.unsynced(board)
        with pytest.raises(BoardReset, match="killed"):
            board.break_("power", "kill", {})
        assert board.flash.visible[:8192] == b"a" * 4096 + bytes(4096)

    def test_a_power_cut_keeps_what_was_synced(self, board):
        self.unsynced(board)
        with pytest.raises(BoardReset, match="power_cut"):
            board.break_("power", "cut", {})
        assert board.flash.visible[:4096] == b"a" * 4096
        assert set(board.flash.visible[4096:8192]) <= {0, ord("b")}

    def test_a_board_that_is_off_is_not_reset_again(self, board):
        with pytest.raises(BoardReset):
            board.break_("power", "cut", {})
        board.break_("power", "cut", {})
        board.break_("power", "kill", {})
        assert board.boots == 1
