"""Compressed chunks of a delta bundle: packed on a PC, unpacked on the camera.

A chunk is one Zstandard frame (RFC 8878) that states its size. Its dictionary, raw content, is the
base set's payload: the files that a device with this target takes of the base bundle, in the
manifest's order, one after the other with nothing between them (in a slot there is padding).
"""

from __future__ import annotations

from typing import Any, Final

from ota.manifest import CHUNK_BYTES
from ota.refusal import Refused

zstandard: Any
try:
    import zstandard
except ImportError:
    zstandard = None

LEVEL: Final = 19
MAX_WINDOW_BYTES: Final = 1 << 27
"""The base must lie in the window; what is allocated follows the frame's stated size."""


def can_unpack() -> bool:
    """Whether this machine has the library."""
    return zstandard is not None


class Packer:
    """Compresses chunks against one base, which is indexed once.

    Args:
        base: the dictionary; may be empty.

    Raises:
        Refused: "delta": the library is not there.
    """

    def __init__(self, base: bytes) -> None:
        library = _library()
        parameters = library.ZstdCompressionParameters.from_level(
            LEVEL,
            source_size=CHUNK_BYTES,
            dict_size=len(base),
            window_log=max(17, min(27, (len(base) + CHUNK_BYTES).bit_length())),
            write_content_size=True,
            write_checksum=False,
            write_dict_id=False,
        )
        dictionary = _dictionary(library, base)
        if dictionary is not None:
            dictionary.precompute_compress(compression_params=parameters)
        self._compressor = library.ZstdCompressor(
            compression_params=parameters, dict_data=dictionary
        )

    def pack(self, plain: bytes) -> bytes:
        """One frame of at most CHUNK_BYTES; always the same for one version of the library."""
        packed: bytes = self._compressor.compress(plain)
        return packed


def pack_chunk(plain: bytes, base: bytes) -> bytes:
    """Compress one chunk against a base. Raises Refused: "delta"."""
    return Packer(base).pack(plain)


def unpack_chunk(stored: bytes, size: int, base: bytes) -> bytes:
    """Undo `pack_chunk`; never makes more than `size` bytes.

    Args:
        stored: from outside.
        size: what the manifest says that it has, unpacked.
        base: the dictionary.

    Raises:
        Refused: "chunk": damaged, or of another size; "delta": the library is not there.
    """
    library = _library()
    if not 0 < size <= CHUNK_BYTES:
        raise Refused("chunk", f"a chunk of {size} bytes")
    try:
        stated = library.get_frame_parameters(stored).content_size
        if stated != size:
            raise Refused("chunk", f"a packed chunk says {stated} bytes, the manifest {size}")
        unpacker = library.ZstdDecompressor(
            dict_data=_dictionary(library, base), max_window_size=MAX_WINDOW_BYTES
        )
        plain: bytes = unpacker.decompress(stored, max_output_size=size, allow_extra_data=False)
    except library.ZstdError as error:
        raise Refused("chunk", f"a packed chunk is damaged: {error}") from error
    if len(plain) != size:
        raise Refused("chunk", f"a packed chunk has {len(plain)} bytes; the manifest says {size}")
    return plain


def _library() -> Any:
    if zstandard is None:
        raise Refused("delta", "deltas need the package zstandard (extra: delta)")
    return zstandard


def _dictionary(library: Any, base: bytes) -> Any:
    if not base:
        return None
    return library.ZstdCompressionDict(base, dict_type=library.DICT_TYPE_RAWCONTENT)
