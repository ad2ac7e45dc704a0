"""What is left out of the figures is decided by a rule that was fixed before the run, never by a look at the figures.

The warm-up lasts for at least so many frames and seconds, and until the medians of its last windows agree; at the cap it
ends whether they do or not, and the session says so. CUDA graphs, allocators, page faults and clocks settle in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hil.figures.quantiles import quantile_s

WINDOW_S = 1.0
WINDOW_FRAMES = 15
# Medians that differ by less say nothing about a deadline of tens of milliseconds, however small they are themselves.
AGREE_S = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The rule: at least `frames` and `seconds`, then until `windows` medians agree within `tolerance`, at most `cap_s`.

    Half a millisecond always counts as agreement. `windows` = 0 ends the warm-up at its least.
    """

    frames: int = 50
    seconds: float = 5.0
    windows: int = 3
    tolerance: float = 0.05
    cap_s: float = 60.0

    def __post_init__(self) -> None:
        if min(self.frames, self.seconds, self.windows, self.cap_s) < 0 or not self.tolerance >= 0:
            raise ValueError(f"A warm-up's frames, seconds, windows, tolerance and cap are not negative, got {self}.")

    def least(self, rate_hz: float) -> int:
        """Returns the frames that are warm-up whatever happens."""
        return max(self.frames, math.ceil(self.seconds * rate_hz))

    def most(self, rate_hz: float) -> int:
        """Returns the frames after which the warm-up ends even where nothing settled."""
        return max(self.least(rate_hz), math.floor(self.cap_s * rate_hz)) if self.windows else self.least(rate_hz)

    def settled(self, latencies: Sequence[float], rate_hz: float) -> bool:
        """Whether the last windows agree; latencies in seconds in the order in which frames ended, inf = no answer."""
        size = max(WINDOW_FRAMES, round(WINDOW_S * rate_hz))
        if len(latencies) < self.windows * size:
            return False
        last = np.array(latencies[len(latencies) - self.windows * size :]).reshape(self.windows, size)
        medians = [quantile_s(window, 0.5) for window in last]
        low, high = min(medians, default=0.0), max(medians, default=0.0)
        return low == high or high - low <= max(self.tolerance * low, AGREE_S)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)
