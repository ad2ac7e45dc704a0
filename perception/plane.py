"""Finds the plane that things stand on from the depth of table pixels, robustly and the same way every time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    points near the last answer, needs no random draws.
    """
    if len(points) < _MIN_POINTS:
        return None
    inverse = 1.0 / points[:, 2]
    rays = points * inverse[:, None]
    inside = np.ones(len(points), dtype=bool)
    for _ in range(_ROUNDS):
        m, *_ = np.linalg.lstsq(rays[inside], inverse[inside], rcond=None)
        error = np.abs(rays @ m - inverse) / inverse
        inside = error <= max(3.0 * float(np.median(error)), 1e-3)
    length = float(np.linalg.norm(m))
    flat_enough = float(np.median(error)) < 0.05
    if length < 1e-6 or inside.mean() < _MIN_INLIERS or not flat_enough:
        return None
    up: NDArray[np.float64] = np.asarray(-m / length, dtype=np.float64)
    return Plane(up=up, camera_height_m=1.0 / length)
