"""What a fleet is, in numbers; the simulation has no others."""

from __future__ import annotations

from dataclasses import dataclass

from ota.carriers import pace
from ota.carriers.rollout import DEFAULT_STAGES, Stage

HOUR_MS = 3_600_000.0


@dataclass(frozen=True)
class Settings:
    """A fleet, its links, its server and one release.

    Attributes:
        cameras, hours, seed: how many, for how long, which draw.
        poll_ms, jitter, boot_spread_ms: as in `ota.carriers.pace`.
        site_cameras: mean number of cameras that share one power supply.
        night_share: of the sites, without power from 20:00 to 06:00; it begins at 00:00.
        storm_share, storm_at_h: of the sites, whose power returns at once after an hour without; by
            default when the last stage opens, the worst moment.
        boot_ms: from power to the start of the carrier, least and most.
        rate_median_bps, rate_sigma: links, log-normal, bit/s.
        flaky_share: of the cameras, on links that break.
        flaky_drop_ms: mean time between breaks of a flaky link; others never break.
        flaky_poll_failure: share of a flaky link's polls that fail.
        bundle_bytes: what one camera takes of a bundle: head and its own target's chunks.
        chunk_bytes: what is kept of a broken transfer is a whole number of these.
        range_bytes: most of one range request.
        poll_bytes: of a poll that finds nothing new (TLS set-up, headers, 304).
        channel_bytes: more when the channel file has changed.
        request_bytes: headers of one range request on an open connection.
        release, publish_h: its number, and when it is put on the channel.
        stages: of the roll-out.
        trial_ms: from the last byte to the outcome, mean; 0.8 to 1.2 of it.
        fails_on: share of the cameras on which the release fails.
        silent_share: of the cameras that fail: tell nothing, ever.
        overdue_h: after which a camera that began and told nothing counts as failed.
        control_ms: how often the vendor's job reads the reports.
        cache_ms: how long the CDN hands out the old channel file.
    """

    cameras: int = 100_000
    hours: float = 168.0
    seed: int = 1
    poll_ms: float = pace.POLL_MS
    jitter: float = pace.JITTER
    boot_spread_ms: float = pace.BOOT_SPREAD_MS
    site_cameras: float = 20.0
    night_share: float = 0.1
    storm_share: float = 0.2
    storm_at_h: float = 60.0
    boot_ms: tuple[float, float] = (15_000.0, 30_000.0)
    rate_median_bps: float = 4e6
    rate_sigma: float = 1.0
    flaky_share: float = 0.2
    flaky_drop_ms: float = 10_000.0
    flaky_poll_failure: float = 0.1
    bundle_bytes: int = 2_000_000
    chunk_bytes: int = 1 << 16
    range_bytes: int = 8 << 16
    poll_bytes: int = 5_000
    channel_bytes: int = 1_500
    request_bytes: int = 700
    release: int = 42
    publish_h: float = 12.0
    stages: tuple[Stage, ...] = DEFAULT_STAGES
    trial_ms: float = 900_000.0
    fails_on: float = 0.002
    silent_share: float = 0.05
    overdue_h: float = 24.0
    control_ms: float = 600_000.0
    cache_ms: float = 300_000.0
