"""HTTP(S) pull: a signed channel file on any static server, and the bundle that it names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from drivers.interfaces import Clock
from ota.bundle import Bundle
from ota.carriers import memory, pace
from ota.carriers.camera import Facts, Outcome, SourceLost, is_final, outcome_of
from ota.carriers.channel import (
    MAX_CHANNEL_BYTES,
    Camera,
    Channel,
    Release,
    bundle_url,
    check,
    choose,
)
from ota.carriers.http_bundle import HttpBundle
from ota.carriers.report import Reporter
from ota.carriers.web import Web
from ota.key_ring import KeyRing, parse_ring
from ota.refusal import Refused

AGAIN_MS: Final = 5000.0


class ChannelCarrier:
    """Follows one channel.

    Args:
        web: how to reach it.
        url: of the channel file.
        device: the camera's name: its place among all.
        ring: the key ring that came with the image; newer ones come with the channel file.
        remembers: file for what is remembered over restarts; its folder is there.
        clock: injected time.
        random: gives [0, 1).
        say: takes lines for people.
        poll_ms: how often to ask, where the channel file does not say.
        spread_ms: the first poll lies anywhere in here.
        reporter: hears what a static server does not; None: nobody does.
    """

    name = "channel"

    def __init__(
        self,
        web: Web,
        url: str,
        device: str,
        ring: KeyRing,
        remembers: Path,
        clock: Clock,
        random: Callable[[], float],
        say: Callable[[str], None],
        poll_ms: float = pace.POLL_MS,
        spread_ms: float = pace.BOOT_SPREAD_MS,
        reporter: Reporter | None = None,
    ) -> None:
        self._web, self._url, self._clock = web, url, clock
        self._random, self._say, self._poll_ms = random, say, poll_ms
        self._spread_ms, self._reporter = spread_ms, reporter
        self._path = remembers
        self._memory = memory.load(remembers)
        self._ring = _newer(ring, self._memory.ring)
        self._channel: Channel | None = None
        self._etag = ""
        self._phase = pace.phase_of(device)
        self._failures = 0
        self._next_ms: float | None = None
        self._offered = b""
        self._stops = 0
        self._facts: Facts | None = None

    def is_due(self, now_ms: float) -> bool:
        """It is time to poll; the first time lies anywhere in the spread after a start."""
        if self._next_ms is None:
            self._next_ms = now_ms + pace.first_wait_ms(
                self._phase, self._random(), self._spread_ms
            )
        return now_ms >= self._next_ms

    def look(self, facts: Facts, now_ms: float) -> Bundle | None:
        """Poll, and open the bundle that the channel has for this camera."""
        self._memory.meet(facts.runtime)
        self._facts = facts
        if self._reporter is not None:
            self._reporter.flush()
        self._look_back(facts)
        try:
            release = self._choose(facts)
            bundle = None if release is None else self._open(release, facts)
        except (SourceLost, Refused) as failed:
            self._failures += 1
            self._next_ms = now_ms + pace.backoff_ms(self._failures, self._random())
            raise SourceLost(f"channel: {failed}") from failed
        self._failures = 0
        self._schedule(now_ms)
        if release is not None:
            self._began(facts, release)
        return bundle

    def has(self, digest: bytes) -> bool:
        """Not known without asking the server: as with a stranger's, a minute is waited."""
        return False

    def is_wanted(self, now_ms: float) -> bool:
        """Polls also during a long push: a release may be halted meanwhile."""
        if not self.is_due(now_ms):
            return True
        self._schedule(now_ms)
        try:
            channel = self._poll()
        except (SourceLost, Refused):
            return True
        return any(one.digest == self._offered and not one.halted for one in channel.releases)

    def watch(self, facts: Facts, now_ms: float) -> None:
        """A static server hears nothing."""

    def told(self, digest: bytes, outcome: Outcome) -> None:
        """What this camera did not keep is not fetched again."""
        if not is_final(outcome):
            self.again(self._clock.now_ms())
            return
        self._stops = 0
        offer, self._memory.offer = self._memory.offer, None
        if not outcome.is_confirmed:
            self._memory.give_up(digest)
        self._save()
        if self._reporter is not None and self._facts and offer and offer.digest == digest:
            self._reporter.ended(self._facts, offer, outcome)

    def again(self, now_ms: float) -> None:
        """Soon, but after whoever comes first; slower each time."""
        self._next_ms = now_ms + AGAIN_MS * 2.0 ** min(self._stops, pace.MAX_DOUBLINGS)
        self._stops += 1

    def _look_back(self, facts: Facts) -> None:
        """An update that ended while this process was not there."""
        offer = self._memory.offer
        outcome = outcome_of(facts, offer.digest) if offer is not None else None
        if offer is not None and outcome is not None:
            self.told(offer.digest, outcome)

    def _began(self, facts: Facts, release: Release) -> None:
        offer = memory.Offer(
            digest=release.digest, release=release.release, version=release.version
        )
        if offer != self._memory.offer:
            self._memory.offer = offer
            self._save()
            if self._reporter is not None:
                self._reporter.began(facts, offer)

    def _choose(self, facts: Facts) -> Release | None:
        camera = Camera(facts.device, facts.board, facts.soc, facts.release)
        return choose(self._poll(), camera, self._memory.given_up)

    def _open(self, release: Release, facts: Facts) -> Bundle | None:
        url = bundle_url(self._url, release)
        self._say(f"channel: release {release.release}, version {release.version}")
        self._offered = release.digest
        try:
            return HttpBundle(
                self._web, url, facts.target, self._rest, release.bytes, release.digest
            )
        except Refused as refused:
            raise SourceLost(f"{url}: {refused}") from refused

    def _poll(self) -> Channel:
        """The channel as it is now. Raises SourceLost or Refused."""
        headers = {"If-None-Match": self._etag} if self._channel and self._etag else {}
        reply = self._web.get(self._url, MAX_CHANNEL_BYTES, headers)
        if reply.status == 304 and self._channel is not None:
            return self._channel
        if reply.status != 200:
            raise SourceLost(f"{self._url}: the server answers {reply.status}")
        checked = check(reply.data, self._ring, self._memory.seen)
        is_news = checked.seen != self._memory.seen or checked.ring is not self._ring
        self._ring, self._channel = checked.ring, checked.channel
        self._etag = reply.headers.get("etag", "")[:256]
        if is_news:
            self._memory.ring = checked.ring.data
            self._memory.sequence, self._memory.body = checked.seen
            self._save()
        return checked.channel

    def _save(self) -> None:
        """A disk that does not take it costs what `memory` says, and no update."""
        try:
            memory.save(self._path, self._memory)
        except OSError as error:
            self._say(f"channel: {self._path}: {error.strerror}")

    def _schedule(self, now_ms: float) -> None:
        self._next_ms = now_ms + pace.wait_ms(self._phase, self._random(), self._interval_ms())

    def _interval_ms(self) -> float:
        told_ms = self._channel.poll_s * 1000.0 if self._channel is not None else 0.0
        return min(max(told_ms or self._poll_ms, pace.LEAST_POLL_MS), pace.MOST_POLL_MS)

    def _rest(self, for_ms: float) -> None:
        self._clock.sleep_until_ms(self._clock.now_ms() + for_ms)


def _newer(provisioned: KeyRing, remembered: bytes) -> KeyRing:
    """The remembered ring was checked before it was written down; a newer image wins."""
    try:
        ring = parse_ring(remembered) if remembered else provisioned
    except Refused:
        return provisioned
    is_ours = ring.product == provisioned.product
    return ring if is_ours and ring.version > provisioned.version else provisioned
