"""A quantile is a latency that a frame had (nearest rank), and its interval is a pair of such latencies.

The interval's coverage is exact for independent frames whatever the distribution: the number of values below the
quantile is binomial (David & Nagaraja, Order Statistics, 7.1). Where too few frames came there is no upper end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.figures.claims import binomial_cdf

QUANTILES = (0.50, 0.90, 0.95, 0.99, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Two latencies in seconds: inf = an unanswered frame, `high_s` None = unbounded (too few frames)."""

    low_s: float
    high_s: float | None

    def joined(self, other: Interval) -> Interval:
        """Returns the interval that holds both."""
        high = None if self.high_s is None or other.high_s is None else max(self.high_s, other.high_s)
        return Interval(low_s=min(self.low_s, other.low_s), high_s=high)

    def to_list(self) -> list[float | str]:
        """Returns JSON values in milliseconds; infinity is the string "inf"."""
        return [in_ms(self.low_s), "unbounded" if self.high_s is None else in_ms(self.high_s)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A quantile of latency, seconds (inf = no answer), with its two 95 % intervals: order statistics and block bootstrap.

    `low_s` and `high_s` are the wider of both; `bootstrap` is None where it was not asked for.
    """

    p: float
    value_s: float
    order: Interval
    bootstrap: Interval | None = None

    @property
    def interval(self) -> Interval:
        """The wider interval, which is the one to report."""
        return self.order if self.bootstrap is None else self.order.joined(self.bootstrap)

    @property
    def low_s(self) -> float:
        """The lower end of the wider interval."""
        return self.interval.low_s

    @property
    def high_s(self) -> float | None:
        """The upper end of the wider interval; None = unbounded."""
        return self.interval.high_s

    def to_dict(self) -> dict[str, Any]:
        """Returns JSON values in milliseconds."""
        bootstrap = None if self.bootstrap is None else self.bootstrap.to_list()
        return {
            "p": self.p, "ms": in_ms(self.value_s), "interval_95_ms": self.interval.to_list(),
            "order_statistics_95_ms": self.order.to_list(), "block_bootstrap_95_ms": bootstrap,
        }  # fmt: skip


def rank(n: int, p: float) -> int:
    """Returns the rank (1-based) of the p quantile among `n` values: the smallest one that at least p do not exceed."""
    if n < 1:
        raise ValueError("A quantile needs at least one frame.")
    return max(math.ceil(p * n - 1e-9), 1)


def quantile_s(values: NDArray[np.float64], p: float) -> float:
    """Returns the nearest-rank quantile."""
    return float(np.sort(values)[rank(len(values), p) - 1])


def quantile_with_interval(values: NDArray[np.float64], p: float, confidence: float = 0.95) -> Quantile:
    """Returns the quantile and the two order statistics that enclose it with at least that confidence."""
    ordered = np.sort(values)
    low, high = interval_ranks(len(ordered), p, confidence)
    interval = Interval(
        low_s=float(ordered[low - 1]) if low else 0.0, high_s=None if high is None else float(ordered[high - 1])
    )
    return Quantile(p=p, value_s=float(ordered[rank(len(ordered), p) - 1]), order=interval)


def interval_ranks(n: int, p: float, confidence: float = 0.95) -> tuple[int, int | None]:
    """Returns the ranks (1-based) of the order statistics around the p quantile; 0 or None where there is none.

    The number of values below the quantile is binomial(n, p); each side is left out with (1 - confidence) / 2 at most.
    """
    tail = (1 - confidence) / 2
    cumulative = binomial_cdf(n, p)
    low = int(np.searchsorted(cumulative, tail, side="right"))
    high = int(np.searchsorted(cumulative, 1 - tail - 1e-12)) + 1
    return low, high if high <= n else None


def in_ms(seconds: float) -> float | str:
    """Returns milliseconds as JSON has them: the string "inf" stands for an answer that never came."""
    return "inf" if math.isinf(seconds) else round(seconds * 1e3, 6)
