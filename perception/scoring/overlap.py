"""One pass over the pixels of an image: how many every truth segment shares with every predicted one.

Panoptic quality, mIoU and mask AP are all read from this table, since panoptic masks are disjoint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction
from scenes.taxonomy import TAXONOMY
from sim.frame import Truth

# Row 0 and column 0 are void. A row or column without pixels is allowed and counts for nothing.

_ID_LIMIT = 1 << 24  # a COCO panoptic PNG holds no larger id


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlap:
    """The joint histogram of one image, with what its rows (truth) and columns (prediction) are.

    counts int64 (T, P); truth_category, predicted_category int64, 0 for void; truth_crowd bool (T,);
    predicted_score float64 (P,), 0..1.
    """

    counts: NDArray[np.int64]
    truth_category: NDArray[np.int64]
    truth_crowd: NDArray[np.bool_]
    predicted_category: NDArray[np.int64]
    predicted_score: NDArray[np.float64]

    @property
    def truth_area(self) -> NDArray[np.int64]:
        """Pixels of every truth segment, int64 (T,)."""
        area: NDArray[np.int64] = self.counts.sum(axis=1)
        return area

    @property
    def predicted_area(self) -> NDArray[np.int64]:
        """Pixels of every predicted segment, int64 (P,), those on void truth included."""
        area: NDArray[np.int64] = self.counts.sum(axis=0)
        return area


def count_overlap(
    truth_row: NDArray[np.integer], predicted_column: NDArray[np.integer], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Returns the joint histogram int64 `shape` of two dense label maps of one size."""
    joint = truth_row.astype(np.int64) * shape[1] + predicted_column
    return np.bincount(joint.reshape(-1), minlength=shape[0] * shape[1]).reshape(shape)


def frame_overlap(truth: Truth, prediction: Prediction) -> Overlap:
    """Counts one image: row c is stuff category c, row len(TAXONOMY) + k is truth.objects[k]; column k + 1 is segments[k].

    Raises ValueError where the sizes differ, or a pixel or a segment of the prediction names what does not exist.
    """
    if truth.semantic.shape != prediction.segment_id.shape:
        raise ValueError(
            f"A prediction must have the size of its frame {truth.semantic.shape}, got {prediction.segment_id.shape}; "
            "resize it before scoring."
        )
    rows = len(TAXONOMY) + len(truth.objects)
    columns = 1 + len(prediction.segments)
    truth_category = np.concatenate([np.arange(len(TAXONOMY)), [record.category_id for record in truth.objects]])
    segments = prediction.segments
    return Overlap(
        counts=count_overlap(truth_rows(truth), predicted_columns(prediction), (rows, columns)),
        truth_category=truth_category.astype(np.int64),
        truth_crowd=np.zeros(rows, dtype=bool),
        predicted_category=np.array([0, *(s.category_id for s in segments)], dtype=np.int64),
        predicted_score=np.array([0.0, *(s.score for s in segments)]),
    )


def truth_rows(truth: Truth) -> NDArray[np.uint16]:
    """Returns the row of every pixel in an Overlap, (H, W)."""
    row_of = np.zeros(int(truth.instance.max(initial=0)) + 1, dtype=np.uint16)
    for k, record in enumerate(truth.objects):
        if record.instance_id < len(row_of):
            row_of[record.instance_id] = len(TAXONOMY) + k
    return np.where(truth.instance > 0, row_of[truth.instance], truth.semantic)


def predicted_columns(prediction: Prediction) -> NDArray[np.uint16]:
    """Returns the column of every pixel in an Overlap, (H, W); raises ValueError where one names what does not exist."""
    ids = [segment.id for segment in prediction.segments]
    largest = max(ids, default=0)
    if largest >= _ID_LIMIT:
        raise ValueError(f"Segment ids must be below 2^24, the limit of a COCO panoptic PNG; got {largest}.")
    for segment in prediction.segments:
        if not 0 <= segment.category_id < len(TAXONOMY):
            raise ValueError(
                f"Segment {segment.id} has category {segment.category_id}, but ids are 0..{len(TAXONOMY) - 1}."
            )
    segment_id = prediction.segment_id
    low, high = int(segment_id.min(initial=0)), int(segment_id.max(initial=0))
    if low < 0 or high > largest:
        raise ValueError(f"The segment map holds id {low if low < 0 else high}, which no segment describes.")
    column_of = np.zeros(largest + 1, dtype=np.uint16)
    column_of[ids] = np.arange(1, len(ids) + 1, dtype=np.uint16)
    columns = column_of[segment_id]
    unknown = (columns == 0) != (segment_id == 0)
    if unknown.any():
        raise ValueError(f"The segment map holds id {int(segment_id[unknown][0])}, which no segment describes.")
    return columns
