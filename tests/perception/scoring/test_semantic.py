"""Dataset mIoU against hand-made cases and torchmetrics; pooled and per-image means are different numbers."""

from __future__ import annotations

import numpy as np
import pytest

from perception.scoring.overlap import frame_overlap
from perception.scoring.semantic import count_confusion, pixel_accuracy, semantic_iou
from perception.scoring.statistics import mean_defined
from scenes.taxonomy import TAXONOMY
from tests.perception.scoring.label_maps import BOWL, CUP, TABLE, make_frame, noisy_prediction, overlap_of, strip

COUNT = len(TAXONOMY)


def test_void_truth_is_ignored_and_void_predictions_are_misses():
    overlap = overlap_of(strip((0, 50), (1, 100)), [CUP], strip((1, 110), (0, 40)), [CUP])
    confusion = count_confusion(overlap, COUNT)
    assert semantic_iou(confusion)[CUP] == pytest.approx(0.6)
    assert pixel_accuracy(confusion) == pytest.approx(0.6)


def test_instances_of_a_category_are_one():
    overlap = overlap_of(strip((1, 50), (2, 50)), [CUP, CUP], strip((1, 100)), [CUP])
    assert semantic_iou(count_confusion(overlap, COUNT))[CUP] == 1


def test_a_category_only_in_predictions_is_left_out_of_the_mean_but_costs_the_one_it_covers():
    confusion = count_confusion(overlap_of(strip((1, 100)), [TABLE], strip((1, 75), (2, 25)), [TABLE, BOWL]), COUNT)
    iou = semantic_iou(confusion)
    assert np.isnan(iou[BOWL])
    assert mean_defined(iou) == pytest.approx(0.75)


def test_pooled_and_image_mean_differ():
    large = count_confusion(overlap_of(strip((1, 900)), [CUP], strip((1, 900)), [CUP]), COUNT)
    small = count_confusion(overlap_of(strip((1, 100)), [CUP], strip((0, 100)), []), COUNT)
    assert mean_defined(semantic_iou(large + small)) == pytest.approx(0.9)
    assert mean_defined(semantic_iou(np.stack([large, small]))).mean() == pytest.approx(0.5)


def test_nothing_labelled_is_not_a_number():
    confusion = count_confusion(overlap_of(strip((0, 10)), [], strip((1, 10)), [CUP]), COUNT)
    assert np.isnan(pixel_accuracy(confusion))
    assert np.isnan(mean_defined(semantic_iou(confusion)))


def test_agrees_with_torchmetrics_over_a_data_set(rng):
    torch = pytest.importorskip("torch", reason="torchmetrics needs torch, which only training installs")
    module = pytest.importorskip("torchmetrics.classification", reason="torchmetrics comes with the dev extra")
    oracle = module.MulticlassJaccardIndex(COUNT, ignore_index=0, average="none")
    confusion = np.zeros((COUNT, COUNT))
    for _ in range(8):
        frame = make_frame(rng)
        prediction = noisy_prediction(frame, rng)
        confusion += count_confusion(frame_overlap(frame.truth, prediction), COUNT)
        oracle.update(
            torch.from_numpy(prediction.semantic().astype(np.int64)),
            torch.from_numpy(frame.truth.semantic.astype(np.int64)),
        )
    ours = semantic_iou(confusion)
    present = ~np.isnan(ours)
    assert present.sum() == 5
    np.testing.assert_allclose(ours[present], oracle.compute().numpy()[present], atol=1e-6)
