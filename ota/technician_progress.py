"""How far a push is: on one line of a terminal, or as lines now and then."""

from __future__ import annotations

import shutil
from typing import Final, TextIO

from drivers.interfaces import Clock
from ota.link.progress import Progress
from ota.technician_words import share, size, span

TERMINAL_MS: Final = 200.0
PLAIN_MS: Final = 10_000.0
"""Between two lines where the output is no terminal, and ..."""
PLAIN_SHARE: Final = 25
"""... between two of these percentages."""


class Meter:
    """Shows how far a push is.

    Args:
        out: where to write.
        clock: injected time.
        is_quiet: show nothing.
    """

    def __init__(self, out: TextIO, clock: Clock, *, is_quiet: bool = False) -> None:
        self._out, self._clock = out, clock
        self._is_terminal, self._is_quiet = out.isatty(), is_quiet
        self._shown_ms = clock.now_ms() - max(TERMINAL_MS, PLAIN_MS)
        self._shown_step = -1
        self._is_open = False
        self._done = self._whole = 0

    def show(self, progress: Progress) -> None:
        """So many bytes are there."""
        now_ms = self._clock.now_ms()
        self._done, self._whole = progress.done, progress.total
        if self._is_due(now_ms):
            self._shown_ms, self._shown_step = now_ms, self._step()
            self._write(line(progress))

    def say(self, text: str) -> None:
        """A sentence between, on a line of its own."""
        if self._is_quiet:
            return
        self.end()
        self._out.write(text + "\n")
        self._out.flush()

    def end(self) -> None:
        """Leave the line that was rewritten."""
        if self._is_open:
            self._out.write("\n")
            self._out.flush()
            self._is_open = False

    def tell(self, text: str, *, is_news: bool = True) -> None:
        """Something else on the line that is rewritten; without a terminal only what is news."""
        if self._is_terminal or is_news:
            self._write(text)

    def _is_due(self, now_ms: float) -> bool:
        if self._is_quiet:
            return False
        if self._done >= self._whole:
            return self._shown_step != self._step()
        after_ms = now_ms - self._shown_ms
        if self._is_terminal:
            return after_ms >= TERMINAL_MS
        return after_ms >= PLAIN_MS or self._step() > self._shown_step

    def _step(self) -> int:
        return share(self._done, self._whole) // (1 if self._is_terminal else PLAIN_SHARE)

    def _write(self, text: str) -> None:
        if self._is_quiet:
            return
        if not self._is_terminal:
            self._out.write(text + "\n")
        else:
            width = shutil.get_terminal_size().columns - 1
            self._out.write("\r" + text[:width].ljust(width))
            self._is_open = True
        self._out.flush()


def line(progress: Progress) -> str:
    """Of a push: " 34 %  680 kB of 2.0 MB  91 kB/s  14 s left"."""
    done, total = progress.done, progress.total
    parts = [f"{share(done, total):3} %", f"{size(done)} of {size(total)}"]
    if progress.bytes_per_s > 0 and done < total:
        parts.append(f"{size(progress.bytes_per_s)}/s")
        if progress.left_ms is not None:
            parts.append(f"{span(progress.left_ms)} left")
    return "  ".join(parts)
