"""Scenarios as tests: pytest collects every `*.scenario.toml` that it is pointed at.

Files of another name count where they lie in a folder of the ini option `haetae_scenarios`. Each
scenario is one test, played in a process of its own; a failure shows the expectations that were
not met. One that waits for something is expected to fail, strictly. Nothing of the simulator is
imported until there is a scenario.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SUFFIX = ".scenario.toml"
OPTION = "haetae_scenarios"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option."""
    words = f"folders whose TOML files are all scenarios, beside any *{SUFFIX}"
    parser.addini(OPTION, words, type="paths", default=[])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take a scenario file."""
    folders = parent.config.getini(OPTION)
    listed = file_path.suffix == ".toml" and any(
        file_path.is_relative_to(folder) for folder in folders
    )
    if file_path.name.endswith(SUFFIX) or listed:
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """One file, one scenario."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its test; a file with mistakes is a collection error that names all of them."""
        from drivers.toml_strict import ConfigErrors
        from sim.scenario.load import load_scenario

        try:
            loaded = load_scenario(self.path)
        except ConfigErrors as errors:
            raise self.CollectError(str(errors)) from None
        item = ScenarioItem.from_parent(self, name=loaded.scenario.name, loaded=loaded)
        if loaded.scenario.waits_for:
            reason = f"waits for {loaded.scenario.waits_for}"
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True, raises=Unmet))
        yield item


class Unmet(Exception):
    """Expectations that were not met, or a scenario that could not be played."""


class ScenarioItem(pytest.Item):
    """Plays the scenario.

    Args:
        loaded: checked.
    """

    def __init__(self, *, loaded: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self._loaded = loaded

    def runtest(self) -> None:
        """Raises Unmet."""
        from sim.scenario.jobs import Task, play_one

        result = play_one(Task(self._loaded))
        unmet = [check for check in result.expectations if not check.ok]
        if unmet or result.verdict == "refused" or not result.expectations:
            lines = [f"{c.sentence}: {c.measured} (allowed {c.allowed})" for c in unmet]
            raise Unmet("\n".join(lines) or result.why)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The unmet expectations, one a line; for anything else the usual traceback."""
        if isinstance(excinfo.value, Unmet):
            return f"{self._loaded.file}: {self._loaded.scenario.purpose}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line and name."""
        return self.path, 0, self.name
