"""The examples of docs/devices.md are a board file without a mistake."""

from __future__ import annotations

import re

from drivers.board import load_board
from tests.places import REPOSITORY

BLOCK = re.compile(r"```toml\n(.*?)```", re.DOTALL)
REST = """
format = 1
name = "page"
soc = "any"
memory = { address_space_mb = 2048 }
models = { detector = "ppe_s" }
storage = { driver = "file", path = "journal.ring" }
"""


def test_the_examples_are_a_board_file(tmp_path):
    blocks = BLOCK.findall((REPOSITORY / "docs" / "devices.md").read_text())
    file = tmp_path / "board.toml"
    file.write_text(REST + "\n".join(blocks))
    board = load_board(file)
    assert [output.driver for output in board.outputs] == ["gpio", "gpio", "modbus"]
    assert (board.camera.driver, board.watchdog.driver) == ("v4l2", "linux")
    assert (board.npu.driver, board.npu.target) == ("rknn", "rk3588")
    assert board.thermal and board.thermal.least_mhz == 800
    assert len(blocks) == 6
