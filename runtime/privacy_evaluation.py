"""`haetae eval privacy`: how many faces do stock face finders see before and after anonymising?

Pictures and clips go through the loop's own detector, tracker and anonymiser. Pictures are single
ones, so no empty room can be learned from them. A clip is played again and again until the room is
learned, and once more to look for faces.
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
from runtime.people import People
from runtime.privacy import Anonymiser
from runtime.privacy_faces import Face, Find, face_finders, touch
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
FPS = 5.0
"""Clips are looked at no faster than the room is learned."""
LEARN_MS = 5000
"""The shortest that a site may ask for: clips are short."""
MOST_PLAYS = 20
"""A clip in which no room was learned by then has none to learn."""


class NothingToLookAt(Exception):
    """No picture with a face, or a clip that cannot be read."""


class Chain:
    """Detector, tracker and an anonymiser per mode, as in the loop, for one picture size."""

    def __init__(self, package: Package, session: Session, size: tuple[int, int]) -> None:
        score = package.info.thresholds.score
        self._people = People(package.info.classes, str(package.folder), CAPACITY)
        self._detector = Detector(package, session, *size, 2 * CAPACITY, score)
        self._context = Context(Frame(*size), Detections(CAPACITY), Tracks(TRACKS), Hazards(0))
        self._tracker = Tracker(self._context.tracks, TrackingConfig(), score)
        self.anonymisers: dict[Mode, Anonymiser] = {}
        self._learn: list[LearnRoom] = []
        for mode in MODES:
            config = PrivacyConfig(mode=mode, learn_ms=LEARN_MS)
            anonymiser = self.anonymisers[mode] = Anonymiser(*size, config)
            self._learn.append(LearnRoom(anonymiser, self._detector, 2 * CAPACITY, score))

    @property
    def knows_room(self) -> bool:
        """Every mode has learned the empty room."""
        return all(each.learned_share > 0.0 for each in self.anonymisers.values())

    def look(self, pixels: U8, t_ms: float) -> None:
        """Detect, follow and learn. Raises NpuFault."""
        context = self._context
        context.frame.pixels[:] = pixels
        context.t_ms = t_ms
        self._detector(context.frame.pixels, self._people.found)
        self._people.part(context.detections, context.equipment)
        self._tracker.update(context.detections, t_ms)
        for learn in self._learn:
            learn(context)

    def shown(self, mode: Mode) -> U8:
        """The picture that was looked at last, anonymised; valid until the next call."""
        context = self._context
        return self.anonymisers[mode](
            context.frame, context.detections, context.tracks, context.t_ms
        ).pixels


Found = dict[str, list[Face]]
"""What each finder has found in one picture."""


class Count:
    """Faces by finder, in the raw pictures and in those of each mode.

    Attributes:
        pictures: by column, "raw" or a mode.
        windows: what was reported, by finder and column.
        faces: of these, the ones on a face that any finder found in the raw picture.
    """

    def __init__(self, finders: dict[str, Find]) -> None:
        self._finders = finders
        self.pictures: Counter[str] = Counter()
        self.windows: Counter[tuple[str, str]] = Counter()
        self.faces: Counter[tuple[str, str]] = Counter()

    def find(self, pixels: U8) -> Found:
        """Faces by finder. Raises NpuFault."""
        return {name: find(pixels) for name, find in self._finders.items()}

    def add(self, column: str, found: Found, raw: Found) -> None:
        """Count one picture, and the same before it was anonymised."""
        self.pictures[column] += 1
        real = [face for faces in raw.values() for face in faces]
        for name, faces in found.items():
            self.windows[name, column] += len(faces)
            self.faces[name, column] += sum(any(touch(f, r) for r in real) for f in faces)

    def total(self, column: str) -> int:
        """Windows on faces, of all finders together."""
        return sum(number for (_, each), number in self.faces.items() if each == column)

    def table(self) -> str:
        """For people: in brackets what was reported where there is no face."""
        columns = ("raw", *(mode for mode in MODES if self.pictures[mode]))
        lines = [f"{'':<32}" + "".join(f"{column:>12}" for column in columns)]
        lines.append(f"{'pictures':<32}" + "".join(f"{self.pictures[c]:>12}" for c in columns))
        for name in self._finders:
            cells = [self._cell(name, column) for column in columns]
            lines.append(f"{'faces by ' + name:<32}" + "".join(f"{cell:>12}" for cell in cells))
        return "\n".join(lines)

    def _cell(self, name: str, column: str) -> str:
        faces, windows = self.faces[name, column], self.windows[name, column]
        return f"{faces} ({windows - faces})" if windows > faces else f"{faces}"


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
            self._count.add("raw", found, found)
            self._look_at_picture(raw, found)
            done += 1
            if done == wanted:
                break
        return done

    def _look_at_picture(self, raw: U8, real: Found) -> None:
        chain = self._chain(raw)
        chain.look(raw, 0.0)
        last: tuple[U8, Found] | None = None
        for mode in MODES:
            shown = chain.shown(mode)
            if last is None or not np.array_equal(shown, last[0]):
                last = shown.copy(), self._count.find(shown)
            self._count.add(mode, last[1], real)

    def look_at_clip(self, path: Path, every: int) -> float:
        """Learn the room of a clip, then look at each so many pictures of it.

        Returns:
            the share of the room that was learned; 0 where there was none to learn.

        Raises:
            NothingToLookAt: the clip cannot be read.
        """
        raw, step_ms = _read(path)
        chain, t_ms = self._chain(raw[0]), 0.0
        for _ in range(MOST_PLAYS):
            for pixels in raw:
                chain.look(pixels, t_ms)
                t_ms += step_ms
            if chain.knows_room:
                break
        for number, pixels in enumerate(raw):
            chain.look(pixels, t_ms)
            shown = {mode: chain.shown(mode) for mode in MODES}
            t_ms += step_ms
            if number % every == 0:
                real = self._count.find(pixels)
                self._count.add("raw", real, real)
                for mode in MODES:
                    self._count.add(mode, self._count.find(shown[mode]), real)
        return chain.anonymisers["people"].learned_share

    def _chain(self, raw: U8) -> Chain:
        return Chain(self._package, self._session, (raw.shape[1], raw.shape[0]))


def _read(path: Path) -> tuple[list[U8], float]:
    """Some pictures a second of a clip, and ms between them. Raises NothingToLookAt."""
    reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        fps = reader.get(cv2.CAP_PROP_FPS) or FPS
        stride, frames, number = max(1, round(fps / FPS)), [], 0
        while reader.grab():
            if number % stride == 0:
                frames.append(reader.retrieve()[1])
            number += 1
    finally:
        reader.release()
    if not frames:
        raise NothingToLookAt(f"{path}: no picture can be read from it")
    return frames, 1000.0 * stride / fps


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
    parser.add_argument(
        "--every", type=int, default=2, help="of a clip: each so many pictures, of 5 a second"
    )
    parser.add_argument("--seed", type=int, default=0, help="chooses among the pictures")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="detector package")
    return parser
