"""Rule intrusion_of_view as short stories in pictures: what blinds a camera, and what does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.views import HEIGHT, WIDTH, Watched, alive, seen, yard

YARD = yard()
HOME = seen(YARD)
LEARN_MS, HOLD_MS = 4000, 2000


def over(share: float, colour, blur: float = 0.0):
    """The picture with something over a share of it, from the left."""
    picture = HOME.copy()
    picture[:, : round(WIDTH * share)] = colour
    return cv2.GaussianBlur(picture, (0, 0), blur) if blur else picture


def hand():
    """A hand just before the lens: grey, out of focus, brighter in the middle."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    glow = 90 + 60 * np.exp(-(((x - 300) / 300) ** 2 + ((y - 200) / 200) ** 2))
    return np.repeat(glow.astype(np.uint8)[..., None], 3, 2)


def web():
    """A spider's web and its owner on the glass, lit by the camera's own lamp."""
    lit = HOME.copy()
    random = np.random.default_rng(5)
    for _ in range(25):
        ends = random.integers(0, WIDTH, 4).tolist()
        cv2.line(lit, (ends[0], ends[1] % HEIGHT), (ends[2], ends[3] % HEIGHT), (235,) * 3, 4)
    return cv2.GaussianBlur(lit, (0, 0), 3)


def glare():
    """A lamp straight into the lens."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    light = 600 * np.exp(-np.hypot(x - 320, y - 150) / 330)
    return np.clip(HOME * 0.15 + light[..., None], 0, 255).astype(np.uint8)


COVERED = {
    "a bright bag": np.full_like(HOME, 225),
    "a grey hand out of focus": hand(),
    "black tape over two thirds": over(0.67, 4),
    "white tape over two thirds": over(0.67, 240),
    "paint that shows a little": np.uint8(HOME * 0.06 + 160),
    "a fogged lens": np.uint8(cv2.GaussianBlur(HOME, (0, 0), 22) * 0.4 + 110),
    "glare": glare(),
}


@pytest.mark.parametrize("what", COVERED)
def test_what_is_covered_is_told_in_time(what):
    watched = Watched().is_(HOME, LEARN_MS).is_(COVERED[what], 4000)
    ((t_ms, state, kind),) = watched.edges
    assert (state, kind) == ("raised", "covered")
    assert LEARN_MS + HOLD_MS <= t_ms <= LEARN_MS + HOLD_MS + 1500
    (why,) = watched.whys
    assert why["missing"] >= why["covered_share"] == 0.5
    assert why["held_ms"] >= why["hold_ms"] == HOLD_MS


def lights(gain: float, level: float):
    return np.clip(HOME * gain + level, 0, 255).astype(np.uint8)


def sun_and_shadow():
    """The sun comes out: half of the yard is brighter, with a hard edge between."""
    picture = HOME.astype(np.float32)
    picture[:, ::1] *= np.where(np.arange(WIDTH) % 260 < 110, 0.55, 1.2)[None, :, None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def snow(seed: int):
    picture = HOME.copy()
    random = np.random.default_rng(seed)
    for x, y in random.integers(0, (WIDTH, HEIGHT), (150, 2)).tolist():
        cv2.circle(picture, (x, y), 3, (250, 250, 250), -1)
    return picture


QUIET = {
    "nothing": HOME,
    "tape over a third": over(0.33, 240),
    "twice the exposure": lights(1.9, 0),
    "a third of the exposure": lights(0.33, 0),
    "a quarter of the light": lights(0.25, 0),
    "a veil of mist": lights(0.4, 120),
    "the sun comes out": sun_and_shadow(),
    "a web": web(),
}


@pytest.mark.parametrize("what", QUIET)
def test_what_can_still_be_seen_is_quiet(what):
    assert Watched().is_(HOME, LEARN_MS).is_(QUIET[what], 8000).edges == []


def test_heavy_snow_is_quiet():
    watched = Watched().is_(HOME, LEARN_MS)
    assert watched.see(alive(snow(i), i) for i in range(50)).edges == []


MOVES = [
    dict(right=40), dict(right=-90, down=30), dict(down=-45), dict(right=220, down=-60),
    dict(turn_deg=8), dict(turn_deg=-9, right=30), dict(zoom=1.15), dict(zoom=0.88, turn_deg=3),
]  # fmt: skip


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_a_camera_that_was_moved_says_by_how_much(move):
    watched = Watched().is_(HOME, LEARN_MS).is_(seen(YARD, **move), 4500)
    ((t_ms, state, kind),) = watched.edges
    assert (state, kind) == ("raised", "moved")
    assert LEARN_MS + HOLD_MS <= t_ms <= LEARN_MS + HOLD_MS + 2000
    (why,) = watched.whys
    assert why["shift"] > why["max_shift"] == 0.04
    assert why["shift_px"] == pytest.approx([move.get("right", 0), move.get("down", 0)], abs=3)
    assert why["turned_deg"] == pytest.approx(move.get("turn_deg", 0), abs=0.7)
    assert why["zoom"] == pytest.approx(move.get("zoom", 1.0), abs=0.02)
    assert watched.view.missing < 0.25, "what has left the picture is not missing in it"


@settings(max_examples=25)
@given(
    right=st.integers(-110, 110),
    down=st.integers(-50, 50),
    turn_deg=st.floats(-5, 5),
    zoom=st.floats(0.94, 1.07),
)
def test_what_is_said_of_any_move_is_right(right, down, turn_deg, zoom):
    watched = Watched(max_shift=0.06).is_(HOME, LEARN_MS)
    view = watched.is_(seen(YARD, right, down, turn_deg, zoom), 3600).view
    if np.hypot(right, down) > 45:
        assert watched.raised == ["moved"]
    if not view.other_scene:
        assert view.shift_px == (pytest.approx(right, abs=5), pytest.approx(down, abs=5))
        assert view.turned_deg == pytest.approx(turn_deg, abs=1.0)
        assert view.zoom == pytest.approx(zoom, abs=0.025)


@pytest.mark.parametrize(
    "move", [dict(right=14), dict(right=-9, down=11), dict(turn_deg=3.0), dict(zoom=1.05)], ids=str
)
def test_a_small_bump_is_within_the_tolerance(move):
    watched = Watched().is_(HOME, LEARN_MS).is_(seen(YARD, **move), 12_000)
    assert watched.edges == []
    assert 0.01 < watched.view.shift <= 0.04
    assert watched.view.missing < 0.2


def test_small_bumps_add_up():
    """The scene follows the light, never a move: what sags slowly has moved in the end."""
    watched = Watched().is_(HOME, LEARN_MS)
    for right in range(0, 45):
        watched.is_(seen(YARD, right=float(right)), 8000)
    assert watched.raised == ["moved"]


def test_wind_is_no_move():
    watched = Watched().is_(HOME, LEARN_MS)
    sways = (
        seen(YARD, 7 * np.sin(i / 5), 4 * np.sin(i / 3), 0.5 * np.sin(i / 4)) for i in range(300)
    )
    assert watched.see(alive(picture, i) for i, picture in enumerate(sways)).edges == []


@pytest.mark.parametrize("seed", range(2, 8))
def test_a_camera_that_looks_elsewhere_has_moved(seed):
    watched = Watched().is_(HOME, LEARN_MS).is_(seen(yard(seed)), 4000)
    assert watched.raised == ["moved"]
    assert watched.whys[0]["other_scene"] is True


def test_a_camera_that_is_turned_back_is_well_again():
    watched = Watched().is_(HOME, LEARN_MS).is_(seen(YARD, right=120), 5000).is_(HOME, 6000)
    assert [(state, kind) for _, state, kind in watched.edges] == [
        ("raised", "moved"), ("cleared", ""),
    ]  # fmt: skip
    assert watched.edges[1][0] - 9000 == pytest.approx(3000 + 800, abs=800)
    assert watched.hazards.active == [0]


def test_a_moved_camera_never_adopts_the_new_view_by_itself():
    watched = Watched().is_(HOME, LEARN_MS).is_(seen(YARD, right=120), 120_000)
    assert [(state, kind) for _, state, kind in watched.edges] == [("raised", "moved")]
    assert watched.hazards.active == [1]


def test_while_it_learns_it_says_nothing():
    watched = Watched(hold_ms=0).is_(HOME, 1500).is_(seen(YARD, right=150), 1400)
    assert not watched.view.learned and watched.edges == []


def test_a_rehearsal_leaves_no_trace():
    one, other = Watched(), Watched()
    other.watcher.rehearse()
    one.is_(HOME, LEARN_MS), other.is_(HOME, LEARN_MS)
    assert np.array_equal(one.watcher._scene.grey, other.watcher._scene.grey)
    assert one.view.learned and other.view.learned


def test_learning_anew_takes_what_it_sees():
    moved = seen(YARD, right=120)
    watched = Watched().is_(HOME, LEARN_MS).is_(moved, 5000)
    watched.watcher.relearn()
    watched.is_(moved, 8000)
    assert [(state, kind) for _, state, kind in watched.edges] == [
        ("raised", "moved"), ("cleared", ""),
    ]  # fmt: skip
    assert watched.view.learned and watched.view.shift < 0.01


DARK = {"no light": 0, "a little grey": 20}


@pytest.mark.parametrize("what", DARK)
def test_darkness_in_which_nobody_can_be_seen_is_told(what):
    night = np.full_like(HOME, DARK[what])
    watched = Watched().is_(HOME, LEARN_MS).is_(night, 4000, sigma=6)
    assert watched.raised == ["dark"]
    assert watched.whys[0]["dark"] >= watched.whys[0]["dark_share"]


def test_a_camera_that_starts_in_the_dark_says_so():
    assert Watched().is_(np.full_like(HOME, 8), 8000, sigma=6).raised == ["dark"]


def test_a_camera_that_starts_with_a_bag_over_it_says_so():
    assert Watched().is_(np.full_like(HOME, 200), 8000).raised == ["covered"]


def at_night(lamps: int):
    """A yard by lamps: light around each, and no more than a glimmer elsewhere."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    places = ((160, 120), (480, 240), (330, 180))[:lamps]
    light = sum(np.exp(-np.hypot(x - a, y - b) / 130) for a, b in places)
    return np.clip(HOME * np.clip(light, 0.03, 1)[..., None], 0, 255).astype(np.uint8)


def test_a_night_with_lamps_is_fine():
    assert Watched().is_(at_night(2), LEARN_MS + 10_000, sigma=6).edges == []


def test_one_lamp_goes_out_and_two_remain():
    watched = Watched().is_(at_night(3), LEARN_MS, sigma=6).is_(at_night(2), 8000, sigma=6)
    assert watched.edges == []


def test_dusk_is_followed():
    watched = Watched().is_(HOME, LEARN_MS)
    for light in np.linspace(1.0, 0.0, 60).tolist():
        dusk = HOME * (0.1 + 0.9 * light) + at_night(2) * (1 - light) * 0.9
        watched.is_(np.clip(dusk, 0, 255).astype(np.uint8), 1000, sigma=2 + 3 * (1 - light))
    assert watched.edges == []


def again(picture, quality: int):
    """The picture as it comes out of an encoder."""
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)


def test_a_still_that_is_encoded_anew_each_time_is_frozen():
    watched = Watched().is_(HOME, 24_000)
    still = alive(HOME, 1)
    watched.see(again(still, 88 + i % 3) for i in range(30))
    assert watched.raised == ["frozen"]
    assert watched.whys[0]["noise"] < watched.whys[0]["noise_floor"]


def test_the_same_picture_to_the_byte_is_frozen():
    watched = Watched().is_(HOME, 24_000)
    assert watched.see(alive(HOME, 1) for _ in range(30)).raised == ["frozen"]


def test_a_quiet_compressed_camera_is_not_frozen():
    """Where there is hardly any noise, less of it says nothing."""
    watched = Watched().is_(again(HOME, 90), 24_000, sigma=0.35)
    assert watched.is_(again(HOME, 90), 10_000, sigma=0.1).edges == []


def test_a_sensor_that_is_less_noisy_in_better_light_is_not_frozen():
    watched = Watched().is_(lights(0.4, 0), 40_000, sigma=6)
    assert watched.is_(HOME, 40_000, sigma=1.0).edges == []


def test_people_and_machines_walk_through():
    watched = Watched().is_(HOME, LEARN_MS)
    pictures = []
    for i in range(200):
        picture = HOME.copy()
        for k in range(9):
            x = (i * (7 + k) + 90 * k) % (WIDTH + 120) - 120
            cv2.rectangle(picture, (x, 40 + 12 * k), (x + 70, 260 + 10 * k), (20 * k, 90, 200), -1)
        pictures.append(picture)
    assert watched.see(alive(picture, i) for i, picture in enumerate(pictures)).edges == []


def test_a_person_who_stands_before_the_camera_hides_only_what_is_behind():
    picture = HOME.copy()
    picture[:, 60:340] = 60
    watched = Watched().is_(HOME, LEARN_MS)
    watched.person((60, 0, 340, HEIGHT))
    assert watched.is_(picture, 5000).edges == [] and watched.view.missing < 0.1


def test_a_person_all_over_the_picture_covers_it():
    watched = Watched().is_(HOME, LEARN_MS)
    watched.person((0, 0, WIDTH, HEIGHT))
    assert watched.is_(hand(), 5000).raised == ["covered"]


def test_something_large_that_comes_to_stay_is_learned_in_the_end():
    truck = over(0.4, 90)
    watched = Watched().is_(HOME, LEARN_MS).is_(truck, 900_000)
    assert watched.edges == [] and watched.view.missing < 0.1


ONLY = [
    (["covered"], seen(YARD, right=120)),
    (["moved"], np.full_like(HOME, 225)),
    (["moved", "dark", "frozen"], hand()),
    (["frozen", "covered"], seen(YARD, turn_deg=12)),
]


@pytest.mark.parametrize(("kinds", "picture"), ONLY)
def test_only_the_kinds_asked_for_are_told(kinds, picture):
    assert Watched(kinds=kinds).is_(HOME, LEARN_MS).is_(picture, 5000).edges == []


def test_a_rule_that_sleeps_says_nothing_and_clears():
    watched = Watched().is_(HOME, LEARN_MS)
    watched.scope.asleep[0] = 1
    watched.is_(hand(), 4000)
    assert watched.edges == []
    watched.scope.asleep[0] = 0
    watched.is_(hand(), 3000)
    watched.scope.asleep[0] = 1
    watched.is_(hand(), 4000)
    assert [state for _, state, _ in watched.edges] == ["raised", "cleared"]


def test_times_are_kept_on_both_edges():
    watched = Watched(hold_ms=5000, clear_ms=6000)
    watched.is_(HOME, LEARN_MS).is_(hand(), 4800).is_(HOME, 3000)
    assert watched.edges == []
    watched.is_(hand(), 7000).is_(HOME, 5500)
    assert [state for _, state, _ in watched.edges] == ["raised"]
    watched.is_(HOME, 2500)
    assert [state for _, state, _ in watched.edges] == ["raised", "cleared"]


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (480, 270), (320, 240), (360, 640)])
def test_pictures_of_any_shape(size):
    wide = yard(3, *size)
    watched = Watched(*size)
    watched.is_(seen(wide), LEARN_MS).is_(seen(wide, right=0.15 * size[0]), 5000)
    assert watched.raised == ["moved"]
    assert watched.whys[0]["shift_px"] == pytest.approx([0.15 * size[0], 0], abs=size[0] / 100)


def test_looks_come_at_their_own_pace():
    """A look costs as much at 30 pictures per second as at 10: there are no more of them."""
    watched = Watched()
    looks = []
    watched.watcher._picture.look = lambda pixels: looks.append(watched.t_ms)  # type: ignore[method-assign]
    watched.see((HOME for _ in range(300)), step_ms=1000 / 30)
    assert len(looks) == pytest.approx(10_000 / 400, abs=1)
