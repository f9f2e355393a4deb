"""The board that HAETAE_BOARD names has what its file says; without one: the simulator.

On a bench, with the runtime stopped: `HAETAE_BOARD=/etc/haetae/board.toml pytest tests/board`.
"""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from drivers.board import Board, load_board
from drivers.clock import MonotonicClock
from drivers.interfaces import Frame
from runtime import plugins
from runtime.live_check import live_check
from tests.board import support
from tests.places import REPOSITORY

PICTURES = 10
NEEDS = {
    "camera": ("camera",),
    "output": ("line", "port"),
    "input": ("line",),
    "watchdog": ("watchdog",),
    "thermal": ("thermal",),
    "storage": ("storage",),
}
"""Feature -> with what the lines of `haetae check --live` begin that are about it."""


@pytest.fixture
def board(tmp_path, monkeypatch) -> Board:
    (tmp_path / "build").mkdir()  # the simulator's flash is below the current folder
    monkeypatch.chdir(tmp_path)
    return load_board(support.board_file())


@pytest.mark.parametrize(
    "feature", [pytest.param(name, marks=pytest.mark.board(name)) for name in NEEDS]
)
def test_what_it_supports_is_there(board, feature):
    begins = tuple(f"{word}{end}" for word in NEEDS[feature] for end in " :")
    found = [each for each in live_check(board) if each.what.startswith(begins)]
    assert found or not _has_devices(board, feature)
    assert [f"{what}: {problem}" for what, problem in found if problem] == []


def _has_devices(board: Board, feature: str) -> bool:
    """The simulator's outputs and watchdog are code: there is nothing to look at."""
    drivers = {
        "output": {each.driver for each in board.outputs},
        "watchdog": {board.watchdog.driver},
    }
    return bool(drivers.get(feature, {"kernel"}) - {"recorded", "sim", "systemd"})


@pytest.mark.board("camera")
def test_the_camera_gives_new_pictures(board):
    config, clock = board.camera, MonotonicClock()
    make = plugins.driver("camera", config.driver)
    camera = make(config, config.source, clock)
    camera.open()
    try:
        seen = _pictures(camera, clock)
    finally:
        camera.close()
    assert len(set(seen)) == PICTURES, "the same picture twice"


def _pictures(camera: Any, clock: MonotonicClock) -> list[int]:
    frame = Frame(camera.width_px, camera.height_px)
    ids: list[int] = []
    end_ms = clock.now_ms() + 1000 + 10 * PICTURES * 1000 / camera.fps
    while len(ids) < PICTURES and clock.now_ms() < end_ms:
        if camera.grab(frame, clock.now_ms()):
            ids.append(frame.frame_id)
    return ids


CASES = """
    import pytest

    @pytest.mark.board("camera")
    def test_sees(): pass

    @pytest.mark.board("camera", "thermal")
    def test_is_warm(): pass

    @pytest.mark.board("sonar")
    def test_pings(): pass

    def test_thinks(): pass
"""
OUTCOMES = {
    "sim": {"passed": 2, "skipped": 1, "errors": 1},
    "radxa-rock-5b": {"passed": 3, "errors": 1},
    "qemu-virt-arm64": {"passed": 2, "skipped": 1, "errors": 1},
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_tests_are_filtered_by_what_a_board_supports(pytester, monkeypatch, name):
    monkeypatch.setenv(support.NAMED, name)
    pytester.makeconftest("from tests.board.support import pytest_runtest_setup")
    pytester.makeini("[pytest]\nmarkers = board(feature): what is needed")
    pytester.makepyfile(CASES)
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(**OUTCOMES[name])


def test_every_board_supports_what_there_is():
    for path in (REPOSITORY / "board_configs").glob("*.toml"):
        assert set(load_board(path).supported) <= set(support.FEATURES)
        assert tomllib.loads(path.read_text())["supported"], path
