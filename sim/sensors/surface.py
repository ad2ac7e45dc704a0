"""What a depth map says of the surface in it: edges and the angle at which each pixel looks at it; numpy only.

1 / z is affine in pixels along a plane, so its second difference is zero on every plane however steep, and its slope
gives the plane's normal exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from sim._lens import pixel_rays

# A second difference of 1 / z above this share of 1 / z is an edge: 1 cm at half a metre, not the bend of a bottle.
_EDGE_SHARE = 0.015


def inverse_depth(depth_m: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns 1 / z, float64 (H, W), 0 where nothing is."""
    known = np.isfinite(depth_m)
    return np.divide(1.0, depth_m, where=known, out=np.zeros(depth_m.shape), dtype=np.float64)


def depth_edges(inverse: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns the pixels on either side of a jump in depth."""
    edges = np.zeros(inverse.shape, dtype=bool)
    for axis in (0, 1):
        lines, found = np.moveaxis(inverse, axis, 0), np.moveaxis(edges, axis, 0)
        bend = np.abs(lines[:-2] - 2 * lines[1:-1] + lines[2:])
        largest = np.maximum(np.maximum(lines[:-2], lines[1:-1]), lines[2:])
        found[1:-1] |= bend > _EDGE_SHARE * largest
    return edges


def incidence_rad(inverse: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Returns the angle between each pixel's ray and its surface's normal, 0..pi/2; 0 where nothing is.

    The slopes of 1 / z are limited to the smaller one of both sides, so that edges do not look like steep surfaces.
    A lens's bending within one pixel is left out.
    """
    x, y = pixel_rays(camera)
    along_x = _limited_slope(inverse, axis=1) * camera.fx
    along_y = _limited_slope(inverse, axis=0) * camera.fy
    ahead = inverse - x * along_x - y * along_y
    length = np.sqrt((along_x**2 + along_y**2 + ahead**2) * (x * x + y * y + 1))
    cosine = np.divide(inverse, length, where=inverse > 0, out=np.ones_like(inverse))
    return np.asarray(np.arccos(np.clip(cosine, 0.0, 1.0)))


def _limited_slope(inverse: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    lines = np.moveaxis(inverse, axis, 0)
    steps = np.diff(lines, axis=0)
    steps = np.concatenate([steps[:1], steps, steps[-1:]])
    backward, forward = steps[:-1], steps[1:]
    smaller = np.where(np.abs(backward) < np.abs(forward), backward, forward)
    return np.moveaxis(np.where(backward * forward > 0, smaller, 0.0), 0, axis)
