"""`python -m runtime.entry_fit`: what it learns from made-up walks, and that it learns it again."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from runtime.entry_fit import main
from runtime.entry_parameters import EntryParameters
from runtime.entry_replay import outcomes, replay
from runtime.obsmat import frame_ms, read_obsmat, square
from runtime.predict import EntryPredictor, lay_corners


def write_walks(path, people, seed):
    """People who cross a field of 12 m, every fourth of them turning once; every 0.4 s."""
    random = np.random.default_rng(seed)
    lines = []
    for person in range(people):
        towards = np.exp(1j * random.uniform(-np.pi, np.pi))
        place = -6.0 * towards + random.normal(0.0, 2.0) * 1j * towards
        velocity = random.uniform(0.6, 1.8) * towards
        turn = np.exp(1j * random.uniform(-1.0, 1.0)) if person % 4 == 0 else 1.0
        for k in range(24):
            lines.append(f"{6 * k} {person} {place.real} 0 {place.imag} 0 0 0")
            velocity *= turn if k == 12 else 1.0
            place += 0.4 * velocity
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    write_walks(folder / "walks.txt", 80, seed=1)
    arguments = ["--name", "tried", "--passes", "2", "--steps", "500", "--out", str(folder)]
    assert main([*arguments, str(folder / "walks.txt")]) == 0
    return folder


def model(folder, name="tried"):
    return msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=EntryParameters)


def test_it_learns_who_enters(fitted):
    """On other walks: accuracy near what is possible, probabilities that mean what they say."""
    path = fitted / "others.txt"
    write_walks(path, 80, seed=2)
    seen = read_obsmat(path)
    ms = frame_ms(seen, 400.0)
    places = [(-5.0, 0.0), (0.0, 5.0), (5.0, -3.0), (0.0, -5.0)]
    corners = lay_corners([square(x, y, 3.0) for x, y in places])
    rows = replay(seen, ms, EntryPredictor(corners, model(fitted), 80, 2000.0))
    outcome = outcomes(corners, seen, seen, ms, 2000.0)
    use = (rows.age_ms >= 1999.0) & outcome.is_known & outcome.is_outside
    p, entered = rows.probability[use], np.isfinite(outcome.entry_ms[use])
    assert entered.sum() > 100
    assert ((p >= 0.5) == entered).mean() > 0.985
    assert p[entered].mean() > 0.9
    assert p[~entered].mean() < 0.03


def test_the_same_seed_gives_the_same_model(fitted):
    arguments = ["--passes", "2", "--steps", "20", "--decide", "0.3"]
    arguments += ["--out", str(fitted), str(fitted / "walks.txt")]
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(["--name", name, "--seed", seed, *arguments]) == 0
    a, b, c = (model(fitted, name) for name in "abc")
    assert a == b
    assert a.track != c.track
    assert a.decide == 0.3
    assert a.source == "fit0/walks.txt; passes 2, steps 20, seed 1"


def test_a_bad_file_is_named(tmp_path, capsys):
    (tmp_path / "bad.txt").write_text("1 2 3\n")
    assert main(["--name", "n", "--out", str(tmp_path), str(tmp_path / "bad.txt")]) == 2
    assert "bad.txt:1" in capsys.readouterr().err
