"""Post-processing: a perfect network gives back the truth exactly, and no special case loses an object silently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from perception._label_pixels import label_pixels
from perception._median import median
from perception.centers import find_peaks
from perception.engine import RawOutput
from perception.grouping import GroupingSpec, nearest_peak
from perception.postprocess import panoptic_depth, segment_medians
from perception.prediction import Prediction
from perception.upsample import enlarge_labels
from scenes.errors import EngineError
from scenes.taxonomy import TAXONOMY
from tests.perception.perfect_outputs import IDENTITY, TABLE, THINGS, discs, perfect_outputs, random_blocks

SPEC = GroupingSpec()
CUP, BOWL = TAXONOMY.named("cup").id, TAXONOMY.named("bowl").id
SHAPE = (96, 128)


def predict(raw: RawOutput, size: tuple[int, int] = SHAPE, scale: float = 1.0, spec: GroupingSpec = SPEC) -> Prediction:
    return panoptic_depth(raw, taxonomy_id=IDENTITY, size=size, depth_scale=scale, spec=spec)


def masks(prediction: Prediction, category: int) -> list[NDArray[np.bool_]]:
    return [prediction.segment_id == s.id for s in prediction.segments if s.category_id == category]


def same_partition(a: NDArray[np.generic], b: NDArray[np.generic]) -> bool:
    pairs = np.unique(np.stack([a.ravel().astype(np.int64), b.ravel().astype(np.int64)]), axis=1)
    return bool(len(np.unique(pairs[0])) == pairs.shape[1] == len(np.unique(pairs[1])))


def test_two_discs_give_their_exact_masks() -> None:
    semantic, instance = discs(SHAPE, [(40, 40, 15, CUP), (50, 90, 12, BOWL)])
    prediction = predict(perfect_outputs(semantic, instance))
    np.testing.assert_array_equal(masks(prediction, CUP)[0], instance == 1)
    np.testing.assert_array_equal(masks(prediction, BOWL)[0], instance == 2)
    np.testing.assert_array_equal(masks(prediction, TABLE)[0], instance == 0)
    assert [s.id for s in prediction.segments] == [1, 2, 3]


def test_touching_discs_of_one_category_stay_apart() -> None:
    semantic, instance = discs(SHAPE, [(48, 40, 16, CUP), (48, 72, 16, CUP)])
    found = masks(predict(perfect_outputs(semantic, instance)), CUP)
    assert len(found) == 2
    left_to_right = sorted(found, key=lambda m: float(np.nonzero(m)[1].mean()))
    wrong = sum(int((m ^ (instance == i)).sum()) for i, m in enumerate(left_to_right, start=1))
    assert wrong <= 6  # only pixels of cells that both touch


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_perfect_outputs_give_back_the_label_map(seed: int) -> None:
    semantic, instance = random_blocks(np.random.default_rng(seed))
    prediction = predict(perfect_outputs(semantic, instance), spec=replace(SPEC, min_stuff_px=1))
    np.testing.assert_array_equal(prediction.semantic(), semantic)
    assert same_partition(prediction.segment_id, instance * 256 + np.where(instance > 0, 0, semantic))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_instances_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    semantic, instance = random_blocks(rng)
    shuffled = np.concatenate([[0], 1 + rng.permutation(int(instance.max()))])[instance]
    a, b = (predict(perfect_outputs(semantic, i)) for i in (instance, shuffled))
    np.testing.assert_array_equal(a.segment_id, b.segment_id)
    assert a.segments == b.segments


def test_an_enlarged_image_keeps_every_segment_and_scales_depth() -> None:
    semantic, instance = discs(SHAPE, [(40, 40, 15, CUP), (50, 90, 12, BOWL)])
    prediction = predict(perfect_outputs(semantic, instance, depth_m=0.5), size=(192, 256), scale=1.6)
    for i, category in ((1, CUP), (2, BOWL)):
        truth = np.kron(instance == i, np.ones((2, 2), bool))
        assert (masks(prediction, category)[0] & truth).sum() / (masks(prediction, category)[0] | truth).sum() > 0.97
    np.testing.assert_allclose(prediction.depth_m, 0.8, rtol=1e-6)
    assert [s.depth_m for s in prediction.segments] == pytest.approx([0.8] * 3)


def test_nothing_but_void_gives_no_segment() -> None:
    prediction = predict(perfect_outputs(np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.int64)))
    assert prediction.segments == ()
    assert not prediction.segment_id.any()


def test_things_without_any_centre_become_components() -> None:
    semantic, instance = discs(SHAPE, [(30, 30, 12, CUP), (60, 90, 12, CUP), (70, 30, 10, BOWL)])
    raw = perfect_outputs(semantic, instance)
    prediction = predict(replace(raw, center=np.zeros_like(raw.center)))
    assert len(masks(prediction, CUP)) == 2
    np.testing.assert_array_equal(masks(prediction, BOWL)[0], instance == 3)
    assert max(s.score for s in prediction.segments if s.category_id in THINGS) <= SPEC.center_threshold


def test_a_thing_whose_centre_was_missed_is_not_swallowed() -> None:
    semantic, instance = discs(SHAPE, [(30, 30, 12, CUP), (60, 90, 12, CUP)])
    raw = perfect_outputs(semantic, instance)
    heat = raw.center.copy()
    heat[..., 32:] = 0.0
    found = masks(predict(replace(raw, center=heat)), CUP)
    assert sorted(int(m.sum()) for m in found) == sorted([int((instance == 1).sum()), int((instance == 2).sum())])


def test_a_few_stray_pixels_do_not_become_a_thing() -> None:
    semantic, instance = discs(SHAPE, [(40, 40, 15, CUP)])
    raw = perfect_outputs(semantic, instance)
    semantic[90, 120:123] = BOWL
    prediction = predict(replace(raw, category=semantic.astype(np.int32)[None], offset=raw.offset))
    assert [s.category_id for s in prediction.segments if s.category_id in THINGS] == [CUP]


def test_small_segments_are_void() -> None:
    semantic, instance = discs(SHAPE, [(40, 40, 1.5, CUP)])
    prediction = predict(perfect_outputs(semantic, instance))
    assert [s.category_id for s in prediction.segments] == [TABLE]
    assert (prediction.segment_id == 0).sum() == (instance == 1).sum()
    spots = np.zeros(SHAPE, np.uint8)
    spots[:10, :10] = TABLE
    assert predict(perfect_outputs(spots, np.zeros(SHAPE, np.int64))).segments == ()


def test_the_majority_names_the_instance_and_the_smallest_id_wins_a_tie() -> None:
    semantic, instance = discs(SHAPE, [(40, 40, 15, CUP)])
    raw = perfect_outputs(semantic, instance)
    mixed = np.where((instance == 1) & (np.arange(SHAPE[1]) > 45), BOWL, semantic)
    prediction = predict(replace(raw, category=mixed.astype(np.int32)[None]))
    np.testing.assert_array_equal(masks(prediction, CUP)[0], instance == 1)
    square = np.full(SHAPE, TABLE, np.uint8)
    square[20:40, 20:30], square[20:40, 30:40] = BOWL, CUP
    halves = predict(perfect_outputs(square, np.where(square == TABLE, 0, 1)))
    assert [s.category_id for s in halves.segments] == [min(CUP, BOWL), TABLE]


def test_scores_are_mean_confidence_times_the_peak() -> None:
    semantic, instance = discs(SHAPE, [(40.5, 40.5, 15, CUP)])
    raw = perfect_outputs(semantic, instance)
    confidence = np.where(instance == 1, 0.8, 0.6).astype(np.float32)[None]
    prediction = predict(replace(raw, confidence=confidence, center=raw.center * np.float32(0.5)))
    assert [s.score for s in prediction.segments] == pytest.approx([0.4, 0.6], abs=1e-5)


@pytest.mark.parametrize("name", ["confidence", "center", "offset", "depth"])
def test_a_number_that_is_not_finite_is_refused(name: str) -> None:
    raw = perfect_outputs(*discs(SHAPE, [(40, 40, 15, CUP)]))
    broken = getattr(raw, name).copy()
    broken.flat[7] = np.nan
    with pytest.raises(EngineError, match=name):
        predict(replace(raw, **{name: broken}))


def test_depth_is_never_negative() -> None:
    raw = perfect_outputs(*discs(SHAPE, [(40, 40, 15, CUP)]))
    assert predict(replace(raw, depth=-raw.depth)).depth_m.min() > 0


class TestPeaks:
    """Peaks of a heat map."""

    def find(self, heat: NDArray[np.float32], top_k: int = 200) -> list[tuple[float, float]]:
        peaks = find_peaks(heat, stride=2, threshold=0.1, window=7, top_k=top_k)
        assert (np.diff(peaks.value) <= 0).all()
        return [(float(y), float(x)) for y, x in peaks.yx]

    def test_a_plateau_is_one_peak_in_its_middle(self) -> None:
        heat = np.zeros((20, 30), np.float32)
        heat[4:7, 10:12] = 0.9
        assert self.find(heat) == [(10.5, 21.5)]

    def test_a_flat_map_is_one_peak(self) -> None:
        assert self.find(np.full((20, 30), 0.5, np.float32)) == [(19.5, 29.5)]

    def test_the_threshold_is_strict_and_an_empty_map_has_none(self) -> None:
        assert self.find(np.full((20, 30), 0.1, np.float32)) == []
        assert self.find(np.zeros((2, 2), np.float32)) == []

    def test_two_hundred_equal_peaks_all_survive(self) -> None:
        heat = np.zeros((80, 160), np.float32)
        heat[4::8, 4::8] = 0.7
        assert len(self.find(heat)) == 200
        assert self.find(heat, top_k=3) == [(8.5, 8.5), (8.5, 24.5), (8.5, 40.5)]

    def test_a_map_smaller_than_top_k_is_fine(self) -> None:
        heat = np.zeros((2, 3), np.float32)
        heat[1, 2] = 0.3
        assert self.find(heat) == [(2.5, 4.5)]


def test_two_hundred_things_are_grouped() -> None:
    semantic, instance = np.full((240, 320), TABLE, np.uint8), np.zeros((240, 320), np.int64)
    for i in range(200):
        top, left = 16 + 22 * (i // 20), 4 + 16 * (i % 20)
        instance[top : top + 10, left : left + 8], semantic[top : top + 10, left : left + 8] = i + 1, THINGS[i % 14]
    prediction = predict(perfect_outputs(semantic, instance), size=(240, 320))
    assert same_partition(prediction.segment_id, instance)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_the_nearest_peak_is_that_of_the_full_distance_table(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    peaks = find_peaks(np.zeros((4, 4), np.float32), stride=2, threshold=0.1, window=7, top_k=9)
    peaks = replace(peaks, yx=rng.uniform(0, 100, (count, 2)).astype(np.float32), value=np.ones(count, np.float32))
    points = rng.uniform(0, 100, (2, 9000)).astype(np.float32)
    index, distance2 = nearest_peak(points[0], points[1], peaks)
    table = ((points[:, :, None] - peaks.yx.T[:, None, :]) ** 2).sum(axis=0)
    np.testing.assert_array_equal(index, table.argmin(axis=1))
    np.testing.assert_allclose(distance2, table.min(axis=1), rtol=1e-6)


class TestEnlarging:
    """Labels at a larger size."""

    def test_the_same_size_is_the_same_map(self, rng: np.random.Generator) -> None:
        label = rng.integers(0, 9, (20, 30)).astype(np.uint16)
        np.testing.assert_array_equal(enlarge_labels(label, np.ones((20, 30), np.float32), (20, 30)), label)

    def test_equal_confidence_is_the_nearest_label(self, rng: np.random.Generator) -> None:
        label = np.kron(rng.integers(0, 9, (5, 6)), np.ones((4, 4))).astype(np.uint16)
        large = enlarge_labels(label, np.full(label.shape, 0.7, np.float32), (40, 48))
        np.testing.assert_array_equal(large, np.kron(label, np.ones((2, 2))).astype(np.uint16))

    @pytest.mark.parametrize("size", [(480, 640), (300, 500), (720, 1280)])
    def test_confidence_draws_a_truer_border_than_the_nearest_label(self, size: tuple[int, int]) -> None:
        height, width = size
        y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
        fine = ((y - 0.5) ** 2 + (x - 0.5) ** 2 < 0.1) | (np.abs(y - 0.2 - 0.3 * x) < 0.03)
        share = np.stack([_area_mean(~fine), _area_mean(fine)])
        label, confidence = share.argmax(axis=0).astype(np.uint16), share.max(axis=0).astype(np.float32)
        wrong = (enlarge_labels(label, confidence, size) != fine).sum()
        nearest = (enlarge_labels(label, np.ones_like(confidence), size) != fine).sum()
        assert wrong < 0.4 * nearest


def _area_mean(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    import cv2

    return np.asarray(cv2.resize(mask.astype(np.float64), (320, 240), interpolation=cv2.INTER_AREA))


def test_medians_are_numpys(rng: np.random.Generator) -> None:
    ids = rng.integers(0, 4, (60, 50)).astype(np.uint16)
    depth_m = rng.uniform(0.5, 2, (60, 50)).astype(np.float32)
    medians = segment_medians(ids, depth_m, count=6)
    assert [medians[i] for i in (1, 2, 3)] == pytest.approx([np.median(depth_m[ids == i]) for i in (1, 2, 3)])
    assert np.isnan(medians[4:]).all()


@given(values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40))
def test_the_median_of_few_is_numpys(values: list[float]) -> None:
    of = np.array(values, dtype=np.float32)
    assert median(of) == np.median(of)


def test_every_pixel_is_with_its_label_in_reading_order(rng: np.random.Generator) -> None:
    labels = rng.choice(np.array([0, 2, 3, 7], dtype=np.uint16), (13, 17))
    found = label_pixels(labels, count=9)
    assert len(found) == 9
    for label, pixels in enumerate(found):
        np.testing.assert_array_equal(pixels, np.flatnonzero(labels == label))
