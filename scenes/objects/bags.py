"""A backpack."""

from __future__ import annotations

import math

import numpy as np

from scenes import textures
from scenes.meshes import joined, sweep, warp
from scenes.objects.shape import UPRIGHT, ObjectShape, slab
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Mesh, Part
from scenes.solids import loft, rounded_rectangle, rounded_slab, rumpled
from scenes.transforms import Vec3, quaternion_about


@shaped("backpack")
def backpack(sampler: ShapeSampler) -> ObjectShape:
    """Returns a backpack that stands and faces -y: a domed sack, a front pocket with a zip, side pockets, loop, straps."""
    half = (
        sampler.uniform("half_depth_m", 0.12, 0.155),
        sampler.uniform("half_width_m", 0.065, 0.09),
        sampler.uniform("half_height_m", 0.18, 0.235),
    )
    colour = sampler.colour("cloth", saturation=(0.2, 0.9), value=(0.15, 0.8))
    cloth = Material(texture=textures.fabric(sampler.of("cloth"), colour, 128), roughness=0.95)
    other = (
        textures.shade(colour, sampler.choice("trim_shade", (0.5, 1.5)))
        if sampler.chance("has_own_trim_shade", 0.6)
        else sampler.colour("trim", value=(0.2, 0.9))
    )
    trim = Material(texture=textures.fabric(sampler.of("trim"), other, 128), roughness=0.95)
    depth, low = 0.4 * half[1], sampler.uniform("pocket_bottom", 0.28, 0.36) * half[2]
    pocket_half = (half[0] * sampler.uniform("pocket_width", 0.68, 0.82), depth, low + 0.02)
    pocket_at = (0.0, -half[1] - 0.35 * depth, pocket_half[2] + 0.025)
    pocket = _standing(pocket_half, pocket_at, 0.035)
    beside = [((0.014, half[1] * 0.6, half[2] * 0.34), (s * (half[0] + 0.004), 0.0, half[2] * 0.36)) for s in (-1, 1)]
    side = [_standing(*place, 0.012) for place in beside]
    straps, thick = _straps(sampler, half)
    parts = (
        Part(name="sack", mesh=_sack(half, sampler.rng), material=cloth),
        Part(name="pockets", mesh=joined([pocket, *side]), material=trim),
        Part(
            name="zips",
            mesh=joined(_zips(half, pocket_half, pocket_at)),
            material=Material(colour=(0.03, 0.03, 0.03), roughness=0.5),
        ),
        Part(name="straps", mesh=joined(straps), material=Material(colour=textures.shade(other, 0.45), roughness=0.9)),
    )
    body = slab((half[0], half[1], half[2] * 0.88), (0.0, 0.0, half[2] * 0.88))
    crown = slab((half[0] * 0.8, half[1] * 0.72, half[2] * 0.12), (0.0, 0.0, half[2] * 1.88))
    front = slab(pocket_half, pocket_at)
    padding = [
        slab((0.022, thick / 2, half[2] * 0.22), (s * half[0] * x, half[1] + thick / 2, half[2] * z))
        for s in (-1, 1)
        for x, z in ((0.48, 1.4), (0.56, 0.95))
    ]
    colliders = (body, crown, front, *(slab(*place) for place in beside), *padding)
    return ObjectShape(
        category="backpack",
        parts=parts,
        colliders=colliders,
        mass_kg=sampler.uniform("mass_kg", 0.5, 1.6),
        rests=(UPRIGHT, UPRIGHT, quaternion_about((1.0, 0.0, 0.0), -math.pi / 2)),
        friction=1.0,
    )


def _sack(half: Vec3, rng: np.random.Generator) -> Mesh:
    """Returns the main body: flat and full below, round above, softly rumpled."""
    rings = []
    for level in np.concatenate([[0.0, 0.015, 0.06], np.linspace(0.15, 0.8, 6), [0.88, 0.94, 0.98, 1.0]]):
        dome = math.sqrt(max(1 - (max(level - 0.72, 0.0) / 0.285) ** 2.4, 0.0))
        foot = 1.0 - 0.06 * max(0.0, 1 - level / 0.05)
        x, y = (
            half[0] * foot * (0.35 + 0.65 * dome),
            half[1] * foot * (0.2 + 0.8 * dome) * (0.93 + 0.07 * math.cos(3 * level)),
        )
        outline = rounded_rectangle(x, y, 0.045, 5)
        rings.append(np.column_stack([outline, np.full(len(outline), 2 * half[2] * level)]))
    soft = rumpled(loft(rings), rng, 0.0022, 0.16)
    return warp(soft, lambda points: np.column_stack([points[:, :2], np.maximum(points[:, 2], 0.0)]))


def _standing(half: Vec3, center: Vec3, corner_m: float) -> Mesh:
    """Returns a cushion with soft rims."""
    return rounded_slab(half, center, corner_m=corner_m, bevel_m=min(0.03, 0.6 * half[2]))


def _zips(half: Vec3, pocket_half: Vec3, pocket_at: Vec3) -> list[Mesh]:
    """Returns two zips: an arch over the front of the sack and a line across the pocket, each with its puller."""
    turn = np.linspace(0.08, math.pi - 0.08, 16)
    x, z = half[0] * 0.86 * np.cos(turn), half[2] * (1.22 + 0.55 * np.sin(turn))
    y = -half[1] * (0.99 - 0.32 * np.clip((z / (2 * half[2]) - 0.72) / 0.28, 0, 1) ** 2)
    arch = sweep(np.column_stack([x, y, z]), np.full(16, 0.0035), 6)
    front = pocket_at[1] - pocket_half[1] - 0.0005
    line = [(s * pocket_half[0] * 0.8, front, pocket_at[2] + 0.3 * pocket_half[2]) for s in np.linspace(-1, 1, 5)]
    puller = rounded_slab(
        (0.004, 0.002, 0.012), (0.7 * pocket_half[0], front - 0.002, line[0][2] - 0.012), corner_m=0.002, bevel_m=0.001
    )
    return [arch, sweep(line, np.full(5, 0.003), 6), puller]


def _straps(sampler: ShapeSampler, half: Vec3) -> tuple[list[Mesh], float]:
    """Returns the loop on top and the two padded straps on the back (+y), and how far these stand out from the sack."""
    top = 2 * half[2]
    t = np.linspace(0.0, math.pi, 9)
    loop = np.column_stack([0.035 * np.cos(t), np.full(9, 0.55 * half[1]), top * 0.965 + 0.04 * np.sin(t)])
    meshes = [sweep(loop, np.full(9, 0.006), 8)]
    bow = sampler.uniform("strap_bow_m", 0.014, 0.024)
    for s in (-1, 1):
        u = np.linspace(0.0, 1.0, 10)
        lift = half[1] * (0.97 - 0.25 * (1 - np.minimum(u * 5, 1.0))) + bow * np.sin(math.pi * u)
        path = np.column_stack([s * half[0] * (0.35 + 0.35 * u), lift, top * (0.93 - 0.72 * u)])
        wide = 0.022 * np.where(u > 0.72, 0.45, 1.0)
        meshes.append(sweep(path, wide, 10, 0.3))
    farthest = max(float(strap.vertices[:, 1].max()) for strap in meshes[1:])
    return meshes, farthest - half[1]
