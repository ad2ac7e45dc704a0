"""AP of oriented 3D boxes against the amodal boxes of the objects that the camera can see, in the camera frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction
from perception.scoring.average_precision import Candidates, Detections, match_detections
from perception.scoring.box_iou import box_iou
from scenes.box import OrientedBox
from scenes.transforms import inverse
from sim.frame import Frame

BOX_THRESHOLDS = np.linspace(0.05, 0.5, 10)  # Omni3D's; AP25 and AP50 are two of them
BOX_AP25, BOX_AP50 = 4, 9
MIN_VISIBLE_FRACTION = 0.1  # as BOP has it: an object seen less is neither asked for nor held against a prediction


def true_boxes_camera(frame: Frame) -> tuple[OrientedBox, ...]:
    """Returns the box of every truth object, moved to the camera frame (OpenCV axes), in the order of truth.objects."""
    camera_from_world = inverse(frame.camera.world_from_camera.matrix())
    return tuple(record.box_world.moved(camera_from_world) for record in frame.truth.objects)


def segment_box_iou(frame: Frame, prediction: Prediction, true_boxes: tuple[OrientedBox, ...]) -> NDArray[np.float64]:
    """Returns the IoU, float64 (segments, objects), of boxes of one category; 0 elsewhere and where there is no box."""
    category = _segment_category(prediction)
    has_box = np.array([segment.box_camera is not None for segment in prediction.segments], dtype=bool)
    known = np.array([record.has_box for record in frame.truth.objects], dtype=bool)
    same = category[:, None] == _object_category(frame)[None, :]
    rows, columns = np.nonzero(same & has_box[:, None] & known[None, :])
    boxes = [segment.box_camera for segment in prediction.segments]
    pairs = [(box, true_boxes[c]) for box, c in zip((boxes[r] for r in rows), columns, strict=True) if box is not None]
    iou = np.zeros((len(boxes), len(true_boxes)))
    iou[rows, columns] = box_iou([box for box, _ in pairs], [true for _, true in pairs])
    return iou


def detect_boxes(frame: Frame, prediction: Prediction, iou: NDArray[np.float64], category_count: int) -> Detections:
    """Matches the boxes of one image at BOX_THRESHOLDS, given `segment_box_iou`; no box is no detection.

    An image whose truth lacks a box is not judged: it adds neither truth nor detections.
    """
    if not all(record.has_box for record in frame.truth.objects):
        return _not_judged(category_count)
    boxed = [k for k, segment in enumerate(prediction.segments) if segment.box_camera is not None]
    hidden = [record.visible_fraction < MIN_VISIBLE_FRACTION for record in frame.truth.objects]
    candidates = Candidates(
        iou=iou[boxed],
        category=_segment_category(prediction)[boxed],
        score=np.array([prediction.segments[k].score for k in boxed], dtype=np.float64),
        truth_category=_object_category(frame),
        truth_ignored=np.array(hidden, dtype=bool),
        truth_crowd=np.zeros(len(hidden), dtype=bool),
    )
    return match_detections(candidates, BOX_THRESHOLDS, category_count)


def _not_judged(category_count: int) -> Detections:
    empty = np.zeros((0, len(BOX_THRESHOLDS)), dtype=bool)
    return Detections(
        category=np.zeros(0, dtype=np.int64),
        score=np.zeros(0),
        hit=empty,
        ignored=empty,
        truth_count=np.zeros(category_count, dtype=np.int64),
    )


def _segment_category(prediction: Prediction) -> NDArray[np.int64]:
    return np.array([segment.category_id for segment in prediction.segments], dtype=np.int64)


def _object_category(frame: Frame) -> NDArray[np.int64]:
    return np.array([record.category_id for record in frame.truth.objects], dtype=np.int64)
