"""Fixtures shared by all tests: where the data sets are, or a skip with the reason.

Generated cases are the same in every run; `make fuzz` draws many new ones.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.board.support import pytest_runtest_setup as pytest_runtest_setup
from tests.places import data_root

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, **_COMMON)
settings.register_profile("fuzz", max_examples=3000, **_COMMON)
settings.register_profile("few", derandomize=True, max_examples=10, **_COMMON)
settings.load_profile(os.environ.get("HAETAE_HYPOTHESIS", "same"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data root; skips when it is absent."""
    root = data_root()
    if not root.is_dir():
        pytest.skip(f"HAETAE_DATA is absent: no folder {root}")
    return root


@pytest.fixture(scope="module", autouse=True)
def no_sealed_memory() -> Iterator[None]:
    """Sealing cannot be undone: what boots a camera does so in a process of its own."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    yield
    assert resource.getrlimit(resource.RLIMIT_AS) == before
