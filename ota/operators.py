"""Commands signed by operators: what they sign, and challenges that can be answered once.

The camera gives a nonce, the operator signs it together with the camera's name, the command and all
its arguments. So a command that was overheard is worth nothing a second time or on another camera.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_bytes
from typing import Any, Final

from ota import wire
from ota.refusal import Refused

NONCE_BYTES: Final = 16
MAX_OUTSTANDING: Final = 8
NONCE_MS: Final = 30_000
"""A nonce that is older is not taken."""


def command_body(device: str, nonce: bytes, command: str, arguments: dict[str, Any]) -> bytes:
    """What an operator signs, in DOMAIN_COMMAND.

    Args:
        device: the camera's name, as in its hello.
        nonce: from this camera, not yet used.
        command: a word of `ota.service.COMMANDS`.
        arguments: plain values, as they are sent.
    """
    return wire.pack([device, nonce, command, arguments])


class Challenges:
    """The nonces that a camera has given out and not seen again; a new one drives out the oldest.

    Args:
        random: gives so many bytes that nobody can guess.
    """

    def __init__(self, random: Callable[[int], bytes] = token_bytes) -> None:
        self._random = random
        self._nonces = [b""] * MAX_OUTSTANDING
        self._given_ms = [0.0] * MAX_OUTSTANDING
        self._next = 0

    def new(self, now_ms: float) -> bytes:
        """A nonce for one command within NONCE_MS."""
        nonce = self._random(NONCE_BYTES)
        self._nonces[self._next] = nonce
        self._given_ms[self._next] = now_ms
        self._next = (self._next + 1) % MAX_OUTSTANDING
        return nonce

    def take(self, nonce: bytes, now_ms: float) -> None:
        """Use a nonce up.

        Raises:
            Refused: "nonce": never given out, used, driven out or too old.
        """
        if len(nonce) != NONCE_BYTES or nonce not in self._nonces:
            raise Refused("nonce")
        place = self._nonces.index(nonce)
        self._nonces[place] = b""
        if now_ms - self._given_ms[place] > NONCE_MS:
            raise Refused("nonce", f"the challenge is older than {NONCE_MS} ms")
