"""The board files of real hardware are short, honest, and fail safe."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from drivers.board import Board, load_board
from drivers.npu.rockchip import CORES
from runtime.board_check import check_board
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
OTHER_LINE = re.compile(r"^# (?P<line>(?P<key>[a-z]+) = \{.*\})$", re.MULTILINE)
"""A line in a comment that may be put in the place of the one with its key."""


def entry_points() -> dict[str, list[str]]:
    """Names of our drivers by kind."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    found: dict[str, list[str]] = {}
    for point in project["entry-points"]["haetae.drivers"]:
        kind, _, name = point.partition(".")
        found.setdefault(kind, []).append(name)
    return found


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

    def test_it_states_its_levels(self, path: Path):
        """Not by leaving them out: whoever ports a board has to measure them."""
        for output in tomllib.loads(path.read_text())["outputs"]:
            assert {"on_boot", "on_release"} <= set(output)

    def test_its_camera_and_chips_keep_their_names(self, path: Path):
        """/dev/video0 and gpiochip4 belong to whoever comes first; QEMU has one of each."""
        board = load_board(path)
        if path.stem != "qemu-virt-arm64":
            assert board.camera.source.startswith("/dev/v4l/by-path/")
            assert not any(output.chip.startswith("/dev/") for output in board.outputs)

    def test_it_passes_the_board_check(self, path: Path):
        names = entry_points().get
        assert check_board(path, lambda kind: names(kind, [])).name == path.stem

    def test_what_it_does_not_claim_it_says(self, path: Path):
        """Nobody has tried these boards: a file that claims more has to say when and how."""
        board = load_board(path)
        text = path.read_text()
        assert board.verified or "was tried on the board itself" in text or "not yet" in text


def with_other_lines(path: Path, tmp_path: Path) -> Board:
    """The file as its comments say that it may be."""
    text = path.read_text()
    for other in OTHER_LINE.finditer(text):
        text, count = re.subn(rf"^{other['key']} = .*$", other["line"], text, flags=re.MULTILINE)
        assert count == 1, other["key"]
    file = tmp_path / path.name
    file.write_text(text)
    return load_board(file)


@pytest.mark.parametrize("name", ["radxa-rock-5b", "orangepi-5", "radxa-rock-3a"])
def test_a_rockchip_board_names_its_npu(name: str, tmp_path: Path):
    """In comments: the packages that come with the runtime hold no .rknn files."""
    path = REPOSITORY / "board_configs" / f"{name}.toml"
    plain, board = load_board(path), with_other_lines(path, tmp_path)
    assert (plain.npu.driver, board.npu.driver) == ("tflite", "rknn")
    assert plain.soc.startswith(board.npu.target) and board.npu.target in CORES
    assert board.npu.rknn_runtimes and board.npu.rknn_drivers
    assert board.thermal and board.thermal.governor == "performance" and board.thermal.least_mhz


@pytest.mark.parametrize(
    ("name", "library"), [("nxp-imx8mp-evk", "libvx_delegate"), ("google-coral-dev", "libedgetpu")]
)
def test_a_board_with_a_delegate_names_it(name: str, library: str):
    board = load_board(REPOSITORY / "board_configs" / f"{name}.toml")
    assert library in board.npu.delegate and board.npu.call_deadline_ms
    assert "npu" in board.supported
