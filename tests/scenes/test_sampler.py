"""Splits draw their parameters from ranges that never touch."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.sampler import BANDS, TEST_BANDS, VAL_BANDS, ShapeSampler, Split

SPLITS: tuple[Split, ...] = ("train", "val", "test")


def bands_drawn(split: Split) -> set[int]:
    sampler = ShapeSampler(rng=np.random.default_rng(0), split=split)
    return {int(sampler.unit() * BANDS) for _ in range(2000)}


def test_held_out_ranges_are_disjoint_and_together_cover_everything() -> None:
    drawn = {split: bands_drawn(split) for split in SPLITS}
    assert drawn["test"] == set(TEST_BANDS)
    assert drawn["val"] == set(VAL_BANDS)
    assert drawn["train"] | drawn["val"] | drawn["test"] == set(range(BANDS))
    assert sum(len(bands) for bands in drawn.values()) == BANDS


@pytest.mark.parametrize("split", SPLITS)
def test_uniform_stays_in_its_range(split: Split) -> None:
    sampler = ShapeSampler(rng=np.random.default_rng(1), split=split)
    values = [sampler.uniform("x_m", -2.0, 3.0) for _ in range(500)]
    assert -2.0 <= min(values) < max(values) < 3.0


def test_colour_keeps_its_hue_even_across_the_turn() -> None:
    sampler = ShapeSampler(rng=np.random.default_rng(2), split="train")
    for _ in range(100):
        r, g, b = sampler.colour("skin", hue=(0.95, 1.05), saturation=(0.8, 0.9), value=(0.5, 1.0))
        assert r == max(r, g, b), "hues around 1 are red"
