"""The table is flat: its depth is that of the plane that most of it lies on, wherever the network was nearly there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from perception._rays import Intrinsics, Rays, pixel_rays
from perception.plane import Plane, fit_plane
from scenes.distortion import Distortion
from scenes.taxonomy import TAXONOMY

_TABLE = TAXONOMY.named("table").id
_SAMPLES = 1500
_NEARLY = 0.12  # where the plane is farther from the predicted depth than this share, the label is the likelier error


def flatten_table(
    segment_id: NDArray[np.integer],
    category_of: Mapping[int, int],
    depth_m: NDArray[np.float32],
    intrinsics: Intrinsics,
    distortion: Distortion | None = None,
) -> NDArray[np.float32]:
    """Returns the depth (H, W) with the table's pixels on one plane; the same array where no plane fits them.

    `segment_id` (H, W), 0 = void; `category_of` the taxonomy id of each other id; intrinsics in pixels of the map.
    """
    tables = [i for i, category in category_of.items() if category == _TABLE]
    if not tables:
        return depth_m
    table = np.isin(segment_id, tables) if len(tables) > 1 else segment_id == tables[0]
    plane = fit_plane(_points(table, depth_m, *pixel_rays(depth_m.shape, intrinsics, distortion)))
    if plane is None:
        return depth_m
    flat_m = _depth_of(plane, *pixel_rays(depth_m.shape, intrinsics, distortion))
    return np.where(table & (np.abs(flat_m - depth_m) < _NEARLY * depth_m), flat_m, depth_m)


def _points(
    table: NDArray[np.bool_], depth_m: NDArray[np.float32], ray_x: Rays, ray_y: Rays
) -> NDArray[np.float64]:
    """Returns an even spread of the table's points (n, 3) in the camera frame."""
    step = max(1, int((np.count_nonzero(table) / _SAMPLES) ** 0.5))
    v, u = np.nonzero(table[::step, ::step])
    v, u = v * step, u * step
    z = depth_m[v, u].astype(np.float64)
    x, y = np.broadcast_to(ray_x, depth_m.shape)[v, u], np.broadcast_to(ray_y, depth_m.shape)[v, u]
    points = np.stack([x * z, y * z, z], axis=1)
    return points[np.isfinite(points).all(axis=1)]


def _depth_of(plane: Plane, ray_x: Rays, ray_y: Rays) -> NDArray[np.float32]:
    """Returns the plane's depth at every pixel, float32 (H, W), 0 where the ray does not meet it."""
    x, y = ray_x.astype(np.float32), ray_y.astype(np.float32)
    ux, uy, uz = (np.float32(v) for v in plane.up)
    falling = -(ux * x + (uy * y + uz))
    meets = falling > np.float32(1e-3)
    return np.where(meets, np.float32(plane.camera_height_m) / np.where(meets, falling, np.float32(1)), np.float32(0))
