"""Fit entry prediction to recorded walks: `python -m runtime.entry_fit --name N obsmat.txt ...`.

The camera does not import this. Walks are replayed as recorded, backwards, slower and faster; with
jitter and missed observations as a detector has them; and as if they had been annotated only now
and then and joined by straight lines, as some data sets are. First the network of ways learns
where people are after the horizon and how far off that may be (Student's t, 6 degrees of freedom),
then the network of entries learns from random polygons who enters.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from runtime.entry_parameters import FOLDER, EntryParameters, Layers
from runtime.entry_walks import LOOKS, STEP_MS, Walks, join, walks
from runtime.motion import ACROSS, ALONG, F32, F64, FEATURES, ROWS, STEPS, WAY_ROWS, Mask, Motion
from runtime.obsmat import DataRefused
from runtime.predict import C128, OUTPUTS, RAYS, EntryPredictor

USUAL = 5
"""Looks ahead of the usual horizon, 2 s."""
ZONES, RECTANGLES = 3, 0.6
"""Polygons for each observation, and how many of them are rectangles."""
GROUP = 512
"""So many observations share the shape of their polygons, each in another size and turn."""
HIDDEN_TRACK, HIDDEN_ENTRY = 64, 20
FREEDOM = 6.0
DECIDE = 0.42
MIRRORED = np.zeros(ROWS, np.bool_)
MIRRORED[WAY_ROWS + ACROSS.start : WAY_ROWS + ACROSS.stop] = True
"""Rows of the table that change sign when the world is seen in a mirror."""
Weights = dict[str, F32]


class Descent:
    """Adam (Kingma and Ba, ICLR 2015) with a rate that falls to zero over all steps."""

    def __init__(self, weights: Weights, rate: float, steps: int, decay: float) -> None:
        self._weights, self._rate, self._steps, self._decay = weights, rate, steps, decay
        self._mean = {name: np.zeros_like(value) for name, value in weights.items()}
        self._square = {name: np.zeros_like(value) for name, value in weights.items()}
        self._step = 0

    def step(self, slopes: Weights) -> None:
        """Change the weights against the slopes."""
        self._step += 1
        rate = self._rate * (1.0 - (self._step - 1) / self._steps)
        for name, value in self._weights.items():
            slope = slopes[name] + self._decay * value
            mean, square = self._mean[name], self._square[name]
            mean += 0.1 * (slope - mean)
            square += 0.001 * (slope**2 - square)
            root = np.sqrt(square / (1 - 0.999**self._step)) + 1e-8
            value -= (rate / (1 - 0.9**self._step) * mean / root).astype(np.float32)


def new_weights(random: np.random.Generator, inputs: int, hidden: int, outputs: int) -> Weights:
    """Small random weights of two layers; the last input is 1."""
    w1 = random.normal(0.0, 1.0 / np.sqrt(inputs), (hidden, inputs)).astype(np.float32)
    w2 = random.normal(0.0, 0.05, (outputs, hidden)).astype(np.float32)
    return {"w1": w1, "w2": w2, "b2": np.zeros((outputs, 1), np.float32)}


def forward(weights: Weights, inputs: F32) -> tuple[F32, F32]:
    """Hidden and output values of two layers."""
    hidden = np.maximum(weights["w1"] @ inputs, 0.0)
    return hidden, weights["w2"] @ hidden + weights["b2"]


def backward(weights: Weights, inputs: F32, hidden: F32, slope: F32) -> Weights:
    """Slopes of the weights from the slope of the outputs."""
    inner = (weights["w2"].T @ slope) * (hidden > 0.0)
    return {
        "w1": inner @ inputs.T,
        "w2": slope @ hidden.T,
        "b2": slope.sum(axis=1, keepdims=True),
    }


def scales(table: F32) -> tuple[F32, F32]:
    """Mean and spread of each row, float32[R, 1]; the row of ones stays as it is."""
    mean, spread = table.mean(axis=1, keepdims=True), table.std(axis=1, keepdims=True) + 1e-3
    mean[-1], spread[-1] = 0.0, 1.0
    return mean, spread


def layers(weights: Weights, mean: F32, spread: F32) -> Layers:
    """Weights for inputs as they come, rounded for the file."""
    w1 = weights["w1"] / spread.T
    w1[:, -1:] -= w1 @ mean
    rounded = [np.round(w.astype(np.float64), 5).tolist() for w in (w1, weights["w2"])]
    return Layers(rounded[0], rounded[1], np.round(weights["b2"][:, 0], 5).astype(float).tolist())


def fit_track(data: Walks, steps: int, random: np.random.Generator) -> Layers:
    """The network from a path to where it leads."""
    towards = (data.future - data.place) * np.conj(data.heading)
    table = data.table.copy()
    table[-2] = random.choice([0.8, 2.0, 4.0], table.shape[1])
    mean, spread = scales(table[WAY_ROWS:])
    mean[MIRRORED[WAY_ROWS:]] = 0.0
    weights = new_weights(random, ROWS - WAY_ROWS, HIDDEN_TRACK, OUTPUTS)
    weights["b2"][2:4] = -1.5
    weights["b2"][4:] = 1.0 / STEPS
    descent = Descent(weights, 3e-3, steps, 3e-4)
    for _ in range(steps):
        some = random.integers(0, table.shape[1], 768)
        look = np.where(random.random(768) < 0.6, USUAL, random.integers(2, LOOKS, 768))
        is_known = ~np.isnan(towards[look, some])
        some, look = some[is_known], look[is_known]
        batch, mirror = table[:, some], random.random(len(some)) < 0.5
        batch[-2] = look * (STEP_MS / 1000.0)
        batch[np.ix_(MIRRORED, mirror)] *= -1.0
        aims = towards[:, some]
        aims = np.where(mirror, np.conj(aims), aims)
        inputs = (batch[WAY_ROWS:] - mean) / spread
        hidden, outputs = forward(weights, inputs)
        slope = track_slope(batch, outputs, aims[0], aims[look, np.arange(len(some))])
        descent.step(backward(weights, inputs, hidden, slope))
    return layers(weights, mean, spread)


def track_slope(batch: F32, outputs: F32, here: C128, there: C128) -> F32:
    """Slope of the negative log likelihood of the true places, float32[OUTPUTS, B]."""
    features, ahead_s = batch[WAY_ROWS : WAY_ROWS + FEATURES], batch[-2]
    ways = np.stack([features[ALONG], features[ACROSS]])
    reached = (ways * outputs[4:]).sum(axis=1)
    reached[0] += features[0]
    reached *= ahead_s
    error = reached - np.stack([there.real, there.imag])
    narrow = np.exp(-2.0 * np.clip(outputs[2:4] + np.log(ahead_s), -5.0, 3.0))
    share = error**2 * narrow
    weight = (FREEDOM + 1.0) / (FREEDOM + share)
    slope = np.empty_like(outputs)
    slope[:2] = 4.0 * (outputs[:2] - np.stack([here.real, here.imag]))
    slope[2:4] = 1.0 - weight * share
    slope[4:] = (ways * (weight * error * narrow * ahead_s)[:, None]).sum(axis=0)
    return (np.clip(slope, -5.0, 5.0) / len(ahead_s)).astype(np.float32)


def fit_entry(data: Walks, track: Layers, steps: int, random: np.random.Generator) -> Layers:
    """The network from rays to the odds of an entry."""
    blank = Layers([[0.0] * (len(RAYS) + ROWS)], [[0.0]], [0.0])
    parameters = EntryParameters("", DECIDE, track, blank)
    parts = []
    for look in (USUAL, USUAL, 3, 8, USUAL, USUAL):
        known = data.take(~np.isnan(data.future[look]))
        parts.append(entry_examples(known, parameters, look, random))
    inputs = np.concatenate([part[0] for part in parts], axis=1)
    entered = np.concatenate([part[1] for part in parts])
    mean, spread = scales(inputs)
    rays = len(RAYS)
    mean[:rays], spread[:rays] = 0.0, 2.0
    mean[rays:][MIRRORED] = 0.0
    inputs -= mean
    inputs /= spread
    weights = new_weights(random, rays + ROWS, HIDDEN_ENTRY, 1)
    descent = Descent(weights, 4e-3, steps, 3e-5)
    mirrored = np.flatnonzero(np.concatenate([np.zeros(rays, np.bool_), MIRRORED]))
    for _ in range(steps):
        some = random.integers(0, inputs.shape[1], 1024)
        batch, mirror = inputs[:, some], np.flatnonzero(random.random(1024) < 0.5)
        batch[:rays, mirror] = batch[:rays][::-1][:, mirror]
        batch[np.ix_(mirrored, mirror)] *= -1.0
        hidden, odds = forward(weights, batch)
        slope = (1.0 / (1.0 + np.exp(-odds)) - entered[some]) / len(some)
        descent.step(backward(weights, batch, hidden, slope.astype(np.float32)))
    return layers(weights, mean, spread)


def entry_examples(
    data: Walks, parameters: EntryParameters, look: int, random: np.random.Generator
) -> tuple[F32, Mask]:
    """Inputs of the second network, float32[K + ROWS, M], and who entered, for random polygons."""
    motion, inputs, entered = Motion(GROUP), [], []
    for first in range(0, len(data.place) - GROUP + 1, GROUP):
        part = data.take(slice(first, first + GROUP))
        motion.table[:], motion.place[:] = part.table, part.place
        motion.facing[:] = np.conj(part.heading)
        for _ in range(ZONES):
            shape = random_shape(random)
            scale, shift = random_places(part, look * STEP_MS / 1000.0, random)
            predictor = EntryPredictor(shape, parameters, GROUP, look * STEP_MS)
            predictor.rays.measure(scale, shift)
            predictor.look_ahead(motion, 0.0)
            predictor.cast_rays(motion)
            corners = shape * scale + shift
            outside = ~inside_own(corners, part.place)
            outside &= ~inside_own(corners, part.future[0])
            read = np.concatenate([predictor.rays.margin[0], motion.table])
            inputs.append(read[:, outside])
            entered.append(enters(corners, part.future[: look + 1])[outside])
    return np.concatenate(inputs, axis=1), np.concatenate(entered)


def random_shape(random: np.random.Generator) -> C128:
    """complex128[V, 1]: a rectangle or a convex polygon, around zero, about 1 in size."""
    angles = np.sort(random.uniform(0.0, 2 * np.pi, 5))
    if random.random() < RECTANGLES:
        angles = np.pi / 4 * np.array([1.0, 3.0, 5.0, 7.0, 7.0])
    flat = np.exp(random.uniform(-0.7, 0.7))
    shape: C128 = (np.cos(angles) * flat + 1j * np.sin(angles) / flat)[:, None]
    return shape


def random_places(data: Walks, ahead_s: float, random: np.random.Generator) -> tuple[C128, C128]:
    """Size and turn, and centre, of a polygon for each: complex128[N]; near where each may go."""
    n = len(data.place)
    size = np.exp(random.uniform(np.log(0.9), np.log(4.5), n))
    turn = np.exp(1j * random.uniform(0.0, 2 * np.pi, n))
    speed = np.maximum(data.table[WAY_ROWS], 0.3)
    far = random.random(n) * (1.3 * speed * ahead_s + 2.2)
    aside = random.normal(0.0, 1.0, n) * np.where(random.random(n) < 0.7, 0.5, 3.0)
    return size * turn, data.place + far * np.exp(1j * aside) * data.heading


def enters(corners: C128, future: C128) -> Mask:
    """bool[N]: whose way meets a polygon of their own, corners complex128[V, N]."""
    found = np.zeros(corners.shape[1], np.bool_)
    for start, end in pairwise(future):
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            sides = (side(a, b, start) > 0) != (side(a, b, end) > 0)
            found |= sides & ((side(start, end, a) > 0) != (side(start, end, b) > 0))
    return found


def side(a: C128, b: C128, point: C128) -> F64:
    """Positive where the point lies to the left of the way from a to b."""
    cross: F64 = (np.conj(b - a) * (point - a)).imag
    return cross


def inside_own(corners: C128, point: C128) -> Mask:
    """bool[N]: who is inside of a convex, anticlockwise polygon of their own."""
    ahead = np.roll(corners, -1, axis=0)
    inside: Mask = np.all(side(corners, ahead, point) >= 0.0, axis=0)
    return inside


def main(argv: list[str]) -> int:
    """Fit and write `entry_models/NAME.json`. Returns 0, or 2 for a refused file."""
    parser = argparse.ArgumentParser("python -m runtime.entry_fit", description=main.__doc__)
    parser.add_argument("obsmat", type=Path, nargs="+", help="files to learn from")
    parser.add_argument("--name", required=True, help="of the model")
    parser.add_argument("--passes", type=int, default=24, help="replays of each file")
    parser.add_argument("--steps", type=int, default=16000, help="of each descent")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--decide", type=float, default=DECIDE, help="least probability to warn")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args(argv)
    try:
        parts = [walks(path, arguments.passes, arguments.seed) for path in arguments.obsmat]
    except (DataRefused, OSError) as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    data = join(parts)
    random = np.random.default_rng(arguments.seed)
    track = fit_track(data, arguments.steps, random)
    entry = fit_entry(data, track, arguments.steps, random)
    files = ", ".join("/".join(path.parts[-2:]) for path in arguments.obsmat)
    source = f"{files}; passes {arguments.passes}, steps {arguments.steps}, seed {arguments.seed}"
    fitted = EntryParameters(source, arguments.decide, track, entry)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"{arguments.name}.json").write_bytes(msgspec.json.encode(fitted) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
