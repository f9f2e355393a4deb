"""The board files of real hardware are short, honest, and fail safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.board import load_board
from tests.places import REPOSITORY

MADE_OF_CODE = {"sim", "updates_demo"}
REAL = sorted(
    path for path in (REPOSITORY / "board_configs").glob("*.toml") if path.stem not in MADE_OF_CODE
)
EXPECTED = {
    *("radxa-rock-5b", "orangepi-5", "radxa-rock-3a", "nxp-imx8mp-evk", "google-coral-dev"),
    *("raspberrypi-5", "qemu-virt-arm64"),
}
MAX_LINES = 40


def test_the_boards_are_there():
    assert {path.stem for path in REAL} >= EXPECTED


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
class TestBoard:
    def test_it_is_short_and_bears_its_name(self, path: Path):
        assert len(path.read_text().splitlines()) < MAX_LINES
        assert load_board(path).name == path.stem

    def test_nothing_of_it_is_made_of_code(self, path: Path):
        board = load_board(path)
        drivers = {board.camera.driver, board.watchdog.driver, *(o.driver for o in board.outputs)}
        assert not drivers & {"sim", "recorded", "synthetic"}

    def test_it_fails_safe(self, path: Path):
        board = load_board(path)
        assert board.dead_man is not None and board.dead_man.driver == "process"
        assert {output.on_release for output in board.outputs} == {"off"}

    def test_what_it_does_not_claim_it_says(self, path: Path):
        """Nobody has tried these boards: a file that claims more has to say when and how."""
        board = load_board(path)
        text = path.read_text()
        assert board.verified or "was tried on the board itself" in text or "not yet" in text
