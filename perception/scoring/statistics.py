"""Figures with sample size and 95 % interval, by resampling whole scenes: frames of one scene are not independent."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T")
MIN_SCENES = 8
REPLICATES = 1000
_AT_ONCE = 2**22

# Row 0 of everything that comes from Resamples is the data as it is; rows 1.. are the bootstrap replicates.


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One figure: its value, its 95 % interval, the number of items behind it, its unit.

    `value` is None where the figure is not defined, `low` and `high` are None where no interval can be given; `reason`
    then says why. Fractions are 0..1 with unit "fraction".
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "value": self.value, "low": self.low, "high": self.high, "n": self.n, "unit": self.unit, "reason": self.reason,
        }  # fmt: skip

    def __str__(self) -> str:
        if self.value is None:
            return f"not available ({self.reason})"
        scale, unit, digits = (100, " %", 1) if self.unit == "fraction" else (1, f" {self.unit}", 4)
        interval = "" if self.low is None or self.high is None else (
            f" [{scale * self.low:.{digits}f}, {scale * self.high:.{digits}f}]"
        )  # fmt: skip
        return f"{scale * self.value:.{digits}f}{interval}{unit}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resamples:
    """How often every scene counts: `weights` float64 (1 + replicates, scenes), row 0 all ones; `scene_of_frame` int64 (F,)."""

    weights: NDArray[np.float64]
    scene_of_frame: NDArray[np.int64]

    @property
    def scene_count(self) -> int:
        """The number of scenes, which are the clusters."""
        return int(self.weights.shape[1])

    def first(self, replicates: int) -> Resamples:
        """Returns the data and only the first `replicates` replicates, for figures that are costly to repeat."""
        return Resamples(weights=self.weights[: 1 + replicates], scene_of_frame=self.scene_of_frame)

    def of_distinct(self, which: NDArray[np.int64]) -> Resamples:
        """Returns the same draws over what frames share: `which` int64 (F,) from `distinct`, of one scene each."""
        scene = np.empty(int(which.max(initial=-1)) + 1, dtype=np.int64)
        scene[which] = self.scene_of_frame
        return Resamples(weights=self.weights, scene_of_frame=scene)

    def sums(self, per_frame: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sums additive counts (F, ...) over the frames of every resample, to (1 + replicates, ...)."""
        per_scene = np.zeros((self.scene_count, *per_frame.shape[1:]))
        np.add.at(per_scene, self.scene_of_frame, per_frame)
        total: NDArray[np.float64] = np.tensordot(self.weights, per_scene, axes=1)
        return total

    def means(self, per_frame: NDArray[np.floating]) -> NDArray[np.float64]:
        """Averages values (F, ...) over the frames where they are defined (not nan), to (1 + replicates, ...)."""
        defined = ~np.isnan(per_frame)
        return ratio(self.sums(np.where(defined, per_frame, 0.0)), self.sums(defined.astype(np.float64)))

    def medians(self, values: NDArray[np.floating], frame: NDArray[np.integer]) -> NDArray[np.float64]:
        """Returns the lower median of `values` (N,) that belong to frames `frame` (N,), to (1 + replicates,).

        Equal values of one scene count as one with a weight, and replicates are taken some at a time, so that neither a run
        that repeats its images for hours nor a large data set fills memory.
        """
        if len(values) == 0:
            return np.full(len(self.weights), np.nan)
        scene = self.scene_of_frame[frame]
        order = np.lexsort((scene, values))
        values, scene = values[order], scene[order]
        first = np.flatnonzero(np.r_[True, (values[1:] != values[:-1]) | (scene[1:] != scene[:-1])])
        times = np.diff(first, append=len(values))
        values, scene = values[first], scene[first]
        medians = np.full(len(self.weights), np.nan)
        step = max(_AT_ONCE // len(times), 1)
        for start in range(0, len(medians), step):
            weight = np.cumsum(self.weights[start : start + step, scene] * times, axis=1)
            position = (weight < 0.5 * weight[:, -1:]).sum(axis=1)
            found = np.where(weight[:, -1] > 0, values[np.minimum(position, len(values) - 1)], np.nan)
            medians[start : start + step] = found
        return medians


def resample_scenes(scenes: Sequence[str], *, rng: np.random.Generator, replicates: int = REPLICATES) -> Resamples:
    """Draws scenes with replacement, as many as there are; `scenes` names the scene of every frame."""
    names, scene_of_frame = np.unique(np.asarray(scenes, dtype=np.str_), return_inverse=True)
    count = len(names)
    drawn = rng.multinomial(count, np.full(count, 1 / max(count, 1)), size=replicates)
    weights = np.concatenate([np.ones((1, count)), drawn.reshape(replicates, count)])
    return Resamples(weights=weights, scene_of_frame=scene_of_frame.astype(np.int64))


def distinct(items: Sequence[_T], key: Callable[[_T], Hashable] = id) -> tuple[list[_T], NDArray[np.int64]]:
    """Returns the items that are different objects, and which of them each one is: a run in a loop repeats a few scores."""
    number: dict[Hashable, int] = {}
    which = np.array([number.setdefault(key(item), len(number)) for item in items], dtype=np.int64)
    _, first = np.unique(which, return_index=True)
    return [items[i] for i in first], which


def estimate(values: NDArray[np.float64], *, scene_count: int, n: int, unit: str, absent: str) -> Estimate:
    """Makes an Estimate from the value (row 0) and its replicates (rows 1..), percentile interval.

    `absent` is the reason given where the value itself is nan.
    """
    value = float(values[0])
    if np.isnan(value):
        return Estimate(value=None, low=None, high=None, n=n, unit=unit, reason=absent)
    if scene_count < MIN_SCENES:
        reason = f"no interval: too few scenes ({scene_count} < {MIN_SCENES})"
        return Estimate(value=value, low=None, high=None, n=n, unit=unit, reason=reason)
    replicates = values[1:][~np.isnan(values[1:])]
    if len(replicates) < 0.95 * (len(values) - 1):
        reason = "no interval: absent from too many resamples (it occurs in too few scenes)"
        return Estimate(value=value, low=None, high=None, n=n, unit=unit, reason=reason)
    low, high = np.percentile(replicates, [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high), n=n, unit=unit)


def ratio(numerator: NDArray[np.floating], denominator: NDArray[np.floating]) -> NDArray[np.float64]:
    """Divides elementwise; nan where the denominator is zero."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    result = np.full(shape, np.nan)
    np.divide(numerator, denominator, out=result, where=np.broadcast_to(denominator != 0, shape))
    return result


def mean_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Averages over the last axis what is not nan; nan where nothing is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))
