"""Open vessels of revolution: cup, bowl, plate and wine glass; things stand in cups and bowls."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from scenes import textures
from scenes.meshes import lathe, subtract, sweep
from scenes.objects.shape import UPRIGHT, UPSIDE_DOWN, Cavity, ObjectShape, capsule_between, cylinder, wall_ring
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Part

Profile = list[tuple[float, float]]


def ceramic(sampler: ShapeSampler) -> Material:
    """Returns a glazed look: plain, mottled or striped."""
    colour = sampler.colour("colour", saturation=(0.0, 0.85), value=(0.45, 1.0))
    make = sampler.choice(
        "surface", (textures.plain, textures.plain, textures.speckle, textures.stripes, textures.marble)
    )
    return Material(texture=make(sampler, colour), roughness=sampler.uniform("roughness", 0.1, 0.5))


def _wall(outer: Profile, thickness_m: float, floor_m: float, floor_radius_m: float | None = None) -> Profile:
    """Closes an outer wall line into a vessel with a rounded lip and a floor, by default one that walls rise steeply from."""
    inner = [(r - thickness_m, z) for r, z in outer if z > floor_m + 1e-6]
    lip = (outer[-1][0] - thickness_m / 2, outer[-1][1] + thickness_m / 3)
    if floor_radius_m is None:
        floor_radius_m = max(inner[0][0] - (inner[0][1] - floor_m) * 0.2, 0.3 * inner[0][0])
    return [(0.0, 0.0), *outer, lip, *reversed(inner), (floor_radius_m, floor_m), (0.0, floor_m)]


@shaped("cup")
def cup(sampler: ShapeSampler) -> ObjectShape:
    """Returns a mug with a handle, or a tumbler without one."""
    top, height = sampler.uniform("top_radius_m", 0.034, 0.046), sampler.uniform("height_m", 0.07, 0.115)
    bottom = top * sampler.uniform("bottom", 0.68, 1.0)
    thickness, floor = 0.0035, 0.006
    outer = [(bottom - 0.002, 0.0), (bottom, 0.003)]
    outer += [(bottom + (top - bottom) * t, height * t) for t in (0.25, 0.5, 0.75, 1.0)]
    body = lathe(_wall(outer, thickness, floor))
    look = ceramic(sampler.of("glaze"))
    parts = [Part(name="body", mesh=body, material=look)]
    colliders = [cylinder(bottom, 0.0, floor), *wall_ring([(bottom, floor), (top, height)], 0.006)]
    if sampler.chance("has_handle", 0.8):
        reach, drop = (
            sampler.uniform("handle_reach_m", 0.022, 0.034),
            height * sampler.uniform("handle_height", 0.26, 0.36),
        )
        radius = sampler.uniform("handle_radius_m", 0.0038, 0.0055)
        angle = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 13)
        middle_r = (top + bottom) / 2 - 0.003
        path = np.stack([middle_r + reach * np.cos(angle), 0 * angle, 0.52 * height + drop * np.sin(angle)], axis=1)
        solid = lathe([(0.0, 0.0), *outer, (0.0, height)], 32)
        handle = subtract(sweep(path, np.full(13, radius), squash=1.5), solid)
        same = sampler.chance("has_same_glaze", 0.75)
        material = Material(colour=_mean_colour(look)) if same else ceramic(sampler.of("handle_glaze"))
        parts.append(Part(name="handle", mesh=handle, material=material))
        knots = path[[1, 4, 8, 11]]
        colliders += [capsule_between(list(a), list(b), radius) for a, b in pairwise(knots)]
    rests = (UPRIGHT,) * 9 + (UPSIDE_DOWN,)
    cavity = Cavity(radius_m=(top + bottom) / 2 - 0.006, floor_m=floor, rim_m=height)
    return ObjectShape(
        category="cup",
        parts=tuple(parts),
        colliders=tuple(colliders),
        mass_kg=sampler.uniform("mass_kg", 0.2, 0.4),
        rests=rests,
        cavity=cavity,
    )


def _mean_colour(look: Material) -> tuple[float, float, float]:
    if look.texture is None:
        return look.colour
    r, g, b = (float(v) / 255 for v in look.texture.reshape(-1, 3).mean(axis=0))
    return r, g, b


@shaped("bowl")
def bowl(sampler: ShapeSampler) -> ObjectShape:
    """Returns a round bowl on a foot."""
    radius, height = sampler.uniform("radius_m", 0.06, 0.09), sampler.uniform("height_m", 0.045, 0.075)
    foot, power = radius * sampler.uniform("foot", 0.4, 0.6), sampler.uniform("curve", 1.6, 2.6)
    outer = [(foot - 0.002, 0.0), (foot, 0.004)]
    outer += [(foot + (radius - foot) * t, 0.004 + (height - 0.004) * t**power) for t in (0.25, 0.5, 0.7, 0.85, 1.0)]
    floor, thickness = 0.009, 0.004
    outer_r, outer_z = zip(*outer, strict=True)
    # The wall rises so flat that a wider floor would come out through it.
    body = lathe(_wall(outer, thickness, floor, float(np.interp(floor, outer_z, outer_r)) - thickness), 40)
    line = [(foot + (radius - foot) * t, 0.004 + (height - 0.004) * t**power) for t in (0.3, 0.65, 1.0)]
    colliders = (cylinder(foot, 0.0, floor), *wall_ring([(foot, 0.003), *line], 0.006, 14))
    return ObjectShape(
        category="bowl",
        parts=(Part(name="body", mesh=body, material=ceramic(sampler.of("glaze"))),),
        colliders=colliders,
        mass_kg=sampler.uniform("mass_kg", 0.25, 0.5),
        rests=(UPRIGHT,) * 9 + (UPSIDE_DOWN,),
        cavity=Cavity(radius_m=(foot + radius) / 2, floor_m=floor, rim_m=height),
    )


@shaped("plate")
def plate(sampler: ShapeSampler) -> ObjectShape:
    """Returns a flat plate with a raised rim."""
    radius, height = sampler.uniform("radius_m", 0.085, 0.13), sampler.uniform("height_m", 0.014, 0.026)
    well, thickness = radius * sampler.uniform("well", 0.6, 0.72), 0.005
    outer = [(well * 0.75, 0.0), (well, 0.003), ((well + radius) / 2, 0.003 + 0.6 * (height - 0.003)), (radius, height)]
    inner = [
        (radius - 0.001, height + 0.002),
        ((well + radius) / 2, outer[2][1] + thickness),
        (well * 0.98, thickness + 0.002),
    ]
    body = lathe([(0.0, 0.0), *outer, *inner, (well * 0.9, thickness), (0.0, thickness)], 48)
    colliders = (cylinder(well, 0.0, thickness), *wall_ring([(well, 0.002), (radius, height)], 0.005))
    return ObjectShape(
        category="plate",
        parts=(Part(name="body", mesh=body, material=ceramic(sampler.of("glaze"))),),
        colliders=colliders,
        mass_kg=sampler.uniform("mass_kg", 0.3, 0.7),
        cavity=Cavity(radius_m=well, floor_m=thickness, rim_m=height),
    )


@shaped("wine glass")
def wine_glass(sampler: ShapeSampler) -> ObjectShape:
    """Returns a stemmed glass; opaque, because renderers disagree on labels behind glass."""
    base, stem, stem_top = (
        sampler.uniform("foot_radius_m", 0.03, 0.04),
        sampler.uniform("stem_radius_m", 0.0035, 0.005),
        sampler.uniform("stem_m", 0.07, 0.1),
    )
    belly, bowl_height = sampler.uniform("belly_radius_m", 0.032, 0.046), sampler.uniform("bowl_m", 0.07, 0.1)
    mouth = belly * sampler.uniform("mouth", 0.7, 1.0)
    turn = [0.15, 0.35, 0.6, 0.8, 1.0]
    belly_line = [(stem + (belly - stem) * math.sin(min(t / 0.55, 1.0) * math.pi / 2), t) for t in turn]
    outer = [(base, 0.0), (base, 0.0025), (stem * 1.6, 0.006), (stem, 0.015), (stem, stem_top)]
    for r, t in belly_line:
        narrowed = r - max(0.0, (t - 0.55) / 0.45) * (belly - mouth)
        outer.append((narrowed, stem_top + bowl_height * t))
    thickness = 0.002
    inner = [(r - thickness, z) for r, z in outer[6:]]
    body = lathe([(0.0, 0.0), *outer, *reversed(inner), (0.0, outer[5][1] + 0.004)], 32)
    tint = sampler.colour("tint", saturation=(0.02, 0.35), value=(0.65, 1.0))
    top = stem_top + bowl_height
    colliders = (
        cylinder(base, 0.0, 0.004),
        cylinder(stem, 0.004, stem_top),
        cylinder(belly * 0.75, stem_top + 0.1 * bowl_height, stem_top + 0.3 * bowl_height),
        cylinder(belly, stem_top + 0.3 * bowl_height, stem_top + 0.8 * bowl_height),
        cylinder(mouth, stem_top + 0.8 * bowl_height, top),
    )
    return ObjectShape(
        category="wine glass",
        parts=(
            Part(
                name="body",
                mesh=body,
                material=Material(colour=tint, roughness=sampler.uniform("roughness", 0.02, 0.15)),
            ),
        ),
        colliders=colliders,
        mass_kg=sampler.uniform("mass_kg", 0.12, 0.2),
        friction=0.9,
    )
