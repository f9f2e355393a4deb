"""Frames that are lost, damaged, doubled, late, and broken by text, in any sequence."""

from __future__ import annotations

from itertools import chain, repeat

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ota.bundle import BundleFile
from ota.link.client import LinkClient
from ota.link.messages import Terms
from ota.link.server import LinkServer
from ota.service import Path, Rank
from tests.ota.link.camera import SEEDS, Camera, write_bundle
from tests.ota.link.line import Bench

BYTES = 30_000
DELAY_MS = 3.0
LATE_MS = 90.0
TEXT = b"\r\n[   99.000001] mmc0: tuning execution failed: -5\r\n"
FATES = ("ok", "ok", "ok", "ok", "lost", "twice", "late", "damaged", "text before", "text inside")


class Way:
    """One direction; every frame has its fate."""

    def __init__(self, clock: Bench, fates: list[str]) -> None:
        self.clock = clock
        self.fates = chain(fates, repeat("ok"))
        self.queue: list[tuple[float, bytes]] = []
        self.part = b""

    def put(self, data: bytes) -> None:
        *frames, self.part = (self.part + data).split(b"\0")
        for frame in filter(None, frames):
            self.send(b"\0" + frame + b"\0")

    def send(self, frame: bytes) -> None:
        due_ms, fate, middle = self.clock.now_ms() + DELAY_MS, next(self.fates), len(frame) // 2
        match fate:
            case "lost":
                return
            case "twice":
                self.queue.append((due_ms, frame))
            case "late":
                due_ms += LATE_MS
            case "damaged":
                frame = frame[:middle] + bytes([frame[middle] ^ 0x40 or 1]) + frame[middle + 1 :]
            case "text before":
                frame = TEXT + frame
            case "text inside":
                frame = frame[:middle] + TEXT + frame[middle:]
        self.queue.append((due_ms, frame))

    def take(self) -> bytes:
        now_ms = self.clock.now_ms()
        due = b"".join(frame for due_ms, frame in self.queue if due_ms <= now_ms)
        self.queue = [entry for entry in self.queue if entry[0] > now_ms]
        return due


class End:
    def __init__(self, out: Way, into: Way) -> None:
        self.out, self.into, self.rest = out, into, b""

    def read(self, max_bytes: int) -> bytes:
        self.rest += self.into.take()
        data, self.rest = self.rest[:max_bytes], self.rest[max_bytes:]
        return data

    def write(self, data: bytes | bytearray | memoryview) -> int:
        self.out.put(bytes(data))
        return len(data)

    def close(self) -> None:
        self.rest = b""


def meet(there: list[str], back: list[str], path: Path) -> tuple[LinkClient, Camera]:
    clock, camera = Bench(), Camera()
    ways = Way(clock, there), Way(clock, back)
    server = LinkServer(End(ways[1], ways[0]), path, camera, clock, lambda *entry: None)
    clock.camera = server.poll
    end = End(*ways)
    key = SEEDS[Rank.TECHNICIAN]
    return LinkClient(end, clock, key, lambda: end, Terms(1024, 4)), camera


MISCHIEF = st.lists(st.sampled_from(FATES), max_size=60)


@given(MISCHIEF, MISCHIEF)
@settings(max_examples=60)
def test_a_push_arrives_whole(tmp_path_factory, there, back):
    path = tmp_path_factory.mktemp("mischief") / "b"
    payload = write_bundle(path, BYTES)
    client, camera = meet(there, back, Path.LAN)
    with BundleFile(path) as bundle:
        client.push(bundle)
    assert camera.payload == payload


@given(MISCHIEF, MISCHIEF, st.integers(0, 3000))
@example(
    there=["ok", "ok", "lost", "lost", "damaged"], back=["ok", "ok", "lost", "damaged"], length=0
)
@settings(max_examples=100)
def test_what_is_asked_is_done_once(there, back, length):
    client, camera = meet(there, back, Path.CABLE)
    client.hello(300_000)
    for _ in range(3):
        assert client.ask("rollback", {"why": "x" * length}, 300_000) == {"text": "fine"}
    assert [command for command, _ in camera.asked] == ["rollback"] * 3
