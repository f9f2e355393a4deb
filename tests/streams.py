"""An existing camera on loopback: a real clip served over RTSP (H.264), or over HTTP (MJPEG).

The clip's own compressed pictures are sent, as a CCTV camera or its recorder does: nothing is
coded anew. Every client sees the clip from its beginning, in real time. Sources: RFC 2326 (RTSP),
RFC 6184 (H.264 over RTP), ISO/IEC 14496-12 and -15 (MP4).
"""

from __future__ import annotations

import base64
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import cv2

CLOCK_HZ = 90_000
PACKET_BYTES = 1400
FU_A = 28
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


class Picture(NamedTuple):
    """One compressed picture: when it is sent and shown (s), and its NAL units."""

    sent_s: float
    shown_s: float
    units: list[bytes]


class H264Clip:
    """An MP4 file with one H.264 track.

    Attributes:
        parameters: its parameter sets (SPS, PPS).
        pictures: in the order in which they are sent.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        tables = dict(_boxes(data, 0, len(data)))
        hz = struct.unpack_from(">I", tables[b"mdhd"], 12)[0]
        at = tables[b"stsd"].index(b"avcC") + 4
        self.parameters, self._length_bytes = _parameters(tables[b"stsd"], at)
        sent = [0, *accumulate(_runs(tables[b"stts"]))]
        late = list(_runs(tables[b"ctts"])) if b"ctts" in tables else [0] * len(sent)
        first = late[0]
        self.pictures = [
            Picture(sent[i] / hz, (sent[i] + late[i] - first) / hz, self._units(data, offset, size))
            for i, (offset, size) in enumerate(_places(tables))
        ]

    def lead(self, seconds: int) -> Iterator[Picture]:
        """The first second again and again, for a client that takes time to begin."""
        for second in range(seconds):
            for sent_s, shown_s, units in self.pictures:
                if sent_s >= 1.0:
                    break
                yield Picture(sent_s + second, shown_s + second, units)

    def _units(self, data: bytes, offset: int, size: int) -> list[bytes]:
        units, end = [], offset + size
        while offset < end:
            length = int.from_bytes(data[offset : offset + self._length_bytes], "big")
            offset += self._length_bytes
            units.append(data[offset : offset + length])
            offset += length
        return units


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    while at < end:
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        if name in CONTAINERS:
            yield from _boxes(data, at + head, at + size)
        else:
            yield name, data[at + head : at + size]
        at += size


def _parameters(data: bytes, at: int) -> tuple[list[bytes], int]:
    """SPS and PPS, and the size of a NAL unit's length field."""
    length_bytes, found, cursor = (data[at + 4] & 3) + 1, [], at + 5
    for mask in (0x1F, 0xFF):
        count, cursor = data[cursor] & mask, cursor + 1
        for _ in range(count):
            size = struct.unpack_from(">H", data, cursor)[0]
            found.append(data[cursor + 2 : cursor + 2 + size])
            cursor += 2 + size
    return found, length_bytes


def _runs(table: bytes) -> Iterator[int]:
    for row in range(struct.unpack_from(">I", table, 4)[0]):
        count, value = struct.unpack_from(">Ii", table, 8 + 8 * row)
        yield from [value] * count


def _places(tables: dict[bytes, bytes]) -> Iterator[tuple[int, int]]:
    """Offset and size of every picture in the file."""
    count = struct.unpack_from(">I", tables[b"stsz"], 8)[0]
    sizes = iter(struct.unpack_from(f">{count}I", tables[b"stsz"], 12))
    chunks = struct.unpack_from(">I", tables[b"stco"], 4)[0]
    offsets = struct.unpack_from(f">{chunks}I", tables[b"stco"], 8)
    rows = struct.unpack_from(">I", tables[b"stsc"], 4)[0]
    runs = [struct.unpack_from(">II", tables[b"stsc"], 8 + 12 * row) for row in range(rows)]
    for number, offset in enumerate(offsets, start=1):
        per_chunk = max(run for run in runs if run[0] <= number)[1]
        for _ in range(per_chunk):
            size = next(sizes)
            yield offset, size
            offset += size


def packets(picture: Picture, first_number: int, parameters: list[bytes]) -> Iterator[bytes]:
    """RTP packets of one picture; parameter sets go ahead of each key picture, as cameras do."""
    units = picture.units
    if any(unit[0] & 31 == 5 for unit in units):
        units = [*parameters, *units]
    parts = [part for unit in units for part in _fragments(unit)]
    stamp = round(picture.shown_s * CLOCK_HZ) & 0xFFFFFFFF
    for index, part in enumerate(parts):
        marker = 0x80 * (index == len(parts) - 1)
        number = (first_number + index) & 0xFFFF
        yield struct.pack(">BBHII", 0x80, 96 | marker, number, stamp, 0x48544145) + part


def _fragments(unit: bytes) -> list[bytes]:
    if len(unit) <= PACKET_BYTES:
        return [unit]
    pieces = [unit[i : i + PACKET_BYTES] for i in range(1, len(unit), PACKET_BYTES)]
    return [
        bytes(
            [unit[0] & 0x60 | FU_A, unit[0] & 31 | 0x80 * (i == 0) | 0x40 * (i == len(pieces) - 1)]
        )
        + piece
        for i, piece in enumerate(pieces)
    ]


class _Server:
    """Accepts clients, one thread each; can die and come back on the same port.

    Attributes:
        port: on 127.0.0.1.
        began_s, ended_s: `time.monotonic()` at which the newest client saw the clip's two ends.
        ended: set when a client has seen it to the end.
        clients: how many there were.
    """

    _lead_s = 0

    def __init__(self) -> None:
        self.port = 0
        self.began_s = self.ended_s = 0.0
        self.clients = 0
        self.ended = threading.Event()
        self._alive = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.revive()

    def revive(self) -> None:
        """Listen (again)."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._alive.set()
        self._start(self._accept)

    def die(self) -> None:
        """Cut every line at once, as a camera does that loses its power."""
        self._alive.clear()
        for line in (self._listener, *self._sockets):
            with suppress(OSError):  # its other end was faster
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self._sockets.clear()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(10)
        self._threads.clear()

    def _start(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        listener = self._listener
        while self._alive.is_set():
            try:
                line = listener.accept()[0]
            except OSError:
                return
            self._sockets.append(line)
            self._start(self._serve_quietly, line)

    def _serve_quietly(self, line: socket.socket) -> None:
        try:
            self.serve(line)
        except OSError:
            return  # the client left, or the camera died

    def serve(self, line: socket.socket) -> None:
        raise NotImplementedError

    def _in_time(self, times_s: list[float]) -> Iterator[int]:
        """Numbers of the pictures, each when it is due."""
        began_s = time.monotonic()
        self.began_s = began_s + self._lead_s
        self.clients += 1
        for number, at_s in enumerate(times_s):
            time.sleep(max(0.0, began_s + at_s - time.monotonic()))
            if not self._alive.is_set():
                return
            yield number
        self.ended_s = time.monotonic()
        self.ended.set()


class RtspServer(_Server):
    """RTSP with RTP on the same line (TCP), one path, optionally with user and password.

    `lead_s` seconds of the clip's first second go ahead of it; `began_s` is when it begins itself.
    """

    def __init__(
        self, clip: H264Clip, *, until_s: float = 1e9, login: str = "", lead_s: int = 0
    ) -> None:
        self._clip, self._lead_s = clip, lead_s
        self._pictures = [*clip.lead(lead_s)]
        self._pictures += [
            Picture(picture.sent_s + lead_s, picture.shown_s + lead_s, picture.units)
            for picture in clip.pictures
            if picture.sent_s < until_s
        ]
        self._login = base64.b64encode(login.encode()).decode() if login else ""
        super().__init__()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/cctv"

    def serve(self, line: socket.socket) -> None:
        """Answer requests; the pictures go out from a thread of their own."""
        lock = threading.Lock()
        while True:
            request = _request(line)
            if not request:
                return
            method, url, headers = request
            status, more, body = self._answer(method, url, headers)
            lines = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}", *more]
            if body:
                lines.append(f"Content-Length: {len(body)}")
            with lock:
                line.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            if method == "PLAY" and status == "200 OK":
                self._start(self._play_quietly, line, lock)
            if method == "TEARDOWN":
                return

    def _answer(self, method: str, url: str, headers: dict[str, str]) -> tuple[str, list[str], str]:
        if method == "OPTIONS":
            return "200 OK", ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"], ""
        if "/cctv" not in url:
            return "404 Not Found", [], ""
        if self._login and headers.get("authorization", "") != f"Basic {self._login}":
            return "401 Unauthorized", ['WWW-Authenticate: Basic realm="cctv"'], ""
        session = "Session: 12345678;timeout=60"
        match method:
            case "DESCRIBE":
                base = url if url.endswith("/") else url + "/"
                return (
                    "200 OK",
                    ["Content-Type: application/sdp", f"Content-Base: {base}"],
                    (self._description()),
                )
            case "SETUP" if "TCP" in headers.get("transport", ""):
                transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
                return "200 OK", [transport, session], ""
            case "SETUP":
                return "461 Unsupported Transport", [], ""
            case "PLAY" | "GET_PARAMETER" | "TEARDOWN":
                return "200 OK", [session], ""
        return "405 Method Not Allowed", [], ""

    def _description(self) -> str:
        sets = ",".join(base64.b64encode(each).decode() for each in self._clip.parameters)
        profile = self._clip.parameters[0][1:4].hex()
        return "\r\n".join(
            [
                *("v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=cctv", "c=IN IP4 127.0.0.1", "t=0 0"),
                *("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=control:trackID=0"),
                f"a=fmtp:96 packetization-mode=1;profile-level-id={profile};"
                f"sprop-parameter-sets={sets}",
                "",
            ]
        )

    def _play_quietly(self, line: socket.socket, lock: threading.Lock) -> None:
        try:
            self._play(line, lock)
        except OSError:
            return

    def _play(self, line: socket.socket, lock: threading.Lock) -> None:
        number = 0
        for index in self._in_time([picture.sent_s for picture in self._pictures]):
            for packet in packets(self._pictures[index], number, self._clip.parameters):
                number += 1
                with lock:
                    line.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)


def _request(line: socket.socket) -> tuple[str, str, dict[str, str]] | None:
    """Method, URL and headers; what the client sends on the data channels is passed over."""
    data = b""
    while True:
        if data.startswith(b"$") and len(data) >= 4:
            length = 4 + struct.unpack_from(">H", data, 2)[0]
            if len(data) >= length:
                data = data[length:]
                continue
        elif b"\r\n\r\n" in data:
            first, *rest = data.split(b"\r\n\r\n")[0].decode().split("\r\n")
            pairs = (row.partition(":") for row in rest)
            headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
            method, url, *_ = first.split(" ")
            return method, url, headers
        more = line.recv(4096)
        if not more:
            return None
        data += more


class MjpegServer(_Server):
    """The same clip as JPEG pictures over HTTP, as older cameras give it."""

    def __init__(self, path: Path, *, until_s: float) -> None:
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        fps = capture.get(cv2.CAP_PROP_FPS)
        self._pictures = []
        while len(self._pictures) < until_s * fps:
            ok, picture = capture.read()
            if not ok:
                break
            coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
            self._pictures.append(coded.tobytes())
        capture.release()
        self._times_s = [number / fps for number in range(len(self._pictures))]
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/live.mjpg"

    def serve(self, line: socket.socket) -> None:
        """One endless answer."""
        if _request(line) is None:
            return
        kind = "multipart/x-mixed-replace; boundary=frame"
        line.sendall(f"HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode())
        for number in self._in_time(self._times_s):
            coded = self._pictures[number]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(coded)}\r\n\r\n"
            line.sendall(head.encode() + coded + b"\r\n")
