"""Progress of a run is told once a second from a thread of its own, so that a slow terminal cannot delay a frame."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run so far: `due`, `sent`, `answered` and `misses` count measured frames; latencies count misses as infinite."""

    phase: str
    due: int
    sent: int
    answered: int
    misses: int
    p50_ms: float | None
    p95_ms: float | None
    remaining_s: float


def print_progress(progress: Progress) -> None:
    """Writes one line to stderr; on a terminal it replaces the line before."""
    latency = "" if progress.p50_ms is None else f"  p50 {progress.p50_ms:.1f} ms  p95 {progress.p95_ms:.1f} ms"
    counts = f"sent {progress.sent}  answered {progress.answered}  misses {progress.misses}"
    line = f"{progress.phase:<9} {counts}{latency}  {progress.remaining_s:.0f} s left"
    end = "" if sys.stderr.isatty() else "\n"
    sys.stderr.write(f"\r\x1b[K{line}" if not end else line + end)
    if not end and progress.phase == "finished":
        sys.stderr.write("\n")
    sys.stderr.flush()


@contextmanager
def told_every_second(tell: Callable[[Progress], None] | None, look: Callable[[], Progress]) -> Iterator[None]:
    """Calls `tell(look())` once a second while the block runs, and once at its end."""
    if tell is None:
        yield
        return
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(1.0):
            tell(look())

    thread = threading.Thread(target=loop, name="rehearse-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(1.0)
        tell(look())
