"""A small static web server on loopback: ranges, entity tags, and everything that goes wrong."""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from drivers.clock import MonotonicClock

PIECE_BYTES = 1 << 16
NOW_MS = MonotonicClock().now_ms
RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class Static:
    """What the server has and what was asked of it.

    Attributes:
        files: path -> bytes.
        has_ranges, has_etags: what it can do.
        weak: its entity tags are weak.
        break_after: path -> bytes of each answer after which the connection is cut; consumed once.
        statuses: path -> statuses to give instead, one after the other.
        redirects: path -> location.
        asked: (path, Range or "") of each request.
        sent: path -> bytes of bodies.
        hook: called with each path before it is answered.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.has_ranges = self.has_etags = True
        self.has_length = True
        self.weak = False
        self.break_after: dict[str, list[int]] = {}
        self.statuses: dict[str, list[int]] = {}
        self.redirects: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.sent: Counter[str] = Counter()
        self.connections = 0
        self.hook: Callable[[str], None] = lambda path: None

    def etag(self, data: bytes) -> str:
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        return f"W/{tag}" if self.weak else tag


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    static: Static

    def setup(self) -> None:
        super().setup()
        self.static.connections += 1

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.get()

    def do_PUT(self) -> None:
        self.put()

    def do_POST(self) -> None:
        self.post()

    def put(self) -> None:
        self.answer(405, b"")

    def post(self) -> None:
        self.answer(405, b"")

    def get(self) -> None:
        static, path = self.static, self.path
        static.asked.append((path, self.headers.get("Range", "")))
        static.headers.append({name.lower(): value for name, value in self.headers.items()})
        static.hook(path)
        if static.statuses.get(path):
            return self.answer(static.statuses[path].pop(0), b"sorry")
        if path in static.redirects:
            return self.answer(302, b"", {"Location": static.redirects[path]})
        if path not in static.files:
            return self.answer(404, b"no such file")
        data = static.files[path]
        tag = {"ETag": static.etag(data)} if static.has_etags else {}
        if tag and self.headers.get("If-None-Match") == tag["ETag"]:
            return self.answer(304, b"", tag)
        found = RANGE.fullmatch(self.headers.get("Range", ""))
        changed = "If-Range" in self.headers and self.headers["If-Range"] != tag.get("ETag")
        if found is None or changed or not static.has_ranges:
            return self.answer(200, data, tag)
        first, last = int(found[1]), min(int(found[2]), len(data) - 1)
        if first >= len(data):
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        part = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
        return self.answer(206, data[first : last + 1], tag | part)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.static.has_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cuts = self.static.break_after.get(self.path)
        sent = body if not cuts else body[: cuts.pop(0)]
        for at in range(0, len(sent), PIECE_BYTES):
            piece = sent[at : at + PIECE_BYTES]
            self.static.sent[self.path] += len(piece)  # before it can be seen
            try:
                self.wfile.write(piece)
            except OSError:
                return
        if len(sent) < len(body) or not self.static.has_length:
            self.close_connection = True


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[tuple[Static, str]]:
    """A running server and its URL; over TLS where a context is given."""
    static = Static()
    handler = type("Bound", (Handler,), {"static": static})
    with running(handler, context) as url:
        yield static, url


@contextmanager
def running(
    handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None
) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    scheme = "http" if context is None else "https"
    try:
        yield f"{scheme}://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
