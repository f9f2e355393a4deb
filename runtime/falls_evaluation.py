"""`haetae eval falls`: the whole loop over clips of falls and of daily life.

The folder is laid out as the data set GMDCSA-24 (Alam et al., 2024): per subject a folder with
`Fall` and `ADL`, and beside each a CSV with the times of the actions of every clip, such as
`14.mp4,...,Falling (BW) [0.3 to 5]; Standing [0 to 0.2]`. Clips that are not there are left out.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LIMIT_S = 3.0
"""A fall has to raise man_down this soon after its annotated start."""
FALLING = re.compile(r"Falling[^\[;]*\[\s*(\d+(?:\.\d+)?)\s*to")
GOOD = ("in time", "quiet")
BOARD, SITE = "board_configs/sim.toml", "board_configs/site/man_down.toml"


class Clip(NamedTuple):
    """One clip; `start_s`: annotated start of the fall, None in a clip of daily life."""

    path: Path
    start_s: float | None


class ClipRefused(Exception):
    """A folder without clips or annotations, or a clip that the camera could not play."""


def find_clips(folder: Path) -> list[Clip]:
    """All clips of all subjects that are there.

    Raises:
        ClipRefused: there is none, or a fall has no annotated start.
    """
    clips = []
    for path in sorted(folder.glob("*/ADL/*.mp4")):
        clips.append(Clip(path, None))
    for path in sorted(folder.glob("*/Fall/*.mp4")):
        clips.append(Clip(path, _start_s(path)))
    if not clips:
        raise ClipRefused(f"{folder}: no SUBJECT/Fall/*.mp4 and no SUBJECT/ADL/*.mp4 in it")
    return clips


def _start_s(path: Path) -> float:
    """Annotated start of the fall of one clip, seconds."""
    table = path.parent.parent / "Fall.csv"
    try:
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ClipRefused(f"{table}: {error.strerror}") from error
    for line in lines:
        if line.partition(",")[0].strip() == path.name:
            starts = [float(start) for start in FALLING.findall(line)]
            if starts:
                return min(starts)
    raise ClipRefused(f"{table}: no line says when {path.name} is Falling [START to END]")


def judge(clip: Clip, raised_s: list[float]) -> tuple[str, float | None]:
    """The verdict, and the time of the alarm that it is about, seconds.

    Args:
        clip: with the annotated start.
        raised_s: times at which man_down was raised.
    """
    if clip.start_s is None:
        return ("false alarm", raised_s[0]) if raised_s else ("quiet", None)
    early = [at for at in raised_s if at < clip.start_s]
    if early:
        return "false alarm", early[0]
    if not raised_s:
        return "missed", None
    return "in time" if raised_s[0] - clip.start_s <= LIMIT_S else "late", raised_s[0]


def raised_times(clip: Clip, arguments: argparse.Namespace) -> list[float]:
    """Play one clip as fast as the machine; a process each, as a sealed one stays sealed.

    Raises:
        ClipRefused: the run ended with an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.jsonl"
        words = ["run", "--board", arguments.board, "--site", arguments.site, "--fast"]
        words += ["--source", str(clip.path), "--events", str(events)]
        words += ["--journal", str(Path(folder) / "journal.ring")]
        for name in ("model", "skeleton", "action"):
            if getattr(arguments, name):
                words += [f"--{name}", getattr(arguments, name)]
        if arguments.clips:
            words += ["--video", str(arguments.clips / f"{_name(clip).replace('/', '_')}.mp4")]
        command = [sys.executable, "-m", "runtime.main", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClipRefused(f"{clip.path}: {done.stderr.strip()}")
        return list(_raised(events))


def _raised(events: Path) -> Iterator[float]:
    for line in events.read_text().splitlines():
        event = json.loads(line)
        if (event["kind"], event["rule"], event["state"]) == ("hazard", "man_down", "raised"):
            yield event["t_ms"] / 1000


def falls(argv: list[str]) -> int:
    """`haetae eval falls`. Returns 0, or 2 for a folder or a run that is refused."""
    arguments = _parser().parse_args(argv)
    verdicts: Counter[str] = Counter()
    try:
        clips = find_clips(arguments.videos)
        sys.stdout.write(f"{'clip':<24}{'fall':>8}{'man_down':>10}{'delay':>8}  verdict\n")
        for clip in clips:
            verdict, at_s = judge(clip, raised_times(clip, arguments))
            verdicts[verdict] += 1
            _show(clip, verdict, at_s)
    except ClipRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    found, daily = sum(clip.start_s is not None for clip in clips), "quiet"
    sys.stdout.write(
        f"falls in time ({LIMIT_S:g} s): {verdicts['in time']} of {found};"
        f" daily life without alarm: {verdicts[daily]} of {len(clips) - found}\n"
    )
    return 0


def _show(clip: Clip, verdict: str, at_s: float | None) -> None:
    start = "-" if clip.start_s is None else f"{clip.start_s:.1f} s"
    at = "-" if at_s is None else f"{at_s:.2f} s"
    delay = "-" if at_s is None or clip.start_s is None else f"{at_s - clip.start_s:.2f} s"
    sys.stdout.write(f"{_name(clip):<24}{start:>8}{at:>10}{delay:>8}  {verdict}\n")
    sys.stdout.flush()


def _name(clip: Clip) -> str:
    return "/".join(clip.path.with_suffix("").parts[-3:])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("haetae eval falls", description=falls.__doc__)
    parser.add_argument("--videos", type=Path, required=True, help="folder of subjects")
    parser.add_argument("--board", default=BOARD, help="board file")
    parser.add_argument("--site", default=SITE, help="site file with a man_down rule")
    parser.add_argument("--model", default="", help="detector package")
    parser.add_argument("--skeleton", default="", help="skeleton package")
    parser.add_argument("--action", default="", help="action package")
    parser.add_argument("--clips", type=Path, help="folder for annotated, anonymised clips")
    return parser
