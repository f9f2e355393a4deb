"""The skeleton and the action network of a board, and the stages that run them."""

from __future__ import annotations

from drivers.board import Board
from drivers.faults import ModelRefused
from drivers.interfaces import Npu, Session
from models.action import ActionNetwork
from models.package import Package, find_package, load_package
from models.signature import open_session
from models.skeleton import SkeletonNetwork
from models.tables import Actions, Skeletons
from runtime.loop import Stage, judged
from runtime.metrics import Metrics
from runtime.posture import Postures
from runtime.posture_network import WatchedSession, knows_absence
from runtime.posture_stages import Act, Look

SKELETON_MS, ACTION_MS = 20.0, 1.0
"""Budgets of the two stages, all looks of a frame together."""


class Bodies:
    """Both networks, loaded; shared by the loop and its rehearsal.

    Attributes:
        actions: names of the action network's classes.
        sessions: as loaded; closing them is the caller's.
    """

    def __init__(self, board: Board, npu: Npu, size: tuple[int, int]) -> None:
        """Load them.

        Args:
            board: names the packages.
            npu: what loads them.
            size: width and height of the pictures, pixels.

        Raises:
            ModelRefused, NpuFault: from the packages and the device.
        """
        models, checked = board.models, board.npu.golden_stale_check
        skeleton, skeleton_session = _load(models.skeleton, "skeleton", npu)
        self.sessions: list[Session] = [skeleton_session]
        action, action_session = _load(models.action, "action", npu)
        self.sessions.append(action_session)
        self._size, self._tracks = size, board.limits.tracks
        self._looks = min(models.skeletons_per_frame, board.limits.tracks)
        self._look_session = WatchedSession(skeleton_session, checked)
        self._act_session = WatchedSession(action_session, checked)
        self._skeleton = SkeletonNetwork(skeleton, self._look_session, *size)
        self._knows_absence = knows_absence(self._skeleton, size)
        self._action = ActionNetwork(action, self._act_session, self._looks)
        self.actions = self._action.classes

    def postures(self) -> Postures:
        """A table for one context."""
        return Postures(self._tracks, self.actions, self._knows_absence)

    def stages(self, postures: Postures, metrics: Metrics) -> tuple[Stage, Stage]:
        """The rows of the stage table, between track and rules.

        Args:
            postures: of the context that they will work on.
            metrics: counts errors and looks left out.
        """
        skeletons, actions = Skeletons(self._looks), Actions(self._looks, len(self.actions))
        look = Look(self._skeleton, self._look_session, postures, skeletons, metrics, self._size)
        act = Act(self._action, self._act_session, postures, skeletons, actions, metrics)
        return (
            Stage("skeleton", look, judged, SKELETON_MS),
            Stage("action", act, judged, ACTION_MS),
        )


def _load(name: str, role: str, npu: Npu) -> tuple[Package, Session]:
    package = load_package(find_package(name), npu.target)
    if package.info.role != role:
        found = f'role = "{package.info.role}"; allowed for models.{role}: "{role}"'
        raise ModelRefused(str(package.folder), found)
    return package, open_session(package, npu)
