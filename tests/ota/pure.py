"""Remembers what pure functions gave, so that thousands of cameras start in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pytest

from ota import admission, key_ring, keys, manifest, store, students


@pytest.fixture(autouse=True, scope="module")
def remembered() -> Iterator[None]:
    """Import it into a test file to use it: signatures, manifests and rings are judged once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_is_valid", lru_cache(4096)(keys._is_valid))
        parse_manifest = lru_cache(256)(manifest.parse_manifest)
        parse_ring = lru_cache(256)(key_ring.parse_ring)
        for module in (store, admission):
            patch.setattr(module, "parse_manifest", parse_manifest)
        for module in (key_ring, students):
            patch.setattr(module, "parse_ring", parse_ring)
        yield
