"""The skeleton and the action network of a board, and the stages that run them."""

from __future__ import annotations

from drivers.board import Board
from drivers.faults import ModelRefused, NpuFault
from drivers.interfaces import U8, Npu, Session
from models.action import ActionNetwork
from models.package import Package
from models.signature import open_session
from models.skeleton import SkeletonNetwork
from models.tables import F32, Actions, Skeletons
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
        knows_absence: as `runtime.posture.Postures` says.
        sessions: as loaded; closing them is the caller's.
    """

    def __init__(
        self,
        skeleton_package: Package,
        action_package: Package,
        board: Board,
        npu: Npu,
        size: tuple[int, int],
    ) -> None:
        """Load them.

        Args:
            skeleton_package, action_package: verified.
            board: capacities, and whether outputs are checked.
            npu: what loads them.
            size: width and height of the pictures, pixels.

        Raises:
            ModelRefused, NpuFault: from the packages and the device.
        """
        models, checked = board.models, board.npu.golden_stale_check
        skeleton_session = _open(skeleton_package, "skeleton", npu)
        self.sessions: list[Session] = [skeleton_session]
        try:
            action_session = _open(action_package, "action", npu)
        except (ModelRefused, NpuFault):
            skeleton_session.close()
            raise
        self.sessions.append(action_session)
        self._size, self._tracks = size, board.limits.tracks
        self._looks = min(models.skeletons_per_frame, board.limits.tracks)
        self._look_session = WatchedSession(skeleton_session, checked)
        self._act_session = WatchedSession(action_session, checked)
        self._skeleton = SkeletonNetwork(skeleton_package, self._look_session, *size)
        self.knows_absence = knows_absence(self._skeleton, size)
        self._action = ActionNetwork(action_package, self._act_session, self._looks)
        self.actions = self._action.classes

    def postures(self) -> Postures:
        """A table for one context."""
        return Postures(self._tracks, self.actions, self.knows_absence)

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

    def glance(
        self, pixels: U8, box: F32, skeletons: Skeletons, actions: Actions, now_ms: float
    ) -> None:
        """Look at one person outside of the stages.

        Args:
            pixels: uint8[H, W, 3] BGR.
            box: float32[4] xyxy, pixels.
            skeletons, actions: of capacity 1, filled.
            now_ms: injected clock.

        Raises:
            NpuFault: a network failed.
        """
        self._look_session.now_ms = self._act_session.now_ms = now_ms
        self._skeleton.look(pixels, box, skeletons.keypoints[0])
        skeletons.count = 1
        self._action(skeletons, actions)


def _open(package: Package, role: str, npu: Npu) -> Session:
    if package.info.role != role:
        found = f'role = "{package.info.role}"; allowed for models.{role}: "{role}"'
        raise ModelRefused(str(package.folder), found)
    return open_session(package, npu)
