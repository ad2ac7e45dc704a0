import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.figures.quantiles import QUANTILES, Interval, Quantile, interval_ranks, quantile_s, quantile_with_interval


@pytest.mark.parametrize(
    ("n", "p", "low", "high"),
    [(900, 0.99, 885, 897), (300, 0.99, 293, None), (100, 0.5, 40, 61), (5, 0.5, 0, None)],
)
def test_ranks_of_known_cases(n, p, low, high):
    """The first two are in the literature on tail latency; the third is the textbook interval of a median."""
    assert interval_ranks(n, p) == (low, high)


@given(st.integers(1, 3000), st.sampled_from(QUANTILES))
@settings(deadline=None, max_examples=150)
def test_ranks_cover_what_they_claim(n, p):
    low, high = interval_ranks(n, p)
    binomial = scipy.stats.binom(n, p)
    assert binomial.cdf(low - 1) <= 0.025 + 1e-9
    assert binomial.cdf(low) > 0.025 - 1e-9  # the tightest rank
    if high is None:
        assert binomial.sf(n - 1) > 0.025 - 1e-9
    else:
        assert binomial.sf(high - 1) <= 0.025 + 1e-9


@given(st.lists(st.floats(0, 10) | st.just(math.inf), min_size=1, max_size=200), st.sampled_from(QUANTILES))
def test_quantile_is_numpy_s_inverted_cdf(values, p):
    array = np.array(values)
    assert quantile_s(array, p) == np.quantile(array, p, method="inverted_cdf")
    assert quantile_with_interval(array, p).value_s == quantile_s(array, p)


def test_too_small_a_sample_is_unbounded():
    report = quantile_with_interval(np.linspace(0.01, 0.02, 50), 0.99)
    assert report.high_s is None
    assert report.to_dict()["interval_95_ms"][1] == "unbounded"


def test_the_wider_interval_is_reported():
    order, drawn = Interval(low_s=0.02, high_s=0.03), Interval(low_s=0.01, high_s=0.025)
    assert Quantile(p=0.5, value_s=0.02, order=order, bootstrap=drawn).interval == Interval(low_s=0.01, high_s=0.03)
    unbounded = Interval(low_s=0.02, high_s=None)
    assert Quantile(p=0.5, value_s=0.02, order=unbounded, bootstrap=drawn).high_s is None
    assert Quantile(p=0.5, value_s=0.02, order=order).interval == order
    missing = Interval(low_s=0.02, high_s=math.inf)
    assert Quantile(p=0.5, value_s=0.02, order=order, bootstrap=missing).to_dict()["interval_95_ms"] == [20.0, "inf"]
