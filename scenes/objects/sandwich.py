"""A sandwich: toast, half a toast, or a long roll, with what is between."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from scenes import textures
from scenes.meshes import Points, extrude, joined, placed, subtract, warp
from scenes.objects.dough import baked, crumb
from scenes.objects.shape import UPRIGHT, ObjectShape, slab
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import ellipsoid, rounded_rectangle, rounded_slab, rumpled
from scenes.transforms import Pose


@shaped("sandwich")
def sandwich(sampler: ShapeSampler) -> ObjectShape:
    """Returns slices of toast, whole or cut to a triangle, or a long roll, with layers that show at the rim."""
    return _roll(sampler) if sampler.chance("is_roll", 0.3) else _toast(sampler)


def _bread_outline(half_m: float, triangle: bool) -> Points:
    """Returns a slice's outline: a square with two ears, or half of one."""
    if triangle:
        side = 1.25 * half_m
        return np.array(
            [(-side, -0.5 * side), (side, -0.5 * side), (side * 0.06, 0.46 * side), (-side * 0.06, 0.46 * side)]
        )
    outline = rounded_rectangle(half_m, half_m, 0.3 * half_m, 5)
    ears = np.where((outline[:, 1] > 0.45 * half_m)[:, None], outline * [1.1, 1.0], outline)
    return np.asarray(ears, dtype=np.float64)


def _slice(outline: Points, bottom_m: float, thickness_m: float) -> tuple[Mesh, Mesh]:
    """Returns the crust and, a little proud of it above and below, the crumb."""
    inner = outline * 0.94
    crust = subtract(
        extrude(outline, thickness_m, 0.03), placed(extrude(inner, thickness_m + 0.02, 0.05), Pose((0, 0, -0.01)))
    )
    inside = extrude(inner, thickness_m + 0.0006, 0.03)
    return placed(crust, Pose((0, 0, bottom_m + 0.0003))), placed(inside, Pose((0, 0, bottom_m)))


def _toast(sampler: ShapeSampler) -> ObjectShape:
    triangle = sampler.chance("toast.is_triangle", 0.5)
    half, thickness = (
        sampler.uniform("toast.half_width_m", 0.046, 0.06),
        sampler.uniform("toast.thickness_m", 0.011, 0.015),
    )
    outline = _bread_outline(half, triangle)
    fillings, height = _fillings(sampler, outline, thickness + 0.0006)
    slices = [_slice(outline, bottom, thickness) for bottom in (0.0, height)]
    top = height + thickness + 0.0006
    white, crust = (
        sampler.colour("toast.white", hue=(0.09, 0.13), saturation=(0.1, 0.35), value=(0.85, 1.0)),
        baked(sampler),
    )
    toasted = sampler.colour("toast.brown", hue=(0.07, 0.1), saturation=(0.35, 0.6), value=(0.65, 0.9))
    parts = [
        Part(name="crust", mesh=joined([s[0] for s in slices]), material=crumb(sampler, textures.shade(crust, 0.8))),
        Part(
            name="crumb",
            mesh=joined([s[1] for s in slices]),
            material=crumb(sampler, sampler.choice("toast.bread", (white, toasted), names=("white", "brown"))),
        ),
        *fillings,
    ]
    return ObjectShape(
        category="sandwich", parts=tuple(parts), colliders=_toast_colliders(outline, triangle, top),
        mass_kg=sampler.uniform("toast.mass_kg", 0.1, 0.25), rests=(UPRIGHT,),
    )  # fmt: skip


def _toast_colliders(outline: Points, triangle: bool, top_m: float) -> tuple[Collider, ...]:
    if not triangle:
        half_x, half_y = float(np.abs(outline[:, 0]).max()), float(np.abs(outline[:, 1]).max())
        return (slab((half_x, half_y, top_m / 2), (0.0, 0.0, top_m / 2)),)
    boxes, low, high = [], float(outline[:, 1].min()), float(outline[:, 1].max())
    edges = np.linspace(low, high, 7)
    for a, b in pairwise(edges):
        width = float(np.interp((a + b) / 2, (low, high), (outline[:, 0].max(), outline[3, 0] * -1)))
        boxes.append(slab((width, float(b - a) / 2, top_m / 2), (0.0, float(a + b) / 2, top_m / 2)))
    return tuple(boxes)


def _fillings(sampler: ShapeSampler, outline: Points, bottom_m: float) -> tuple[list[Part], float]:
    """Stacks lettuce, cheese, ham or tomato within the outline and returns them with the height of their top."""
    fillings = ("ham lettuce", "cheese lettuce tomato", "ham cheese", "lettuce tomato cheese")
    kinds = sampler.choice("fillings", fillings).split()
    parts, height = [], bottom_m
    for kind in kinds:
        thickness = {"ham": 0.004, "cheese": 0.0032, "tomato": 0.006, "lettuce": 0.005}[kind]
        mesh = extrude(outline * (1.06 if kind == "lettuce" else 1.0), thickness, 0.008 if kind == "lettuce" else 0.02)
        mesh = placed(mesh, Pose((0.0, 0.0, height)))
        if kind == "lettuce":
            mesh = rumpled(mesh, sampler.rng, 0.0035, 0.02, is_sheet=True)
        parts.append(Part(name=kind, mesh=mesh, material=Material(colour=_FILLING[kind](sampler), roughness=0.6)))
        height += thickness
    return parts, height


_FILLING = {
    "ham": lambda s: s.colour("ham", hue=(0.96, 1.01), saturation=(0.3, 0.5), value=(0.8, 0.95)),
    "cheese": lambda s: s.colour("cheese", hue=(0.11, 0.145), saturation=(0.6, 0.9), value=(0.9, 1.0)),
    "tomato": lambda s: s.colour("tomato", hue=(0.98, 1.02), saturation=(0.75, 0.95), value=(0.65, 0.9)),
    "lettuce": lambda s: s.colour("lettuce", hue=(0.22, 0.3), saturation=(0.5, 0.85), value=(0.5, 0.85)),
}


def _roll(sampler: ShapeSampler) -> ObjectShape:
    """A long bun: two rounded halves with the filling between them."""
    x, y = sampler.uniform("roll.half_length_m", 0.075, 0.1), sampler.uniform("roll.half_width_m", 0.03, 0.037)
    low, high = sampler.uniform("roll.lower_m", 0.016, 0.02), sampler.uniform("roll.upper_m", 0.022, 0.03)
    outline = rounded_rectangle(x * 0.96, y * 0.97, y, 6)
    fillings, height = _fillings(sampler, outline, low)
    base = rounded_slab((x, y, low / 2), (0.0, 0.0, low / 2), corner_m=y, bevel_m=0.008, steps=6)
    dome = ellipsoid((x, y, high), (0.0, 0.0, height), segments=28, rows=14)
    top = warp(dome, lambda p: np.column_stack([p[:, :2] * 1.0, np.maximum(p[:, 2], height)]))
    bread = baked(sampler)
    crust = textures.blend(textures.noise(sampler.rng, 64, 5), textures.shade(bread, 0.75), textures.shade(bread, 1.1))
    parts = (Part(name="bread", mesh=joined([base, top]), material=Material(texture=crust, roughness=0.7)), *fillings)
    total = height + high
    colliders = (
        slab((x * 0.93, y * 0.95, height / 2), (0.0, 0.0, height / 2)),
        slab((x * 0.8, y * 0.75, high * 0.3), (0.0, 0.0, height + high * 0.3)),
        slab((x * 0.5, y * 0.45, high * 0.2), (0.0, 0.0, total - high * 0.2 - 0.001)),
    )
    return ObjectShape(
        category="sandwich", parts=parts, colliders=colliders, mass_kg=sampler.uniform("roll.mass_kg", 0.15, 0.3)
    )
