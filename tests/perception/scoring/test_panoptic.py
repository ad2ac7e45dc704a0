"""Panoptic quality: every rule of panopticapi by hand, torchmetrics where its definition agrees, and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from perception.scoring.overlap import Overlap, frame_overlap
from perception.scoring.panoptic import FN, FP, IOU_SUM, TP, count_panoptic, match_panoptic, panoptic_quality
from perception.scoring.statistics import mean_defined
from scenes.taxonomy import TAXONOMY
from tests.perception.scoring.label_maps import (
    BOWL,
    CUP,
    TABLE,
    WALL,
    make_frame,
    noisy_prediction,
    overlap_of,
    perfect_prediction,
    strip,
)

COUNT = len(TAXONOMY)


def counts_of(overlap: Overlap) -> np.ndarray:
    return count_panoptic(overlap, match_panoptic(overlap), COUNT)


RULES = {
    # name: (truth, categories, crowd labels, prediction, categories, {category: (TP, FP, FN, IoU)})
    "object 55 % right, 45 % predicted void: the void stays in the union": (
        strip((1, 100)), [CUP], (), strip((1, 55), (0, 45)), [CUP], {CUP: (1, 0, 0, 0.55)}),
    "object entirely predicted void is a miss": (
        strip((1, 100)), [CUP], (), strip((0, 100)), [], {CUP: (0, 0, 1, 0)}),
    "IoU of exactly one half is no match": (
        strip((1, 100)), [CUP], (), strip((1, 50), (0, 50)), [CUP], {CUP: (0, 1, 1, 0)}),
    "truth void under a match leaves the union": (
        strip((1, 60), (0, 40)), [CUP], (), strip((1, 100)), [CUP], {CUP: (1, 0, 0, 1.0)}),
    "prediction 60 % on truth void is ignored": (
        strip((0, 60), (1, 40)), [TABLE], (), strip((1, 100)), [CUP], {TABLE: (0, 0, 1, 0)}),
    "prediction 50 % on truth void is not ignored": (
        strip((0, 50), (1, 50)), [TABLE], (), strip((1, 100)), [CUP], {TABLE: (0, 0, 1, 0), CUP: (0, 1, 0, 0)}),
    "crowd is neither matched nor missed, and excuses": (
        strip((1, 100)), [CUP], (1,), strip((1, 100)), [CUP], {}),
    "crowd of another category excuses nothing": (
        strip((1, 100)), [BOWL], (1,), strip((1, 100)), [CUP], {CUP: (0, 1, 0, 0)}),
    "two crowds of one category excuse together": (
        strip((1, 40), (2, 40), (3, 20)), [CUP, CUP, TABLE], (1, 2), strip((1, 100)), [CUP], {TABLE: (0, 0, 1, 0)}),
    "void and crowd excuse together": (
        strip((1, 30), (0, 30), (2, 40)), [CUP, TABLE], (1,), strip((1, 100)), [CUP], {TABLE: (0, 0, 1, 0)}),
    "stuff in two pieces is two segments": (
        strip((1, 100)), [TABLE], (), strip((1, 50), (2, 50)), [TABLE, TABLE], {TABLE: (0, 2, 1, 0)}),
    "a right mask of the wrong category is both errors": (
        strip((1, 100)), [CUP], (), strip((1, 100)), [BOWL], {CUP: (0, 0, 1, 0), BOWL: (0, 1, 0, 0)}),
    "segments without a pixel do not count": (
        strip((1, 100)), [CUP, BOWL], (), strip((1, 100)), [CUP, CUP], {CUP: (1, 0, 0, 1.0)}),
    "a segment called void is void": (
        strip((1, 100)), [CUP], (), strip((1, 100)), [0], {CUP: (0, 0, 1, 0)}),
    "one truth split in two, the larger part matches": (
        strip((1, 100)), [CUP], (), strip((1, 70), (2, 30)), [CUP, CUP], {CUP: (1, 1, 0, 0.7)}),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_rule(rule):
    truth, truth_category, crowd, predicted, predicted_category, expected = rule
    counts = counts_of(overlap_of(truth, truth_category, predicted, predicted_category, crowd=crowd))
    table = np.zeros((COUNT, 4))
    for category, row in expected.items():
        table[category] = row
    np.testing.assert_allclose(counts, table, atol=1e-12)


def test_a_category_only_in_predictions_scores_zero_and_lowers_the_mean():
    overlap = overlap_of(strip((1, 90), (2, 10)), [CUP, TABLE], strip((1, 90), (2, 10)), [CUP, BOWL])
    quality = panoptic_quality(counts_of(overlap))
    assert quality[BOWL].tolist() == [0, 0, 0]
    assert mean_defined(quality[:, 0]) == pytest.approx(1 / 3)  # cup 1, bowl 0, table 0


def test_a_group_that_never_occurs_is_not_a_number_rather_than_zero():
    quality = panoptic_quality(counts_of(overlap_of(strip((1, 9)), [TABLE], strip((1, 9)), [TABLE])))
    assert np.isnan(mean_defined(quality[[CUP, BOWL], 0]))
    assert mean_defined(quality[:, 0]) == 1


def test_sq_and_rq_are_averaged_on_their_own():
    overlap = overlap_of(
        strip((1, 100), (2, 100), (3, 100)), [CUP, CUP, WALL],
        strip((1, 80), (0, 20), (0, 100), (2, 60), (0, 40)), [CUP, WALL],
    )  # fmt: skip
    pq, sq, rq = mean_defined(panoptic_quality(counts_of(overlap)).T)
    assert sq == pytest.approx((0.8 + 0.6) / 2)
    assert rq == pytest.approx((2 / 3 + 1) / 2)
    assert pq == pytest.approx((0.8 * 2 / 3 + 0.6) / 2)
    assert pq != pytest.approx(sq * rq)


def test_agrees_with_torchmetrics_where_nothing_is_void(rng):
    torch = pytest.importorskip("torch", reason="torchmetrics needs torch, which only training installs")
    detection = pytest.importorskip("torchmetrics.detection", reason="torchmetrics comes with the dev extra")
    things, stuff = {c.id for c in TAXONOMY.things}, {c.id for c in TAXONOMY.stuff}
    oracle = detection.PanopticQuality(things, stuff, return_sq_and_rq=True, return_per_class=True)
    total = np.zeros((COUNT, 4))
    for _ in range(12):
        frame = make_frame(rng, void=False)
        prediction = noisy_prediction(frame, rng, void=False)
        total += counts_of(frame_overlap(frame.truth, prediction))
        predicted = np.stack([prediction.semantic(), prediction.segment_id], axis=-1).astype(np.int64)
        predicted[..., 1][predicted[..., 0] <= TABLE] = 0
        truth = np.stack([frame.truth.semantic, frame.truth.instance], axis=-1).astype(np.int64)
        oracle.update(torch.from_numpy(predicted[None]), torch.from_numpy(truth[None]))
    assert total[:, [TP, FP, FN]].min(axis=0).tolist() == [0, 0, 0]
    assert total[:, [TP, FP, FN]].sum(axis=0).min() > 10
    expected = oracle.compute().numpy().reshape(-1, 3)
    order = [*sorted(things), *sorted(stuff)]
    ours = panoptic_quality(total)[order]
    np.testing.assert_allclose(np.nan_to_num(ours), np.nan_to_num(expected), atol=1e-6)


labels = arrays(np.int64, (6, 8), elements=st.integers(0, 4))
categories = st.lists(st.sampled_from([CUP, BOWL, TABLE]), min_size=4, max_size=4)


@settings(deadline=None)
@given(labels, categories, labels, categories)
def test_quality_is_a_fraction_and_every_segment_is_counted_once(truth, truth_category, predicted, predicted_category):
    overlap = overlap_of(truth, truth_category, predicted, predicted_category)
    counts = counts_of(overlap)
    quality = panoptic_quality(counts)
    seen = ~np.isnan(quality)
    assert np.all((quality[seen] >= 0) & (quality[seen] <= 1))
    assert counts[:, [TP, FN]].sum() == len(np.unique(truth[truth > 0]))
    assert counts[:, [TP, FP]].sum() <= len(np.unique(predicted[predicted > 0]))
    assert np.all(counts[:, IOU_SUM] <= counts[:, TP])


@settings(deadline=None)
@given(labels, categories)
def test_a_perfect_prediction_scores_one(truth, truth_category):
    quality = panoptic_quality(counts_of(overlap_of(truth, truth_category, truth, truth_category)))
    assert np.all(np.isnan(quality) | (quality == 1))


@settings(deadline=None)
@given(labels, categories, labels, categories, st.permutations(range(1, 5)))
def test_names_of_segments_do_not_matter(truth, truth_category, predicted, predicted_category, names):
    before = counts_of(overlap_of(truth, truth_category, predicted, predicted_category))
    renamed = np.array([0, *names])[predicted]
    category_of = dict(zip(names, predicted_category, strict=True))
    after = counts_of(overlap_of(truth, truth_category, renamed, [category_of[k] for k in range(1, 5)]))
    np.testing.assert_allclose(before, after, atol=1e-12)


def test_a_perfect_frame_scores_one_and_an_empty_answer_misses_every_visible_segment(rng):
    frame = make_frame(rng)
    overlap = frame_overlap(frame.truth, perfect_prediction(frame))
    quality = panoptic_quality(counts_of(overlap))
    assert np.nanmin(quality) == 1
    visible = (
        len(np.unique(frame.truth.instance)) - 1 + len(np.unique(frame.truth.semantic[frame.truth.instance == 0])) - 1
    )
    assert counts_of(overlap)[:, TP].sum() == visible
