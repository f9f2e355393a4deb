"""Run the loop's tracker over MOTChallenge text files.

Format: frame,id,x,y,w,h,score,-1,-1,-1 with frames from 1 and pixels (Leal-Taixe et al.,
MOTChallenge 2015, arXiv:1504.01942).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from models.tables import Detections
from runtime.site import TrackingConfig
from runtime.tables import Tracks, TrackState
from runtime.track import Tracker

CAPACITY = 128
"""Rows and slots: the crowds of the benchmark are larger than a camera's."""
COLUMNS = 7
Row = tuple[float, ...]


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
    frames: dict[int, list[Row]], tracker: Tracker, size: tuple[int, int], fps: float
) -> Iterator[tuple[int, int, Row]]:
    """Follow people through all frames, empty ones too.

    Args:
        frames: from `read_rows`.
        tracker: fresh.
        size: width and height of the picture, pixels; boxes are clipped to it.
        fps: frames per second.

    Yields:
        frame number, track id, (x, y, w, h, score) of each confirmed track seen in that frame.
    """
    detections = Detections(CAPACITY)
    for frame in range(1, max(frames, default=0) + 1):
        t_ms = (frame - 1) * 1000.0 / fps
        _fill(detections, frames.get(frame, []), size)
        tracker.update(detections, t_ms)
        tracks = tracker.tracks
        for slot in tracks.live.tolist():
            if tracks.state[slot] == TrackState.CONFIRMED and tracks.last_ms[slot] == t_ms:
                x1, y1, x2, y2 = tracks.boxes[slot].tolist()
                score = float(tracks.score[slot])
                yield frame, int(tracks.track_id[slot]), (x1, y1, x2 - x1, y2 - y1, score)


def track(argv: list[str]) -> int:
    """`haetae eval track`: detections in, tracks out. Returns 0, or 2 for a refused file."""
    parser = argparse.ArgumentParser("haetae eval track", description=track.__doc__)
    parser.add_argument("--detections", type=Path, required=True, help="MOTChallenge det.txt")
    parser.add_argument("--width", type=int, required=True, help="picture width, pixels")
    parser.add_argument("--height", type=int, required=True, help="picture height, pixels")
    parser.add_argument("--fps", type=float, required=True, help="frames per second")
    parser.add_argument("--out", type=Path, required=True, help="tracks in the same format")
    parser.add_argument("--birth-score", type=float, default=0.6, help="least score of a start")
    parser.add_argument("--confirm-ms", type=int, default=TrackingConfig().confirm_ms)
    arguments = parser.parse_args(argv)
    if arguments.fps <= 0 or arguments.width < 1 or arguments.height < 1:
        parser.error("--fps, --width and --height must be greater than 0")
    try:
        frames = read_rows(arguments.detections)
    except (TextRefused, OSError) as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    config = TrackingConfig(confirm_ms=arguments.confirm_ms)
    tracker = Tracker(Tracks(CAPACITY), config, arguments.birth_score)
    with arguments.out.open("w", encoding="utf-8") as out:
        size = arguments.width, arguments.height
        for row in track_frames(frames, tracker, size, arguments.fps):
            _write(out, *row)
    return 0


def _fill(detections: Detections, rows: list[Row], size: tuple[int, int]) -> None:
    rows = sorted(rows, key=lambda row: -row[4])[:CAPACITY]
    detections.count = len(rows)
    if not rows:
        return
    table = np.array(rows, np.float32)
    table[:, 2:4] += table[:, :2]
    table[:, 0:4:2] = table[:, 0:4:2].clip(0, size[0])
    table[:, 1:4:2] = table[:, 1:4:2].clip(0, size[1])
    detections.boxes[: len(rows)] = table[:, :4]
    detections.scores[: len(rows)] = table[:, 4]


def _write(out: IO[str], frame: int, track_id: int, row: Row) -> None:
    x, y, width, height, score = row
    out.write(f"{frame},{track_id},{x:.2f},{y:.2f},{width:.2f},{height:.2f},{score:.4f},-1,-1,-1\n")
