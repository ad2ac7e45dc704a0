"""What one image adds to tubes of frames: pixels shared by every true and predicted segment, at each tolerance of depth.

A prediction is void where its depth is off by more than lambda: |d_hat - d| / d > lambda (Qiao et al., ViP-DeepLab, CVPR 2021,
section 3.2). Only pixels with a true depth can become void so; a depth that is not finite there is off by any lambda.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction
from perception.scoring.overlap import Overlap, predicted_columns, truth_rows
from sim.frame import Truth

LAMBDAS = (0.1, 0.25, 0.5)
# The tables of an image: one for each of LAMBDAS, then one in which depth is not judged.
TABLES = len(LAMBDAS) + 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TubeCounts:
    """The joint histograms of one image, and what its rows (truth) and columns (prediction) are over the whole clip.

    counts int32 (TABLES, T, P); row 0 and column 0 are void, column k + 1 is the prediction's segment k. truth_id int64 (T,)
    is the instance of a thing, 0 for void and stuff; with truth_category int64 (T,) it names a row in every frame of a
    clip. Truth rows without a pixel are left out. predicted_category int64 (P,).
    """

    counts: NDArray[np.int32]
    truth_id: NDArray[np.int64]
    truth_category: NDArray[np.int64]
    predicted_category: NDArray[np.int64]


def count_tubes(truth: Truth, prediction: Prediction, overlap: Overlap) -> TubeCounts:
    """Counts one image; `overlap` is that of the same truth and prediction, whose sum over rows has every pixel once."""
    rows, columns = overlap.counts.shape
    beyond = _lambdas_exceeded(truth.depth_m, prediction.depth_m)
    joint = (truth_rows(truth).astype(np.int64) * columns + predicted_columns(prediction)) * TABLES + beyond
    split = np.bincount(joint.reshape(-1), minlength=rows * columns * TABLES).reshape(rows, columns, TABLES)
    within = np.cumsum(split, axis=2).transpose(2, 0, 1)
    within[:, :, 0] += (overlap.counts - within).sum(axis=2)
    stuff = rows - len(truth.objects)
    identity = np.concatenate([np.zeros(stuff, np.int64), [record.instance_id for record in truth.objects]]).astype(np.int64)
    kept = overlap.truth_area > 0
    kept[0] = True
    return TubeCounts(
        counts=within[:, kept].astype(np.int32), truth_id=identity[kept], truth_category=overlap.truth_category[kept],
        predicted_category=overlap.predicted_category,
    )  # fmt: skip


def _lambdas_exceeded(true_m: NDArray[np.float32], predicted_m: NDArray[np.float32]) -> NDArray[np.int64]:
    """Returns for every pixel how many of LAMBDAS its relative error of depth exceeds, (H, W), 0 without a true depth."""
    judged = np.isfinite(true_m) & (true_m > 0)
    true = np.where(judged, true_m, 1.0).astype(np.float64)
    with np.errstate(invalid="ignore"):
        error = np.where(judged, np.abs(predicted_m - true) / true, 0.0)
    exceeded = np.zeros(true.shape, np.int64)
    for limit in LAMBDAS:
        exceeded += ~(error <= limit)  # so that nan exceeds it
    return exceeded
