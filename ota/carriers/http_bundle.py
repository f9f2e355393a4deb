"""A bundle on a web server: its head first, then ranges of just the chunks that the camera names.

Chunks that follow each other in the file come with one request, as many as fit RUN_BYTES, since a
CDN counts requests. A transfer that breaks goes on at its byte. A server without ranges is read
through as the chunks are asked for, and at most PASSES times from the beginning. The camera
verifies each chunk; here it is seen that the file is the one that was asked for, and stays so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ota.bundle import Bundle
from ota.carriers.camera import SourceGone, SourceLost
from ota.carriers.web import Stream, Web, part_of, strong_etag
from ota.head import FIXED, MAX_HEAD_BYTES, head_bytes, parse_head
from ota.manifest import Chunk, parse_manifest, payload_bytes, take
from ota.refusal import Refused

FIRST_BYTES: Final = 1 << 14
"""Of the first request: most heads are shorter."""
RUN_BYTES: Final = 8 << 16
TRIES: Final = 5
"""Of one range without a byte that came."""
PASSES: Final = 3
"""Times that a server without ranges is read from the beginning."""
RETRY_MS: Final = 1000.0
"""Before the same range is asked for again; twice as long each time."""


class HttpBundle(Bundle):
    """A bundle on a server; opened by reading its head.

    Args:
        web: how to reach it.
        url: of the file.
        target: NPU target of the camera; says which chunks follow each other.
        rest: waits so many ms.
        size: what the file must have, bytes; 0: what the manifest says.
        digest: what the manifest's SHA-256 must be; b"" for any.

    Raises:
        SourceLost: the server cannot be reached, or gives something else.
        Refused: what it gives is no bundle, or not the one that was named.
    """

    def __init__(
        self,
        web: Web,
        url: str,
        target: str,
        rest: Callable[[float], None],
        size: int = 0,
        digest: bytes = b"",
    ) -> None:
        self.url = url
        self._web, self._rest = web, rest
        self._etag, self._total = "", -1
        self._through: Stream | None = None
        self._through_at = self._passes = 0
        self._at, self._data = 0, b""
        self.requests = 0
        self._head_data = self._read_head()
        self._head = parse_head(self._head_data)
        self._manifest = parse_manifest(self._head.manifest)
        self._check(size, digest)
        self._wanted = {chunk.index: chunk for chunk in take(self._manifest, target, 1).chunks}

    head = property(lambda self: self._head)
    head_data = property(lambda self: self._head_data)
    manifest = property(lambda self: self._manifest)
    size = property(lambda self: self._total)

    def chunk(self, chunk: Chunk) -> bytes:
        """The stored bytes of one chunk, and with them of those that follow. Raises SourceLost."""
        start = len(self._head_data) + chunk.bundle_at
        if not self._holds(start, chunk.stored_size):
            held = self._data[start - self._at :] if start >= self._at else b""
            length = self._run(chunk)
            further = self._range(start + len(held), length - len(held))
            self._at, self._data = start, held + further
        first = start - self._at
        return self._data[first : first + chunk.stored_size]

    def close(self) -> None:
        """Let go of buffer and connection."""
        self._data = b""
        self._drop()

    def _holds(self, start: int, length: int) -> bool:
        return self._at <= start and start + length <= self._at + len(self._data)

    def _run(self, chunk: Chunk) -> int:
        """Bytes from this chunk on that are wanted and follow each other; at least itself."""
        length, following = chunk.stored_size, self._wanted.get(chunk.index + 1)
        while following is not None and following.bundle_at == chunk.bundle_at + length:
            if length + following.stored_size > RUN_BYTES:
                break
            length += following.stored_size
            following = self._wanted.get(following.index + 1)
        return length

    def _read_head(self) -> bytes:
        data = self._range(0, FIRST_BYTES, is_first=True)
        length = head_bytes(data[: FIXED.size])
        if length > min(self._total, MAX_HEAD_BYTES):
            raise Refused("truncated", f"{self.url}: ends inside its head")
        if length > len(data):
            data += self._range(len(data), length - len(data))
        self._at, self._data = 0, data
        return data[:length]

    def _check(self, size: int, digest: bytes) -> None:
        wanted = len(self._head_data) + payload_bytes(self._manifest)
        if self._total != wanted or (size and size != wanted):
            reason = "truncated" if self._total < wanted else "too_long"
            raise Refused(reason, f"{self.url}: {self._total} bytes; the manifest says {wanted}")
        if digest and self._head.digest != digest:
            raise Refused("malformed", f"{self.url}: not the bundle that the channel names")

    def _range(self, start: int, length: int, is_first: bool = False) -> bytes:
        """So many bytes of the file, tried again from where it broke off."""
        data, failures = bytearray(), 0
        while len(data) < length:
            before = len(data)
            try:
                answer, skip = self._answer_at(start + len(data), start + length, is_first)
                length = min(length, self._total - start)
                self._read_on(answer, skip, data, length)
            except SourceGone:
                self._drop()
                raise
            except SourceLost:
                self._drop()
                failures = failures + 1 if len(data) == before else 1
                if failures >= TRIES or is_first:
                    raise
                self._rest(RETRY_MS * 2.0 ** (failures - 1))
        return bytes(data)

    def _answer_at(self, at: int, end: int, is_first: bool) -> tuple[Stream, int]:
        """An answer to read from, and how many of its bytes come before `at`."""
        if self._through is not None and self._through_at <= at:
            return self._through, at - self._through_at
        self._drop()
        headers = {"Range": f"bytes={at}-{end - 1}"}
        if self._etag:
            headers["If-Range"] = self._etag
        self.requests += 1
        self._through = answer = self._web.open("GET", self.url, headers)
        part = part_of(answer.status, answer.headers)
        self._learn(part.total, strong_etag(answer.headers), is_first)
        if part.start != at and part.start != 0:
            raise SourceGone(f"{self.url}: byte {part.start} was sent for {at}")
        self._through_at = part.start
        if answer.status == 200:
            self._passes += 1
            if self._passes > PASSES:
                raise SourceGone(f"{self.url}: gives no ranges and breaks off too often")
        return answer, at - part.start

    def _read_on(self, answer: Stream, skip: int, data: bytearray, length: int) -> None:
        """Append to `data` until it has `length` bytes."""
        while len(data) < length:
            piece = answer.read(skip + length - len(data))
            if not piece:
                raise SourceLost(f"{self.url}: broke off at byte {self._through_at}")
            self._through_at += len(piece)
            data += piece[skip:]
            skip = max(0, skip - len(piece))
        if answer.status == 206:
            self._drop()

    def _learn(self, total: int, etag: str, is_first: bool) -> None:
        if is_first:
            self._total, self._etag = total, etag
        if total < 0:
            raise SourceGone(f"{self.url}: the server does not say how long it is")
        if total != self._total or etag != self._etag:
            raise SourceGone(f"{self.url}: it has changed on the server")

    def _drop(self) -> None:
        if self._through is not None:
            self._through.close()
            self._through = None
