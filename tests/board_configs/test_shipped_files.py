"""Every board and site file in the repository works as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from drivers.board import load_board
from runtime.geometry import resolve_site
from runtime.site_check import load_site
from runtime.site_rules import RuleConfig

REPOSITORY = Path(__file__).resolve().parents[2]
BOARDS = sorted((REPOSITORY / "board_configs").glob("*.toml"))
SITES = sorted((REPOSITORY / "board_configs" / "site").glob("*.toml"))


def test_there_are_some() -> None:
    assert {path.name for path in BOARDS} >= {"sim.toml"}
    assert {path.name for path in SITES} >= {
        *("man_down.toml", "ppe.toml", "counting.toml", "zone_whole_view.toml"),
        "construction_site.toml",
    }


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


EXAMPLE = re.compile(r"^# (?=\[\[?[a-z_.]+\]|[a-z_]+ = )", re.MULTILINE)
"""A key or a table that a technician may take the # away from."""


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_every_example_in_a_comment_works_too(path: Path, tmp_path: Path) -> None:
    text, count = EXAMPLE.subn("", path.read_text())
    file = tmp_path / path.name
    file.write_text(text)
    site = load_site(file)
    resolve_site(site, 640, 360, str(file))
    assert (count > 0) == ("away" in path.read_text())


def test_everything_on_is_everything() -> None:
    site = load_site(REPOSITORY / "board_configs/site/construction_site.toml")
    kinds = {kind.__struct_config__.tag for kind in get_args(RuleConfig)}
    assert {rule.__struct_config__.tag for rule in site.rules} == kinds
    named = {zone.name for zone in site.zones}
    used = {getattr(rule, "zone", "") for rule in site.rules}
    used |= {name for rule in site.rules for name in getattr(rule, "exempt_zones", [])}
    assert named <= used, "a zone that nothing names would puzzle"
