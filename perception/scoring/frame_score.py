"""The score of one image as counts and sums, from which the figures of any set of images can be made."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction
from perception.scoring.average_precision import Detections
from perception.scoring.box_ap import detect_boxes, segment_box_iou, true_boxes_camera
from perception.scoring.depth import segment_medians_m, sum_depth
from perception.scoring.mask_ap import detect_masks
from perception.scoring.overlap import frame_overlap
from perception.scoring.panoptic import PanopticMatch, count_panoptic, match_panoptic
from perception.scoring.semantic import count_confusion
from perception.scoring.tubes import TubeCounts, count_tubes
from scenes.box import OrientedBox
from scenes.taxonomy import TAXONOMY
from sim.frame import Frame

_IS_THING = np.array([category.is_thing for category in TAXONOMY])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundThings:
    """The things of one image that a predicted mask matched (one category, IoU > 0.5), one entry each, float64 (N,).

    box_iou is 0 and center_error_m is nan where the segment has no box, both are nan where the truth has none;
    depth_error_m and depth_absrel compare the median predicted depth of the segment with the median true depth of the
    object.
    """

    box_iou: NDArray[np.float64]
    center_error_m: NDArray[np.float64]
    depth_error_m: NDArray[np.float64]
    depth_absrel: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameScore:
    """What one image adds to every figure, with C = len(TAXONOMY).

    panoptic float64 (C, 4): TP, FP, FN, sum of IoU; confusion float64 (C, C) in pixels; depth float64 (14,), the sums of
    scoring.depth; `tubes` is what it adds to windows of frames; `missing` says that there was no prediction, which counts as
    an empty one.
    """

    name: str
    scene: str
    missing: bool
    panoptic: NDArray[np.float64]
    confusion: NDArray[np.float64]
    depth: NDArray[np.float64]
    masks: Detections
    boxes: Detections
    found: FoundThings
    tubes: TubeCounts


def scene_of(frame_name: str) -> str:
    """Returns the scene of a frame: its name without the last part, `scene/camera`."""
    return frame_name.rpartition("/")[0] or frame_name


def empty_prediction(shape: tuple[int, ...]) -> Prediction:
    """Returns the prediction that claims nothing: all void, no valid depth."""
    return Prediction(
        segment_id=np.zeros(shape, dtype=np.int32), segments=(), depth_m=np.full(shape, np.nan, dtype=np.float32)
    )


def score_frame(frame: Frame, prediction: Prediction | None) -> FrameScore:
    """Scores one prediction; None is a prediction that never came: everything in the image is missed.

    Raises ValueError where the prediction has another size or does not hold together, naming the frame.
    """
    answer = empty_prediction(frame.truth.semantic.shape) if prediction is None else prediction
    try:
        overlap = frame_overlap(frame.truth, answer)
    except ValueError as error:
        raise ValueError(f"Frame {frame.name!r}: {error}") from error
    match = match_panoptic(overlap)
    boxes = true_boxes_camera(frame)
    box_iou = segment_box_iou(frame, answer, boxes)
    return FrameScore(
        name=frame.name,
        scene=scene_of(frame.name),
        missing=prediction is None,
        panoptic=count_panoptic(overlap, match, len(TAXONOMY)),
        confusion=count_confusion(overlap, len(TAXONOMY)),
        depth=sum_depth(frame.truth.depth_m, answer.depth_m),
        masks=detect_masks(overlap, _IS_THING),
        boxes=detect_boxes(frame, answer, box_iou, len(TAXONOMY)),
        found=_found_things(frame, answer, match, boxes, box_iou),
        tubes=count_tubes(frame.truth, answer, overlap),
    )


def _found_things(
    frame: Frame,
    prediction: Prediction,
    match: PanopticMatch,
    true_boxes: tuple[OrientedBox, ...],
    box_iou: NDArray[np.float64],
) -> FoundThings:
    thing = match.row >= len(TAXONOMY)
    objects, columns = match.row[thing] - len(TAXONOMY), match.column[thing] - 1
    segments = [prediction.segments[k] for k in columns]
    ids = np.array([frame.truth.objects[k].instance_id for k in objects], dtype=np.int64)
    true_depth = segment_medians_m(frame.truth.depth_m, frame.truth.instance, ids)
    error = np.abs(np.array([segment.depth_m for segment in segments], dtype=np.float64) - true_depth)
    center = [_center_distance_m(true_boxes[k], s.box_camera) for k, s in zip(objects, segments, strict=True)]
    known = np.array([frame.truth.objects[k].has_box for k in objects], dtype=bool)
    return FoundThings(
        box_iou=np.where(known, box_iou[columns, objects], np.nan),
        center_error_m=np.array(center, dtype=np.float64),
        depth_error_m=error,
        depth_absrel=error / true_depth,
    )


def _center_distance_m(first: OrientedBox, second: OrientedBox | None) -> float:
    return math.nan if second is None else math.dist(first.outer_from_box.position_m, second.outer_from_box.position_m)
