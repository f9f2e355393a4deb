"""Groups of near-duplicate pictures, turned and mirrored ones too, so that no group is split."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import numpy.typing as npt

from models.training.boxes import U8

SAME_BITS = 7
"""Pictures whose 64-bit difference hashes differ in at most this many bits are one group."""
HELD_OUT_SHARE = 0.12


def _bits(grey: U8) -> int:
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    return int.from_bytes(np.packbits(small[:, 1:] > small[:, :-1]).tobytes(), "big")


def difference_hashes(picture: U8) -> list[int]:
    """64-bit difference hashes of the 8 turned and mirrored versions; the first is upright."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    grey = cv2.resize(grey, (72, 72), interpolation=cv2.INTER_AREA)
    return [
        _bits(np.ascontiguousarray(np.rot90(g, k))) for g in (grey, grey[:, ::-1]) for k in range(4)
    ]


def group(hashes: list[list[int]]) -> npt.NDArray[np.int64]:
    """Union of pictures that match in any orientation.

    Args:
        hashes: per picture what `difference_hashes` returns.

    Returns:
        int64[N], the smallest index of each picture's group.
    """
    table = np.array(hashes, np.uint64)
    root = np.arange(len(table))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = int(root[i])
        return i

    for i in range(len(table)):
        apart = np.bitwise_count(table[i + 1 :, 0][:, None] ^ table[i][None]).min(1)
        for j in np.flatnonzero(apart <= SAME_BITS) + i + 1:
            a, b = find(i), find(int(j))
            root[max(a, b)] = min(a, b)
    return np.array([find(i) for i in range(len(table))], np.int64)


def is_held_out(upright_hash: int) -> bool:
    """The split of a group, decided by its first picture's hash alone, so it never changes."""
    digest = hashlib.sha256(upright_hash.to_bytes(8, "big")).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < HELD_OUT_SHARE
