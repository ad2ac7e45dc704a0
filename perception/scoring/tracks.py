"""Segments of consecutive answers are joined to tracks, so that an engine without track ids can be scored over time.

One rule for every engine, part of the metric's protocol: between an answer and the newest one before it in the same clip,
pairs of one category are joined greedily, the highest IoU of masks first (equal ones in the order of the segments), at an
IoU of at least LEAST_IOU. Stuff has no instances: what is left of a stuff category is joined whatever it shares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction
from perception.scoring.overlap import count_overlap, predicted_columns
from scenes.taxonomy import TAXONOMY

LEAST_IOU = 0.1
NEW = -1


def link_segments(before: Prediction, after: Prediction) -> NDArray[np.int32]:
    """Returns for each segment of `after` the index of the segment of `before` that it continues, NEW for none, (P,)."""
    link = np.full(len(after.segments), NEW, dtype=np.int32)
    if before is after:
        return np.arange(len(link), dtype=np.int32)
    if before.segment_id.shape != after.segment_id.shape:
        return link
    iou = _iou(before, after)
    rows, columns = np.nonzero(iou >= 0)
    free = np.ones(len(before.segments), dtype=bool)
    for at in np.argsort(-iou[rows, columns], kind="stable"):
        row, column = rows[at], columns[at]
        is_stuff = not TAXONOMY[after.segments[column].category_id].is_thing
        if free[row] and link[column] == NEW and (is_stuff or iou[row, column] >= LEAST_IOU):
            link[column], free[row] = row, False
    return link


def given_tracks(prediction: Prediction) -> NDArray[np.int64]:
    """Returns the track of each segment as the engine gave it: its id, which then has to mean the same in every frame."""
    return np.array([s.id * len(TAXONOMY) + s.category_id for s in prediction.segments], dtype=np.int64)


def extend_tracks(
    before: NDArray[np.int64], link: NDArray[np.int32], *, first: int
) -> NDArray[np.int64]:
    """Returns the tracks of an answer from those of the one before it and the link between both; new ones from `first` on."""
    joined = link >= 0
    tracks = np.zeros(len(link), dtype=np.int64)
    tracks[joined] = before[link[joined]]
    tracks[~joined] = first + np.arange(np.count_nonzero(~joined))
    return tracks


def _iou(before: Prediction, after: Prediction) -> NDArray[np.float64]:
    """Returns the IoU of every pair of segments, -1 for those of different categories."""
    shape = (len(before.segments) + 1, len(after.segments) + 1)
    counts = count_overlap(predicted_columns(before), predicted_columns(after), shape)
    union = counts.sum(axis=1)[1:, None] + counts.sum(axis=0)[None, 1:] - counts[1:, 1:]
    iou = counts[1:, 1:] / np.maximum(union, 1)
    categories = [np.array([s.category_id for s in p.segments], dtype=np.int64) for p in (before, after)]
    return np.where(categories[0][:, None] == categories[1][None, :], iou, -1.0)
