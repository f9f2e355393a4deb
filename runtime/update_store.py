"""The flash of the slots, opened as the board file says."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from drivers.board import Board
from drivers.faults import StorageFault
from drivers.interfaces import Storage
from drivers.update_config import UpdatesConfig
from ota.area import needed_bytes
from ota.store import Store
from runtime import plugins
from runtime.options import FindDriver


def open_update_store(
    board: Board, updates: UpdatesConfig, find_driver: FindDriver | None
) -> tuple[Store, Storage]:
    """The store, and the storage that whoever calls has to close. Raises StorageFault."""
    unit_bytes = board.storage.atomic_unit_bytes
    size_bytes = needed_bytes(updates.slot_mb << 20, unit_bytes)
    make = (find_driver or plugins.driver)("storage", updates.driver)
    path = Path(updates.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    storage = cast(Storage, make(path, size_bytes, unit_bytes))
    try:
        return Store(storage, updates.slot_mb << 20, updates.factory_counter), storage
    except StorageFault:
        storage.close()
        raise
