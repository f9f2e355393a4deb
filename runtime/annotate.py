"""Draw what the camera knows onto an anonymised picture, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from drivers.interfaces import U8
from runtime.annotate_figure import BONES, Point, draw_figure, standing_in
from runtime.context import Context
from runtime.geometry import ResolvedLine, ResolvedZone
from runtime.privacy import AnonymisedFrame
from runtime.tables import TrackState

RED, AMBER, GREEN, WHITE, BLACK = (48, 48, 230), (0, 170, 255), (90, 200, 60), (255,) * 3, (0,) * 3
"""BGR."""
FONT = cv2.FONT_HERSHEY_SIMPLEX
STALE_MS = 500.0
"""An older skeleton is not drawn any more."""


class Annotator:
    """Draws zones, lines, tracks and the state of the outputs; one per picture size.

    Args:
        zones, lines: the resolved site, pixels.
        width_px, height_px: size of the pictures.
        figures: people are drawn as figures, for pictures in which they cannot be seen.
    """

    def __init__(
        self,
        zones: Sequence[ResolvedZone],
        lines: Sequence[ResolvedLine],
        width_px: int,
        height_px: int,
        figures: bool = False,
    ) -> None:
        self._figures = figures
        self._zones, self._lines = list(zones), list(lines)
        self._scale = max(0.4, min(width_px, height_px) / 720)
        self._tint: U8 = np.zeros((height_px, width_px, 3), np.uint8)

    def annotate(self, picture: AnonymisedFrame, context: Context, status: Sequence[str]) -> None:
        """Draw in place.

        Args:
            picture: drawn on.
            context: tracks, active hazards and source time.
            status: words for the bar at the bottom; those that begin with "!" are shown in red.
        """
        pixels = picture.canvas
        self._draw_site(pixels, any(context.hazards.active))
        for slot in context.tracks.live.tolist():
            self._draw_track(pixels, context, slot)
        self._draw_bar(pixels, [f"{context.t_ms / 1000:7.1f} s", *status])

    def _draw_site(self, pixels: U8, alarmed: bool) -> None:
        colour = RED if alarmed else AMBER
        np.copyto(self._tint, pixels)
        for zone in self._zones:
            corners = np.round(zone.polygon_px).astype(np.int32)
            cv2.fillPoly(self._tint, [corners], colour)
        cv2.addWeighted(self._tint, 0.18, pixels, 0.82, 0.0, dst=pixels)
        for zone in self._zones:
            corners = np.round(zone.polygon_px).astype(np.int32)
            cv2.polylines(pixels, [corners], True, colour, 2, cv2.LINE_AA)
            x, y = (corners.min(axis=0) + 4).tolist()
            self._label(pixels, zone.name, x, y, colour)
        for line in self._lines:
            start, end = (tuple(round(v) for v in p) for p in (line.start_px, line.end_px))
            cv2.line(pixels, start, end, AMBER, 2, cv2.LINE_AA)
            self._label(pixels, line.name, start[0] + 4, start[1] + 4, AMBER)

    def _draw_track(self, pixels: U8, context: Context, slot: int) -> None:
        tracks = context.tracks
        x1, y1, x2, y2 = box = np.round(tracks.boxes[slot]).astype(int).tolist()
        confirmed = tracks.state[slot] == TrackState.CONFIRMED
        seen = tracks.last_ms[slot] == context.t_ms
        colour = GREEN if confirmed and seen else WHITE
        joints = _joints(context, slot)
        if self._figures:
            draw_figure(pixels, joints or standing_in(box), max(x2 - x1, y2 - y1), colour, BLACK)
        else:
            cv2.rectangle(pixels, (x1, y1), (x2, y2), colour, 2 if confirmed else 1, cv2.LINE_AA)
            _draw_bones(pixels, joints, colour)
        cv2.circle(pixels, tuple(np.round(tracks.foot[slot]).astype(int).tolist()), 4, colour, -1)
        words = f"#{tracks.track_id[slot]}{_action(context, slot)}"
        self._label(pixels, words, max(x1, 0), max(y1, 0), colour)

    def _label(self, pixels: U8, text: str, x: int, y: int, colour: tuple[int, ...]) -> None:
        """Dark text on a patch of colour; its top left corner is near (x, y), in the picture."""
        (width, height), base = cv2.getTextSize(text, FONT, self._scale, 1)
        x = max(0, min(x, pixels.shape[1] - width - 4))
        y = max(0, min(y, pixels.shape[0] - height - base - 4))
        cv2.rectangle(pixels, (x, y), (x + width + 4, y + height + base + 2), colour, -1)
        cv2.putText(pixels, text, (x + 2, y + height + 1), FONT, self._scale, BLACK, 1, cv2.LINE_AA)

    def _draw_bar(self, pixels: U8, words: Sequence[str]) -> None:
        height = pixels.shape[0]
        bar = round(30 * self._scale)
        pixels[height - bar :] //= 4
        x = 8
        for word in words:
            colour = RED if word.startswith("!") else WHITE
            text = word.lstrip("!")
            if colour is RED:
                (text_width, _), _ = cv2.getTextSize(text, FONT, self._scale, 1)
                cv2.rectangle(pixels, (x - 4, height - bar), (x + text_width + 4, height), RED, -1)
            place = (x, height - round(9 * self._scale))
            cv2.putText(pixels, text, place, FONT, self._scale, WHITE, 1, cv2.LINE_AA)
            x += cv2.getTextSize(text, FONT, self._scale, 1)[0][0] + round(22 * self._scale)


def _joints(context: Context, slot: int) -> list[Point | None]:
    """The joints of a track, None where one was not found; empty where there is no skeleton."""
    postures = context.postures
    if postures is None or context.t_ms - postures.found_ms[slot] > STALE_MS:
        return []
    return [(x, y) if seen > 0 else None for x, y, seen in postures.keypoints[slot].tolist()]


def _draw_bones(pixels: U8, joints: list[Point | None], colour: tuple[int, ...]) -> None:
    spots = [joint and (round(joint[0]), round(joint[1])) for joint in joints]
    for a, b in BONES if spots else ():
        if spots[a] and spots[b]:
            cv2.line(pixels, spots[a], spots[b], BLACK, 4, cv2.LINE_AA)
            cv2.line(pixels, spots[a], spots[b], colour, 2, cv2.LINE_AA)


def _action(context: Context, slot: int) -> str:
    """What the newest skeleton does, for the label."""
    postures = context.postures
    if postures is None or context.t_ms - postures.found_ms[slot] > STALE_MS:
        return ""
    if postures.judged_ms[slot] != postures.found_ms[slot]:
        return ""
    best = int(postures.scores[slot].argmax())
    return f" {postures.actions[best]} {postures.scores[slot, best]:.1f}"
