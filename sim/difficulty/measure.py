"""How hard each object of a frame is to see, in measured quantities, not in names: recorded as difficulty_N.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, points_in_camera
from scenes.errors import DatasetError
from sim.basicwriter import file_name
from sim.difficulty.colour import LINEAR_OF_SRGB, delta_e_2000, lab_of_linear
from sim.frame import BoxPx, Frame, ObjectTruth

KIND = "difficulty"
# The ring around an object, in which its surroundings are looked at, is this share of the image's height, at least 2 px.
RING_SHARE, RING_LEAST_PX = 1 / 120, 2

_EDGES = [(i, i | bit) for i in range(8) for bit in (1, 2, 4) if not i & bit]
_FAR_PX = 1e5
FIGURES = ("visible_fraction", "size_px", "distance_m", "clearance_m", "contrast", "truncation")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDifficulty:
    """What makes one object of one frame hard to see; None is what cannot be measured.

    visible_fraction: of its pixels in this image, those that nothing hides, 0..1. size_px: its visible pixels.
    distance_m: from the camera to the middle of its 3D box. clearance_m: to the nearest other thing, between collision
    shapes. contrast: CIEDE2000 between the mean colour (in linear light) of its visible pixels and of the ring around
    them. truncation: the share of the outline of its 3D box that lies beyond the image, 0..1.
    """

    instance_id: int
    body_name: str
    visible_fraction: float
    size_px: int
    distance_m: float
    clearance_m: float | None
    contrast: float | None
    truncation: float

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ObjectDifficulty:
        """Reads what `dataclasses.asdict` gave; raises KeyError, TypeError or ValueError."""
        clearance_m, contrast = values["clearance_m"], values["contrast"]
        return cls(
            instance_id=int(values["instance_id"]),
            body_name=str(values["body_name"]),
            visible_fraction=float(values["visible_fraction"]),
            size_px=int(values["size_px"]),
            distance_m=float(values["distance_m"]),
            clearance_m=None if clearance_m is None else float(clearance_m),
            contrast=None if contrast is None else float(contrast),
            truncation=float(values["truncation"]),
        )


def measure(frame: Frame, clearance_m: Mapping[str, float | None] | None = None) -> tuple[ObjectDifficulty, ...]:
    """Measures every object of a frame, in the order of its records; `clearance_m` is by body name, as clearances_m gives it."""
    known = clearance_m or {}
    return tuple(_measured(frame, record, known.get(record.body_name)) for record in frame.truth.objects)


def _measured(frame: Frame, record: ObjectTruth, clearance_m: float | None) -> ObjectDifficulty:
    size_px, contrast = _size_and_contrast(frame, record)
    return ObjectDifficulty(
        instance_id=record.instance_id,
        body_name=record.body_name,
        visible_fraction=record.visible_fraction,
        size_px=size_px,
        distance_m=_distance_m(frame.camera, record),
        clearance_m=clearance_m,
        contrast=contrast,
        truncation=_truncation(frame.camera, record),
    )


def encode_difficulty(objects: tuple[ObjectDifficulty, ...], number: int) -> dict[str, bytes]:
    """Returns the file of a frame's difficulties by its name."""
    return {file_name(KIND, number, "json"): json.dumps({"objects": [asdict(o) for o in objects]}).encode()}


def decode_difficulty(data: bytes, name: str) -> tuple[ObjectDifficulty, ...]:
    """Reads what `encode_difficulty` wrote; raises DatasetError naming the file."""
    try:
        return tuple(ObjectDifficulty.from_dict(values) for values in json.loads(data)["objects"])
    except (ValueError, LookupError, TypeError) as error:
        raise DatasetError(f"Cannot read {name}: {error}. The data set is damaged: generate it again.") from error


def figure_of(difficulty: ObjectDifficulty, name: str) -> float | None:
    """Returns one of the measured quantities by its name, None where it was not measured."""
    if name not in FIGURES:
        raise ValueError(f"Expected one of {', '.join(FIGURES)}, got {name!r}.")
    value = getattr(difficulty, name)
    return None if value is None or math.isnan(value) else float(value)


def _distance_m(camera: Camera, record: ObjectTruth) -> float:
    middle, eye = record.box_world.outer_from_box.position_m, camera.world_from_camera.position_m
    return float(np.linalg.norm(np.subtract(middle, eye)))


def _size_and_contrast(frame: Frame, record: ObjectTruth) -> tuple[int, float | None]:
    import cv2

    if record.visible_box_px is None:
        return 0, None
    height, width = frame.truth.instance.shape
    reach = max(RING_LEAST_PX, round(RING_SHARE * height))
    left, top, right, bottom = record.visible_box_px
    window = np.s_[max(top - reach, 0) : min(bottom + reach, height - 1) + 1,
                   max(left - reach, 0) : min(right + reach, width - 1) + 1]  # fmt: skip
    mine = (frame.truth.instance[window] == record.instance_id).astype(np.uint8)
    around = cv2.dilate(mine, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) - mine
    size_px, ring_px = cv2.countNonZero(mine), cv2.countNonZero(around)
    if not size_px or not ring_px:
        return size_px, None
    rgb = np.ascontiguousarray(frame.rgb[window])
    inside, outside = (lab_of_linear(_mean_linear(rgb, *mask)) for mask in ((mine, size_px), (around, ring_px)))
    return size_px, delta_e_2000(inside, outside)


def _mean_linear(rgb: NDArray[np.uint8], mask: NDArray[np.uint8], count: int) -> tuple[float, float, float]:
    """Returns the mean colour in linear light of the `count` pixels of a mask, from the histogram of each channel."""
    import cv2

    of = (cv2.calcHist([rgb], [k], mask, [256], [0, 256]).reshape(-1).astype(np.float64) for k in range(3))
    r, g, b = (float(histogram @ LINEAR_OF_SRGB) / count for histogram in of)
    return r, g, b


def _truncation(camera: Camera, record: ObjectTruth) -> float:
    import cv2

    if not _touches_border(record.amodal_box_px, camera):
        return 0.0
    pixels = np.clip(camera.project(_ahead(camera, record)), -_FAR_PX, _FAR_PX)
    outline = cv2.convexHull(pixels.astype(np.float32)).reshape(-1, 2)
    right, bottom = camera.width - 0.5, camera.height - 0.5
    image = np.array([(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)], dtype=np.float32)
    whole = float(cv2.contourArea(outline))
    if len(outline) < 3 or whole <= 0:
        return 0.0
    inside, _ = cv2.intersectConvexConvex(outline, image)
    return float(np.clip(1 - inside / whole, 0.0, 1.0))


def _ahead(camera: Camera, record: ObjectTruth) -> NDArray[np.float64]:
    """Returns the corners of the object's box before the near plane, and where its edges pass through that plane."""
    corners = points_in_camera(camera, record.box_world.corners())
    z, near = corners[:, 2], camera.near_m
    cuts = [
        corners[i] + (near - z[i]) / (z[j] - z[i]) * (corners[j] - corners[i])
        for i, j in _EDGES
        if (z[i] < near) != (z[j] < near)
    ]
    return np.concatenate([corners[z >= near], np.array(cuts).reshape(-1, 3)])


def _touches_border(box: BoxPx, camera: Camera) -> bool:
    left, top, right, bottom = box
    return left <= 0 or top <= 0 or right >= camera.width - 1 or bottom >= camera.height - 1
