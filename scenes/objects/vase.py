"""A vase of revolution, with a cavity or with flowers in it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes import textures
from scenes.meshes import joined, lathe, placed, sweep
from scenes.objects.shape import Cavity, ObjectShape, capsule_between, cylinder, wall_ring
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Part
from scenes.solids import ellipsoid
from scenes.transforms import Pose, quaternion_about, vec3


@shaped("vase")
def vase(sampler: ShapeSampler) -> ObjectShape:
    """Returns a vase: belly, neck and flared lip in many proportions, glazed, often banded, sometimes with flowers."""
    height, belly = sampler.uniform("height_m", 0.15, 0.27), sampler.uniform("belly_radius_m", 0.036, 0.062)
    foot, neck = belly * sampler.uniform("foot", 0.5, 0.8), belly * sampler.uniform("neck", 0.38, 0.7)
    low, lip = sampler.uniform("belly_at", 0.22, 0.5), belly * sampler.uniform("lip", 0.55, 1.0)
    neck_at = low + (1 - low) * sampler.uniform("neck_at", 0.45, 0.7)
    knots_z = np.array([0.0, low * 0.5, low, (low + neck_at) / 2, neck_at, 1.0]) * height
    knots_r = np.array(
        [foot, (foot + belly) / 2 + 0.12 * belly, belly, (belly + neck) / 2 + 0.06 * belly, neck, max(lip, neck)]
    )
    z = np.linspace(0.0, height, 18)
    r = _smooth(knots_z, knots_r, z)
    wall, floor = 0.004, 0.008
    outer = [(foot - 0.002, 0.0), *[(float(a), float(b)) for a, b in zip(r[1:], z[1:], strict=True)]]
    inner = [(a - wall, b) for a, b in outer if b > floor + 0.004]
    top = (outer[-1][0] - wall / 2, height + wall / 3)
    profile = [(0.0, 0.0), *outer, top, *reversed(inner), (inner[0][0] * 0.9, floor), (0.0, floor)]
    body = Part(name="body", mesh=lathe(profile, 36), material=_glaze(sampler))
    flowers, stems = _flowers(sampler, float(neck - wall), height) if sampler.chance("has_flowers", 0.4) else ([], [])
    picked = [0, 3, 6, 9, 12, 15, 17]
    line = [(float(r[k]), float(z[k])) for k in picked]
    inside = float(min(r.min(), neck)) - 0.006
    return ObjectShape(
        category="vase", parts=(body, *flowers), mass_kg=sampler.uniform("mass_kg", 0.3, 0.9),
        colliders=(cylinder(foot, 0.0, floor), *wall_ring(line, 0.005, 12), *stems),
        cavity=Cavity(radius_m=inside, floor_m=floor, rim_m=height) if not flowers and inside > 0.008 else None,
    )  # fmt: skip


def _smooth(knots: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolates by cubic Hermite with Catmull-Rom slopes, which does not swing as far as a natural spline."""
    slope = np.gradient(values, knots)
    k = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
    step = knots[k + 1] - knots[k]
    t = (at - knots[k]) / step
    smooth: NDArray[np.float64] = (
        (2 * t**3 - 3 * t**2 + 1) * values[k] + (t**3 - 2 * t**2 + t) * step * slope[k]
        + (3 * t**2 - 2 * t**3) * values[k + 1] + (t**3 - t**2) * step * slope[k + 1]
    )  # fmt: skip
    return smooth


def _glaze(sampler: ShapeSampler) -> Material:
    colour = sampler.colour("glaze", saturation=(0.1, 0.85), value=(0.35, 1.0))
    kind = sampler.choice("glaze_kind", ("plain", "bands", "marble", "speckle"))
    if kind == "bands":
        other, image = (
            sampler.colour("band", saturation=(0.1, 0.9), value=(0.2, 1.0)),
            textures.plain(sampler, colour, 128).copy(),
        )
        for _ in range(sampler.integer("bands", 2, 4)):
            row = int(64 * sampler.uniform("band_at", 0.0, 1.0)) + 60
            image[row : row + sampler.integer("band_px", 2, 7)] = [int(255 * c) for c in other]
        return Material(texture=image, roughness=0.2)
    make = {"plain": textures.plain, "marble": textures.marble, "speckle": textures.speckle}[kind]
    return Material(texture=make(sampler, colour, 128), roughness=sampler.uniform("roughness", 0.08, 0.4))


def _flowers(sampler: ShapeSampler, mouth_m: float, height_m: float) -> tuple[list[Part], list[Collider]]:
    """Returns stalks with leaves that spread from the mouth and a flower of six petals on each, and their colliders."""
    stalks, petals, hearts, colliders = [], [], [], []
    for k in range(sampler.integer("flowers", 3, 5)):
        turn, lean, tall = (
            k * 2.4,
            sampler.uniform("flower_lean_rad", 0.1, 0.4),
            sampler.uniform("flower_stem_m", 0.05, 0.1),
        )
        out = np.array([math.cos(turn), math.sin(turn), 0.0])
        base = 0.3 * mouth_m * out + [0, 0, 0.6 * height_m]
        rim, end = (
            0.6 * mouth_m * out + [0, 0, height_m],
            out * (0.6 * mouth_m + tall * math.sin(lean)) + [0, 0, height_m + tall * math.cos(lean)],
        )
        stalks.append(sweep([base, rim, end], [0.002, 0.002, 0.0018], 6))
        leaf = ellipsoid((0.006, 0.002, 0.02), segments=8, rows=6)
        stalks.append(placed(leaf, Pose(vec3((rim + end) / 2), quaternion_about((0.3, 1.0, 0.2), 0.7))))
        size = sampler.uniform("flower_m", 0.011, 0.016)
        colliders.append(capsule_between(vec3(rim), vec3(end), 0.0025))
        colliders.append(capsule_between(vec3(end - 0.2 * size * out), vec3(end + 0.2 * size * out), 0.9 * size))
        for p in range(6):
            a = p * math.pi / 3
            petal = ellipsoid((size * 0.75, size * 0.45, size * 0.22), (0.9 * size, 0.0, 0.0), segments=10, rows=6)
            flat = placed(petal, Pose((0.0, 0.0, 0.0), quaternion_about((0.0, 0.0, 1.0), a)))
            tilt = quaternion_about((-out[1], out[0], 0.0), lean + 0.5)
            petals.append(placed(flat, Pose(vec3(end), tilt)))
        hearts.append(ellipsoid((size * 0.4,) * 3, end, segments=10, rows=6))
    colour = sampler.colour("flower", hue=(0.75, 1.18), saturation=(0.35, 0.9), value=(0.8, 1.0))
    rows = (("stalks", stalks, (0.06, 0.28, 0.05)), ("petals", petals, colour), ("hearts", hearts, (0.85, 0.6, 0.05)))
    parts = [
        Part(name=name, mesh=joined(meshes), material=Material(colour=c, roughness=0.8)) for name, meshes, c in rows
    ]
    return parts, colliders
