"""What a generator returns: an object in its own frame, z up, standing on z = 0 with its axis over the origin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from scenes.scene import Collider, Part, Support
from scenes.transforms import IDENTITY_QUATERNION, Pose, Quaternion, multiply, quaternion_about


@dataclass(frozen=True, slots=True, kw_only=True)
class Cavity:
    """A round hollow that things can be put in: inner radius at half height, height of its floor and of its rim, metres."""

    radius_m: float
    floor_m: float
    rim_m: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectShape:
    """One object before it has a place: what is seen, what is touched, how heavy it is, and how it may rest.

    `rests` are orientations in which it may be put down; `length_m` is set for long, thin things that can stand in a
    cup, whose long axis is x. `supports` are what it holds things on, in its own frame; furniture has its front at +x.
    """

    category: str
    parts: tuple[Part, ...]
    colliders: tuple[Collider, ...]
    mass_kg: float
    rests: tuple[Quaternion, ...] = (IDENTITY_QUATERNION,)
    rolling_friction_m: float = 0.0
    friction: float = 0.8
    cavity: Cavity | None = None
    length_m: float | None = None
    supports: tuple[Support, ...] = ()


UPRIGHT = IDENTITY_QUATERNION
UPSIDE_DOWN = quaternion_about((1.0, 0.0, 0.0), math.pi)
LYING = quaternion_about((0.0, 1.0, 0.0), math.pi / 2)


def cylinder(radius_m: float, bottom_m: float, top_m: float) -> Collider:
    """Returns an upright cylinder between two heights."""
    pose = Pose((0.0, 0.0, (bottom_m + top_m) / 2))
    return Collider(kind="cylinder", size_m=(radius_m, (top_m - bottom_m) / 2, 0.0), body_from_collider=pose)


def wall_ring(profile_rz: Sequence[tuple[float, float]], thickness_m: float, count: int = 16) -> tuple[Collider, ...]:
    """Covers a wall of revolution by `count` tilted boxes per profile section; the profile is the wall's outer line.

    The boxes meet edge to edge at the larger radius of each section, so nothing falls through, and what is inside stays
    inside.
    """
    colliders = []
    for (r0, z0), (r1, z1) in pairwise(profile_rz):
        length = math.hypot(r1 - r0, z1 - z0)
        lean = math.atan2(r1 - r0, z1 - z0)
        half_width = max(r0, r1) * math.tan(math.pi / count)
        middle_r = (r0 + r1) / 2 - thickness_m / 2 * math.cos(lean)
        middle_z = (z0 + z1) / 2 + thickness_m / 2 * math.sin(lean)
        for k in range(count):
            turn = 2 * math.pi * k / count
            position = (middle_r * math.cos(turn), middle_r * math.sin(turn), middle_z)
            rotation = multiply(quaternion_about((0, 0, 1), turn), quaternion_about((0, 1, 0), lean))
            size = (thickness_m / 2, half_width, length / 2)
            colliders.append(Collider(kind="box", size_m=size, body_from_collider=Pose(position, rotation)))
    return tuple(colliders)


def slab(half_m: tuple[float, float, float], center_m: tuple[float, float, float], pitch_rad: float = 0.0) -> Collider:
    """Returns a box turned about y by `pitch_rad`."""
    return Collider(
        kind="box", size_m=half_m, body_from_collider=Pose(center_m, quaternion_about((0, 1, 0), pitch_rad))
    )


def capsule_between(first_m: Sequence[float], second_m: Sequence[float], radius_m: float) -> Collider:
    """Returns a capsule whose two ball centres are the given points."""
    delta = [b - a for a, b in zip(first_m, second_m, strict=True)]
    length = math.sqrt(sum(d * d for d in delta))
    direction = [d / length for d in delta]
    axis = (-direction[1], direction[0], 0.0)
    upright = math.hypot(axis[0], axis[1]) < 1e-9
    rotation = IDENTITY_QUATERNION if upright else quaternion_about(axis, math.acos(max(-1.0, min(1.0, direction[2]))))
    x, y, z = ((a + b) / 2 for a, b in zip(first_m, second_m, strict=True))
    return Collider(kind="capsule", size_m=(radius_m, length / 2, 0.0), body_from_collider=Pose((x, y, z), rotation))
