"""A pizza: whole, in part, or a slice."""

from __future__ import annotations

import math

import numpy as np

from scenes import textures
from scenes.meshes import extrude, joined, placed, sweep
from scenes.objects.dough import baked, crumb
from scenes.objects.shape import ObjectShape, cylinder
from scenes.objects.shaped import shaped
from scenes.objects.wedges import sector_boxes
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import closed_tube, ellipsoid, sector
from scenes.transforms import Pose, Vec3, quaternion_about

_UP = (0.0, 0.0, 1.0)


@shaped("pizza")
def pizza(sampler: ShapeSampler) -> ObjectShape:
    """Returns a pizza: whole, with slices gone, or one slice; crust, sauce, cheese and what lies on it."""
    share = sampler.choice("share", (1.0, 1.0, 0.75, 0.875, 0.125))
    radius, thickness = sampler.uniform("radius_m", 0.11, 0.145), sampler.uniform("thickness_m", 0.007, 0.01)
    rim = sampler.uniform("rim_m", 0.008, 0.011)
    end = 2 * math.pi * share
    bread = baked(sampler)
    base = (
        extrude(sector(radius - 1.05 * rim, 0.0, end), thickness, 0.03)
        if share < 1
        else _disc(radius - 1.05 * rim, thickness)
    )
    parts = [
        Part(
            name="crust",
            mesh=joined([base, _rim(radius - rim, rim, end, share == 1.0)]),
            material=crumb(sampler, bread),
        ),
        Part(name="cheese", mesh=_cheese(radius - 1.5 * rim, thickness, end), material=_melted(sampler)),
        *_toppings(sampler, radius - 2 * rim, thickness + 0.0015, end),
    ]
    shift = (0.0, 0.0, 0.0)
    if share < 0.5:
        # A slice is centred on its own middle, not on the pizza's.
        shift = (-0.6 * radius * math.cos(end / 2), -0.6 * radius * math.sin(end / 2), 0.0)
    return ObjectShape(
        category="pizza",
        parts=tuple(Part(name=p.name, mesh=placed(p.mesh, Pose(shift)), material=p.material) for p in parts),
        colliders=_pizza_colliders(radius, thickness, end, shift),
        mass_kg=share * sampler.uniform("mass_full_kg", 0.35, 0.7) + 0.03,
    )


def _pizza_colliders(radius_m: float, thickness_m: float, end_rad: float, shift_m: Vec3) -> tuple[Collider, ...]:
    if end_rad > 6.2:
        return (cylinder(radius_m, 0.0, thickness_m + 0.002),)
    return sector_boxes(radius_m, 0.0, end_rad, 0.0, thickness_m + 0.002, shift_m)


def _disc(radius_m: float, thickness_m: float) -> Mesh:
    turn = np.arange(40) * (2 * math.pi / 40)
    return extrude(radius_m * np.stack([np.cos(turn), np.sin(turn)], axis=1), thickness_m, 0.03)


def _rim(radius_m: float, rim_m: float, end_rad: float, whole: bool) -> Mesh:
    """Returns the raised edge, lying on z = 0."""
    turn = np.linspace(0.0, end_rad, max(4, math.ceil(36 * end_rad / (2 * math.pi))), endpoint=not whole)
    path = np.column_stack([radius_m * np.cos(turn), radius_m * np.sin(turn), np.full(len(turn), rim_m)])
    return closed_tube(path, rim_m, 10) if whole else sweep(path, np.full(len(turn), rim_m), 10)


def _cheese(radius_m: float, bottom_m: float, end_rad: float) -> Mesh:
    outline = sector(radius_m, 0.0, end_rad)[:-1] if end_rad > 6.2 else sector(radius_m, 0.02, end_rad - 0.02)
    outline = outline[:-1] if end_rad > 6.2 else outline
    return placed(extrude(outline, 0.0025, 0.03), Pose((0.0, 0.0, bottom_m - 0.001)))


def _melted(sampler: ShapeSampler) -> Material:
    cheese = sampler.colour("cheese", hue=(0.11, 0.14), saturation=(0.4, 0.7), value=(0.9, 1.0))
    sauce = sampler.colour("sauce", hue=(0.0, 0.04), saturation=(0.75, 0.95), value=(0.6, 0.8))
    field = textures.noise(sampler.rng, 128, 10, 3)
    sharp = np.clip((field - sampler.uniform("cheese_threshold", 0.38, 0.5)) * 6 + 0.5, 0, 1).astype(np.float32)
    return Material(texture=textures.blend(sharp, sauce, cheese), roughness=0.4)


def _toppings(sampler: ShapeSampler, reach_m: float, height_m: float, end_rad: float) -> list[Part]:
    """Scatters salami, olives or leaves of basil on a sunflower spiral within the sector."""
    salami, olives, basil = [], [], []
    count = max(3, round(34 * end_rad / (2 * math.pi)))
    margin = min(0.28, 0.25 * end_rad) if end_rad < 6.2 else 0.0
    only = sampler.choice("toppings", ("salami", "olive", "both", "basil"))
    for k in range(count):
        r = reach_m * math.sqrt((k + 0.7) / count) * 0.93
        a = margin + (end_rad - 2 * margin) * ((k * 0.618034 + 0.1 * sampler.uniform("topping_jitter", 0.0, 1.0)) % 1.0)
        if r * end_rad < 0.05:
            continue
        at = (r * math.cos(a), r * math.sin(a), height_m)
        if only == "salami" or (only == "both" and k % 2):
            if k % 2:
                salami.append(ellipsoid((0.0135, 0.0135, 0.0026), at, segments=16, rows=6))
        elif only == "basil" and k % 3 == 0:
            leaf = ellipsoid((0.014, 0.008, 0.002), segments=10, rows=6)
            basil.append(placed(leaf, Pose((at[0], at[1], at[2] + 0.001), quaternion_about(_UP, k * 1.3))))
        else:
            turn = np.arange(10) * (2 * math.pi / 10)
            ring = np.column_stack(
                [at[0] + 0.005 * np.cos(turn), at[1] + 0.005 * np.sin(turn), np.full(10, at[2] + 0.001)]
            )
            olives.append(closed_tube(ring, 0.0022, 6))
    olive = sampler.choice("olive_colour", ((0.1, 0.1, 0.09), (0.2, 0.24, 0.05)), names=("black", "green"))
    red = sampler.colour("salami", hue=(0.98, 1.02), saturation=(0.7, 0.9), value=(0.5, 0.75))
    rows = (("salami", salami, red), ("olives", olives, olive), ("basil", basil, (0.05, 0.25, 0.04)))
    return [Part(name=n, mesh=joined(m), material=Material(colour=c, roughness=0.35)) for n, m, c in rows if m]
