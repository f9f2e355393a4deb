"""Reports of a channel's cameras to the vendor's own server: who began, confirmed, failed and why.

A static server hears nothing; this is what a roll-out is widened or halted by. One small POST of
JSON each: device, product, runtime, release, version, digest, event ("began", "confirmed",
"failed"), reason, detail. What could not be told is told later, the newest MAX_UNSENT of it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from ota.carriers.camera import Facts, Outcome, SourceLost
from ota.carriers.memory import Offer
from ota.carriers.web import Web

MAX_UNSENT: Final = 16
MAX_ANSWER_BYTES: Final = 1 << 14
Event = Literal["began", "confirmed", "failed"]


class Reporter:
    """Tells one server.

    Args:
        web: with the device's token, where there is one.
        url: to post to.
        say: takes lines for people.
    """

    def __init__(self, web: Web, url: str, say: Callable[[str], None]) -> None:
        self._web, self._url, self._say = web, url, say
        self._unsent: deque[bytes] = deque(maxlen=MAX_UNSENT)

    def began(self, facts: Facts, offer: Offer) -> None:
        """A bundle is about to be pushed."""
        self._add(facts, offer, "began", "", "")

    def ended(self, facts: Facts, offer: Offer, outcome: Outcome) -> None:
        """How it ended."""
        event: Event = "confirmed" if outcome.is_confirmed else "failed"
        self._add(facts, offer, event, outcome.reason, outcome.detail)

    def flush(self) -> None:
        """Tell what was not told yet, as far as the server takes it."""
        while self._unsent:
            try:
                reply = self._web.send("POST", self._url, self._unsent[0], MAX_ANSWER_BYTES)
            except SourceLost as lost:
                self._say(f"report: {lost}")
                return
            if reply.status >= 500 or reply.status == 429:
                self._say(f"report: {self._url} answers {reply.status}")
                return
            self._unsent.popleft()

    def _add(self, facts: Facts, offer: Offer, event: Event, reason: str, detail: str) -> None:
        told = {
            "device": facts.device,
            "product": facts.product,
            "runtime": facts.runtime,
            "release": offer.release,
            "version": offer.version,
            "digest": offer.digest.hex(),
            "event": event,
            "reason": reason,
            "detail": detail[:400],
        }
        self._unsent.append(json.dumps(told).encode())
        self.flush()
