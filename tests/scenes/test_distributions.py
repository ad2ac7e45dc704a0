"""Distributions draw what they say, keep to a split's own bands, and refuse what makes no sense in one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scenes.distributions import read_distribution
from scenes.sampler import TEST_BANDS, VAL_BANDS, ShapeSampler

CASES = [
    ({"uniform": [2.0, 5.0]}, stats.uniform(2, 3)),
    ({"log_uniform": [0.1, 10.0]}, stats.loguniform(0.1, 10)),
    ({"normal": [1.0, 0.5], "within": [0.4, 2.5]}, stats.truncnorm(-1.2, 3.0, 1.0, 0.5)),
]


def draws(value, split="train", count=1500):
    distribution = read_distribution(value)
    sampler = ShapeSampler(rng=np.random.default_rng(5), split=split)
    return [distribution.draw(sampler) for _ in range(count)]


@pytest.mark.parametrize(("value", "law"), CASES, ids=["uniform", "log_uniform", "normal"])
def test_continuous_draws_have_the_quantiles_of_their_law(value, law):
    # A split leaves bands out; all three together, by the share of bands that each has, are the whole law.
    mixed = np.concatenate([draws(value, split, n) for split, n in (("train", 2800), ("test", 800), ("val", 400))])
    shares = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(law.cdf(np.quantile(mixed, shares)), shares, atol=0.03)


@pytest.mark.parametrize(("value", "law"), CASES, ids=["uniform", "log_uniform", "normal"])
def test_splits_share_no_band(value, law):
    bands = {
        split: set(np.floor(law.cdf(draws(value, split)) * 20 - 1e-9).astype(int)) for split in ("train", "val", "test")
    }
    assert bands["test"] <= set(TEST_BANDS)
    assert bands["val"] <= set(VAL_BANDS)
    assert not bands["train"] & {*TEST_BANDS, *VAL_BANDS}


def test_choices_come_by_weight_and_whole_numbers_evenly():
    words = draws({"choice": ["a", "b", "c"], "weights": [3, 1, 0]}, count=4000)
    assert words.count("c") == 0
    assert abs(words.count("a") / 4000 - 0.75) < 0.03
    numbers = draws({"integer": [2, 4]}, count=3000)
    assert set(numbers) == {2, 3, 4}
    assert all(abs(numbers.count(k) / 3000 - 1 / 3) < 0.04 for k in (2, 3, 4))
    assert draws(7, count=2) == [7, 7]
    assert draws("round", count=2) == ["round", "round"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"unifrm": [1, 2]}, "did you mean 'uniform'"),
        ({"uniform": [2, 1]}, "low <= high"),
        ({"uniform": [1, 2, 3]}, "two numbers"),
        ({"log_uniform": [0, 1]}, "0 < low <= high"),
        ({"integer": [0, 1.5]}, "whole numbers"),
        ({"normal": [0, 1]}, "within = "),
        ({"normal": [0, -1], "within": [0, 1]}, "positive std"),
        ({"choice": []}, "at least one"),
        ({"choice": ["a", "b"], "weights": [1]}, "2 weights"),
        ({"choice": ["a"], "weights": [0]}, "above 0"),
        ({"choice": ["a"], "within": [0, 1]}, "expected one of"),
        ({"uniform": [0, 1], "choice": [1]}, "expected one of"),
        ([1, 2], "a table such as"),
        (True, "a table such as"),
        (float("nan"), "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(value, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_distribution(value)
