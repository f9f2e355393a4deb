"""The vendor's job: reads what cameras told, widens the roll-out or halts it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ota.carriers.rollout import Reports, Verdict, judge
from sim.fleet.settings import HOUR_MS, Settings


@dataclass(frozen=True)
class Moment:
    """A change of the channel file.

    Attributes:
        at_ms: published.
        what: "publish", "widen" or "halt".
        share: of the cameras that may take the release from then on.
        reports: on which it was decided.
    """

    at_ms: float
    what: str
    share: float
    reports: Reports


@dataclass
class Rollout:
    """One release on its way through the stages.

    Attributes:
        settings: of the fleet.
        moments: every change, in order.
    """

    settings: Settings
    moments: list[Moment] = field(default_factory=list)
    _stage: int = -1

    def control(self, now_ms: float, reports: Reports) -> None:
        """Decide; called every `control_ms`."""
        if self._stage < 0:
            if now_ms >= self.settings.publish_h * HOUR_MS:
                self._publish(now_ms, "publish", reports)
            return
        if self.is_halted:
            return
        stage, last = self.settings.stages[self._stage], self.moments[-1]
        verdict = judge(stage, reports, (now_ms - last.at_ms) / HOUR_MS)
        if verdict is Verdict.HALT:
            self.moments.append(Moment(now_ms, "halt", 0.0, reports))
        elif verdict is Verdict.WIDEN and self._stage + 1 < len(self.settings.stages):
            self._publish(now_ms, "widen", reports)

    @property
    def is_halted(self) -> bool:
        """No camera takes it any more."""
        return bool(self.moments) and self.moments[-1].what == "halt"

    def share_seen(self, now_ms: float) -> float:
        """What a camera that polls now is told: the CDN may still have the file before."""
        share = 0.0
        for moment in self.moments:
            if moment.at_ms + self.settings.cache_ms <= now_ms:
                share = moment.share
        return share

    def _publish(self, now_ms: float, what: str, reports: Reports) -> None:
        self._stage += 1
        share = self.settings.stages[self._stage].share
        self.moments.append(Moment(now_ms, what, share, reports))
