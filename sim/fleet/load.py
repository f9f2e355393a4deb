"""What a CDN sees: requests and bytes per second of a simulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]


class Load:
    """Counts requests and bytes in bins of a second; what comes after the end is left out."""

    def __init__(self, hours: float) -> None:
        self._seconds = int(hours * 3600)
        self.requests = np.zeros(self._seconds + 2, dtype=np.int64)
        self._bytes = np.zeros(self._seconds + 2)
        self._slope = np.zeros(self._seconds + 2)

    def ask(self, at_ms: Times, size_bytes: Times | float) -> None:
        """Small requests, each over within its second."""
        second = self._second(at_ms)
        if not second.size:
            return
        first = int(second.min())
        counts = np.bincount(second - first)
        self.requests[first : first + counts.size] += counts
        weights = np.broadcast_to(size_bytes, second.shape)
        self._bytes[first : first + counts.size] += np.bincount(second - first, weights=weights)

    def transfer(self, at_ms: Times, for_ms: Times, size_bytes: Times, range_bytes: int) -> None:
        """Transfers at an even rate, in range requests one after the other."""
        for_ms = np.maximum(for_ms, 1e-3)
        rate = size_bytes / for_ms * 1000.0
        self._ramp(at_ms / 1000.0, rate)
        self._ramp((at_ms + for_ms) / 1000.0, -rate)
        parts = np.maximum(np.ceil(size_bytes / range_bytes), 1).astype(np.int64)
        number = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
        step_ms = np.repeat(for_ms / parts, parts)
        self.ask(np.repeat(at_ms, parts) + number * step_ms, 0.0)

    def bytes_per_s(self) -> Times:
        """float64[seconds]."""
        return (self._bytes + np.cumsum(self._slope))[: self._seconds]

    def requests_per_s(self) -> NDArray[np.int64]:
        """int64[seconds]."""
        return self.requests[: self._seconds]

    def _ramp(self, at_s: Times, rate: Times) -> None:
        """From then on, so many bytes/s more; a part of a second counts as that part."""
        at_s = np.minimum(at_s, self._seconds)
        whole = at_s.astype(np.int64)
        part = at_s - whole
        np.add.at(self._slope, whole, rate * (1.0 - part))
        np.add.at(self._slope, np.minimum(whole + 1, self._seconds + 1), rate * part)

    def _second(self, at_ms: Times) -> NDArray[np.int64]:
        return np.minimum(at_ms / 1000.0, self._seconds + 1).astype(np.int64)
