"""Semantic scores from confusion counts that add over images; void truth is ignored, void predictions are misses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.scoring.overlap import Overlap
from perception.scoring.statistics import ratio


def count_confusion(overlap: Overlap, category_count: int) -> NDArray[np.float64]:
    """Returns float64 (C, C) pixels by truth category (row) and predicted category (column), void row 0 left at zero."""
    truth = np.eye(category_count)[overlap.truth_category]
    predicted = np.eye(category_count)[overlap.predicted_category]
    confusion: NDArray[np.float64] = truth.T @ overlap.counts @ predicted
    confusion[0] = 0
    return confusion


def semantic_iou(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns IoU (..., C) of every category that has truth pixels in counts (..., C, C), nan for the others."""
    hit = np.diagonal(confusion, axis1=-2, axis2=-1)
    truth = confusion.sum(axis=-1)
    union = truth + confusion.sum(axis=-2) - hit
    return np.where(truth > 0, ratio(hit, union), np.nan)


def pixel_accuracy(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the share (...) of labelled truth pixels with the right category, nan where there is no such pixel."""
    hit = np.trace(confusion, axis1=-2, axis2=-1)
    total = confusion.sum(axis=(-2, -1))
    return ratio(hit, np.asarray(total))
