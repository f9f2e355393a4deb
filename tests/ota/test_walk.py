"""The walk of docs/technician.md, done exactly as it is printed, with a real camera on a cable.

Only the times of its trial are shorter here: the board file is a copy with other numbers.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.places import REPOSITORY
from tests.typed import blocks, install, lines, typed

TEXT = (REPOSITORY / "docs" / "technician.md").read_text()
SHORTER = {"settle_ms": 300, "shadow_ms": 900, "probation_ms": 1800, "people": 3}
LIMIT_S = 240


def walk() -> list[str]:
    """What the walk prints to be typed, in its order."""
    return blocks(TEXT.partition("## The walk")[2])


def commands() -> list[str]:
    """One per line, as a shell would read them."""
    return lines("\n".join(walk()))


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The folder in which it was done, and what was said by the commands, per block."""
    folder = tmp_path_factory.mktemp("walk")
    environment = install(folder)
    faster_board(folder / "board_configs")
    parts = [f"echo '== {number}'\n{block}" for number, block in enumerate(walk())]
    script = "\n".join(parts) + "\nwait\necho '== done'"
    said = re.split(
        r"^== (?:\d+|done)\n", typed(script, folder, environment, LIMIT_S), flags=re.MULTILINE
    )
    return folder, said[1:]


def faster_board(boards: Path) -> None:
    """The board and site files, with shorter times of a trial."""
    boards.mkdir()
    (boards / "site").symlink_to(REPOSITORY / "board_configs" / "site")
    text = (REPOSITORY / "board_configs" / "updates_demo.toml").read_text()
    for name, number in SHORTER.items():
        text, count = re.subn(rf"^{name} = \d+", f"{name} = {number}", text, flags=re.MULTILINE)
        assert count == 1, name
    (boards / "updates_demo.toml").write_text(text)


def block_with(walked, command: str) -> str:
    """What was said in the block in which this was typed."""
    number = next(n for n, block in enumerate(walk()) if command in block)
    return walked[1][number]


def test_every_command_ends_well(walked):
    _, said = walked
    assert len(said) == len(walk()) + 1


def test_the_first_status(walked):
    said = block_with(walked, "haetae ota push build/students-2.bundle --watch")
    assert said.startswith("camera    demo-camera, board updates_demo, runtime ")
    assert "runs      the students it left the factory with" in said
    assert "next      nothing to do" in said


def test_the_trial_is_watched_to_its_end(walked):
    """In the words that the page prints."""
    said = block_with(walked, "haetae ota push build/students-2.bundle --watch")
    printed = re.findall(r"^    (.+)$", TEXT.partition("--watch\n```")[2], re.MULTILINE)
    assert printed[0].startswith("demo-camera runs") and printed[8] == "next: nothing to do"
    for line in printed[:9]:
        pattern = re.sub(r"\d+(\\\.\d+)?", r"[\\d.]+", re.escape(line))
        assert re.search(pattern, said), line


def test_confirmed_by_hand(walked):
    said = block_with(walked, "haetae ota confirm")
    assert "confirmed: version 2027.1 (release 3)" in said
    assert "runs      version 2027.1 (release 3)" in said
    assert "before    version 2026.12 (release 2); `haetae ota rollback` goes back to it" in said


def test_back_to_the_ones_before(walked):
    said = block_with(walked, "haetae ota rollback")
    assert "gone back to: version 2026.12 (release 2)" in said
    assert "runs      version 2026.12 (release 2)" in said


def test_the_last_look(walked):
    folder, _ = walked
    said = block_with(walked, "haetae selftest")
    assert "\npassed\n" in said and "not told" not in said
    assert "haetae journal pull" not in said
    events = [json.loads(line) for line in (folder / "build/gate.jsonl").read_text().splitlines()]
    told = [event["body"]["state"] for event in events if event["kind"] == "update"]
    for state in ("offered", "shadow", "probation", "confirmed", "went_back"):
        assert state in told


def test_another_site_file(walked):
    said = block_with(walked, "haetae site push")
    assert "site      whole view, pushed" in said
    assert (REPOSITORY / "board_configs/site/zone_whole_view.toml").read_text() in said
    assert re.search(r"^ +1  danger +\w+ +zone +view", said, re.MULTILINE)
    assert re.search(r"^acknowledged; [01] stood", said, re.MULTILINE)


def test_no_frame_was_lost_to_blindness(walked):
    """The relay never fell through all of it."""
    folder, _ = walked
    events = [json.loads(line) for line in (folder / "build/gate.jsonl").read_text().splitlines()]
    assert [event for event in events if event["kind"] == "fault"] == []


def test_the_walk_has_what_is_promised():
    typed = commands()
    for word in ("haetae keys new", "haetae ota build", "haetae status", "haetae ota push",
                 "haetae ota confirm", "haetae ota rollback", "haetae selftest"):  # fmt: skip
        assert any(line.startswith(word) for line in typed), word
