"""The visible surface of every segment as 3D points, with how far its outline reaches beyond and whether it meets the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception._label_pixels import label_pixels
from perception._rays import pixel_rays
from scenes.distortion import Distortion

_WORK_WIDTH_PX = 320
_MAX_POINTS = 1000
_ERODE_PX = 1
_MIN_INTERIOR = 0.3  # of the pixels, else the segment is too thin to erode

MIN_POINTS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """The visible surface of one segment.

    points float64 (n, 3) in the camera frame, rays the same with z = 1; `lost_rad` is the angle from the outermost
    points to the outline of the mask; `contact` is the share 0..1 of its lower outline that has table below it.
    """

    points: NDArray[np.float64]
    rays: NDArray[np.float64]
    lost_rad: float
    contact: float


def surfaces(
    segment_id: NDArray[np.int32],
    category_of: Mapping[int, int],
    depth_m: NDArray[np.float32],
    *,
    table: int,
    fx: float,
    fy: float,
    cx: float,
    cy: float,
    distortion: Distortion | None = None,
) -> dict[int, Surface]:
    """Returns the surface of every segment with at least MIN_POINTS pixels of depth, on every n-th pixel of the image."""
    step = max(1, round(segment_id.shape[1] / _WORK_WIDTH_PX))
    every = (slice(step // 2, None, step),) * 2
    full = segment_id.astype(np.uint16)
    ids, z = full[every], depth_m[every]
    contact = _contact(ids, [i for i, category_id in category_of.items() if category_id == table])
    ray_x, ray_y = pixel_rays(full.shape, (fx, fy, cx, cy), distortion, step=step)
    valid = np.isfinite(z) & (z > 0) & np.isfinite(ray_x) & np.isfinite(ray_y)
    ray_x, ray_y = np.broadcast_to(ray_x, ids.shape), np.broadcast_to(ray_y, ids.shape)
    flat_z = z.reshape(-1)
    found = {}
    for i, (pixels, lost_px) in _members(ids, _interior(full)[every], valid).items():
        chosen = pixels[:: 1 + len(pixels) // _MAX_POINTS]
        rows, columns = np.divmod(chosen, ids.shape[1])
        rays = np.ones((len(chosen), 3))
        rays[:, 0], rays[:, 1] = ray_x[rows, columns], ray_y[rows, columns]
        points = rays * flat_z[chosen, None]
        found[i] = Surface(points=points, rays=rays, lost_rad=lost_px / fx, contact=float(contact[i]))
    return found


def _interior(ids: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Returns which pixels have only their own id around them."""
    kernel = np.ones((2 * _ERODE_PX + 1,) * 2, np.uint8)
    interior: NDArray[np.bool_] = cv2.erode(ids, kernel) == cv2.dilate(ids, kernel)
    return interior


def _members(
    ids: NDArray[np.uint16], interior: NDArray[np.bool_], valid: NDArray[np.bool_]
) -> dict[int, tuple[NDArray[np.intp], float]]:
    """Returns the flat pixel indices of each id and how far its outline is beyond them, in pixels of the full image.

    Those are the pixels of its interior, or all of them where it is too thin to have one.
    """
    found: dict[int, tuple[NDArray[np.intp], float]] = {}
    inner = interior.reshape(-1)
    for i, pixels in enumerate(label_pixels(np.where(valid, ids, np.uint16(0)), count=int(ids.max(initial=0)) + 1)):
        if i == 0 or len(pixels) < MIN_POINTS:
            continue
        inside = pixels[inner[pixels]]
        thick = len(inside) >= max(MIN_POINTS, _MIN_INTERIOR * len(pixels))
        found[i] = (inside, _ERODE_PX + 0.5) if thick else (pixels, 0.5)
    return found


def _contact(ids: NDArray[np.uint16], tables: list[int]) -> NDArray[np.float64]:
    """Returns, by id, which share of the pixels above another id are above a table; the image's edge is not a table."""
    above, below = ids[:-1], ids[1:]
    edge = above != below
    count = int(ids.max(initial=0)) + 1
    lower = np.bincount(above[edge], minlength=count) + np.bincount(ids[-1], minlength=count)
    is_table = np.zeros(count, dtype=bool)
    is_table[[i for i in tables if i < count]] = True
    on_table = np.bincount(above[edge & is_table[below]], minlength=count)
    share: NDArray[np.float64] = on_table / np.maximum(lower, 1)
    return share
