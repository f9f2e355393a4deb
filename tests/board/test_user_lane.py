"""`make arm64-test`: what it runs is there, and what it says is what happened."""

from __future__ import annotations

import pytest

from tests.board.user_lane import LANES, report
from tests.places import REPOSITORY

GOOD = "....  [100%]\n30 passed, 2 skipped in 3.10s\n"
BAD = "..F.\nE   assert 1 == 2\nFAILED tests/x.py::y\n1 failed, 3 passed in 65.20s (0:01:05)\n"


def test_what_it_runs_is_there():
    for lane in LANES:
        for path in (*lane.tests, *lane.leave_out):
            assert (REPOSITORY / path.partition("::")[0]).exists(), path


@pytest.mark.parametrize(
    ("texts", "codes", "says", "code"),
    [
        ((GOOD, GOOD), [0, 0], "arm64-test passed: 60 passed, 4 skipped in 70 s", 0),
        ((GOOD, BAD), [0, 1], "arm64-test FAILED: 33 passed, 1 failed, 2 skipped in 70 s", 1),
        ((GOOD, ""), [0, -11], "arm64-test FAILED: 30 passed, 2 skipped in 70 s", 1),
        (("no tests ran in 0.01s\n",), [0], "arm64-test FAILED:  in 70 s", 1),
    ],
    ids=["good", "one fails", "one crashes", "nothing ran"],
)
def test_what_it_says(texts, codes, says, code, tmp_path, capsys):
    logs = []
    for number, text in enumerate(texts):
        logs.append(tmp_path / f"{number}.log")
        logs[-1].write_text(text)
    assert report(codes, logs, 70.2) == code
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == says
    assert ("assert 1 == 2" in out) == (BAD in texts)
