"""`haetae eval track`: the loop's tracker over MOTChallenge text, one file or a folder with truth.

Format: frame,id,x,y,w,h,score,-1,-1,-1 with frames from 1 and pixels (Leal-Taixe et al.,
MOTChallenge 2015, arXiv:1504.01942). A row of a frame is written before the next frame is read.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import numpy as np
from msgspec import Struct

from models.tables import Detections
from runtime.mot_folder import FolderRefused, Sequence, find_sequences
from runtime.mot_scores import ScorerMissing, load_scorer, score_files, table
from runtime.site import TrackingConfig
from runtime.tables import Tracks, TrackState
from runtime.track import Tracker

CAPACITY = 128
"""Rows and slots: the crowds of the benchmark are larger than a camera's."""
COLUMNS = 7
NEW_SCORE, NEW_MS = 0.07, 2400.0
"""Somebody new is written when their score is so much higher; fades with this time constant."""
OK, REFUSED = 0, 2
Row = tuple[float, ...]


class Wanted(Struct, frozen=True, kw_only=True):
    """What a user can state; the defaults are for crowds and for scores from 0 to 1.

    Attributes:
        birth_score: least score of a box that starts a track.
        confirm_ms: a person is written from so long after first seen; the loop takes longer.
        coast_ms: an unseen person is kept for this long.
        sure_score: nobody is written whose mean score of late is less.
        bridge_ms: somebody lost is still written for this long, where they should be.
    """

    birth_score: float = 0.76
    confirm_ms: int = 40
    coast_ms: int = 1000
    sure_score: float = 0.813
    bridge_ms: int = 80


class TextRefused(Exception):
    """A line of a detection file that is not MOTChallenge text."""


def read_rows(path: Path) -> dict[int, list[Row]]:
    """Detections by frame number.

    Returns:
        frame -> rows of (x, y, w, h, score), pixels.

    Raises:
        TextRefused: every line that cannot be read, with its number and what is allowed.
        OSError: the file cannot be opened.
    """
    frames: dict[int, list[Row]] = {}
    mistakes = []
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = [float(value) for value in line.split(",")[:COLUMNS]]
        except ValueError:
            values = []
        if len(values) < COLUMNS or not all(map(math.isfinite, values)) or values[0] < 1:
            mistakes.append(f"{path}:{number}: {line[:60]!r}: must be frame,id,x,y,w,h,score,...")
            continue
        frames.setdefault(int(values[0]), []).append(tuple(values[2:7]))
    if mistakes:
        raise TextRefused("\n".join(mistakes[:20]))
    return frames


def track_frames(
    frames: dict[int, list[Row]], wanted: Wanted, size: tuple[int, int], fps: float
) -> Iterator[tuple[int, int, Row]]:
    """Follow people through all frames, empty ones too.

    Args:
        frames: from `read_rows`.
        wanted: of the tracker and of the rows.
        size: width and height of the picture, pixels; boxes are clipped to it.
        fps: frames per second.

    Yields:
        frame number, track id, (x, y, w, h, score) of each confirmed track seen in that frame, or
        lost a moment ago.
    """
    config = TrackingConfig(confirm_ms=wanted.confirm_ms, coast_ms=wanted.coast_ms)
    tracker = Tracker(Tracks(CAPACITY), config, wanted.birth_score, size)
    detections = Detections(CAPACITY)
    for frame in range(1, max(frames, default=0) + 1):
        t_ms = (frame - 1) * 1000.0 / fps
        _fill(detections, frames.get(frame, []), size)
        tracker.update(detections, t_ms)
        for slot in tracker.tracks.live.tolist():
            box = _shown(tracker, slot, t_ms, wanted)
            if box is not None and _is_inside(box, size):
                x1, y1, x2, y2 = box
                score = tracker.mean_score[slot]
                number = tracker.tracks.track_id.item(slot)
                yield frame, number, (x1, y1, x2 - x1, y2 - y1, score)


def track(argv: list[str]) -> int:
    """`haetae eval track`: detections in, tracks out, or scores; 2 for what is refused."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    wanted = Wanted(
        birth_score=arguments.birth_score,
        confirm_ms=arguments.confirm_ms,
        coast_ms=arguments.coast_ms,
        sure_score=arguments.sure_score,
        bridge_ms=arguments.bridge_ms,
    )
    try:
        if arguments.mot:
            return _score_folder(arguments, wanted)
        one = ("detections", "width", "height", "fps", "out")
        missing = [f"--{name}" for name in one if getattr(arguments, name) is None]
        if missing:
            parser.error(f"needs --mot, or {', '.join(missing)}")
        if arguments.fps <= 0 or arguments.width < 1 or arguments.height < 1:
            parser.error("--fps, --width and --height must be greater than 0")
        size = arguments.width, arguments.height
        write_tracks(arguments.detections, arguments.out, wanted, size, arguments.fps)
    except (TextRefused, FolderRefused, ScorerMissing, OSError) as refused:
        sys.stderr.write(f"{refused}\n")
        return REFUSED
    return OK


def write_tracks(
    detections: Path, out: Path, wanted: Wanted, size: tuple[int, int], fps: float
) -> None:
    """Track one detection file into another.

    Args:
        detections, out: MOTChallenge text.
        wanted: of the tracker and of the rows.
        size: width and height of the picture, pixels.
        fps: frames per second.

    Raises:
        TextRefused: from `read_rows`; nothing is written.
        OSError: a file cannot be opened.
    """
    frames = read_rows(detections)
    with out.open("w", encoding="utf-8") as file:
        for row in track_frames(frames, wanted, size, fps):
            _write(file, *row)


def _score_folder(arguments: argparse.Namespace, wanted: Wanted) -> int:
    sequences, scorer = find_sequences(arguments.mot, arguments.detections), load_scorer()
    with TemporaryDirectory() as scratch:
        folder: Path = arguments.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        files = {one.name: (one.truth, _track_one(one, folder, wanted)) for one in sequences}
        sys.stdout.write(table(score_files(files, scorer)) + "\n")
    return OK


def _track_one(sequence: Sequence, folder: Path, wanted: Wanted) -> Path:
    out = folder / f"{sequence.name}.txt"
    write_tracks(sequence.detections, out, wanted, sequence.size, sequence.fps)
    return out


def _shown(tracker: Tracker, slot: int, t_ms: float, wanted: Wanted) -> Row | None:
    """The box to write for a slot, if any."""
    tracks = tracker.tracks
    if tracks.state[slot] != TrackState.CONFIRMED:
        return None
    if t_ms - tracks.last_ms.item(slot) > wanted.bridge_ms:
        return None
    newness = math.exp((tracks.first_ms.item(slot) - t_ms) / NEW_MS)
    if tracker.mean_score[slot] < wanted.sure_score + NEW_SCORE * newness:
        return None
    return tracker.expected_box(slot, t_ms)


def _is_inside(box: Row, size: tuple[int, int]) -> bool:
    """The middle of the box is in the picture."""
    x1, y1, x2, y2 = box
    return 0 <= x1 + x2 <= 2 * size[0] and 0 <= y1 + y2 <= 2 * size[1]


def _parser() -> argparse.ArgumentParser:
    about = "Follow people by detections alone, or score that over sequences with known truth."
    parser = argparse.ArgumentParser("haetae eval track", description=about)
    add, default = parser.add_argument, Wanted()
    add("--detections", type=Path, help="MOTChallenge det.txt; with --mot: folder of NAME/det/")
    add("--width", type=int, help="picture width, pixels")
    add("--height", type=int, help="picture height, pixels")
    add("--fps", type=float, help="frames per second")
    add("--out", type=Path, help="tracks in the same format; with --mot: folder for NAME.txt")
    add("--mot", type=Path, help="folder of sequences: track and score all (needs haetae[eval])")
    add("--birth-score", type=float, default=default.birth_score, help="least score of a start")
    add("--confirm-ms", type=int, default=default.confirm_ms, help="until somebody new is written")
    add("--coast-ms", type=int, default=default.coast_ms, help="how long somebody unseen is kept")
    add("--sure-score", type=float, default=default.sure_score, help="least mean score of a row")
    add(
        "--bridge-ms", type=int, default=default.bridge_ms, help="how long somebody lost is written"
    )
    return parser


def _fill(detections: Detections, rows: list[Row], size: tuple[int, int]) -> None:
    """A frame's rows, best score first; boxes clipped to the picture, scores to 0..1."""
    rows = sorted(rows, key=lambda row: -row[4])[:CAPACITY]
    detections.count = len(rows)
    if not rows:
        return
    boxes = np.array(rows, np.float32)
    boxes[:, 2:4] += boxes[:, :2]
    boxes[:, 0:4:2] = boxes[:, 0:4:2].clip(0, size[0])
    boxes[:, 1:4:2] = boxes[:, 1:4:2].clip(0, size[1])
    detections.boxes[: len(rows)] = boxes[:, :4]
    detections.scores[: len(rows)] = boxes[:, 4].clip(0, 1)


def _write(out: IO[str], frame: int, track_id: int, row: Row) -> None:
    x, y, width, height, score = row
    out.write(f"{frame},{track_id},{x:.2f},{y:.2f},{width:.2f},{height:.2f},{score:.4f},-1,-1,-1\n")
