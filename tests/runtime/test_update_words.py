"""Records of updates, as a technician reads them."""

import pytest

from runtime.alarm_words import told
from runtime.update_words import WORDS, update


@pytest.mark.parametrize(
    ("state", "why", "words"),
    [
        (
            "rolled_back",
            {"version": "2.0", "reason": "agreement", "detail": "it finds 0 of 12 people"},
            "UPDATE: students 2.0 were rolled back: it finds 0 of 12 people;"
            " it does not see what the present student sees",
        ),
        ("trial", {"version": "2.0", "try": 1, "of": 2}, "students 2.0 are tried, time 1 of 2"),
        ("confirmed", {"version": "2.0"}, "students 2.0 stay"),
        ("site", {"by": "anna"}, "anna sent a new site file"),
        (
            "link_refused",
            {"path": "lan", "command": "'ack'", "reason": "not_signed", "detail": ""},
            "LINK: 'ack' over lan was refused: this must be signed by an operator's key",
        ),
        ("unavailable", {"reason": "no such file"}, "no updates in this run: no such file"),
    ],
)
def test_each_says_what_happened(state, why, words):
    assert words in told("update", {"state": state, "why": why}, 0)


@pytest.mark.parametrize("state", [*WORDS, "something newer"])
@pytest.mark.parametrize("why", [{}, {"reason": "of a newer runtime"}, None, "spoilt"])
def test_whatever_a_record_lacks_there_is_a_sentence(state, why):
    assert update({"state": state, "why": why}, 0).strip()
