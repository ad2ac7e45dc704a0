"""The ledger of a run: every frame is entered before the clock starts and leaves with exactly one outcome."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hil.figures.quantiles import quantile_s
from hil.host.warm_up import WarmUp
from hil.progress import RECENT, Progress, Tick
from hil.session import FrameRecord, Outcome
from perception.prediction import Prediction

Closed = Callable[[FrameRecord, "Prediction | None"], None]


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
    """All entries of a run, and the running counts for its progress line; `closed` is told of every frame that ended.

    Frames are planned for the longest warm-up; when its rule ends it, the frames beyond the measured ones were never due.
    """

    def __init__(
        self, *, start_ns: int, rate_hz: float, rule: WarmUp, measured: int, images: int, closed: Closed | None = None
    ) -> None:
        self.entries = [
            Entry(seq=i, image=i % images, warm_up=True, due_ns=start_ns + round(i * 1e9 / rate_hz))
            for i in range(rule.most(rate_hz) + measured)
        ]
        self.handed_over = 0
        self.warm_up: int | None = None
        self.settled = False
        self._start_ns, self._rate_hz, self._rule, self._measured = start_ns, rate_hz, rule, measured
        self._closed = closed
        self._sent = 0
        self._answered = 0
        self._on_time = 0
        self._latencies_s = array("d")
        self._warm_up_latencies_s: list[float] = []

    def captured(self, entry: Entry, now_ns: int) -> None:
        """Enters that the generator handed the frame over; it may be the first one that counts."""
        if self.warm_up is None and entry.seq >= self._rule.least(self._rate_hz):
            self.settled = self._rule.settled(self._warm_up_latencies_s, self._rate_hz)
            if self.settled or entry.seq >= self._rule.most(self._rate_hz):
                self._measure_from(entry.seq)
        entry.stamps["capture_ns"] = now_ns
        self.handed_over += 1

    def sent(self, entry: Entry, now_ns: int) -> None:
        """Enters that the frame left."""
        entry.stamps["send_ns"] = now_ns
        self._sent += not entry.warm_up

    def answered(
        self, entry: Entry, stamps: dict[str, int], deadline_ns: float, prediction: Prediction | None = None
    ) -> None:
        """Closes an entry whose answer is decoded; `stamps` holds return_ns."""
        entry.stamps.update(stamps)
        latency_ns = stamps["return_ns"] - entry.due_ns
        self._answered += not entry.warm_up
        self._on_time += not entry.warm_up and latency_ns <= deadline_ns
        self._close(entry, "on_time" if latency_ns <= deadline_ns else "late", latency_ns / 1e9, prediction)

    def missed(self, entry: Entry, outcome: Outcome, reason: str) -> None:
        """Closes an entry that will have no answer."""
        entry.reason = reason
        self._close(entry, outcome, math.inf)

    def close_open(self, reason: str) -> None:
        """Closes whatever is still open as lost; a run that ended in its warm-up lost all that it was to measure."""
        if self.warm_up is None:
            self._measure_from(max(self.handed_over, self._rule.least(self._rate_hz)))
        for entry in self.entries:
            if entry.outcome is None:
                self.missed(entry, "lost", reason)

    def records(self) -> tuple[FrameRecord, ...]:
        """Returns the entries as records; all of them have to be closed."""
        return tuple(_record(entry) for entry in self.entries)

    def progress(self, now_ns: int) -> Progress:
        """Returns the counts so far; safe to call from another thread, and quick however long the run is."""
        latencies = np.frombuffer(self._latencies_s[:])  # copied at once: the timed thread appends
        misses = max(len(latencies) - self._on_time, 0)
        quantiles = [quantile_s(latencies, p) * 1e3 for p in (0.50, 0.95)] if len(latencies) else [None, None]
        counted = self._rule.least(self._rate_hz) if self.warm_up is None else self.warm_up
        due = 0 if self.warm_up is None else self.handed_over - self.warm_up
        phase = "warm-up" if not due else "finished" if self.handed_over == len(self.entries) else "measuring"
        frames = max(counted, self.handed_over - due) + self._measured
        end_ns = self._start_ns + round(frames * 1e9 / self._rate_hz)
        return Progress(
            phase=phase, due=due, sent=self._sent, answered=self._answered, misses=misses, ended=len(latencies),
            p50_ms=quantiles[0], p95_ms=quantiles[1], remaining_s=max(end_ns - now_ns, 0) / 1e9,
            recent=tuple(_tick(e) for e in self.entries[max(self.handed_over - RECENT, 0) : self.handed_over]),
        )  # fmt: skip

    def _measure_from(self, seq: int) -> None:
        """Ends the warm-up before frame `seq`."""
        self.warm_up = seq
        del self.entries[seq + self._measured :]
        for entry in self.entries[seq:]:
            entry.warm_up = False

    def _close(
        self, entry: Entry, outcome: Outcome, latency_s: float, prediction: Prediction | None = None
    ) -> None:
        if entry.outcome is not None:
            raise ValueError(f"Frame {entry.seq} is already {entry.outcome}; it cannot become {outcome} as well.")
        entry.outcome = outcome
        (self._warm_up_latencies_s if entry.warm_up else self._latencies_s).append(latency_s)
        if self._closed is not None:
            self._closed(_record(entry), prediction)


def _tick(entry: Entry) -> Tick:
    return_ns = entry.stamps.get("return_ns")
    return entry.outcome, None if return_ns is None else (return_ns - entry.due_ns) / 1e6


def _record(entry: Entry) -> FrameRecord:
    if entry.outcome is None:
        raise ValueError(f"Frame {entry.seq} has no outcome.")
    return FrameRecord(
        seq=entry.seq, image=entry.image, warm_up=entry.warm_up, outcome=entry.outcome, due_ns=entry.due_ns,
        reason=entry.reason, **entry.stamps,
    )  # fmt: skip
