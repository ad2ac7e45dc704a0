"""The exact bound and the sample sizes, against SciPy and against the table that the method states."""

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.figures.claims import binomial_cdf, claim, frames_needed, miss_bound, misses_allowed


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


@given(st.integers(1, 4000), st.floats(0.0005, 0.9995))
@settings(deadline=None, max_examples=100)
def test_the_cumulative_is_scipy_s(n, p):
    assert binomial_cdf(n, p) == pytest.approx(scipy.stats.binom(n, p).cdf(range(n + 1)), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize(
    ("p", "frames"),
    [
        (0.95, (90, 130, 165, 259, 398)),
        (0.99, (459, 662, 838, 1_307, 2_010)),
        (0.995, (919, 1_325, 1_678, 2_618, 4_024)),
        (0.999, (4_603, 6_636, 8_403, 13_105, 20_140)),
    ],
)
def test_the_frames_that_a_claim_needs(p, frames):
    """The table of the method; 662, 6,636 and 4,603 are MLPerf's too."""
    assert tuple(frames_needed(p, misses) for misses in (0, 1, 2, 5, 10)) == frames


@pytest.mark.parametrize(
    ("p", "n", "allowed"), [(0.999, 9000, 2), (0.995, 9000, 29), (0.99, 9000, 68), (0.99, 900, 2), (0.999, 900, None)]
)
def test_the_misses_that_a_claim_allows(p, n, allowed):
    assert misses_allowed(p, n) == allowed
    if allowed is not None:
        assert miss_bound(allowed, n) <= 1 - p < miss_bound(allowed + 1, n)


@given(st.sampled_from([0.9, 0.95, 0.99, 0.999]), st.integers(0, 12))
@settings(deadline=None, max_examples=40)
def test_needed_and_allowed_agree(p, misses):
    n = frames_needed(p, misses)
    assert misses_allowed(p, n) == misses
    assert misses_allowed(p, n - 1) == (misses - 1 if misses else None)


def test_too_few_frames_claim_nothing():
    assert not claim(0.999, 0, 900).holds
    assert claim(0.99, 2, 900).holds
    assert not claim(0.99, 3, 900).holds
    assert claim(0.999, 0, 900).to_dict()["frames_needed"] == 4_603


@pytest.mark.parametrize(("misses", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_nonsense_is_refused(misses, n):
    with pytest.raises(ValueError, match="miss ratio"):
        miss_bound(misses, n)
