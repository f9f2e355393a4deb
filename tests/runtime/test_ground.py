"""The ground plane: what fits, what is refused, and where people stand in metres."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.toml_strict import ConfigErrors
from runtime.cli import check
from runtime.ground import FAR_M, Ground, GroundRefused, fit_ground, in_pixels, polygon_m
from runtime.site import GroundConfig
from runtime.site_check import load_site
from runtime.tables import Tracks

TRUE = np.array([[0.02, 0.003, -6.0], [0.001, -0.05, 30.0], [0.0, 0.004, -0.4]])
"""From pixels of a 640 x 360 picture to metres; its horizon is the row 100."""
PIXELS = [(100.0, 350.0), (540.0, 340.0), (420.0, 180.0), (200.0, 190.0), (330.0, 260.0)]


def metres(points):
    mapped = np.column_stack([points, np.ones(len(points))]) @ TRUE.T
    return [(x / z, y / z) for x, y, z in mapped.tolist()]


def config(picture=PIXELS, there=None, **more) -> GroundConfig:
    return GroundConfig(picture=picture, metres=metres(picture) if there is None else there, **more)


def test_exact_pairs_give_the_homography_back():
    fit = fit_ground(config())
    assert fit.residual_m < 1e-9
    assert fit.homography / fit.homography[2, 2] == pytest.approx(TRUE / TRUE[2, 2], rel=1e-6)


def test_fractions_and_pixels_give_the_same_plane():
    fractions = [(x / 640, y / 360) for x, y in PIXELS]
    fit = fit_ground(config(fractions, metres(PIXELS)))
    there = polygon_m(in_pixels(fit, (640, 360)), np.array(PIXELS))
    assert np.array(there) == pytest.approx(np.array(metres(PIXELS)), abs=1e-9)


def test_the_residual_says_how_far_off_and_where():
    there = metres(PIXELS)
    there[2] = there[2][0] + 0.3, there[2][1]
    fit = fit_ground(config(PIXELS, there, max_residual_m=1.0))
    assert 0.02 < fit.residual_m < 0.3
    with pytest.raises(GroundRefused, match="max_residual_m"):
        fit_ground(config(PIXELS, there, max_residual_m=0.01))


LINE = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 0.0)]
REFUSED = [
    ("three pairs", config(PIXELS[:3]), "picture", "4 to 16 points, has 3"),
    ("one left out", config(PIXELS, metres(PIXELS)[:4]), "metres", "each of the 5"),
    ("on a line", config(LINE, metres(PIXELS)), "picture", "no three lie on a line"),
    ("metres on a line", config(PIXELS, LINE), "metres", "no three lie on a line"),
    (
        "beyond the horizon",
        config([*PIXELS, (300.0, 60.0)]),
        "picture",
        "point 6 lies beyond the horizon",
    ),
    (
        "two pairs swapped",
        config(PIXELS, [metres(PIXELS)[i] for i in (1, 0, 2, 3, 4)], max_residual_m=0.25),
        "",
        "",
    ),
]


@pytest.mark.parametrize(
    ("name", "pairs", "key", "allowed"), REFUSED, ids=[name for name, *_ in REFUSED]
)
def test_a_bad_plane_is_refused(name, pairs, key, allowed):
    with pytest.raises(GroundRefused) as refused:
        fit_ground(pairs)
    assert refused.value.key.startswith(key)
    assert allowed in refused.value.allowed


def site_file(tmp_path, ground: str):
    path = tmp_path / "site.toml"
    path.write_text(
        'format = 1\nname = "yard"\nunits = "pixel"\n'
        '[[zones]]\nname = "pit"\npolygon = [[100, 200], [300, 200], [300, 350]]\n'
        '[[rules]]\nkind = "zone"\nzone = "pit"\n' + ground
    )
    return path


def ground_table(there) -> str:
    return f"[ground]\npicture = {[list(p) for p in PIXELS]}\nmetres = {[list(p) for p in there]}\n"


def test_a_site_file_is_refused_with_its_key(tmp_path):
    path = site_file(tmp_path, ground_table(LINE))
    with pytest.raises(ConfigErrors) as refused:
        load_site(path)
    (mistake,) = refused.value.mistakes
    assert mistake.key == "ground.metres"
    assert str(path) in str(mistake)


@pytest.mark.parametrize("pairs", [4, 5])
def test_check_reports_the_residual(tmp_path, capsys, pairs):
    text = ground_table(metres(PIXELS))
    if pairs == 4:
        text = text.replace(str(list(PIXELS[4])), "").replace(str(list(metres(PIXELS)[4])), "")
    assert check(["--site", str(site_file(tmp_path, text))]) == 0
    out = capsys.readouterr().out
    assert f"{pairs} pairs fit one plane within 0.000 m" in out
    assert ("measure a fifth" in out) == (pairs == 4)
    assert out.endswith("no mistakes\n")


def test_a_file_without_ground_says_nothing_of_it(tmp_path, capsys):
    assert check(["--site", str(site_file(tmp_path, ""))]) == 0
    assert capsys.readouterr().out == "no mistakes\n"


def test_feet_become_places_and_speeds_in_metres():
    tracks, ground = Tracks(3), Ground(fit_ground(config()).homography, 3)
    before, after = (300.0, 250.0), (302.0, 251.0)
    tracks.foot[0], tracks.foot[1] = before, (300.0, 60.0)
    tracks.velocity[0] = 0.02, 0.0, 0.02, 0.01
    ground.locate(tracks)
    (x, y), (x2, y2) = metres([before, after])
    assert ground.place[0] == pytest.approx(complex(x, y), abs=1e-5)
    assert ground.speed[0] == pytest.approx(np.hypot(x2 - x, y2 - y) / 0.1, rel=0.02)
    assert abs(ground.place[1]) == pytest.approx(FAR_M), "above the horizon"
    assert ground.speed[1] == 0.0


def test_a_polygon_across_the_horizon_has_no_metres():
    homography = fit_ground(config()).homography
    assert polygon_m(homography, np.array([(100, 350), (500, 350), (300, 50)])) is None
