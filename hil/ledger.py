"""The ledger of a run: every planned frame is entered before the clock starts and leaves with exactly one outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from hil.latency import quantile_s
from hil.progress import Progress
from hil.session import FrameRecord, Outcome


@dataclass(slots=True, kw_only=True)
class Entry:
    """A planned frame; what happens to it is written here, once. `stamps` has the names of FrameRecord's fields."""

    seq: int
    image: int
    warm_up: bool
    due_ns: int
    outcome: Outcome | None = None
    reason: str | None = None
    stamps: dict[str, int] = field(default_factory=dict)


class Ledger:
    """All entries of a run, and the running counts for its progress line."""

    def __init__(self, *, start_ns: int, period_ns: float, warm_up: int, measured: int, images: int) -> None:
        self.entries = [
            Entry(seq=i, image=i % images, warm_up=i < warm_up, due_ns=start_ns + round(i * period_ns))
            for i in range(warm_up + measured)
        ]
        self.warm_up = warm_up
        self.end_ns = start_ns + round(len(self.entries) * period_ns)
        self.handed_over = 0
        self._sent = 0
        self._answered = 0
        self._latencies_s: list[float] = []

    def captured(self, entry: Entry, now_ns: int) -> None:
        """Enters that the generator handed the frame over."""
        entry.stamps["capture_ns"] = now_ns
        self.handed_over += 1

    def sent(self, entry: Entry, now_ns: int) -> None:
        """Enters that the frame left."""
        entry.stamps["send_ns"] = now_ns
        self._sent += not entry.warm_up

    def answered(self, entry: Entry, stamps: dict[str, int], deadline_ns: float) -> None:
        """Closes an entry whose answer is decoded; `stamps` holds return_ns."""
        entry.stamps.update(stamps)
        latency_ns = stamps["return_ns"] - entry.due_ns
        self._answered += not entry.warm_up
        self._close(entry, "on_time" if latency_ns <= deadline_ns else "late", latency_ns / 1e9)

    def missed(self, entry: Entry, outcome: Outcome, reason: str) -> None:
        """Closes an entry that will have no answer."""
        entry.reason = reason
        self._close(entry, outcome, math.inf)

    def close_open(self, reason: str) -> None:
        """Closes whatever is still open as lost."""
        for entry in self.entries:
            if entry.outcome is None:
                self.missed(entry, "lost", reason)

    def records(self) -> tuple[FrameRecord, ...]:
        """Returns the entries as records; all of them have to be closed."""
        return tuple(_record(entry) for entry in self.entries)

    def progress(self, now_ns: int) -> Progress:
        """Returns the counts so far; safe to call from another thread."""
        latencies = np.array(self._latencies_s[:])
        quantiles = [quantile_s(latencies, p) * 1e3 for p in (0.50, 0.95)] if len(latencies) else [None, None]
        due = max(self.handed_over - self.warm_up, 0)
        phase = "finished" if self.handed_over == len(self.entries) else "measuring" if due else "warm-up"
        on_time = sum(e.outcome == "on_time" for e in self.entries[self.warm_up : self.handed_over])
        return Progress(
            phase=phase, due=due, sent=self._sent, answered=self._answered, misses=len(latencies) - on_time,
            p50_ms=quantiles[0], p95_ms=quantiles[1], remaining_s=max(self.end_ns - now_ns, 0) / 1e9,
        )  # fmt: skip

    def _close(self, entry: Entry, outcome: Outcome, latency_s: float) -> None:
        if entry.outcome is not None:
            raise ValueError(f"Frame {entry.seq} is already {entry.outcome}; it cannot become {outcome} as well.")
        entry.outcome = outcome
        if not entry.warm_up:
            self._latencies_s.append(latency_s)


def _record(entry: Entry) -> FrameRecord:
    if entry.outcome is None:
        raise ValueError(f"Frame {entry.seq} has no outcome.")
    return FrameRecord(
        seq=entry.seq, image=entry.image, warm_up=entry.warm_up, outcome=entry.outcome, due_ns=entry.due_ns,
        reason=entry.reason, **entry.stamps,
    )  # fmt: skip
