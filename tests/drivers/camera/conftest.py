"""Clips whose pictures say their own number, a config, and an MJPEG server that can be broken."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivers.board import CameraConfig
from drivers.interfaces import U8

GREY_STEP = 18
NUMBERS = 12


def numbered(index: int, width_px: int = 64, height_px: int = 48) -> U8:
    """uint8[H, W, 3] of one grey level; survives JPEG, and `number_of` reads it back."""
    return np.full((height_px, width_px, 3), 20 + GREY_STEP * (index % NUMBERS), np.uint8)


def read_number(pixels: U8) -> int:
    return round((float(pixels.mean()) - 20) / GREY_STEP)


@pytest.fixture(name="number_of")
def number_of_fixture() -> Callable[[U8], int]:
    return read_number


@pytest.fixture
def picture() -> Callable[..., U8]:
    return numbered


@pytest.fixture
def config() -> Callable[..., CameraConfig]:
    def make(**values: Any) -> CameraConfig:
        settings = {"driver": "x", "width_px": 64, "height_px": 48, "fps": 10.0} | values
        return CameraConfig(**settings)

    return make


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    def make(
        name: str = "clip.avi",
        frames: int = 12,
        fps: float = 10.0,
        size: tuple[int, int] = (64, 48),
        codec: str = "MJPG",
    ) -> Path:
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, size)
        assert writer.isOpened()
        for index in range(frames):
            writer.write(numbered(index, *size))
        writer.release()
        return path

    return make


class MjpegHandler(http.server.BaseHTTPRequestHandler):
    server: MjpegServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            self.serve_pictures()
        except OSError:
            return

    def serve_pictures(self) -> None:
        index, server = 0, self.server
        while not server.dropping.is_set():
            if not server.stalling.is_set():
                coded = cv2.imencode(".jpg", numbered(index, *server.size))[1].tobytes()
                head = (
                    f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(coded)}\r\n\r\n"
                )
                self.wfile.write(head.encode() + coded + b"\r\n")
                index += 1
            time.sleep(0.01)


class MjpegServer(http.server.ThreadingHTTPServer):
    """Serves numbered pictures at about 100/s; `stalling` keeps the line open and says nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MjpegHandler)
        self.stalling = threading.Event()
        self.dropping = threading.Event()
        self.size = (64, 48)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/live.mjpg"


@pytest.fixture
def mjpeg() -> Iterator[MjpegServer]:
    server = MjpegServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.dropping.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, "it never became true"
            time.sleep(0.005)

    return wait
