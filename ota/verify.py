"""All that a device would check of a bundle, in its order, on a PC: each check and how it ended.

A device stops at the first refusal; so does this, but for the contents, which are looked at anyway.
What depends on a fact about the device that was not given is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from drivers.interfaces import Npu
from ota.admission import Facts, admit
from ota.build import check_roles
from ota.bundle import BundleFile
from ota.delta import DeltaBase, plain_payload, read_base
from ota.head import Head
from ota.host import try_package
from ota.key_ring import KeyRing, advance, check_bundle, parse_chain, trust_first
from ota.keys import DOMAIN_BUNDLE, parse_signatures, signers
from ota.manifest import Base, Manifest, take
from ota.refusal import REASONS, Refused
from ota.state import SlotInfo, State

OK, REFUSED, NOT_ASKED, NOT_REACHED = "ok", "refused", "not asked", "not reached"
NO_BOUND: Final = 1 << 40
ADMISSION: Final = (
    "product", "board", "soc", "target", "runtime", "counter", "older", "base", "delta", "size",
    "memory",
)  # fmt: skip
"""Reasons of `ota.admission`, in its order, after the signature."""


class Check(NamedTuple):
    """One check.

    Attributes:
        name: a reason of refusal, or what is looked at.
        result: OK, REFUSED, NOT_ASKED or NOT_REACHED.
        detail: for people. reason: of a refusal, a key of `ota.refusal.REASONS`.
    """

    name: str
    result: str
    detail: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Device:
    """What is known about a device; None: not asked.

    Attributes:
        product: the key ring's, where it is not given.
        board, soc, target, runtime, memory_mb, slot_bytes: as `ota.admission.Facts`.
        floor: its security counter. release: that runs.
        digest: of the manifest that runs, hexadecimal.
        can_unpack: takes deltas.
    """

    product: str | None = None
    board: str | None = None
    soc: str | None = None
    target: str | None = None
    runtime: str | None = None
    memory_mb: int | None = None
    slot_bytes: int | None = None
    floor: int | None = None
    release: int | None = None
    digest: str | None = None
    can_unpack: bool | None = None


_FACT: Final = {
    "counter": "floor", "older": "release", "base": "digest", "delta": "can_unpack",
    "size": "slot_bytes", "memory": "memory_mb",
}  # fmt: skip
"""The fact that a check asks for, where it has another name."""


def verify(
    path: Path, ring: bytes, device: Device, bases: Sequence[Path], npus: dict[str, Npu]
) -> list[Check]:
    """Walk the checks.

    Args:
        path: the bundle.
        ring: the key ring that the device was provisioned with.
        device: what is known about it; without a target, all targets of the bundle are walked.
        bases: of a delta, newest first.
        npus: back ends of this machine, by target.

    Raises:
        OSError: a file cannot be read.
    """
    checks: list[Check] = []
    try:
        bundle = BundleFile(path)
    except Refused as refused:
        return [_refused("bundle", refused)]
    with bundle:
        checks.append(Check("bundle", OK, f"{bundle.size} bytes, all there"))
        trusted = trust(bundle.head, ring, checks)
        if device.product is None and trusted is not None:
            device = replace(device, product=trusted.product)
        for target in [device.target] if device.target else targets_of(bundle.manifest):
            if trusted is None:
                checks += [Check(name, NOT_REACHED) for name in ADMISSION]
            else:
                checks += admission(bundle.head, bundle.manifest, trusted, device, target)
            checks += contents(bundle, target, bases, npus)
    return checks


def targets_of(manifest: Manifest) -> list[str]:
    """The NPU targets that it has files for."""
    return sorted({entry.target for entry in manifest.files} - {""})


def trust(head: Head, ring: bytes, checks: list[Check]) -> KeyRing | None:
    """Rings and signature; the ring that the bundle is to be judged by, None where refused."""
    name = "key rings"
    try:
        first = trust_first(ring)
        newest = advance(first, parse_chain(head.rings))
        checks.append(Check(name, OK, f"version {first.version}, then {newest.version}"))
        name = "signature"
        check_bundle(newest, head)
    except Refused as refused:
        checks.append(_refused(name, refused))
        return None
    signatures = parse_signatures(head.signatures)
    good = signers(newest.bundle_keys, DOMAIN_BUNDLE, head.manifest, signatures)
    names = ", ".join(sorted(newest.names[one] for one in good))
    checks.append(Check(name, OK, f"{names}; needed: {newest.bundle_threshold}"))
    return newest


def admission(
    head: Head, manifest: Manifest, ring: KeyRing, device: Device, target: str
) -> list[Check]:
    """What a device asks before it takes a byte, up to the first refusal."""
    facts, state = _assumed(manifest, device, target)
    wrong: Refused | None = None
    try:
        admit(head, facts, ring, state, allow_older=False)
    except Refused as refused:
        wrong = refused
    found = []
    for name in ADMISSION:
        if wrong is not None and wrong.reason == name:
            found.append(_refused(name, wrong))
            left = ADMISSION[ADMISSION.index(name) + 1 :]
            return found + [Check(later, NOT_REACHED) for later in left]
        known = name == "target" or getattr(device, _FACT.get(name, name)) is not None
        found.append(Check(name, OK if known else NOT_ASKED, _words(name, manifest, target)))
    return [*found, _refused("admission", wrong)] if wrong else found


def _assumed(manifest: Manifest, device: Device, target: str) -> tuple[Facts, State]:
    """The device; where a fact was not given, one that the bundle is right for."""

    def fact(name: str, otherwise: Any) -> Any:
        given = getattr(device, name)
        return otherwise if given is None else given

    base = manifest.base or Base(digest=bytes(32), release=0)
    facts = Facts(
        device="",
        product=fact("product", manifest.product),
        board=fact("board", (manifest.boards or ["any"])[0]),
        soc=fact("soc", (manifest.socs or ["any"])[0]),
        target=target,
        runtime=fact("runtime", manifest.min_runtime),
        memory_mb=fact("memory_mb", NO_BOUND),
        slot_bytes=fact("slot_bytes", NO_BOUND),
        unit_bytes=4096,
        can_unpack=fact("can_unpack", True),
    )
    runs = SlotInfo(
        status="confirmed",
        digest=bytes.fromhex(fact("digest", base.digest.hex())),
        release=fact("release", 0),
    )
    return facts, State(active=0, floor=fact("floor", 0), slots=(runs, SlotInfo()))


def _words(name: str, manifest: Manifest, target: str) -> str:
    """What the bundle says about a check."""
    taken = take(manifest, target, 1)
    base = manifest.base
    return {
        "product": manifest.product,
        "board": ", ".join(manifest.boards) or "any",
        "soc": ", ".join(manifest.socs) or "any",
        "target": target,
        "runtime": f"{manifest.min_runtime} or newer",
        "counter": str(manifest.counter),
        "older": f"release {manifest.release}",
        "base": f"release {base.release}, {base.digest.hex()[:16]}"
        if base
        else "none: it is whole",
        "delta": "packed" if base else "nothing is packed",
        "size": f"{taken.slot_bytes} bytes in {len(taken.chunks)} chunks",
        "memory": f"{manifest.memory_mb} MB",
    }[name]


def contents(
    bundle: BundleFile, target: str, bases: Sequence[Path], npus: dict[str, Npu]
) -> list[Check]:
    """The chunks, the packages that they make up, and what these answer."""
    base = bundle.manifest.base
    if base is not None and not bases:
        hint = "give the bundle that it is against: --base"
        return [Check("chunk", NOT_ASKED, hint), Check("student", NOT_ASKED)]
    name, found = "base", []
    try:
        held = (
            read_base(bases, [target]) if base else DeltaBase(Base(digest=bytes(32), release=0), {})
        )
        if base and held.name.digest != base.digest:
            raise Refused("base", f"{bases[0]} is not what it is against")
        name = "chunk"
        payload = plain_payload(bundle, target, held)
        found.append(Check(name, OK, f"{target}: every hash is right"))
        name = "student"
        found += students(bundle.manifest, target, payload, npus)
    except Refused as refused:
        found.append(_refused(name, refused))
    return found


def students(
    manifest: Manifest, target: str, payload: bytes, npus: dict[str, Npu]
) -> Iterator[Check]:
    """Lay out the packages and load them. Raises Refused: "student" or "golden"."""
    with TemporaryDirectory() as folder:
        roles = []
        for placed in take(manifest, target, 1).files:
            entry = placed.entry
            if entry.role not in roles:
                roles.append(entry.role)
            path = Path(folder, entry.role, entry.name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(payload[placed.slot_at : placed.slot_at + entry.bytes])
        check_roles(roles)
        for role in roles:
            tried = try_package(Path(folder, role), [target], npus)
            if target in npus:
                share = f"{tried.used:.0%} of what its golden inputs allow"
                yield Check("student", OK, f"{role} loads for {target}; {share}")
            else:
                yield Check("student", NOT_ASKED, f"{role}: no back end for {target} here")


def _refused(name: str, refused: Refused) -> Check:
    return Check(name, REFUSED, refused.detail or REASONS[refused.reason], refused.reason)
