"""Surfaces against paper: the wall's normal in the world's frame, and its points in the point cloud."""

from __future__ import annotations

import numpy as np

from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Expected
from sim.selftest.stage import WALL_Y_M
from sim.selftest.verdict import Outcome, all_of, skipped, within

_ANGLE_DEG, _POINT_MM = 1.0, 1.0
_NO_LAYERS = "the backend has no layers, from which it would be computed"


def normals(seen: Evidence, expected: Expected) -> Outcome:
    """The wall faces along -y of the world, whichever way the camera is turned."""
    found = seen.annotation("normals")
    if found is None:
        return skipped(_NO_LAYERS)
    mine = np.asarray(found, dtype=np.float64)[expected.inside("wall")][:, :3]
    mean = mine.mean(axis=0)
    length = np.linalg.norm(mine, axis=1)
    cosine = np.clip(-mine[:, 1] / np.maximum(length, 1e-9), -1.0, 1.0)
    got = f"({', '.join(f'{v + 0.0:.3f}' for v in mean)}), off by at most {np.degrees(np.arccos(cosine.min())):.2f} deg"
    holds = bool(np.degrees(np.arccos(cosine.min())) <= _ANGLE_DEG and np.abs(length - 1).max() < 0.01)
    return Outcome(expected="(0, -1, 0) in the world", got=got, tolerance=f"{_ANGLE_DEG} deg", holds=holds)


def point_cloud(seen: Evidence, expected: Expected) -> Outcome:
    """The point cloud's points lie on the wall, in the world's frame, as many as there are pixels of it."""
    cloud = seen.annotation("pointcloud")
    if cloud is None:
        return skipped(_NO_LAYERS)
    points = np.asarray(cloud.points, dtype=np.float64)
    if not len(points):
        return Outcome(expected="points on the wall", got="no points", holds=False)
    pixels = int(expected.visible("wall").sum())
    return all_of(
        within(f"y = {WALL_Y_M} m", 1e3 * float(np.abs(points[:, 1] - WALL_Y_M).max()), _POINT_MM, "mm"),
        within(f"{pixels} points", 100 * abs(len(points) / pixels - 1), 1.0, "% of their number"),
    )
