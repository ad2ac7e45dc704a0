"""Scissors, a little open, flat on their side."""

from __future__ import annotations

import math

import numpy as np

from scenes.meshes import extrude, joined, lathe, placed
from scenes.objects.plastic import plastic
from scenes.objects.shape import UPRIGHT, ObjectShape, capsule_between
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import closed_tube
from scenes.transforms import Pose, Vec3, quaternion_about, rotation_from_quaternion, vec3

_Z = (0.0, 0.0, 1.0)


@shaped("scissors")
def scissors(sampler: ShapeSampler) -> ObjectShape:
    """Returns scissors, a little open, pointing along +x: two blades on a pivot, each with a loop for fingers."""
    blade, back = sampler.uniform("blade_m", 0.075, 0.115), sampler.uniform("back_m", 0.03, 0.05)
    wide, opening = sampler.uniform("blade_half_width_m", 0.007, 0.011), sampler.uniform("opening_rad", 0.1, 0.38)
    loop_x, loop_y = (
        sampler.uniform("loop_half_length_m", 0.017, 0.024),
        sampler.uniform("loop_half_width_m", 0.0125, 0.017),
    )
    thick, tube = 0.0022, sampler.uniform("loop_thickness_m", 0.0032, 0.0045)
    outline = [(-back, -0.5 * wide), (0.0, -0.55 * wide), (blade * 0.6, -0.35 * wide), (blade, 0.5 * wide)]
    outline += [(0.0, 0.6 * wide), (-back, 0.3 * wide)]
    lift = tube - thick
    blades, loops, colliders = [], [], []
    for side in (-1, 1):
        turn = quaternion_about(_Z, side * opening / 2)
        height = lift + (thick if side > 0 else 0.0)
        shape = [(x, side * y) for x, y in outline]
        shape = shape if side > 0 else shape[::-1]
        pose = Pose((0.0, 0.0, height), turn)
        blades.append(placed(extrude(shape, thick, 0.05), pose))
        middle = (-back - loop_x * 0.85, -side * (loop_y * 0.9 + 0.001), 0.0)
        ring, balls = _loop(middle, loop_x, loop_y, tube, turn)
        loops.append(ring)
        colliders += [
            _blade_box(0.0, blade, wide * 0.5, thick, pose),
            _blade_box(-back, 0.0, wide * 0.5, thick, pose),
            *balls,
        ]
    pivot = placed(
        lathe([(0.0, 0.0), (0.0045, 0.0), (0.0035, 0.0012), (0.0, 0.0014)], 14), Pose((0.0, 0.0, lift + 2 * thick))
    )
    tone = sampler.uniform("blade_grey", 0.5, 0.8)
    steel = Material(colour=(tone, tone, tone * 1.03), roughness=0.25, metallic=0.9)
    grips = (
        plastic(sampler.of("grips"))
        if sampler.chance("has_coloured_grips", 0.75)
        else Material(colour=(0.02, 0.02, 0.02), roughness=0.5)
    )
    return ObjectShape(
        category="scissors",
        parts=(
            Part(name="blades", mesh=joined([*blades, pivot]), material=steel),
            Part(name="loops", mesh=joined(loops), material=grips),
        ),
        colliders=tuple(colliders), mass_kg=sampler.uniform("mass_kg", 0.05, 0.12),
        rests=(UPRIGHT, quaternion_about((1.0, 0.0, 0.0), math.pi)),
    )  # fmt: skip


def _blade_box(low_m: float, high_m: float, half_y_m: float, thick_m: float, pose: Pose) -> Collider:
    rotation = rotation_from_quaternion(pose.quaternion_wxyz)
    center = vec3(rotation @ np.array([(low_m + high_m) / 2, 0.0, thick_m / 2]) + pose.position_m)
    size = ((high_m - low_m) / 2, half_y_m, thick_m / 2)
    return Collider(kind="box", size_m=size, body_from_collider=Pose(center, pose.quaternion_wxyz))


def _loop(
    middle: Vec3, loop_x: float, loop_y: float, tube: float, turn: tuple[float, ...]
) -> tuple[Mesh, list[Collider]]:
    """Returns a finger loop lying on z = 0, turned about the pivot, and its ring of capsules."""
    rotation = rotation_from_quaternion(turn)
    angle = np.arange(24) * (2 * math.pi / 24)
    path = np.column_stack([middle[0] + loop_x * np.cos(angle), middle[1] + loop_y * np.sin(angle), np.full(24, tube)])
    path = path @ rotation.T
    knots = [vec3(p) for p in path[::3]]
    capsules = [capsule_between(a, b, tube) for a, b in zip(knots, [*knots[1:], knots[0]], strict=True)]
    return closed_tube(path, tube, 10), capsules
