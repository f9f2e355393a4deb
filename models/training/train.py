"""Train a student on the cache: processes of one thread each share weights, for a given time.

    python -m models.training.train CACHE OUT --minutes 60 --processes 2

With glibc, MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ of some 10^9 make it about a quarter
faster: the large maps of each step are then not given back to the system and fetched again.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor, nn

from models.training.augment import training_picture
from models.training.boxes import F32, U8
from models.training.dataset import TRAIN, Cache
from models.training.loss import Targets, detection_loss
from models.training.pseudo_label import IGNORE, PERSON
from models.training.student import HEIGHT_PX, WIDTH_PX, Student, cells, flatten, parameter_count

log = logging.getLogger(__name__)

SOURCE_SHARES = {
    "coco128x2": 0.13,
    "ppe_minhnkb": 0.21,
    "ppe_hardhat": 0.15,
    "helmet_sites": 0.12,
    "fall_posture": 0.09,
    "ambianic_fall": 0.015,
    "gmdcsa24": 0.06,
    "intel_sample_gifs": 0.02,
    "ambianic_clip": 0.005,
    "synthetic": 0.20,
}
"""How often a picture of each set is drawn."""
BATCH = 16
PEAK_RATE, FINAL_SHARE, WARM_UP_STEPS = 2e-3, 0.02, 300
WEIGHT_DECAY, BETAS, CLIP = 0.03, (0.9, 0.99), 10.0
EMA_DECAY = 0.9985
MOSAIC_UNTIL = 0.85
"""Share of the time after which pictures come single, as they will in use."""
SMALL_UNTIL, SMALL_PX = 0.62, (192, 160)
"""Until this share of the time pictures are small: 2.6 times as many pass in the same time."""
SHARE_STEPS = 4
"""Processes average their weights this often: where cores are shared, waiting each step is dear."""
LOG_STEPS, SAVE_SECONDS = 50, 180.0


class Draw:
    """Random cached pictures in the proportions of SOURCE_SHARES."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        by_source = {s: cache.where(TRAIN, s) for s in SOURCE_SHARES}
        self._pools = [pool for pool in by_source.values() if pool]
        shares = np.array([SOURCE_SHARES[s] for s, pool in by_source.items() if pool])
        self._edges = np.cumsum(shares / shares.sum())

    def __call__(self, rng: np.random.Generator) -> tuple[U8, F32]:
        """A picture and its boxes, float32[N, 5] xyxy and kind."""
        pool = self._pools[
            min(int(np.searchsorted(self._edges, rng.random())), len(self._pools) - 1)
        ]
        sample = self._cache[pool[int(rng.integers(len(pool)))]]
        return sample.pixels, sample.boxes


def make_batch(
    rng: np.random.Generator, draw: Draw, mosaic: bool, size: tuple[int, int]
) -> tuple[Tensor, Targets]:
    """float[BATCH, 3, height, width] and what is in it."""
    pairs = [training_picture(rng, draw, mosaic, size) for _ in range(BATCH)]
    pixels = torch.from_numpy(np.stack([p for p, _ in pairs])).permute(0, 3, 1, 2)
    most = max(max(len(b) for _, b in pairs), 1)
    boxes, kind = torch.zeros(BATCH, most, 4), torch.full((BATCH, most), -1.0)
    for i, (_, found) in enumerate(pairs):
        boxes[i, : len(found)] = torch.from_numpy(found[:, :4])
        kind[i, : len(found)] = torch.from_numpy(found[:, 4])
    pixels = ((pixels.float() - 128) / 128).contiguous(memory_format=torch.channels_last)
    return pixels, Targets(boxes, kind == PERSON, kind == IGNORE)


def rate_at(step: int, progress: float) -> float:
    """Learning rate: short warm-up in steps, then a cosine over the time given."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return (
        PEAK_RATE
        * min((step + 1) / WARM_UP_STEPS, 1.0)
        * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine)
    )


def make_optimizer(student: nn.Module) -> torch.optim.Optimizer:
    """AdamW that decays convolutions and leaves norms and biases alone."""
    decayed = [p for p in student.parameters() if p.ndim > 1]
    free = [p for p in student.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, PEAK_RATE, BETAS)


@torch.no_grad()
def share_weights(student: nn.Module, progress: float, processes: int) -> float:
    """Average weights, norm statistics and progress over the processes; the common progress."""
    if processes == 1:
        return progress
    mine = [v for v in student.state_dict().values() if v.dtype.is_floating_point]
    flat = torch.cat([v.flatten() for v in mine] + [torch.tensor([progress])])
    distributed.all_reduce(flat)
    flat /= processes
    at = 0
    for value in mine:
        value.copy_(flat[at : at + value.numel()].view_as(value))
        at += value.numel()
    return float(flat[-1])


class Run:
    """One process's part of a training run.

    Args:
        cache: pictures.
        out: where checkpoints go.
        rank: number of this process; 0 logs and saves.
        arguments: of the command line.
    """

    def __init__(self, cache: Cache, out: Path, rank: int, arguments: argparse.Namespace) -> None:
        torch.manual_seed(arguments.seed)
        self.student = Student().to(memory_format=torch.channels_last)
        self.ema = deepcopy(self.student).eval()
        self.optimizer = make_optimizer(self.student)
        self.out, self.rank, self.arguments = out, rank, arguments
        self.draw = Draw(cache)
        self.step, self.spent_s = 0, 0.0
        last = out / "last.pt"
        if arguments.resume and last.exists():
            self._load(torch.load(last, weights_only=True))
        self.rng = np.random.default_rng((arguments.seed, rank, self.step))

    def _load(self, state: dict[str, Any]) -> None:
        self.student.load_state_dict(state["student"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.spent_s = state["step"], state["spent_s"]

    def save(self, name: str) -> None:
        """Write a checkpoint; complete or not at all."""
        state = {
            "student": self.student.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
        }
        torch.save(state, self.out / f"{name}.tmp")
        (self.out / f"{name}.tmp").replace(self.out / name)

    def train(self) -> None:
        """Run until the time is spent."""
        parameters = list(self.student.parameters())
        began, before_s = time.monotonic(), self.spent_s
        progress = before_s / (60 * self.arguments.minutes)
        saved, sums = began, np.zeros(2)
        while progress < 1.0:
            size = SMALL_PX if progress < SMALL_UNTIL else (WIDTH_PX, HEIGHT_PX)
            pixels, targets = make_batch(self.rng, self.draw, progress < MOSAIC_UNTIL, size)
            for group in self.optimizer.param_groups:
                group["lr"] = rate_at(self.step, progress)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.arguments.bf16):
                raw, logit = flatten(self.student(pixels))
            losses = detection_loss(raw, logit, targets, cells(size))
            self.optimizer.zero_grad()
            (losses.score + losses.box).backward()
            now = time.monotonic()
            self.spent_s = before_s + now - began
            nn.utils.clip_grad_norm_(parameters, CLIP)
            self.optimizer.step()
            self.step += 1
            if self.step % SHARE_STEPS == 0:
                own = self.spent_s / (60 * self.arguments.minutes)
                progress = share_weights(self.student, own, self.arguments.processes)
            self._average()
            sums += (losses.score.item(), losses.box.item())
            if self.rank == 0 and self.step % LOG_STEPS == 0:
                self._log(sums / LOG_STEPS, progress)
                sums[:] = 0
            if self.rank == 0 and now - saved > SAVE_SECONDS:
                self.save("last.pt")
                saved = now
        if self.rank == 0:
            self.save("last.pt")

    def _log(self, mean: np.ndarray, progress: float) -> None:
        done = self.step * BATCH * self.arguments.processes
        log.info(
            "step %d  class %.3f  box %.3f  rate %.2g  %.1f pictures/s  %.1f min left",
            self.step,
            mean[0],
            mean[1],
            rate_at(self.step, progress),
            done / self.spent_s,
            self.arguments.minutes * (1 - progress),
        )

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(EMA_DECAY, (1 + self.step) / (10 + self.step))
        for mine, theirs in zip(
            self.ema.state_dict().values(), self.student.state_dict().values(), strict=True
        ):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - keep)
            else:
                mine.copy_(theirs)


def work(rank: int, arguments: argparse.Namespace) -> None:
    """One process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(0)
    if arguments.processes > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", str(arguments.port))
        distributed.init_process_group("gloo", rank=rank, world_size=arguments.processes)
    run = Run(Cache(arguments.cache), arguments.out, rank, arguments)
    if rank == 0:
        log.info("%d parameters", parameter_count(run.student))
    run.train()
    if arguments.processes > 1:
        distributed.destroy_process_group()


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=55.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="faster where the processor has it")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=29_517)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.processes == 1:
        work(0, arguments)
    else:
        torch.multiprocessing.spawn(work, (arguments,), nprocs=arguments.processes)


if __name__ == "__main__":
    main()
