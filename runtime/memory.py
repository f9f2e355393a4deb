"""Memory fixed at boot: one malloc arena, warm-up, then limits that the kernel enforces.

boot -> `prepare_allocator` -> warm-up -> `settle` -> `Seal` -> run. After the seal nothing may
grow: the soft RLIMIT_AS is what was in use, the hard one is the board file's budget.
`Seal.headroom` lifts the soft limit for as long as a lost camera is opened again.

Source: getrlimit(2), mlockall(2), mallopt(3); CPython gc.freeze for the permanent generation.
"""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -3, -4, -8
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_ARENA_BYTES = 1 << 20
"""Heap touched and handed back before the seal: room for short-lived temporaries."""
_POOL_BYTES, _POOLS_BYTES = 16 << 10, 4 << 20
_BLOCKS = range(8, 480, 16)
"""Python's small blocks: one of each size class for the pools half used, then the free pools."""
_STACK_DEPTH = 150
"""Nested calls in C, some hundred bytes each."""
_PAGE_KB = resource.getpagesize() // 1024
_MADV_DONTNEED, _MADV_POPULATE_WRITE = 4, 23
_WANTED_TEXT = ("python", "libpython", "_multiarray_umath", "libc.", "libm.")
"""The interpreter, numpy, the C library."""
_STATM = Path("/proc/self/statm")
_MAPS = Path("/proc/self/maps")
_LIBC = ctypes.CDLL(None, use_errno=True)


class MemoryRefused(Exception):
    """The board's memory budget is smaller than what is already in use."""


def prepare_allocator() -> None:
    """One arena for all threads; what boot frees goes back to the kernel. Call before imports."""
    _LIBC.mallopt(_M_ARENA_MAX, 1)
    _LIBC.mallopt(_M_MMAP_THRESHOLD, 128 * 1024)


def settle() -> None:
    """Give back what boot has left over; from here on no mapping per block and no trimming.

    Program text that only boot needed goes back too: it is read from its file again if ever called.

    Stages must run once more afterwards, so that what they need is in memory at the seal.
    """
    gc.collect()
    _advise(_is_boot_text, _MADV_DONTNEED)
    _LIBC.malloc_trim(0)
    _LIBC.mallopt(_M_MMAP_MAX, 0)
    _LIBC.mallopt(_M_TRIM_THRESHOLD, 1 << 30)


def give_back() -> None:
    """Hand what a trial has left over back to the kernel; room for temporaries stays."""
    _LIBC.malloc_trim(_ARENA_BYTES)


def usage_kb() -> tuple[int, int]:
    """(RSS, address space) of this process in kB, from /proc/self/statm."""
    size, resident = _STATM.read_text().split()[:2]
    return int(resident) * _PAGE_KB, int(size) * _PAGE_KB


class Seal:
    """The state after boot in which memory cannot grow.

    Attributes:
        rss_kb, address_space_kb: in use at the moment of sealing.
        locked: pages are locked in memory.
        slack_kb: soft limit above what was in use; 0, but for a stream and for a clip.
        blocks: allocated Python blocks at the seal.
    """

    def __init__(self, budget_mb: int, headroom_mb: int, lock: bool, slack_mb: int = 0) -> None:
        self._budget = budget_mb << 20
        self._headroom = headroom_mb << 20
        self._slack = slack_mb << 20
        self.slack_kb = slack_mb << 10
        self._depth = 0
        self._lock = threading.Lock()
        _touch()
        in_use = usage_kb()[1] << 10
        if in_use + self._slack > self._budget:
            raise MemoryRefused(
                f"memory.address_space_mb = {budget_mb}: {in_use >> 20} MB are in use after warm-up"
            )
        gc.collect()
        gc.freeze()
        gc.disable()
        self.locked = lock and _lock_pages()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + self._slack, self._budget))
        self.blocks = sys.getallocatedblocks()
        self.rss_kb, self.address_space_kb = usage_kb()
        self._tighten()

    @contextmanager
    def headroom(self) -> Iterator[None]:
        """Lift the soft limit inside the hard budget; it is what is in use again afterwards."""
        self.lift()
        try:
            yield
        finally:
            self.lower()

    def lift(self) -> None:
        """Begin of a time in which memory may grow, on any thread; each needs its `lower`."""
        with self._lock:
            self._depth += 1
            soft = min((usage_kb()[1] << 10) + self._headroom, self._budget)
            resource.setrlimit(resource.RLIMIT_AS, (soft, self._budget))

    def lower(self) -> None:
        """End of `lift`."""
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._tighten()

    def open_up(self) -> None:
        """End of the sealed time: the limits go up to the budget and the collector runs again."""
        resource.setrlimit(resource.RLIMIT_AS, (self._budget, self._budget))
        gc.enable()

    def _tighten(self) -> None:
        soft = min((usage_kb()[1] << 10) + self._slack, self._budget)
        resource.setrlimit(resource.RLIMIT_AS, (soft, self._budget))


def _is_boot_text(permissions: str, path: str) -> bool:
    """Code from files, which nobody can have written to, less what any event may need more of."""
    wanted = Path(path).name.startswith(_WANTED_TEXT)
    return permissions == "r-xp" and path.startswith("/") and not wanted


def _advise(wanted: Callable[[str, str], bool], advice: int) -> None:
    """madvise(2) on the mappings that are `wanted(permissions, path)`; a kernel may refuse it."""
    for line in _MAPS.read_text().splitlines():
        span, permissions, _, _, _, *path = line.split(maxsplit=5)
        if wanted(permissions, path[0] if path else ""):
            start, end = (int(address, 16) for address in span.split("-"))
            _LIBC.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice)


def _touch() -> None:
    """Bring spare heap, the free pools of Python's own arenas and some stack into memory."""
    heap = bytearray(b"\1") * _ARENA_BYTES
    used: list[object] = [bytes(size) for size in _BLOCKS for _ in range(16 * _POOL_BYTES // size)]
    used += [object() for _ in range(_POOL_BYTES)]
    used += [float(number) for number in range(_POOL_BYTES)]
    free = [bytes(_BLOCKS[-1]) for _ in range(_POOLS_BYTES // _BLOCKS[-1])]
    nested: list[object] = []
    for _ in range(_STACK_DEPTH):
        nested = [nested]
    del heap, used, free
    repr(nested)
    _advise(lambda permissions, path: path == "[heap]", _MADV_POPULATE_WRITE)


def _lock_pages() -> bool:
    """Lock what is touched; False where the process may not (CAP_IPC_LOCK, memlock limit)."""
    return bool(_LIBC.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)
