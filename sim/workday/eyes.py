"""What good networks would tell of the true people: their boxes, equipment and skeletons, with
the mistakes that networks make: jitter, misses that last, people behind people.

For rules that are to be judged apart from how well today's networks see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.tables import Detections
from runtime.overlap import share_of_both, share_of_first
from runtime.posture import Postures
from runtime.posture_form import torso_length
from runtime.tables import Tracks, TrackState
from sim.world.truth import VISIBLE, PersonTruth

CLASSES = ("person", "helmet", "vest", "bare_head")
HEAD_SHARE = 0.085
"""Half a head with its helmet, of the person's height in metres."""
SHOULDERS_HIPS = (5, 6, 11, 12)
EARS = (3, 4)
LEAST_SHARE = 0.3
"""Less of a body in the picture is not seen."""
MOST_COVERED = 0.65
"""More of a box behind somebody nearer is not seen."""


SURE = 0.95
"""Score of the action that is told."""


@dataclass(frozen=True)
class Mistakes:
    """How the networks err.

    Attributes:
        jitter: of each side of a box and each joint, standard deviation, shares of the height.
        memory: of the jitter from one frame to the next; 1 would be for ever.
        miss: share of the frames in which somebody is not seen.
        miss_ms: how long such a gap lasts, mean.
        item_miss: share of the frames in which a helmet or vest is not seen.
        wrong_action: share of the looks whose action is another.
    """

    jitter: float = 0.012
    memory: float = 0.6
    miss: float = 0.04
    miss_ms: float = 250.0
    item_miss: float = 0.15
    wrong_action: float = 0.05


BY_WEATHER = {
    "day": Mistakes(),
    "night": Mistakes(jitter=0.016, miss=0.08, item_miss=0.25),
    "rain": Mistakes(jitter=0.016, miss=0.08, item_miss=0.25),
    "snow": Mistakes(jitter=0.014, miss=0.06, item_miss=0.20),
}
"""How good networks err in each hour."""


class _Person:
    """Mistakes about one person that last from frame to frame."""

    def __init__(self) -> None:
        self.jitter = np.zeros(4)
        self.unseen_until_ms = 0.0


class Eyes:
    """Fills the tables that the networks' stages would fill.

    Args:
        mistakes: how they err.
        seed: of the mistakes.
        frame_ms: from one picture to the next.
    """

    def __init__(self, mistakes: Mistakes, seed: int, frame_ms: float) -> None:
        self._mistakes, self._frame_ms = mistakes, frame_ms
        self._rng = np.random.default_rng(seed)
        self._people: dict[str, _Person] = {}
        self._seen: list[tuple[PersonTruth, np.ndarray]] = []

    def see(
        self,
        people: Sequence[PersonTruth],
        t_ms: float,
        detections: Detections,
        equipment: Detections,
    ) -> None:
        """One picture: `detections` gets the people, `equipment` what they wear."""
        detections.count = equipment.count = 0
        self._seen.clear()
        inside = [p for p in people if p.box is not None and p.in_view >= LEAST_SHARE]
        names = {person.name for person in inside}
        for name in [name for name in self._people if name not in names]:
            del self._people[name]
        nearest = sorted(inside, key=_bottom, reverse=True)
        for i, person in enumerate(nearest):
            covered = max((_covered(person, other) for other in nearest[:i]), default=0.0)
            if self._misses(person.name, t_ms) or covered > MOST_COVERED:
                continue
            box = self._jittered(person)
            self._seen.append((person, box))
            _add(detections, box, 0.9 - 0.4 * covered + 0.05 * self._rng.random(), 0)
            self._see_equipment(person, box, equipment)
        _sort(detections)
        _sort(equipment)

    def look(self, tracks: Tracks, postures: Postures, t_ms: float) -> None:
        """The skeleton and the action of every confirmed track that was seen."""
        for slot in tracks.died:
            postures.forget(slot)
        for slot in tracks.live.tolist():
            is_seen = tracks.last_ms.item(slot) == t_ms
            if not is_seen or tracks.state.item(slot) != TrackState.CONFIRMED:
                continue
            person = self._owner(tracks.boxes[slot])
            postures.looked_ms[slot] = postures.detected_ms[slot] = t_ms
            if person is not None:
                self._fill(slot, person, postures, t_ms)

    def _misses(self, name: str, t_ms: float) -> bool:
        state, m = self._people.setdefault(name, _Person()), self._mistakes
        if t_ms < state.unseen_until_ms:
            return True
        if self._rng.random() < m.miss * self._frame_ms / m.miss_ms:
            state.unseen_until_ms = t_ms + self._rng.exponential(m.miss_ms)
            return True
        return False

    def _jittered(self, person: PersonTruth) -> np.ndarray:
        """float64[4]: the box with the mistake of this frame, which is much like the last one."""
        box = np.array(person.box)
        state, m = self._people[person.name], self._mistakes
        fresh = self._rng.normal(0.0, m.jitter, 4) * np.sqrt(1.0 - m.memory**2)
        state.jitter = m.memory * state.jitter + fresh
        return box + state.jitter * max(box[3] - box[1], box[2] - box[0])

    def _see_equipment(self, person: PersonTruth, box: np.ndarray, equipment: Detections) -> None:
        joints = person.keypoints
        if (joints[EARS, 2] == VISIBLE).any():
            seen = joints[EARS, :2][joints[EARS, 2] == VISIBLE]
            x, y = seen.mean(0)
            half = HEAD_SHARE * _standing_px(person)
            head = np.array([x - half, y - 1.3 * half, x + half, y + 0.9 * half])
            self._add_item(equipment, head, "helmet" if person.helmet else "bare_head")
        torso = joints[SHOULDERS_HIPS, :]
        if person.vest and (torso[:, 2] == VISIBLE).all():
            low, high = torso[:, :2].min(0), torso[:, :2].max(0)
            edge = 0.04 * _standing_px(person)
            self._add_item(equipment, np.array([*(low - edge), *(high + edge)]), "vest")

    def _add_item(self, equipment: Detections, box: np.ndarray, name: str) -> None:
        if self._rng.random() >= self._mistakes.item_miss:
            _add(equipment, box, self._rng.uniform(0.5, 0.9), CLASSES.index(name))

    def _owner(self, box: np.ndarray) -> PersonTruth | None:
        """Who was seen there."""
        best, found = 0.3, None
        for person, seen in self._seen:
            share = share_of_both(box.tolist(), seen.tolist())
            if share > best:
                best, found = share, person
        return found

    def _fill(self, slot: int, person: PersonTruth, postures: Postures, t_ms: float) -> None:
        joints = person.keypoints.copy()
        is_seen = joints[:, 2] == VISIBLE
        joints[:, :2] += self._rng.normal(0.0, self._mistakes.jitter, (17, 2)) * _standing_px(
            person
        )
        joints[:, 2] = is_seen * 0.9
        joints[~is_seen, :2] = 0.0
        postures.keypoints[slot] = joints
        postures.torso_px[slot] = torso_length(joints.tolist())
        scores = postures.scores[slot]
        scores[:] = (1.0 - SURE) / max(len(scores) - 1, 1)
        action: str = person.action
        if self._rng.random() < self._mistakes.wrong_action:
            action = postures.actions[int(self._rng.integers(len(postures.actions)))]
        scores[postures.actions.index(action)] = SURE
        postures.found_ms[slot] = postures.judged_ms[slot] = t_ms


def _add(table: Detections, box: np.ndarray, score: float, kind: int) -> None:
    row = table.count
    if row < table.capacity:
        table.boxes[row], table.scores[row], table.classes[row] = box, score, kind
        table.count = row + 1


def _sort(table: Detections) -> None:
    """Best score first, as detectors do."""
    n = table.count
    order = np.argsort(-table.scores[:n], kind="stable")
    for column in (table.boxes, table.scores, table.classes):
        column[:n] = column[:n][order]


def _bottom(person: PersonTruth) -> float:
    assert person.box is not None
    return person.box[3]


def _covered(person: PersonTruth, nearer: PersonTruth) -> float:
    """Share of the person's box behind somebody nearer."""
    assert person.box is not None
    assert nearer.box is not None
    return share_of_first(person.box, nearer.box)


def _standing_px(person: PersonTruth) -> float:
    """About the height in the picture of this person standing upright, by the longest limbs."""
    joints = [[x, y, float(v == VISIBLE)] for x, y, v in person.keypoints.tolist()]
    return max(2.85 * torso_length(joints), 12.0)
