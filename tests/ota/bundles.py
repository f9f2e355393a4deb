"""Signed bundles for tests, made quickly, with the keys of `tests.ota.vendor`.

bundle = signed(fake_files())                            # a small bundle, contents are junk
write(tmp_path / "new.bundle", signed(shipped_files()))  # the students that ship
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.package import shipped_packages
from ota.build import Source, assemble, collect
from ota.head import Head
from ota.manifest import GOLDEN_FILE, ROLES
from tests.ota import vendor


def fake_files(targets: Sequence[str] = ("tflite",), number: int = 0) -> list[Source]:
    """A whole set that no network is in: some 200 kB, several chunks, other bytes by number."""
    rng = np.random.default_rng(number)
    files = []
    for role in ROLES:
        files.append(Source(role, "model.toml", "", f"# {role} {number}\n".encode()))
        files.append(Source(role, GOLDEN_FILE, "", rng.bytes(5000)))
        size = 150_000 if role == "detector" else 20_000
        files += [Source(role, f"{role}.bin", target, rng.bytes(size)) for target in targets]
    return files


def shipped_files(golden: bytes = b"\x80") -> list[Source]:
    """The students that ship, for tflite."""
    goldens = dict.fromkeys(ROLES, golden)
    return [file for path in shipped_packages() for file in collect(path, ["tflite"], goldens)]


def values(**changes: Any) -> dict[str, Any]:
    """The manifest's values beside its files."""
    return {
        "product": vendor.PRODUCT,
        "boards": [],
        "socs": [],
        "version": "1.0.0",
        "release": 1,
        "counter": 1,
        "min_runtime": "0.1.0",
        "memory_mb": 16,
        "notes": "",
    } | changes


def parts(
    files: Sequence[Source],
    signers: Iterable[str] = ("bundle 1",),
    base: Any = None,
    rings: Sequence[bytes] = (),
    **changes: Any,
) -> tuple[Head, bytes]:
    """Signed head and payload."""
    head, payload = assemble(files, base=base, rings=rings, **values(**changes))
    return Head(
        head.manifest, vendor.bundle_signatures(head.manifest, *signers), head.rings
    ), payload


def signed(files: Sequence[Source], **how: Any) -> bytes:
    """A whole bundle; `how` as `parts`."""
    head, payload = parts(files, **how)
    return head.to_bytes() + payload


def write(path: Path, bundle: bytes) -> Path:
    path.write_bytes(bundle)
    return path
