"""Every board and site file in the repository works as it stands."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from drivers.board import load_board
from runtime.geometry import resolve_site
from runtime.site_check import load_site

REPOSITORY = Path(__file__).resolve().parents[2]
BOARDS = sorted((REPOSITORY / "board_configs").glob("*.toml"))
SITES = sorted((REPOSITORY / "board_configs" / "site").glob("*.toml"))


def test_there_are_some() -> None:
    assert {path.name for path in BOARDS} >= {"sim.toml"}
    assert {path.name for path in SITES} >= {"zone_whole_view.toml", "counting.toml"}


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_board_file_has_no_mistake_and_its_drivers_exist(path: Path) -> None:
    board = load_board(path)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    known = project["entry-points"]["haetae.drivers"]
    wanted = [
        f"camera.{board.camera.driver}",
        f"npu.{board.npu.driver}",
        f"storage.{board.storage.driver}",
        f"watchdog.{board.watchdog.driver}",
        *(f"output.{output.driver}" for output in board.outputs),
    ]
    assert not set(wanted) - set(known)


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (320, 256)], ids=str)
@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_a_site_file_has_no_mistake_and_fits_pictures(path: Path, size: tuple[int, int]) -> None:
    site = load_site(path)
    if site.units == "fraction":
        resolve_site(site, *size, str(path))
