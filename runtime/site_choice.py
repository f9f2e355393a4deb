"""Which site file a camera runs by: the one that was pushed to it, else the one it was given.

A pushed file is on trial at its first starts: each is counted before it is used, and one with which
the camera does not get healthy, or that does not fit, gives way to the one before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from drivers.board import Board
from drivers.faults import StorageFault
from drivers.toml_strict import ConfigErrors
from ota.refusal import Refused
from ota.site_store import SiteFile
from ota.store import Store
from runtime.options import FindDriver
from runtime.site import Site
from runtime.site_check import load_site
from runtime.update_store import open_update_store

PUSHED: Final = "the pushed site file"
"""Its name, for mistakes."""


class ChosenSite(NamedTuple):
    """What to run by.

    Attributes:
        site: checked.
        file: its name, for mistakes.
        is_pushed: it came over a link.
    """

    site: Site
    file: str
    is_pushed: bool


def choose_site(
    board: Board, given: Site, given_file: str, find_driver: FindDriver | None = None
) -> ChosenSite:
    """The site to run by; a try of a pushed one on trial is durable on return.

    Args:
        board: with or without updates.
        given: what the command line names.
        given_file: its file.
        find_driver: as in `Options`.
    """
    with _store(board, find_driver) as store:
        if store is not None:
            for pushed in (_on_trial(store, board_tries(board)), store.site_confirmed):
                try:
                    if pushed.text:
                        return ChosenSite(parse_site(pushed.text, PUSHED), PUSHED, True)
                except ConfigErrors as errors:
                    if pushed.is_trial:
                        _drop(store, "argument", str(errors.mistakes[0])[:200])
    return ChosenSite(given, given_file, False)


def _on_trial(store: Store, most_tries: int) -> SiteFile:
    """The file on trial, its try counted; none where it had enough, or flash takes no count."""
    if not store.site.is_trial:
        return SiteFile()
    with suppress(Refused):
        if store.site_started() <= most_tries:
            return store.site
        _drop(store, "reset", "the camera was reset with it again and again")
    return SiteFile()


def _drop(store: Store, reason: str, detail: str) -> None:
    """Give up the file on trial; where flash does not take that now, at the next start."""
    with suppress(Refused):
        store.drop_site(reason, detail)


def board_tries(board: Board) -> int:
    """Starts that a site file on trial gets."""
    return board.updates.max_tries if board.updates else 1


def drop_pushed(board: Board, why: str, find_driver: FindDriver | None = None) -> bool:
    """The pushed site file on trial cannot be run: give it up. False where there is none."""
    with _store(board, find_driver) as store:
        if store is None or not store.site.is_trial:
            return False
        with suppress(Refused):
            store.drop_site("argument", why[:200])
            return True
    return False


def parse_site(text: str, name: str) -> Site:
    """A site file that is not on a disk. Raises ConfigErrors: its mistakes, under `name`."""
    fd = os.memfd_create("site", os.MFD_CLOEXEC)
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(text.encode())
        return load_site(Path(f"/proc/self/fd/{fd}"))
    except ConfigErrors as errors:
        raise ConfigErrors([wrong._replace(file=name) for wrong in errors.mistakes]) from None
    finally:
        os.close(fd)


@contextmanager
def _store(board: Board, find_driver: FindDriver | None) -> Iterator[Store | None]:
    """The store for a moment; None without one, or where the flash fails: then as given."""
    if board.updates is None:
        yield None
        return
    try:
        store, storage = open_update_store(board, board.updates, find_driver)
    except (StorageFault, OSError):
        yield None
        return
    try:
        yield store
    finally:
        storage.close()
