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
_STRIP = 32  # rows; what so many need stays in the cache
_NEARLY = 0.12  # where the plane is farther from the predicted depth than this share, the label is the likelier error


def flatten_table(
    segment_id: NDArray[np.integer],
    category_of: Mapping[int, int],
    depth_m: NDArray[np.float32],
    intrinsics: Intrinsics,
    distortion: Distortion | None = None,
) -> None:
    """Puts the table's pixels of the depth (H, W) on one plane, in place; changes nothing where no plane fits them.

    `segment_id` (H, W), 0 = void; `category_of` the taxonomy id of each other id; intrinsics in pixels of the map.
    """
    tables = [i for i, category in category_of.items() if category == _TABLE]
    if not tables:
        return
    table = np.isin(segment_id, tables) if len(tables) > 1 else segment_id == tables[0]
    ray_x, ray_y = pixel_rays(depth_m.shape, intrinsics, distortion)
    plane = fit_plane(_points(table, depth_m, ray_x, ray_y))
    if plane is None:
        return
    for top in range(0, len(depth_m), _STRIP):
        rows = slice(top, top + _STRIP)
        seen_m = depth_m[rows]
        plane_m = _depth_of(plane, *(ray if len(ray) == 1 else ray[rows] for ray in (ray_x, ray_y)))
        near = np.abs(plane_m - seen_m) < _NEARLY * seen_m
        np.copyto(seen_m, plane_m, where=near & table[rows])


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
    """Returns the plane's depth along rays, float32; not positive, or not finite, where one does not meet it."""
    across, down = plane.up[0] * ray_x, plane.up[1] * ray_y + plane.up[2]
    falling = -across.astype(np.float32) - down.astype(np.float32)
    with np.errstate(divide="ignore"):
        depth_m: NDArray[np.float32] = np.float32(plane.camera_height_m) / falling
    return depth_m
