"""Every command that README.md prints is run here as it is printed, or listed with who runs it."""

from __future__ import annotations

import re

import pytest

from tests.places import REPOSITORY
from tests.typed import blocks, install, lines, programs, typed

TEXT = (REPOSITORY / "README.md").read_text()
CI = (REPOSITORY / ".ci" / "run").read_text()
LIMIT_S = 120
ELSEWHERE = {
    r"haetae run .*rtsp://": ("tests/runtime/test_rtsp_sites.py", "rtsp"),
    r"haetae check .*--live": ("tests/runtime/test_live_check.py", "--live"),
    r"haetae status": ("docs/technician.md", "\nhaetae status\n"),
    r"haetae ota push": ("docs/technician.md", "\nhaetae ota push"),
    r"haetae ota confirm": ("docs/technician.md", "\nhaetae ota confirm\n"),
    r"haetae ota rollback": ("docs/technician.md", "\nhaetae ota rollback\n"),
    r"haetae selftest": ("docs/technician.md", "\nhaetae selftest\n"),
    r"haetae alarm list": ("docs/technician.md", "\nhaetae alarm list\n"),
    r"haetae site push": ("docs/technician.md", "\nhaetae site push"),
    r"haetae journal pull": ("docs/technician.md", "\nhaetae journal pull --out"),
}
"""Commands that need a camera at the other end: where they are run, and by which words there.
docs/technician.md is typed by tests/ota/test_walk.py."""
ONLY_BY_HAND = {"make sim": "`make test` plays every scenario, and some of them twice"}
"""Targets that `.ci/run` does not make, and why."""


def elsewhere(line: str) -> bool:
    return line.startswith("make ") or any(re.match(each, line) for each in ELSEWHERE)


def run_here() -> list[list[str]]:
    """The lines of each block that are run, settings of the shell among them."""
    kept = ([line for line in lines(block) if not elsewhere(line)] for block in blocks(TEXT))
    return [block for block in kept if any(line.startswith("haetae ") for line in block)]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder in which all blocks were typed, one after the other, and what they said."""
    folder = tmp_path_factory.mktemp("readme")
    environment = install(folder)
    (folder / "board_configs").symlink_to(REPOSITORY / "board_configs")
    script = "\n".join(line for block in run_here() for line in block)
    return folder, typed(script, folder, environment, LIMIT_S)


def test_every_command_ends_well_and_leaves_what_it_promises(done):
    folder, said = done
    for name in ("events.jsonl", "clip.mp4", "journal.csv", "build/sim.xml"):
        assert (folder / name).stat().st_size > 100, name
    assert "no mistakes" in said and "DANGER: person #1 is in zone view" in said


def test_no_command_is_left_out():
    """What a page shows in any kind of block is run, or stands in a list above."""
    run = {line for block in run_here() for line in block}
    assert {line for line in programs(TEXT) if line not in run and not elsewhere(line)} == set()
    assert len(run) >= 8


@pytest.mark.parametrize("pattern", ELSEWHERE)
def test_what_is_run_elsewhere_is_run_there(pattern):
    assert any(re.match(pattern, line) for line in programs(TEXT)), "README has it no longer"
    page, words = ELSEWHERE[pattern]
    assert words in (REPOSITORY / page).read_text()


def test_every_target_of_make_is_made_by_ci():
    made = {line for line in programs(TEXT) if line.startswith("make ")}
    assert "make demo" in made
    missing = {line for line in made if not re.search(rf"^\s*{line}(?![\w-])", CI, re.MULTILINE)}
    assert missing == set(ONLY_BY_HAND)


def test_the_first_screen_has_the_three_doors():
    """Before any section: what it is, the one command, and a door for each reader."""
    screen = TEXT.partition("\n## ")[0]
    assert blocks(screen) == ["make demo\n"]
    doors = re.findall(r"\]\(#([\w-]+)\)", screen)
    assert len(doors) == 4 and len(screen.splitlines()) < 32
