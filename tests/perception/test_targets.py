"""Targets follow Panoptic-DeepLab's conventions, and a network that answered with them would score almost perfectly."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.engine import RawOutput
from perception.grouping import GroupingSpec
from perception.postprocess import panoptic_depth
from perception.targets import TargetSpec, center_heatmap, make_targets, mass_centers
from scenes.taxonomy import TAXONOMY
from tests.perception.synthetic_samples import samples


@pytest.mark.parametrize("case", [0, 1, 2])
def test_agrees_with_the_published_generator(case: int, shared_dir: Path) -> None:
    with np.load(shared_dir / "fixtures" / "panoptic_deeplab" / "fixture_targets.npz", allow_pickle=False) as file:
        data = {k.partition("/")[2]: file[k] for k in file.files if k.startswith(f"{case}/")}
    sigma = float(data["args"][0])
    segments = {s["id"]: s for s in json.loads(str(data["segs"]))}
    things = [i for i in sorted(segments) if segments[i]["category_id"] >= 4]
    instance = np.zeros(data["pan"].shape, np.uint8)
    for number, identity in enumerate(things, start=1):
        instance[data["pan"] == identity] = number
    targets = make_targets(
        instance, instance, np.ones(instance.shape, np.float32), TargetSpec(stride=1, sigma_cells=sigma)
    )
    np.testing.assert_allclose(targets.center, data["center"], atol=1e-6)
    np.testing.assert_allclose(targets.offset, data["offset"], atol=1e-4)
    if data["args"][1]:  # its weights leave out stuff, and crowd, which we have not
        assert (targets.thing[data["offset_weights"][0] > 0] == 1).all()


def test_center_of_a_rectangle_is_its_middle() -> None:
    instance = np.zeros((20, 30), np.uint8)
    instance[4:9, 10:17] = 2
    centers, areas = mass_centers(instance)
    assert areas.tolist() == [600 - 35, 0, 35]
    np.testing.assert_array_equal(centers[2], [6.0, 13.0])
    assert np.isnan(centers[:2]).all()


def test_offset_leads_every_pixel_to_its_center_in_input_pixels(rng: np.random.Generator) -> None:
    sample = samples(1, (96, 128), rng=rng)[0]
    phase = (1, 0)
    t = make_targets(sample.semantic, sample.instance, sample.depth_m, TargetSpec(), phase=phase)
    centers, _ = mass_centers(sample.instance)
    ids = sample.instance[1::2, 0::2]
    y, x = np.nonzero(ids)
    reached = np.stack([2 * y + 0.5, 2 * x + 0.5], axis=1) + t.offset[:, y, x].T
    np.testing.assert_allclose(reached, centers[ids[y, x]], atol=1e-4)
    assert (t.offset[:, ids == 0] == 0).all()


def test_heat_is_one_at_every_center_inside_and_bounded(rng: np.random.Generator) -> None:
    centers = rng.uniform(0, 40, (6, 2)).astype(np.float32)
    heat = center_heatmap(centers, (41, 41), 2.5)
    assert heat.max() == 1
    for y, x in centers:
        assert heat[round(float(y)), round(float(x))] == 1
    assert heat.min() >= 0


def test_a_center_outside_the_map_does_not_wrap() -> None:
    heat = center_heatmap(np.array([[-30.0, -30.0], [70.0, 2.0]], np.float32), (16, 16), 2.5)
    assert (heat == 0).all()


def test_small_instances_weigh_more_and_never_less_than_one() -> None:
    instance = np.zeros((100, 100), np.uint8)
    instance[:2, :2], instance[10:60, 10:60] = 1, 2
    t = make_targets(instance + 4, instance, np.ones((100, 100), np.float32), TargetSpec())
    assert t.weight[0, 0] == TargetSpec().max_weight
    assert t.weight[20, 20] == 1
    assert t.weight[45, 45] == 1


def test_unknown_depth_is_nan_and_the_rest_is_its_logarithm() -> None:
    depth = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [np.inf, np.inf, 2, 2], [np.inf, np.inf, 2, 2]], np.float32)
    none = np.zeros((4, 4), np.uint8)
    log_depth = make_targets(none, none, depth, TargetSpec()).log_depth
    assert log_depth[0, 0] == 0
    assert np.isnan(log_depth[0, 1])
    assert np.isnan(log_depth[1, 0])
    assert log_depth[1, 1] == pytest.approx(np.log(2))


def test_perfect_answers_give_back_the_truth_through_the_postprocessing(rng: np.random.Generator) -> None:
    """The same conventions on both sides: stride, half pixels, (dy, dx) order and the sign of the offset."""
    for sample in samples(4, (192, 256), rng=rng):
        t = make_targets(sample.semantic, sample.instance, sample.depth_m, TargetSpec())
        one_hot = [(t.category == c).astype(np.float32) for c in range(len(TAXONOMY))]
        enlarged = np.stack([cv2.resize(m, (256, 192)) for m in one_hot])
        raw = RawOutput(
            category=enlarged.argmax(0)[None].astype(np.int32),
            confidence=enlarged.max(0)[None],
            center=t.center[None, None],
            offset=t.offset[None],
            depth=np.exp(t.log_depth)[None, None],
        )
        taxonomy_id = np.arange(256, dtype=np.uint8)
        prediction = panoptic_depth(raw, taxonomy_id=taxonomy_id, size=(192, 256), depth_scale=1.0, spec=GroupingSpec())
        assert (prediction.semantic() == sample.semantic).mean() > 0.95
        for number in np.unique(sample.instance)[1:]:
            mask = sample.instance == number
            if mask.sum() >= 60:
                ids, counts = np.unique(prediction.segment_id[mask], return_counts=True)
                overlap = counts.max() / (mask | (prediction.segment_id == ids[counts.argmax()])).sum()
                assert overlap > 0.7
        assert np.median(np.abs(prediction.depth_m / sample.depth_m - 1)) < 0.02
