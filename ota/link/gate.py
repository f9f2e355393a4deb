"""Who may ask for what: `ota.service.COMMANDS`, a challenge and a signature; nothing else."""

from __future__ import annotations

from typing import Any

from ota.keys import DOMAIN_COMMAND, Signature, signers
from ota.link.messages import Proof
from ota.operators import Challenges, command_body
from ota.refusal import Refused
from ota.service import COMMANDS, Asker, Path, Rank, Service

MAX_SHOWN = 40
"""Characters of a name from outside that are told again."""


class Gate:
    """Of one link.

    Args:
        path: the way on which everybody comes who comes through here.
        service: knows the operators and the camera's name.
    """

    def __init__(self, path: Path, service: Service) -> None:
        self._path = path
        self._service = service
        self._challenges = Challenges()

    def challenge(self, now_ms: float) -> bytes:
        """A nonce for one signed command."""
        return self._challenges.new(now_ms)

    def forget(self) -> None:
        """Somebody else is there now: no challenge that was given out is good any more."""
        self._challenges = Challenges()

    def check(
        self, command: str, arguments: dict[str, Any], proof: Proof | None, now_ms: float
    ) -> Asker:
        """Who asks.

        Raises:
            Refused: "unknown", "not_signed", "nonce", "operator_key" or "not_permitted".
        """
        entry = COMMANDS.get(command)
        if entry is None:
            raise Refused("unknown", f"command {shown(command)}")
        is_open = self._path in entry.open_on
        if proof is None:
            if not is_open:
                raise Refused("not_signed", f"{command} over {self._path}")
            return Asker(self._path, Rank.NOBODY, self._path.value)
        rank, name = self._operator(command, arguments, proof, now_ms)
        if rank < entry.least and not is_open:
            needs = f"{command} needs a {entry.least.name.lower()}'s key"
            raise Refused("not_permitted", f"{needs}; {name} is a {rank.name.lower()}")
        return Asker(self._path, rank, name)

    def _operator(
        self, command: str, arguments: dict[str, Any], proof: Proof, now_ms: float
    ) -> tuple[Rank, str]:
        self._challenges.take(proof.nonce, now_ms)
        known = self._service.operator(proof.key_id)
        if known is None:
            raise Refused("operator_key", f"key {proof.key_id.hex()[:MAX_SHOWN]}")
        public, rank, name = known
        body = command_body(str(self._service.hello()["device"]), proof.nonce, command, arguments)
        signature = Signature(proof.key_id, proof.signature)
        if not signers({proof.key_id: public}, DOMAIN_COMMAND, body, [signature]):
            raise Refused("not_signed", "signed for another camera, challenge or command")
        return rank, name


def shown(text: str) -> str:
    """Text from outside, as it may stand in a message or record."""
    return ascii(text)[:MAX_SHOWN]
