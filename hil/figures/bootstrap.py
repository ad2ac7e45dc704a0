"""Frames of one run are not independent, so whole blocks of time are drawn, and where there are several runs, whole runs.

Moving-block bootstrap (Kuensch, Annals of Statistics 17, 1989): a resample is made of stretches of `BLOCK_S` seconds that
begin anywhere in a run, so that a stall stays a stall. Several runs are drawn with replacement first (Davison & Hinkley,
Bootstrap Methods, 3.8), so the spread from one process to the next is in the interval too. The seed is fixed: the same
frames give the same interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.figures.quantiles import Interval, rank

BLOCK_S = 3.0
RESAMPLES = 1000
_SEED = 20240  # any constant: it makes a figure of the frames alone
_CHUNK_VALUES = 2**21


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """95 % intervals of the quantiles that were asked for, in their order, and the one-sided 99 % bound on the miss ratio."""

    intervals: tuple[Interval, ...]
    miss_bound_99: float


def bootstrap(
    runs: Sequence[NDArray[np.float64]],
    missed: Sequence[NDArray[np.bool_]],
    *,
    quantiles: Sequence[float],
    block: int,
    resamples: int = RESAMPLES,
) -> Bootstrap:
    """Resamples latencies in seconds (inf = no answer), one array per run, with their misses; `block` is in frames."""
    values, flags = np.concatenate(list(runs)), np.concatenate(list(missed))
    rng = np.random.Generator(np.random.PCG64(_SEED))
    ranks = [rank(len(values), p) - 1 for p in quantiles]
    found, ratios = [], []
    for drawn in _draws([len(run) for run in runs], block, resamples, rng):
        ordered = np.sort(values[drawn], axis=1)
        found.append(ordered[:, ranks])
        ratios.append(flags[drawn].mean(axis=1))
    low, high = _ends(np.concatenate(found), 0.025), _ends(np.concatenate(found), 0.975)
    intervals = tuple(Interval(low_s=float(a), high_s=float(b)) for a, b in zip(low, high, strict=True))
    return Bootstrap(intervals=intervals, miss_bound_99=float(_ends(np.concatenate(ratios), 0.99)))


def block_frames(rate_hz: float, frames: int) -> int:
    """Returns the frames of a block: BLOCK_S seconds of them, but at most a quarter of a short run."""
    return max(min(round(BLOCK_S * rate_hz), frames // 4), 1)


def _draws(lengths: Sequence[int], block: int, resamples: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yields indices int64 (k, n) into the joined runs, k resamples at a time, so that a soak fits into memory."""
    n = sum(lengths)
    chunk = max(_CHUNK_VALUES // n, 1)
    for begin in range(0, resamples, chunk):
        rows = min(chunk, resamples - begin)
        yield np.stack([_draw(lengths, block, rng) for _ in range(rows)])


def _draw(lengths: Sequence[int], block: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns one resample of as many frames as there are: runs first, then blocks of each."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n, parts, have = int(offsets[-1]), [], 0
    while have < n:
        run = int(rng.integers(len(lengths))) if len(lengths) > 1 else 0
        size = min(block, lengths[run])
        count = -(-lengths[run] // size)
        starts = rng.integers(lengths[run] - size + 1, size=count)
        part = (offsets[run] + starts[:, None] + np.arange(size)).ravel()[: lengths[run]]
        parts.append(part)
        have += len(part)
    return np.concatenate(parts)[:n]


def _ends(values: NDArray[np.float64], p: float) -> NDArray[np.float64]:
    """Returns the nearest-rank quantile over resamples: no sum is made, so infinity stays what it is."""
    return np.asarray(np.sort(values, axis=0)[rank(len(values), p) - 1])
