"""HTTP(S) for carriers: bounded answers, ranges, verified TLS, a proxy where there is one.

Nothing that comes is trusted: lengths are bounded before anything is read, compression is not asked
for, redirects are few and never from https to http, and a token goes to its own server only.

Source: RFC 9110 (ranges: section 14, If-Range: 13.1.5); urllib3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from drivers.closing import Closing
from ota.carriers.camera import SourceGone, SourceLost

CONNECT_S: Final = 10.0
READ_S: Final = 20.0
PASSING: Final = (408, 429, 500, 502, 503, 504)
"""Statuses after which the same is asked again."""
MAX_REDIRECTS: Final = 3
GRACE_MS: Final = 60_000.0
LEAST_BYTES_PER_MS: Final = 1.0
"""How long an answer may take: so long, and less than 1 kB/s is no link; nobody may hold us up."""
PIECE_BYTES: Final = 1 << 14
USER_AGENT: Final = "haetae-carry"
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class Reply(NamedTuple):
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Part(NamedTuple):
    """Where the bytes of an answer begin, and how long the whole file is; -1: not told."""

    start: int
    total: int


class Stream(Closing):
    """An answer that is read piece by piece; a context manager.

    Attributes:
        url: who answers.
        status: of HTTP.
        headers: names in lower case.
    """

    def __init__(
        self, url: str, answer: urllib3.BaseHTTPResponse, now_ms: Callable[[], float]
    ) -> None:
        self.url, self._answer = url, answer
        self._now_ms, self._until_ms = now_ms, now_ms() + GRACE_MS
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.headers.items()}

    def read(self, most: int = PIECE_BYTES) -> bytes:
        """Some bytes, those that are there; none at the end. Raises SourceLost."""
        if self._now_ms() > self._until_ms:
            raise SourceLost(f"{self.url}: too slow")
        try:
            piece = self._answer.read1(min(most, PIECE_BYTES)) if most else b""
        except HTTPError as error:
            raise SourceLost(f"{self.url}: {_why(error)}") from error
        self._until_ms += len(piece) / LEAST_BYTES_PER_MS
        return piece

    def whole(self, most: int) -> bytes:
        """All of it. Raises SourceLost, also where it is longer than `most` bytes."""
        data = bytearray()
        while piece := self.read():
            data += piece
            if len(data) > most:
                raise SourceLost(f"{self.url}: more than {most} bytes")
        return bytes(data)

    def close(self) -> None:
        """Let go of it: its connection is used again where it was read to the end."""
        self._answer.close()


class Web:
    """A client for a few servers.

    Args:
        now_ms: monotonic time.
        ca_file: certificates that are trusted instead of the system's; None: the system's.
        proxy: its URL; None: straight.
        token: value of an Authorization header for `token_for` alone; "" for none.
        token_for: URL of the server that the token is for.
    """

    def __init__(
        self,
        now_ms: Callable[[], float],
        ca_file: str | None = None,
        proxy: str | None = None,
        token: str = "",
        token_for: str = "",
    ) -> None:
        how: dict[str, Any] = {
            "cert_reqs": "CERT_REQUIRED",
            "ca_certs": ca_file,
            "timeout": urllib3.Timeout(connect=CONNECT_S, read=READ_S),
            "retries": False,
            "maxsize": 1,
        }
        self._pool = urllib3.ProxyManager(proxy, **how) if proxy else urllib3.PoolManager(**how)
        self._now_ms = now_ms
        self._token, self._origin = token, origin(token_for)

    def get(self, url: str, most: int, headers: Mapping[str, str] | None = None) -> Reply:
        """A whole answer of at most `most` bytes; statuses are the caller's.

        Raises:
            SourceLost: no answer, a longer one, or one that broke off.
        """
        with self.open("GET", url, headers or {}) as answer:
            return Reply(answer.status, answer.headers, answer.whole(most))

    def send(self, method: str, url: str, body: bytes, most: int) -> Reply:
        """Send JSON. Raises as `get`."""
        with self.open(method, url, {"Content-Type": "application/json"}, body) as answer:
            return Reply(answer.status, answer.headers, answer.whole(most))

    def open(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Stream:
        """An answer to be read piece by piece, after redirects. Raises SourceLost."""
        for _ in range(MAX_REDIRECTS + 1):
            _check(url)
            answer = self._ask(method, url, headers, body)
            if answer.status not in _REDIRECTS or method != "GET":
                return answer
            answer.close()
            further = urljoin(url, answer.headers.get("location", ""))
            if url.startswith("https:") and not further.startswith("https:"):
                raise SourceGone(f"{url}: sends on to {further}, which is not https")
            url = further
        raise SourceGone(f"{url}: sends on again and again")

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Stream:
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        if self._token and origin(url) == self._origin:
            sent["Authorization"] = self._token
        try:
            answer = self._pool.request(
                method, url, body=body, headers=sent, preload_content=False, redirect=False,
                decode_content=False,
            )  # fmt: skip
        except HTTPError as error:
            raise SourceLost(f"{url}: {_why(error)}") from error
        return Stream(url, answer, self._now_ms)


def _check(url: str) -> None:
    """Refuse what is no address of a web server."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise SourceGone(f"{url}: no address of a web server")


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: who a token is for."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, (parts.hostname or "").lower(), port


def strong_etag(headers: Mapping[str, str]) -> str:
    """The entity tag, "" where there is none or it is weak: such a one may not guard a range."""
    tag = headers.get("etag", "")
    return tag if re.fullmatch(r'"[!#-~]{0,200}"', tag) else ""


def part_of(status: int, headers: Mapping[str, str]) -> Part:
    """Where the bytes of an answer to a range request begin.

    Raises:
        SourceLost: neither the part nor the whole; SourceGone where it will stay so.
    """
    if status == 200:
        length = headers.get("content-length", "")
        return Part(0, int(length) if re.fullmatch(r"\d{1,15}", length) else -1)
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if status in PASSING:
        raise SourceLost(f"the server answers {status}")
    if status != 206 or found is None:
        raise SourceGone(f"the server answers {status} to a range request")
    return Part(int(found[1]), int(found[3]))


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, SSLError):
        return f"its certificate is not trusted ({reason}); give --ca, or set the clock"
    return str(reason)
