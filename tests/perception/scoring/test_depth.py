"""Depth figures by hand-computed values, scikit-free oracles, and what becomes of invalid pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perception.scoring.depth import DEPTH_UNITS, depth_metrics, segment_medians_m, sum_depth


def figures(truth, predicted) -> dict[str, float]:
    sums = sum_depth(np.asarray(truth, dtype=np.float32), np.asarray(predicted, dtype=np.float32))
    return {key: float(value) for key, value in depth_metrics(sums).items()}


# truth 1, 2, 4 m; prediction 1, 3, 2 m.
L1, L2 = math.log(3 / 2), math.log(1 / 2)
BY_HAND = {
    "absrel": (0 + 1 / 2 + 2 / 4) / 3,
    "sqrel_kitti": (0 + 1 / 4 + 4 / 16) / 3,
    "sqrel_eigen": (0 + 1 / 2 + 4 / 4) / 3,
    "rmse_m": math.sqrt((0 + 1 + 4) / 3),
    "mae_m": (0 + 1 + 2) / 3,
    "rmse_log": math.sqrt((L1**2 + L2**2) / 3),
    "log10": (math.log10(1.5) + math.log10(2)) / 3,
    "silog_var": (L1**2 + L2**2) / 3 - ((L1 + L2) / 3) ** 2,
    "silog100": 100 * math.sqrt((L1**2 + L2**2) / 3 - ((L1 + L2) / 3) ** 2),
    "irmse_per_m": math.sqrt(((1 / 2 - 1 / 3) ** 2 + (1 / 4 - 1 / 2) ** 2) / 3),
    "irmse_per_km": 1000 * math.sqrt(((1 / 2 - 1 / 3) ** 2 + (1 / 4 - 1 / 2) ** 2) / 3),
    "delta1": 1 / 3,
    "delta2": 2 / 3,  # 1.5 < 1.5625
    "delta3": 2 / 3,  # 2 > 1.953
    "invalid": 0.0,
}


@pytest.mark.parametrize("key", DEPTH_UNITS)
def test_by_hand(key):
    assert figures([[1, 2, 4]], [[1, 3, 2]])[key] == pytest.approx(BY_HAND[key], rel=1e-7)


def test_the_two_relative_squares_are_different_numbers():
    result = figures([[10.0]], [[12.0]])
    assert result["sqrel_kitti"] == pytest.approx(0.04)
    assert result["sqrel_eigen"] == pytest.approx(0.4)


@pytest.mark.parametrize(("key", "square"), [("silog100", False), ("silog_var", True)])
def test_silog_is_the_standard_deviation_of_the_log_ratio(rng, key, square):
    truth, predicted = rng.uniform(0.3, 3, (2, 40, 50)).astype(np.float32)
    log = np.log(predicted.astype(np.float64) / truth)
    expected = log.var() if square else 100 * log.std()
    assert figures(truth, predicted)[key] == pytest.approx(expected, rel=1e-9)


def test_silog_forgives_a_wrong_scale_and_absrel_does_not(rng):
    truth = rng.uniform(0.5, 2, (30, 30)).astype(np.float32)
    result = figures(truth, 2 * truth)
    assert result["silog_var"] == pytest.approx(0, abs=1e-12)
    assert result["absrel"] == pytest.approx(1)


def test_rmse_and_log_agree_with_torchmetrics(rng):
    torch = pytest.importorskip("torch", reason="torchmetrics needs torch, which only training installs")
    regression = pytest.importorskip("torchmetrics.regression", reason="torchmetrics comes with the dev extra")
    truth, predicted = rng.uniform(0.3, 3, (2, 2000)).astype(np.float32)
    pair = torch.from_numpy(predicted).double(), torch.from_numpy(truth).double()
    result = figures(truth, predicted)
    assert result["rmse_m"] == pytest.approx(float(regression.MeanSquaredError(squared=False)(*pair)), rel=1e-6)
    assert result["mae_m"] == pytest.approx(float(regression.MeanAbsoluteError()(*pair)), rel=1e-6)
    assert result["absrel"] == pytest.approx(float(regression.MeanAbsolutePercentageError()(*pair)), rel=1e-6)
    logs = tuple(torch.log(values) for values in pair)
    assert result["rmse_log"] == pytest.approx(float(regression.MeanSquaredError(squared=False)(*logs)), rel=1e-6)


@pytest.mark.parametrize("truth", [np.inf, np.nan, 0.0, -1.0])
def test_pixels_without_a_true_depth_are_not_judged(truth):
    assert figures([[1, truth]], [[1.1, 5]]) == figures([[1]], [[1.1]])


@pytest.mark.parametrize("predicted", [np.inf, np.nan, 0.0, -1.0])
def test_an_invalid_prediction_is_counted_and_fails_every_delta(predicted):
    result = figures([[1, 1, 1, 1]], [[1, 1, 1, predicted]])
    assert result["invalid"] == 0.25
    assert [result[f"delta{k}"] for k in (1, 2, 3)] == [0.75] * 3
    assert result["absrel"] == 0


def test_nothing_valid_is_not_a_number_but_a_failed_delta():
    result = figures([[1, 2]], [[np.nan, np.nan]])
    assert math.isnan(result["absrel"])
    assert math.isnan(result["rmse_m"])
    assert (result["delta1"], result["invalid"]) == (0, 1)


def test_pooled_and_image_mean_differ():
    large, small = np.full((10, 10), 1.0), np.full((1, 1), 1.0)
    sums = [sum_depth(t.astype(np.float32), (t * f).astype(np.float32)) for t, f in ((large, 1.0), (small, 2.0))]
    assert depth_metrics(np.sum(sums, axis=0))["absrel"] == pytest.approx(1 / 101)
    assert depth_metrics(np.array(sums))["absrel"].mean() == pytest.approx(0.5)


def test_sums_of_parts_are_the_sums_of_the_whole(rng):
    truth, predicted = rng.uniform(0.3, 3, (2, 300, 200)).astype(np.float32)
    parts = sum_depth(truth[:77], predicted[:77]) + sum_depth(truth[77:], predicted[77:])
    np.testing.assert_allclose(parts, sum_depth(truth, predicted), rtol=1e-12)


def test_maps_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        sum_depth(np.ones((2, 3), dtype=np.float32), np.ones((3, 2), dtype=np.float32))


def test_segment_medians_are_those_of_each_mask(rng):
    instance = rng.integers(0, 6, (40, 50)).astype(np.uint16)
    depth = rng.uniform(0.3, 3, (40, 50)).astype(np.float32)
    depth[::3] = np.inf
    instance[instance == 5] = 900
    depth[instance == 3] = np.inf
    medians = segment_medians_m(depth, instance, np.array([900, 1, 3, 77]))
    expected = [np.median(depth[(instance == k) & np.isfinite(depth)]) for k in (900, 1)]
    np.testing.assert_allclose(medians[:2], expected)
    assert np.isnan(medians[2:]).all()
