"""A rate is sustained where the last minute of ten or more is as fast as the first; a shorter run claims nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.figures.quantiles import in_ms, quantile_s
from hil.session import FrameRecord, latencies_s

LEAST_S = 600.0
MINUTE_S = 60.0
DRIFT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """The frames that were due in one minute: p50 and p99 of latency (seconds, inf = no answer) and misses."""

    frames: int
    p50_s: float
    p99_s: float
    misses: int

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {"frames": self.frames, "p50_ms": in_ms(self.p50_s), "p99_ms": in_ms(self.p99_s), "misses": self.misses}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """The first minute against the last; `drift` is the change of p50 as a share of the first one's."""

    first: Minute
    last: Minute

    @property
    def drift(self) -> float:
        """How much slower the last minute's p50 is: 0.05 = 5 %, negative = faster, inf where it has no answer."""
        if self.last.p50_s == self.first.p50_s:
            return 0.0
        return self.last.p50_s / self.first.p50_s - 1

    @property
    def holds(self) -> bool:
        """Whether p50 rose or fell by at most 5 %: a device that becomes faster had not settled either."""
        return abs(self.drift) <= DRIFT

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        drift = "inf" if self.drift == np.inf else self.drift
        return {"holds": self.holds, "drift": drift, "first": self.first.to_dict(), "last": self.last.to_dict()}


def sustained(due: Sequence[FrameRecord], rate_hz: float) -> Sustained | None:
    """Compares minute 1 with the last minute; None where the frames span less than ten minutes."""
    if len(due) < round(LEAST_S * rate_hz):
        return None
    minute = round(MINUTE_S * rate_hz)
    return Sustained(first=_minute(due[:minute]), last=_minute(due[-minute:]))


def _minute(due: Sequence[FrameRecord]) -> Minute:
    latencies = latencies_s(due)
    return Minute(
        frames=len(due), p50_s=quantile_s(latencies, 0.50), p99_s=quantile_s(latencies, 0.99),
        misses=sum(frame.outcome != "on_time" for frame in due),
    )  # fmt: skip
