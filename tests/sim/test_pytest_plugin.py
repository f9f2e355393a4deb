"""The pytest plug-in: scenario files are tests, with no glue."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sim.scenario import jobs
from sim.scenario.find import shipped
from tests.sim.scenario.texts import ENTRY, NO_LOSS, expect

SHORT = ENTRY.replace("duration_ms = 9000", "duration_ms = 1000")
PLUGIN = ("-p", "sim.pytest_plugin")


@pytest.fixture
def run(pytester, monkeypatch, request):
    """Run pytest in process on the files of `pytester`, with the stand-in for the world."""
    monkeypatch.setattr(jobs, "CHILD", "tests.sim.scenario.stand_in_child")
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))
    plugin = () if request.config.pluginmanager.hasplugin("haetae-sim") else PLUGIN

    def call(*arguments):
        return pytester.runpytest_inprocess(*plugin, "-rxX", *arguments)

    return call


def test_each_scenario_is_a_test_and_a_failure_shows_what_was_unmet(pytester, run):
    pytester.makefile(".scenario.toml", good=SHORT + NO_LOSS, bad=SHORT + expect("event"))
    done = run()
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        [
            "*bad.scenario.toml: A worker walks*",
            "hazard at any time: none at all (allowed any time)",
        ]
    )
    assert "Traceback" not in done.stdout.str()


def test_one_that_waits_is_expected_to_fail_strictly(pytester, run):
    waits = SHORT.replace("seed = 3", 'waits_for = "better days"')
    pytester.makefile(".scenario.toml", waits=waits + expect("event"), early=waits + NO_LOSS)
    done = run()
    done.assert_outcomes(xfailed=1, failed=1)
    done.stdout.fnmatch_lines(["*XPASS(strict)*better days*"])


def test_a_malformed_one_is_a_collection_error_with_every_mistake(pytester, run):
    pytester.makefile(".scenario.toml", bad="speed = 1\nformat = 1\n")
    done = run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*speed = 1*unknown key*", "*purpose*is missing*"])


def test_other_toml_files_are_scenarios_only_where_the_ini_file_says(pytester, run):
    pytester.makeini("[pytest]\nhaetae_scenarios = plans\n")
    pytester.mkdir("plans").joinpath("one.toml").write_text(SHORT + NO_LOSS)
    pytester.makefile(".toml", other="x = 1")
    done = run("--collect-only", "-q")
    done.stdout.fnmatch_lines(["plans/one.toml::zone entry"])
    assert "other.toml" not in done.stdout.str()


def test_the_shipped_ones_can_be_collected(run):
    done = run("--collect-only", "-q", str(shipped()[0].parent))
    done.stdout.fnmatch_lines(["*zone_entry.scenario.toml*"])
    assert done.stdout.str().count(".scenario.toml") == len(shipped())


def test_nothing_heavy_is_imported_while_there_is_no_scenario():
    program = "import sim.pytest_plugin, sys; print({'numba', 'cv2', 'numpy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
