"""Makes golden inputs for a package: drawn by code, answered by the package's own network.

What is allowed lies between what was measured (x86-64, LiteRT 2.1 against tflite_runtime 2.14: at
most 0.04 of a tensor's movement) and what wrong networks do (random weights, another training run,
blind to people: 0.44 and more); tests/ota/test_golden.py holds both ends.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from drivers.camera.synthetic_look import crowd_look
from drivers.camera.synthetic_scene import SyntheticScene
from drivers.interfaces import Session
from models.package import InputInfo, ModelInfo
from models.skeletons import JOINTS, Normaliser
from ota import wire
from ota.golden import FORMAT
from ota.refusal import Refused

U8 = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]

SHARE_MEASURED: Final = 0.15
"""Of the tensor's movement, for the target that answered here."""
SHARE_OTHERS: Final = 0.30
"""For NPUs that round in their own way."""
LEAST_INT, LEAST_FLOAT = 0.05, 0.001
"""Always allowed: a tensor that hardly moves is one value of noise away from nothing."""
COLOURS_MASK: Final = np.uint8(0xF0)
"""Coarse colours and pixels of twice the size: a third of the bytes, and the same people."""
SCENES: Final = ((3, 6000.0), (4, 5000.0), (2, 7000.0))
"""People who walk in the drawn room, and the moment in ms."""
PERSON_SCENE: Final = (640, 480, 3)
MARGIN: Final = 1.25

FIGURE: Final = (
    (0.0, -1.5), (0.06, -1.55), (-0.06, -1.55), (0.12, -1.5), (-0.12, -1.5), (0.36, -1.0),
    (-0.36, -1.0), (0.45, -0.45), (-0.45, -0.45), (0.45, 0.05), (-0.45, 0.05), (0.25, 0.0),
    (-0.25, 0.0), (0.25, 0.85), (-0.25, 0.85), (0.25, 1.65), (-0.25, 1.65),
)  # fmt: skip
"""Somebody who stands: x, y of each joint in torso lengths from between the hips, y downwards."""
LEANS_RAD: Final = (0.0, 0.0, 0.4, 1.5, 0.0, 1.57, -1.3, 0.8)


def make_golden(session: Session, info: ModelInfo, target: str, seed: int = 1) -> bytes:
    """Golden inputs of a package.

    Args:
        session: of the package's network; it answers.
        info: the package's description.
        target: the NPU that the session is on.
        seed: of what is drawn.

    Returns:
        The same bytes for the same network, runtime, processor and libraries that draw.

    Raises:
        Refused: "golden": a tensor gives no numbers, or never moves at all.
        NpuFault: the network failed.
    """
    pictures = draw(info, seed)
    answers: list[list[Array]] = [[] for _ in session.outputs]
    for picture in pictures:
        np.copyto(session.inputs[0], picture)
        session.invoke()
        for kept, output in zip(answers, session.outputs, strict=True):
            kept.append(output.copy())
    tensors = [np.stack(kept) for kept in answers]
    moves = [movement(tensor) for tensor in tensors]
    if not max(moves) > 0:
        raise Refused("golden", "the network answers every picture alike")
    return wire.pack(
        {
            "format": FORMAT,
            "inputs": [zlib.compress(picture.tobytes(), 9) for picture in pictures],
            "outputs": [[one.dtype.name, zlib.compress(one.tobytes(), 9)] for one in tensors],
            "allowed": {
                name: [_allowed(tensor, share) for tensor in tensors]
                for name, share in ((target, SHARE_MEASURED), ("", SHARE_OTHERS))
            },
        }
    )


def movement(tensor: Array) -> float:
    """How far the values lie from their median, on average. Raises Refused: no numbers."""
    values = tensor.astype(np.float64)
    if not np.isfinite(values).all():
        raise Refused("golden", "the network answers with something that is no number")
    return float(np.abs(values - np.median(values)).mean())


def _allowed(tensor: Array, share: float) -> float:
    least = LEAST_FLOAT if tensor.dtype.kind == "f" else LEAST_INT
    return round(max(least, share * movement(tensor)), 6)


def draw(info: ModelInfo, seed: int) -> list[Array]:
    """Input tensors for a network of this role."""
    if info.role == "action":
        return _skeletons(info.input, seed)
    height, width = info.input.shape[1:3]
    drawn = _people if info.role == "skeleton" else _rooms
    return [_as_input(picture & COLOURS_MASK, info.input) for picture in drawn(width, height, seed)]


def _scene(width: int, height: int, seed: int, people: int) -> SyntheticScene:
    look = crowd_look(people, np.random.default_rng(seed))
    return SyntheticScene(width, height, seed, people, replace(look, noise=0.0))


def _rooms(width: int, height: int, seed: int) -> list[U8]:
    found = []
    for number, (people, t_ms) in enumerate(SCENES):
        half = np.zeros((-(-height // 2), -(-width // 2), 3), np.uint8)
        _scene(half.shape[1], half.shape[0], seed + number, people).render(t_ms, half)
        found.append(half.repeat(2, axis=0).repeat(2, axis=1)[:height, :width])
    return found


def _people(width: int, height: int, seed: int) -> list[U8]:
    """One person each, cut out as for a network that looks at one person."""
    found = []
    scene_w, scene_h, people = PERSON_SCENE
    for number, (_, t_ms) in enumerate(SCENES):
        scene = _scene(scene_w, scene_h, seed + number, people)
        pixels = np.zeros((scene_h, scene_w, 3), np.uint8)
        scene.render(t_ms, pixels)
        boxes = scene.truth(t_ms)
        x1, y1, x2, y2 = boxes[number % len(boxes)]
        scale = min(width / (MARGIN * (x2 - x1)), height / (MARGIN * (y2 - y1)))
        move_x, move_y = width / 2 - scale * (x1 + x2) / 2, height / 2 - scale * (y1 + y2) / 2
        matrix = np.array([[scale, 0, move_x], [0, scale, move_y]])
        found.append(np.asarray(cv2.warpAffine(pixels, matrix, (width, height)), np.uint8))
    return found


def _as_input(picture: U8, info: InputInfo) -> Array:
    if info.colour == "rgb":
        picture = picture[..., ::-1]
    picture = np.ascontiguousarray(picture)[None]
    return (picture ^ np.uint8(0x80)).view(np.int8) if info.dtype == "int8" else picture


def _skeletons(info: InputInfo, seed: int) -> list[Array]:
    rng = np.random.default_rng(seed)
    joints = np.ones((len(LEANS_RAD), JOINTS, 3), np.float32)
    for place, lean in enumerate(LEANS_RAD):
        figure = np.array(FIGURE) + rng.normal(0, 0.12, (JOINTS, 2))
        turn = np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
        joints[place, :, :2] = 100 * figure @ turn + 300
    normal = np.zeros_like(joints)
    Normaliser(len(joints))(joints, normal)
    steps = np.clip(np.rint(normal / info.scale) + info.zero_point, -128, 127).astype(np.int8)
    return [one.reshape(info.shape) for one in steps]
