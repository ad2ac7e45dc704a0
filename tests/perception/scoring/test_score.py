"""Scores of frames: perfect, empty and missing answers, order of frames, and the form in which figures leave."""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest

from perception.prediction import Prediction
from perception.scoring import HEADLINES, Scores, combine, score_frame, score_frames
from perception.scoring.frame_score import empty_prediction, scene_of
from perception.scoring.score import CategoryScores
from tests.perception.scoring.label_maps import make_frame, noisy_prediction, perfect_prediction

BEST_IS_ZERO = ("absrel", "sqrel", "rmse", "mae", "log10", "silog", "irmse", "invalid", "box_center", "segment_depth")
OVER_TIME = {"vpq", "vpq_k2", "vpq_k3", "vpq_k4", "dvpq", "dvpq_things", "dvpq_stuff"} | {
    f"dvpq_k{k}_l{limit}" for k in (2, 3, 4) for limit in (10, 25, 50)
}


def frames_of(rng, scenes: int = 10, views: int = 2):
    return [make_frame(rng, name=f"fake/{s:06d}/view{v}") for s in range(scenes) for v in range(views)]


@pytest.fixture
def noisy(rng):
    return [(frame, noisy_prediction(frame, rng)) for frame in frames_of(rng)]


def test_perfect_predictions_have_the_best_value_of_every_figure(rng):
    scores = score_frames((frame, perfect_prediction(frame)) for frame in frames_of(rng))
    assert set(HEADLINES) <= set(scores.figures)
    for key, figure in scores.figures.items():
        if key in OVER_TIME:  # these are stills
            assert figure.value is None
            continue
        best = 0.0 if key.startswith(BEST_IS_ZERO) else 1.0
        assert figure.value == pytest.approx(best, abs=1e-6), key
        assert figure.low == pytest.approx(best, abs=1e-6), key
    assert scores.missing == ()
    assert (scores.frame_count, scores.scene_count) == (20, 10)


def test_an_answer_that_never_came_counts_as_an_empty_one(rng):
    frames = frames_of(rng, 8, 1)
    none = score_frames((frame, None) for frame in frames)
    empty = score_frames((frame, empty_prediction(frame.truth.semantic.shape)) for frame in frames)
    assert none.figures == empty.figures
    assert none.missing == tuple(sorted(frame.name for frame in frames))
    assert empty.missing == ()
    assert [none[key].value for key in ("pq", "rq", "miou", "mask_ap", "box_ap25", "delta1_pooled")] == [0] * 6
    assert none["invalid_pooled"].value == 1
    assert none["absrel_pooled"].value is None
    assert none["box_iou_mean"].reason == "no thing was matched"


def test_missing_answers_lower_the_score_in_proportion(rng):
    frames = frames_of(rng, 8, 2)
    half = score_frames((f, perfect_prediction(f) if f.name.endswith("view0") else None) for f in frames)
    assert 0.3 < half["rq"].value < 0.8
    assert half["sq"].value == 1
    assert len(half.missing) == 8
    assert half["delta1_image_mean"].value == pytest.approx(0.5)
    assert (half["delta1_image_mean"].n, half["absrel_image_mean"].n) == (16, 8)


def test_the_order_of_frames_does_not_matter(noisy):
    ordered, shuffled = score_frames(noisy), score_frames([noisy[k] for k in np.random.default_rng(1).permutation(20)])
    assert ordered.to_dict() == shuffled.to_dict()


def test_scores_of_frames_made_apart_combine_to_the_same(noisy):
    together = score_frames(noisy)
    parts = [score_frame(*pair) for pair in noisy[:7]], [score_frame(*pair) for pair in noisy[7:]]
    assert combine([*parts[1], *parts[0]]).to_dict() == together.to_dict()


@pytest.mark.parametrize("ties", [True, False])
def test_a_score_that_counts_often_counts_as_its_copies_do(noisy, rng, ties):
    scores = [score_frame(*pair) for pair in noisy]
    if not ties:  # those of the fixture are steps of a fifth
        masks = [replace(s.masks, score=rng.random(len(s.masks.score))) for s in scores]
        scores = [replace(score, masks=mask) for score, mask in zip(scores, masks, strict=True)]
    again = [*scores, *scores[:7], *scores[:3]]
    apart = [copy.deepcopy(score) for score in again]
    assert combine(again).to_dict() == combine(apart).to_dict()


def test_values_lie_in_their_intervals_and_within_bounds(noisy):
    scores = score_frames(noisy)
    for key, figure in scores.figures.items():
        if key in OVER_TIME:
            continue
        assert figure.low <= figure.value <= figure.high, key
        if figure.unit == "fraction" and not key.startswith(("absrel", "sqrel", "segment_depth")):
            assert 0 <= figure.low <= figure.high <= 1, key
    assert scores["pq"].low < scores["pq"].value < scores["pq"].high


def test_category_table_adds_up(noisy):
    scores = score_frames(noisy)
    assert np.mean([c.figures["pq"].value for c in scores.categories]) == pytest.approx(scores["pq"].value)
    assert np.mean([c.figures["mask_ap"].value for c in things(scores)]) == pytest.approx(scores["mask_ap"].value)
    header, *rows = scores.category_rows()
    assert {len(row) for row in rows} == {len(header)}
    assert [row[0] for row in rows] == ["wall", "table", "bottle", "cup", "bowl"]


def things(scores: Scores) -> list[CategoryScores]:
    return [category for category in scores.categories if category.kind == "thing"]


def test_figures_leave_as_plain_json(noisy):
    values = json.loads(json.dumps(score_frames(noisy).to_dict(), allow_nan=False))
    assert values["format"] == 1
    assert values["figures"]["pq"].keys() == {"value", "low", "high", "n", "unit", "reason"}
    assert values["figures"]["box_iou_mean"]["n"] > 20


def test_rows_name_value_and_sample(noisy):
    scores = score_frames(noisy)
    rows = scores.rows()
    assert [row[0] for row in rows] == list(HEADLINES)
    assert rows[0][1].endswith("%")
    assert rows[0][2] == 20
    assert scores.rows(["rmse_m_pooled"])[0][1].endswith(" m")


def test_few_scenes_have_no_interval(noisy):
    scores = score_frames(noisy[:6])
    assert scores["pq"].low is None
    assert "too few scenes (3 < 8)" in scores["pq"].reason


def test_a_box_that_could_not_be_fitted_counts_as_no_overlap(rng):
    frame = make_frame(rng)
    perfect = perfect_prediction(frame)
    bare = tuple(
        type(s)(id=s.id, category_id=s.category_id, score=s.score, depth_m=s.depth_m) for s in perfect.segments
    )
    found = score_frame(frame, Prediction(segment_id=perfect.segment_id, segments=bare, depth_m=perfect.depth_m)).found
    assert len(found.box_iou) > 0
    assert found.box_iou.max() == 0
    assert np.isnan(found.center_error_m).all()
    assert found.depth_error_m.max() == pytest.approx(0)


def test_centre_and_depth_error_of_found_things_are_in_metres(rng):
    frame = make_frame(rng)
    perfect = perfect_prediction(frame)
    moved = np.eye(4)
    moved[:3, 3] = (0.003, 0.004, 0.012)
    segments = tuple(
        type(s)(
            id=s.id, category_id=s.category_id, score=s.score, depth_m=s.depth_m + 0.1,
            box_camera=s.box_camera.moved(moved) if s.box_camera else None,
        )
        for s in perfect.segments
    )  # fmt: skip
    found = score_frame(
        frame, Prediction(segment_id=perfect.segment_id, segments=segments, depth_m=perfect.depth_m)
    ).found
    np.testing.assert_allclose(found.center_error_m, 0.013, atol=1e-9)
    np.testing.assert_allclose(found.depth_error_m, 0.1, atol=1e-6)


def test_no_frame_is_an_error():
    with pytest.raises(ValueError, match="at least one frame"):
        score_frames([])


def test_a_prediction_of_another_size_names_its_frame(rng):
    with pytest.raises(ValueError, match=r"fake/000007/view1.*\(36, 48\), got \(10, 10\)"):
        score_frame(make_frame(rng, name="fake/000007/view1"), empty_prediction((10, 10)))


@pytest.mark.parametrize(
    ("name", "scene"), [("tabletop-v1/test/seed0/000003/view1", "tabletop-v1/test/seed0/000003"), ("photo", "photo")]
)
def test_the_scene_of_a_frame_is_its_name_without_the_camera(name, scene):
    assert scene_of(name) == scene


def test_two_hundred_frames_are_combined_in_seconds(rng):
    few = [score_frame(frame, noisy_prediction(frame, rng)) for frame in frames_of(rng, 10, 2)]
    start = time.process_time()
    scores = combine(few * 10)
    assert time.process_time() - start < 20
    assert math.isfinite(scores["pq"].low)
