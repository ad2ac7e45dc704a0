"""A run on the terminal while it lasts: a few lines that are written over each other, from a thread off the timed path.

One write per look, no line is cleared before it is written again, so nothing flickers. Where stderr is no terminal, or a dumb
one, there is a plain line per second instead. Colours follow NO_COLOR (no-color.org); without them the strip says the same
by its characters.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from benchmarks._screen import Look, screen_lines
from hil.progress import Progress, print_progress

_UP, _CLEAR_LINE, _HIDE, _SHOW = "\x1b[{}A", "\x1b[K", "\x1b[?25l", "\x1b[?25h"


@dataclass(slots=True, kw_only=True)
class LiveView:
    """Draws the lines of `benchmarks._screen` over the ones before; `every_s` is how often a run asks it to."""

    look: Look
    stream: TextIO
    every_s: float = 0.25
    _lines: int = 0

    def __call__(self, progress: Progress) -> None:
        """Draws a run as it stands; raises nothing where the terminal has gone away."""
        drawn = screen_lines(progress, self.look, width=max(self._columns() - 1, 20))
        up = _UP.format(self._lines) if self._lines else _HIDE
        self._write(up + "".join(f"\r{line}{_CLEAR_LINE}\n" for line in drawn))
        self._lines = len(drawn)

    def close(self) -> None:
        """Gives the cursor back."""
        if self._lines:
            self._write(_SHOW)
            self._lines = 0

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            self._lines = 0


@contextmanager
def shown(*, device: str, rate_hz: float, deadline_s: float, claim: float, frames: int) -> Iterator[Callable[[Progress], None]]:
    """Yields what shows the progress of a run: the live view on a terminal, else a plain line per second."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield print_progress
        return
    look = Look(
        device=device, rate_hz=rate_hz, deadline_ms=deadline_s * 1e3, claim=claim, frames=frames,
        colours=not os.environ.get("NO_COLOR"), blocks=(sys.stderr.encoding or "").lower().replace("-", "") == "utf8",
    )  # fmt: skip
    view = LiveView(look=look, stream=sys.stderr)
    try:
        yield view
    finally:
        view.close()
