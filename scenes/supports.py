"""Small objects on supports of any turn: inside the edge, clear of each other and of what stands there already."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.footprints import Rect, Volume
from scenes.objects.shape import ObjectShape
from scenes.placement import DROP_M, GAP_M, Placed
from scenes.scene import Support
from scenes.transforms import Pose, Quaternion, multiply, quaternion_about, rotation_from_quaternion

TRIES = 40
_UP = (0.0, 0.0, 1.0)


def rested_points(shape: ObjectShape, rotation: Quaternion) -> NDArray[np.float64]:
    """Returns the visible vertices, float64 (n, 3), under that rotation."""
    points = np.concatenate([part.mesh.vertices for part in shape.parts])
    turned: NDArray[np.float64] = points @ rotation_from_quaternion(rotation).T
    return turned


def stand_on(
    shape: ObjectShape,
    support: Support,
    taken: Sequence[Volume],
    *,
    rng: np.random.Generator,
    headroom_m: float = math.inf,
    square: float = 0.0,
    tries: int = TRIES,
) -> tuple[Placed, Volume] | None:
    """Returns the object let go just over the support, and the prism it fills; None where there is no room for it.

    `square` is the probability that it stands in line with the support's edges.
    """
    rest = shape.rests[int(rng.integers(len(shape.rests)))]
    points = rested_points(shape, rest)
    low, high = points.min(axis=0), points.max(axis=0)
    if float(high[2] - low[2]) + DROP_M > headroom_m:
        return None
    half = (high - low)[:2] / 2
    for _ in range(tries):
        straight = rng.random() < square
        turn = support.turn_rad + (
            math.pi / 2 * int(rng.integers(4)) if straight else float(rng.uniform(0, 2 * math.pi))
        )
        center = _spot(support, rng)
        rect = Rect(center_m=center, half_m=(float(half[0]), float(half[1])), turn_rad=turn)
        corners = np.column_stack([rect.corners(), np.zeros(4)])
        if not support.is_under(corners, GAP_M).all():
            continue
        z = support.center_m[2] + DROP_M
        volume = Volume(rect=rect.grown(GAP_M / 2), low_m=z, high_m=z + float(high[2] - low[2]))
        if not any(volume.meets(other, 0.0) for other in taken):
            return Placed(shape=shape, world_from_body=_pose(center, turn, rest, points, z)), volume
    return None


def _spot(support: Support, rng: np.random.Generator) -> tuple[float, float]:
    """Returns a point over the rectangle about the support."""
    x, y = rng.uniform(-1, 1, size=2) * support.half_extent_m
    cos, sin = math.cos(support.turn_rad), math.sin(support.turn_rad)
    return float(support.center_m[0] + cos * x - sin * y), float(support.center_m[1] + sin * x + cos * y)


def _pose(
    center_m: tuple[float, float], turn: float, rest: Quaternion, points: NDArray[np.float64], bottom_m: float
) -> Pose:
    """Returns the pose that brings the middle of the rested points over a point and their lowest one to a height."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    cos, sin = math.cos(turn), math.sin(turn)
    x = center_m[0] - (cos * middle[0] - sin * middle[1])
    y = center_m[1] - (sin * middle[0] + cos * middle[1])
    rotation = multiply(quaternion_about(_UP, turn), rest)
    return Pose((float(x), float(y), bottom_m - float(points[:, 2].min())), rotation)


def stand_over(
    shape: ObjectShape, support: Support, taken: Sequence[Volume], *, rng: np.random.Generator
) -> tuple[Placed, Volume]:
    """Returns the object let go over a point of the support, just above the highest prism that it would meet there."""
    rest = shape.rests[int(rng.integers(len(shape.rests)))]
    points = rested_points(shape, rest)
    low, high = points.min(axis=0), points.max(axis=0)
    half = (high - low)[:2] / 2
    turn, center = float(rng.uniform(0, 2 * math.pi)), _spot(support, rng)
    rect = Rect(center_m=center, half_m=(float(half[0]), float(half[1])), turn_rad=turn)
    under = [other.high_m for other in taken if rect.overlaps(other.rect)]
    z = max(under, default=support.center_m[2]) + DROP_M
    volume = Volume(rect=rect, low_m=z, high_m=z + float(high[2] - low[2]))
    return Placed(shape=shape, world_from_body=_pose(center, turn, rest, points, z)), volume
