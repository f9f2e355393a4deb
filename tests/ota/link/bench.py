"""A camera and a technician on one line in virtual time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ota.keys import DOMAIN_COMMAND, sign
from ota.link.client import LinkClient
from ota.link.frames import Decoder, encode
from ota.link.messages import PROTOCOL, TERMS, Kind, Terms
from ota.link.server import LinkServer
from ota.operators import command_body
from ota.service import Path
from tests.ota.link.camera import Camera
from tests.ota.link.line import Bench, Line

CONVERSATION = 0x1234 << 16


class Setup:
    """Whole: a client of this project at the other end of a UART."""

    def __init__(
        self,
        path: Path = Path.CABLE,
        key: bytes | None = None,
        terms: Terms = TERMS,
        baud: int = 921_600,
        **camera: Any,
    ) -> None:
        self.clock = Bench()
        self.line = Line(self.clock, baud)
        self.line.back.turnaround_ms = 10.0
        self.camera = Camera(**camera)
        self.log: list[tuple[str, dict[str, Any]]] = []
        self.server = self.serve(path)
        self.client = LinkClient(
            self.line.technician, self.clock, key, reconnect=self.line.plug, terms=terms
        )

    def serve(self, path: Path) -> LinkServer:
        """A camera that starts now."""
        log = self.log
        server = LinkServer(
            self.line.camera, path, self.camera, self.clock, lambda *entry: log.append(entry)
        )
        self.clock.camera = server.poll
        return server


class Pipe:
    """A port whose other end is the test itself."""

    def __init__(self) -> None:
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.takes = 1 << 20

    def read(self, max_bytes: int) -> bytes:
        out = bytes(self.incoming[:max_bytes])
        del self.incoming[:max_bytes]
        return out

    def write(self, data: bytes | bytearray | memoryview) -> int:
        taken = bytes(data[: self.takes])
        self.outgoing += taken
        return len(taken)

    def close(self) -> None:
        self.incoming.clear()


class Hall(Pipe):
    """A port on which clients come and go: implements `drivers.socket_port.Listening`."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = 1
        self.useful = self.dropped = 0

    def admit(self) -> None:
        pass

    def heard(self) -> None:
        self.useful += 1

    def drop(self) -> None:
        self.dropped += 1
        self.connection = 0


class Raw:
    """A server, and somebody who says whatever they like to it."""

    def __init__(self, path: Path = Path.CABLE, port: Pipe | None = None) -> None:
        self.clock = Bench()
        self.camera = Camera()
        self.port = port or Pipe()
        self.log: list[tuple[str, dict[str, Any]]] = []
        self.server = LinkServer(
            self.port, path, self.camera, self.clock, lambda *entry: self.log.append(entry)
        )
        self.sequence = 0
        self._decoder = Decoder()

    def say(self, *messages: list[Any], raw: bytes = b"") -> list[list[Any]]:
        """Send, let the camera work, and read what it says."""
        self.port.incoming += b"".join(map(encode, messages)) + raw
        return self.work()

    def work(self, for_ms: float = 1.0) -> list[list[Any]]:
        self.clock.sleep_until_ms(self.clock.now_ms() + for_ms)
        while self.server.poll(self.clock.now_ms()):
            pass
        heard = self._decoder.feed(bytes(self.port.outgoing), self.clock.now_ms())
        self.port.outgoing.clear()
        return heard

    def next(self, conversation: int = CONVERSATION) -> int:
        self.sequence += 1
        return conversation | self.sequence

    def hello(self, conversation: int = CONVERSATION, terms: Iterable[int] = TERMS) -> dict:
        (answer,) = self.say([Kind.HELLO, self.next(conversation), PROTOCOL, *terms])
        assert answer[0] == Kind.WELCOME
        return answer[2]

    def nonce(self) -> bytes:
        (answer,) = self.say([Kind.CHALLENGE, self.next()])
        assert answer[0] == Kind.NONCE
        return answer[2]

    def signed(self, seed: bytes, command: str, arguments: dict, device: str = "cam-7") -> list:
        nonce = self.nonce()
        proof = sign(seed, DOMAIN_COMMAND, command_body(device, nonce, command, arguments))
        return [Kind.ASK, self.next(), command, arguments, nonce, *proof]
