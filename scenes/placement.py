"""Where objects start: apart from each other on the table, or above the cup, bowl or plate that will hold them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.objects.shape import ObjectShape
from scenes.scene import Support
from scenes.transforms import Pose, Quaternion, multiply, quaternion_about, rotation_from_quaternion

GAP_M = 0.006
DROP_M = 0.004
TRIES = 60
REACH_M = (0.34, 0.27)
UP = (0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """An object and the pose that it is let go from."""

    shape: ObjectShape
    world_from_body: Pose


def _points(shape: ObjectShape) -> NDArray[np.float64]:
    return np.concatenate([part.mesh.vertices for part in shape.parts])


def _upright_in(holder: Placed, shape: ObjectShape, rng: np.random.Generator) -> Pose:
    """Stands a long thin object in a cup: its lower end over the floor, leaning on the rim."""
    cavity, length = holder.shape.cavity, shape.length_m
    assert cavity is not None
    assert length is not None
    x, y, z = holder.world_from_body.position_m
    free = max(cavity.radius_m - 0.016, 0.004)
    lean = min(math.atan2(1.2 * free, cavity.rim_m - cavity.floor_m), 0.5)
    turn = float(rng.uniform(0, 2 * math.pi))
    up_end = 1 if rng.random() < 0.6 else -1
    rotation = multiply(quaternion_about(UP, turn), quaternion_about((0, 1, 0), -up_end * (math.pi / 2 - lean)))
    axis = rotation_from_quaternion(rotation)[:, 0] * up_end
    low_end = (
        np.array([x, y, z + cavity.floor_m + 0.012]) - axis * [1, 1, 0] * 0.6 * free / max(math.sin(lean), 0.1) * 0.5
    )
    center = low_end + axis * length / 2
    return Pose((float(center[0]), float(center[1]), float(center[2])), rotation)


def _above(holder: Placed, shape: ObjectShape, rest: Quaternion, layer: int, rng: np.random.Generator) -> Pose:
    """Puts an object over a bowl or plate, higher for each that is already there."""
    cavity = holder.shape.cavity
    assert cavity is not None
    rotation = multiply(quaternion_about(UP, float(rng.uniform(0, 2 * math.pi))), rest)
    points = _points(shape) @ rotation_from_quaternion(rotation).T
    spread = 0.25 * cavity.radius_m
    x, y, z = holder.world_from_body.position_m
    dx, dy = rng.uniform(-spread, spread, size=2)
    height = z + cavity.rim_m + DROP_M + 0.09 * layer - float(points[:, 2].min())
    return Pose((x + float(dx), y + float(dy), height), rotation)


def on_table(shapes: Sequence[ObjectShape], table: Support, *, rng: np.random.Generator) -> list[Placed]:
    """Places each object on the table with its circle clear of the others; one that finds no room is left out."""
    placed: list[Placed] = []
    circles: list[tuple[float, float, float]] = []
    reach = [min(limit, half - 0.05) for limit, half in zip(REACH_M, table.half_extent_m, strict=True)]
    for shape in shapes:
        rest = shape.rests[int(rng.integers(len(shape.rests)))]
        rotation = multiply(quaternion_about(UP, float(rng.uniform(0, 2 * math.pi))), rest)
        points = _points(shape) @ rotation_from_quaternion(rotation).T
        middle = (points[:, :2].min(axis=0) + points[:, :2].max(axis=0)) / 2
        radius = float(np.linalg.norm(points[:, :2] - middle, axis=1).max())
        for _ in range(TRIES):
            x, y = rng.uniform(-1, 1, size=2) * reach
            if all(math.hypot(x - a, y - b) > radius + r + GAP_M for a, b, r in circles):
                circles.append((x, y, radius))
                height = table.center_m[2] + DROP_M - float(points[:, 2].min())
                position = (float(x - middle[0]), float(y - middle[1]), height)
                placed.append(Placed(shape=shape, world_from_body=Pose(position, rotation)))
                break
    return placed


def into(holder: Placed, shape: ObjectShape, *, layer: int, rng: np.random.Generator) -> Placed:
    """Places an object in or on a standing holder: long thin ones upright in a cup, others dropped over it."""
    if holder.shape.category == "cup":
        pose = _upright_in(holder, shape, rng)
    else:
        pose = _above(holder, shape, shape.rests[0], layer, rng)
    return Placed(shape=shape, world_from_body=pose)


def stands_upright(placed: Placed) -> bool:
    """Tells whether the object's axis points up, so that its cavity is open to the sky."""
    return bool(rotation_from_quaternion(placed.world_from_body.quaternion_wxyz)[2, 2] > 0.99)
