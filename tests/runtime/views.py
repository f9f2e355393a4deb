"""What a camera sees, for tests of the view: a yard of boxes, turned, covered, dimmed, alive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from runtime.rules.scope import Scope
from runtime.rules.view import ViewRules
from runtime.site_rules import ViewRuleConfig
from runtime.tables import Hazards, Tracks, TrackState
from runtime.view import View
from runtime.view_watcher import Watcher

U8 = npt.NDArray[np.uint8]
Change = Callable[[U8, float], U8]
"""What happens to a picture: (picture, ms since it began) -> picture."""

WIDTH, HEIGHT = 640, 360
MARGIN = 320
STEP_MS = 200.0
NOISE = 2.0
"""Standard deviation of a pixel of a good sensor by day."""


def yard(seed: int = 1, width: int = WIDTH, height: int = HEIGHT) -> U8:
    """uint8[H + 2 MARGIN, W + 2 MARGIN, 3]: more than the camera sees, so that it can turn."""
    random = np.random.default_rng(seed)
    picture = np.full((height + 2 * MARGIN, width + 2 * MARGIN, 3), 120, np.uint8)
    for _ in range(140):
        x, y = random.integers(0, picture.shape[1]), random.integers(0, picture.shape[0])
        size = random.integers(20, 110, 2)
        colour = random.integers(30, 230, 3).tolist()
        cv2.rectangle(picture, (int(x), int(y)), (int(x + size[0]), int(y + size[1])), colour, -1)
    return cv2.GaussianBlur(picture, (0, 0), 1.0)


def seen(wide: U8, right: float = 0.0, down: float = 0.0, turn_deg=0.0, zoom=1.0) -> U8:
    """The camera's picture of a yard whose scene has moved by so many pixels in it."""
    height, width = wide.shape[0] - 2 * MARGIN, wide.shape[1] - 2 * MARGIN
    middle = ((wide.shape[1] - 1) / 2, (wide.shape[0] - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, -turn_deg, zoom)
    turn[:, 2] += np.array([right, down]) - MARGIN
    return cv2.warpAffine(wide, turn, (width, height), flags=cv2.INTER_LINEAR)


@lru_cache(maxsize=2)
def grain(shape: tuple[int, ...]) -> npt.NDArray[np.int16]:
    """Noise of more rows than a picture has, 64 times as strong as a sigma of 1."""
    random = np.random.default_rng(0)
    noise = random.normal(0, 64, (shape[0] + 97, *shape[1:]))
    return np.rint(noise).astype(np.int16)


def alive(picture: U8, moment: int, sigma: float = NOISE) -> U8:
    """The picture with the sensor's noise of a moment."""
    top = moment * 31 % 97
    noise = grain(picture.shape)[top : top + picture.shape[0]]
    return cv2.addWeighted(picture, 1.0, noise, sigma / 64, 0.0, dtype=cv2.CV_8U)


class Watched:
    """A camera with one rule: pictures in, edges out.

    Attributes:
        edges: (ms, state, kind or "") of each edge.
        whys: the reasons, likewise.
    """

    def __init__(self, width: int = WIDTH, height: int = HEIGHT, **rule: object) -> None:
        self.view = View(1)
        self.watcher = Watcher(self.view, width, height)
        self.tracks = Tracks(4)
        self.scope = Scope(np.zeros((height, width), np.uint8), 0, 4, 1)
        self.rules = ViewRules([(0, ViewRuleConfig(**rule))], self.view, self.scope)  # type: ignore[arg-type]
        self.hazards = Hazards(1)
        self.t_ms = 0.0
        self.edges: list[tuple[float, str, str]] = []
        self.whys: list[dict[str, object]] = []

    def see(self, pictures: Iterable[U8], step_ms: float = STEP_MS) -> Watched:
        """One picture after the other."""
        for picture in pictures:
            self.watcher.look(picture, self.tracks, self.t_ms)
            self.hazards.edges.clear()
            self.rules.update(self.tracks, self.t_ms, self.hazards)
            for edge in self.hazards.edges:
                self.edges.append((self.t_ms, edge.state, str(edge.why.get("kind", ""))))
                self.whys.append(edge.why)
            self.t_ms += step_ms
        return self

    def is_(self, picture: U8, for_ms: float, sigma: float = NOISE) -> Watched:
        """The same scene for some time, with a sensor's noise."""
        count, first = round(for_ms / STEP_MS), round(self.t_ms)
        return self.see(alive(picture, first + i, sigma) for i in range(count))

    def person(self, box: tuple[float, float, float, float]) -> None:
        """Somebody is in the picture, xyxy pixels."""
        self.tracks.state[0] = TrackState.CONFIRMED
        self.tracks.boxes[0] = box
        self.tracks.refresh_live()

    @property
    def raised(self) -> list[str]:
        """Kinds that were raised, in order."""
        return [kind for _, state, kind in self.edges if state == "raised"]
