"""What a test needs of a board, against what the board's file says that it supports.

`@pytest.mark.board("camera", "thermal")` on a test: it runs on the board that HAETAE_BOARD names (a
file in board_configs, or a path; else the simulator) and is skipped where that board does not
support one of them. Stories outside of pytest ask `missing`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pytest

from drivers.board import Board, Feature, load_board
from tests.places import REPOSITORY

NAMED = "HAETAE_BOARD"
FEATURES = get_args(Feature)


def board_file() -> Path:
    """The board that tests are for."""
    name = os.environ.get(NAMED, "sim")
    shipped = REPOSITORY / "board_configs" / f"{name}.toml"
    return shipped if shipped.is_file() else Path(name)


def missing(board: Board, needs: Iterable[str]) -> list[str]:
    """What of `needs` the board does not support. Raises ValueError: a word that is no feature."""
    asked = list(needs)
    unknown = sorted(set(asked) - set(FEATURES))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no feature of a board: one of {', '.join(FEATURES)}")
    return [need for need in asked if need not in board.supported]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Of tests/conftest.py."""
    for mark in item.iter_markers("board"):
        board = load_board(board_file())
        lacks = missing(board, mark.args)
        if lacks:
            pytest.skip(f"the board {board.name} does not support {', '.join(lacks)}")
