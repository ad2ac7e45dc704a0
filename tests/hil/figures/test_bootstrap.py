"""Blocks keep a stall together: the interval grows with dependence, and is that of theory without it."""

import math

import numpy as np
import pytest
import scipy.stats

from hil.figures.bootstrap import block_frames, bootstrap
from hil.figures.quantiles import quantile_with_interval

N = 3000


def draw(runs, missed=None, block=45, quantiles=(0.5, 0.99), **changes):
    flags = [np.isinf(run) for run in runs] if missed is None else missed
    return bootstrap(runs, flags, quantiles=quantiles, block=block, **changes)


def test_the_same_frames_give_the_same_interval():
    values = np.random.default_rng(0).normal(0.04, 0.01, N)
    assert draw([values]) == draw([values])


def test_independent_frames_give_about_the_order_statistics():
    values = np.random.default_rng(1).normal(0.04, 0.01, N)
    drawn = draw([values], block=1).intervals[0]
    exact = quantile_with_interval(values, 0.5).order
    assert drawn.high_s - drawn.low_s == pytest.approx(exact.high_s - exact.low_s, rel=0.25)


def test_the_interval_of_a_mean_ratio_is_that_of_theory():
    """Independent misses: the bound is the binomial's, which SciPy knows."""
    missed = np.random.default_rng(2).random(N) < 0.1
    drawn = draw([np.where(missed, math.inf, 0.03)], block=1).miss_bound_99
    assert drawn == pytest.approx(scipy.stats.binom(N, missed.mean()).ppf(0.99) / N, abs=0.002)


def test_misses_in_clusters_raise_the_bound():
    """The same 60 misses, alone or as stalls of 12 frames: only the blocks can tell, and the cluster is five times rarer."""
    alone, together = np.full(N, 0.03), np.full(N, 0.03)
    alone[::50] = math.inf
    for start in range(0, N, 600):
        together[start + 100 : start + 112] = math.inf
    assert np.isinf(alone).sum() == np.isinf(together).sum() == 60
    assert draw([alone]).miss_bound_99 < 0.025
    assert draw([together]).miss_bound_99 > 0.03


def test_a_stall_stays_a_stall():
    """Blocks as long as the run can only repeat it: there is one way to draw it."""
    values = np.arange(100, dtype=float)
    assert draw([values], block=100).intervals[0].low_s == draw([values], block=100).intervals[0].high_s == 49.0


def test_runs_that_differ_widen_the_interval():
    rng = np.random.default_rng(3)
    runs = [rng.normal(centre, 0.001, 500) for centre in (0.030, 0.040, 0.050)]
    pooled = draw([np.concatenate(runs)], block=1).intervals[0]
    apart = draw(runs, block=1).intervals[0]
    assert pooled.high_s - pooled.low_s < 0.003
    assert apart.high_s - apart.low_s > 0.009
    alike = [rng.normal(0.04, 0.001, 500) for _ in range(3)]
    assert draw(alike, block=1).intervals[0].high_s < 0.0405


def test_infinity_is_no_number_to_average():
    values = np.full(100, 0.03)
    values[:2] = math.inf
    drawn = draw([values], block=1)
    assert drawn.intervals[0].high_s == 0.03
    assert math.isinf(drawn.intervals[1].high_s)


def test_memory_is_bounded_and_chunks_change_nothing(monkeypatch):
    values = np.random.default_rng(4).normal(0.04, 0.01, 400)
    whole = draw([values], resamples=50)
    monkeypatch.setattr("hil.figures.bootstrap._CHUNK_VALUES", 1000)
    assert draw([values], resamples=50) == whole


def test_blocks_are_three_seconds_but_fit_the_run():
    assert block_frames(15, 9000) == 45
    assert block_frames(15, 100) == 25
    assert block_frames(15, 1) == 1
