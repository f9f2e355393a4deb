"""CONTRIBUTING's "Add a driver", followed: an output of another package, found by its entry point.

It is one for a watchdog relay (docs/wiring.md): while it is on, its line toggles with each beat.
"""

from __future__ import annotations

import pytest

from tests.places import REPOSITORY
from tests.typed import install, typed

ACME = '''
from pathlib import Path


class Toggling:
    """Writes its edges into the file that `line` names."""

    def __init__(self, config, clock):
        self.name, self.level = config.name, False
        self._file, self._line = Path(config.line).open("a", buffering=1), False

    def set(self, level, now_ms):
        self.level = level
        self._put(level)

    def check(self, now_ms):
        if self.level:
            self._put(not self._line)

    def release(self, now_ms):
        self.set(False, now_ms)

    def _put(self, level):
        if level != self._line:
            self._file.write("1" if level else "0")
        self._line = level
'''
POINTS = "[haetae.drivers]\noutput.acme = acme:Toggling\n"


@pytest.fixture
def folder(tmp_path):
    """Where the other package is installed, and a board file that names it."""
    packaged = tmp_path / "bin" / "acme-1.dist-info"
    environment = install(tmp_path)
    packaged.mkdir()
    (packaged / "entry_points.txt").write_text(POINTS)
    (packaged / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (tmp_path / "bin" / "acme.py").write_text(ACME)
    text = (REPOSITORY / "board_configs" / "sim.toml").read_text()
    before, name, after = text.partition('name = "fault_relay"')
    acme = after.replace('driver = "recorded"', 'driver = "acme"\nline = "edges.txt"', 1)
    (tmp_path / "board.toml").write_text(before + name + acme)
    return tmp_path, environment


def test_it_is_checked_run_and_let_go_of(folder):
    path, environment = folder
    site = REPOSITORY / "board_configs" / "site" / "zone_whole_view.toml"
    script = (
        "haetae board check board.toml\n"
        f"haetae run --board board.toml --site {site} --source synthetic:frames=30 --fast"
    )
    assert "no mistakes" in typed(script, path, environment, 60)
    edges = (path / "edges.txt").read_text()
    assert edges.startswith("10101010") and edges.endswith("0")
    assert 20 <= len(edges) <= 34


def test_a_name_that_no_package_has_is_refused(folder):
    path, environment = folder
    (path / "bin" / "acme-1.dist-info" / "entry_points.txt").unlink()
    site = REPOSITORY / "board_configs" / "site" / "zone_whole_view.toml"
    refused = f"! haetae run --board board.toml --site {site} --source synthetic:frames=30 --fast"
    assert "output.driver = 'acme': must be one of gpio," in typed(refused, path, environment, 60)
