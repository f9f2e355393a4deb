"""`haetae eval privacy`: how many faces do stock face finders see before and after anonymising?

Pictures and clips go through the loop's own detector, tracker and anonymiser. Pictures are single
ones, so no empty room can be learned from them. A clip is played again and again until the room is
learned, and once more to look for faces; what counts as the same face is not asked: every window
that a finder reports in an anonymised picture counts.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import cv2
import numpy as np

from drivers.board import NpuConfig
from drivers.faults import ModelRefused, NpuFault
from drivers.interfaces import U8, Frame
from models.detector import Detector
from models.evaluation import pictures
from models.package import find_package, load_package
from models.signature import open_session
from models.tables import Detections
from runtime import plugins
from runtime.context import Context
from runtime.privacy import Anonymiser
from runtime.privacy_faces import Find, face_finders
from runtime.privacy_stages import LearnRoom
from runtime.site import TrackingConfig
from runtime.site_privacy import Mode, PrivacyConfig
from runtime.tables import Hazards, Tracks
from runtime.track import Tracker

if TYPE_CHECKING:
    from drivers.interfaces import Session
    from models.package import Package

OK, FOUND, WRONG = 0, 1, 2
MODES: tuple[Mode, ...] = get_args(Mode)
DEFAULT_MODEL = "ppe_s"
CAPACITY, TRACKS = 64, 32
LEARN_MS = 5000
"""The shortest that a site may ask for: clips are short."""
MOST_PLAYS = 60
"""A clip in which no room was learned by then has none to learn."""


class NothingToLookAt(Exception):
    """No picture with a face, or a clip that cannot be read."""


class Chain:
    """Detector, tracker and anonymiser of one picture size and mode, as in the loop."""

    def __init__(
        self, package: Package, session: Session, size: tuple[int, int], config: PrivacyConfig
    ) -> None:
        score = package.info.thresholds.score
        self._detector = Detector(package, session, *size, 2 * CAPACITY, score)
        self.context = Context(Frame(*size), Detections(2 * CAPACITY), Tracks(TRACKS), Hazards(0))
        self._tracker = Tracker(self.context.tracks, TrackingConfig(), score)
        self.anonymiser = Anonymiser(*size, config)
        self._learn = LearnRoom(self.anonymiser, self._detector, 2 * CAPACITY, score)

    def __call__(self, pixels: U8, t_ms: float) -> U8:
        """One picture, anonymised; valid until the next call. Raises NpuFault."""
        context = self.context
        context.frame.pixels[:] = pixels
        context.t_ms = t_ms
        self._detector(context.frame.pixels, context.detections)
        self._tracker.update(context.detections, t_ms)
        self._learn(context)
        frame, detections, tracks = context.frame, context.detections, context.tracks
        return self.anonymiser(frame, detections, tracks, t_ms).pixels


class Count:
    """Faces by finder, in the raw pictures and in those of each mode."""

    def __init__(self, finders: dict[str, Find]) -> None:
        self._finders = finders
        self.pictures: Counter[str] = Counter()
        self.faces: Counter[tuple[str, str]] = Counter()

    def find(self, pixels: U8) -> dict[str, int]:
        """Number of faces by finder. Raises NpuFault."""
        return {name: len(find(pixels)) for name, find in self._finders.items()}

    def add(self, column: str, found: dict[str, int]) -> None:
        """Count one picture."""
        self.pictures[column] += 1
        for name, number in found.items():
            self.faces[name, column] += number

    def total(self, column: str) -> int:
        """Faces that all finders together have found."""
        return sum(number for (_, each), number in self.faces.items() if each == column)

    def table(self) -> str:
        """For people."""
        columns = ("raw", *(mode for mode in MODES if self.pictures[mode]))
        lines = [f"{'':<28}" + "".join(f"{column:>12}" for column in columns)]
        lines.append(f"{'pictures':<28}" + "".join(f"{self.pictures[c]:>12}" for c in columns))
        for name in self._finders:
            figures = "".join(f"{self.faces[name, column]:>12}" for column in columns)
            lines.append(f"{'faces by ' + name:<28}{figures}")
        return "\n".join(lines)


class Evaluation:
    """One detector over pictures and clips.

    Args:
        package, session: the detector, loaded.
        count: filled.
    """

    def __init__(self, package: Package, session: Session, count: Count) -> None:
        self._package, self._session, self._count = package, session, count

    def look_at_pictures(self, files: list[Path], wanted: int) -> int:
        """Anonymise pictures in which a face is found; returns how many there were."""
        done = 0
        for path in files:
            raw = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if raw is None:
                continue
            found = self._count.find(raw)
            if not any(found.values()):
                continue
            self._count.add("raw", found)
            self._look_at_picture(raw)
            done += 1
            if done == wanted:
                break
        return done

    def _look_at_picture(self, raw: U8) -> None:
        last: tuple[U8, dict[str, int]] | None = None
        for mode in MODES:
            shown = self._chain(raw, mode)(raw, 0.0)
            if last is None or not np.array_equal(shown, last[0]):
                last = shown.copy(), self._count.find(shown)
            self._count.add(mode, last[1])

    def look_at_clip(self, path: Path, every: int) -> float:
        """Learn the room of a clip, then look at each so many pictures of it.

        Returns:
            the share of the room that was learned, in mode "people"; 0 where none was.

        Raises:
            NothingToLookAt: the clip cannot be read.
        """
        raw, fps = _read(path)
        numbers = range(0, len(raw), every)
        for number in numbers:
            self._count.add("raw", self._count.find(raw[number]))
        learned = 0.0
        for mode in MODES:
            chain, t_ms = self._chain(raw[0], mode), 0.0
            for _ in range(MOST_PLAYS if mode != "everything" else 1):
                if chain.anonymiser.empty_scene() is not None:
                    break
                for pixels in raw:
                    chain(pixels, t_ms)
                    t_ms += 1000.0 / fps
            for number, pixels in enumerate(raw):
                shown = chain(pixels, t_ms)
                t_ms += 1000.0 / fps
                if number in numbers:
                    self._count.add(mode, self._count.find(shown))
            if mode == "people":
                learned = chain.anonymiser.learned_share
        return learned

    def _chain(self, raw: U8, mode: Mode) -> Chain:
        config = PrivacyConfig(mode=mode, learn_ms=LEARN_MS)
        return Chain(self._package, self._session, (raw.shape[1], raw.shape[0]), config)


def _read(path: Path) -> tuple[list[U8], float]:
    """All pictures of a clip. Raises NothingToLookAt."""
    reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        fps = reader.get(cv2.CAP_PROP_FPS) or 10.0
        frames = []
        while True:
            done, pixels = reader.read()
            if not done:
                break
            frames.append(pixels)
    finally:
        reader.release()
    if not frames:
        raise NothingToLookAt(f"{path}: no picture can be read from it")
    return frames, fps


def privacy(argv: list[str]) -> int:
    """`haetae eval privacy`. Returns 0, 1 where a face was found, 2 for what is refused."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not (arguments.images or arguments.video):
        parser.error("name --images or --video, or both")
    try:
        count = Count(face_finders(arguments.faces))
        npu = plugins.driver("npu", "tflite")(NpuConfig(driver="tflite"))
        package = load_package(find_package(arguments.model), npu.target)
        evaluation = Evaluation(package, open_session(package, npu), count)
        _look(evaluation, arguments)
    except (ModelRefused, NpuFault, NothingToLookAt, OSError) as refused:
        sys.stderr.write(f"{refused}\n")
        return WRONG
    sys.stdout.write(f"{count.table()}\n")
    return FOUND if any(count.total(mode) for mode in MODES) else OK


def _look(evaluation: Evaluation, arguments: argparse.Namespace) -> None:
    for clip in arguments.video:
        share = evaluation.look_at_clip(clip, arguments.every)
        sys.stdout.write(f"{clip.name}: {share:.0%} of the room learned\n")
    if arguments.images:
        files = [path for folder in arguments.images for path in pictures(folder)]
        random.Random(arguments.seed).shuffle(files)
        done = evaluation.look_at_pictures(files, arguments.pictures)
        if not done:
            raise NothingToLookAt("no picture with a face in any folder")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("haetae eval privacy", description=privacy.__doc__)
    parser.add_argument("--images", type=Path, action="append", default=[], help="a folder")
    parser.add_argument("--video", type=Path, action="append", default=[], help="a clip")
    parser.add_argument(
        "--faces", type=Path, action="append", default=[], help="a MediaPipe face detector, .tflite"
    )
    parser.add_argument("--pictures", type=int, default=200, help="with a face, to look at")
    parser.add_argument("--every", type=int, default=10, help="of a clip: each so many pictures")
    parser.add_argument("--seed", type=int, default=0, help="chooses among the pictures")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="detector package")
    return parser
