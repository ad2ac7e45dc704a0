"""Box AP in the camera frame: what counts as truth, what is ignored, and resamples that equal repeated frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.prediction import Prediction, Segment
from perception.scoring.average_precision import Detections, average_precision
from perception.scoring.box_ap import (
    BOX_AP25,
    BOX_AP50,
    BOX_THRESHOLDS,
    detect_boxes,
    segment_box_iou,
    true_boxes_camera,
)
from perception.scoring.statistics import Resamples, resample_scenes
from scenes.box import OrientedBox
from scenes.taxonomy import TAXONOMY
from scenes.transforms import inverse
from sim.frame import Frame
from tests.perception.scoring.label_maps import BOTTLE, BOWL, CUP, make_frame, noisy_prediction

COUNT = len(TAXONOMY)


def frame_with(rng, *objects: tuple[int, float]) -> Frame:
    """Returns a frame whose objects have these categories and visible fractions, and far apart boxes."""
    frame = make_frame(rng, things=len(objects))
    truth = frame.truth
    semantic = np.where(truth.instance > 0, np.uint8(3), truth.semantic)
    records = []
    for k, (record, (category, visible)) in enumerate(zip(truth.objects, objects, strict=True)):
        shift = np.eye(4)
        shift[0, 3] = 10.0 * k
        box = record.box_world.moved(shift)
        records.append(replace(record, category_id=category, visible_fraction=visible, box_world=box))
    blank = np.zeros_like(truth.instance)
    return replace(frame, truth=replace(truth, semantic=semantic, instance=blank, objects=tuple(records)))


def predict(*found: tuple[int, float, OrientedBox | None]) -> Prediction:
    segments = tuple(
        Segment(id=k, category_id=c, score=s, depth_m=1.0, box_camera=b) for k, (c, s, b) in enumerate(found, start=1)
    )
    zeros = np.zeros((36, 48), dtype=np.int32)
    return Prediction(segment_id=zeros, segments=segments, depth_m=np.ones((36, 48), dtype=np.float32))


def detect(frame: Frame, prediction: Prediction) -> Detections:
    return detect_boxes(frame, prediction, segment_box_iou(frame, prediction, true_boxes_camera(frame)), COUNT)


def ap(*frames: Detections) -> np.ndarray:
    resamples = resample_scenes([str(k) for k in range(len(frames))], rng=np.random.default_rng(0), replicates=1)
    return average_precision(list(frames), resamples)[0]


def slid(box: OrientedBox, share: float) -> OrientedBox:
    """Returns the box moved along its own x by a share of its edge: IoU = (1 - share) / (1 + share)."""
    along = np.eye(4)
    along[:3, 3] = box.outer_from_box.matrix()[:3, 0] * box.size_m[0] * share
    return box.moved(along)


def test_thresholds_are_omni3ds():
    np.testing.assert_allclose(BOX_THRESHOLDS, np.arange(1, 11) * 0.05)
    assert BOX_THRESHOLDS[[BOX_AP25, BOX_AP50]] == pytest.approx([0.25, 0.5])


def test_true_boxes_are_in_the_camera_frame(rng):
    frame = make_frame(rng)
    camera_from_world = inverse(frame.camera.world_from_camera.matrix())
    for record, box in zip(frame.truth.objects, true_boxes_camera(frame), strict=True):
        corners = np.c_[record.box_world.corners(), np.ones(8)] @ camera_from_world.T
        np.testing.assert_allclose(box.corners(), corners[:, :3], atol=1e-12)


def test_the_true_boxes_score_one(rng):
    frame = frame_with(rng, (CUP, 1.0), (CUP, 0.5), (BOWL, 0.1))
    boxes = true_boxes_camera(frame)
    result = ap(detect(frame, predict((CUP, 0.9, boxes[0]), (CUP, 0.8, boxes[1]), (BOWL, 0.7, boxes[2]))))
    assert result[[CUP, BOWL]].min() == 1
    assert np.isnan(result[BOTTLE]).all()


@pytest.mark.parametrize(("share", "iou"), [(0.2, 0.8 / 1.2), (0.45, 0.55 / 1.45), (0.65, 0.35 / 1.65)])
def test_a_box_is_found_up_to_its_iou(rng, share, iou):
    frame = frame_with(rng, (CUP, 1.0))
    result = ap(detect(frame, predict((CUP, 0.9, slid(true_boxes_camera(frame)[0], share)))))
    np.testing.assert_array_equal(result[CUP], (iou >= BOX_THRESHOLDS).astype(float))


def test_an_object_that_is_hardly_visible_is_neither_missed_nor_a_false_alarm(rng):
    frame = frame_with(rng, (CUP, 1.0), (CUP, 0.09))
    boxes = true_boxes_camera(frame)
    assert ap(detect(frame, predict((CUP, 0.9, boxes[0]))))[CUP].min() == 1
    assert ap(detect(frame, predict((CUP, 0.9, boxes[1]), (CUP, 0.8, boxes[0]))))[CUP].min() == 1


def test_segments_without_a_box_are_no_detections_but_the_object_stays_missed(rng):
    frame = frame_with(rng, (CUP, 1.0))
    detections = detect(frame, predict((CUP, 0.9, None)))
    assert len(detections.category) == 0
    assert ap(detections)[CUP].tolist() == [0.0] * 10


def test_the_right_box_of_the_wrong_category_is_missed(rng):
    frame = frame_with(rng, (CUP, 1.0))
    assert ap(detect(frame, predict((BOWL, 0.9, true_boxes_camera(frame)[0]))))[CUP].max() == 0


def test_the_best_score_takes_the_object_first(rng):
    frame = frame_with(rng, (CUP, 1.0))
    true = true_boxes_camera(frame)[0]
    detections = detect(frame, predict((CUP, 0.4, true), (CUP, 0.9, slid(true, 0.2))))
    assert detections.hit[:, BOX_AP50].tolist() == [True, False]
    assert detections.score.tolist() == [0.9, 0.4]


def test_ap_of_a_resample_is_that_of_its_frames_repeated(rng):
    frames = [make_frame(rng) for _ in range(9)]
    detections = []
    for frame in frames:
        noisy = noisy_prediction(frame, rng)
        untied = tuple(replace(s, score=float(rng.random())) for s in noisy.segments)
        detections.append(detect(frame, replace(noisy, segments=untied)))
    scenes = [f"scene{k % 4}" for k in range(9)]
    resamples = resample_scenes(scenes, rng=rng, replicates=6)
    weighted = average_precision(detections, resamples)
    for weight, expected in zip(resamples.weights, weighted, strict=True):
        count = weight[resamples.scene_of_frame].astype(int)
        repeated = [d for d, times in zip(detections, count, strict=True) for _ in range(times)]
        plain = Resamples(weights=np.ones((1, 1)), scene_of_frame=np.zeros(len(repeated), dtype=np.int64))
        np.testing.assert_allclose(average_precision(repeated, plain)[0], expected, atol=1e-12)
