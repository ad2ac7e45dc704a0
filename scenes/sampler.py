"""Shape and texture parameters whose train, val and test ranges never touch.

Every continuous parameter is drawn on the unit interval, which is cut into 20 equal bands; a split draws only from its
own bands. So a test object differs from every training object in each of its parameters, not only in its seed.
"""

from __future__ import annotations

import colorsys
import copy
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from scenes.transforms import Vec3

Split = Literal["train", "val", "test"]
T = TypeVar("T")

BANDS = 20
TEST_BANDS = (2, 7, 12, 17)
VAL_BANDS = (4, 14)
_BANDS_OF: dict[str, tuple[int, ...]] = {
    "test": TEST_BANDS,
    "val": VAL_BANDS,
    "train": tuple(b for b in range(BANDS) if b not in TEST_BANDS + VAL_BANDS),
}


class Override(Protocol):
    """A distribution that a suite's file gives for one draw: see `scenes.distributions.Distribution`."""

    def at(self, unit: float) -> float | None:
        """Returns the value at a share 0..1 of a continuous distribution, None where it is none."""
        ...

    def draw(self, sampler: ShapeSampler) -> Any:
        """Returns one value."""
        ...

    def is_choice_of(self, names: Sequence[Any]) -> bool:
        """Tells whether it draws the same as an even choice of these names."""
        ...


Overrides = Mapping[str, Mapping[str, Override]]


class ShapeSampler:
    """Draws parameters for one split from one generator; discrete choices are shared by all splits.

    Every draw has a name, plain and with its unit; names of parts are put before it by `of`: "frame.wood.roughness".
    A draw that `overrides` (by category, then name) has a distribution for uses up the same random numbers as without.
    """

    def __init__(
        self, *, rng: np.random.Generator, split: Split, overrides: Overrides | None = None, category: str = ""
    ) -> None:
        self.rng = rng
        self.split: Split = split
        self.overrides: Overrides = overrides or {}
        self.category = category
        self.drawn: dict[str, Any] = {}  # what overrides gave
        self._asked: set[str] = set()  # the last words of the names of all draws
        self._here: Mapping[str, Override] = self.overrides.get(category, {})
        self._bands = _BANDS_OF[split]
        self._prefix = ""

    def of(self, part: str) -> ShapeSampler:
        """Returns the same sampler for a part: the names of its draws begin with the part's."""
        other = copy.copy(self)
        other._prefix = f"{self._prefix}{part}."  # noqa: SLF001  # of its own class
        return other

    def with_overrides(self, overrides: Overrides) -> ShapeSampler:
        """Returns the same sampler with what a suite's file says of the draws of each category."""
        other = copy.copy(self)
        other.overrides = overrides
        return other

    def within(self, category: str, *, rng: np.random.Generator | None = None, overridden: bool = True) -> ShapeSampler:
        """Returns the same sampler for an object of a category, with what overrides say of it, or without."""
        other = copy.copy(self)
        other.category = category
        other.drawn, other._asked = {}, set()  # noqa: SLF001  # of its own class
        other.rng = self.rng if rng is None else rng
        other._here = self.overrides.get(category, {}) if overridden else {}  # noqa: SLF001  # of its own class
        return other

    def unit(self) -> float:
        """Returns a number in [0, 1) from the bands of the split."""
        band = self._bands[int(self.rng.integers(len(self._bands)))]
        return float((band + self.rng.random()) / BANDS)

    def uniform(self, name: str, low: float, high: float) -> float:
        """Returns a number in [low, high) from the bands of the split."""
        override, side = self._override(name)
        unit = self.unit()
        if override is None:
            return low + (high - low) * unit
        value = override.at(unit)
        return self._given(name, float(override.draw(side)) if value is None else value)

    def integer(self, name: str, low: int, high: int) -> int:
        """Returns an integer in [low, high]."""
        override, side = self._override(name)
        value = int(self.rng.integers(low, high + 1))
        if override is None or override.is_choice_of(range(low, high + 1)):
            return value
        return self._given(name, int(override.draw(side)))

    def chance(self, name: str, probability: float) -> bool:
        """Returns True with that probability."""
        override, side = self._override(name)
        value = self.rng.random()
        return bool(value < (probability if override is None else self._given(name, float(override.draw(side)))))

    def choice(self, name: str, options: Sequence[T], names: Sequence[str] = ()) -> T:
        """Returns one of the options; `names` are theirs where they are no names, numbers or functions themselves."""
        override, side = self._override(name)
        value = options[int(self.rng.integers(len(options)))]
        if override is None:
            return value
        known = names_of(options, names)
        if override.is_choice_of(known):
            return value
        return options[known.index(self._given(name, override.draw(side)))]

    def colour(
        self,
        name: str,
        *,
        hue: tuple[float, float] = (0.0, 1.0),
        saturation: tuple[float, float] = (0.15, 0.95),
        value: tuple[float, float] = (0.3, 1.0),
        kind: str = "",
    ) -> Vec3:
        """Returns red, green, blue in 0..1 from ranges of hue (turns, may pass 1), saturation and value.

        Where the range of hues depends on a choice, `kind` is its name: the draw is then `<name>.<kind>_hue`.
        """
        return colorsys.hsv_to_rgb(
            self.uniform(f"{name}.{kind}_hue" if kind else f"{name}.hue", *hue) % 1.0,
            self.uniform(f"{name}.saturation", *saturation),
            self.uniform(f"{name}.value", *value),
        )

    def afterwards(self, name: str) -> float | None:
        """Returns an override's value for what no draw was called, from random numbers of its own; else None."""
        if name in self._asked:
            return None
        override, side = self._override(name)
        return None if override is None else self._given(name, float(override.draw(side)))

    def _override(self, name: str) -> tuple[Override | None, ShapeSampler]:
        """Returns what the file says of a draw, and a sampler whose numbers depend on the place in the stream."""
        override = self._here.get(self._prefix + name)
        self._asked.add(name.rsplit(".", 1)[-1])
        if override is None:
            return None, self
        state = f"{self.rng.bit_generator.state} {self._prefix}{name}"
        seed = int.from_bytes(hashlib.sha256(state.encode()).digest()[:16], "little")
        return override, ShapeSampler(rng=np.random.default_rng(np.random.SeedSequence(seed)), split=self.split)

    def _given(self, name: str, value: T) -> T:
        self.drawn[self._prefix + name] = value
        return value


def names_of(options: Sequence[Any], names: Sequence[str] = ()) -> list[Any]:
    """Returns what a file calls the options: their own names, numbers and texts themselves, a function's name."""
    if names:
        return list(names)
    return [option.__name__.lstrip("_") if callable(option) else option for option in options]
