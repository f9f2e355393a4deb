"""A connection of TCP or a Unix socket as a `Serial`: the client's end, and a server of one client.

TCP connections are kept alive by the kernel, so that a peer that lost its power is noticed.
"""

from __future__ import annotations

import errno
import select
import socket
import stat
from pathlib import Path
from typing import Protocol, runtime_checkable

from drivers.faults import LinkFault
from drivers.interfaces import Clock, Serial

CONNECT_S = 5.0
MODE = 0o660
"""Of a Unix socket's file: who may write to it may connect."""
BACKLOG = 4
SILENT_MS = 5000
"""A client that has done nothing useful for so long makes room for a new one."""
KEEP_IDLE_S, KEEP_INTERVAL_S, KEEP_COUNT = 10, 5, 3
UNANSWERED_MS = 20_000
_REASONS = {
    errno.ECONNREFUSED: ("refused", "nobody listens there; is the camera's runtime running?"),
    errno.ENOENT: ("missing", "there is no such socket; is the camera's runtime running?"),
    errno.EACCES: ("no_access", "no right to connect; the socket's group may"),
    errno.EHOSTUNREACH: ("unreachable", "no way to this host"),
    errno.ENETUNREACH: ("unreachable", "no way to this host's network"),
    errno.EADDRINUSE: ("in_use", "another process listens there"),
}


@runtime_checkable
class Listening(Serial, Protocol):
    """A port on which clients come and go, one at a time."""

    @property
    def connection(self) -> int:
        """A number for the present client, different for each; 0: nobody is connected."""
        ...

    def admit(self) -> None:
        """Look who waits at the door. Raises LinkFault."""
        ...

    def heard(self) -> None:
        """The client has done something useful: it keeps its place."""
        ...

    def drop(self) -> None:
        """Hang up."""
        ...


class SocketPort:
    """One connection. Implements `Serial`.

    Args:
        connected: stream socket.
        name: for messages.
    """

    def __init__(self, connected: socket.socket, name: str) -> None:
        self._socket, self._name = connected, name
        connected.setblocking(False)
        if connected.family in (socket.AF_INET, socket.AF_INET6):
            _keep_alive(connected)

    def read(self, max_bytes: int) -> bytes:
        """Bytes that have arrived. Raises LinkFault: "closed" by the other side, or "gone"."""
        try:
            data = self._socket.recv(max_bytes)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._fault(error) from error
        if not data:
            raise LinkFault("closed", f"{self._name}: the other side has closed the connection")
        return data

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Hand over bytes to send. Raises LinkFault as `read`."""
        try:
            return self._socket.send(data, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._fault(error) from error

    @property
    def has_left(self) -> bool:
        """Whether the other side has closed, even where some of what it sent is still to read."""
        look = select.poll()
        look.register(self._socket, select.POLLRDHUP)
        return bool(look.poll(0))

    def close(self) -> None:
        """Close. May be called twice."""
        self._socket.close()

    def _fault(self, error: OSError) -> LinkFault:
        has_closed = isinstance(error, (ConnectionResetError, BrokenPipeError))
        return LinkFault("closed" if has_closed else "gone", f"{self._name}: {error.strerror}")


class ListeningPort:
    """A server of one client at a time. Implements `Listening`.

    A newcomer is turned away at once while the present client does something useful; who was
    silent for SILENT_MS goes instead.

    Args:
        listening: bound stream socket that listens.
        name: for messages.
        clock: injected time.
        path: of a Unix socket's file, taken away at the end.
    """

    def __init__(
        self, listening: socket.socket, name: str, clock: Clock, path: Path | None = None
    ) -> None:
        self._listening, self._name, self._clock, self._path = listening, name, clock, path
        listening.setblocking(False)
        self._client: SocketPort | None = None
        self._heard_ms = 0.0
        self._count = 0

    @property
    def connection(self) -> int:
        """Number of the present client; 0: none."""
        return self._count if self._client is not None else 0

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of a TCP server; the system chooses the port where it was 0."""
        host, port = self._listening.getsockname()[:2]
        return host, port

    def admit(self) -> None:
        """Take one newcomer, or turn them away. Raises LinkFault when listening has failed."""
        try:
            came, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return
        except OSError as error:
            raise LinkFault("listen_failed", f"{self._name}: {error.strerror}") from error
        now_ms = self._clock.now_ms()
        is_busy = self._client is not None and not self._client.has_left
        if is_busy and now_ms - self._heard_ms < SILENT_MS:
            came.close()
            return
        self.drop()
        self._client = SocketPort(came, self._name)
        self._count += 1
        self._heard_ms = now_ms

    def heard(self) -> None:
        """The client keeps its place for SILENT_MS more."""
        self._heard_ms = self._clock.now_ms()

    def drop(self) -> None:
        """Hang up; may be called when nobody is there."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def read(self, max_bytes: int) -> bytes:
        """Bytes of the present client; one that has gone is forgotten."""
        try:
            return self._client.read(max_bytes) if self._client is not None else b""
        except LinkFault:
            self.drop()
            return b""

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Hand over bytes to the present client; one that has gone is forgotten."""
        try:
            return self._client.write(data) if self._client is not None else 0
        except LinkFault:
            self.drop()
            return 0

    def close(self) -> None:
        """Hang up and listen no more. May be called twice."""
        self.drop()
        if self._listening.fileno() >= 0:
            self._listening.close()
            if self._path is not None:
                self._path.unlink(missing_ok=True)


def connect_tcp(host: str, port: int) -> SocketPort:
    """Connect to a camera. Waits at most CONNECT_S. Raises LinkFault."""
    name = f"{host}:{port}"
    try:
        return SocketPort(socket.create_connection((host, port), CONNECT_S), name)
    except OSError as error:
        raise _fault(name, error) from error


def connect_unix(path: str) -> SocketPort:
    """Connect on the camera itself. Raises LinkFault."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(CONNECT_S)
        made.connect(path)
    except OSError as error:
        made.close()
        raise _fault(path, error) from error
    return SocketPort(made, path)


def listen_tcp(host: str, port: int, clock: Clock) -> ListeningPort:
    """Listen on an address of this camera; port 0: any. Raises LinkFault."""
    name = f"{host}:{port}"
    try:
        made = socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise _fault(name, error) from error
    return ListeningPort(made, name, clock)


def listen_unix(path: str | Path, clock: Clock) -> ListeningPort:
    """Listen on a Unix socket of mode MODE.

    It is made under another name, so that it is never open to others and takes the place of one
    that nobody listens on in one step.

    Raises:
        LinkFault: "in_use", "not_a_socket", or as the system says.
    """
    path = Path(path)
    _check_free(path)
    draft = path.with_name(path.name + ".new")
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        draft.unlink(missing_ok=True)
        made.bind(str(draft))
        draft.chmod(MODE)
        made.listen(BACKLOG)
        draft.replace(path)
    except OSError as error:
        made.close()
        raise _fault(str(path), error) from error
    return ListeningPort(made, str(path), clock, path)


def _check_free(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise LinkFault("not_a_socket", f"{path}: there is a file that is no socket")
    except OSError:  # none there; what else is wrong shows when it is made
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise LinkFault("in_use", f"{path}: another process listens there")


def _keep_alive(connected: socket.socket) -> None:
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_NODELAY, 1),
        (socket.TCP_KEEPIDLE, KEEP_IDLE_S),
        (socket.TCP_KEEPINTVL, KEEP_INTERVAL_S),
        (socket.TCP_KEEPCNT, KEEP_COUNT),
        (socket.TCP_USER_TIMEOUT, UNANSWERED_MS),
    ):
        connected.setsockopt(socket.IPPROTO_TCP, option, value)


def _fault(name: str, error: OSError) -> LinkFault:
    reason, advice = _REASONS.get(error.errno or 0, ("open_failed", error.strerror or str(error)))
    return LinkFault(reason, f"{name}: {advice}")
