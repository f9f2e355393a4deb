"""The students that ship, received on a file as flash, in memory that does not grow."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace

from drivers.storage import FileStorage
from models.package import shipped_packages
from ota.area import needed_bytes
from ota.build import collect
from ota.manifest import CHUNK_BYTES, ROLES
from tests.ota.camera import FACTS, UNIT, Bundle, install, make, push, start

SLOT_BYTES = 4 << 20
UNIT_BYTES = 4096
KEPT_BYTES = 16 << 10
"""A cache inside msgspec fills up to 12 kB in a thousand manifests."""
REAL = replace(FACTS, slot_bytes=SLOT_BYTES, unit_bytes=UNIT_BYTES)


def shipped(release: int) -> Bundle:
    goldens = dict.fromkeys(ROLES, b"\x80" + bytes([release]))
    files = [file for path in shipped_packages() for file in collect(path, ["tflite"], goldens)]
    return make(files, release)


def open_flash(folder) -> FileStorage:
    return FileStorage(folder / "slots", needed_bytes(SLOT_BYTES, UNIT_BYTES), UNIT_BYTES)


def test_the_students_that_ship_are_received_and_found_again(tmp_path):
    new = shipped(1)
    flash = open_flash(tmp_path)
    install(start(flash, REAL), new)
    flash.close()
    loaded = start(open_flash(tmp_path), REAL).load_active()
    assert loaded.slot == 0
    assert set(loaded.files) == set(ROLES)
    assert loaded.files == new.plain


def test_receiving_holds_a_few_chunks_and_keeps_nothing(tmp_path):
    camera = start(open_flash(tmp_path), REAL)
    bundles = [shipped(release) for release in (1, 2, 3)]
    parts = {new.digest: [new.chunk(n) for n in range(count(new))] for new in bundles}
    tracemalloc.start()
    try:
        receive(camera, bundles[2], parts)
        gc.collect()
        tracemalloc.reset_peak()
        first, _ = tracemalloc.get_traced_memory()
        for new in bundles * 3:
            receive(camera, new, parts)
        gc.collect()
        last, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"\nreceiving: {(peak - first) >> 10} KiB at most, {last - first} bytes kept")
    assert peak - first < 6 * CHUNK_BYTES
    assert last - first < KEPT_BYTES


def receive(camera, new: Bundle, parts: dict[bytes, list[bytes]]) -> None:
    """All of a bundle, and give it up again; the next one overwrites it."""
    answer = camera.offer(new.head, True)
    wanted = answer["next"]
    while wanted >= 0:
        wanted = camera.chunk(answer["session"], wanted, parts[new.digest][wanted])
    assert camera.store.state.slots[0].status == "staged"
    camera.abandon()


def count(new: Bundle) -> int:
    return sum(len(entry.chunks) for entry in new.manifest.files)


def test_a_transfer_on_a_file_goes_on_after_the_process_was_killed(tmp_path):
    new = shipped(1)
    flash = open_flash(tmp_path)
    camera = start(flash, REAL)
    answer = camera.offer(new.head)
    half = count(new) // 2
    for index in range(half):
        camera.chunk(answer["session"], index, new.chunk(index))
    flash.close()
    again = start(open_flash(tmp_path), REAL)
    assert again.offer(new.head)["next"] == half
    push(again, new)
    assert UNIT < UNIT_BYTES
