"""Depth scores from sums that add over images: KITTI's and Eigen's forms under their own names, pooled or per image.

Every pixel whose truth is finite and positive is judged. A prediction that is not finite and positive there is invalid:
it is counted, it fails every delta, and only the error means, which it has no value for, leave it out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from perception.scoring.statistics import ratio

DEPTH_UNITS: dict[str, str] = {
    "absrel": "fraction", "sqrel_kitti": "fraction", "sqrel_eigen": "m", "rmse_m": "m", "mae_m": "m",
    "rmse_log": "", "log10": "", "silog100": "", "silog_var": "", "irmse_per_km": "1/km", "irmse_per_m": "1/m",
    "delta1": "fraction", "delta2": "fraction", "delta3": "fraction", "invalid": "fraction",
}  # fmt: skip

_TRUTH, _VALID, _REL, _SQ_G, _SQ_G2, _SQ, _LOG, _LOG_SQ, _LOG_ABS, _INV_SQ, _ABS, _D1, _D2, _D3 = range(14)

_BLOCK = 1 << 14  # pixels; a block and its temporaries stay in the cache


def sum_depth(truth_m: NDArray[np.float32], predicted_m: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the sums float64 (14,) of one image that `depth_metrics` reads; both maps in metres, one shape."""
    if truth_m.shape != predicted_m.shape:
        raise ValueError(f"Depth maps must have one shape, got truth {truth_m.shape}, prediction {predicted_m.shape}.")
    truth, predicted = truth_m.reshape(-1), predicted_m.reshape(-1)
    sums = np.zeros(14)
    for start in range(0, len(truth), _BLOCK):
        sums += _sum_block(truth[start : start + _BLOCK], predicted[start : start + _BLOCK])
    return sums


def _sum_block(truth_m: NDArray[np.float32], predicted_m: NDArray[np.float32]) -> NDArray[np.float64]:
    sums = np.zeros(14)
    judged = np.isfinite(truth_m) & (truth_m > 0)
    sums[_TRUTH] = np.count_nonzero(judged)
    judged &= np.isfinite(predicted_m) & (predicted_m > 0)
    truth = truth_m[judged].astype(np.float64)
    predicted = predicted_m[judged].astype(np.float64)
    error = predicted - truth
    relative = error / truth
    factor = predicted / truth
    log = np.log(factor)
    inverse = error / (predicted * truth)
    sums[_VALID] = len(truth)
    sums[_REL], sums[_ABS], sums[_LOG_ABS] = np.abs(relative).sum(), np.abs(error).sum(), np.abs(log).sum()
    sums[_SQ], sums[_SQ_G], sums[_SQ_G2] = _dot(error, error), _dot(error, relative), _dot(relative, relative)
    sums[_LOG], sums[_LOG_SQ], sums[_INV_SQ] = log.sum(), _dot(log, log), _dot(inverse, inverse)
    factor = np.maximum(factor, 1 / factor)
    for k, column in enumerate((_D1, _D2, _D3), start=1):
        sums[column] = np.count_nonzero(factor < 1.25**k)
    return sums


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    # Not a @ b: BLAS would wake its threads for a block that one core sums in microseconds.
    return float(np.einsum("i,i->", a, b))


def depth_metrics(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Returns every figure of DEPTH_UNITS, (...) from sums (..., 14); nan where no pixel says anything.

    Per image where given one image's sums, pooled over pixels where given the sums of many.
    """
    valid, judged = sums[..., _VALID], sums[..., _TRUTH]

    def mean(column: int) -> NDArray[np.float64]:
        return ratio(sums[..., column], valid)

    log_variance = np.maximum(mean(_LOG_SQ) - mean(_LOG) ** 2, 0.0)
    inverse_rms = np.sqrt(mean(_INV_SQ))
    return {
        "absrel": mean(_REL), "sqrel_kitti": mean(_SQ_G2), "sqrel_eigen": mean(_SQ_G),
        "rmse_m": np.sqrt(mean(_SQ)), "mae_m": mean(_ABS),
        "rmse_log": np.sqrt(mean(_LOG_SQ)), "log10": mean(_LOG_ABS) / math.log(10),
        "silog100": 100 * np.sqrt(log_variance), "silog_var": log_variance,
        "irmse_per_km": 1000 * inverse_rms, "irmse_per_m": inverse_rms,
        "delta1": ratio(sums[..., _D1], judged), "delta2": ratio(sums[..., _D2], judged),
        "delta3": ratio(sums[..., _D3], judged), "invalid": ratio(judged - valid, judged),
    }  # fmt: skip


def segment_medians_m(
    depth_m: NDArray[np.float32], instance: NDArray[np.uint16], wanted: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Returns the median depth in metres over the valid pixels of every wanted instance id, nan where it has none."""
    keep = (instance > 0) & np.isfinite(depth_m) & (depth_m > 0)
    ids, depth = instance[keep], depth_m[keep]
    order = np.argsort(ids, kind="stable")
    ids, depth = ids[order], depth[order]
    starts, ends = np.searchsorted(ids, wanted, side="left"), np.searchsorted(ids, wanted, side="right")
    medians = [np.median(depth[a:b]) if b > a else np.nan for a, b in zip(starts, ends, strict=True)]
    return np.array(medians, dtype=np.float64)
