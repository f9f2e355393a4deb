"""No picture leaves the process unanonymised: by type, and by what is left in the pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drivers.interfaces import Frame
from models.tables import Detections
from runtime.export import VideoFile
from runtime.privacy import CELLS_ACROSS, AnonymisedFrame, Anonymiser
from runtime.tables import Tracks, TrackState

WIDTH, HEIGHT = 320, 240
BOX = (100, 40, 160, 200)


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


def distinct_colours(pixels):
    return len(np.unique(pixels.reshape(-1, 3), axis=0))


def inside(pixels):
    x1, y1, x2, y2 = BOX
    return pixels[y1:y2, x1:x2]


def test_a_person_is_left_as_a_coarse_grid(frame):
    picture = Anonymiser(WIDTH, HEIGHT)(frame, detected(BOX), Tracks(4))
    rows = 2 + CELLS_ACROSS * (BOX[3] - BOX[1]) / (BOX[2] - BOX[0])
    assert distinct_colours(inside(picture.pixels)) <= CELLS_ACROSS * rows
    assert distinct_colours(inside(frame.pixels)) > 5000, "the frame itself is untouched"


def test_outside_of_people_the_picture_stays(frame):
    picture = Anonymiser(WIDTH, HEIGHT)(frame, detected(BOX), Tracks(4))
    assert np.array_equal(picture.pixels[:, 180:], frame.pixels[:, 180:])


def test_a_track_that_is_not_seen_now_is_covered_too(frame):
    tracks = Tracks(4)
    tracks.state[2] = TrackState.TENTATIVE
    tracks.boxes[2] = BOX
    tracks.refresh_live()
    picture = Anonymiser(WIDTH, HEIGHT)(frame, detected(), tracks)
    assert distinct_colours(inside(picture.pixels)) < 200


def test_the_whole_picture_can_be_covered(frame):
    picture = Anonymiser(WIDTH, HEIGHT, whole_picture=True)(frame, detected(), Tracks(4))
    assert distinct_colours(picture.pixels) < 100


@pytest.mark.parametrize("box", [(-50, -50, 20, 20), (300, 200, 400, 300), (50, 50, 50, 50)])
def test_boxes_at_and_beyond_the_edge_are_harmless(frame, box):
    Anonymiser(WIDTH, HEIGHT)(frame, detected(box), Tracks(4))
    assert frame.pixels.shape == (HEIGHT, WIDTH, 3)


def test_only_the_anonymiser_makes_an_anonymised_frame(frame):
    with pytest.raises(TypeError, match="only an Anonymiser"):
        AnonymisedFrame(frame.pixels, object())


@pytest.mark.parametrize("what", ["frame", "pixels", "copy"])
def test_the_exporter_takes_nothing_else(tmp_path, frame, what):
    sink = VideoFile(tmp_path / "clip.mp4", WIDTH, HEIGHT, 10.0)
    given = {"frame": frame, "pixels": frame.pixels, "copy": frame.pixels.copy()}[what]
    with pytest.raises(TypeError, match="AnonymisedFrame"):
        sink.write(given)
    sink.close()


def test_an_anonymised_clip_can_be_written_and_played(tmp_path, frame):
    path = tmp_path / "clip.mp4"
    sink = VideoFile(path, WIDTH, HEIGHT, 10.0)
    anonymise = Anonymiser(WIDTH, HEIGHT)
    for _ in range(5):
        sink.write(anonymise(frame, detected(BOX), Tracks(4)))
    sink.close()
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    capture.release()
