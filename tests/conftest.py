"""Fixtures shared by all tests: where the data sets are, or a skip with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.places import data_root

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data root; skips when it is absent."""
    root = data_root()
    if not root.is_dir():
        pytest.skip(f"HAETAE_DATA is absent: no folder {root}")
    return root
