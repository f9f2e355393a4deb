"""Real cameras: quiet over whole clips, and what is done to them in memory is told."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.runtime.views import Watched

pytestmark = pytest.mark.data

CLIPS = [
    "intel/one-by-one-person-detection.mp4",
    "intel/worker-zone-detection.gif",
    "gmdcsa24/Subject_1/ADL/10.mp4",
    "gmdcsa24/Subject_1/ADL/16.mp4",
    "gmdcsa24/Subject_1/Fall/13.mp4",
    "gmdcsa24/Subject_1/Fall/14.mp4",
    "gmdcsa24/Subject_1/Fall/15.mp4",
    "gmdcsa24/Subject_2/ADL/23.mp4",
    "gmdcsa24/Subject_2/Fall/12.mp4",
    "gmdcsa24/Subject_2/Fall/13.mp4",
    "gmdcsa24/Subject_2/Fall/14.mp4",
]
PERIOD_MS = 200.0
"""Pictures in between are skipped: the view is looked at less often than this."""
SHORT_MS = 9000.0
"""Shorter clips are shown to and fro."""


def pictures(path, least_ms: float, change=None, from_ms: float = 0.0):
    """Pictures of a clip every PERIOD_MS; `change` is done to those from a time on.

    With a change so many are enough, without one there are as many as the clip has.
    """
    clip = cv2.VideoCapture(str(path))
    fps, shown, read = clip.get(cv2.CAP_PROP_FPS) or 10.0, [], 0
    while clip.grab() and not (change and len(shown) * PERIOD_MS > least_ms):
        if read * 1000 / fps >= len(shown) * PERIOD_MS:
            shown.append(clip.retrieve()[1])
        read += 1
    clip.release()
    count = max(len(shown), round(least_ms / PERIOD_MS))
    there_and_back = [*range(len(shown)), *range(len(shown) - 2, 0, -1)]
    for index in range(count):
        picture = shown[there_and_back[index % len(there_and_back)]]
        is_changed = change is not None and index * PERIOD_MS >= from_ms
        yield change(picture) if is_changed else picture


def watched(path, least_ms: float, change=None, from_ms: float = 0.0) -> Watched:
    shown = pictures(path, least_ms, change, from_ms)
    first = next(shown)
    watch = Watched(first.shape[1], first.shape[0])
    return watch.see([first], PERIOD_MS).see(shown, PERIOD_MS)


@pytest.mark.parametrize("clip", CLIPS)
def test_a_real_clip_is_quiet_over_its_length(clip, shared_data):
    """Without a detector: nobody is left out, and still nothing is told."""
    done = watched(shared_data / "video" / clip, SHORT_MS)
    assert done.edges == []
    assert done.view.learned


def shifted(picture):
    across = round(0.08 * picture.shape[1])
    return np.roll(picture, across, axis=1)


def turned(picture):
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -7.0, 1.0)
    return cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REFLECT)


def bagged(picture):
    return cv2.addWeighted(picture, 0.04, np.full_like(picture, 215), 0.96, 0)


def half_taped(picture):
    taped = picture.copy()
    taped[:, : round(picture.shape[1] * 0.68)] = 35
    return taped


def smeared(picture):
    small = cv2.resize(picture, (14, 8), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def unlit(picture):
    return cv2.convertScaleAbs(picture, alpha=0.05)


CHANGES = [
    (shifted, "moved"), (turned, "moved"), (bagged, "covered"), (half_taped, "covered"),
    (smeared, "covered"), (unlit, "dark"),
]  # fmt: skip


@pytest.mark.parametrize("clip", [CLIPS[0], CLIPS[1], CLIPS[4], CLIPS[8]])
@pytest.mark.parametrize(("change", "kind"), CHANGES)
def test_what_is_done_to_a_clip_is_told(clip, change, kind, shared_data):
    path = shared_data / "video" / clip
    done = watched(path, SHORT_MS, change, from_ms=4000)
    assert done.raised[:1] == [kind]
    assert 6000 <= done.edges[0][0] <= 7500
    if change is shifted:
        assert done.whys[0]["shift"] == pytest.approx(0.08, abs=0.01)
    if change is turned:
        assert done.whys[0]["turned_deg"] == pytest.approx(7.0, abs=0.7)
