"""Progress of a run is told from a thread of its own, so that a slow terminal cannot delay a frame."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hil.quiet import BESIDE, real_time

# How many of the last frames are told one by one, each as its outcome (None: still open) and its latency in ms.
RECENT = 150
Tick = tuple[str | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run so far: `due`, `sent`, `answered` and `misses` count measured frames; latencies count misses as infinite.

    `ended` are the measured frames that have their outcome. `recent` are the last frames that were due, warm-up included.
    `in_flight` frames are with the agent, `waiting` ones at the host. `sample` is what the device measured of itself last.
    """

    phase: str
    due: int
    sent: int
    answered: int
    misses: int
    p50_ms: float | None
    p95_ms: float | None
    remaining_s: float
    ended: int = 0
    recent: tuple[Tick, ...] = ()
    in_flight: int = 0
    waiting: int = 0
    sample: Mapping[str, Any] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)


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
def told(tell: Callable[[Progress], None] | None, look: Callable[[], Progress]) -> Iterator[None]:
    """Calls `tell(look())` every `tell.every_s` seconds (default 1) while the block runs, and once at its end."""
    if tell is None:
        yield
        return
    stop, every_s = threading.Event(), float(getattr(tell, "every_s", 1.0))

    def loop() -> None:
        with real_time(BESIDE):
            while not stop.wait(every_s):
                tell(look())

    thread = threading.Thread(target=loop, name="rehearse-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(1.0)
        tell(look())
