"""A folder of sequences is whole, or every mistake is named."""

from __future__ import annotations

import pytest

from runtime.evaluation import track
from runtime.mot_folder import FolderRefused, find_sequences

INFO = "[Sequence]\nname=A\nframeRate=14\nseqLength=30\nimWidth=640\nimHeight=480\n"


def sequence(folder, name="A", info=INFO, detections=True):
    home = folder / name
    (home / "gt").mkdir(parents=True)
    (home / "det").mkdir()
    (home / "seqinfo.ini").write_text(info)
    rows = [f"{f},1,{10 + 5 * f},100,60,150,1,-1,-1,-1" for f in range(1, 31)]
    (home / "gt" / "gt.txt").write_text("\n".join(rows))
    if detections:
        rows = [f"{f},-1,{10 + 5 * f},100,60,150,0.95,-1,-1,-1" for f in range(1, 31)]
        (home / "det" / "det.txt").write_text("\n".join(rows))
    return home


def test_sequences_are_found_below_and_by_name(tmp_path):
    sequence(tmp_path / "x", "B")
    sequence(tmp_path, "A")
    first, second = find_sequences(tmp_path, None)
    assert (first.name, second.name) == ("A", "B")
    assert (first.size, first.fps, first.frames) == ((640, 480), 14.0, 30)
    assert first.detections == tmp_path / "A" / "det" / "det.txt"


def test_another_detector_s_folder_is_taken(tmp_path):
    sequence(tmp_path / "truth", detections=False)
    other = sequence(tmp_path / "mine")
    [one] = find_sequences(tmp_path / "truth", tmp_path / "mine")
    assert one.detections == other / "det" / "det.txt"


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (INFO.replace("14", "0"), 'framerate = "0"'),
        (INFO.replace("640", "wide"), 'imwidth = "wide"'),
        (INFO.replace("seqLength=30\n", ""), 'seqlength = ""'),
        (INFO.replace("480", "nan"), 'imheight = "nan"'),
        ("frameRate=14\n", "seqinfo.ini"),
        ("", 'imwidth = ""'),
    ],
)
def test_a_wrong_description_is_named(tmp_path, info, said):
    sequence(tmp_path, info=info)
    with pytest.raises(FolderRefused, match=r"seqinfo\.ini") as refused:
        find_sequences(tmp_path, None)
    assert said in str(refused.value)


def test_what_is_missing_is_named_all_at_once(tmp_path, capsys):
    sequence(tmp_path, "A", detections=False)
    (sequence(tmp_path, "B") / "gt" / "gt.txt").unlink()
    assert track(["--mot", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "A/det/det.txt: is missing" in said
    assert "B/gt/gt.txt: is missing" in said


def test_an_empty_folder_is_refused(tmp_path, capsys):
    assert track(["--mot", str(tmp_path)]) == 2
    assert "no seqinfo.ini" in capsys.readouterr().err
