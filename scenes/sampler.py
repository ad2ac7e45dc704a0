"""Shape and texture parameters whose train, val and test ranges never touch.

Every continuous parameter is drawn on the unit interval, which is cut into 20 equal bands; a split draws only from its
own bands. So a test object differs from every training object in each of its parameters, not only in its seed.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Literal, TypeVar

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


class ShapeSampler:
    """Draws parameters for one split from one generator; discrete choices are shared by all splits."""

    def __init__(self, *, rng: np.random.Generator, split: Split) -> None:
        self.rng = rng
        self._bands = _BANDS_OF[split]

    def unit(self) -> float:
        """Returns a number in [0, 1) from the bands of the split."""
        band = self._bands[int(self.rng.integers(len(self._bands)))]
        return float((band + self.rng.random()) / BANDS)

    def uniform(self, low: float, high: float) -> float:
        """Returns a number in [low, high) from the bands of the split."""
        return low + (high - low) * self.unit()

    def integer(self, low: int, high: int) -> int:
        """Returns an integer in [low, high]."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """Returns True with that probability."""
        return bool(self.rng.random() < probability)

    def choice(self, options: Sequence[T]) -> T:
        """Returns one of the options."""
        return options[int(self.rng.integers(len(options)))]

    def colour(
        self,
        *,
        hue: tuple[float, float] = (0.0, 1.0),
        saturation: tuple[float, float] = (0.15, 0.95),
        value: tuple[float, float] = (0.3, 1.0),
    ) -> Vec3:
        """Returns red, green, blue in 0..1 from ranges of hue (turns, may pass 1), saturation and value."""
        return colorsys.hsv_to_rgb(self.uniform(*hue) % 1.0, self.uniform(*saturation), self.uniform(*value))
