"""One network for boxes and joints of the whole picture, or one look at each person?

    python -m models.training.skeleton_compare SIMULATED CACHE --backbone last.pt --seconds 240

Both begin with the same detector, learn from the same simulated pictures for the same processor
time and are judged on the same held-out people. The whole-picture network gets joints from the cell
in the middle of the true box: the better of the two ways to pair them. Times are those of int8
files, the detector's own included.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.skeletons import JOINTS, mirror_order
from models.training.boxes import F32, U8, letterbox
from models.training.export import interpreter
from models.training.pyramid import Widths
from models.training.skeleton_cache import HIDDEN_WEIGHT, VISIBLE, People
from models.training.skeleton_evaluate import PCK, float_joints
from models.training.skeleton_metrics import distances, share, torso_lengths
from models.training.skeleton_sources import Frame, simulated_frames
from models.training.skeleton_student import SkeletonStudent, separable
from models.training.skeleton_train import Plan, Run, to_input
from models.training.student import HEIGHT_PX, STRIDES, WIDTH_PX, Student

log = logging.getLogger(__name__)

LARGEST_PX: Final = (64.0, 128.0)
"""Longer side up to which people are found at stride 8, and at 16."""
UNIT_STRIDES: Final = 4.0
"""Joint offsets are in so many strides."""
BATCH, RATE = 8, 2e-3
JUDGED_FRAMES: Final = 250
TIMED: Final = 60
CROWDS: Final = (1, 4, 8)


class WholePicture(nn.Module):
    """The detector with a joint head at each stride."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = Student()
        neck = Widths().neck
        self.joints = nn.ModuleList(
            nn.Sequential(separable(neck, neck), nn.Conv2d(neck, 3 * JOINTS, 1)) for _ in STRIDES
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """float[N, 3, 256, 320] to float[N, 51, h, w] per stride: x, y, seen of each joint."""
        maps = self.detector.maps(x)
        return [head(m) for head, m in zip(self.joints, maps, strict=True)]


class Timed(nn.Module):
    """The whole picture's network as it would ship, to be timed."""

    def __init__(self, network: WholePicture) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """float[1, 256, 320, 3] to all heads, NHWC."""
        maps = self.network.detector.maps(x.permute(0, 3, 1, 2))
        pairs = self.network.detector.judge(maps)
        joints = [head(m) for head, m in zip(self.network.joints, maps, strict=True)]
        flat = [t for pair in pairs for t in pair] + joints
        return tuple(t.permute(0, 2, 3, 1) for t in flat)


def read(frame: Frame) -> tuple[U8, F32, F32]:
    """Picture in the detector's input, boxes and joints in it."""
    pixels, ratio = letterbox(cv2.imread(str(frame.file)), WIDTH_PX, HEIGHT_PX)
    return pixels, frame.boxes * ratio, frame.joints * np.array((ratio, ratio, 1), np.float32)


def mirrored(pixels: U8, boxes: F32, joints: F32) -> tuple[U8, F32, F32]:
    """The same seen in a mirror."""
    boxes, joints = boxes.copy(), joints[:, list(mirror_order())].copy()
    boxes[:, [0, 2]] = WIDTH_PX - boxes[:, [2, 0]]
    joints[:, :, 0] = WIDTH_PX - joints[:, :, 0]
    return np.ascontiguousarray(pixels[:, ::-1]), boxes, joints


def cell_of(box: F32) -> tuple[int, int, int]:
    """Level, row and column of the cell that answers for a box."""
    side = float((box[2:] - box[:2]).max())
    level = sum(side > edge for edge in LARGEST_PX)
    x, y = (box[:2] + box[2:]) / 2 / STRIDES[level]
    rows, columns = HEIGHT_PX // STRIDES[level], WIDTH_PX // STRIDES[level]
    return level, min(max(int(y), 0), rows - 1), min(max(int(x), 0), columns - 1)


def joints_at(maps: list[Tensor], picture: int, box: F32) -> Tensor:
    """float[17, 3]: x, y in input pixels and logit of being seen."""
    level, row, column = cell_of(box)
    raw = maps[level][picture, :, row, column].float().view(JOINTS, 3)
    stride = STRIDES[level]
    middle = torch.tensor((column + 0.5, row + 0.5)) * stride
    return torch.cat((raw[:, :2] * UNIT_STRIDES * stride + middle, raw[:, 2:]), 1)


def step_loss(maps: list[Tensor], lessons: list[tuple[F32, F32]]) -> Tensor:
    """Distances in shares of each person's size, and visibility."""
    parts = []
    for picture, (boxes, joints) in enumerate(lessons):
        for box, truth in zip(boxes, torch.from_numpy(joints), strict=True):
            found, side = joints_at(maps, picture, box), float((box[2:] - box[:2]).max())
            weight = torch.tensor((0.0, HIDDEN_WEIGHT, 1.0))[truth[:, 2].long()]
            apart = functional.smooth_l1_loss(
                found[:, :2] / side, truth[:, :2] / side, beta=0.02, reduction="none"
            ).sum(1)
            seen = functional.binary_cross_entropy_with_logits(
                found[:, 2], (truth[:, 2] == VISIBLE).float()
            )
            parts.append((apart * weight).sum() / weight.sum().clamp(min=1) * 10 + 0.3 * seen)
    return torch.stack(parts).mean()


def train_whole(frames: list[Frame], backbone: Path, seconds: float) -> WholePicture:
    """Train for so much processor time."""
    network = WholePicture().to(memory_format=torch.channels_last)
    state = torch.load(backbone, weights_only=True, map_location="cpu")["ema"]
    network.detector.load_state_dict(state)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, (0.9, 0.99), fused=True)
    frames = [frame for frame in frames if len(frame.boxes)]
    rng, began, step = np.random.default_rng(0), time.process_time(), 0
    while (spent := time.process_time() - began) < seconds:
        chosen = [read(frames[int(i)]) for i in rng.integers(len(frames), size=BATCH)]
        chosen = [mirrored(*one) if rng.random() < 0.5 else one for one in chosen]
        for group in optimizer.param_groups:
            left = 1 - spent / seconds
            group["lr"] = RATE * min(1, (step + 1) / 50) * min(1, 2.5 * left + 0.01)
        network.train()
        maps = network(to_input(np.stack([one[0] for one in chosen])))
        loss = step_loss(maps, [one[1:] for one in chosen])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        step += 1
        if step % 50 == 0:
            log.info(
                "whole picture: step %d  loss %.3f  %.0f of %.0f s", step, loss, spent, seconds
            )
    return network.eval()


@torch.no_grad()
def judge_whole(network: WholePicture, frames: list[Frame]) -> Any:
    """PCK@0.2 of the torso on everybody in the frames."""
    found, truth, boxes = [], [], []
    for frame in frames:
        pixels, its_boxes, joints = read(frame)
        maps = network(to_input(pixels[None]))
        found += [joints_at(maps, 0, box).numpy() for box in its_boxes]
        truth += list(joints)
        boxes += list(its_boxes)
    return pck(np.array(found), np.array(truth), np.array(boxes))


def train_person(people: People, folder: Path, backbone: Path, seconds: float) -> SkeletonStudent:
    """Train the crop's network for so much processor time."""
    plan = Plan(minutes=seconds / 60, backbone=backbone)
    run, began = Run(people, folder, plan), time.process_time()
    while run.spent_s < seconds:
        parts = run.advance()
        run.spent_s = time.process_time() - began
        if run.step % 50 == 0:
            log.info("each person: step %d  %s  %.0f s", run.step, parts.round(3), run.spent_s)
    return run.student.eval()


def judge_person(student: SkeletonStudent, people: People, count: int) -> Any:
    """PCK@0.2 of the torso on the first `count` people held out."""
    rows = np.flatnonzero(people.held_out)[:count]
    truth = np.concatenate((people.joints[rows], people.truth[rows][..., None]), 2)
    return pck(float_joints(student, people, rows), truth, people.box[rows])


def pck(found: F32, truth: F32, boxes: F32) -> Any:
    """Share of visible joints within 0.2 torso."""
    torso = torso_lengths(truth[:, :, :2], truth[:, :, 2] > 0, boxes)[:, None]
    counted = (truth[:, :, 2] == VISIBLE) & np.isfinite(torso)
    return share(distances(found, truth) <= PCK * torso, counted)


def whole_file(network: WholePicture, folder: Path) -> Path:
    """An int8 file of the whole-picture network, calibrated on noise: only its time matters."""
    import litert_torch
    from ai_edge_quantizer import quantizer, recipe

    shape = (1, HEIGHT_PX, WIDTH_PX, 3)
    litert_torch.convert(Timed(network).eval(), (torch.zeros(shape),)).export(str(folder / "f"))
    rng = np.random.default_rng(0)
    data = [{"args_0": rng.uniform(-1, 1, shape).astype(np.float32)} for _ in range(4)]
    work = quantizer.Quantizer(str(folder / "f"), recipe.static_wi8_ai8())
    ranges = work.calibrate({"serving_default": data}, num_threads=1)
    (folder / "whole.tflite").write_bytes(bytes(work.quantize(ranges).quantized_model))
    return folder / "whole.tflite"


def best_ms(file: Path) -> float:
    """Best time of one invoke, LiteRT, one thread."""
    runner, times = interpreter(file), []
    for _ in range(TIMED):
        began = time.perf_counter()
        runner.invoke()
        times.append(1000 * (time.perf_counter() - began))
    return min(times)


def main() -> None:
    """Compare from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("simulated", type=Path)
    parser.add_argument("cache", type=Path, help="of the same pictures")
    parser.add_argument("--backbone", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--files", type=Path, nargs=2, help="detector and skeleton, int8, to time")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    frames = list(simulated_frames(arguments.simulated))
    held_out = [frame for frame in frames if frame.held_out][:JUDGED_FRAMES]
    result: dict[str, Any] = {"seconds": arguments.seconds}
    trained = [frame for frame in frames if not frame.held_out]
    network = train_whole(trained, arguments.backbone, arguments.seconds)
    result["whole_picture"] = judge_whole(network, held_out)
    people = People([arguments.cache])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        student = train_person(people, folder, arguments.backbone, arguments.seconds)
        count = sum(len(frame.boxes) for frame in held_out)
        result["each_person"] = judge_person(student, people, count)
        if arguments.files:
            detector, skeleton = (best_ms(file) for file in arguments.files)
            whole = best_ms(whole_file(network, folder))
            result["ms"] = {
                str(n): {"whole_picture": whole, "each_person": detector + n * skeleton}
                for n in CROWDS
            }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
