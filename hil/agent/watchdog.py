"""An engine is judged by its progress, not by whether somebody answers for it; it is restarted, but not for ever.

Pure rules without a clock of their own: every call is told the time, in ns of a monotonic clock.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Sequence

LEAST_S = 2.0
TIMES_MEDIAN = 20.0
_KEPT = 100
# An agent that was stopped itself saw nothing: no single look counts for more than this of an engine's silence.
_LOOK_NS = 500_000_000


class Watchdog:
    """Says when a frame has run for too long: `limit_s`, or else max(`least_s`, 20 x the median of recent frames).

    The rule has to stand above every honest stall, so an emulated one raises `least_s`.
    """

    def __init__(self, *, limit_s: float | None = None, least_s: float = LEAST_S) -> None:
        if not (limit_s is None or limit_s > 0) or not least_s > 0:
            raise ValueError(f"A watchdog waits for a positive time, got {limit_s=}, {least_s=}.")
        self._limit_s, self._least_s = limit_s, least_s
        self._recent_s: deque[float] = deque(maxlen=_KEPT)
        self._started_ns: int | None = None
        self._looked_ns = self._silent_ns = 0

    @property
    def limit_s(self) -> float:
        """How long a frame may run now."""
        if self._limit_s is not None:
            return self._limit_s
        return max(self._least_s, TIMES_MEDIAN * statistics.median(self._recent_s) if self._recent_s else 0.0)

    def learn(self, seconds: Sequence[float]) -> None:
        """Takes the durations of a warm-up for those of first frames."""
        self._recent_s.extend(seconds)

    def began(self, now_ns: int) -> None:
        """A frame runs from now on."""
        self._started_ns, self._looked_ns, self._silent_ns = now_ns, now_ns, 0

    def finished(self, now_ns: int) -> None:
        """The running frame is done."""
        if self._started_ns is not None:
            self._recent_s.append((now_ns - self._started_ns) / 1e9)
        self._started_ns = None

    def stop(self) -> None:
        """Nothing runs any more, and nothing is learned from what ran."""
        self._started_ns = None

    def hung_s(self, now_ns: int) -> float | None:
        """Returns for how long the running frame has been silent where that is too long, else None."""
        if self._started_ns is None:
            return None
        self._silent_ns += min(now_ns - self._looked_ns, _LOOK_NS)
        self._looked_ns = now_ns
        silent_s = self._silent_ns / 1e9
        return silent_s if silent_s > self.limit_s else None


class RestartRule:
    """At most `most` restarts in `within_s`, and as many in a row without a single frame between them.

    The first one is at once, then after 0.25 s, 0.5 s, 1 s and so on.
    """

    def __init__(self, *, most: int = 5, within_s: float = 60.0) -> None:
        self._most, self._within_s = most, within_s
        self._failures_ns: list[int] = []
        self._progressed = False

    def progressed(self) -> None:
        """A frame was finished."""
        self._progressed = True

    def failed(self, now_ns: int) -> float | None:
        """Returns the seconds until the next start, or None where there have been enough."""
        if self._progressed:
            self._failures_ns = [t for t in self._failures_ns if now_ns - t < self._within_s * 1e9]
        self._progressed = False
        self._failures_ns.append(now_ns)
        count = len(self._failures_ns)
        return None if count > self._most else (0.0 if count == 1 else 0.25 * 2.0 ** (count - 2))

    def verdict(self) -> str:
        """Returns how often it failed, for the sentence at the end."""
        span_s = (self._failures_ns[-1] - self._failures_ns[0]) / 1e9
        return f"The engine failed {len(self._failures_ns)} times within {span_s:.0f} s"
