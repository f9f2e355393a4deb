"""Where the shared data sets are, for the tests that need them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared data sets, or skip."""
    folder = Path(os.environ.get("HAETAE_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder} (HAETAE_DATA)")
    return folder
