"""A claim about misses holds only where its exact bound shows it; too few frames can claim nothing, whatever they did.

The bound is Clopper-Pearson's (1934), one-sided: the largest miss ratio that would still give so few misses in one of a
hundred runs. It assumes independent frames, which frames of one run are not quite: `hil.figures.bootstrap` has the other bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99
CLAIMS = (0.95, 0.99, 0.995, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Whether P(on time) >= `p` is shown: `misses` of `frames` came, `allowed` may (None: too few frames for any claim)."""

    p: float
    frames: int
    misses: int
    allowed: int | None

    @property
    def holds(self) -> bool:
        """Whether the claim is shown with 99 % confidence."""
        return self.allowed is not None and self.misses <= self.allowed

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values; `frames_needed` is for no miss at all."""
        return {
            "p": self.p, "holds": self.holds, "misses": self.misses, "misses_allowed": self.allowed,
            "frames_needed": frames_needed(self.p),
        }  # fmt: skip


def claim(p: float, misses: int, n: int) -> Claim:
    """Returns what `misses` of `n` frames say of P(on time) >= p."""
    return Claim(p=p, frames=n, misses=misses, allowed=misses_allowed(p, n))


def miss_bound(misses: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Returns the exact (Clopper-Pearson) one-sided upper bound on a ratio of `misses` in `n`."""
    if not 0 <= misses <= n or n < 1:
        raise ValueError(f"A miss ratio needs 0 <= misses <= n and n >= 1, got {misses} of {n}.")
    if misses == n:
        return 1.0
    low, high = misses / n, 1.0
    for _ in range(60):  # bisection to below the resolution of a double
        middle = (low + high) / 2
        if _cumulative(misses, n, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def misses_allowed(p: float, n: int, confidence: float = CONFIDENCE) -> int | None:
    """Returns the most misses in `n` frames that still show P(on time) >= p, None where no miss is already too many."""
    cumulative = binomial_cdf(n, 1 - p)
    shown = int(np.searchsorted(cumulative, 1 - confidence, side="right"))
    return shown - 1 if shown else None


def frames_needed(p: float, misses: int = 0, confidence: float = CONFIDENCE) -> int:
    """Returns the fewest frames of which `misses` may miss while P(on time) >= p is still shown."""
    if not 0 < p < 1:
        raise ValueError(f"A claim is a probability between 0 and 1, got {p}.")
    low, high = misses, misses + 1
    while _cumulative(misses, high, 1 - p) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _cumulative(misses, middle, 1 - p) > 1 - confidence else (low, middle)
    return high


def binomial_cdf(n: int, p: float, up_to: int | None = None) -> NDArray[np.float64]:
    """Returns P(X <= k) for k = 0..n, or 0..`up_to`; X is binomial(n, p)."""
    top = n if up_to is None else up_to
    if p in (0.0, 1.0):
        return np.append(np.full(n, 1.0 - p), 1.0)[: top + 1]
    k = np.arange(1, top + 1)
    log_choose = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))])
    k = np.arange(top + 1)
    log_mass: NDArray[np.float64] = log_choose + k * math.log(p) + (n - k) * math.log1p(-p)
    return np.cumsum(np.exp(log_mass)).clip(max=1.0)


def _cumulative(misses: int, n: int, p: float) -> float:
    """Returns P(X <= misses); its cost grows with the misses, not with the frames."""
    return float(binomial_cdf(n, p, misses)[-1])
