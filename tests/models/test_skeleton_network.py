"""One person's joints: crop, families, and MoveNet against its published reference."""

from __future__ import annotations

import csv
import gc
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from drivers.board import NpuConfig
from drivers.faults import ModelRefused
from drivers.npu.tflite import TfliteNpu
from models.families.joint_cells import JointCellsDecoder
from models.pack import pack_movenet
from models.package import Package
from models.person_crop import PersonCrop
from models.signature import open_session
from models.skeleton import SkeletonNetwork

MOVENET = "models/coral/movenet_single_pose_lightning_ptq.tflite"
SQUAT_BOX = (90, 140, 400, 580)
AGREES = 0.026
"""Of the picture's size: what the reference's own authors grant."""


def output(index, kind, shape, scale=1.0, zero_point=0, stride=8):
    return SimpleNamespace(
        index=index, kind=kind, shape=shape, scale=scale, zero_point=zero_point, stride=stride
    )


CELLS_INFO = SimpleNamespace(
    input=SimpleNamespace(
        shape=[1, 32, 24, 3], crop_margin=0.25, pad_value=114, colour="bgr", dtype="int8"
    ),
    outputs=[
        output(0, "visible", [1, 1, 1, 17], scale=1 / 256, zero_point=-128),
        output(1, "cells", [1, 4, 3, 17]),
        output(2, "offsets", [1, 4, 3, 34], scale=0.02, zero_point=3),
    ],
    role="skeleton",
    family="joint_cells",
    thresholds=SimpleNamespace(score=0.5),
)


class Puppet:
    """A session whose outputs are what the test put there."""

    def __init__(self) -> None:
        self.inputs = [np.zeros((1, 32, 24, 3), np.int8)]
        self.outputs = [
            np.full(out.shape, -128, np.int8) for out in sorted(CELLS_INFO.outputs, key=_index)
        ]
        self.invoked = 0

    def invoke(self) -> None:
        self.invoked += 1

    def close(self) -> None:
        pass

    def show(self, joint, row, column, dx, dy, visible=127):
        """Put a joint into a cell; dx, dy are stored offsets."""
        self.outputs[1][0, row, column, joint] = 90
        self.outputs[2][0, row, column, 2 * joint : 2 * joint + 2] = dx, dy
        self.outputs[0][0, 0, 0, joint] = visible


def _index(out):
    return out.index


def network(session, width_px=640, height_px=480):
    package = Package(Path("nowhere"), CELLS_INFO, Path("nowhere"))
    return SkeletonNetwork(package, session, width_px, height_px)


def test_the_best_cell_and_its_offset_place_a_joint():
    puppet, out = Puppet(), np.zeros((17, 3), np.float32)
    puppet.show(joint=9, row=2, column=1, dx=13, dy=-22, visible=64)
    JointCellsDecoder(CELLS_INFO, puppet.outputs).decode(out)
    assert out[9] == pytest.approx([(1.5 + 0.2) * 8, (2.5 - 0.5) * 8, 192 / 256])


def test_equal_cells_are_decided_the_same_way_each_time():
    puppet, out = Puppet(), np.zeros((17, 3), np.float32)
    puppet.show(0, 1, 2, 3, 3)
    puppet.show(0, 3, 0, 3, 3)
    JointCellsDecoder(CELLS_INFO, puppet.outputs).decode(out)
    assert out[0, :2] == pytest.approx([2.5 * 8, 1.5 * 8])


def test_joints_come_back_in_source_pixels():
    """The box is 24x32 with a margin of a quarter: one input pixel is 1.25 source pixels."""
    puppet, out = Puppet(), np.zeros((17, 3), np.float32)
    puppet.show(5, 2, 1, 3, 3)
    network(puppet).look(np.zeros((480, 640, 3), np.uint8), _box(100, 200, 124, 232), out)
    left, top = 112 - 15, 216 - 20
    assert out[5] == pytest.approx([left + 1.5 * 8 * 1.25, top + 2.5 * 8 * 1.25, 255 / 256])
    assert puppet.invoked == 1


def test_a_joint_that_is_hardly_seen_is_missing():
    puppet, out = Puppet(), np.ones((17, 3), np.float32)
    puppet.show(5, 2, 1, 3, 3, visible=-2)
    puppet.show(6, 2, 1, 3, 3, visible=1)
    network(puppet).look(np.zeros((480, 640, 3), np.uint8), _box(100, 200, 124, 232), out)
    assert out[6, 2] > 0.5
    assert np.count_nonzero(out) == 3


def test_joints_stay_in_the_picture():
    puppet, out = Puppet(), np.zeros((17, 3), np.float32)
    puppet.show(0, 0, 0, -97, 3)
    puppet.show(1, 3, 2, 103, 3)
    pixels = np.zeros((480, 640, 3), np.uint8)
    network(puppet).look(pixels, _box(-10, -10, 650, 490), out)
    assert out[0, :2] == pytest.approx([0, 0])
    assert out[1, :2] == pytest.approx([640, 480])


@pytest.mark.parametrize("box", [(5, 5, 5, 5), (700, 500, 710, 520), (-5000, -5000, 9000, 9000)])
def test_strange_boxes_give_finite_joints(box):
    puppet, out = Puppet(), np.zeros((17, 3), np.float32)
    puppet.show(0, 1, 1, 3, 3)
    network(puppet).look(np.zeros((480, 640, 3), np.uint8), _box(*box), out)
    assert np.isfinite(out).all()


def test_a_detector_is_no_skeleton_network():
    info = SimpleNamespace(role="detector")
    with pytest.raises(ModelRefused, match='role = "detector"'):
        SkeletonNetwork(Package(Path("x"), info, Path("x")), Puppet(), 640, 480)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("rgb", [False, True])
def test_the_crop_holds_the_box_and_pads_the_rest(dtype, rgb):
    pixels = np.full((60, 80, 3), (10, 20, 30), np.uint8)
    tensor = np.zeros((1, 32, 24, 3), dtype)
    PersonCrop(tensor, margin=0.0, pad=114, rgb=rgb).take(pixels, _box(-12, 0, 12, 32))
    picture = tensor.view(np.uint8)[0] ^ (0x80 if dtype == np.int8 else 0)
    assert (picture[:, :11] == 114).all()
    assert (picture[:, 13:] == ((30, 20, 10) if rgb else (10, 20, 30))).all()


def test_the_crop_and_its_way_back_agree():
    """A soft white dot is where the crop says it is, to a fraction of a pixel."""
    pixels = np.zeros((800, 600, 3), np.uint8)
    pixels[420:460, 230:270] = 255
    pixels = cv2.GaussianBlur(pixels, (0, 0), 9)  # soft: the crop takes points, not areas
    tensor = np.zeros((1, 160, 128, 3), np.uint8)
    crop = PersonCrop(tensor, margin=0.25, pad=0)
    crop.take(pixels, _box(101, 150, 370, 733))
    weight = tensor[0, :, :, 0].astype(float)
    y, x = np.mgrid[:160, :128] + 0.5
    points = np.array([[(weight * x).sum(), (weight * y).sum()]], np.float32)
    points /= np.float32(weight.sum())
    crop.restore(points)
    assert points[0] == pytest.approx([250, 440], abs=0.3)


def test_looking_keeps_no_memory():
    puppet, out = Puppet(), np.zeros((17, 3), np.float32)
    looking, pixels = network(puppet), np.zeros((480, 640, 3), np.uint8)
    box = _box(100, 200, 124, 232)
    for _ in range(20):
        looking.look(pixels, box, out)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        looking.look(pixels, box, out)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 1000


@pytest.mark.data
@pytest.mark.parametrize("runtime", ["litert", "tflite"])
def test_movenet_agrees_with_its_reference(shared_data, tmp_path, runtime):
    model = shared_data / MOVENET
    package = pack_movenet(model, tmp_path / "movenet", 0.2)
    session = open_session(package, TfliteNpu(NpuConfig(driver="npu.tflite", runtime=runtime)))
    pixels = cv2.imread(str(model.with_name("squat.bmp")))
    height, width = pixels.shape[:2]
    out = np.zeros((17, 3), np.float32)
    SkeletonNetwork(package, session, width, height).look(pixels, _box(*SQUAT_BOX), out)
    with model.with_name(f"{model.stem}_reference.csv").open() as file:
        rows = [(float(r["keypoint_x"]), float(r["keypoint_y"])) for r in csv.DictReader(file)]
    assert np.abs(out[:, :2] / (width, height) - rows).max() <= AGREES


@pytest.mark.data
def test_only_a_movenet_is_packed_as_one(shared_data, tmp_path):
    with pytest.raises(ModelRefused, match="array"):
        pack_movenet(
            shared_data / "models/coral/mobilenet_v1_0.25_128_quant.tflite", tmp_path / "x", 0.2
        )


def _box(*corners):
    return np.array(corners, np.float32)
