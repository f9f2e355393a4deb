"""A recording as a file: what the loop saw, without any picture in it, and what it did.

What it saw is the coarse grid of samples that the health check looks at, the network's raw outputs,
and the few values of its input that the stale check looks at. A file is MAGIC, then zlib over
msgpack. Successive rows differ little, so each is kept as the difference to the one before.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from sim.replay.did import Did, problems

MAGIC = b"haetae recording\n"
FORMAT = 1
MOST_BYTES = 1 << 28
"""Unpacked: an hour at ten pictures per second would be larger, and is not what this is for."""
LEVEL = 9
U8 = npt.NDArray[np.uint8]
Key = tuple[int, float, int]
"""Boot, ms, and which one of that moment."""
Count = Annotated[int, Meta(ge=1, le=1 << 24)]


class RecordingRefused(Exception):
    """A file that is no recording, or not a whole one. The message says what is wrong."""


class Tensor(Struct, frozen=True):
    """Shape and type of a tensor of the network."""

    shape: Annotated[list[Count], Meta(min_length=1, max_length=6)]
    dtype: Literal["int8", "uint8"]

    @property
    def size(self) -> int:
        """Bytes."""
        return int(np.prod(self.shape, dtype=np.int64))


class Model(Struct, frozen=True):
    """The package of a network, and which of its files answered."""

    name: str
    version: str
    target: str
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

    def __str__(self) -> str:
        return f"{self.name} {self.version} for {self.target} (sha256 {self.sha256[:12]})"


class Rows(Struct):
    """Rows of bytes, each with the moment it belongs to.

    Attributes:
        boot: which boot each row is of; 0 where it does not matter.
        t_ms: when.
        nth: which one of those of the same moment, from 0.
        width: bytes per row.
        packed: uint8[len(t_ms), width] as differences to the row before, column by column.
    """

    boot: list[int]
    t_ms: list[float]
    nth: list[int]
    width: Count
    packed: bytes

    @classmethod
    def of(cls, rows: dict[Key, bytes], width: int) -> Rows:
        """From (boot, ms, nth) -> bytes."""
        table = np.frombuffer(b"".join(rows.values()), np.uint8).reshape(len(rows), width)
        steps = np.diff(table, axis=0, prepend=np.zeros((1, width), np.uint8))
        boot, t_ms, nth = ([key[part] for key in rows] for part in range(3))
        packed = np.ascontiguousarray(steps.T).tobytes()
        return cls(boot, t_ms, nth, width, packed)  # type: ignore[arg-type]

    def unpack(self) -> dict[Key, U8]:
        """The rows by (boot, ms, nth). Raises RecordingRefused."""
        count = len(self.t_ms)
        counts = {len(self.boot), len(self.nth), count}
        if len(counts) > 1 or len(self.packed) != count * self.width:
            raise RecordingRefused(
                f"{count} rows of {self.width} bytes announced, {len(self.packed)} bytes found"
            )
        steps = np.frombuffer(self.packed, np.uint8).reshape(self.width, count).T
        table = np.cumsum(steps, axis=0, dtype=np.uint8)
        keys = zip(self.boot, self.t_ms, self.nth, strict=True)
        return dict(zip(keys, table, strict=True))


class Network(Struct):
    """One network of the board.

    Attributes:
        input: its input tensor.
        samples: of the input, as the stale check looks at it, by the time of the call.
        outputs: its output tensors.
        tensors: all outputs one after the other, by the time of the call.
    """

    input: Tensor
    samples: Rows
    outputs: Annotated[list[Tensor], Meta(min_length=1, max_length=32)]
    tensors: Rows


class Recording(Struct, kw_only=True):
    """One run.

    Attributes:
        scenario, board, site: as in their files, after what the scenario changed.
        file: name of the scenario's file.
        model: the detector.
        grid_rows, grid_columns: of the samples of a picture.
        grids: uint8 B, G, R of each sample, by the time of the picture.
        networks: in the order in which a boot loads them; those that never ran have no rows.
        did: what the loop did.
    """

    format: Literal[1] = 1
    scenario: dict[str, Any]
    board: dict[str, Any]
    site: dict[str, Any]
    file: str
    model: Model
    grid_rows: Count
    grid_columns: Count
    grids: Rows
    networks: Annotated[list[Network], Meta(min_length=1, max_length=16)]
    did: Did


def save(recording: Recording, path: Path) -> None:
    """Write a recording. Raises OSError."""
    path.write_bytes(MAGIC + zlib.compress(msgspec.msgpack.encode(recording), LEVEL))


def load(path: Path) -> Recording:
    """Read a recording.

    Raises:
        RecordingRefused: it is none; the file and the reason.
    """
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise RecordingRefused(f"{path}: {error.strerror}") from error
    except RecordingRefused as refused:
        raise RecordingRefused(f"{path}: {refused}") from refused


def decode(data: bytes) -> Recording:
    """From the bytes of a file. Raises RecordingRefused."""
    if not data.startswith(MAGIC):
        raise RecordingRefused("not a recording: it does not begin as one")
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(data[len(MAGIC) :], MOST_BYTES)
    except zlib.error as error:
        raise RecordingRefused(f"damaged: {error}") from error
    if unpacker.unconsumed_tail:
        raise RecordingRefused(f"larger than {MOST_BYTES >> 20} MiB")
    if not unpacker.eof or unpacker.unused_data:
        raise RecordingRefused("damaged: it does not end where it should")
    try:
        recording = msgspec.msgpack.decode(body, type=Recording)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingRefused(f"not a recording of format {FORMAT}: {error}") from error
    check(recording)
    return recording


def check(recording: Recording) -> None:
    """What the types cannot say. Raises RecordingRefused."""
    wanted = {"grids": (recording.grids, recording.grid_rows * recording.grid_columns * 3)}
    for index, network in enumerate(recording.networks):
        width = sum(tensor.size for tensor in network.outputs)
        wanted[f"networks[{index}].tensors"] = (network.tensors, width)
        network.samples.unpack()
    for name, (rows, width) in wanted.items():
        if rows.width != width:
            raise RecordingRefused(f"{name}.width = {rows.width}: must be {width}")
        rows.unpack()
    for problem in problems(recording.did):
        raise RecordingRefused(f"did.{problem}")
    if not recording.grids.t_ms:
        raise RecordingRefused("grids: there is not one picture")
