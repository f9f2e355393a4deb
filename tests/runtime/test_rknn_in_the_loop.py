"""The real loop on a virtual Rockchip NPU: blind within a second, and nothing old is judged."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.places import REPOSITORY

START_MS, END_MS = 4000, 7000
"""A person walks through the picture all this time."""
SECOND_MS, CLEAR_MS, FRAME_MS = 1000, 500, 100


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"run": -1}, "invoke_failed"),
        ({"repeats": "*"}, "stale_output"),
        ({"unwritten": 1}, "not_written"),
        ({"hang_ms": 60_000}, "hung"),
    ],
    ids=["fails", "repeats", "writes nothing", "hangs"],
)
def test_an_npu_that_lies_is_an_alarm_and_nothing_old_is_judged(words, reason):
    plan = {"words": words, "from_ms": START_MS, "to_ms": END_MS, "frames": 100}
    command = [sys.executable, "-m", "tests.rknn_camera", json.dumps(plan)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    (raised,) = [e for e in result["events"] if (e["kind"], e["state"]) == ("fault", "raised")]
    assert (raised["rule"], raised["why"]["reason"]) == ("npu_fault", reason)
    assert START_MS < raised["t_ms"] <= START_MS + SECOND_MS
    (_, (down_ms, down), (up_ms, up), _) = result["relay"]
    assert (down_ms, down, up) == (raised["t_ms"], False, True)
    late_ms = SECOND_MS if reason == "hung" else 0  # its thread comes back in real time
    assert END_MS <= up_ms <= END_MS + CLEAR_MS + FRAME_MS + late_ms
    judged = result["judged_ms"]
    assert len(judged) > 50
    assert not [t_ms for t_ms in judged if START_MS <= t_ms < END_MS]
    seen = [e for e in result["events"] if e["kind"] == "hazard" and e["state"] == "raised"]
    assert not [e for e in seen if START_MS <= e["t_ms"] < END_MS]
