"""Donut, sandwich and pizza."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes import textures
from scenes.meshes import Points, extrude, joined, placed, subtract, sweep, warp
from scenes.objects.shape import UPRIGHT, ObjectShape, capsule_between, cylinder, slab
from scenes.objects.wedges import sector_boxes
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import closed_tube, ellipsoid, rounded_rectangle, rounded_slab, rumpled, sector
from scenes.transforms import Pose, Vec3, quaternion_about

_UP = (0.0, 0.0, 1.0)


def _baked(sampler: ShapeSampler) -> Vec3:
    return sampler.colour(hue=(0.07, 0.105), saturation=(0.45, 0.75), value=(0.55, 0.88))


def _crumb(sampler: ShapeSampler, colour: Vec3) -> Material:
    field = textures.noise(sampler.rng, 96, 24, 2)
    return Material(texture=textures.blend(field, textures.shade(colour, 0.82), textures.shade(colour, 1.08)), roughness=0.95)


def donut(sampler: ShapeSampler) -> ObjectShape:
    """Returns a ring of dough, mostly with a glaze that runs down its sides and with sprinkles."""
    outer, minor = sampler.uniform(0.036, 0.05), sampler.uniform(0.0125, 0.0165)
    major = outer - minor
    turn = np.arange(28) * (2 * math.pi / 28)
    circle = np.stack([major * np.cos(turn), major * np.sin(turn), np.full(28, minor)], axis=1)
    parts = [Part(name="dough", mesh=closed_tube(circle, minor, 14), material=_crumb(sampler, _baked(sampler)))]
    glazed = sampler.chance(0.85)
    if glazed:
        parts += _glaze(sampler, circle, minor)
    count = 14
    # Between the dough, which stands on z = 0, and the top of glaze and sprinkles.
    tube = minor + (0.0009 if glazed else 0.0)
    knots = [(major * math.cos(a), major * math.sin(a), tube) for a in np.arange(count + 1) * (2 * math.pi / count)]
    colliders = tuple(capsule_between(a, b, tube) for a, b in zip(knots[:-1], knots[1:], strict=True))
    return ObjectShape(
        category="donut", parts=tuple(parts), colliders=colliders, mass_kg=sampler.uniform(0.05, 0.1),
        rests=(UPRIGHT, UPRIGHT, UPRIGHT, quaternion_about((1.0, 0.0, 0.0), math.pi)),
    )  # fmt: skip


def _glaze(sampler: ShapeSampler, circle: Points, minor_m: float) -> list[Part]:
    """Returns the glaze, a tube whose lower side is pulled up into the dough in waves, and maybe sprinkles on it."""
    waves, phase, low = sampler.integer(5, 8), sampler.uniform(0, 6), sampler.uniform(-0.25, 0.15)
    tube = closed_tube(circle, minor_m + 0.0012, 18)

    def lifted(points: NDArray[np.float64]) -> NDArray[np.float64]:
        angle = np.arctan2(points[:, 1], points[:, 0])
        edge = minor_m * (1 + low + 0.22 * np.sin(waves * angle + phase))
        below = points[:, 2] < edge
        shrink = np.where(below, 0.72, 1.0)
        major = float(np.linalg.norm(circle[0, :2]))
        ring = np.linalg.norm(points[:, :2], axis=1)
        radial = (major + (ring - major) * shrink) / np.maximum(ring, 1e-9)
        return np.column_stack([points[:, :2] * radial[:, None], np.where(below, edge, points[:, 2])])

    pink, chocolate, cream = (0.92, 1.0), (0.04, 0.07), (0.1, 0.14)
    hue, value = sampler.choice(((pink, (0.8, 1.0)), (chocolate, (0.2, 0.42)), (cream, (0.9, 1.0)), ((0.5, 0.6), (0.8, 1.0))))
    colour = sampler.colour(hue=hue, saturation=(0.35, 0.6) if value[0] > 0.5 else (0.5, 0.75), value=value)
    parts = [Part(name="glaze", mesh=warp(tube, lifted), material=Material(colour=colour, roughness=0.15))]
    if sampler.chance(0.65):
        parts += _sprinkles(sampler, circle, minor_m + 0.0012)
    return parts


def _sprinkles(sampler: ShapeSampler, circle: Points, minor_m: float) -> list[Part]:
    colours = [sampler.colour(saturation=(0.3, 1.0), value=(0.75, 1.0)) for _ in range(3)]
    groups: list[list[Mesh]] = [[], [], []]
    for k in range(42):
        turn, lean = sampler.uniform(0, 2 * math.pi), sampler.uniform(0.2, math.pi - 0.2)
        out = np.array([math.cos(turn), math.sin(turn), 0.0])
        normal = math.cos(lean) * out + math.sin(lean) * np.array(_UP)
        middle = out * np.linalg.norm(circle[0, :2]) + [0, 0, circle[0, 2]] + normal * minor_m
        tangent = np.cross(normal, (-out[1], out[0], 0.0)) * math.cos(k) + np.array([-out[1], out[0], 0.0]) * math.sin(k)
        groups[k % 3].append(sweep([middle - 0.0024 * tangent, middle + 0.0024 * tangent], [0.0009, 0.0009], 5))
    return [
        Part(name=f"sprinkles_{i}", mesh=joined(group), material=Material(colour=colour, roughness=0.4))
        for i, (group, colour) in enumerate(zip(groups, colours, strict=True))
    ]


def sandwich(sampler: ShapeSampler) -> ObjectShape:
    """Returns slices of toast, whole or cut to a triangle, or a long roll, with layers that show at the rim."""
    return _roll(sampler) if sampler.chance(0.3) else _toast(sampler)


def _bread_outline(half_m: float, triangle: bool) -> Points:
    """Returns a slice's outline: a square with two ears, or half of one."""
    if triangle:
        side = 1.25 * half_m
        return np.array([(-side, -0.5 * side), (side, -0.5 * side), (side * 0.06, 0.46 * side), (-side * 0.06, 0.46 * side)])
    outline = rounded_rectangle(half_m, half_m, 0.3 * half_m, 5)
    ears = np.where((outline[:, 1] > 0.45 * half_m)[:, None], outline * [1.1, 1.0], outline)
    return np.asarray(ears, dtype=np.float64)


def _slice(outline: Points, bottom_m: float, thickness_m: float) -> tuple[Mesh, Mesh]:
    """Returns the crust and, a little proud of it above and below, the crumb."""
    inner = outline * 0.94
    crust = subtract(extrude(outline, thickness_m, 0.03), placed(extrude(inner, thickness_m + 0.02, 0.05), Pose((0, 0, -0.01))))
    crumb = extrude(inner, thickness_m + 0.0006, 0.03)
    return placed(crust, Pose((0, 0, bottom_m + 0.0003))), placed(crumb, Pose((0, 0, bottom_m)))


def _toast(sampler: ShapeSampler) -> ObjectShape:
    triangle = sampler.chance(0.5)
    half, thickness = sampler.uniform(0.046, 0.06), sampler.uniform(0.011, 0.015)
    outline = _bread_outline(half, triangle)
    fillings, height = _fillings(sampler, outline, thickness + 0.0006)
    slices = [_slice(outline, bottom, thickness) for bottom in (0.0, height)]
    top = height + thickness + 0.0006
    crumb, crust = sampler.colour(hue=(0.09, 0.13), saturation=(0.1, 0.35), value=(0.85, 1.0)), _baked(sampler)
    toasted = sampler.colour(hue=(0.07, 0.1), saturation=(0.35, 0.6), value=(0.65, 0.9))
    parts = [
        Part(name="crust", mesh=joined([s[0] for s in slices]), material=_crumb(sampler, textures.shade(crust, 0.8))),
        Part(name="crumb", mesh=joined([s[1] for s in slices]), material=_crumb(sampler, sampler.choice((crumb, toasted)))),
        *fillings,
    ]
    return ObjectShape(
        category="sandwich", parts=tuple(parts), colliders=_toast_colliders(outline, triangle, top),
        mass_kg=sampler.uniform(0.1, 0.25), rests=(UPRIGHT,),
    )  # fmt: skip


def _toast_colliders(outline: Points, triangle: bool, top_m: float) -> tuple[Collider, ...]:
    if not triangle:
        half_x, half_y = float(np.abs(outline[:, 0]).max()), float(np.abs(outline[:, 1]).max())
        return (slab((half_x, half_y, top_m / 2), (0.0, 0.0, top_m / 2)),)
    boxes, low, high = [], float(outline[:, 1].min()), float(outline[:, 1].max())
    edges = np.linspace(low, high, 7)
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        width = float(np.interp((a + b) / 2, (low, high), (outline[:, 0].max(), outline[3, 0] * -1)))
        boxes.append(slab((width, float(b - a) / 2, top_m / 2), (0.0, float(a + b) / 2, top_m / 2)))
    return tuple(boxes)


def _fillings(sampler: ShapeSampler, outline: Points, bottom_m: float) -> tuple[list[Part], float]:
    """Stacks lettuce, cheese, ham or tomato within the outline and returns them with the height of their top."""
    kinds = sampler.choice((("ham", "lettuce"), ("cheese", "lettuce", "tomato"), ("ham", "cheese"), ("lettuce", "tomato", "cheese")))
    parts, height = [], bottom_m
    for kind in kinds:
        thickness = {"ham": 0.004, "cheese": 0.0032, "tomato": 0.006, "lettuce": 0.005}[kind]
        mesh = extrude(outline * (1.06 if kind == "lettuce" else 1.0), thickness, 0.008 if kind == "lettuce" else 0.02)
        mesh = placed(mesh, Pose((0.0, 0.0, height)))
        if kind == "lettuce":
            mesh = rumpled(mesh, sampler.rng, 0.0035, 0.02)
        parts.append(Part(name=kind, mesh=mesh, material=Material(colour=_FILLING[kind](sampler), roughness=0.6)))
        height += thickness
    return parts, height


_FILLING = {
    "ham": lambda s: s.colour(hue=(0.96, 1.01), saturation=(0.3, 0.5), value=(0.8, 0.95)),
    "cheese": lambda s: s.colour(hue=(0.11, 0.145), saturation=(0.6, 0.9), value=(0.9, 1.0)),
    "tomato": lambda s: s.colour(hue=(0.98, 1.02), saturation=(0.75, 0.95), value=(0.65, 0.9)),
    "lettuce": lambda s: s.colour(hue=(0.22, 0.3), saturation=(0.5, 0.85), value=(0.5, 0.85)),
}


def _roll(sampler: ShapeSampler) -> ObjectShape:
    """A long bun: two rounded halves with the filling between them."""
    x, y = sampler.uniform(0.075, 0.1), sampler.uniform(0.03, 0.037)
    low, high = sampler.uniform(0.016, 0.02), sampler.uniform(0.022, 0.03)
    outline = rounded_rectangle(x * 0.96, y * 0.97, y, 6)
    fillings, height = _fillings(sampler, outline, low)
    base = rounded_slab((x, y, low / 2), (0.0, 0.0, low / 2), corner_m=y, bevel_m=0.008, steps=6)
    dome = ellipsoid((x, y, high), (0.0, 0.0, height), segments=28, rows=14)
    top = warp(dome, lambda p: np.column_stack([p[:, :2] * 1.0, np.maximum(p[:, 2], height)]))
    bread = _baked(sampler)
    crust = textures.blend(textures.noise(sampler.rng, 64, 5), textures.shade(bread, 0.75), textures.shade(bread, 1.1))
    parts = (Part(name="bread", mesh=joined([base, top]), material=Material(texture=crust, roughness=0.7)), *fillings)
    total = height + high
    colliders = (
        slab((x * 0.93, y * 0.95, height / 2), (0.0, 0.0, height / 2)),
        slab((x * 0.8, y * 0.75, high * 0.3), (0.0, 0.0, height + high * 0.3)),
        slab((x * 0.5, y * 0.45, high * 0.2), (0.0, 0.0, total - high * 0.2 - 0.001)),
    )
    return ObjectShape(category="sandwich", parts=parts, colliders=colliders, mass_kg=sampler.uniform(0.15, 0.3))


def pizza(sampler: ShapeSampler) -> ObjectShape:
    """Returns a pizza: whole, with slices gone, or one slice; crust, sauce, cheese and what lies on it."""
    share = sampler.choice((1.0, 1.0, 0.75, 0.875, 0.125))
    radius, thickness = sampler.uniform(0.11, 0.145), sampler.uniform(0.007, 0.01)
    rim = sampler.uniform(0.008, 0.011)
    end = 2 * math.pi * share
    bread = _baked(sampler)
    base = extrude(sector(radius - rim, 0.0, end), thickness, 0.03) if share < 1 else _disc(radius - rim, thickness)
    parts = [
        Part(name="crust", mesh=joined([base, _rim(radius - rim, rim, end, share == 1.0)]), material=_crumb(sampler, bread)),
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
        colliders=_pizza_colliders(radius, thickness, rim, end, shift),
        mass_kg=share * sampler.uniform(0.35, 0.7) + 0.03,
    )


def _pizza_colliders(radius_m: float, thickness_m: float, rim_m: float, end_rad: float, shift_m: Vec3) -> tuple[Collider, ...]:
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
    cheese = sampler.colour(hue=(0.11, 0.14), saturation=(0.4, 0.7), value=(0.9, 1.0))
    sauce = sampler.colour(hue=(0.0, 0.04), saturation=(0.75, 0.95), value=(0.6, 0.8))
    field = textures.noise(sampler.rng, 128, 10, 3)
    sharp = np.clip((field - sampler.uniform(0.38, 0.5)) * 6 + 0.5, 0, 1).astype(np.float32)
    return Material(texture=textures.blend(sharp, sauce, cheese), roughness=0.4)


def _toppings(sampler: ShapeSampler, reach_m: float, height_m: float, end_rad: float) -> list[Part]:
    """Scatters salami, olives or leaves of basil on a sunflower spiral within the sector."""
    salami, olives, basil = [], [], []
    count = max(3, round(34 * end_rad / (2 * math.pi)))
    margin = min(0.28, 0.25 * end_rad) if end_rad < 6.2 else 0.0
    only = sampler.choice(("salami", "olive", "both", "basil"))
    for k in range(count):
        r = reach_m * math.sqrt((k + 0.7) / count) * 0.93
        a = margin + (end_rad - 2 * margin) * ((k * 0.618034 + 0.1 * sampler.unit()) % 1.0)
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
            ring = np.column_stack([at[0] + 0.005 * np.cos(turn), at[1] + 0.005 * np.sin(turn), np.full(10, at[2] + 0.001)])
            olives.append(closed_tube(ring, 0.0022, 6))
    olive = sampler.choice(((0.1, 0.1, 0.09), (0.2, 0.24, 0.05)))
    red = sampler.colour(hue=(0.98, 1.02), saturation=(0.7, 0.9), value=(0.5, 0.75))
    rows = (("salami", salami, red), ("olives", olives, olive), ("basil", basil, (0.05, 0.25, 0.04)))
    return [Part(name=n, mesh=joined(m), material=Material(colour=c, roughness=0.35)) for n, m, c in rows if m]
