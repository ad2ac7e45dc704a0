"""Lamps that stand on a floor or a table, on z = 0, and pendants, which hang."""

from __future__ import annotations

import math

import numpy as np

from scenes.objects import _furnishing as looks
from scenes.objects._assembly import Assembly
from scenes.objects.shape import ObjectShape
from scenes.sampler import ShapeSampler
from scenes.scene import Material


def lamp(sampler: ShapeSampler) -> ObjectShape:
    """Returns a table lamp or a floor lamp with a shade."""
    return floor_lamp(sampler) if sampler.chance("is_floor_lamp", 0.5) else table_lamp(sampler)


def floor_lamp(sampler: ShapeSampler) -> ObjectShape:
    """Returns a lamp on a pole of 1.3 to 1.7 m."""
    return _standing_lamp(
        sampler,
        sampler.uniform("floor.height_m", 1.35, 1.65),
        sampler.uniform("floor.foot_radius_m", 0.13, 0.17),
        sampler.uniform("floor.shade_radius_m", 0.16, 0.24),
    )


def table_lamp(sampler: ShapeSampler) -> ObjectShape:
    """Returns a lamp of 0.35 to 0.55 m."""
    return _standing_lamp(
        sampler,
        sampler.uniform("table.height_m", 0.36, 0.55),
        sampler.uniform("table.foot_radius_m", 0.06, 0.085),
        sampler.uniform("table.shade_radius_m", 0.09, 0.15),
    )


def _standing_lamp(sampler: ShapeSampler, height: float, foot: float, shade: float) -> ObjectShape:
    glow = sampler.colour("shade", hue=(0.08, 0.16), saturation=(0.02, 0.35), value=(0.92, 1.0))
    base = (
        looks.metal(sampler.of("base.metal"))
        if sampler.chance("is_metal", 0.4)
        else looks.wood_or_paint(sampler.of("base"))
    )
    made = Assembly(base=base, shade=Material(colour=looks.linear(glow), roughness=0.9))
    made.turned("base", [(0, 0), (foot, 0), (foot, 0.012), (0.3 * foot, 0.024), (0, 0.024)])
    tall = shade * sampler.uniform("shade_height", 1.1, 1.6)
    low = height - tall
    if height < 0.8 and sampler.chance("has_belly", 0.6):
        belly = sampler.uniform("belly", 0.7, 1.0) * foot
        line = [
            (0, 0.02),
            (0.5 * foot, 0.02),
            (belly, 0.3 * low),
            (0.6 * belly, 0.6 * low),
            (0.012, 0.85 * low),
            (0.012, low + 0.02),
            (0, low + 0.02),
        ]
        made.turned("base", line)
    else:
        made.rod("base", (0, 0, 0.02), (0, 0, low + 0.02), sampler.uniform("rod_radius_m", 0.008, 0.014))
    upper = shade * sampler.uniform("shade_taper", 0.55, 0.95)
    made.turned(
        "shade",
        [
            (0, low + 0.01),
            (shade - 0.004, low),
            (shade, low),
            (upper, height),
            (upper - 0.004, height),
            (0, height - 0.01),
        ],
        segments=32,
    )
    return made.finish("lamp", sampler.uniform("mass_factor", 0.8, 1.6) * (4.0 if height > 0.8 else 1.0))


def pendant(sampler: ShapeSampler, drop_m: float) -> ObjectShape:
    """Returns a lamp that hangs `drop_m` below the ceiling; its frame is at the ceiling, so that it lies at z < 0."""
    glow = sampler.colour("pendant.shade", hue=(0.08, 0.16), saturation=(0.0, 0.25), value=(0.9, 1.0))
    made = Assembly(
        cord=looks.dark(sampler.of("pendant.cord")), shade=Material(colour=looks.linear(glow), roughness=0.9)
    )
    wide, tall = sampler.uniform("pendant.radius_m", 0.14, 0.24), sampler.uniform("pendant.shade_height_m", 0.12, 0.22)
    low = -drop_m
    made.turned("cord", [(0, -0.025), (0.05, -0.025), (0.05, 0), (0, 0)])
    made.rod("cord", (0, 0, low + tall - 0.01), (0, 0, -0.02), 0.004, segments=6)
    if sampler.chance("pendant.is_dome", 0.4):
        made.turned(
            "shade",
            [(wide * math.sin(a), low + tall / 2 - tall / 2 * math.cos(a)) for a in np.linspace(0, math.pi, 13)],
        )
    else:
        made.turned(
            "shade",
            [(0, low + 0.02), (wide - 0.006, low), (wide, low), (0.35 * wide, low + tall), (0, low + tall)],
            segments=32,
        )
    return made.finish("lamp", sampler.uniform("pendant.mass_kg", 0.8, 2.0))
