"""The loop still does with the recordings what it did when they were made."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs

from sim.replay import cli, recording
from sim.replay.compare import FIELDS
from sim.replay.unfold import unfold
from tests.places import REPOSITORY

REFERENCES = sorted((Path(__file__).parent / "references").glob("*.rec"))
ZONE_ENTRY = Path(__file__).parent / "references" / "zone_entry.rec"
MOST_BYTES = 300_000

PLANTED = {
    "the tracker follows more slowly": "import runtime.track_filter as f; f._R *= 4",
    "time in a zone goes half as fast": (
        "import runtime.rules.build as b; real = b.ZoneRules.update;"
        " b.ZoneRules.update = lambda self, tracks, t_ms, hazards:"
        " real(self, tracks, t_ms / 2, hazards)"
    ),
}
"""Changes of the firmware that a replay has to notice."""


@pytest.mark.parametrize("file", REFERENCES, ids=lambda file: file.stem)
def test_the_loop_does_what_it_did(file, capsys):
    assert cli.replay([str(file)]) == cli.SAME, capsys.readouterr().out
    assert "the same as the reference" in capsys.readouterr().out
    assert file.stat().st_size < MOST_BYTES


def test_there_are_references():
    assert {"zone_entry", "npu_stale", "power_cut_with_alarm"} <= {f.stem for f in REFERENCES}


def plant(text: str, folder: Path, monkeypatch) -> None:
    """Change the child's interpreter, as if somebody had edited the file."""
    lines = [text, "import sys", "from sim.replay.child import main", "sys.exit(main())"]
    (folder / "planted_child.py").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(cli, "CHILD", "planted_child")


def test_a_changed_site_is_noticed(tmp_path, capsys):
    """Twice the hold time: the same people, and a siren that comes later."""
    kept = recording.load(ZONE_ENTRY)
    [rule] = kept.site["rules"]
    assert rule["hold_ms"] == 300
    rule["hold_ms"] = 600
    changed = tmp_path / "changed.rec"
    recording.save(kept, changed)
    assert cli.replay([str(changed)]) == cli.DIFFERENT
    [last] = [line for line in capsys.readouterr().out.splitlines() if "DIFFERS" in line]
    assert {"hazards.active", "alarms.state", "events.t_ms", "edges.t_ms"} <= words(last)
    assert not {"detections.box_px", "tracks.box_px", "frames"} & words(last)


def test_another_detector_is_refused(tmp_path, capsys):
    kept = recording.load(ZONE_ENTRY)
    kept.model = structs.replace(kept.model, sha256="0" * 64)
    recording.save(kept, tmp_path / "other.rec")
    assert cli.replay([str(tmp_path / "other.rec")]) == cli.REFUSED
    said = capsys.readouterr().err
    assert "recorded with ppe_s 0.3.0 for tflite (sha256 000000000000)" in said
    assert "the one here is ppe_s" in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda r: r.site["rules"][0].update(hold_ms=-1), "site: rules[0].hold_ms = -1"),
        (lambda r: r.board["camera"].update(fps="fast"), "board: camera.fps"),
        (lambda r: r.scenario.update(duration_ms=1), "scenario: duration_ms = 1"),
        (
            lambda r: r.scenario.update(
                faults=[{"at_ms": 1, "component": "npu", "type": "melted"}]
            ),
            "faults[0].type",
        ),
    ],
)
def test_what_cannot_be_played_is_refused(change, why):
    kept = recording.load(ZONE_ENTRY)
    change(kept)
    with pytest.raises(recording.RecordingRefused, match=re.escape(why)):
        unfold(kept, ZONE_ENTRY)


def test_pictures_of_another_size_are_refused(tmp_path, capsys):
    kept = recording.load(ZONE_ENTRY)
    kept.board["camera"]["width_px"] = 500
    recording.save(kept, tmp_path / "wide.rec")
    assert cli.replay([str(tmp_path / "wide.rec")]) == cli.REFUSED
    said = capsys.readouterr().err
    assert "do not belong to 500x360" in said
    assert "Traceback" not in said


def test_another_processor_makes_no_difference(monkeypatch, capsys):
    """The last digit of a box hangs on AVX2; that is within the tolerance that holds always."""
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "AVX512F AVX512CD AVX512_SKX AVX2 FMA3")
    assert cli.replay([str(ZONE_ENTRY)]) == cli.SAME
    assert "FAIL" not in capsys.readouterr().out


def test_a_loop_that_dies_is_a_difference(tmp_path, monkeypatch, capsys):
    plant("import runtime.track as t; t.Tracker.update = None", tmp_path, monkeypatch)
    assert cli.replay([str(ZONE_ENTRY)]) == cli.DIFFERENT
    assert "the loop died" in capsys.readouterr().err


def words(line: str) -> set[str]:
    return set(line.replace(",", " ").split())


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_changed_tracker_or_rule_is_noticed(planted, tmp_path, monkeypatch, capsys):
    plant(planted, tmp_path, monkeypatch)
    assert cli.replay([str(REFERENCES[-1])]) == cli.DIFFERENT
    shown = capsys.readouterr().out
    assert "FAIL" in shown
    assert "DIFFERS in" in shown


def test_a_tolerance_lets_a_difference_pass(tmp_path, monkeypatch, capsys):
    plant(next(iter(PLANTED.values())), tmp_path, monkeypatch)
    table = tmp_path / "tolerance.toml"
    every = "\n".join(f'"{field}" = "ignore"' for field in FIELDS)
    table.write_text(f"[tolerance]\n{every}\n")
    assert cli.replay([str(REFERENCES[-1]), "--tolerance", str(table)]) == cli.SAME
    assert "ignored" in capsys.readouterr().out


def test_a_reference_changes_only_when_asked(tmp_path, monkeypatch):
    kept = tmp_path / "kept.rec"
    shutil.copy(REFERENCES[-1], kept)
    changed = recording.load(kept)
    changed.did.frames[5].track_id = [99]
    changed.did.frames[5].track_state = [2]
    recording.save(changed, kept)
    before = kept.read_bytes()
    assert cli.replay([str(kept)]) == cli.DIFFERENT
    assert kept.read_bytes() == before
    assert cli.replay([str(kept), "--update"]) == cli.SAME
    assert kept.read_bytes() != before
    assert cli.replay([str(kept)]) == cli.SAME


def test_another_scenario_is_not_overwritten(tmp_path):
    other = tmp_path / "other.rec"
    shutil.copy(REFERENCES[0], other)
    before = other.read_bytes()
    words = [str(REFERENCES[-1]), "--reference", str(other), "--update"]
    assert cli.replay(words) == cli.REFUSED
    assert other.read_bytes() == before


def test_the_command_says_what_is_wrong(tmp_path):
    junk = tmp_path / "junk.rec"
    junk.write_bytes(b"junk")
    words = [sys.executable, "-m", "runtime.main", "sim", "replay", str(junk)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert done.returncode == cli.REFUSED
    assert "junk.rec: not a recording" in done.stderr
    assert "Traceback" not in done.stderr
