"""Whether a camera takes a bundle: judged by its head, before a byte of it is stored.

In this order, so that the answer is the one that helps: key rings, signature, product, board, SoC,
NPU target, runtime, security counter, release, base, size, memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ota.area import units_up
from ota.head import Head
from ota.key_ring import KeyRing, advance, check_bundle, parse_chain
from ota.manifest import Manifest, Taken, parse_manifest, take
from ota.refusal import Refused
from ota.state import FACTORY, State

_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Facts:
    """What this camera is.

    Attributes:
        device: its name. product, board, soc: as manifests name them.
        target: its `Npu.target`.
        runtime: version of the runtime, "major.minor.patch" and perhaps more.
        memory_mb: what a trial may take beside the present students.
        slot_bytes, unit_bytes: of its storage.
        can_unpack: whether it takes deltas: zstandard is there, and memory for one more set.
        max_tries: of a set, and of a site file, before it is given up.
        factory_release: of the students that came with the image.
    """

    device: str
    product: str
    board: str
    soc: str
    target: str
    runtime: str
    memory_mb: int
    slot_bytes: int
    unit_bytes: int
    can_unpack: bool
    max_tries: int = 2
    factory_release: int = 0


@dataclass(frozen=True)
class Admitted:
    """A bundle that may come.

    Attributes:
        manifest: parsed.
        taken: what this camera takes of it.
        ring: the key ring that it was judged by, newer than the camera's where it brought one.
        head: what is stored of its head: without key rings.
    """

    manifest: Manifest
    taken: Taken
    ring: KeyRing
    head: bytes


def admit(head: Head, facts: Facts, ring: KeyRing, state: State, allow_older: bool) -> Admitted:
    """Judge a bundle.

    Args:
        head: from outside.
        facts: what this camera is.
        ring: the newest one that it trusts.
        state: what it runs.
        allow_older: take a lower release than the one that runs, down to the floor.

    Raises:
        Refused: what is wrong first.
    """
    ring = advance(ring, parse_chain(head.rings))
    check_bundle(ring, head)
    manifest = parse_manifest(head.manifest)
    for reason, detail in _for_others(manifest, facts):
        raise Refused(reason, detail)
    for reason, detail in _out_of_order(manifest, facts, state, allow_older):
        raise Refused(reason, detail)
    taken = take(manifest, facts.target, facts.unit_bytes)
    if not facts.can_unpack and any(chunk.is_packed for chunk in taken.chunks):
        raise Refused("delta")
    stored = Head(head.manifest, head.signatures, b"").to_bytes()
    wanted = units_up(len(stored), facts.unit_bytes) + units_up(taken.slot_bytes, facts.unit_bytes)
    if wanted > facts.slot_bytes:
        raise Refused("size", f"{wanted} bytes; a slot of this camera has {facts.slot_bytes}")
    if manifest.memory_mb > facts.memory_mb:
        detail = f"{manifest.memory_mb} MB; this camera can spare {facts.memory_mb}"
        raise Refused("memory", detail)
    return Admitted(manifest, taken, ring, stored)


def _for_others(manifest: Manifest, facts: Facts) -> Iterator[tuple[str, str]]:
    if manifest.product != facts.product:
        yield "product", f"for {manifest.product}; this is {facts.product}"
    if manifest.boards and facts.board not in manifest.boards:
        yield "board", f"for {', '.join(manifest.boards)}; this is {facts.board}"
    if manifest.socs and facts.soc not in manifest.socs:
        yield "soc", f"for {', '.join(manifest.socs)}; this is {facts.soc}"
    ours = {entry.role for entry in manifest.files if entry.target == facts.target}
    for role in sorted({entry.role for entry in manifest.files} - ours):
        yield "target", f"no {role} for {facts.target}"
    if version(manifest.min_runtime) > version(facts.runtime):
        yield "runtime", f"needs {manifest.min_runtime}; this is {facts.runtime}"


def _out_of_order(
    manifest: Manifest, facts: Facts, state: State, allow_older: bool
) -> Iterator[tuple[str, str]]:
    if manifest.counter < state.floor:
        yield "counter", f"counter {manifest.counter}; this camera's floor is {state.floor}"
    active = None if state.active == FACTORY else state.slots[state.active]
    runs = active.release if active else facts.factory_release
    if manifest.release < runs and not allow_older:
        yield "older", f"release {manifest.release}; release {runs} runs"
    if manifest.base is not None and (active is None or active.digest != manifest.base.digest):
        yield "base", f"a delta against release {manifest.base.release}; release {runs} runs"


def version(text: str) -> tuple[int, ...]:
    """The three numbers that a version begins with; zeros where it does not."""
    found = _VERSION.match(text)
    return tuple(map(int, found.groups())) if found else (0, 0, 0)
