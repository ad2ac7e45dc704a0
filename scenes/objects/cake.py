"""A layer cake: whole, with a piece cut out, or the piece."""

from __future__ import annotations

import math

import numpy as np

from scenes import textures
from scenes.meshes import extrude, joined, lathe, placed
from scenes.objects.shape import ObjectShape, cylinder
from scenes.objects.shaped import shaped
from scenes.objects.wedges import sector_boxes
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Mesh, Part
from scenes.solids import ellipsoid, sector
from scenes.transforms import Pose, Vec3

# A cut shows its layers because the sponge ends where the frosting's outline does, and the frosting only wraps the arc.


@shaped("cake")
def cake(sampler: ShapeSampler) -> ObjectShape:
    """Returns a cake of two or three layers under frosting, with dots of cream and maybe cherries or candles."""
    share = sampler.choice("share", (1.0, 0.8, 0.8, 0.16))
    radius, height = sampler.uniform("radius_m", 0.075, 0.105), sampler.uniform("height_m", 0.055, 0.085)
    end = 2 * math.pi * share
    sponge, cream = _sponge(sampler), sampler.colour("cream", saturation=(0.02, 0.35), value=(0.88, 1.0))
    tinted = sampler.colour("frosting", saturation=(0.2, 0.6), value=(0.75, 1.0))
    frosting = sampler.choice(
        "frosting_is", (cream, tinted, (0.16, 0.075, 0.04)), names=("cream", "colour", "chocolate")
    )
    icing = Material(colour=frosting, roughness=sampler.uniform("frosting_roughness", 0.25, 0.55))
    if share == 1.0:
        parts = [Part(name="frosting", mesh=_whole(radius, height), material=icing)]
    else:
        parts = _cut(
            radius, height, end, sponge, Material(colour=cream, roughness=0.6), icing, sampler.choice("layers", (2, 3))
        )
    dots, berries, tallest = _decoration(sampler, radius, height, end)
    parts.append(
        Part(name="cream", mesh=joined(dots), material=Material(colour=textures.shade(cream, 1.1), roughness=0.5))
    )
    if berries:
        red = sampler.colour("jam", hue=(0.96, 1.02), saturation=(0.8, 0.95), value=(0.5, 0.8))
        parts.append(Part(name="cherries", mesh=joined(berries), material=Material(colour=red, roughness=0.1)))
    candles = _candles(sampler, radius, height) if share == 1.0 and sampler.chance("has_candles", 0.6) else []
    shift = (0.0, 0.0, 0.0)
    if share < 0.5:
        shift = (-0.6 * radius * math.cos(end / 2), -0.6 * radius * math.sin(end / 2), 0.0)
    moved = [Part(name=p.name, mesh=placed(p.mesh, Pose(shift)), material=p.material) for p in [*parts, *candles]]
    whole = (cylinder(radius, 0.0, tallest),)
    return ObjectShape(
        category="cake", parts=tuple(moved), mass_kg=0.05 + share * sampler.uniform("mass_full_kg", 0.4, 0.85),
        colliders=whole if share == 1.0 else sector_boxes(radius, 0.0, end, 0.0, tallest, shift),
    )  # fmt: skip


def _sponge(sampler: ShapeSampler) -> Material:
    colour = sampler.choice(
        "sponge",
        ((0.9, 0.72, 0.4), (0.3, 0.16, 0.09), (0.62, 0.1, 0.12), (0.85, 0.6, 0.3)),
        names=("vanilla", "chocolate", "red", "lemon"),
    )
    field = textures.noise(sampler.rng, 96, 30, 2)
    return Material(
        texture=textures.blend(field, textures.shade(colour, 0.75), textures.shade(colour, 1.1)), roughness=0.95
    )


def _whole(radius_m: float, height_m: float) -> Mesh:
    soft = 0.008
    rim = [
        (radius_m - soft * (1 - math.cos(a)), height_m - soft * (1 - math.sin(a)))
        for a in np.linspace(0.0, math.pi / 2, 4)
    ]
    return lathe([(0.0, 0.0), (radius_m, 0.0), *rim, (0.0, height_m)], 48)


def _cut(
    radius_m: float, height_m: float, end_rad: float, sponge: Material, cream: Material, icing: Material, layers: int
) -> list[Part]:
    coat, filling = 0.005, 0.006
    # A hair short of the wall: solids that share a whole edge would make a mesh that is not manifold.
    inner = sector(radius_m - coat - 0.0001, 0.0, end_rad)
    cake_height = height_m - coat
    each = (cake_height - filling * (layers - 1)) / layers
    floors = [k * (each + filling) for k in range(layers)]
    sponges = [placed(extrude(inner, each, 0.05), Pose((0.0, 0.0, z))) for z in floors]
    fillings = [placed(extrude(inner, filling, 0.05), Pose((0.0, 0.0, z + each))) for z in floors[:-1]]
    wall = extrude(sector(radius_m, 0.0, end_rad, radius_m - coat), height_m, 0.05)
    top = placed(extrude(inner, coat, 0.05), Pose((0.0, 0.0, cake_height)))
    return [
        Part(name="sponge", mesh=joined(sponges), material=sponge),
        Part(name="filling", mesh=joined(fillings), material=cream),
        Part(name="frosting", mesh=joined([wall, top]), material=icing),
    ]


def _decoration(
    sampler: ShapeSampler, radius_m: float, height_m: float, end_rad: float
) -> tuple[list[Mesh], list[Mesh], float]:
    """Returns drops of cream near the rim, a cherry on every other one or none, and the height of the highest."""
    size = sampler.uniform("topping_size_m", 0.008, 0.011)
    count = max(1, math.floor(end_rad * (radius_m - 1.3 * size) / (2.6 * size)))
    fruit = sampler.chance("has_fruit", 0.6)
    drop = [(0.0, 0.0), (size, 0.0), (0.95 * size, 0.35 * size), (0.6 * size, 0.75 * size), (0.0, 1.25 * size)]
    dots, berries = [], []
    for k in range(count):
        a = (k + 0.5) * end_rad / count
        at: Vec3 = ((radius_m - 1.3 * size) * math.cos(a), (radius_m - 1.3 * size) * math.sin(a), height_m - 0.001)
        dots.append(placed(lathe(drop, 12), Pose(at)))
        if fruit and k % 2 == 0:
            berries.append(
                ellipsoid((0.0075, 0.0075, 0.0075), (at[0], at[1], at[2] + 1.25 * size + 0.004), segments=12, rows=8)
            )
    top = height_m + 1.25 * size + (0.0105 if berries else -0.001)
    return dots, berries, top


def _candles(sampler: ShapeSampler, radius_m: float, height_m: float) -> list[Part]:
    count, tall = sampler.integer("candles", 1, 7), sampler.uniform("candle_height_m", 0.035, 0.055)
    spread = 0.45 * radius_m if count > 1 else 0.0
    sticks, flames = [], []
    for k in range(count):
        a = 2 * math.pi * k / count
        at: Vec3 = (spread * math.cos(a), spread * math.sin(a), height_m - 0.002)
        sticks.append(placed(lathe([(0.0, 0.0), (0.003, 0.0), (0.003, tall), (0.0, tall)], 10), Pose(at)))
        flames.append(ellipsoid((0.003, 0.003, 0.007), (at[0], at[1], at[2] + tall + 0.006), segments=8, rows=6))
    colour = sampler.colour("candle", saturation=(0.3, 0.9), value=(0.7, 1.0))
    return [
        Part(name="candles", mesh=joined(sticks), material=Material(colour=colour, roughness=0.5)),
        Part(name="flames", mesh=joined(flames), material=Material(colour=(1.0, 0.6, 0.08), roughness=1.0)),
    ]
