"""The vendor of the virtual board: keys that everybody may know, a key ring, bundles of students.

Nothing here protects anything: the keys are made of fixed words, so that a run can be repeated.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from drivers.board import NpuConfig
from drivers.npu.tflite import TfliteNpu
from models.package import STUDENTS, load_package
from models.signature import open_session
from ota.build import build
from ota.golden_make import make_golden
from ota.head import Head
from ota.key_ring import Body, Key, body_bytes, ring_bytes
from ota.keys import DOMAIN_BUNDLE, DOMAIN_RING, public_of, sign, signatures_bytes
from sim.board import students

PRODUCT: Final = "haetae-sim"
ROOTS: Final = ("root 1", "root 2", "root 3")
THRESHOLD: Final = 2
BUNDLE: Final = "bundle"
SHIPPED: Final = {"detector": "ppe_s", "skeleton": "skeleton_s", "action": "action_xs"}


def key_ring() -> bytes:
    """The ring that the virtual board is provisioned with."""
    roots = [Key(public=public_of(_seed(name)), name=name.replace(" ", "-")) for name in ROOTS]
    body = body_bytes(
        Body(
            version=1,
            product=PRODUCT,
            threshold=THRESHOLD,
            roots=roots,
            bundle_threshold=1,
            bundle_keys=[Key(public=public_of(_seed(BUNDLE)), name=BUNDLE)],
        )
    )
    return ring_bytes(body, [sign(_seed(name), DOMAIN_RING, body) for name in ROOTS[:THRESHOLD]])


def bundle(kind: str, release: int, counter: int = 1) -> tuple[bytes, bytes]:
    """Head and payload of a signed bundle: one student of a kind, and the shipped other ones.

    Args:
        kind: one of `sim.board.students.KINDS`, of the detector; or with the role in front, as
            "skeleton_random".
        release, counter: of the manifest.
    """
    role, _, how = kind.rpartition("_")
    role = role or "detector"
    with TemporaryDirectory() as folder:
        packages = {name: STUDENTS / shipped for name, shipped in SHIPPED.items()}
        shipped = packages[role]
        packages[role] = students.make(how, Path(folder), shipped)
        goldens = {name: _golden(path) for name, path in packages.items() if how != "nan"}
        goldens = goldens or {name: _golden(STUDENTS / each) for name, each in SHIPPED.items()}
        head, payload = build(
            list(packages.values()),
            ["tflite"],
            product=PRODUCT,
            version=f"{release}.0.0-{kind}",
            release=release,
            counter=counter,
            min_runtime="0.1.0",
            memory_mb=16,
            goldens=goldens,
        )
    signature = sign(_seed(BUNDLE), DOMAIN_BUNDLE, head.manifest)
    return Head(head.manifest, signatures_bytes([signature]), head.rings).to_bytes(), payload


def _golden(package: Path) -> bytes:
    loaded = load_package(package, "tflite")
    session = open_session(loaded, TfliteNpu(NpuConfig(driver="tflite")))
    try:
        return make_golden(session, loaded.info, "tflite")
    finally:
        session.close()


def _seed(name: str) -> bytes:
    return hashlib.sha256(b"virtual board, " + name.encode()).digest()
