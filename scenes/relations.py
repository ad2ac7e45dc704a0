"""Where one thing stands by another: against a wall, beside, around, facing, on; poses only, the floor plan decides.

A wall is a number: 0 west (x = -half_x), 1 south, 2 east, 3 north; what stands against it looks into the room. All
poses turn about z only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from scenes.footprints import Rect, bounds_m, turn_of
from scenes.objects.shape import ObjectShape
from scenes.transforms import IDENTITY_QUATERNION, Pose, Quaternion, quaternion_about, transform_points

WALLS = (0, 1, 2, 3)
_UP = (0.0, 0.0, 1.0)


def turned(angle_rad: float) -> Quaternion:
    """Returns a turn about z with w >= 0."""
    wrapped = math.remainder(angle_rad, 2 * math.pi)
    return IDENTITY_QUATERNION if wrapped == 0.0 else quaternion_about(_UP, wrapped)


def at(x_m: float, y_m: float, z_m: float = 0.0, turn_rad: float = 0.0) -> Pose:
    """Returns a pose on the floor or above it."""
    return Pose((float(x_m), float(y_m), float(z_m)), turned(turn_rad))


def wall_turn(wall: int) -> float:
    """Returns the turn of what looks into the room from that wall."""
    return wall * math.pi / 2


def wall_length_m(wall: int, half_x_m: float, half_y_m: float) -> float:
    """Returns the length of a wall of a room of those half edges."""
    return 2 * (half_y_m if wall % 2 == 0 else half_x_m)


def on_wall(
    wall: int, half_x_m: float, half_y_m: float, along_m: float, *, off_m: float = 0.0, z_m: float = 0.0
) -> Pose:
    """Returns the pose on a wall, `along_m` from its middle (to the left of who looks at the wall), `off_m` from it."""
    turn = wall_turn(wall)
    inward, left = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
    depth = half_x_m if wall % 2 == 0 else half_y_m
    x, y = -inward * (depth - off_m) + left * along_m
    return at(x, y, z_m, turn)


def against(
    wall: int,
    shape: ObjectShape,
    half_x_m: float,
    half_y_m: float,
    along_m: float,
    *,
    gap_m: float = 0.01,
    z_m: float = 0.0,
) -> Pose:
    """Returns the pose of an object whose back is `gap_m` from a wall."""
    low, high = bounds_m(shape)
    middle = float(low[1] + high[1]) / 2
    return on_wall(wall, half_x_m, half_y_m, along_m - middle, off_m=gap_m - float(low[0]), z_m=z_m)


def reach_along_m(wall: int, shape: ObjectShape, half_x_m: float, half_y_m: float) -> float:
    """Returns how far from the wall's middle the object's own middle may lie; negative where it is too long."""
    low, high = bounds_m(shape)
    return wall_length_m(wall, half_x_m, half_y_m) / 2 - float(high[1] - low[1]) / 2


def beside(
    other: ObjectShape, other_pose: Pose, shape: ObjectShape, side: int, gap_m: float, *, backs: bool = True
) -> Pose:
    """Returns the pose to the left (side 1) or right (-1) of another object, looking the same way.

    `backs` lines up their backs, else their middles.
    """
    low, high = bounds_m(shape)
    other_low, other_high = bounds_m(other)
    y = float(other_high[1] - low[1]) + gap_m if side > 0 else float(other_low[1] - high[1]) - gap_m
    x = float(other_low[0] - low[0]) if backs else float(other_low[0] + other_high[0] - low[0] - high[0]) / 2
    return _local(other_pose, x, y, 0.0)


def in_front_of(other: ObjectShape, other_pose: Pose, shape: ObjectShape, gap_m: float, *, facing: bool) -> Pose:
    """Returns the pose before another object, `gap_m` from it, looking back at it or the same way."""
    low, high = bounds_m(shape)
    _, other_high = bounds_m(other)
    nearest = float(high[0]) if facing else -float(low[0])
    return _local(other_pose, float(other_high[0]) + gap_m + nearest, 0.0, math.pi if facing else 0.0)


def around(table: ObjectShape, table_pose: Pose, count: int, pull_m: float, chair: ObjectShape) -> Iterator[Pose]:
    """Yields poses of chairs at a table, looking at it, front edges `pull_m` outside its edge (negative: under it)."""
    low, high = bounds_m(table)
    _, chair_high = bounds_m(chair)
    off = pull_m + float(chair_high[0])
    half_x, half_y = float(high[0] - low[0]) / 2, float(high[1] - low[1]) / 2
    if any(support.round for support in table.supports):
        for k in range(count):
            turn = 2 * math.pi * k / count + math.pi / 4
            reach = half_x + off
            yield _local(table_pose, reach * math.cos(turn), reach * math.sin(turn), turn + math.pi)
        return
    for x, y, turn in _seats(half_x, half_y, off)[:count]:
        yield _local(table_pose, x, y, turn)


def _seats(half_x: float, half_y: float, off: float) -> list[tuple[float, float, float]]:
    """Returns seats on the long sides first, then at the ends."""
    places = max(1, int(2 * half_y / 0.58))
    along = [(k + 0.5) * 2 * half_y / places - half_y for k in range(places)]
    seats = [(s * (half_x + off), y, math.pi if s > 0 else 0.0) for y in along for s in (1, -1)]
    ends = [(0.0, s * (half_y + off), -s * math.pi / 2) for s in (1, -1)]
    return [*seats, *ends]


def facing(x_m: float, y_m: float, target_m: tuple[float, float]) -> Pose:
    """Returns the pose on the floor that looks at a point."""
    return at(x_m, y_m, 0.0, math.atan2(target_m[1] - y_m, target_m[0] - x_m))


def front_zone(shape: ObjectShape, pose: Pose, depth_m: float) -> Rect:
    """Returns the floor before an object, as deep as given, that has to stay free for its doors or for who stands there."""
    low, high = bounds_m(shape)
    middle = np.array([float(high[0]) + depth_m / 2, float(low[1] + high[1]) / 2, 0.0])
    x, y, _ = transform_points(pose.matrix(), middle)
    half = (depth_m / 2, float(high[1] - low[1]) / 2 - 0.02)
    return Rect(center_m=(float(x), float(y)), half_m=half, turn_rad=turn_of(pose))


def _local(other_pose: Pose, x: float, y: float, turn: float) -> Pose:
    px, py, _ = transform_points(other_pose.matrix(), np.array([x, y, 0.0]))
    return at(px, py, other_pose.position_m[2], turn_of(other_pose) + turn)
