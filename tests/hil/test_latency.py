import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.latency import interval_ranks, latencies_s, miss_bound, quantile_s, quantile_with_interval, summarize
from tests.hil.records import answered, missed, session


@pytest.mark.parametrize(
    ("n", "p", "low", "high"),
    [(900, 0.99, 885, 897), (300, 0.99, 293, None), (100, 0.5, 40, 61), (5, 0.5, 0, None)],
)
def test_ranks_of_known_cases(n, p, low, high):
    """The first two are in the literature on tail latency; the third is the textbook interval of a median."""
    assert interval_ranks(n, p) == (low, high)


@given(st.integers(1, 3000), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
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


@given(st.integers(1, 9000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None, max_examples=60)
def test_miss_bound_is_clopper_pearson(case):
    misses, n = case
    expected = 1.0 if misses == n else scipy.stats.beta.ppf(0.99, misses + 1, n - misses)
    assert miss_bound(misses, n) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("n", "bound"), [(900, 0.0051), (9000, 0.00051)])
def test_no_miss_still_has_a_bound(n, bound):
    assert miss_bound(0, n) == pytest.approx(1 - 0.01 ** (1 / n), rel=1e-9)
    assert miss_bound(0, n) == pytest.approx(bound, rel=0.01)


@given(
    st.lists(st.floats(0, 10) | st.just(math.inf), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.95, 0.99])
)
def test_quantile_is_numpy_s_inverted_cdf(values, p):
    array = np.array(values)
    assert quantile_s(array, p) == np.quantile(array, p, method="inverted_cdf")


def test_a_miss_is_infinite_and_moves_the_tail():
    records = [answered(i, 0.010) for i in range(94)] + [missed(94 + i, "dropped") for i in range(6)]
    report = summarize(session(records))
    assert report.quantile(0.5).value_s == pytest.approx(0.010)
    assert math.isinf(report.quantile(0.95).value_s)
    assert math.isinf(report.max_s)
    assert (report.misses, report.miss_ratio) == (6, 0.06)
    assert report.to_dict()["quantiles"][2]["ms"] == "inf"


def test_warm_up_is_left_out():
    records = [answered(0, 5.0, warm_up=True), answered(1, 0.01)]
    assert latencies_s(session(records).due) == pytest.approx([0.01])


def test_too_small_a_sample_is_unbounded():
    report = quantile_with_interval(np.linspace(0.01, 0.02, 50), 0.99)
    assert report.high_s is None
    assert report.to_dict()["interval_95_ms"][1] == "unbounded"


def test_the_stages_add_up_to_the_latency():
    report = summarize(session([answered(i, 0.030) for i in range(10)]))
    assert sum(stage["p50"] for stage in report.stages.values()) == pytest.approx(0.030)
    assert report.jitter_s["max"] == pytest.approx(0, abs=1e-9)


def test_without_a_common_clock_the_crossings_are_not_available():
    report = summarize(session([answered(0, 0.030)], same_clock=False, clock_note="not available: two clocks"))
    assert {"uplink", "downlink"}.isdisjoint(report.stages)
    assert "inference" in report.stages
    assert "not available" in report.stages_note


def test_jitter_of_a_known_pattern():
    report = summarize(session([answered(i, 0.030 + 0.004 * (i % 2)) for i in range(10)]))
    assert report.jitter_s["p50"] == pytest.approx(0.004)


def test_no_answer_at_all():
    report = summarize(session([missed(i, "lost") for i in range(3)]))
    assert report.jitter_s is None
    assert report.stages is None
    assert report.miss_bound_99 == 1.0
