"""Rigid transforms: column-vector 4x4 matrices named `a_from_b`, unit quaternions in w, x, y, z order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vec3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

IDENTITY_QUATERNION: Quaternion = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Pose:
    """A rigid pose: position in metres and a unit quaternion (w, x, y, z), of a child frame in its parent frame."""

    position_m: Vec3 = (0.0, 0.0, 0.0)
    quaternion_wxyz: Quaternion = IDENTITY_QUATERNION

    def matrix(self) -> NDArray[np.float64]:
        """Returns `parent_from_child`, float64 (4, 4), column-vector convention."""
        parent_from_child = np.eye(4)
        parent_from_child[:3, :3] = rotation_from_quaternion(self.quaternion_wxyz)
        parent_from_child[:3, 3] = self.position_m
        return parent_from_child

    @classmethod
    def from_matrix(cls, parent_from_child: NDArray[np.float64]) -> Pose:
        """Reads a rigid float64 (4, 4) matrix; scale and shear are not checked."""
        quaternion = quaternion_from_rotation(parent_from_child[:3, :3])
        return cls(vec3(parent_from_child[:3, 3]), quaternion)


def vec3(values: ArrayLike) -> Vec3:
    """Returns three Python floats from any array-like of three numbers."""
    x, y, z = (float(v) for v in np.asarray(values, dtype=np.float64).reshape(3))
    return x, y, z


def rotation_from_quaternion(quaternion_wxyz: Sequence[float]) -> NDArray[np.float64]:
    """Returns the float64 (3, 3) rotation matrix of a unit quaternion (w, x, y, z)."""
    w, x, y, z = quaternion_wxyz
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_from_rotation(rotation: NDArray[np.float64]) -> Quaternion:
    """Returns the unit quaternion (w, x, y, z), w >= 0, of a (3, 3) rotation (Shepperd's method)."""
    r = np.asarray(rotation, dtype=np.float64)
    diagonal = np.array([r[0, 0] + r[1, 1] + r[2, 2], r[0, 0], r[1, 1], r[2, 2]])
    largest = int(np.argmax(diagonal))
    q = np.empty(4)
    if largest == 0:
        q[:] = (1 + diagonal[0], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1])
    else:
        i = largest - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        q[0] = r[k, j] - r[j, k]
        q[1 + i] = 1 + 2 * r[i, i] - diagonal[0]
        q[1 + j] = r[j, i] + r[i, j]
        q[1 + k] = r[k, i] + r[i, k]
    q /= math.sqrt(float(q @ q))
    if q[0] < 0:
        q = -q
    return float(q[0]), float(q[1]), float(q[2]), float(q[3])


def quaternion_about(axis: Sequence[float], angle_rad: float) -> Quaternion:
    """Returns the unit quaternion of a rotation by `angle_rad` about `axis` (any length but zero)."""
    a = np.asarray(axis, dtype=np.float64)
    x, y, z = math.sin(angle_rad / 2) * a / np.linalg.norm(a)
    return math.cos(angle_rad / 2), float(x), float(y), float(z)


def multiply(first: Quaternion, second: Quaternion) -> Quaternion:
    """Returns the Hamilton product: the rotation `second` followed by `first`."""
    a, b, c, d = first
    e, f, g, h = second
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


def inverse(a_from_b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns `b_from_a` of a rigid (4, 4) transform."""
    rotation = a_from_b[:3, :3]
    b_from_a = np.eye(4)
    b_from_a[:3, :3] = rotation.T
    b_from_a[:3, 3] = -rotation.T @ a_from_b[:3, 3]
    return b_from_a


def transform_points(a_from_b: NDArray[np.float64], points_b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Maps points (..., 3) from frame b to frame a."""
    mapped: NDArray[np.float64] = points_b @ a_from_b[:3, :3].T + a_from_b[:3, 3]
    return mapped
