"""Footprints: oriented rectangles on the floor, exact overlap by the separating axis theorem, and the volumes over them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenes.objects.shape import ObjectShape
from scenes.scene import Collider
from scenes.transforms import Pose, transform_points

_SIGNS = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=np.float64)
_BOX_SIGNS = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rect:
    """A rectangle on the floor: centre and half edges in metres, turned about z by `turn_rad`."""

    center_m: tuple[float, float]
    half_m: tuple[float, float]
    turn_rad: float = 0.0

    def axes(self) -> NDArray[np.float64]:
        """Returns the rectangle's own x and y axis as rows, float64 (2, 2)."""
        cos, sin = math.cos(self.turn_rad), math.sin(self.turn_rad)
        return np.array([[cos, sin], [-sin, cos]])

    def corners(self) -> NDArray[np.float64]:
        """Returns the corners, float64 (4, 2), counter-clockwise."""
        corners: NDArray[np.float64] = (_SIGNS * self.half_m) @ self.axes() + self.center_m
        return corners

    def grown(self, margin_m: float) -> Rect:
        """Returns the rectangle with every edge moved outward; a negative margin shrinks it, at most to a point."""
        x, y = self.half_m
        return replace(self, half_m=(max(x + margin_m, 0.0), max(y + margin_m, 0.0)))

    def distance_m(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns how far points (..., 2) lie outside, 0 inside."""
        local = (points_m - self.center_m) @ self.axes().T
        outside = np.maximum(np.abs(local) - self.half_m, 0.0)
        return np.asarray(np.hypot(outside[..., 0], outside[..., 1]))

    def overlaps(self, other: Rect, tolerance_m: float = 0.0) -> bool:
        """Tells whether the two share more than `tolerance_m` along every separating axis."""
        between = np.subtract(other.center_m, self.center_m)
        mine, others = self.axes(), other.axes()
        for axis in (*mine, *others):
            reach = float(np.abs(mine @ axis) @ self.half_m + np.abs(others @ axis) @ other.half_m)
            if abs(float(between @ axis)) >= reach - tolerance_m:
                return False
        return True

    def within(self, half_x_m: float, half_y_m: float) -> bool:
        """Tells whether it lies in a room of those half edges about the origin."""
        reach = np.abs(self.corners()).max(axis=0)
        return bool(reach[0] <= half_x_m + 1e-9 and reach[1] <= half_y_m + 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """An upright prism: a footprint between two heights, in metres."""

    rect: Rect
    low_m: float
    high_m: float

    def meets(self, other: Volume, tolerance_m: float = 0.001) -> bool:
        """Tells whether the two share more than the tolerance in height and on the floor."""
        shared = min(self.high_m, other.high_m) - max(self.low_m, other.low_m)
        return shared > tolerance_m and self.rect.overlaps(other.rect, tolerance_m)


def turn_of(pose: Pose) -> float:
    """Returns the turn about z of a pose that has no other rotation."""
    w, _, _, z = pose.quaternion_wxyz
    return 2 * math.atan2(z, w)


def bounds_m(shape: ObjectShape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the lower and upper corner, float64 (3,), of what is seen and what is touched, in the object's frame."""
    points = [part.mesh.vertices for part in shape.parts] + [_corners(c) for c in shape.colliders]
    stacked = np.concatenate(points)
    return stacked.min(axis=0), stacked.max(axis=0)


def hull(shape: ObjectShape, world_from_body: Pose) -> Volume:
    """Returns the one prism that the whole object lies in, its edges along the object's own."""
    return _prism(*bounds_m(shape), world_from_body)


def volumes(shape: ObjectShape, world_from_body: Pose) -> tuple[Volume, ...]:
    """Returns a prism around each collider: what another object must stay clear of, under tables and over seats too."""
    corners = [_corners(c) for c in shape.colliders]
    return tuple(_prism(c.min(axis=0), c.max(axis=0), world_from_body) for c in corners)


def _prism(low: NDArray[np.float64], high: NDArray[np.float64], world_from_body: Pose) -> Volume:
    center = transform_points(world_from_body.matrix(), (low + high) / 2)
    half_x, half_y, half_z = (float(v) for v in (high - low) / 2)
    rect = Rect(
        center_m=(float(center[0]), float(center[1])), half_m=(half_x, half_y), turn_rad=turn_of(world_from_body)
    )
    return Volume(rect=rect, low_m=float(center[2]) - half_z, high_m=float(center[2]) + half_z)


def _corners(collider: Collider) -> NDArray[np.float64]:
    a, b, _ = collider.size_m
    half = {"box": collider.size_m, "sphere": (a, a, a), "cylinder": (a, a, b), "capsule": (a, a, a + b)}[collider.kind]
    if collider.kind == "capsule":
        return _capsule_corners(collider, a, b)
    return transform_points(collider.body_from_collider.matrix(), _BOX_SIGNS * np.array(half))


def _capsule_corners(collider: Collider, radius: float, half_length: float) -> NDArray[np.float64]:
    """Returns the corners of the boxes about both ends: tighter than the box about a slanted capsule."""
    ends = transform_points(collider.body_from_collider.matrix(), np.array([[0, 0, -half_length], [0, 0, half_length]]))
    return np.concatenate([ends[0] + radius * _BOX_SIGNS, ends[1] + radius * _BOX_SIGNS])
