"""Latency figures count every due frame: one without an answer is infinitely late, so no figure can hide a miss.

Quantiles are order statistics (nearest rank), so they are latencies that a frame had. Their intervals are pairs of order
statistics with exact binomial coverage, and the bound on the miss ratio is Clopper-Pearson's; both assume independent
frames, which frames of one run are not quite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.session import FrameRecord, Session

QUANTILES = (0.50, 0.90, 0.95, 0.99)
STAGES = ("capture", "mailbox", "uplink", "queue", "preprocess", "inference", "postprocess", "downlink", "decode")
_STAGE_STAMPS = (
    "due_ns", "capture_ns", "send_ns", "agent_receive_ns", "agent_preprocess_start_ns", "agent_infer_start_ns",
    "agent_infer_end_ns", "agent_post_end_ns", "host_receive_ns", "return_ns",
)  # fmt: skip
_CROSSING = ("uplink", "downlink")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A quantile of latency with its 95 % interval, seconds; inf = no answer, `high_s` None = unbounded (n too small)."""

    p: float
    value_s: float
    low_s: float
    high_s: float | None

    def to_dict(self) -> dict[str, Any]:
        """Returns JSON values in milliseconds; infinity is the string "inf"."""
        high = "unbounded" if self.high_s is None else _ms(self.high_s)
        return {"p": self.p, "ms": _ms(self.value_s), "interval_95_ms": [_ms(self.low_s), high]}


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyReport:
    """The latency of a session over all its due frames. Times in seconds.

    `miss_ratio` counts whatever was not on time; `miss_bound_99` is its exact one-sided 99 % upper bound. `jitter_s`:
    quantiles of |time between answers - time between their due times|. `stages`: quantiles of each part of the way,
    or None with `stages_note` saying why. `lateness_s`: how late the generator itself was.
    """

    frames: int
    quantiles: tuple[Quantile, ...]
    max_s: float
    misses: int
    miss_ratio: float
    miss_bound_99: float
    jitter_s: dict[str, float] | None
    stages: dict[str, dict[str, float]] | None
    stages_note: str
    lateness_s: dict[str, float] | None

    def quantile(self, p: float) -> Quantile:
        """Returns the quantile at p, one of QUANTILES."""
        return next(q for q in self.quantiles if q.p == p)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values, times in milliseconds."""
        stages = None if self.stages is None else {name: _all_ms(row) for name, row in self.stages.items()}
        return {
            "frames": self.frames, "quantiles": [q.to_dict() for q in self.quantiles], "max_ms": _ms(self.max_s),
            "deadline_misses": self.misses, "miss_ratio": self.miss_ratio, "miss_ratio_bound_99": self.miss_bound_99,
            "jitter_ms": self.jitter_s and _all_ms(self.jitter_s), "stages_ms": stages, "stages_note": self.stages_note,
            "generator_lateness_ms": self.lateness_s and _all_ms(self.lateness_s),
        }  # fmt: skip


def summarize(session: Session) -> LatencyReport:
    """Returns the latency figures of a session; raises ValueError where no frame was due."""
    due = session.due
    latencies = latencies_s(due)
    misses = sum(frame.outcome != "on_time" for frame in due)
    stages, note = _stages(due, session)
    lateness = np.array([(f.capture_ns - f.due_ns) / 1e9 for f in due if f.capture_ns is not None])
    return LatencyReport(
        frames=len(due), quantiles=tuple(quantile_with_interval(latencies, p) for p in QUANTILES),
        max_s=float(latencies.max()), misses=misses, miss_ratio=misses / len(due),
        miss_bound_99=miss_bound(misses, len(due)), jitter_s=_jitter(due), stages=stages, stages_note=note,
        lateness_s=_spread(lateness),
    )  # fmt: skip


def latencies_s(frames: Sequence[FrameRecord]) -> NDArray[np.float64]:
    """Returns float64 (n,), seconds, +inf for every frame without an answer."""
    return np.array([math.inf if f.latency_s is None else f.latency_s for f in frames], dtype=np.float64)


def quantile_s(values: NDArray[np.float64], p: float) -> float:
    """Returns the nearest-rank quantile: the smallest value that at least p of all do not exceed."""
    if len(values) == 0:
        raise ValueError("A quantile needs at least one frame.")
    return float(np.sort(values)[max(math.ceil(p * len(values) - 1e-9), 1) - 1])


def quantile_with_interval(values: NDArray[np.float64], p: float, confidence: float = 0.95) -> Quantile:
    """Returns the quantile and the two order statistics that enclose it with at least that confidence."""
    ordered = np.sort(values)
    low, high = interval_ranks(len(ordered), p, confidence)
    return Quantile(
        p=p, value_s=quantile_s(ordered, p), low_s=float(ordered[low - 1]) if low else 0.0,
        high_s=None if high is None else float(ordered[high - 1]),
    )  # fmt: skip


def interval_ranks(n: int, p: float, confidence: float = 0.95) -> tuple[int, int | None]:
    """Returns the ranks (1-based) of the order statistics around the p quantile; 0 or None where there is none.

    The number of values below the quantile is binomial(n, p); each side is left out with (1 - confidence) / 2 at most.
    """
    tail = (1 - confidence) / 2
    cumulative = _binomial_cdf(n, p)
    low = int(np.searchsorted(cumulative, tail, side="right"))
    high = int(np.searchsorted(cumulative, 1 - tail - 1e-12)) + 1
    return low, high if high <= n else None


def miss_bound(misses: int, n: int, confidence: float = 0.99) -> float:
    """Returns the exact (Clopper-Pearson) one-sided upper bound on a ratio of `misses` in `n`."""
    if not 0 <= misses <= n or n < 1:
        raise ValueError(f"A miss ratio needs 0 <= misses <= n and n >= 1, got {misses} of {n}.")
    if misses == n:
        return 1.0
    low, high = misses / n, 1.0
    for _ in range(60):  # bisection to below the resolution of a double
        middle = (low + high) / 2
        if _binomial_cdf(n, middle)[misses] > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _binomial_cdf(n: int, p: float) -> NDArray[np.float64]:
    """Returns P(X <= k) for k = 0..n, X binomial(n, p)."""
    if p in (0.0, 1.0):
        return np.append(np.full(n, 1.0 - p), 1.0)
    k = np.arange(n + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    log_choose = log_factorial[n] - log_factorial[k] - log_factorial[n - k]
    log_mass: NDArray[np.float64] = log_choose + k * math.log(p) + (n - k) * math.log1p(-p)
    return np.cumsum(np.exp(log_mass)).clip(max=1.0)


def _jitter(due: Sequence[FrameRecord]) -> dict[str, float] | None:
    answered = [f for f in due if f.return_ns is not None]
    returned = np.diff(np.array([f.return_ns for f in answered], dtype=np.float64))
    expected = np.diff(np.array([f.due_ns for f in answered], dtype=np.float64))
    return _spread(np.abs(returned - expected) / 1e9)


def _stages(due: Sequence[FrameRecord], session: Session) -> tuple[dict[str, dict[str, float]] | None, str]:
    answered = [f for f in due if f.return_ns is not None]
    if not answered:
        return None, "not available: no frame was answered"
    stamps = np.array([[getattr(f, name) for name in _STAGE_STAMPS] for f in answered], dtype=np.float64)
    spreads = {name: _spread(column) for name, column in zip(STAGES, (np.diff(stamps) / 1e9).T, strict=True)}
    kept = {name: s for name, s in spreads.items() if s is not None and (session.same_clock or name not in _CROSSING)}
    return kept, session.clock_note


def _spread(values: NDArray[np.float64]) -> dict[str, float] | None:
    if len(values) == 0:
        return None
    named = {f"p{round(p * 100)}": quantile_s(values, p) for p in (0.50, 0.95, 0.99)}
    return {**named, "max": float(values.max())}


def _all_ms(row: dict[str, float]) -> dict[str, float | str]:
    return {name: _ms(value) for name, value in row.items()}


def _ms(seconds: float) -> float | str:
    return "inf" if math.isinf(seconds) else round(seconds * 1e3, 4)
