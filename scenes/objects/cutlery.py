"""Fork, knife and spoon: an outline extruded to a sheet and warped; their long axis is x."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes.meshes import extrude, warp
from scenes.objects.shape import UPRIGHT, ObjectShape, slab
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part

Outline = list[tuple[float, float]]


def _look(sampler: ShapeSampler) -> Material:
    if sampler.chance("is_metal", 0.75):
        tone = sampler.uniform("metal_grey", 0.35, 0.75)
        warmth = sampler.uniform("metal_warmth", 0.75, 1.0) if sampler.chance("is_warm", 0.3) else 1.0
        return Material(
            colour=(tone, tone * (0.5 + warmth / 2), tone * warmth),
            roughness=sampler.uniform("roughness", 0.15, 0.4),
            metallic=0.9,
        )
    return Material(colour=sampler.colour("plastic", value=(0.1, 0.9)), roughness=0.5)


def _mirrored(upper: Outline) -> Outline:
    """Closes a half outline (x rising, y >= 0) into a counter-clockwise polygon."""
    lower = [(x, -y) for x, y in upper]
    return lower + [(x, y) for x, y in reversed(upper)]


def _handle(length_m: float, wide_m: float, narrow_m: float) -> Outline:
    return [(0.0, wide_m * 0.6), (0.008, wide_m), (0.4 * length_m, 0.7 * wide_m), (length_m, narrow_m)]


def _piece(
    category: str, sheet: Mesh, colliders: tuple[Collider, ...], length_m: float, sampler: ShapeSampler
) -> ObjectShape:
    centred = warp(sheet, lambda points: points - [length_m / 2, 0.0, 0.0])
    return ObjectShape(
        category=category,
        parts=(Part(name="body", mesh=centred, material=_look(sampler)),),
        colliders=colliders,
        mass_kg=sampler.uniform("mass_kg", 0.03, 0.08),
        rests=(UPRIGHT,),
        length_m=length_m,
    )


def _arched(points: NDArray[np.float64], length_m: float, rise_m: float) -> NDArray[np.float64]:
    t = points[:, 0] / length_m
    points[:, 2] += 4 * rise_m * t * (1 - t)
    return points


def _arch_colliders(
    length_m: float, rise_m: float, widths_m: tuple[float, ...], thickness_m: float
) -> tuple[Collider, ...]:
    count = len(widths_m)
    edges = np.linspace(0.0, 1.0, count + 1)
    height = 4 * rise_m * edges * (1 - edges)
    colliders = []
    for i, width in enumerate(widths_m):
        run, rise = length_m * (edges[i + 1] - edges[i]), height[i + 1] - height[i]
        x = length_m * ((edges[i] + edges[i + 1]) / 2 - 0.5)
        z = (height[i] + height[i + 1]) / 2 + thickness_m / 2
        half = (math.hypot(run, rise) / 2, width, thickness_m / 2)
        colliders.append(slab(half, (float(x), 0.0, float(z)), -math.atan2(rise, run)))
    return tuple(colliders)


@shaped("fork")
def fork(sampler: ShapeSampler) -> ObjectShape:
    """Returns a fork with three or four tines."""
    length, head = sampler.uniform("length_m", 0.17, 0.215), sampler.uniform("head_half_width_m", 0.011, 0.0145)
    wide, thickness, rise = (
        sampler.uniform("handle_half_width_m", 0.006, 0.009),
        0.0022,
        sampler.uniform("rise_m", 0.004, 0.01),
    )
    neck, palm, tip = 0.58 * length, 0.72 * length, length
    half = [*_handle(neck, wide, 0.0035), (0.66 * length, head * 0.85), (palm, head)]
    outline = [(x, -y) for x, y in half]
    tines = sampler.choice("tines", (3, 4))
    pitch = 2 * head / tines
    gap = pitch * sampler.uniform("tine_gap", 0.32, 0.45)
    for k in range(tines):
        low, high = -head + k * pitch + gap / 2 * (k > 0), -head + (k + 1) * pitch - gap / 2 * (k < tines - 1)
        outline += [(tip - 0.004, low), (tip, (low + high) / 2), (tip - 0.004, high)]
        if k < tines - 1:
            outline += [(palm + 0.006, high), (palm + 0.006, high + gap)]
    outline += [(x, y) for x, y in reversed(half)]
    sheet = warp(extrude(outline, thickness, 0.012), lambda points: _arched(points, length, rise))
    colliders = _arch_colliders(length, rise, (wide, wide, 0.005, head, head), thickness)
    return _piece("fork", sheet, colliders, length, sampler)


@shaped("knife")
def knife(sampler: ShapeSampler) -> ObjectShape:
    """Returns a table knife: a rounded blade on a thicker handle."""
    length = sampler.uniform("length_m", 0.19, 0.235)
    wide, blade, thickness = (
        sampler.uniform("handle_half_width_m", 0.007, 0.01),
        sampler.uniform("blade_half_width_m", 0.0085, 0.0125),
        0.003,
    )
    grip = sampler.uniform("handle_share", 0.42, 0.5) * length
    lower = [
        (0.0, -wide * 0.7),
        (0.01, -wide),
        (grip, -wide * 0.8),
        (grip + 0.01, -blade),
        (length - 0.03, -blade),
        (length - 0.008, -blade * 0.4),
    ]
    upper = [(length, blade * 0.75), (grip + 0.01, blade * 0.75), (grip, wide * 0.8), (0.01, wide), (0.0, wide * 0.7)]
    sheet = extrude(lower + upper, thickness, 0.03)
    half = thickness / 2
    colliders = (
        slab((grip / 2, wide, half), ((grip - length) / 2, 0.0, half)),
        slab(((length - grip) / 2, blade * 0.87, half), (grip / 2, -blade * 0.12, half)),
    )
    return _piece("knife", sheet, colliders, length, sampler)


@shaped("spoon")
def spoon(sampler: ShapeSampler) -> ObjectShape:
    """Returns a spoon whose bowl is an ellipse pressed into a shallow cup."""
    length = sampler.uniform("length_m", 0.165, 0.21)
    wide, thickness = sampler.uniform("handle_half_width_m", 0.006, 0.009), 0.0022
    half_y, half_x = (
        sampler.uniform("bowl_half_width_m", 0.016, 0.022),
        sampler.uniform("bowl_half_length_m", 0.025, 0.033),
    )
    middle, rise, depth = (
        length - half_x,
        sampler.uniform("rise_m", 0.004, 0.009),
        sampler.uniform("bowl_depth_m", 0.006, 0.01),
    )
    turn = np.linspace(2.75, 0.0, 12)
    rim = [(middle + half_x * math.cos(a), half_y * math.sin(a)) for a in turn]
    half = [(x, y) for x, y in _handle(middle - half_x, wide, 0.0035)[:-1]] + [(x, max(y, 0.0035)) for x, y in rim[:-1]]
    sheet = extrude([*_mirrored(half)[: len(half)], (length, 0.0), *_mirrored(half)[len(half) :]], thickness, 0.006)

    def pressed(points: NDArray[np.float64]) -> NDArray[np.float64]:
        reach = ((points[:, 0] - middle) / half_x) ** 2 + (points[:, 1] / half_y) ** 2
        points = _arched(points, length, rise)
        points[:, 2] += depth * (np.clip(reach, 0.0, 1.0) ** 1.5 - 1.0) * (reach < 1.0)
        return points

    pressed_sheet = warp(sheet, pressed)
    lift = -float(pressed_sheet.vertices[:, 2].min())
    lifted = warp(pressed_sheet, lambda points: points + np.array([0.0, 0.0, max(lift, 0.0)]))
    stem = _arch_colliders(length, rise, (wide, wide, 0.005, half_y * 0.8), thickness)
    return _piece(
        "spoon", lifted, _spoon_colliders(stem, max(lift, 0.0), middle - length / 2, half_x, half_y), length, sampler
    )


def _spoon_colliders(
    stem: tuple[Collider, ...], lift_m: float, bowl_x_m: float, half_x_m: float, half_y_m: float
) -> tuple[Collider, ...]:
    raised = tuple(
        slab(c.size_m, (x, y, z + lift_m), 2 * math.asin(c.body_from_collider.quaternion_wxyz[2]))
        for c in stem[:-1]
        for x, y, z in (c.body_from_collider.position_m,)
    )
    bowl = slab((half_x_m * 0.6, half_y_m * 0.6, 0.003), (bowl_x_m, 0.0, 0.003))
    return (*raised, bowl)
