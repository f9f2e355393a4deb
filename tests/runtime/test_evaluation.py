"""`haetae eval track` reads and writes MOTChallenge text through the loop's own tracker."""

from __future__ import annotations

import pytest

from runtime.evaluation import track

HEADER = ["--width", "640", "--height", "480", "--fps", "10"]


def run(tmp_path, text, *more):
    source, out = tmp_path / "det.txt", tmp_path / "tracks.txt"
    source.write_text(text)
    code = track(["--detections", str(source), "--out", str(out), *HEADER, *more])
    return code, out.read_text().splitlines() if out.exists() else []


@pytest.mark.parametrize(("more", "first"), [([], 2), (["--confirm-ms", "250"], 4)])
def test_two_people_get_a_number_each_in_every_frame_they_are_seen(tmp_path, more, first):
    lines = []
    for frame in range(1, 31):
        lines.append(f"{frame},-1,{10 + 5 * frame},100,60,150,0.9,-1,-1,-1")
        lines.append(f"{frame},-1,{500 - 5 * frame},300,60,150,0.9,-1,-1,-1")
    code, rows = run(tmp_path, "\n".join(lines), *more)
    assert code == 0
    fields = [row.split(",") for row in rows]
    assert {row[1] for row in fields} == {"1", "2"}
    assert all(len(row) == 10 for row in fields)
    assert len(rows) == 2 * (30 - first + 1)


def test_the_written_box_is_the_person_s(tmp_path):
    text = "\n".join(f"{frame},-1,100,100,60,150,0.9,-1,-1,-1" for frame in range(1, 10))
    _, rows = run(tmp_path, text)
    x, y, width, height = map(float, rows[-1].split(",")[2:6])
    assert (x, y, width, height) == pytest.approx((100, 100, 60, 150), abs=0.01)


def test_frames_without_a_box_pass_time(tmp_path):
    first = [f"{frame},-1,100,100,60,150,0.9" for frame in range(1, 6)]
    later = [f"{frame},-1,100,100,60,150,0.9" for frame in range(100, 110)]
    _, rows = run(tmp_path, "\n".join(first + later))
    assert {row.split(",")[1] for row in rows} == {"1", "2"}


@pytest.mark.parametrize(
    "line", ["1,-1,a,2,3,4,5", "1,-1,2,3", "0,-1,1,1,1,1,1", "1,-1,nan,1,1,1,1"]
)
def test_a_bad_line_is_named_and_nothing_is_written(tmp_path, line, capsys):
    code, rows = run(tmp_path, f"1,-1,1,1,5,5,0.9\n{line}\n")
    assert code == 2
    assert rows == []
    assert "det.txt:2" in capsys.readouterr().err


def test_an_absent_file_is_refused(tmp_path, capsys):
    arguments = ["--detections", str(tmp_path / "no.txt"), "--out", str(tmp_path / "o"), *HEADER]
    assert track(arguments) == 2
    assert "no.txt" in capsys.readouterr().err


def test_somebody_unsure_is_followed_and_not_written(tmp_path):
    lines = [f"{frame},-1,100,100,60,150,0.8,-1,-1,-1" for frame in range(1, 30)]
    assert run(tmp_path, "\n".join(lines))[1] == []
    assert len(run(tmp_path, "\n".join(lines), "--sure-score", "0.5")[1]) == 28


def test_somebody_lost_is_written_a_moment_longer_where_they_walk(tmp_path):
    lines = [f"{f},-1,{100 + 10 * f},100,60,150,0.95" for f in range(1, 30) if f != 20]
    rows = run(tmp_path, "\n".join(lines), "--bridge-ms", "150")[1]
    [row] = [row.split(",") for row in rows if row.startswith("20,")]
    assert float(row[2]) == pytest.approx(300, abs=2)
    without = run(tmp_path, "\n".join(lines), "--bridge-ms", "0")[1]
    assert not [row for row in without if row.startswith("20,")]


def test_scores_beyond_one_are_one(tmp_path):
    lines = [f"{frame},-1,100,100,60,150,{score}" for frame, score in enumerate((40, 70, 55), 1)]
    code, rows = run(tmp_path, "\n".join(lines))
    assert code == 0 and len(rows) == 2


def test_without_files_or_folder_it_says_what_it_needs(capsys):
    with pytest.raises(SystemExit):
        track(["--fps", "10"])
    assert "--detections, --width, --height, --out" in capsys.readouterr().err
