"""Intervals by resampling scenes: they cover what they should, and say why where there is none."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from perception.scoring import statistics
from perception.scoring.statistics import MIN_SCENES, Estimate, estimate, mean_defined, ratio, resample_scenes


def names(scenes: int, views: int = 3) -> list[str]:
    return [f"scene{k:03d}" for k in range(scenes) for _ in range(views)]


def test_every_resample_has_as_many_scenes_as_there_are_and_the_first_is_the_data(rng):
    resamples = resample_scenes(names(12), rng=rng, replicates=50)
    assert resamples.scene_count == 12
    assert resamples.weights.shape == (51, 12)
    assert resamples.weights[0].tolist() == [1] * 12
    assert (resamples.weights.sum(axis=1) == 12).all()
    assert resamples.weights[1:].std() > 0.5


def test_the_frames_of_a_scene_are_drawn_together(rng):
    resamples = resample_scenes(names(10), rng=rng, replicates=30)
    per_scene = resamples.sums(np.repeat(np.eye(10), 3, axis=0))
    assert set(np.unique(per_scene % 3)) == {0}


def test_sums_means_and_medians_of_the_data_are_the_plain_ones(rng):
    values = rng.normal(size=31)
    values[4] = np.nan
    scenes = [f"s{k}" for k in rng.integers(0, 9, 31)]
    resamples = resample_scenes(scenes, rng=rng, replicates=5)
    kept = ~np.isnan(values)
    assert resamples.means(values)[0] == pytest.approx(values[kept].mean())
    assert resamples.sums(np.where(kept, values, 0))[0] == pytest.approx(values[kept].sum())
    median = resamples.medians(values[:3], np.arange(3))
    assert median[0] == np.median(values[:3])


def test_means_and_medians_of_a_resample_are_those_of_the_frames_repeated(rng):
    values, scenes = rng.normal(size=30), names(10)
    resamples = resample_scenes(scenes, rng=rng, replicates=20)
    means, medians = resamples.means(values), resamples.medians(values, np.arange(30))
    for weight, mean, median in zip(resamples.weights, means, medians, strict=True):
        repeated = np.sort(np.repeat(values, weight[resamples.scene_of_frame].astype(int)))
        assert mean == pytest.approx(repeated.mean())
        assert median == repeated[(len(repeated) - 1) // 2]


@pytest.mark.parametrize("at_once", [1, 50, 2**22])
def test_medians_of_values_that_repeat_are_those_of_the_frames_repeated(rng, monkeypatch, at_once):
    monkeypatch.setattr(statistics, "_AT_ONCE", at_once)
    frame = rng.integers(0, 30, 400)
    values = np.round(rng.normal(size=30), 1)[frame] + np.round(rng.normal(size=400))
    resamples = resample_scenes(names(10), rng=rng, replicates=20)
    for weight, median in zip(resamples.weights, resamples.medians(values, frame), strict=True):
        repeated = np.sort(np.repeat(values, weight[resamples.scene_of_frame[frame]].astype(int)))
        assert median == repeated[(len(repeated) - 1) // 2]


def test_a_median_of_many_equal_values_takes_no_memory_for_each(rng):
    frame = np.tile(np.arange(30), 4000)
    resamples = resample_scenes(names(10), rng=rng, replicates=1000)
    tracemalloc.start()
    medians = resamples.medians(np.arange(30.0)[frame], frame)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert medians[0] == 14.0
    assert peak < 100 * frame.nbytes  # and not a thousand times, once for each replicate


def test_the_same_seed_gives_the_same_interval():
    made = [
        estimate(
            resample_scenes(names(10), rng=np.random.default_rng(seed)).means(np.arange(30.0)),
            scene_count=10, n=30, unit="m", absent="",
        )
        for seed in (0, 0, 1)
    ]  # fmt: skip
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_an_interval_covers_the_truth_about_95_times_in_100(rng):
    # Three views of a scene share its difficulty; treating them as independent would cover far less often.
    covered = naive = 0
    for _ in range(300):
        values = np.repeat(rng.normal(size=40), 3) + 0.1 * rng.normal(size=120)
        one = resample_scenes(names(40), rng=rng, replicates=200).means(values)
        two = resample_scenes([str(k) for k in range(120)], rng=rng, replicates=200).means(values)
        covered += np.percentile(one[1:], 2.5) <= 0 <= np.percentile(one[1:], 97.5)
        naive += np.percentile(two[1:], 2.5) <= 0 <= np.percentile(two[1:], 97.5)
    assert 0.89 <= covered / 300 <= 0.99
    assert naive / 300 < 0.85


def test_too_few_scenes_give_a_value_without_an_interval(rng):
    for count, has_interval in ((MIN_SCENES - 1, False), (MIN_SCENES, True)):
        values = resample_scenes(names(count), rng=rng).means(np.arange(3.0 * count))
        result = estimate(values, scene_count=count, n=3 * count, unit="m", absent="")
        assert result.value == pytest.approx((3 * count - 1) / 2)
        assert (result.low is not None, result.high is not None) == (has_interval, has_interval)
        assert (result.reason is None) == has_interval
    assert "too few scenes (7 < 8)" in str(
        estimate(np.ones(5), scene_count=7, n=7, unit="m", absent="").reason
    )  # fmt: skip


def test_what_is_absent_is_none_with_a_reason():
    result = estimate(np.full(10, np.nan), scene_count=20, n=60, unit="fraction", absent="no stuff in the truth")
    assert result == Estimate(value=None, low=None, high=None, n=60, unit="fraction", reason="no stuff in the truth")
    assert str(result) == "not available (no stuff in the truth)"
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["value"] is None


def test_what_is_absent_from_many_resamples_has_no_interval():
    values = np.array([0.5, *[np.nan] * 30, *[0.5] * 70])
    result = estimate(values, scene_count=20, n=60, unit="fraction", absent="")
    assert (result.value, result.low) == (0.5, None)
    assert "too many resamples" in str(result.reason)


def test_text_has_value_interval_and_unit():
    assert str(Estimate(value=0.8126, low=0.79, high=0.8312, n=9, unit="fraction")) == "81.3 [79.0, 83.1] %"
    assert str(Estimate(value=0.0126, low=None, high=None, n=9, unit="m", reason="x")) == "0.0126 m"


def test_division_by_nothing_is_not_a_number():
    result = ratio(np.array([1.0, 0.0, 3.0]), np.array([2.0, 0.0, 0.0]))
    assert result[0] == 0.5
    assert np.isnan(result[1:]).all()
    assert np.isnan(mean_defined(np.array([np.nan, np.nan])))
    assert mean_defined(np.array([np.nan, 2.0])) == 2
