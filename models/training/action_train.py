"""Train the action student on one core, in minutes; stop and start again as you like.

python -m models.training.action_figures --out posed.npz
python -m sim.dataset.skeletons --out simulated.npz
python -m models.training.action_train RUN --simulated posed.npz simulated.npz

Choices are made with --rehearse, which never looks at the rows that judge the end.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.skeletons import REACH, normalise
from models.tables import F32
from models.training.action_augment import augment
from models.training.action_sources import Source, read_all, rehearsal
from models.training.action_student import BLOCKS, BOTTLENECK, INPUTS, WIDTH, ActionStudent
from models.training.dataset import data_folder

log = logging.getLogger(__name__)

Shape = tuple[int, int, int]
SHAPE: Shape = (WIDTH, BOTTLENECK, BLOCKS)
BATCH = 512
PEAK_RATE, FINAL_SHARE, WARM_UP_STEPS = 3e-3, 0.01, 200
WEIGHT_DECAY, BETAS, CLIP = 0.02, (0.9, 0.98), 5.0
EMA_DECAY = 0.998
SHARES = {
    "lzq_a": 2.2, "lzq_b": 2.8, "body25": 1.5, "posed": 0.3, "simulated": 0.6,
    "fall_posture": 1.1, "seen": 0.45,
}  # fmt: skip
"""How often a label of a set is drawn, against the labels of the others."""
MORE = {
    ("lzq_a", "walk"): 1.3, ("lzq_b", "1"): 1.2, ("lzq_b", "2"): 2.0, ("lzq_b", "3"): 2.0,
    ("lzq_b", "4"): 1.3, ("body25", "Stand"): 3.0, ("body25", "Seated"): 4.0,
    ("fall_posture", "Fall"): 1.5, ("fall_posture", "Sit"): 1.3,
    ("posed", "stand"): 0.5, ("posed", "walk"): 0.8, ("posed", "squat"): 0.7,
    ("simulated", "walk"): 1.6, ("simulated", "fall"): 2.0, ("simulated", "sit"): 1.5,
    ("seen", "walk"): 2.2, ("seen", "stand"): 1.7, ("seen", "work"): 1.5,
    ("seen", "arms_raised"): 0.8, ("seen", "sit"): 0.8, ("seen", "bend"): 0.7,
    ("seen", "run"): 0.6, ("seen", "climb"): 0.6, ("seen", "crawl"): 0.35, ("seen", "fall"): 0.15,
}  # fmt: skip
"""Labels against the others of their set. About as often as in a day's work where the skeletons
are a network's: what cannot be told from a bad one should be called the usual, not the alarming."""
UNSURE_SHARE = 0.1
"""For labels that stand for several actions and are not judged."""
STRENGTHS = {"lzq_a": 0.1, "lzq_b": 0.1, "body25": 0.15}
"""Augmentation of a set's rows; where not named 0 to 1, drawn anew, more often strong."""
STRENGTH_SHARE = 0.06
"""Of those rows, this share goes through the whole augmentation all the same."""
TEACH_SHARE, SOFTEN = 0.5, 2.0
"""Of the loss, where there are teachers (Hinton et al., 2015); their temperature."""
LOG_STEPS, SAVE_STEPS = 500, 1000


class Mixture:
    """Training rows of all sets, drawn label by label.

    Attributes:
        skeletons: float32[N, 17, 3].
        accept: bool[N, 12].
    """

    def __init__(self, sources: list[Source]) -> None:
        keep = [~source.held_out for source in sources]
        pairs = list(zip(sources, keep, strict=True))
        self.skeletons: F32 = np.concatenate([s.skeletons[k] for s, k in pairs])
        self.accept = torch.from_numpy(np.concatenate([s.accept[k] for s, k in pairs]))
        weights = np.concatenate([_weights(s, k) for s, k in pairs])
        strengths = [np.full(k.sum(), STRENGTHS.get(s.name, 1.0)) for s, k in pairs]
        self._strengths = np.concatenate(strengths)
        self._edges = np.cumsum(weights / weights.sum())

    def rows(self, rng: np.random.Generator, count: int) -> npt.NDArray[np.intp]:
        """Random rows."""
        found = np.searchsorted(self._edges, rng.random(count))
        return np.minimum(found, len(self._edges) - 1)

    def batch(self, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
        """Augmented skeletons float[count, 51, 1, 1] and what is right, bool[count, 12]."""
        rows = self.rows(rng, count)
        strengths = self._strengths[rows]
        whole = strengths >= 1
        strengths[whole] = rng.random(int(whole.sum())) ** 0.5
        strengths[rng.random(count) < STRENGTH_SHARE] = 1.0
        changed = augment(rng, self.skeletons[rows], strengths)
        np.rint(changed * (128 / REACH), out=changed)  # the int8 input's own steps
        changed *= REACH / 128
        return tensor(changed), self.accept[torch.from_numpy(rows)]


def _weights(source: Source, keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    labels, judged = source.labels[keep], source.judged[keep]
    weights = np.zeros(len(labels))
    for label in np.unique(labels):
        rows = labels == label
        share = SHARES.get(source.name, 1.0) * MORE.get((source.name, str(label)), 1.0)
        several = source.accept[keep][rows].sum(1).min() > 1
        weights[rows] = share * (UNSURE_SHARE if several and not judged[rows].any() else 1.0)
        weights[rows] /= rows.sum()
    return weights


def tensor(skeletons: F32) -> Tensor:
    """Normalised skeletons to float[N, 51, 1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(skeletons).reshape(-1, INPUTS, 1, 1))


def loss_of(logits: Tensor, accept: Tensor) -> Tensor:
    """-log of the probability of all that is right, mean over the batch."""
    chances = logits.flatten(1).log_softmax(1)
    return -chances.masked_fill(~accept, -1e9).logsumexp(1).mean()


def lesson_of(logits: Tensor, taught: Tensor) -> Tensor:
    """Cross-entropy against the teachers' softened answer, float[N, 12], mean over the batch."""
    chances = (logits.flatten(1) / SOFTEN).log_softmax(1)
    return -(taught * chances).sum(1).mean() * SOFTEN**2


def load_student(checkpoint: Path) -> ActionStudent:
    """The averaged weights of a checkpoint of any size, ready to use."""
    state = torch.load(checkpoint, weights_only=True)
    student = ActionStudent(*state["shape"])
    student.load_state_dict(state["ema"])
    return student.eval()


def scores_of(student: ActionStudent, skeletons: F32) -> F32:
    """Logits float32[N, 12] for skeletons float32[N, 17, 3] that are not normalised."""
    student.eval()
    with torch.no_grad():
        found: F32 = student(tensor(normalise(skeletons))).flatten(1).numpy()
    return found


class Trainer:
    """Weights, averaged weights, optimiser and step; saved and resumed together.

    Args:
        mixture: what is learned.
        steps: how many in all.
        seed: of weights and batches.
        shape: width, bottleneck and blocks of the network.
        teachers: whose mean answer is learned as well.
    """

    def __init__(
        self, mixture: Mixture, steps: int, seed: int, shape: Shape = SHAPE,
        teachers: Sequence[ActionStudent] = (),
    ) -> None:  # fmt: skip
        torch.manual_seed(seed)
        self.mixture, self.steps, self.step, self.seed = mixture, steps, 0, seed
        self.shape, self.teachers = shape, teachers
        self.student = ActionStudent(*shape)
        rng = np.random.default_rng(seed)
        self.student.whiten(mixture.batch(rng, 8192)[0].flatten(1))
        self.ema = deepcopy(self.student)
        self.optimiser = torch.optim.AdamW(
            self.student.parameters(), PEAK_RATE, BETAS, weight_decay=WEIGHT_DECAY, fused=True
        )

    def advance(self) -> float:
        """One step; returns its loss."""
        rng = np.random.default_rng((self.seed, self.step))
        for group in self.optimiser.param_groups:
            group["lr"] = _rate(self.step, self.steps)
        self.student.train()
        x, accept = self.mixture.batch(rng, BATCH)
        logits = self.student(x)
        loss = loss_of(logits, accept)
        if self.teachers:
            loss = (1 - TEACH_SHARE) * loss + TEACH_SHARE * lesson_of(logits, self._taught(x))
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), CLIP)
        self.optimiser.step()
        self.step += 1
        self._average()
        return float(loss.detach())

    def _taught(self, x: Tensor) -> Tensor:
        """The teachers' mean answer, float[N, 12]."""
        with torch.no_grad():
            each = [(teacher(x).flatten(1) / SOFTEN).softmax(1) for teacher in self.teachers]
        return torch.stack(each).mean(0)

    def _average(self) -> None:
        share = 1 - min(EMA_DECAY, 1 - 1 / (self.step + 1))
        new = self.student.state_dict()
        with torch.no_grad():
            for name, old in self.ema.state_dict().items():
                if old.is_floating_point():
                    old.lerp_(new[name], share)

    def state(self) -> dict[str, Any]:
        """All that a later run needs."""
        return {
            "step": self.step, "student": self.student.state_dict(), "ema": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(), "shape": list(self.shape),
        }  # fmt: skip

    def begin(self, start: ActionStudent) -> None:
        """Begin with the weights of a student of the same size, and the whole schedule before it.

        Raises:
            RuntimeError: it has another size.
        """
        self.student.load_state_dict(start.state_dict())
        self.ema.load_state_dict(start.state_dict())

    def resume(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.step = state["step"]
        self.student.load_state_dict(state["student"])
        self.ema.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])


def _rate(step: int, steps: int) -> float:
    wave = 0.5 * (1 + math.cos(math.pi * step / steps))
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return PEAK_RATE * warm * (FINAL_SHARE + (1 - FINAL_SHARE) * wave)


def progress(student: ActionStudent, sources: list[Source]) -> str:
    """Share of judged held-out rows that are right, by set."""
    words = []
    for source in sources:
        rows = source.held_out & source.judged
        best = scores_of(student, source.skeletons[rows]).argmax(1)
        right = source.accept[rows][np.arange(len(best)), best]
        words.append(f"{source.name} {right.mean():.4f}")
    return "  ".join(words)


def train(trainer: Trainer, sources: list[Source], folder: Path) -> None:
    """Run to the end, logging and saving `last.pt` on the way."""
    began, first = time.monotonic(), trainer.step
    while trainer.step < trainer.steps:
        loss = trainer.advance()
        if trainer.step % LOG_STEPS == 0 or trainer.step == trainer.steps:
            pace = (time.monotonic() - began) / (trainer.step - first)
            left_s = (trainer.steps - trainer.step) * pace
            log.info(
                "step %d of %d  loss %.4f  %s  %.0f s left",
                trainer.step, trainer.steps, loss, progress(trainer.ema, sources), left_s,
            )  # fmt: skip
        if trainer.step % SAVE_STEPS == 0 or trainer.step == trainer.steps:
            half = folder / "last.part"
            torch.save(trainer.state(), half)
            half.replace(folder / "last.pt")


def main() -> None:
    """Train from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder for last.pt; resumed when it is there")
    parser.add_argument("--simulated", type=Path, nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE,
                        help="width, bottleneck, blocks (384 96 4 makes a teacher)")  # fmt: skip
    parser.add_argument("--teachers", type=Path, nargs="*", default=[], help="their last.pt")
    parser.add_argument("--start", type=Path, help="last.pt of a run to begin with")
    parser.add_argument("--rehearse", action="store_true", help="hold out of the training rows")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.run.mkdir(parents=True, exist_ok=True)
    sources = read_all(data_folder(), arguments.simulated)
    if arguments.rehearse:
        sources = rehearsal(sources)
    trainer = Trainer(
        Mixture(sources), arguments.steps, arguments.seed, tuple(arguments.shape),
        [load_student(path) for path in arguments.teachers],
    )  # fmt: skip
    if arguments.start:
        trainer.begin(load_student(arguments.start))
    if (arguments.run / "last.pt").exists():
        trainer.resume(torch.load(arguments.run / "last.pt", weights_only=True))
    train(trainer, sources, arguments.run)


if __name__ == "__main__":
    main()
