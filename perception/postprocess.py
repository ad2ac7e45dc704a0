"""From the network's raw outputs to a prediction at the size of the image: the same for every engine, without boxes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception._label_pixels import label_pixels
from perception._median import median
from perception._rays import Intrinsics
from perception.centers import find_peaks
from perception.edges import sharpen_depth
from perception.engine import RawOutput
from perception.flatten import flatten_table
from perception.grouping import Grouping, GroupingSpec, group
from perception.prediction import Prediction, Segment
from perception.upsample import enlarge_labels
from scenes.distortion import Distortion
from scenes.errors import EngineError

_MIN_DEPTH_M = 1e-3
_SMEAR_PX = 2  # depth comes at stride 2, so an outline is smeared over that many pixels of the network's input
_MEDIAN_GRID, _MEDIAN_SAMPLE = 76_800, 512


def panoptic_depth(
    raw: RawOutput,
    *,
    taxonomy_id: NDArray[np.uint8],
    size: tuple[int, int],
    depth_scale: float | NDArray[np.float32],
    spec: GroupingSpec,
    intrinsics: Intrinsics | None = None,
    distortion: Distortion | None = None,
) -> Prediction:
    """Returns the segments and the depth of one image of (H, W) pixels; segments have no boxes yet.

    `taxonomy_id` uint8 (256,) maps the network's categories to the taxonomy's; `depth_scale`, one number or one for each
    row (h/2, 1), turns its depth to metres.
    With the camera's `intrinsics`, and the `distortion` of its lens where it has one, the table is made flat
    (`perception.flatten`); without, depth stays the network's own.
    Raises EngineError where the network gave numbers that are not finite.
    """
    for name in ("confidence", "center", "offset", "depth"):
        if not np.isfinite(getattr(raw, name)).all():
            raise EngineError(f"The network's output {name!r} holds values that are not finite; run it with precision f32.")
    heat = raw.center[0, 0]
    category = taxonomy_id.take(raw.category[0], mode="clip")
    stride = category.shape[0] // heat.shape[0]
    peaks = find_peaks(heat, stride=stride, threshold=spec.center_threshold, window=spec.nms_window, top_k=spec.top_k)
    grouping = group(category, raw.confidence[0], raw.offset[0], peaks, spec)
    small_depth_m = np.maximum(raw.depth[0, 0] * np.asarray(depth_scale, dtype=np.float32), np.float32(_MIN_DEPTH_M))
    depth_m = cv2.resize(small_depth_m, category.shape[::-1], interpolation=cv2.INTER_LINEAR)
    depth_m = sharpen_depth(grouping.ids, depth_m.astype(np.float32, copy=False), reach_px=_SMEAR_PX)
    depth_m = cv2.resize(depth_m, size[::-1], interpolation=cv2.INTER_LINEAR)
    ids = enlarge_labels(grouping.ids, raw.confidence[0], size)
    depth_m = depth_m.astype(np.float32, copy=False)
    if intrinsics is not None:
        flatten_table(ids, dict(enumerate(grouping.category.tolist())), depth_m, intrinsics, distortion)
    return _prediction(grouping, ids, depth_m)


def _prediction(grouping: Grouping, ids: NDArray[np.uint16], depth_m: NDArray[np.float32]) -> Prediction:
    """Joins maps and segments; a segment that lost its last pixel to a neighbour when the map was enlarged is left out."""
    medians = segment_medians(ids, depth_m, count=len(grouping.category))
    segments = tuple(
        Segment(id=i, category_id=int(grouping.category[i]), score=float(grouping.score[i]), depth_m=float(medians[i]))
        for i in range(1, len(grouping.category))
        if np.isfinite(medians[i])
    )
    return Prediction(segment_id=ids.astype(np.int32), segments=segments, depth_m=depth_m)


def segment_medians(ids: NDArray[np.uint16], depth_m: NDArray[np.float32], *, count: int) -> NDArray[np.float64]:
    """Returns the median depth per id 0..count-1, nan where an id has no pixel.

    A segment is read on an even spread of its pixels, at least 512 of them where it has as many, so each costs the same.
    """
    step = max(1, round((ids.size / _MEDIAN_GRID) ** 0.5))
    every = (slice(step // 2, None, step),) * 2
    values = depth_m[every].reshape(-1)
    medians = np.full(count, np.nan)
    for i, pixels in enumerate(label_pixels(ids[every], count=count)):
        if i == 0:
            continue
        sample = values[pixels] if len(pixels) >= _MEDIAN_SAMPLE else depth_m[ids == i]
        if len(sample):
            medians[i] = median(sample[:: max(1, len(sample) // (2 * _MEDIAN_SAMPLE))])
    return medians
