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
    """Draws parameters for one split from one generator; discrete choices are shared by all splits.

    Every draw has a name, plain and with its unit; names of parts are put before it by `of`: "frame.wood.roughness".
    """

    def __init__(self, *, rng: np.random.Generator, split: Split, prefix: str = "") -> None:
        self.rng = rng
        self.split: Split = split
        self._bands = _BANDS_OF[split]
        self._prefix = prefix

    def of(self, part: str) -> ShapeSampler:
        """Returns the same sampler for a part: the names of its draws begin with the part's."""
        return ShapeSampler(rng=self.rng, split=self.split, prefix=f"{self._prefix}{part}.")

    def unit(self) -> float:
        """Returns a number in [0, 1) from the bands of the split."""
        band = self._bands[int(self.rng.integers(len(self._bands)))]
        return float((band + self.rng.random()) / BANDS)

    def uniform(self, name: str, low: float, high: float) -> float:  # noqa: ARG002  # a name for whoever overrides it
        """Returns a number in [low, high) from the bands of the split."""
        return low + (high - low) * self.unit()

    def integer(self, name: str, low: int, high: int) -> int:  # noqa: ARG002  # a name for whoever overrides it
        """Returns an integer in [low, high]."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, name: str, probability: float) -> bool:  # noqa: ARG002  # a name for whoever overrides it
        """Returns True with that probability."""
        return bool(self.rng.random() < probability)

    def choice(self, name: str, options: Sequence[T], names: Sequence[str] = ()) -> T:  # noqa: ARG002  # as above
        """Returns one of the options; `names` are theirs where they are no names, numbers or functions themselves."""
        return options[int(self.rng.integers(len(options)))]

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

        Where the range of hues depends on a choice, `kind` is its name: the draws are then `<name>.<kind>_hue` and so on.
        """
        return colorsys.hsv_to_rgb(
            self.uniform(f"{name}.{kind}_hue" if kind else f"{name}.hue", *hue) % 1.0,
            self.uniform(f"{name}.saturation", *saturation),
            self.uniform(f"{name}.value", *value),
        )
