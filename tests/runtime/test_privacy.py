"""No picture leaves the process unanonymised: by type, and by what is left in the pixels."""

from __future__ import annotations

import copy
import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.interfaces import Frame
from models.tables import Detections
from runtime.export import StillFile, VideoFile
from runtime.privacy import AnonymisedFrame, Anonymiser
from runtime.privacy_grid import LEVELS, UNKNOWN, Grid
from runtime.site_privacy import PrivacyConfig
from runtime.tables import Tracks, TrackState

WIDTH, HEIGHT = 320, 240
BOX = (100, 40, 160, 200)
MODES = ("everything", "people", "skeleton")
LEARN_MS = 5000


@pytest.fixture
def frame():
    """Noise everywhere: every pixel could tell somebody from somebody else."""
    made = Frame(WIDTH, HEIGHT)
    made.pixels[:] = np.random.default_rng(0).integers(0, 256, made.pixels.shape, np.uint8)
    return made


def detected(*boxes):
    table = Detections(8)
    table.count = len(boxes)
    for row, box in enumerate(boxes):
        table.boxes[row] = box
    return table


def followed(*boxes):
    tracks = Tracks(8)
    for slot, box in enumerate(boxes):
        tracks.state[slot] = TrackState.TENTATIVE
        tracks.boxes[slot] = box
    tracks.refresh_live()
    return tracks


def room():
    """A picture with an edge in every cell and no noise."""
    made = Frame(WIDTH, HEIGHT)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    made.pixels[:] = (60 + 90 * ((x // 5 + y // 5) % 2))[..., None]
    return made


def with_people(empty, *boxes, colour=(30, 60, 220)):
    made = Frame(WIDTH, HEIGHT)
    made.pixels[:] = empty.pixels
    for x1, y1, x2, y2 in boxes:
        made.pixels[y1:y2, x1:x2] = colour
        made.pixels[y1:y2:2, x1:x2] //= 2
    return made


def taught(mode, empty=None, width=WIDTH, height=HEIGHT):
    """An anonymiser that has learned an empty room, and the time."""
    anonymise = Anonymiser(width, height, PrivacyConfig(mode=mode, learn_ms=LEARN_MS))
    empty = empty or room()
    t_ms = 0.0
    while t_ms < LEARN_MS + 4000:
        anonymise.learn(empty, detected(), followed(), t_ms)
        t_ms += 200.0
    assert anonymise.empty_scene() is not None
    return anonymise, t_ms


def shuffled(frame, px, rng):
    """The same pixels at other places within each cell of the grid."""
    made = Frame(frame.pixels.shape[1], frame.pixels.shape[0])
    for top in range(0, frame.pixels.shape[0], px):
        for left in range(0, frame.pixels.shape[1], px):
            cell = frame.pixels[top : top + px, left : left + px]
            mixed = rng.permutation(cell.reshape(-1, 3))
            made.pixels[top : top + px, left : left + px] = mixed.reshape(cell.shape)
    return made


def distinct_colours(pixels):
    return len(np.unique(pixels.reshape(-1, 3), axis=0))


# What no mode shows


@pytest.mark.parametrize("mode", MODES)
def test_before_the_room_is_learned_every_mode_shows_the_coarse_grid_alone(frame, mode):
    anonymise = Anonymiser(WIDTH, HEIGHT, PrivacyConfig(mode=mode))
    px = Grid(WIDTH, HEIGHT, 10).cell_px[UNKNOWN]
    pixels = anonymise(frame, detected(), followed(), 0.0).pixels
    for top in range(0, HEIGHT, px):
        for left in range(0, WIDTH, px):
            assert distinct_colours(pixels[top : top + px, left : left + px]) == 1
    assert anonymise.empty_scene() is None


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    mode=st.sampled_from(MODES),
    box=st.tuples(*[st.integers(-40, 360)] * 4),
    size=st.sampled_from([(320, 240), (101, 67), (240, 320), (64, 48)]),
)
def test_whoever_differs_only_within_cells_looks_the_same(seed, mode, box, size):
    """Before anything is learned: nothing finer than the coarse grid is left, to the bit."""
    rng = np.random.default_rng(seed)
    frame = Frame(*size)
    frame.pixels[:] = rng.integers(0, 256, frame.pixels.shape, np.uint8)
    config = PrivacyConfig(mode=mode)
    other = shuffled(frame, Grid(*size, config.rows).cell_px[UNKNOWN], rng)
    shown = [
        Anonymiser(*size, config)(each, detected(box), followed(box), 0.0).pixels.copy()
        for each in (frame, other)
    ]
    assert np.array_equal(*shown)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(4))
def test_in_a_learned_room_nothing_finer_than_the_finest_cell_is_left(mode, seed):
    """Somebody whom nobody has found and somebody who was: shuffled inside of the cells."""
    rng = np.random.default_rng(seed)
    person = with_people(room(), BOX, (200, 20, 260, 230))
    person.pixels[BOX[1] : BOX[3], BOX[0] : BOX[2]] += rng.integers(0, 40, (160, 60, 3), np.uint8)
    shown = []
    for picture in (person, shuffled(person, Grid(WIDTH, HEIGHT, 10).cell_px[0], rng)):
        anonymise, t_ms = taught(mode)
        shown.append(anonymise(picture, detected(BOX), followed(BOX), t_ms).pixels.copy())
    assert np.array_equal(*shown)


@pytest.mark.parametrize("found", [True, False], ids=["found", "missed"])
def test_a_person_in_a_learned_room_is_a_coarse_grid_also_when_missed(found):
    anonymise, t_ms = taught("people")
    boxes = [BOX] if found else []
    person = with_people(room(), BOX)
    pixels = anonymise(person, detected(*boxes), followed(*boxes), t_ms).pixels
    px = Grid(WIDTH, HEIGHT, 10).cell_px[1 if found else UNKNOWN]
    for top in range(BOX[1] // px + 1, BOX[3] // px):
        for left in range(BOX[0] // px + 1, BOX[2] // px):
            cell = pixels[top * px : (top + 1) * px, left * px : (left + 1) * px]
            assert distinct_colours(cell) == 1
    assert np.array_equal(pixels[:, 290:], room().pixels[:, 290:]), "the room is shown"


def test_a_skeleton_picture_of_a_learned_room_shows_nobody():
    anonymise, t_ms = taught("skeleton")
    person = with_people(room(), BOX)
    pixels = anonymise(person, detected(BOX), followed(BOX), t_ms).pixels
    assert np.array_equal(pixels, room().pixels)


def test_no_pixel_of_the_frame_itself_is_shown_even_where_nothing_differs():
    """A change too small to be noticed is not shown at all: the room is its old picture."""
    anonymise, t_ms = taught("people")
    nearly = with_people(room())
    nearly.pixels[::7, ::7] += 20
    assert np.array_equal(anonymise(nearly, detected(), followed(), t_ms).pixels, room().pixels)


# What the size of a cell is


@pytest.mark.parametrize("height", [9, 40, 81, 150, 240, 500, 1000])
def test_a_head_is_one_or_two_cells_of_its_grid(height):
    """A head is a seventh of a body, and two thirds as wide."""
    grid = Grid(1280, 720, 10)
    px = grid.cell_px[grid.level_of([100, 0, 100 + height * 0.35, height])]
    assert height / 7 / px <= 1.3
    assert px >= 9


def test_sizes_are_nested_so_two_of_them_tell_no_more_than_the_finer():
    grid = Grid(1280, 720, 10)
    for finer, coarser in zip(grid.cell_px, grid.cell_px[1:], strict=False):
        assert coarser == 2 * finer
    assert len(grid.cell_px) == LEVELS


def test_the_grid_does_not_move_with_a_person(frame):
    anonymise = Anonymiser(WIDTH, HEIGHT, PrivacyConfig(mode="people"))
    px = Grid(WIDTH, HEIGHT, 10).cell_px[UNKNOWN]
    for step in range(12):
        moved = tuple(value + step for value in BOX)
        pixels = anonymise(frame, detected(moved), followed(), 100.0 * step).pixels
        edges = np.flatnonzero((np.diff(pixels.astype(int), axis=1) != 0).any(axis=(0, 2))) + 1
        assert (edges % px == 0).all()


def test_colours_come_in_few_steps_and_stay(frame):
    anonymise = Anonymiser(WIDTH, HEIGHT)
    first = anonymise(frame, detected(), followed(), 0.0).pixels.copy()
    assert len(np.unique(first)) <= 16
    frame.pixels[:] = np.clip(frame.pixels.astype(int) + 2, 0, 255)
    assert np.array_equal(anonymise(frame, detected(), followed(), 100.0).pixels, first)


@pytest.mark.parametrize("box", [(-50, -50, 20, 20), (300, 200, 400, 300), (50, 50, 50, 50)])
@pytest.mark.parametrize("mode", MODES)
def test_boxes_at_and_beyond_the_edge_are_harmless(frame, box, mode):
    anonymise, t_ms = taught(mode)
    anonymise.learn(frame, detected(box), followed(box), t_ms)
    picture = anonymise(frame, detected(box), followed(box), t_ms)
    assert picture.pixels.shape == (HEIGHT, WIDTH, 3)


# The type


def test_only_the_anonymiser_makes_an_anonymised_frame():
    with pytest.raises(TypeError, match="only an Anonymiser"):
        AnonymisedFrame(WIDTH, HEIGHT, object())


def test_nothing_is_derived_from_it():
    with pytest.raises(TypeError, match="derived"):

        class Mine(AnonymisedFrame):
            pass


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_cannot_be_copied_or_stored(frame, way):
    picture = Anonymiser(WIDTH, HEIGHT)(frame, detected(), followed(), 0.0)
    with pytest.raises(TypeError, match="exporter"):
        way(picture)


def test_its_pixels_cannot_be_set_by_accident(frame):
    picture = Anonymiser(WIDTH, HEIGHT)(frame, detected(), followed(), 0.0)
    with pytest.raises(ValueError, match="read-only"):
        picture.pixels[:] = frame.pixels
    with pytest.raises(AttributeError):
        picture.pixels = frame.pixels
    assert not np.shares_memory(picture.canvas, frame.pixels)


# The door


@pytest.mark.parametrize("what", ["frame", "pixels", "copy", "look-alike"])
@pytest.mark.parametrize("door", ["clip", "still"])
def test_the_exporters_take_nothing_else(tmp_path, frame, what, door):
    class LookAlike:
        pixels = frame.pixels

    raw = {
        "frame": frame,
        "pixels": frame.pixels,
        "copy": frame.pixels.copy(),
        "look-alike": LookAlike(),
    }[what]
    path = tmp_path / "clip.mp4"
    sink = VideoFile(path, WIDTH, HEIGHT, 10.0) if door == "clip" else StillFile(path)
    with pytest.raises(TypeError, match="AnonymisedFrame"):
        sink.write(raw)
    assert door == "clip" or not path.exists()
    if isinstance(sink, VideoFile):
        sink.close()


def test_an_anonymised_clip_can_be_written_and_played(tmp_path, frame):
    path = tmp_path / "clip.mp4"
    sink = VideoFile(path, WIDTH, HEIGHT, 10.0)
    anonymise = Anonymiser(WIDTH, HEIGHT)
    for number in range(5):
        sink.write(anonymise(frame, detected(BOX), followed(), 100.0 * number))
    sink.close()
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    capture.release()


def test_a_still_replaces_the_one_before_as_a_whole(tmp_path, frame):
    path = tmp_path / "stills" / "scene.jpg"
    sink = StillFile(path)
    anonymise = Anonymiser(WIDTH, HEIGHT)
    for shade in (40, 200):
        frame.pixels[:] = shade
        sink.write(anonymise(frame, detected(), followed(), 0.0))
        found = cv2.imread(str(path))
        assert found.shape == (HEIGHT, WIDTH, 3)
        assert abs(int(found.mean()) - shade) < 10
    assert [each.name for each in path.parent.iterdir()] == ["scene.jpg"]
