"""USB sticks: a mount folder is watched, and the newest bundle on it is offered to the camera.

A stick comes from anybody. It is only read: nothing on it is executed, nothing is written to it, no
symbolic link is followed and no other file system entered, and only so many names are looked at.
Whether a bundle is good is decided by the camera, which takes its head first.

A bundle that was refused is not offered again until the stick was taken out: whoever plugs it in
again wants it tried again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ota.bundle import Bundle, BundleFile
from ota.carriers.camera import Facts, Outcome, SourceLost, is_final
from ota.head import FIXED, MAGIC
from ota.manifest import Chunk
from ota.refusal import Refused

MAX_NAMES: Final = 2000
"""Looked at on one stick, folders included."""
MAX_DEPTH: Final = 3
"""Folders below each other."""
MAX_BUNDLES: Final = 32
EVERY_MS: Final = 2000.0
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Found(NamedTuple):
    """A file that begins like a bundle: its name for people, and when it changed."""

    name: str
    size: int
    mtime_ns: int
    inode: int


class StickBundle(BundleFile):
    """A bundle on a stick: what is wrong with the file is no refusal of the camera's."""

    def chunk(self, chunk: Chunk) -> bytes:
        """The stored bytes of one chunk. Raises SourceLost or OSError."""
        try:
            return super().chunk(chunk)
        except Refused as refused:
            raise SourceLost(str(refused)) from refused


class StickCarrier:
    """Offers what lies on a stick.

    Args:
        folder: where sticks are mounted, read-only; need not be there yet.
        say: takes lines for people.
    """

    name = "stick"

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._seen: tuple[Found, ...] = ()
        self._others: set[Found] = set()
        self._done: set[bytes] = set()
        self._spoilt: set[Found] = set()
        self._is_due = False
        self._next_ms = 0.0

    def is_due(self, now_ms: float) -> bool:
        """A stick was plugged in or changed; looks every EVERY_MS."""
        if now_ms < self._next_ms:
            return self._is_due
        self._next_ms = now_ms + EVERY_MS
        found = tuple(scan(self._folder, self._others))
        if found != self._seen:
            self._spoilt.intersection_update(found)
            if not found:
                self._done.clear()
                self._others.clear()
            elif not self._seen:
                self._say(f"stick: {len(found)} bundles on it")
            self._seen, self._is_due = found, bool(found)
        return self._is_due

    def look(self, facts: Facts, now_ms: float) -> Bundle | None:
        """The bundle with the highest release that was not tried, newer than what runs."""
        best: StickBundle | None = None
        for found in self._seen:
            bundle = self._open(found)
            if bundle is None:
                continue
            if self._is_news(bundle, facts) and (
                best is None or bundle.manifest.release > best.manifest.release
            ):
                best, bundle = bundle, best
            if bundle is not None:
                bundle.close()
        self._is_due = best is not None
        if best is not None:
            manifest = best.manifest
            self._say(f"stick: release {manifest.release}, version {manifest.version}")
        return best

    def has(self, digest: bytes) -> bool:
        """The stick was out half way, and is in again."""
        for found in self._seen:
            try:
                bundle = self._open(found)
            except SourceLost:
                continue
            if bundle is not None:
                bundle.close()
                if bundle.head.digest == digest:
                    return True
        return False

    def is_wanted(self, now_ms: float) -> bool:
        """It is, as long as the stick can be read."""
        return True

    def watch(self, facts: Facts, now_ms: float) -> None:
        """Nobody asks a stick."""

    def told(self, digest: bytes, outcome: Outcome) -> None:
        """Not again while this stick is in; the next best may come now."""
        if is_final(outcome):
            self._done.add(digest)
        self._is_due = bool(self._seen)

    def again(self, now_ms: float) -> None:
        """When the stick is there (again)."""
        self._is_due = bool(self._seen)

    def _open(self, found: Found) -> StickBundle | None:
        """None: it is spoilt, or has gone."""
        if found in self._spoilt:
            return None
        try:
            return open_inside(self._folder, found.name)
        except Refused as refused:
            self._spoilt.add(found)
            self._say(f"stick: {found.name}: {refused}")
        except OSError as error:
            raise SourceLost(f"stick: {found.name}: {error.strerror}") from error
        return None

    def _is_news(self, bundle: BundleFile, facts: Facts) -> bool:
        if bundle.head.digest in self._done or bundle.manifest.release <= facts.release:
            return False
        if facts.product and bundle.manifest.product != facts.product:
            self._done.add(bundle.head.digest)
            self._say(f"stick: a bundle for {bundle.manifest.product}; this is {facts.product}")
            return False
        return True


def scan(folder: Path, others: set[Found] | None = None) -> list[Found]:
    """Files below a folder that begin like a bundle, in order of names; [] where it cannot be read.

    Bounded by MAX_NAMES, MAX_DEPTH and MAX_BUNDLES, however much there is.

    Args:
        folder: where to look.
        others: files that were opened before and are none, so that a stick full of pictures is not
            read again and again; what is found now is added.
    """
    others = set() if others is None else others
    if len(others) > MAX_NAMES:
        others.clear()
    found: list[Found] = []
    try:
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        walk = _Walk(os.fstat(root).st_dev, others)
        for one in walk.below(root, "", MAX_DEPTH):
            found.append(one)
            if len(found) == MAX_BUNDLES:
                break
    except OSError:
        return []
    finally:
        os.close(root)
    return found


def open_inside(folder: Path, name: str) -> StickBundle:
    """Open a bundle below a folder, no step of whose name may be a symbolic link.

    Raises:
        Refused: as `BundleFile`.
        OSError: it cannot be read, or is no regular file.
    """
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        *folders, last = name.split("/")
        for part in folders:
            inner = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at = inner
        file = os.open(last, _FLAGS, dir_fd=at)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise FileNotFoundError(0, "no file", name)
            return StickBundle(f"/proc/self/fd/{file}")
        finally:
            os.close(file)
    finally:
        os.close(at)


class _Walk:
    """One walk over a stick; names are counted for all folders together."""

    def __init__(self, device: int, others: set[Found]) -> None:
        self._device, self._others = device, others
        self._left = MAX_NAMES

    def below(self, folder: int, prefix: str, depth: int) -> Iterator[Found]:
        """Files that begin like a bundle; files before folders."""
        folders: list[str] = []
        for name in self._names(folder):
            try:
                about = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(about.st_mode) and about.st_dev == self._device:
                folders.append(name)
            if stat.S_ISREG(about.st_mode) and about.st_size > FIXED.size:
                one = Found(prefix + name, about.st_size, about.st_mtime_ns, about.st_ino)
                if self._is_bundle(folder, name, one):
                    yield one
        for name in folders if depth > 0 else []:
            try:
                inner = os.open(name, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
            except OSError:
                continue
            try:
                yield from self.below(inner, f"{prefix}{name}/", depth - 1)
            finally:
                os.close(inner)

    def _names(self, folder: int) -> list[str]:
        names: list[str] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if self._left == 0:
                    break
                self._left -= 1
                names.append(entry.name)
        return sorted(names)

    def _is_bundle(self, folder: int, name: str, one: Found) -> bool:
        if one in self._others:
            return False
        try:
            is_bundle = _is_bundle(folder, name)
        except OSError:  # of the stick, not of the file: it is looked at again
            return False
        if not is_bundle:
            self._others.add(one)
        return is_bundle


def _is_bundle(folder: int, name: str) -> bool:
    file = os.open(name, _FLAGS, dir_fd=folder)
    try:
        return os.read(file, len(MAGIC)).startswith(MAGIC[:-1])
    finally:
        os.close(file)
