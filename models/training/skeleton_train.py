"""Train the skeleton student on cached people for a given time, in one process of one thread.

    python -m models.training.skeleton_train RUN CACHE [CACHE ...] --minutes 45

MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ of some 10^9 make it faster with glibc.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.training.boxes import F32, U8
from models.training.pyramid import parameter_count
from models.training.skeleton_augment import FULL, Size, augmented, plain
from models.training.skeleton_cache import People
from models.training.skeleton_student import (
    OFFSET_LOSS,
    PLACE_LOSS,
    SEEN_LOSS,
    SkeletonStudent,
    decode,
    losses,
    take_backbone,
)
from models.training.weights import WeightsRefused, start_from

log = logging.getLogger(__name__)
Caches = Sequence[Path]

SHARES: Final = {
    "simulated": 0.45, "fall_posture": 0.10, "coco128x2": 0.08, "ppe_minhnkb": 0.15,
    "ppe_hardhat": 0.12, "helmet_sites": 0.09, "intel_sample_gif": 0.01,
}  # fmt: skip
"""How often a person of each set is drawn."""
RARE: Final = {"lie": 3.0, "fall": 3.0, "crawl": 2.0, "sit": 1.5, "climb": 1.5}
"""Simulated people who do this are drawn more often."""
FEWEST_TAUGHT: Final = 4.0
"""Real people with less weight than this, over all joints, are left out."""
BATCH: Final = 64
SMALL: Final = (64, 96)
"""Pictures at first: three times as many pass in the same time."""
PEAK_RATE, FINAL_SHARE, WARM_UP_STEPS = 3e-3, 0.01, 150
WEIGHT_DECAY, BETAS, CLIP = 0.02, (0.9, 0.99), 5.0
EMA_DECAY: Final = 0.998
LOG_SECONDS, SAVE_SECONDS, LOOK_SECONDS = 60.0, 120.0, 900.0
LOOK_PEOPLE: Final = 256
"""Held-out people that progress is judged on."""


class Draw:
    """Random training people in the proportions of SHARES."""

    def __init__(self, people: People) -> None:
        self.people = people
        usable = ~people.held_out & (people.weight.sum(1) >= FEWEST_TAUGHT)
        self._pools: list[npt.NDArray[np.intp]] = []
        self._chances: list[F32] = []
        shares = []
        for source, share in SHARES.items():
            rows = np.flatnonzero(usable & (people.sources == source))
            if len(rows):
                chance = np.array([RARE.get(str(people.actions[i]), 1.0) for i in rows])
                self._pools.append(rows)
                self._chances.append(np.cumsum(chance / chance.sum()))
                shares.append(share)
        self._edges = np.cumsum(np.array(shares) / sum(shares))

    def __call__(self, rng: np.random.Generator) -> int:
        """Number of a person."""
        which = min(int(np.searchsorted(self._edges, rng.random())), len(self._pools) - 1)
        pool = self._pools[which]
        at = int(np.searchsorted(self._chances[which], rng.random()))
        return int(pool[min(at, len(pool) - 1)])

    def batch(self, rng: np.random.Generator, size: Size) -> tuple[U8, Tensor, Tensor, Tensor]:
        """Pictures uint8[N, H, W, 3] of a size, joints, weights, visibility."""
        found = [
            augmented(rng, self.people[self(rng)], size, self.people[self(rng)])
            for _ in range(BATCH)
        ]
        pixels, *rest = (np.stack(part) for part in zip(*found, strict=True))
        return pixels, *(torch.from_numpy(part.astype(np.float32)) for part in rest)


def to_input(pictures: U8) -> Tensor:
    """uint8[N, H, W, 3] to what the network takes, float[N, 3, H, W]."""
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    return ((pixels - 128) / 128).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Plan:
    """How the time is spent; nobody knows how many steps it holds.

    Attributes:
        minutes: the whole run, earlier parts included.
        small_until: share of it in which pictures are small.
        decay_from: share of it from which on the rate falls.
        seed: of everything random.
        bf16: on a processor too; with maps as narrow as these it is not the faster way there.
        backbone: a detector's checkpoint to begin with.
        start: the weights.npz of a package to begin with.
    """

    minutes: float = 45.0
    small_until: float = 0.6
    decay_from: float = 0.6
    seed: int = 0
    bf16: bool = False
    backbone: Path | None = None
    start: Path | None = None


def rate_at(step: int, progress: float, decay_from: float) -> float:
    """Learning rate: short warm-up in steps, then level, and half a cosine at the end."""
    fallen = min(max(progress - decay_from, 0.0) / (1 - decay_from), 1.0)
    wave = 0.5 * (1 + math.cos(math.pi * fallen))
    warm = min((step + 1) / WARM_UP_STEPS, 1.0)
    return PEAK_RATE * warm * (FINAL_SHARE + (1 - FINAL_SHARE) * wave)


def make_optimizer(student: nn.Module) -> torch.optim.Optimizer:
    """AdamW that decays convolutions and leaves norms and biases alone."""
    decayed = [p for p in student.parameters() if p.ndim > 1]
    free = [p for p in student.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, PEAK_RATE, BETAS, fused=True)


def _floats(network: nn.Module) -> list[Tensor]:
    """All weights and norm statistics, in one order."""
    return [v for v in network.state_dict().values() if v.dtype.is_floating_point]


@torch.no_grad()
def progress_of(student: SkeletonStudent, people: People, rows: npt.NDArray[np.intp]) -> float:
    """Share of well-taught joints within 5 % of the longer side of the box, quick to compute."""
    right = total = 0.0
    device = next(student.parameters()).device
    for start in range(0, len(rows), BATCH):
        samples = [plain(people[int(i)]) for i in rows[start : start + BATCH]]
        found = decode(*student(to_input(np.stack([s.pixels for s in samples])).to(device)))
        points = found[:, :, :2].float().cpu().numpy()
        for one, sample in zip(points, samples, strict=True):
            sure = sample.weight >= 1
            near = np.linalg.norm(one - sample.joints, axis=1) <= 0.05 * one_side(sample.pixels)
            right += float(near[sure].sum())
            total += float(sure.sum())
    return right / max(total, 1.0)


def one_side(pixels: U8) -> float:
    """The longer side of a box in the input, pixels: the crop has a margin."""
    return float(max(pixels.shape[:2]) / 1.25)


def complete(caches: Caches) -> list[Path]:
    """Those whose writing has ended."""
    return [folder for folder in caches if (folder / "index.npz").is_file()]


def _judged(people: People) -> dict[str, npt.NDArray[np.intp]]:
    """Some held-out people of either kind."""
    rng, simulated = np.random.default_rng(1), people.sources == "simulated"
    kinds = {"simulated": simulated, "real": ~simulated}
    return {
        kind: rng.permutation(np.flatnonzero(people.held_out & mask))[:LOOK_PEOPLE]
        for kind, mask in kinds.items()
    }


class Run:
    """Weights, averaged weights, optimiser, step and time spent; saved and resumed together.

    Args:
        people: what to learn from.
        folder: where checkpoints go.
        plan: how long, and how.
        caches: all folders; one that is still being written joins when it is complete.
    """

    def __init__(self, people: People, folder: Path, plan: Plan, caches: Caches = ()) -> None:
        torch.manual_seed(plan.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.student = SkeletonStudent().to(self.device, memory_format=torch.channels_last)
        if plan.backbone is not None:
            state = torch.load(plan.backbone, weights_only=True, map_location=self.device)
            log.info("%d tensors from %s", take_backbone(self.student, state["ema"]), plan.backbone)
        if plan.start is not None:
            start_from(self.student, plan.start)
        self.ema = deepcopy(self.student).eval()
        self.optimizer = make_optimizer(self.student)
        self._averaged, self._followed = _floats(self.ema), _floats(self.student)
        self.people, self.draw, self._caches = people, Draw(people), caches
        self.bf16 = self.device.type != "cpu" or plan.bf16
        self.folder, self.plan, self.seconds = folder, plan, 60 * plan.minutes
        self.step, self.spent_s = 0, 0.0
        if (folder / "last.pt").exists():
            self._load(torch.load(folder / "last.pt", weights_only=True, map_location=self.device))
        self._judged = _judged(people)

    def _load(self, state: dict[str, Any]) -> None:
        self.student.load_state_dict(state["student"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.spent_s = state["step"], state["spent_s"]

    def save(self) -> None:
        """Write a checkpoint; complete or not at all."""
        state = {
            "student": self.student.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
        }
        half = self.folder / "last.part"
        torch.save(state, half)
        half.replace(self.folder / "last.pt")

    def advance(self) -> npt.NDArray[np.float64]:
        """One step; returns its place, offset and visibility losses."""
        rng = np.random.default_rng((self.plan.seed, self.step))
        progress = self.spent_s / self.seconds
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, progress, self.plan.decay_from)
        pixels, *lesson = self.draw.batch(rng, SMALL if progress < self.plan.small_until else FULL)
        self.student.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            outputs = self.student(to_input(pixels).to(self.device))
        parts = losses(outputs, *(part.to(self.device) for part in lesson))
        loss = PLACE_LOSS * parts[0] + OFFSET_LOSS * parts[1] + SEEN_LOSS * parts[2]
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), CLIP)
        self.optimizer.step()
        self.step += 1
        self._average()
        return np.array([float(part.detach()) for part in parts])

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(EMA_DECAY, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self._averaged, self._followed, 1 - keep)

    def train(self) -> None:
        """Run until the time is spent; log and save on the way."""
        began, before_s, sums, steps = time.monotonic(), self.spent_s, np.zeros(3), 0
        told = saved = looked = began
        while self.spent_s < self.seconds:
            sums += self.advance()
            steps += 1
            now = time.monotonic()
            self.spent_s = before_s + now - began
            if now - told > LOG_SECONDS:
                self._log(sums / steps, steps * BATCH / (now - told))
                told, sums, steps = now, np.zeros(3), 0
            if now - looked > LOOK_SECONDS:
                self._look()
                looked = time.monotonic()
            if now - saved > SAVE_SECONDS:
                self.save()
                self._join()
                saved = now
        self._look()
        self.save()

    def _join(self) -> None:
        """Take in caches that have been completed."""
        ready = complete(self._caches)
        if len(ready) > len(self.people.folders):
            self.people = People(ready)
            self.draw, self._judged = Draw(self.people), _judged(self.people)
            log.info("%d people now", len(self.people))

    def _log(self, mean: npt.NDArray[np.float64], pace: float) -> None:
        log.info(
            "step %d  place %.3f  offset %.3f  seen %.3f  rate %.2g  %.0f people/s  %.1f min left",
            self.step,
            *mean,
            self.optimizer.param_groups[0]["lr"],
            pace,
            (self.seconds - self.spent_s) / 60,
        )

    def _look(self) -> None:
        shares = {
            kind: progress_of(self.ema.eval(), self.people, rows)
            for kind, rows in self._judged.items()
        }
        log.info("held out, within 5 %%: %s", "  ".join(f"{k} {v:.3f}" for k, v in shares.items()))


def main() -> None:
    """Train from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder for last.pt; resumed when it is there")
    parser.add_argument("cache", type=Path, nargs="+")
    parser.add_argument("--minutes", type=float, default=Plan.minutes)
    parser.add_argument("--small-until", type=float, default=Plan.small_until, metavar="SHARE")
    parser.add_argument("--decay-from", type=float, default=Plan.decay_from, metavar="SHARE")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--bf16", action="store_true", help="on a processor too")
    parser.add_argument("--backbone", type=Path, help="a detector's checkpoint to begin with")
    parser.add_argument("--start", type=Path, help="the weights.npz of a package to begin with")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(0)
    arguments.run.mkdir(parents=True, exist_ok=True)
    people = People(complete(arguments.cache))
    plan = Plan(**{field.name: getattr(arguments, field.name) for field in fields(Plan)})
    try:
        run = Run(people, arguments.run, plan, arguments.cache)
    except WeightsRefused as refused:
        parser.error(f"--start {refused}")
    log.info("%d parameters, %d people", parameter_count(run.student), len(run.people))
    run.train()


if __name__ == "__main__":
    main()
