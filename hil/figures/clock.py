"""The device's clock against the host's: an offset with a bound that holds whatever the network did, and steps that are seen.

Only the split of the latency into stages needs it; end to end is measured on the host's clock alone.

Four stamps of one exchange (host sends t0, device receives t1, device sends t2, host receives t3) give an offset, device
minus host, whose error is at most half the round trip, however unequal the two ways are (NTP, RFC 5905, section 8). Of each
window the exchange with the shortest round trip is kept. Clocks that run at constant rates have an offset on a straight
line through all these intervals; where within a minute there is no such line, a clock was stepped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOW = 64
SEGMENT_NS = 60_000_000_000
# No oscillator of a computer is off by more; an offset that moves faster was stepped or slewed.
MAX_DRIFT = 500e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Four stamps in ns: t0 and t3 of the host's clock, t1 and t2 of the device's."""

    t0: int
    t1: int
    t2: int
    t3: int

    @property
    def round_trip_ns(self) -> int:
        """The time on the way, both ways together."""
        return (self.t3 - self.t0) - (self.t2 - self.t1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """The best exchange of a window: at host time `at_ns` the device's clock was ahead by `offset_ns`, +- `bound_ns`."""

    at_ns: int
    offset_ns: int
    bound_ns: int


def minima(exchanges: Sequence[Exchange], window: int = WINDOW) -> tuple[Minimum, ...]:
    """Returns the exchange with the shortest round trip of each window; the last window may be shorter.

    A window ends early at an exchange that contradicts it, so that a step lies between two windows and cannot hide in one.
    An exchange with a negative round trip spans a step and is left out.
    """
    found = []
    for part in _windows([_minimum(e) for e in exchanges if e.round_trip_ns >= 0], window):
        found.append(min(part, key=lambda m: m.bound_ns))
    return tuple(found)


def _windows(every: Sequence[Minimum], window: int) -> Iterator[Sequence[Minimum]]:
    """Yields runs of at most `window` exchanges whose intervals have an offset in common, but for what a clock may drift."""
    part: list[Minimum] = []
    low = high = 0
    for one in every:
        drifted = 0 if not part else math.ceil(MAX_DRIFT * (one.at_ns - part[0].at_ns))
        near, far = one.offset_ns - one.bound_ns, one.offset_ns + one.bound_ns
        if part and (len(part) == window or near - drifted > high or far + drifted < low):
            yield part
            part = []
        low, high = (max(low, near), min(high, far)) if part else (near, far)
        part.append(one)
    if part:
        yield part


def _minimum(exchange: Exchange) -> Minimum:
    """Returns whole numbers, with a bound that has their rounding and the drift during the exchange in it."""
    e = exchange
    drifted_ns = math.ceil(MAX_DRIFT * (e.t3 - e.t0))
    return Minimum(
        at_ns=(e.t0 + e.t3) // 2,
        offset_ns=((e.t1 - e.t0) + (e.t2 - e.t3)) // 2,
        bound_ns=(e.round_trip_ns + 1) // 2 + 1 + drifted_ns,
    )


class ClockFit:
    """The offset of the device's clock over a run; `steps` are host times in ns after which the clocks no longer agree."""

    def __init__(self, found: Iterable[Minimum]) -> None:
        self.minima = tuple(sorted(found, key=lambda m: m.at_ns))
        self._at = np.array([m.at_ns for m in self.minima], dtype=np.int64)
        self._offset = np.array([m.offset_ns for m in self.minima], dtype=np.int64)
        self._bound = np.array([m.bound_ns for m in self.minima], dtype=np.int64)
        self.steps = tuple(self._find_steps())

    @property
    def valid(self) -> bool:
        """Whether device stamps can be put on the host's clock."""
        return len(self.minima) >= 2 and not self.steps

    @property
    def drift_ppm(self) -> float | None:
        """How much faster the device's clock runs, in parts per million, by weighted least squares; None if unknown."""
        if not self.valid or self._at[-1] == self._at[0]:
            return None
        at = (self._at - self._at[0]).astype(np.float64)
        offset, weight = (self._offset - self._offset[0]).astype(np.float64), 1.0 / self._bound.astype(np.float64) ** 2
        at_mean, offset_mean = np.average(at, weights=weight), np.average(offset, weights=weight)
        spread = float((weight * (at - at_mean) ** 2).sum())
        return 1e6 * float((weight * (at - at_mean) * (offset - offset_mean)).sum()) / spread

    @property
    def bound_ns(self) -> int | None:
        """The largest error of any offset of the run; None where the clocks cannot be compared."""
        return int(self._bound.max()) if self.valid else None

    def offset_ns(self, host_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns device minus host at those host times; between two exchanges the clocks run at constant rates."""
        return self._between(host_ns, self._offset)

    def error_ns(self, host_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns by how much the offset may be wrong there; before the first and after the last exchange it grows."""
        inside = self._between(host_ns, self._bound)
        outside = np.maximum(self._at[0] - host_ns, 0) + np.maximum(host_ns - self._at[-1], 0)
        return np.asarray(inside + np.ceil(outside * MAX_DRIFT).astype(np.int64) + 1)

    def to_host_ns(self, device_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns device stamps on the host's clock; the offset moves too little to need a second look."""
        near = device_ns - self._offset[0]
        return device_ns - self.offset_ns(device_ns - self.offset_ns(near))

    def _between(self, host_ns: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
        origin = self._at[0]  # doubles hold ns since the first exchange exactly, not ns since the boot of a year ago
        base = values[0]
        moved = np.interp((host_ns - origin).astype(np.float64), (self._at - origin).astype(np.float64), values - base)
        return np.asarray(base + np.rint(moved).astype(np.int64))

    def _find_steps(self) -> Iterable[int]:
        """Yields where no straight line fits the last minute any more; the search begins anew after each."""
        begin = 0
        for end in range(1, len(self.minima)):
            while self._at[end] - self._at[begin] > SEGMENT_NS and end - begin > 2:
                begin += 1
            part = slice(begin, end + 1)
            if _slopes(self._at[part], self._offset[part], self._bound[part]) is None:
                yield int(self._at[end - 1])
                begin = end

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values, from which `from_dict` makes the same again."""
        rows = [[m.at_ns, m.offset_ns, m.bound_ns] for m in self.minima]
        return {"minima": rows, "steps_ns": list(self.steps), "drift_ppm": self.drift_ppm, "bound_ns": self.bound_ns}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ClockFit:
        """Reads what `to_dict` wrote; raises KeyError, TypeError or ValueError."""
        return cls(Minimum(at_ns=at, offset_ns=offset, bound_ns=bound) for at, offset, bound in values["minima"])


def _slopes(
    at: NDArray[np.int64], offset: NDArray[np.int64], bound: NDArray[np.int64]
) -> tuple[float, float] | None:
    """Returns the least and the largest slope of a line through all intervals offset +- bound, None where there is none.

    A line with slope b passes iff b (t_j - t_i) <= high_j - low_i for every pair, so each pair bounds b from above or below.
    """
    apart = (at[None, :] - at[:, None]).astype(np.float64)
    room = ((offset + bound)[None, :] - (offset - bound)[:, None]).astype(np.float64)
    later, earlier = apart > 0, apart < 0
    if not (later.any() and bool((room[~later & ~earlier] >= 0).all())):
        return None if bool((room < 0).any()) else (-MAX_DRIFT, MAX_DRIFT)
    high = min(float((room[later] / apart[later]).min()), MAX_DRIFT)
    low = max(float((room[earlier] / apart[earlier]).max()), -MAX_DRIFT)
    return (low, high) if low <= high else None
