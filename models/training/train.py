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
from models.training.dataset import TRAIN, Cache, data_folder
from models.training.distill import HINT_WEIGHT, DenseTeacher, Hints, lesson_loss
from models.training.loss import Targets, detection_loss
from models.training.pyramid import Widths, parameter_count
from models.training.student import HEIGHT_PX, WIDTH_PX, Student, cells, flatten
from models.training.weights import WeightsRefused, start_from

log = logging.getLogger(__name__)

SOURCE_SHARES = {
    "coco128x2": 0.14,
    "ppe_minhnkb": 0.19,
    "ppe_hardhat": 0.15,
    "helmet_sites": 0.17,
    "fall_posture": 0.18,
    "intel_sample_gif": 0.01,
    "simulated": 0.14,
    "deserted": 0.04,
    "synthetic": 0.02,
}
"""How often a picture of each set is drawn."""
BATCH = 12
PEAK_RATE, FINAL_SHARE, WARM_UP_STEPS = 2e-3, 0.02, 300
WEIGHT_DECAY, BETAS, CLIP = 0.03, (0.9, 0.99), 10.0
EMA_DECAY = 0.9985
MOSAIC_UNTIL = 0.85
"""Share of the time after which pictures come single, as they will in use."""
SMALL_UNTIL, SMALL_PX = 0.40, (256, 192)
"""Until this share of the time pictures are small: 1.7 times as many pass in the same time."""
TAUGHT_UNTIL = 0.92
"""Share of the time after which the teacher is quiet and the labels alone count."""
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
) -> tuple[U8, Targets]:
    """uint8[BATCH, height, width, 3] and what is in it."""
    pairs = [training_picture(rng, draw, mosaic, size) for _ in range(BATCH)]
    most = max(max(len(b) for _, b in pairs), 1)
    boxes = torch.zeros(BATCH, most, 4)
    kind = torch.full((BATCH, most), -1, dtype=torch.int64)
    for i, (_, found) in enumerate(pairs):
        boxes[i, : len(found)] = torch.from_numpy(found[:, :4])
        kind[i, : len(found)] = torch.from_numpy(found[:, 4].astype(np.int64))
    return np.stack([p for p, _ in pairs]), Targets(boxes, kind)


def to_input(pictures: U8) -> Tensor:
    """uint8[N, H, W, 3] to what the network takes, float[N, 3, H, W]."""
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    return ((pixels - 128) / 128).contiguous(memory_format=torch.channels_last)


def rate_at(step: int, progress: float) -> float:
    """Learning rate: short warm-up in steps, then a cosine over the time given."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return (
        PEAK_RATE
        * min((step + 1) / WARM_UP_STEPS, 1.0)
        * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine)
    )


def make_optimizer(*networks: nn.Module) -> torch.optim.Optimizer:
    """AdamW that decays convolutions and leaves norms and biases alone."""
    parameters = [p for network in networks for p in network.parameters()]
    decayed = [p for p in parameters if p.ndim > 1]
    free = [p for p in parameters if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, PEAK_RATE, BETAS)


@torch.no_grad()
def share_weights(networks: list[nn.Module], progress: float, processes: int) -> float:
    """Average weights, norm statistics and progress over the processes; the common progress."""
    if processes == 1:
        return progress
    values = [v for network in networks for v in network.state_dict().values()]
    mine = [v for v in values if v.dtype.is_floating_point]
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
        widths = Widths()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.student = Student(widths).to(self.device, memory_format=torch.channels_last)
        self.hints = Hints(widths.neck).to(self.device)
        self.teacher = DenseTeacher(data_folder()) if arguments.teacher else None
        if arguments.start:
            start_from(self.student, arguments.start)
        self.ema = deepcopy(self.student).eval()
        self.optimizer = make_optimizer(self.student, self.hints)
        self.out, self.rank, self.arguments = out, rank, arguments
        self.draw = Draw(cache)
        self.step, self.spent_s = 0, 0.0
        self._parent = os.getppid()
        last = out / "last.pt"
        if arguments.resume and last.exists():
            self._load(torch.load(last, weights_only=True, map_location=self.device))
        self.rng = np.random.default_rng((arguments.seed, rank, self.step))
        self._grids = {size: self._grid(size) for size in (SMALL_PX, (WIDTH_PX, HEIGHT_PX))}

    def _grid(self, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        centres, strides = cells(size)
        return centres.to(self.device), strides.to(self.device)

    def _load(self, state: dict[str, Any]) -> None:
        self.student.load_state_dict(state["student"])
        self.hints.load_state_dict(state["hints"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.spent_s = state["step"], state["spent_s"]

    def save(self, name: str) -> None:
        """Write a checkpoint; complete or not at all."""
        state = {
            "student": self.student.state_dict(),
            "hints": self.hints.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
        }
        torch.save(state, self.out / f"{name}.tmp")
        (self.out / f"{name}.tmp").replace(self.out / name)

    def losses(self, progress: float) -> Tensor:
        """float[3]: class, box and teacher's part of one batch, weighted."""
        size = SMALL_PX if progress < SMALL_UNTIL else (WIDTH_PX, HEIGHT_PX)
        pictures, targets = make_batch(self.rng, self.draw, progress < MOSAIC_UNTIL, size)
        targets = Targets(*(t.to(self.device) for t in targets))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.arguments.bf16):
            maps = self.student.maps(to_input(pictures).to(self.device))
            raw, logit = flatten(self.student.judge(maps))
        found = detection_loss(raw, logit, targets, self._grids[size])
        taught = found.score.new_zeros(())
        if self.teacher is not None and progress < TAUGHT_UNTIL:
            lesson = self.teacher.look(pictures, self.device)
            taught = lesson_loss(raw, logit, lesson, self._grids[size])
            taught = taught + HINT_WEIGHT * self.hints(maps, lesson)
        return torch.stack((found.score, found.box, taught))

    def train(self) -> None:
        """Run until the time is spent."""
        parameters = list(self.student.parameters())
        began, before_s = time.monotonic(), self.spent_s
        progress = before_s / (60 * self.arguments.minutes)
        saved, sums = began, np.zeros(3)
        while progress < 1.0 and not self._abandoned():
            for group in self.optimizer.param_groups:
                group["lr"] = rate_at(self.step, progress)
            losses = self.losses(progress)
            self.optimizer.zero_grad()
            losses.sum().backward()
            now = time.monotonic()
            self.spent_s = before_s + now - began
            nn.utils.clip_grad_norm_(parameters, CLIP)
            self.optimizer.step()
            self.step += 1
            if self.step % SHARE_STEPS == 0:
                own = self.spent_s / (60 * self.arguments.minutes)
                networks = [self.student, self.hints]
                progress = share_weights(networks, own, self.arguments.processes)
            self._average()
            sums += losses.detach().cpu().numpy()
            if self.rank == 0 and self.step % LOG_STEPS == 0:
                self._log(sums / LOG_STEPS, progress)
                sums[:] = 0
            if self.rank == 0 and now - saved > SAVE_SECONDS:
                self.save("last.pt")
                saved = now
        if self.rank == 0:
            self.save("last.pt")

    def _abandoned(self) -> bool:
        """One of several processes whose starter is gone: nobody waits for what it makes."""
        return bool(self.arguments.processes > 1) and os.getppid() != self._parent

    def _log(self, mean: np.ndarray, progress: float) -> None:
        done = self.step * BATCH * self.arguments.processes
        log.info(
            "step %d  class %.3f  box %.3f  teacher %.3f  rate %.2g  %.1f pictures/s  "
            "%.1f min left",
            self.step,
            *mean,
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
    parser.add_argument(
        "--no-teacher", dest="teacher", action="store_false", help="learn from labels alone"
    )
    parser.add_argument(
        "--start", type=Path, metavar="WEIGHTS", help="begin with the weights.npz of a package"
    )
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=29_517)
    arguments = parser.parse_args()
    try:
        if arguments.start:
            start_from(Student(), arguments.start)
    except WeightsRefused as refused:
        parser.error(f"--start {refused}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.processes == 1:
        work(0, arguments)
    else:
        torch.multiprocessing.spawn(work, (arguments,), nprocs=arguments.processes)


if __name__ == "__main__":
    main()
