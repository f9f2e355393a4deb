"""Labelled skeletons as files: what each row may be called, and which rows are held out.

Neighbouring rows are neighbouring frames, so the last contiguous fifth of each class is held out,
never a random one; simulated people are held out whole.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from models.action import ACTIONS
from models.skeleton_files import read_skeletons
from models.skeletons import Layout
from models.tables import F32

HELD_OUT_SHARE: Final = 0.2
OWN: Final = "Apache-2.0, made by this project"
Bools = npt.NDArray[np.bool_]

ON_FEET: Final = ("stand", "work", "arms_raised", "walk", "run")
LZQ_A: Final = {
    "stand": ("stand",), "walk": ("walk",), "wave": ("arms_raised",), "squat": ("squat",),
}  # fmt: skip
LZQ_B: Final = {
    "0": ("stand",), "1": ("walk",), "2": ("work",), "3": ("fall", "lie", "crawl"), "4": ("run",),
}  # fmt: skip
BODY25: Final = {
    "Stand": ("stand",),
    "Seated": ("sit",),
    "Squat": ("squat",),
    "Plank": ("crawl", "lie"),
    "PushUp_Low": ("crawl", "lie"),
    "Yoga_UpwardSalute": ("arms_raised",),
    "Yoga_Tree_left": ("arms_raised",),
    "Yoga_Tree_right": ("arms_raised",),
    "Stand_LeftArmRaised": ("arms_raised",),
    "Stand_RightArmRaised": ("arms_raised",),
    "MilitarySalute": ON_FEET,
    "T": ON_FEET,
    "Traffic_AllStop": ON_FEET,
    "Traffic_BackFrontStop": ON_FEET,
    "Traffic_BackStop": ON_FEET,
    "Traffic_FrontStop": ON_FEET,
    "Traffic_LeftTurn": ON_FEET,
    "Traffic_RightTurn": ON_FEET,
    "Yoga_Warrior2_left": ON_FEET,
    "Yoga_Warrior2_right": ON_FEET,
}
"""Any of the names is right; where there are several, training pushes only the others down."""
JUDGED_BODY25: Final = ("Stand", "Seated", "Squat", "Plank", "Yoga_UpwardSalute")


@dataclass(frozen=True)
class Source:
    """One labelled set.

    Attributes:
        name: short, as the card shows it.
        licence: of the data.
        skeletons: float32[N, 17, 3] x, y, visibility, not normalised.
        accept: bool[N, 12], the actions that are right.
        labels: what the file calls each row.
        held_out: bool[N], never trained on.
        judged: bool[N], counts in the figures.
        digest: SHA-256 of the file.
        simulated: made by this project.
    """

    name: str
    licence: str
    skeletons: F32
    accept: Bools
    labels: npt.NDArray[np.str_]
    held_out: Bools
    judged: Bools
    digest: str
    simulated: bool = False


def last_fifth(labels: npt.NDArray[np.str_]) -> Bools:
    """The last contiguous fifth of each label's rows, bool[N]."""
    held_out = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        held_out[rows[len(rows) - round(HELD_OUT_SHARE * len(rows)) :]] = True
    return held_out


def accepted(labels: npt.NDArray[np.str_], names: dict[str, tuple[str, ...]]) -> Bools:
    """bool[N, 12] from each row's label.

    Raises:
        ValueError: a label that the table does not know.
    """
    unknown = sorted(set(labels.tolist()) - set(names))
    if unknown:
        raise ValueError(f"labels {', '.join(unknown)}; known: {', '.join(names)}")
    return np.array([[action in names[label] for action in ACTIONS] for label in labels])


def rehearsal(sources: list[Source]) -> list[Source]:
    """The training rows alone, with the last fifth of each label held out of those.

    For every choice (weights, steps, sizes), so that the rows that judge the end stay unseen.
    Simulated people stay as they are: there are always more of them.
    """
    return [source if source.simulated else _inner(source) for source in sources]


def _inner(source: Source) -> Source:
    rows = ~source.held_out
    labels = source.labels[rows]
    return replace(
        source, skeletons=source.skeletons[rows], accept=source.accept[rows], labels=labels,
        held_out=last_fifth(labels), judged=source.judged[rows],
    )  # fmt: skip


def read_all(data: Path, simulated: list[Path]) -> list[Source]:
    """Every set.

    Args:
        data: the shared data folder.
        simulated: npz files for `read_simulated`; a source is named as its file.
    """
    lzq, kit = data / "skeleton/lzq", data / "skeleton/pose_classification_kit/body25.npz"
    return [
        _by_block("lzq_a", lzq / "standing_walking_waving_squatting.csv", "openpose18", LZQ_A),
        _by_block(
            "lzq_b", lzq / "standing_walking_operating_falling_running.csv", "openpose18", LZQ_B
        ),
        _by_block("body25", kit, "body25", BODY25, "MIT", JUDGED_BODY25),
        *(read_simulated(path) for path in simulated),
    ]


def _by_block(
    name: str,
    path: Path,
    layout: Layout,
    names: dict[str, tuple[str, ...]],
    licence: str = "Apache-2.0",
    judged: tuple[str, ...] | None = None,
) -> Source:
    file = read_skeletons(path, layout)
    labels = np.array(file.labels)
    counts = np.isin(labels, judged) if judged else np.ones(len(labels), bool)
    accept = accepted(labels, names)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    held_out = last_fifth(labels)
    return Source(name, licence, file.skeletons, accept, labels, held_out, counts, digest)


def read_simulated(path: Path) -> Source:
    """Posed figures, simulated people, or skeletons that a network found in labelled pictures.

    `held_out` is in the file and goes by person or picture. An action may be several, joined by a
    bar: any of them is right. `licence` is there when the pictures are not this project's.
    """
    file = read_skeletons(path, "coco17")
    labels = np.array(file.labels)
    with np.load(path) as arrays:
        held_out = np.asarray(arrays["held_out"], bool)
        detail = np.asarray(arrays["doing"]) if "doing" in arrays.files else labels
        licence = str(arrays["licence"]) if "licence" in arrays.files else OWN
    accept = accepted(labels, {label: tuple(label.split("|")) for label in set(file.labels)})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    everyone = np.ones(len(labels), bool)
    return Source(
        path.stem, licence, file.skeletons, accept, detail, held_out, everyone, digest,
        licence == OWN,
    )  # fmt: skip
