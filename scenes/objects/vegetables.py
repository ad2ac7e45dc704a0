"""Carrot and broccoli."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes import textures
from scenes.meshes import joined, placed, sweep
from scenes.objects.shape import UPRIGHT, ObjectShape, capsule_between, cylinder, slab
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import ellipsoid, rumpled
from scenes.transforms import Pose, Vec3, quaternion_about, vec3

_SECTIONS = 14


@shaped("carrot")
def carrot(sampler: ShapeSampler) -> ObjectShape:
    """Returns a carrot lying along x: a bent, ringed cone with a bunch of leaf stalks or the stub of one."""
    length, radius = sampler.uniform("length_m", 0.12, 0.19), sampler.uniform("radius_m", 0.013, 0.02)
    blunt, bend = sampler.uniform("blunt", 0.18, 0.5), sampler.uniform("bend_m", -0.012, 0.012)
    t = np.linspace(0.0, 1.0, _SECTIONS)
    shoulder = np.minimum(1.0, 0.55 + 9.0 * t)
    radii = radius * shoulder * (1 - (1 - blunt) * t**1.2) * np.where(t > 0.93, 0.55, 1.0)
    path = np.column_stack([length * (t - 0.5), bend * np.sin(math.pi * t), radii])
    skin = sampler.colour("skin", hue=(0.045, 0.085), saturation=(0.8, 0.98), value=(0.85, 1.0))
    leaves = _leaves(sampler, path[0], radii[0])
    green = sampler.colour("green", hue=(0.22, 0.34), saturation=(0.55, 0.9), value=(0.25, 0.6))
    colliders = [
        capsule_between(vec3((a[0], a[1], r)), vec3((b[0], b[1], r)), r)
        for a, b, r in ((path[k], path[k + 1], float(min(radii[k], radii[k + 1]))) for k in range(_SECTIONS - 1))
    ]
    low, high = leaves.vertices.min(axis=0), leaves.vertices.max(axis=0)
    colliders.append(slab(vec3((high - low) / 2 * 0.9), vec3((high + low) / 2)))
    return ObjectShape(
        category="carrot",
        parts=(
            Part(
                name="root",
                mesh=sweep(path, radii, 14),
                material=Material(texture=_rings(sampler, skin), roughness=0.6),
            ),
            Part(name="leaves", mesh=leaves, material=Material(colour=green, roughness=0.8)),
        ),
        colliders=tuple(colliders),
        mass_kg=sampler.uniform("mass_kg", 0.05, 0.13),
        rolling_friction_m=0.001,
    )


def _leaves(sampler: ShapeSampler, top: NDArray[np.float64], radius_m: float) -> Mesh:
    """Grows stalks backwards (-x) from the top, none below the ground; short ones are the stub of a cut bunch."""
    long = sampler.chance("has_leaves", 0.7)
    reach = sampler.uniform("leaf_m", 0.05, 0.09) if long else sampler.uniform("stub_m", 0.006, 0.014)
    stalks = []
    for k in range(sampler.integer("leaves", 5, 8)):
        fan = (k % 5 - 2) * 0.16 + sampler.uniform("leaf_fan_rad", -0.08, 0.08)
        t = np.linspace(0.0, 1.0, 4)
        side = 0.35 * radius_m * (k % 3 - 1) + reach * math.sin(fan) * t
        height = np.maximum(top[2] + 0.3 * radius_m * (k % 2) + reach * (0.25 * t - 0.4 * t * t) * (1 + fan), 0.003)
        path = np.column_stack([top[0] + 0.002 + 0.0003 * k - reach * math.cos(fan) * t, top[1] + side, height])
        stalks.append(sweep(path, 0.0022 - 0.0008 * t, 5))
        if long:
            for s in (0.45, 0.65, 0.85, 1.0):
                middle = path[0] + (path[-1] - path[0]) * s
                middle[2] = max(float(np.interp(s, t, height)), 0.004)
                stalks.append(ellipsoid((0.008, 0.006 + 0.004 * s, 0.003), middle, segments=6, rows=4))
    return joined(stalks)


def _rings(sampler: ShapeSampler, skin: Vec3) -> NDArray[np.uint8]:
    """Returns short dark marks across the root, over 0.1 m of it."""
    field = np.ones((96, 96), dtype=np.float32)
    for _ in range(sampler.integer("rings", 25, 55)):
        row, column = (int(96 * sampler.uniform("ring_at", 0.0, 1.0)) for _ in range(2))
        field[row : row + int(30 * sampler.uniform("ring_length", 0.0, 1.0)) + 4, column] = 0.35
    return textures.blend(field * (0.85 + 0.15 * textures.noise(sampler.rng, 96, 12)), textures.shade(skin, 0.55), skin)


@shaped("broccoli")
def broccoli(sampler: ShapeSampler) -> ObjectShape:
    """Returns a head of broccoli: a pale stalk that branches into a dome of dark, knobbly buds."""
    crown, stalk = sampler.uniform("crown_radius_m", 0.042, 0.062), sampler.uniform("stalk_radius_m", 0.011, 0.016)
    stem, flat = sampler.uniform("stem_m", 0.04, 0.065), sampler.uniform("flatness", 0.6, 0.85)
    buds, balls = [], []
    count = sampler.integer("florets", 13, 19)
    for k in range(count):
        # A Fibonacci spiral over the dome: even, without poles.
        height = 1.0 - (k + 0.5) / count
        turn, level = k * 2.399963, math.sqrt(1 - height * height)
        size = crown * sampler.uniform("floret", 0.36, 0.46)
        reach = crown - 0.6 * size
        middle = vec3((reach * level * math.cos(turn), reach * level * math.sin(turn), stem + reach * flat * height))
        bud = rumpled(ellipsoid((size, size, size), middle, segments=14, rows=9), sampler.rng, 0.0015, 0.013)
        buds.append(bud)
        size = float(np.quantile(np.linalg.norm(bud.vertices - middle, axis=1), 0.85))
        balls.append(Collider(kind="sphere", size_m=(size, 0.0, 0.0), body_from_collider=Pose(middle)))
    heart = ellipsoid(
        (crown * 0.7, crown * 0.7, crown * 0.5 * flat), (0.0, 0.0, stem + 0.2 * crown), segments=14, rows=8
    )
    dark = sampler.colour("dark", hue=(0.25, 0.36), saturation=(0.5, 0.85), value=(0.32, 0.6))
    pale = sampler.colour("pale", hue=(0.2, 0.27), saturation=(0.3, 0.55), value=(0.6, 0.85))
    # On its side it lies on crown and stalk.
    lean = math.asin(min(0.95, (crown - stalk) / (stem + 0.15 * crown)))
    grain = textures.blend(
        textures.noise(sampler.rng, 96, 40, 2), textures.shade(dark, 0.45), textures.shade(dark, 1.5)
    )
    return ObjectShape(
        category="broccoli",
        parts=(
            Part(name="buds", mesh=joined([*buds, heart]), material=Material(texture=grain, roughness=0.95)),
            Part(name="stalk", mesh=_stalk(sampler, stalk, stem, crown), material=Material(colour=pale, roughness=0.7)),
        ),
        colliders=(cylinder(stalk * 1.05, 0.0, stem), *balls),
        mass_kg=sampler.uniform("mass_kg", 0.12, 0.3),
        rests=(
            quaternion_about((0.0, 1.0, 0.0), math.pi / 2 - lean),
            UPRIGHT,
            quaternion_about((1.0, 0.0, 0.0), math.pi),
        ),
        rolling_friction_m=0.004,
    )


def _stalk(sampler: ShapeSampler, radius_m: float, stem_m: float, crown_m: float) -> Mesh:
    middle_line = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.5 * stem_m], [0.0, 0.0, stem_m]]
    trunk = sweep(middle_line, [1.05 * radius_m, radius_m, 1.2 * radius_m], 14)
    branches = [trunk]
    for k in range(6):
        path = [
            [0.3 * radius_m, 0, 0.45 * stem_m],
            [0.3 * crown_m, 0, 0.8 * stem_m],
            [0.55 * crown_m, 0, stem_m + 0.1 * crown_m],
        ]
        branch = sweep(path, radius_m * np.array([0.55, 0.5, 0.4]), 8)
        turn = k * math.pi / 3 + sampler.uniform("branch_turn_rad", -0.2, 0.2)
        branches.append(placed(branch, Pose((0.0, 0.0, 0.0), quaternion_about((0.0, 0.0, 1.0), turn))))
    return joined(branches)
