"""The ground plane of a scenario's site is that of its camera."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.ground import fit_ground, in_pixels, polygon_m
from runtime.site import GroundConfig
from sim.scenario.survey import measure
from sim.scenario.world import make_world
from sim.world.config import CameraConfig, WorldConfig

SIZE = 640, 360
CAMERAS = {
    "mast": CameraConfig(height_m=3.4, tilt_deg=17.5, focal_mm=5.6),
    "high": CameraConfig(height_m=8.0, tilt_deg=40.0, focal_mm=4.0, at_m=(3.0, -2.0)),
    "turned": CameraConfig(height_m=5.0, tilt_deg=25.0, focal_mm=5.6, pan_deg=50.0),
}
PLACES = [(0.0, 6.5), (-1.5, 8.0), (1.8, 8.7), (0.5, 11.0)]


@pytest.mark.parametrize("name", CAMERAS)
def test_the_plane_fits_and_a_place_is_where_it_is(name, record_property):
    world = WorldConfig(camera=CAMERAS[name])
    project = make_world(world, *SIZE, 1).project_ground
    table = measure(world, project, SIZE)
    fit = fit_ground(GroundConfig(**table))
    assert len(table["picture"]) >= 5
    assert fit.residual_m < 0.15, "the lens bends lines, a plane does not"
    seen = [
        (place, pixel)
        for place, pixel in zip(PLACES, project(PLACES), strict=True)
        if 0 <= pixel[0] < SIZE[0] and 0 <= pixel[1] < SIZE[1]
    ]
    assert name != "mast" or len(seen) == len(PLACES)
    if seen:
        found = polygon_m(in_pixels(fit, (1, 1)), np.array([pixel for _, pixel in seen]))
        off_m = max(np.hypot(*np.subtract(found, [place for place, _ in seen]).T))
        record_property("off_m", float(off_m))
        print(f"{name}: residual {fit.residual_m:.3f} m, places off by at most {off_m:.3f} m")
        assert off_m < 0.15
