"""The figures of `haetae eval track --mot`, by py-motmetrics."""

from __future__ import annotations

import sys

import pytest

from runtime.evaluation import Wanted, read_rows, track, track_frames
from runtime.mot_scores import load_scorer, score_files
from tests.runtime.test_mot_folder import sequence

LEAST_MOTA, LEAST_IDF1, MOST_SWITCHES = 36.0, 51.0, 150


def overall(text: str) -> tuple[float, float, int]:
    """MOTA and IDF1 in percent, switches."""
    [line] = [line for line in text.splitlines() if line.startswith("OVERALL")]
    _, mota, idf1, switches, *_ = line.split()
    return float(mota), float(idf1), int(switches)


def test_without_the_scorer_it_is_said_what_to_install(tmp_path, monkeypatch, capsys):
    sequence(tmp_path)
    monkeypatch.setitem(sys.modules, "motmetrics", None)
    assert track(["--mot", str(tmp_path)]) == 2
    assert "pip install 'haetae[eval]'" in capsys.readouterr().err


def test_one_person_followed_is_all_there_is_but_the_first_moment(tmp_path, capsys):
    pytest.importorskip("motmetrics", reason="scores need the extra eval")
    sequence(tmp_path)
    assert track(["--mot", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    mota, idf1, switches = overall(capsys.readouterr().out)
    assert 90.0 <= mota < 100.0 and 90.0 <= idf1 < 100.0 and switches == 0
    assert len((tmp_path / "out" / "A.txt").read_text().splitlines()) >= 27


def test_a_changed_number_is_a_switch_and_a_strange_box_a_false_one(tmp_path):
    pytest.importorskip("motmetrics", reason="scores need the extra eval")
    truth = sequence(tmp_path) / "gt" / "gt.txt"
    rows = truth.read_text().splitlines()
    swapped = [row.replace(",1,", ",2,", 1) if k >= 15 else row for k, row in enumerate(rows)]
    strange = "3,9,400,300,50,50,1,-1,-1,-1"
    (tmp_path / "tracks.txt").write_text("\n".join([*swapped, strange]))
    [one, whole] = score_files({"A": (truth, tmp_path / "tracks.txt")}, load_scorer())
    assert (one.switches, one.false_positives, one.misses) == (1, 1, 0)
    assert whole.mota == pytest.approx(1 - 2 / 30)
    assert whole.idf1 == pytest.approx(2 * 15 / (30 + 31))


@pytest.mark.data
@pytest.mark.filterwarnings("default")
def test_the_tracker_holds_its_level_on_the_benchmark(shared_data, capsys):
    """Online, one set of defaults for all six sequences; SORT has 34.0, 43.5 and 272."""
    pytest.importorskip("motmetrics", reason="scores need the extra eval")
    mot = shared_data / "mot"
    if not (mot / "gt" / "MOT15-train").is_dir():
        pytest.skip("no mot/ in the shared data")
    folders = ["--mot", str(mot / "gt" / "MOT15-train"), "--detections"]
    assert track([*folders, str(mot / "sort_frcnn_dets")]) == 0
    mota, idf1, switches = overall(capsys.readouterr().out)
    assert mota >= LEAST_MOTA
    assert idf1 >= LEAST_IDF1
    assert switches <= MOST_SWITCHES


@pytest.mark.data
def test_a_row_hangs_on_no_later_frame(shared_data):
    """The rows of the first 150 frames are the same whether or not there are more."""
    path = shared_data / "mot" / "sort_frcnn_dets" / "ETH-Sunnyday" / "det" / "det.txt"
    if not path.is_file():
        pytest.skip("no mot/ in the shared data")
    frames = read_rows(path)
    first = {frame: rows for frame, rows in frames.items() if frame <= 150}
    whole = [row for row in track_frames(frames, Wanted(), (640, 480), 14.0) if row[0] <= 150]
    assert list(track_frames(first, Wanted(), (640, 480), 14.0)) == whole
