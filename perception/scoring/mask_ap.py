"""COCO mask AP of things, read from the joint histogram: disjoint masks need no run-length encoding."""

from __future__ import annotations

import numpy as np

from perception.scoring.average_precision import Candidates, Detections, match_detections
from perception.scoring.overlap import Overlap

MASK_THRESHOLDS = np.linspace(0.5, 0.95, 10)
MASK_AP50, MASK_AP75 = 0, 5


def detect_masks(overlap: Overlap, thing: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Detections:
    """Matches the predicted thing masks of one image at IoU 0.50:0.05:0.95; `thing` bool (C,) says which categories.

    The IoU is COCO's: void has no part in it, and with a crowd it is the share of the detection inside the crowd.
    """
    rows = np.flatnonzero(thing[overlap.truth_category] & (overlap.truth_area > 0))
    columns = np.flatnonzero(thing[overlap.predicted_category] & (overlap.predicted_area > 0))
    shared = overlap.counts[np.ix_(rows, columns)].T
    crowd = overlap.truth_crowd[rows]
    detected = overlap.predicted_area[columns][:, None]
    union = np.where(crowd[None, :], detected, detected + overlap.truth_area[rows][None, :] - shared)
    candidates = Candidates(
        iou=shared / np.maximum(union, 1),
        category=overlap.predicted_category[columns],
        score=overlap.predicted_score[columns],
        truth_category=overlap.truth_category[rows],
        truth_ignored=crowd,
        truth_crowd=crowd,
    )
    return match_detections(candidates, MASK_THRESHOLDS, len(thing))
