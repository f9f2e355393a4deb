"""Writes tests/ota/vectors: bundles that every runtime, today's and later ones, must judge alike.

python -m tests.ota.make_vectors        # only when a vector is added; old ones stay as they are
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

from ota import wire
from ota.build import Source, assemble, collect
from ota.delta import DeltaBase, read_base
from ota.head import FIXED, Head, parse_head
from ota.keys import DOMAIN_RING, sign, signatures_bytes
from tests.ota import vendor
from tests.ota.bundles import values

FOLDER: Final = Path(__file__).with_name("vectors")
RING: Final = "ring-1.ring"
DEVICE: Final = {
    "product": vendor.PRODUCT, "board": "mast", "soc": "rk3588", "target": "tflite",
    "runtime": "0.1.0", "memory_mb": 64, "slot_bytes": 1 << 22, "floor": 3, "release": 5,
}  # fmt: skip
"""The camera that judges them; it trusts RING."""
FILES: Final = [
    Source("detector", "model.toml", "", b'# no package: "plain" holds one\n'),
    Source("detector", "golden.msgpack", "", b"\x80"),
    Source("detector", "net.tflite", "tflite", bytes(range(64))),
]


class Vector(NamedTuple):
    """A bundle, and what the camera must say: "" to take it, else the reason of refusal."""

    data: bytes
    reason: str
    about: str
    base: str = ""


def small(signers: tuple[str, ...] = ("bundle 1",), **how: Any) -> tuple[Head, bytes]:
    """A bundle that DEVICE would take, but for what is changed by `how`."""
    rings, base = how.pop("rings", ()), how.pop("base", None)
    files = how.pop("files", FILES)
    asked = values(release=7, counter=3) | how
    head, payload = assemble(files, base=base, rings=rings, **asked)
    return Head(
        head.manifest, vendor.bundle_signatures(head.manifest, *signers), head.rings
    ), payload


def whole(signers: tuple[str, ...] = ("bundle 1",), **how: Any) -> bytes:
    head, payload = small(signers, **how)
    return head.to_bytes() + payload


def with_manifest(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """Signed by the vendor, and still nothing that a device may take."""
    head, payload = small()
    raw = wire.unpack(head.manifest, 1 << 16)
    raw = change(raw) or raw
    manifest = raw if isinstance(raw, bytes) else wire.pack(raw)
    signed = vendor.bundle_signatures(manifest, "bundle 1")
    return Head(manifest, signed, head.rings).to_bytes() + payload


def with_signatures(signatures: bytes) -> bytes:
    head, payload = small()
    return Head(head.manifest, signatures, head.rings).to_bytes() + payload


def with_fixed(at: int, value: bytes) -> bytes:
    """Another value in the first bytes, and the right CRC over them."""
    data = bytearray(whole())
    data[at : at + len(value)] = value
    data[FIXED.size - 4 : FIXED.size] = crc32(data[: FIXED.size - 4]).to_bytes(4, "little")
    return bytes(data)


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def lied_about_a_chunk(data: bytes) -> bytes:
    """A packed chunk is one byte longer than the manifest says."""
    head = parse_head(data)
    raw = wire.unpack(head.manifest, 1 << 16)
    raw["files"][-1]["bytes"] -= 1
    manifest = wire.pack(raw)
    signed = vendor.bundle_signatures(manifest, "bundle 1")
    return Head(manifest, signed, head.rings).to_bytes() + data[len(head.to_bytes()) :]


def deep(_: dict[str, Any]) -> bytes:
    return b"\x91" * 100 + b"\xc0"


def good() -> Iterator[tuple[str, Vector]]:
    rings = [vendor.ring(number) for number in (1, 2, 3)]
    for_two = [*FILES, Source("detector", "net.rknn", "rk3588", b"RKNN" + bytes(60))]
    for_all = {"boards": ["mast", "cab"], "socs": ["rk3588"], "notes": "Sees vests at dusk."}
    yield "small", Vector(whole(), "", "one detector of three short files")
    yield "two_targets", Vector(whole(files=for_two), "", "a second file, for another NPU")
    yield "two_signatures", Vector(whole(("bundle 1", "bundle 2")), "", "one key is not known")
    yield "ring_chain", Vector(whole(rings=rings), "", "brings the key rings 1 to 3")
    yield "for_boards", Vector(whole(**for_all), "", "named boards and SoCs, and notes")
    yield (
        "newer_keys",
        Vector(with_manifest(lambda raw: raw | {"later": [1, {}]}), "", "keys of a later format"),
    )


def not_whole() -> Iterator[tuple[str, Vector]]:
    data, head = whole(), small()[0]
    end = len(head.to_bytes())
    yield "other_file", Vector(b"\x7fELF" + data[4:], "malformed", "begins with other bytes")
    yield "newer_head", Vector(with_fixed(7, b"\2"), "newer_format", "format 2 of the head")
    yield "damaged_length", Vector(flipped(data, 9), "malformed", "a length is damaged: the CRC")
    huge = (1 << 31).to_bytes(4, "little")
    yield "huge_manifest", Vector(with_fixed(8, huge), "too_long", "a manifest of 2 GiB")
    yield "huge_rings", Vector(with_fixed(16, huge), "too_long", "key rings of 2 GiB")
    yield "cut_in_head", Vector(data[: end - 1], "truncated", "ends in the head")
    yield "cut_in_payload", Vector(data[:-1], "truncated", "ends in the payload")
    yield "too_long", Vector(data + b"\0", "too_long", "goes on behind the payload")


def wrong_manifest() -> Iterator[tuple[str, Vector]]:
    def twice(raw: dict[str, Any]) -> None:
        raw["files"].append(raw["files"][0])

    def one_chunk_too_many(raw: dict[str, Any]) -> None:
        raw["files"][0]["chunks"].append(bytes(32))

    def climbs(raw: dict[str, Any]) -> None:
        raw["files"][0]["name"] = "../model.toml"

    yield "deep", Vector(with_manifest(deep), "too_deep", "a manifest of 100 nested arrays")
    yield "no_map", Vector(with_manifest(lambda _: b"\x01"), "malformed", "a manifest that is 1")
    later = Vector(with_manifest(lambda raw: raw | {"format": 2}), "newer_format", "format 2")
    yield "newer_manifest", later
    yield "file_twice", Vector(with_manifest(twice), "malformed", "one file is there twice")
    yield "chunks", Vector(with_manifest(one_chunk_too_many), "malformed", "a chunk too many")
    yield "path", Vector(with_manifest(climbs), "malformed", "a file named ../model.toml")
    none = with_manifest(lambda raw: raw | {"files": []})
    yield "no_files", Vector(none, "malformed", "a manifest without files")


def not_trusted() -> Iterator[tuple[str, Vector]]:
    head, _ = small()
    other = signatures_bytes([sign(vendor.seed("bundle 1"), DOMAIN_RING, head.manifest)])
    revoking = vendor.ring(2, bundle_keys=["bundle 2"], revoked=["bundle 1"])
    foreign = tuple(f"foreign {number}" for number in (1, 2, 3))
    yield "unsigned", Vector(with_signatures(b"\x90"), "signature", "no signature")
    no_list = with_signatures(b"\x01")
    yield "signatures_no_list", Vector(no_list, "malformed", "signatures that are 1")
    damaged = flipped(head.signatures, len(head.signatures) - 1)
    yield "signature_damaged", Vector(with_signatures(damaged), "signature", "one bit of it")
    yield "foreign_key", Vector(whole(("foreign",)), "signature", "signed by an unknown key")
    yield "other_domain", Vector(with_signatures(other), "signature", "signed as a key ring")
    mixed = Head(small(version="2.0.0")[0].manifest, head.signatures, head.rings).to_bytes()
    yield "mixed", Vector(mixed + small()[1], "signature", "the signatures of another bundle")
    yield "revoked", Vector(whole(rings=[revoking]), "revoked_key", "its ring revokes its key")
    gap = whole(rings=[vendor.ring(3)])
    yield "ring_gap", Vector(gap, "ring_gap", "brings ring 3 without ring 2")
    one = whole(rings=[vendor.ring(2, ["root 1"])])
    yield "ring_one_root", Vector(one, "ring_signature", "ring 2 is signed by one root of two")
    yield (
        "ring_foreign",
        Vector(
            whole(rings=[vendor.ring(2, foreign[:2], roots=foreign)]),
            "ring_signature",
            "ring 2 is signed by its own roots alone",
        ),
    )
    conflict = whole(rings=[vendor.ring(1, bundle_keys=["bundle 2"])])
    yield "ring_conflict", Vector(conflict, "ring_conflict", "another ring 1")


def not_for_it() -> Iterator[tuple[str, Vector]]:
    other = [*FILES[:2], Source("detector", "net.rknn", "rk3566", b"RKNN" + bytes(60))]
    yield "product", Vector(whole(product="haetae-door"), "product", "for another product")
    yield "board", Vector(whole(boards=["cab"]), "board", "for another board")
    yield "soc", Vector(whole(socs=["rk3566"]), "soc", "for another SoC")
    yield "target", Vector(whole(files=other), "target", "for another NPU")
    yield "runtime", Vector(whole(min_runtime="0.2.0"), "runtime", "needs runtime 0.2.0")
    yield "counter", Vector(whole(counter=2), "counter", "counter 2, the floor is 3")
    yield "older", Vector(whole(release=4), "older", "release 4, release 5 runs")
    yield "memory", Vector(whole(memory_mb=65), "memory", "65 MB of 64")


def wrong_payload() -> Iterator[tuple[str, Vector]]:
    data = whole()
    yield "chunk", Vector(flipped(data, -1), "chunk", "one bit of the last file")


def against_small(base: DeltaBase) -> Iterator[tuple[str, Vector]]:
    """Packed ones; other versions of the library that packs may give other bytes."""
    content = FILES[2].data[:-1] + b"\xff"
    files = [*FILES[:2], FILES[2]._replace(data=content)]
    delta = whole(files=files, release=8, base=base)
    yield "delta", Vector(delta, "", "a delta against small", "small")
    yield "delta_damaged", Vector(flipped(delta, -3), "chunk", "a packed chunk", "small")
    lied = lied_about_a_chunk(delta)
    yield "delta_lied", Vector(lied, "chunk", "a packed chunk is longer than it says", "small")
    yield "delta_other_base", Vector(delta, "base", "the camera runs another set", "two_targets")


GROUPS: Final = (good, not_whole, wrong_manifest, not_trusted, not_for_it, wrong_payload)


def vectors() -> dict[str, Vector]:
    """All but "plain" and the packed ones: their bytes follow from this file alone."""
    return {name: vector for group in GROUPS for name, vector in group()}


def plain() -> Vector:
    """A network that can be loaded, a hundredth of a real one; its golden inputs were made here."""
    from tempfile import TemporaryDirectory

    from models.package import load_package
    from models.signature import open_session
    from ota.golden_make import make_golden
    from tests.models import tiny_tflite

    content = tiny_tflite.build(2)
    tables = tiny_tflite.description(content, ["person", "helmet"])
    with TemporaryDirectory() as name:
        folder = tiny_tflite.write_package(Path(name), tables, content)
        package = load_package(folder, "tflite")
        session = open_session(package, tiny_tflite.npu("litert"))
        goldens = {"detector": make_golden(session, package.info, "tflite")}
        files = collect(folder, ["tflite"], goldens)
    data = whole(files=files, notes="The bundle of ota/FORMAT.md.")
    return Vector(data, "", "a real bundle of a tiny detector")


def main() -> None:
    """Write what is not there yet."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / RING).write_bytes(vendor.ring(1))
    found = vectors()
    (FOLDER / "small.bundle").write_bytes(found["small"].data)
    found |= dict(against_small(read_base([FOLDER / "small.bundle"], ["tflite"])))
    found["plain"] = plain()
    table = {}
    for name, vector in found.items():
        path = FOLDER / f"{name}.bundle"
        if not path.exists():
            path.write_bytes(vector.data)
        table[name] = {"reason": vector.reason, "about": vector.about, "base": vector.base}
    listed = {"ring": RING, "device": DEVICE, "bundles": table}
    (FOLDER / "vectors.json").write_text(json.dumps(listed, indent=1) + "\n")


if __name__ == "__main__":
    main()
