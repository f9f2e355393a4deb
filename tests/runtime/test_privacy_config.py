"""`[privacy]` of a site file: safe where it is left out, and every mistake is named."""

from __future__ import annotations

import pytest

from drivers.toml_strict import ConfigErrors
from runtime.site_check import load_site
from tests.places import REPOSITORY

SITE = """
format = 1
name = "yard"
units = "fraction"

[[zones]]
name = "pit"
polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]

[[rules]]
kind = "zone"
zone = "pit"
"""


def site_with(tmp_path, lines):
    file = tmp_path / "site.toml"
    file.write_text(SITE + lines)
    return load_site(file)


def test_a_site_that_says_nothing_shows_nothing_but_the_coarse_grid(tmp_path):
    privacy = site_with(tmp_path, "").privacy
    assert (privacy.mode, privacy.rows, privacy.learn_ms) == ("everything", 8, 60_000)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('mode = "none"', "privacy.mode"),
        ('mode = "blur"', "privacy.mode"),
        ("rows = 3", "privacy.rows"),
        ("rows = 13", "privacy.rows"),
        ("rows = 100", "privacy.rows"),
        ("learn_ms = 0", "privacy.learn_ms"),
        ("learn_ms = 4999", "privacy.learn_ms"),
        ("learn_ms = 3600001", "privacy.learn_ms"),
        ("off = true", "privacy.off"),
    ],
)
def test_there_is_no_setting_that_shows_people(tmp_path, line, key):
    with pytest.raises(ConfigErrors) as caught:
        site_with(tmp_path, f"[privacy]\n{line}\n")
    assert [mistake.key for mistake in caught.value.mistakes] == [key]


def test_shipped_site_files_say_what_they_show():
    for file in sorted((REPOSITORY / "board_configs" / "site").glob("*.toml")):
        assert "[privacy]" in file.read_text(), file
