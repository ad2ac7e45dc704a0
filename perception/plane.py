"""Finds the plane that things stand on from the depth of table pixels, robustly and the same way every time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception._median import median

_MIN_POINTS = 60
_ROUNDS = 6
_MIN_INLIERS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """A plane in the camera frame: `up` float64 (3,), unit, towards the camera; `camera_height_m` above it, positive."""

    up: NDArray[np.float64]
    camera_height_m: float

    def height_m(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the signed height of points (..., 3) in the camera frame above the plane."""
        height: NDArray[np.float64] = points @ self.up + self.camera_height_m
        return height


def fit_plane(points: NDArray[np.float64]) -> Plane | None:
    """Returns the plane of most of the points (n, 3) in the camera frame, or None where most of them are on none.

    A plane is linear in inverse depth: 1 / z = m . (x / z, y / z, 1). Least squares in that form, re-solved on the
    points near the last answer until those stay the same, needs no random draws. Its normal equations lose nothing here:
    the columns are tangents and a one.
    """
    if len(points) < _MIN_POINTS:
        return None
    inverse = 1.0 / points[:, 2]
    rays = points * inverse[:, None]
    inside = np.ones(len(points), dtype=bool)
    for _ in range(_ROUNDS):
        chosen = rays.T * inside
        m, *_ = np.linalg.lstsq(chosen @ rays, chosen @ inverse, rcond=None)
        error = np.abs(rays @ m - inverse) / inverse
        middle = median(error)
        before, inside = inside, error <= max(3.0 * middle, 1e-3)
        if np.array_equal(before, inside):
            break
    length = float(np.linalg.norm(m))
    if length < 1e-6 or inside.mean() < _MIN_INLIERS or middle >= 0.05:
        return None
    up: NDArray[np.float64] = np.asarray(-m / length, dtype=np.float64)
    return Plane(up=up, camera_height_m=1.0 / length)
