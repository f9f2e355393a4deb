"""The man_down rule and the body networks in site and board files: what is taken, and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.board import load_board
from drivers.toml_strict import ConfigErrors
from runtime.needs import check_needs, needs_bodies
from runtime.site_check import load_site
from tests.machine import BOARD, SITES, haetae

HEAD = 'format = 1\nname = "yard"\nunits = "fraction"\n'
RULE = '[[rules]]\nkind = "man_down"\n'


def mistakes(load, path: Path, text: str) -> list[str]:
    path.write_text(text)
    try:
        load(path)
    except ConfigErrors as refused:
        return [str(mistake).removeprefix(f"{path}: ") for mistake in refused.mistakes]
    return []


def test_the_shipped_file_has_what_a_technician_changes():
    site = load_site(SITES / "man_down.toml")
    [rule] = site.rules
    assert (rule.hold_ms, rule.after_ms, rule.clear_ms, rule.severity) == (
        500,
        3000,
        2000,
        "danger",
    )
    board = load_board(BOARD)
    assert needs_bodies(site, board)
    assert not needs_bodies(load_site(SITES / "zone_whole_view.toml"), board)


def test_a_rule_that_is_better_with_networks_takes_those_of_the_board(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(HEAD + RULE.replace("man_down", "immobile"))
    site, board = load_site(path), load_board(BOARD)
    assert needs_bodies(site, board)
    bare = replace(board, models=replace(board.models, skeleton="", action=""))
    assert not needs_bodies(site, bare)
    check_needs(bare, site, "site.toml")


def test_a_rule_alone_is_enough(tmp_path):
    assert mistakes(load_site, tmp_path / "site.toml", HEAD + RULE) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hold_ms = -1", "rules[0].hold_ms = -1: must be >= 0 and <= 60000"),
        ("after_ms = 700000", "rules[0].after_ms = 700000: must be >= 0 and <= 600000"),
        ("hold_ms = 4000", "rules[0].after_ms = 3000: must be >= rules[0].hold_ms = 4000: a fall"),
        ('zone = "pit"', "rules[0].zone = 'pit': no zone has this name; there are no zones"),
        ('severity = "fatal"', "rules[0].severity = 'fatal': must be"),
        ("hold = 3", "rules[0].hold = 3: unknown key"),
    ],
)
def test_one_mistake(tmp_path, line, expected):
    [found] = mistakes(load_site, tmp_path / "site.toml", f"{HEAD}{RULE}{line}\n")
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('skeleton = "x"', "models.action = '': must be named too, as models.skeleton is"),
        ('action = "x"', "models.skeleton = '': must be named too, as models.action is"),
        ("skeletons_per_frame = 0", "models.skeletons_per_frame = 0: must be >= 1 and <= 32"),
    ],
)
def test_a_board_with_half_of_the_networks_is_refused(tmp_path, lines, expected):
    text = BOARD.read_text()
    start = text.index("detector = ")
    end = text.index("\n\n", start)
    [found] = mistakes(
        load_board,
        tmp_path / "board.toml",
        f'{text[:start]}detector = "ppe_s"\n{lines}{text[end:]}',
    )
    assert found.startswith(expected)


def test_the_check_command_looks_at_both_files_together(tmp_path):
    bare = tmp_path / "board.toml"
    text = BOARD.read_text()
    start = text.index("detector = ")
    bare.write_text(f'{text[:start]}detector = "ppe_s"{text[text.index(chr(10) * 2, start) :]}')
    done = haetae("check", "--board", bare, "--site", SITES / "man_down.toml")
    assert done.returncode == 2
    assert "rules[0].kind = 'man_down': needs models.skeleton" in done.stderr
    alone = haetae("check", "--site", SITES / "man_down.toml")
    assert (alone.returncode, alone.stdout) == (0, "no mistakes\n")
