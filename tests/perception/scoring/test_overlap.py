"""The joint histogram against counting by hand, and predictions that do not hold together."""

from __future__ import annotations

import numpy as np
import pytest

from perception.prediction import Prediction, Segment
from perception.scoring.overlap import frame_overlap
from scenes.taxonomy import TAXONOMY
from tests.perception.scoring.label_maps import CUP, make_frame, noisy_prediction


def prediction_of(ids: np.ndarray, *segments: tuple[int, int]) -> Prediction:
    return Prediction(
        segment_id=ids.astype(np.int32),
        segments=tuple(Segment(id=k, category_id=c, score=1.0, depth_m=1.0) for k, c in segments),
        depth_m=np.ones(ids.shape, dtype=np.float32),
    )


def test_counts_are_those_of_comparing_every_mask_with_every_other(rng):
    frame = make_frame(rng)
    prediction = noisy_prediction(frame, rng)
    overlap = frame_overlap(frame.truth, prediction)
    assert overlap.counts.sum() == frame.truth.semantic.size
    for k, record in enumerate(frame.truth.objects):
        mask = frame.truth.instance == record.instance_id
        for column, segment in enumerate(prediction.segments, start=1):
            shared = (mask & (prediction.segment_id == segment.id)).sum()
            assert overlap.counts[len(TAXONOMY) + k, column] == shared
    assert overlap.truth_area[0] == (frame.truth.semantic == 0).sum()
    assert overlap.predicted_area[0] == (prediction.segment_id == 0).sum()


@pytest.mark.parametrize(
    ("ids", "segments", "sentence"),
    [
        (np.full((36, 48), 5), [], "id 5, which no segment describes"),
        (np.full((36, 48), 2), [(1, CUP), (3, CUP)], "id 2, which no segment describes"),
        (np.full((36, 48), -1), [(1, CUP)], "id -1, which no segment describes"),
        (np.full((36, 48), 1), [(1, 200)], "category 200, but ids are 0"),
        (np.full((36, 48), 1), [(1, CUP), (1 << 24, CUP)], "below 2\\^24"),
        (np.full((18, 24), 1), [(1, CUP)], "must have the size of its frame"),
    ],
    ids=["no segments", "a gap", "negative", "category", "too large", "size"],
)
def test_a_prediction_that_does_not_hold_together_is_refused(rng, ids, segments, sentence):
    with pytest.raises(ValueError, match=sentence):
        frame_overlap(make_frame(rng).truth, prediction_of(ids, *segments))


def test_the_largest_id_of_a_coco_png_is_accepted(rng):
    frame = make_frame(rng)
    largest = (1 << 24) - 1
    overlap = frame_overlap(frame.truth, prediction_of(np.full((36, 48), largest), (largest, CUP)))
    assert overlap.predicted_area.tolist() == [0, 36 * 48]
