"""A spread is p50, p95, p99 and max of some times, in seconds; None stands for no time at all, never for zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.figures.quantiles import in_ms, rank

SPREAD = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def spread_s(values: NDArray[np.float64]) -> dict[str, float] | None:
    """Returns nearest-rank quantiles by name, and the maximum; None where there is no value."""
    if len(values) == 0:
        return None
    ordered = np.sort(values)
    named = {name: float(ordered[rank(len(ordered), p) - 1]) for name, p in SPREAD.items()}
    return {**named, "max": float(ordered[-1])}


def spread_ms(row: dict[str, float] | None) -> dict[str, float | str] | None:
    """Returns the same in milliseconds, as JSON has them."""
    return None if row is None else {name: in_ms(value) for name, value in row.items()}
