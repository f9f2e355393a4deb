"""Leaves out of a recording what no threshold would ever let through, so that it stays small.

Kept are every score that reaches FLOOR, its box, and all boxes of the coarsest stride, by which the
stale check tells new outputs from old ones. The other scores become the least, the boxes 0.
Samples of pictures are kept in steps of STEP, so that dark stays dark and changed stays changed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from models.package import ModelInfo, OutputInfo
from sim.replay.recording import Key, Network, Rows, Tensor

FLOOR = 0.1
"""Score, far below the 0.4 at which a box may keep a track alive."""
STEP = 16
"""Levels of brightness. Sensor noise below it is most of what a recording would be made of."""
U8 = npt.NDArray[np.uint8]


def thin(network: Network, info: ModelInfo) -> None:
    """Make what was recorded of a detector smaller, in place.

    Args:
        network: that `info` describes.
        info: which output is what.
    """
    starts = _starts(network.outputs)
    rows = network.tensors.unpack()
    classes = {output.stride: output for output in info.outputs if output.kind == "class"}
    boxes = [output for output in info.outputs if output.kind == "box"]
    coarsest = max(output.stride for output in boxes)
    for row in rows.values():
        for box in boxes:
            score = classes[box.stride]
            low = _quieten(_part(row, starts, score), score)
            if box.stride != coarsest:
                _part(row, starts, box).reshape(-1, box.shape[-1])[low] = 0
    kept = {key: row.tobytes() for key, row in rows.items()}
    network.tensors = Rows.of(kept, network.tensors.width)


def thin_grids(grids: Rows, dark_level: int) -> Rows:
    """Coarser samples by which the health check says what it said by the exact ones.

    Args:
        grids: of a recording.
        dark_level: of the board: a picture without a brighter sample is dark.
    """
    before: U8 | None = None
    was: U8 | None = None
    kept: dict[Key, bytes] = {}
    for key, exact in sorted(grids.unpack().items(), key=lambda row: row[0]):
        if was is not None and before is not None and np.array_equal(exact, before):
            row = was
        else:
            lit = int(exact.max()) > dark_level
            fitting = (one for one in _coarser(exact) if _says(one, lit, was, dark_level))
            found = next(fitting, None)
            if found is None:
                return grids
            row = found
        before, was = exact, row
        kept[key] = row.tobytes()
    return Rows.of(kept, grids.width)


def _coarser(exact: U8) -> Iterator[U8]:
    """Candidates, the smallest to keep first."""
    coarse = np.minimum((exact.astype(np.uint16) + STEP - 1) // STEP * STEP, 256 - STEP)
    yield coarse.astype(np.uint8)
    nudged: U8 = coarse.astype(np.uint8)
    nudged[int(nudged.argmin())] ^= 1
    yield nudged
    yield exact


def _says(row: U8, lit: bool, was: U8 | None, dark_level: int) -> bool:
    """By this row the health check says lit or dark as it did, and that something changed."""
    return (int(row.max()) > dark_level) == lit and not (
        was is not None and np.array_equal(row, was)
    )


def _starts(outputs: list[Tensor]) -> list[int]:
    """Where each output begins in a row, and where the last one ends."""
    return [0, *np.cumsum([output.size for output in outputs]).tolist()]


def _part(row: U8, starts: list[int], output: OutputInfo) -> U8:
    return row[starts[output.index] : starts[output.index + 1]]


def _quieten(scores: U8, score: OutputInfo) -> npt.NDArray[np.bool_]:
    """Cells whose best score is below the floor; all their scores become the least one."""
    stored = scores.view(score.dtype).reshape(-1, score.shape[-1])
    value = (stored.max(axis=1).astype(np.float32) - score.zero_point) * score.scale
    low: npt.NDArray[np.bool_] = value < FLOOR
    stored[low] = np.iinfo(score.dtype).min
    return low
