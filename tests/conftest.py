"""Fixtures shared by all tests: where the data sets are, or a skip with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """The folder of data sets: HAETAE_DATA, default `../shared/data`."""
    root = Path(os.environ.get("HAETAE_DATA", "../shared/data"))
    return root if root.is_absolute() else (REPOSITORY / root).resolve()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data root; skips when it is absent."""
    root = data_root()
    if not root.is_dir():
        pytest.skip(f"HAETAE_DATA is absent: no folder {root}")
    return root
