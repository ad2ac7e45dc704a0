"""Every picture of a prediction is a new uint8 RGB array of the image's size; nothing is read, written or shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction, Segment
from scenes.taxonomy import TAXONOMY

Rgb = NDArray[np.uint8]

# Things run from red (near) over green to blue (far) as in the Panoptic-DepthLab paper; stuff has slate tints only, so
# that no background can be taken for an object at some depth.
_STUFF_NEAR = np.array([206.0, 203.0, 216.0])
_STUFF_FAR = np.array([92.0, 90.0, 112.0])
_THING_SPAN = (0.90, 0.13)
_THING_OPACITY, _STUFF_OPACITY, _VOID_OPACITY = 0.72, 0.3, 0.6


def thing_colours(depth_m: NDArray[np.floating], *, near_m: float, far_m: float) -> Rgb:
    """Returns uint8 (..., 3): red at `near_m`, green between, blue at `far_m` and beyond."""
    at_near, at_far = _THING_SPAN
    place = at_near + (at_far - at_near) * _fraction(depth_m, near_m, far_m)
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1]
    return table[np.rint(place * 255).astype(np.intp)].astype(np.uint8)


def stuff_colours(depth_m: NDArray[np.floating], *, near_m: float, far_m: float) -> Rgb:
    """Returns uint8 (..., 3): light slate at `near_m`, dark slate at `far_m` and beyond."""
    fraction = _fraction(depth_m, near_m, far_m)[..., None]
    colours: Rgb = np.rint(_STUFF_NEAR + (_STUFF_FAR - _STUFF_NEAR) * fraction).astype(np.uint8)
    return colours


def panoptic_depth_map(
    prediction: Prediction, *, near_m: float | None = None, far_m: float | None = None, labels: bool = True
) -> Rgb:
    """Returns the panoptic-depth colour map: each segment has one colour, by its kind and its own depth.

    `near_m` and `far_m` bound the colours; by default they are those of this prediction's segments (`depth_span`).
    With `labels`, each thing says its category and depth.
    """
    default_near, default_far = depth_span(prediction)
    near_m = default_near if near_m is None else near_m
    far_m = default_far if far_m is None else far_m
    table = np.full((_largest_id(prediction) + 1, 3), 24, dtype=np.uint8)
    for segment in prediction.segments:
        colours = thing_colours if TAXONOMY[segment.category_id].is_thing else stuff_colours
        table[segment.id] = colours(np.array(segment.depth_m), near_m=near_m, far_m=far_m)
    picture = outline(table[prediction.segment_id], prediction.segment_id)
    if labels:
        _write_labels(picture, prediction, lambda s: f"{TAXONOMY[s.category_id].name} {s.depth_m:.2f} m")
    return picture


def panoptic_overlay(rgb: Rgb, prediction: Prediction, *, labels: bool = True) -> Rgb:
    """Returns the image under the segments in their categories' colours, instances told apart by shade and outline."""
    picture = overlay_segments(rgb, prediction.segment_id, {s.id: s.category_id for s in prediction.segments})
    if labels:
        _write_labels(picture, prediction, lambda s: f"{TAXONOMY[s.category_id].name} {s.score:.2f}")
    return picture


def overlay_segments(rgb: Rgb, ids: NDArray[np.integer], category_of: Mapping[int, int]) -> Rgb:
    """Returns the image under the colours of its segments, strong on things and faint on stuff; void is darkened.

    `ids` (H, W) are 0 for void, else keys of `category_of`.
    """
    size = max(category_of, default=0) + 1
    table, opacity = np.zeros((size, 3)), np.full(size, _VOID_OPACITY)
    for segment, category_id in category_of.items():
        table[segment] = instance_colour(category_id, segment)
        opacity[segment] = _THING_OPACITY if TAXONOMY[category_id].is_thing else _STUFF_OPACITY
    strength = opacity[ids][..., None]
    return outline(np.rint((1 - strength) * rgb + strength * table[ids]).astype(np.uint8), ids)


def instance_colour(category_id: int, instance: int) -> tuple[int, int, int]:
    """Returns the category's colour, for things made a little lighter or darker by the instance's number."""
    category = TAXONOMY[category_id]
    shade = (0.0, 0.22, -0.18, 0.36)[instance % 4] if category.is_thing else 0.0
    toward = 255 if shade > 0 else 0
    red, green, blue = (round(c + (toward - c) * abs(shade)) for c in category.colour)
    return red, green, blue


def outline(picture: Rgb, ids: NDArray[np.integer]) -> Rgb:
    """Returns the picture with a thin dark line wherever two neighbouring pixels have different ids."""
    edge = np.zeros(ids.shape, dtype=bool)
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    edge[1:] |= ids[1:] != ids[:-1]
    drawn = picture.copy()
    drawn[edge] = (drawn[edge] * 0.35).astype(np.uint8)
    return drawn


def depth_error_map(predicted_m: NDArray[np.floating], true_m: NDArray[np.floating], *, limit: float = 0.1) -> Rgb:
    """Returns the relative depth error: white none, red too far, blue too near, full at `limit`; grey without both."""
    valid = np.isfinite(true_m) & (true_m > 0) & np.isfinite(predicted_m)
    error = np.zeros(true_m.shape)
    np.divide(predicted_m - true_m, true_m, out=error, where=valid)
    strength = np.clip(np.abs(error) / limit, 0, 1)[..., None]
    target = np.where((error > 0)[..., None], [178.0, 24.0, 43.0], [33.0, 102.0, 172.0])
    picture = np.where(valid[..., None], 250 + (target - 250) * strength, 128.0)
    return np.rint(picture).astype(np.uint8)


def depth_span(prediction: Prediction) -> tuple[float, float]:
    """Returns the nearest and farthest thing depth in metres, a little widened; of all segments where no thing is."""
    things = [s.depth_m for s in prediction.segments if TAXONOMY[s.category_id].is_thing]
    depths = things or [s.depth_m for s in prediction.segments] or [1.0]
    near, far = min(depths), max(depths)
    margin = max(0.05, 0.1 * (far - near))
    return max(near - margin, 0.01), far + margin


def write_label(picture: Rgb, text: str, u: int, v: int) -> None:
    """Writes white text on a dark plate centred at (u, v) into the picture, kept inside its borders."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.38
    (width, height), base = cv2.getTextSize(text, font, size, 1)
    left = int(np.clip(u - width // 2, 3, max(picture.shape[1] - width - 3, 3)))
    low = int(np.clip(v + height // 2, height + 3, max(picture.shape[0] - base - 2, height + 3)))
    plate = picture[low - height - 3 : low + base, left - 3 : left + width + 3]
    plate[:] = (plate * 0.35).astype(np.uint8)
    cv2.putText(picture, text, (left, low), font, size, (255, 255, 255), 1, cv2.LINE_AA)


def _write_labels(picture: Rgb, prediction: Prediction, text: Callable[[Segment], str]) -> None:
    for segment in prediction.segments:
        rows, columns = np.nonzero(prediction.segment_id == segment.id)
        if TAXONOMY[segment.category_id].is_thing and len(rows) >= 80:
            write_label(picture, text(segment), int(np.median(columns)), int(np.median(rows)))


def _fraction(depth_m: NDArray[np.floating], near_m: float, far_m: float) -> NDArray[np.float64]:
    depth = np.nan_to_num(np.asarray(depth_m, dtype=np.float64), nan=far_m, posinf=far_m)
    return np.clip((depth - near_m) / max(far_m - near_m, 1e-6), 0.0, 1.0)


def _largest_id(prediction: Prediction) -> int:
    return max((segment.id for segment in prediction.segments), default=0)
