"""The eyes of a camera: one student set, loaded for its pictures, and the stages that see by it.

A camera has one pair of eyes, and a second one while new students are on trial. Everything that
depends on a student set is made here, so that a swap exchanges rows of the stage table.
"""

from __future__ import annotations

import numpy as np

from drivers.board import Board
from drivers.faults import ModelRefused
from drivers.interfaces import Npu, Session
from drivers.npu.stale import StaleCheck
from models.action import ActionNetwork
from models.detector import Detector
from models.package import Package
from models.signature import open_session
from models.tables import Detections
from runtime import stages
from runtime.bodies import Bodies
from runtime.closer_look import look_stages
from runtime.context import Context
from runtime.exam import known
from runtime.loop import Stage, fresh
from runtime.metrics import Metrics
from runtime.packages import Packages
from runtime.people import PERSON, People
from runtime.privacy import Anonymiser
from runtime.privacy_stages import learn_stages
from runtime.second_look import second_look_stages

KEEP_SHARE = 0.8
"""Detections down to this share of the threshold may keep a track alive, never start one."""
DETECT_MS = 40.0


class Eyes:
    """One student set, loaded.

    Args:
        packages: the set.
        board: capacities, checks, looks per frame.
        npu: what loads them.
        size: width and height of the pictures, pixels.
        min_score: least score that may start a track, of the site; the package may ask for more.

    Attributes:
        packages: as given.
        detector, session: of the detector.
        sessions: of all networks, by role.
        classes: of the detector, by index.
        actions: of the action network; empty without one.
        people: parts people from equipment; None where the detector knows only people.
        bodies: skeleton and action network; None where no rule asks for them.
        birth_score: what starts a track.

    Raises:
        ModelRefused, NpuFault: from the packages and the device; nothing stays loaded.
    """

    def __init__(
        self,
        packages: Packages,
        board: Board,
        npu: Npu,
        size: tuple[int, int],
        min_score: float,
    ) -> None:
        self.packages = packages
        self._board = board
        self.sessions: dict[str, Session] = {}
        self.bodies: Bodies | None = None
        try:
            self._load_detector(packages.detector, npu, size, min_score)
            if packages.skeleton is not None and packages.action is not None:
                self.bodies = Bodies(packages.skeleton, packages.action, board, npu, size)
                self.sessions.update(zip(("skeleton", "action"), self.bodies.sessions, strict=True))
        except BaseException:
            self.close()
            raise
        self.actions = self.bodies.actions if self.bodies else ()

    def _load_detector(
        self, package: Package, npu: Npu, size: tuple[int, int], min_score: float
    ) -> None:
        self.session = open_session(package, npu)
        self.sessions["detector"] = self.session
        info, capacity = package.info, self._board.limits.detections
        self.classes = tuple(info.classes)
        self.birth_score = max(min_score, info.thresholds.score)
        people = People(self.classes, str(package.folder), capacity)
        self.people = people if len(self.classes) > 1 else None
        capacity = people.found.capacity if self.people else capacity
        least = info.thresholds.of(self.classes)
        least[self.classes.index(PERSON)] = KEEP_SHARE * self.birth_score
        self.detector = Detector(package, self.session, *size, capacity, least)
        self.stale = StaleCheck(self.session) if self._board.npu.golden_stale_check else None

    def first_rows(
        self,
        context: Context,
        metrics: Metrics,
        anonymiser: Anonymiser | None = None,
        behind: tuple[Stage, ...] = (),
    ) -> tuple[Stage, ...]:
        """The rows of the stage table before track: find people; `behind` follow detect."""
        detect = stages.Detect(self.detector, self.session, self.stale, metrics, self.people)
        capacity = 2 * self._board.limits.detections
        return (
            Stage("detect", detect, fresh, DETECT_MS),
            *behind,
            *learn_stages(anonymiser, self.detector, capacity, self.birth_score),
            *second_look_stages(context, self.detector, metrics),
        )

    def second_rows(
        self, context: Context, metrics: Metrics, looks: int | None = None
    ) -> tuple[Stage, ...]:
        """The rows after track: look at each of them."""
        per_frame = looks or self._board.models.closer_looks_per_frame
        bodies: tuple[Stage, ...] = ()
        if self.bodies is not None and context.postures is not None:
            bodies = self.bodies.stages(context.postures, metrics)
        return (*bodies, *look_stages(context, self.detector, per_frame, metrics))

    def rehearse(self) -> None:
        """Take all the memory that a frame can need. Raises NpuFault."""
        box = self.detector.letterbox
        pixels = np.full((box.source_h, box.source_w, 3), 114, np.uint8)
        found = Detections(2 * self._board.limits.detections)
        self.detector.prepare(pixels)
        self.session.invoke()
        self.detector.decode(found)
        self.detector.rehearse(found)

    def examine(self) -> int:
        """How much the action network knows of the exam; 0 without one. Raises NpuFault."""
        package = self.packages.action
        if self.bodies is None or package is None:
            return 0
        return known(ActionNetwork(package, self.sessions["action"], 1))

    def check_fits(self, other: Eyes) -> None:
        """Prove that another set may take the place of this one while the camera runs.

        Raises:
            ModelRefused: it finds or says other things: the rules were made for these.
        """
        for role, mine, theirs in (
            ("detector", self.classes, other.classes),
            ("action", self.actions, other.actions),
        ):
            if mine != theirs:
                names = ", ".join(theirs) or "none"
                detail = f"classes of the {role} = {names}; allowed: {', '.join(mine)}"
                raise ModelRefused(str(other.packages.detector.folder), detail)

    def close(self) -> None:
        """Free the networks. May be called twice."""
        for session in self.sessions.values():
            session.close()
        self.sessions.clear()
