"""Distributions as data: a value of a suite's file is checked once and drawn from a split's own bands ever after.

A plain value is itself. Otherwise it is a table with one of the keys below; continuous draws pass through
`ShapeSampler.unit`, so that train, val and test never share a band of any distribution.

    { uniform = [low, high] }              { log_uniform = [low, high] }
    { normal = [mean, std], within = [low, high] }
    { integer = [low, high] }              { choice = [a, b, ...], weights = [2, 1, ...] }
"""

from __future__ import annotations

import bisect
import difflib
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from scenes.sampler import ShapeSampler

Value = float | int | str

KINDS = ("uniform", "log_uniform", "normal", "integer", "choice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One parameter's distribution: its kind, its numbers or options, and weights that add up to 1 for a choice.

    `numbers` by kind: uniform, log_uniform and integer = (low, high); normal = (mean, std, low, high).
    """

    kind: str
    numbers: tuple[float, ...] = ()
    options: tuple[Value, ...] = ()
    weights: tuple[float, ...] = ()

    def draw(self, sampler: ShapeSampler) -> Value:
        """Returns one value; a constant draws nothing."""
        if self.kind == "constant":
            return self.options[0]
        if self.kind == "choice":
            edges = list(itertools.accumulate(self.weights))
            return self.options[min(bisect.bisect_right(edges, float(sampler.rng.random())), len(edges) - 1)]
        if self.kind == "integer":
            return int(sampler.rng.integers(int(self.numbers[0]), int(self.numbers[1]) + 1))
        return _CONTINUOUS[self.kind](sampler.unit(), *self.numbers)

    def at(self, unit: float) -> float | None:
        """Returns the value at a share 0..1 of a continuous distribution, None where it is none."""
        return _CONTINUOUS[self.kind](unit, *self.numbers) if self.kind in _CONTINUOUS else None

    def is_choice_of(self, names: Sequence[Value]) -> bool:
        """Tells whether it draws the same as an even choice of these names, of which some may be there twice."""
        if self.kind == "integer":
            return list(names) == list(range(int(self.numbers[0]), int(self.numbers[1]) + 1))
        given = dict(zip(self.options, self.weights, strict=False))
        shares = {name: names.count(name) / len(names) for name in names}
        return given.keys() == shares.keys() and all(math.isclose(given[name], shares[name]) for name in shares)

    def values(self) -> tuple[Value, ...]:
        """Returns the options of a constant or a choice, else the two ends of what can be drawn."""
        return self.options or self.numbers[-2:]

    def canonical(self) -> list[Any]:
        """Returns plain JSON values that are equal for equal distributions."""
        return [self.kind, list(self.numbers), list(self.options), list(self.weights)]


def _uniform(unit: float, low: float, high: float) -> float:
    return low + (high - low) * unit


def _log_uniform(unit: float, low: float, high: float) -> float:
    return low * math.exp(unit * math.log(high / low))


def _normal(unit: float, mean: float, std: float, low: float, high: float) -> float:
    """Inverts the distribution function of the normal law between its two bounds."""
    law = NormalDist(mean, std)
    first, last = law.cdf(low), law.cdf(high)
    share = min(max(first + unit * (last - first), 1e-12), 1 - 1e-12)
    return min(max(law.inv_cdf(share), low), high)


_CONTINUOUS: dict[str, Callable[..., float]] = {
    "uniform": _uniform,
    "log_uniform": _log_uniform,
    "normal": _normal,
}


def read_distribution(value: Any) -> Distribution:
    """Reads a value of a TOML file; raises ValueError with the second half of a sentence: "expected ..., got ..."."""
    if isinstance(value, (bool, list, type(None))):
        raise ValueError(  # noqa: TRY004  # one kind of error for all that a file can say wrongly
            f"expected a number, a name or a table such as {{ uniform = [1, 2] }}, got {value!r}"
        )
    if not isinstance(value, Mapping):
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"expected a finite number, got {value!r}")
        return Distribution(kind="constant", options=(value,))
    kinds = [key for key in value if key in KINDS]
    extra = (
        set(value) - set(kinds) - ({"weights"} if kinds == ["choice"] else {"within"} if kinds == ["normal"] else set())
    )
    if len(kinds) != 1 or extra:
        wrong = sorted(set(value) - {*KINDS, "weights", "within"})
        close = difflib.get_close_matches(wrong[0], KINDS, n=1, cutoff=0.5) if wrong else []
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"expected one of {', '.join(KINDS)} (choice may have weights, normal has within), got keys {_names(value)}{hint}"
        )
    if kinds[0] == "choice":
        return _read_choice(value["choice"], value.get("weights"))
    return _read_numbers(kinds[0], value[kinds[0]], value.get("within"))


def _names(value: Mapping[str, Any]) -> str:
    return ", ".join(repr(key) for key in value) or "none"


def _pair(value: Any, what: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2 or not all(_is_number(v) for v in value):
        raise ValueError(f"expected {what} as two numbers, got {value!r}")
    return float(value[0]), float(value[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _read_numbers(kind: str, value: Any, within: Any) -> Distribution:
    if kind == "normal":
        mean, std = _pair(value, "normal = [mean, std]")
        low, high = _pair(within, "normal with within = [low, high]")
        if std <= 0 or low >= high:
            raise ValueError(f"expected a positive std and low < high, got normal = {value!r}, within = {within!r}")
        return Distribution(kind=kind, numbers=(mean, std, low, high))
    low, high = _pair(value, f"{kind} = [low, high]")
    whole = kind != "integer" or all(isinstance(v, int) for v in value)
    if low > high or not whole or (kind == "log_uniform" and low <= 0):
        rule = {"integer": "whole numbers, low <= high", "log_uniform": "0 < low <= high"}.get(kind, "low <= high")
        raise ValueError(f"expected {kind} = [low, high] with {rule}, got {value!r}")
    return Distribution(kind=kind, numbers=(low, high))


def _read_choice(options: Any, weights: Any) -> Distribution:
    if not isinstance(options, list) or not options or not all(_is_number(o) or isinstance(o, str) for o in options):
        raise ValueError(f"expected choice = [...] with at least one name or number, got {options!r}")
    shares = [1.0] * len(options) if weights is None else weights
    if not isinstance(shares, list) or len(shares) != len(options) or not all(_is_number(w) and w >= 0 for w in shares):
        raise ValueError(f"expected {len(options)} weights of 0 or more, one for each choice, got {weights!r}")
    total = float(sum(shares))
    if total <= 0:
        raise ValueError(f"expected weights of which at least one is above 0, got {weights!r}")
    return Distribution(kind="choice", options=tuple(options), weights=tuple(float(w) / total for w in shares))
