"""The smoke run fails where it must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from models.training import smoke_load
from tests.models import tiny_tflite

LOADER = [sys.executable, "-P", smoke_load.__file__]


def load(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LOADER, str(file)], capture_output=True, text=True, timeout=60)


def test_an_int8_file_loads_in_every_runtime_that_is_here(tmp_path: Path) -> None:
    file = tmp_path / "tiny.tflite"
    file.write_bytes(tiny_tflite.build())
    done = load(file)
    assert done.returncode == 0, done.stderr
    assert "all int8" in done.stdout


def test_what_no_runtime_takes_fails(tmp_path: Path) -> None:
    file = tmp_path / "junk.tflite"
    file.write_bytes(b"TFL3" * 100)
    assert load(file).returncode != 0


def test_a_loss_that_does_not_fall_is_an_error() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")
    from models.training.smoke import NotLearned, must_fall

    must_fall("falls", [10.0] * 12 + [5.0] * 12)
    for losses in ([10.0] * 24, [10.0] * 12 + [9.0] * 12, [10.0] * 12 + [float("nan")] * 12):
        with pytest.raises(NotLearned, match="must be <="):
            must_fall("stays", losses)


def test_a_rate_of_zero_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault this run exists for: training that does not train."""
    pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")
    from models.training import smoke, train

    monkeypatch.setattr(smoke, "DRAWN", 24)
    monkeypatch.setattr(smoke, "DRAWN_HELD_OUT", 2)
    before = dict(vars(train))
    cache = smoke.make_cache(tmp_path / "cache", tmp_path / "no data")
    losses = smoke.learn(cache, tmp_path, 30, 0.0)
    assert len(losses) >= 24
    with pytest.raises(smoke.NotLearned):
        smoke.must_fall("detector", losses)
    assert vars(train) == before
