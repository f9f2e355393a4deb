"""Fixtures shared by all tests: where the data sets are, and a skip with a reason where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """The folder of data sets named by HAETAE_DATA, default `../shared/data` beside the repository."""
    root = Path(os.environ.get("HAETAE_DATA", "../shared/data"))
    return root if root.is_absolute() else (REPOSITORY / root).resolve()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data root; skips when it is absent."""
    root = data_root()
    if not root.is_dir():
        pytest.skip(f"HAETAE_DATA is absent: no folder {root}")
    return root
