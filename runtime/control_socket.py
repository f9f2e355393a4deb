"""Commands over a Unix datagram socket: one message, one answer, looked at once per tick.

A message is a msgpack map of at most MAX_BYTES: `do` (a name in COMMANDS), `by` (who asks), and
what the command takes: `number`, `place`, `rule`, `for_ms`. The answer is a map with `ok`, and
`reason` where it is false. Whoever may write to the socket may command; the file's mode says who.
A message that is refused changes nothing.
"""

from __future__ import annotations

import select
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack

from drivers.faults import InputFault
from runtime.control import CommandRefused, Control, Target

MAX_BYTES = 512
"""Of a message; a longer one is refused."""
MODE = 0o660
MAX_NAME = 40
"""Characters of who asks, and of a place or rule."""
PER_SECOND, BURST = 5.0, 10.0
"""Messages that are taken on average and at once; what is beyond them is not even written down."""
FIELDS = {"do": str, "by": str, "number": int, "place": str, "rule": str, "for_ms": int}
"""Keys of a message and their types."""
Answer = dict[str, object]


class ControlSocket:
    """The socket, and what it lets through.

    Args:
        path: of the socket's file; one that nobody listens on is taken over.
        control: does what is asked for.
        now_ms: injected time at the start.

    Raises:
        InputFault: the socket cannot be made.
    """

    def __init__(self, path: str, control: Control, now_ms: float) -> None:
        self._path = Path(path)
        self._control = control
        self._buffer = bytearray(MAX_BYTES + 1)
        self._credit, self._filled_ms = BURST, now_ms
        self._socket = _bind(self._path)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def poll(self, now_ms: float) -> None:
        """Take one message, if there is one, and answer it. Costs one system call at rest."""
        if self._poll.poll(0):
            self._take(now_ms)

    def close(self) -> None:
        """Take the socket away. May be called twice."""
        if self._socket.fileno() >= 0:
            self._socket.close()
            self._path.unlink(missing_ok=True)

    def _take(self, now_ms: float) -> None:
        try:
            count, sender = self._socket.recvfrom_into(self._buffer)
        except OSError:  # gone between the two calls
            return
        answer = self._answer(bytes(self._buffer[:count]), now_ms)
        if sender:
            try:
                self._socket.sendto(msgpack.packb(answer), socket.MSG_DONTWAIT, sender)
            except OSError:  # who asked has not waited; the record says what was done
                return

    def _answer(self, data: bytes, now_ms: float) -> Answer:
        earned = (now_ms - self._filled_ms) / 1e3 * PER_SECOND
        self._credit, self._filled_ms = min(BURST, self._credit + earned), now_ms
        if self._credit < 1.0:
            return {"ok": False, "reason": f"too many messages: at most {PER_SECOND:g} a second"}
        self._credit -= 1.0
        by = "?"
        try:
            message = read(data)
            by = message["by"]
            return {"ok": True, **COMMANDS[message["do"]](self._control, message, now_ms)}
        except CommandRefused as refused:
            self._control.refuse(by, str(refused))
            return {"ok": False, "reason": str(refused)}


def read(data: bytes) -> dict[str, Any]:
    """A message with every field of the right type. Raises CommandRefused."""
    if len(data) > MAX_BYTES:
        raise CommandRefused(f"a message has at most {MAX_BYTES} bytes")
    try:
        found = msgpack.unpackb(data)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise CommandRefused("a message must be a msgpack map") from error
    if not isinstance(found, dict):
        raise CommandRefused("a message must be a msgpack map")
    for key, value in found.items():
        kind = FIELDS.get(key) if isinstance(key, str) else None
        if kind is None:
            raise CommandRefused(
                f"unknown key {ascii(key)[:MAX_NAME]}; there are {', '.join(FIELDS)}"
            )
        if type(value) is not kind:
            raise CommandRefused(f"{key}: must be {'a number' if kind is int else 'text'}")
        if isinstance(value, str) and not (len(value) <= MAX_NAME and value.isprintable()):
            raise CommandRefused(f"{key}: must be at most {MAX_NAME} printable characters")
    if found.get("do") not in COMMANDS:
        raise CommandRefused(f"do: must be one of {', '.join(COMMANDS)}")
    if not found.get("by"):
        raise CommandRefused("by: must say who asks")
    return found


def _target(message: dict[str, Any]) -> Target:
    fields = ("number", "place", "rule")
    return Target(**{name: message[name] for name in fields if name in message})


def _list(control: Control, message: dict[str, Any], now_ms: float) -> Answer:
    return {"alarms": control.listed()}


def _ack(control: Control, message: dict[str, Any], now_ms: float) -> Answer:
    return {"alarms": control.acknowledge(message["by"], _target(message))}


def _mute(control: Control, message: dict[str, Any], now_ms: float) -> Answer:
    control.mute(message["by"])
    return {}


def _shelve(control: Control, message: dict[str, Any], now_ms: float) -> Answer:
    for_ms = float(message.get("for_ms", 0))
    return {"alarms": control.shelve(message["by"], _target(message), for_ms)}


def _unshelve(control: Control, message: dict[str, Any], now_ms: float) -> Answer:
    return {"alarms": control.unshelve(message["by"], _target(message))}


def _self_test(control: Control, message: dict[str, Any], now_ms: float) -> Answer:
    control.self_test(message["by"], now_ms)
    return {}


COMMANDS: dict[str, Callable[[Control, dict[str, Any], float], Answer]] = {
    "list": _list,
    "ack": _ack,
    "mute": _mute,
    "shelve": _shelve,
    "unshelve": _unshelve,
    "self_test": _self_test,
}


def rehearse(control: Control) -> None:
    """Before the memory is sealed: take every command once, and one that is refused."""
    for do in (*COMMANDS, "?"):
        message = {"do": do, "by": "rehearsal", "for_ms": 1, "number": 1}
        try:
            read_ = read(msgpack.packb(message))
            msgpack.packb({"ok": True, **COMMANDS[do](control, read_, 0.0)})
        except CommandRefused as refused:
            control.refuse("rehearsal", str(refused))


def _bind(path: Path) -> socket.socket:
    """A bound socket of mode MODE, made under another name so that it is never open to others."""
    if _is_in_use(path):
        raise InputFault("socket_in_use", f"{path}: another process listens there")
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        made.bind(str(draft))
        draft.chmod(MODE)
        draft.replace(path)
    except OSError as error:
        made.close()
        raise InputFault("socket_failed", f"{path}: {error.strerror or error}") from error
    return made


def _is_in_use(path: Path) -> bool:
    """Whether somebody listens there. Raises InputFault for a file that is no socket."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise InputFault("socket_failed", f"{path}: there is a file that is no socket")
    except OSError:  # none there; what else is wrong shows when it is made
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        return probe.connect_ex(str(path)) == 0
