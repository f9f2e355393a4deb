"""Every command that a page prints is run here as it is printed, or listed with who runs it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from tests.places import REPOSITORY
from tests.typed import blocks, install, lines, programs, typed

CI = (REPOSITORY / ".ci" / "run").read_text()
LIMIT_S = 120
WALK = "docs/technician.md"
"""Typed by tests/ota/test_walk.py."""
IMAGE = ("tests/board/image_test.py", 'image_command(["verify"')
"""Minutes of downloads and of root file systems: `make image-test`."""
MAY_BE_LEFT_OUT = {
    "make sim": "`make test` plays every scenario, and some of them twice",
}
"""Targets that `.ci/run` need not make, and why."""


@dataclass(frozen=True)
class Page:
    """A page whose `sh` blocks are typed, one after the other, in a folder of its own.

    Attributes:
        elsewhere: commands that need a camera or a board -> where they are run, and words there.
        leaves: files that are there afterwards. says: what was printed.
    """

    name: str
    elsewhere: dict[str, tuple[str, str]]
    leaves: tuple[str, ...]
    says: tuple[str, ...]
    text: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", (REPOSITORY / self.name).read_text())

    def is_elsewhere(self, line: str) -> bool:
        return line.startswith("make ") or any(re.match(each, line) for each in self.elsewhere)

    def here(self) -> list[str]:
        """What is typed: blocks in which anything is left, settings of the shell among them."""
        kept = ([each for each in lines(block) if not self.is_elsewhere(each)]
                for block in blocks(self.text))  # fmt: skip
        return [
            line for block in kept if any("haetae " in each for each in block) for line in block
        ]


README = Page(
    "README.md",
    {
        r"haetae run .*rtsp://": ("tests/runtime/test_rtsp_sites.py", "rtsp"),
        r"haetae board check my-board.toml --live": ("tests/runtime/test_live_check.py", "--live"),
        r"haetae image build": IMAGE,
        r"haetae image verify": IMAGE,
        r"haetae provision": ("docs/porting.md", "\nhaetae provision --board"),
        r"haetae status": (WALK, "\nhaetae status\n"),
        r"haetae ota push": (WALK, "\nhaetae ota push"),
        r"haetae ota confirm": (WALK, "\nhaetae ota confirm\n"),
        r"haetae ota rollback": (WALK, "\nhaetae ota rollback\n"),
        r"haetae selftest$": (WALK, "\nhaetae selftest\n"),
        r"haetae selftest --board": ("tests/runtime/test_unit_report.py", "selftest(["),
        r"haetae alarm list": (WALK, "\nhaetae alarm list\n"),
        r"haetae site push": (WALK, "\nhaetae site push"),
        r"haetae journal pull": (WALK, "\nhaetae journal pull --out"),
    },
    ("events.jsonl", "clip.mp4", "journal.csv", "my-board.toml", "build/sim.xml"),
    ("no mistakes", "DANGER: person #1 is in zone view", "my-board.toml: written", "zone_entry "),
)
PORTING = Page(
    "docs/porting.md",
    {
        r"haetae board check my-board.toml --live": ("tests/runtime/test_live_check.py", "--live"),
        r"haetae run --board my-board.toml": ("tests/runtime/board_of_the_kernel.py", "boot("),
        r"haetae selftest --board": ("tests/runtime/test_unit_report.py", "selftest(["),
        r"haetae image build": IMAGE,
        r"haetae image verify": IMAGE,
    },
    ("my-board.toml", "ring-1.ring", "build/camera/device.toml", "build/camera/journal.ring"),
    ("enough of its own roots signed", "device  cam-0017, board updates_demo"),
)
PAGES = pytest.mark.parametrize("page", [README, PORTING], ids=lambda page: page.name)


@PAGES
def test_every_command_ends_well_and_leaves_what_it_promises(page, tmp_path):
    environment = install(tmp_path)
    (tmp_path / "board_configs").symlink_to(REPOSITORY / "board_configs")
    said = typed("\n".join(page.here()), tmp_path, environment, LIMIT_S)
    assert [words for words in page.says if words not in said] == []
    for name in page.leaves:
        assert (tmp_path / name).stat().st_size > 100, name


@PAGES
def test_no_command_is_left_out(page):
    """What a page shows in any kind of block is run, or stands in a list above."""
    run, shown = set(page.here()), set(programs(page.text))
    assert {line for line in shown if line not in run and not page.is_elsewhere(line)} == set()
    assert len(run & shown) >= 8


@PAGES
def test_what_is_run_elsewhere_is_run_there(page):
    for pattern, (place, words) in page.elsewhere.items():
        assert any(re.match(pattern, line) for line in programs(page.text)), pattern
        assert words in (REPOSITORY / place).read_text(), (place, words)


def test_every_target_of_make_is_made_by_ci():
    made = {line for line in programs(README.text) if line.startswith("make ")}
    assert "make demo" in made
    missing = {line for line in made if not re.search(rf"^\s*{line}(?![\w-])", CI, re.MULTILINE)}
    assert missing <= set(MAY_BE_LEFT_OUT)


def test_the_first_screen_has_the_three_doors():
    """Before any section: what it is, the one command, and a door for each reader."""
    screen = README.text.partition("\n## ")[0]
    assert blocks(screen) == ["make demo\n"]
    doors = re.findall(r"\]\(#([\w-]+)\)", screen)
    assert len(doors) == 4 and len(screen.splitlines()) < 32
