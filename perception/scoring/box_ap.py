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


def detect_boxes(
    frame: Frame, prediction: Prediction, true_boxes: tuple[OrientedBox, ...], category_count: int
) -> Detections:
    """Matches the predicted boxes of one image at BOX_THRESHOLDS; segments without a box are no detections."""
    found = [(s.category_id, s.score, s.box_camera) for s in prediction.segments if s.box_camera is not None]
    category = np.array([c for c, _, _ in found], dtype=np.int64)
    truth_category = np.array([record.category_id for record in frame.truth.objects], dtype=np.int64)
    iou = np.zeros((len(found), len(true_boxes)))
    rows, columns = np.nonzero(category[:, None] == truth_category[None, :])
    iou[rows, columns] = box_iou([found[r][2] for r in rows], [true_boxes[c] for c in columns])
    candidates = Candidates(
        iou=iou,
        category=category,
        score=np.array([s for _, s, _ in found], dtype=np.float64),
        truth_category=truth_category,
        truth_ignored=_too_hidden(frame),
        truth_crowd=np.zeros(len(true_boxes), dtype=bool),
    )
    return match_detections(candidates, BOX_THRESHOLDS, category_count)


def _too_hidden(frame: Frame) -> NDArray[np.bool_]:
    return np.array([record.visible_fraction < MIN_VISIBLE_FRACTION for record in frame.truth.objects], dtype=bool)
