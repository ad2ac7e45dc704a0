"""Mask AP against pycocotools on random frames, and the cases in which implementations differ."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from perception.scoring.average_precision import Detections, average_precision
from perception.scoring.mask_ap import detect_masks
from perception.scoring.overlap import frame_overlap
from perception.scoring.statistics import Resamples, mean_defined, resample_scenes
from scenes.taxonomy import TAXONOMY
from tests.perception.scoring.label_maps import BOWL, CUP, TABLE, make_frame, noisy_prediction, overlap_of, strip

THING = np.array([category.is_thing for category in TAXONOMY])


def whole(frames: int) -> Resamples:
    return resample_scenes([f"scene{k}" for k in range(frames)], rng=np.random.default_rng(0), replicates=3)


def ap_of(*frames: Detections) -> np.ndarray:
    """Returns AP (C, T) of the data as it is."""
    return average_precision(list(frames), whole(len(frames)))[0]


def detect(truth, truth_category, predicted, predicted_category, **extra) -> Detections:
    return detect_masks(overlap_of(truth, truth_category, predicted, predicted_category, **extra), THING)


def coco_ap(pairs) -> float:
    pytest.importorskip("pycocotools", reason="pycocotools comes with the dev extra")
    from pycocotools import mask
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def encode(pixels):
        return mask.encode(np.asfortranarray(pixels.astype(np.uint8)))

    annotations, results = [], []
    for image, (frame, prediction) in enumerate(pairs, start=1):
        for record in frame.truth.objects:
            pixels = frame.truth.instance == record.instance_id
            if pixels.any():
                annotations.append({
                    "id": len(annotations) + 1, "image_id": image, "category_id": record.category_id,
                    "segmentation": encode(pixels), "area": int(pixels.sum()), "iscrowd": 0, "bbox": [0, 0, 1, 1],
                })  # fmt: skip
        results.extend(
            {
                "image_id": image, "category_id": segment.category_id, "score": segment.score,
                "segmentation": encode(prediction.segment_id == segment.id),
            }
            for segment in prediction.segments
            if THING[segment.category_id]
        )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": k + 1, "height": 36, "width": 48} for k in range(len(pairs))],
            "annotations": annotations, "info": {},
            "categories": [{"id": c.id, "name": c.name} for c in TAXONOMY.things],
        }  # fmt: skip
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # (T, 101, categories), all areas, 100 detections
    return float(precision[precision > -1].mean())


def test_agrees_with_pycocotools_with_ties_and_wrong_categories(rng):
    frames = [make_frame(rng) for _ in range(10)]
    pairs = [(frame, noisy_prediction(frame, rng)) for frame in frames]
    detections = [detect_masks(frame_overlap(frame.truth, prediction), THING) for frame, prediction in pairs]
    ours = float(mean_defined(ap_of(*detections).mean(axis=-1)))
    assert 0.05 < ours < 0.95
    assert ours == pytest.approx(coco_ap(pairs), abs=1e-9)


def test_a_perfect_mask_is_one_at_every_threshold():
    ap = ap_of(detect(strip((1, 100)), [CUP], strip((1, 100)), [CUP]))
    assert ap[CUP].tolist() == [1.0] * 10
    assert np.isnan(ap[BOWL]).all()


def test_an_iou_of_exactly_a_threshold_is_a_hit():
    ap = ap_of(detect(strip((1, 100)), [CUP], strip((1, 75), (0, 25)), [CUP]))
    assert ap[CUP].tolist() == [1.0] * 6 + [0.0] * 4


@pytest.mark.parametrize(("first_right", "expected"), [(True, 1.0), (False, 0.5)], ids=["hit first", "miss first"])
def test_equal_scores_keep_their_order(first_right, expected):
    truth = strip((1, 50), (2, 50))
    predicted = strip((1, 50), (2, 50)) if first_right else strip((2, 50), (1, 50))
    ap = ap_of(detect(truth, [CUP, TABLE], predicted, [CUP, CUP], scores=[0.5, 0.5]))
    assert ap[CUP, 0] == pytest.approx(expected)


def test_a_category_without_truth_is_left_out_whatever_is_found_there():
    ap = ap_of(detect(strip((1, 50), (2, 50)), [CUP, TABLE], strip((1, 50), (2, 50)), [CUP, BOWL]))
    assert mean_defined(ap.mean(axis=-1)) == 1


def test_no_detection_at_all_is_zero_not_an_error():
    ap = ap_of(detect(strip((1, 100)), [CUP], strip((0, 100)), []))
    assert ap[CUP].tolist() == [0.0] * 10


def test_no_truth_at_all_is_not_a_number():
    ap = ap_of(detect(strip((1, 100)), [TABLE], strip((1, 100)), [CUP]))
    assert np.isnan(mean_defined(ap.mean(axis=-1)))


def test_stuff_is_no_detection():
    detections = detect(strip((1, 100)), [TABLE], strip((1, 100)), [TABLE])
    assert len(detections.category) == 0
    assert detections.truth_count.sum() == 0


def test_detections_in_a_crowd_are_neither_right_nor_wrong():
    truth = strip((1, 100), (2, 50))
    predicted = strip((1, 40), (2, 60), (3, 50))
    detections = detect(truth, [CUP, CUP], predicted, [CUP, CUP, CUP], crowd=(1,), scores=[0.9, 0.8, 0.7])
    assert detections.truth_count[CUP] == 1
    assert detections.ignored[:, 0].tolist() == [True, True, False]
    assert ap_of(detections)[CUP, 0] == 1


def test_two_detections_of_one_thing_are_one_hit_and_one_miss():
    truth, predicted = strip((1, 100), (2, 10)), strip((1, 50), (2, 50), (0, 10))
    detections = detect(truth, [CUP, CUP], predicted, [CUP, CUP], scores=[0.2, 0.9])
    assert detections.hit[:, 0].tolist() == [True, False]
    assert detections.score.tolist() == [0.9, 0.2]
