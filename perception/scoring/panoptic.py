"""Panoptic quality by the rules of panopticapi, with every crowd of a category excusing false positives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.scoring.overlap import Overlap
from perception.scoring.statistics import ratio

# Counts of images add: the sum of two tables (category, [TP, FP, FN, sum of IoU]) is the table of both images together.

TP, FP, FN, IOU_SUM = range(4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PanopticMatch:
    """The true positives of one image: truth row, predicted column and IoU, one entry each, row order."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    iou: NDArray[np.float64]


def match_panoptic(overlap: Overlap) -> PanopticMatch:
    """Finds the pairs of one category with IoU > 0.5, predicted pixels on void truth left out of the union."""
    counts = overlap.counts
    union = overlap.truth_area[:, None] + overlap.predicted_area[None, :] - counts - _on_void(overlap)[None, :]
    same = overlap.truth_category[:, None] == overlap.predicted_category[None, :]
    eligible = same & (overlap.truth_category > 0)[:, None] & ~overlap.truth_crowd[:, None] & (counts > 0)
    iou = np.divide(counts, union, out=np.zeros(counts.shape), where=eligible)
    row, column = np.nonzero(iou > 0.5)
    return PanopticMatch(row=row, column=column, iou=iou[row, column])


def count_panoptic(overlap: Overlap, match: PanopticMatch, category_count: int) -> NDArray[np.float64]:
    """Returns float64 (category_count, 4): true positives, false positives, false negatives, sum of IoU, per category."""
    table = np.zeros((category_count, 4))
    matched_category = overlap.truth_category[match.row]
    np.add.at(table[:, TP], matched_category, 1)
    np.add.at(table[:, IOU_SUM], matched_category, match.iou)
    missed = (overlap.truth_category > 0) & (overlap.truth_area > 0) & ~overlap.truth_crowd
    missed[match.row] = False
    np.add.at(table[:, FN], overlap.truth_category[missed], 1)
    area = overlap.predicted_area
    false = (overlap.predicted_category > 0) & (area > 0) & ~(_excused(overlap) > 0.5 * area)
    false[match.column] = False
    np.add.at(table[:, FP], overlap.predicted_category[false], 1)
    return table


def panoptic_quality(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (..., C, 3) = PQ, SQ, RQ per category from counts (..., C, 4); nan where a category never occurs."""
    tp, fp, fn, iou = (counts[..., k] for k in range(4))
    weight = tp + fp / 2 + fn / 2
    sq = np.where((tp == 0) & (weight > 0), 0.0, ratio(iou, tp))
    return np.stack([ratio(iou, weight), sq, ratio(tp, weight)], axis=-1)


def _on_void(overlap: Overlap) -> NDArray[np.int64]:
    on_void: NDArray[np.int64] = overlap.counts[overlap.truth_category == 0].sum(axis=0)
    return on_void


def _excused(overlap: Overlap) -> NDArray[np.int64]:
    crowd = overlap.truth_crowd[:, None] & (overlap.truth_category[:, None] == overlap.predicted_category[None, :])
    excused: NDArray[np.int64] = _on_void(overlap) + np.where(crowd, overlap.counts, 0).sum(axis=0)
    return excused
