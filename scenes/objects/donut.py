"""A donut: a ring of dough, glaze and sprinkles."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scenes.meshes import Points, joined, sweep, warp
from scenes.objects.dough import baked, crumb
from scenes.objects.shape import UPRIGHT, ObjectShape, capsule_between
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Mesh, Part
from scenes.solids import closed_tube
from scenes.transforms import quaternion_about

_UP = (0.0, 0.0, 1.0)

# Ranges of hue, saturation and value.
_GLAZES = {
    "pink": ((0.92, 1.0), (0.35, 0.6), (0.8, 1.0)),
    "chocolate": ((0.04, 0.07), (0.5, 0.75), (0.2, 0.42)),
    "cream": ((0.1, 0.14), (0.35, 0.6), (0.9, 1.0)),
    "blue": ((0.5, 0.6), (0.35, 0.6), (0.8, 1.0)),
}


@shaped("donut")
def donut(sampler: ShapeSampler) -> ObjectShape:
    """Returns a ring of dough, mostly with a glaze that runs down its sides and with sprinkles."""
    outer, minor = sampler.uniform("outer_radius_m", 0.036, 0.05), sampler.uniform("tube_radius_m", 0.0125, 0.0165)
    major = outer - minor
    turn = np.arange(28) * (2 * math.pi / 28)
    circle = np.stack([major * np.cos(turn), major * np.sin(turn), np.full(28, minor)], axis=1)
    parts = [Part(name="dough", mesh=closed_tube(circle, minor, 14), material=crumb(sampler, baked(sampler)))]
    glazed = sampler.chance("has_glaze", 0.85)
    if glazed:
        parts += _glaze(sampler, circle, minor)
    count = 14
    # Between the dough, which stands on z = 0, and the top of glaze and sprinkles.
    tube = minor + (0.0009 if glazed else 0.0)
    knots = [(major * math.cos(a), major * math.sin(a), tube) for a in np.arange(count + 1) * (2 * math.pi / count)]
    colliders = tuple(capsule_between(a, b, tube) for a, b in pairwise(knots))
    return ObjectShape(
        category="donut", parts=tuple(parts), colliders=colliders, mass_kg=sampler.uniform("mass_kg", 0.05, 0.1),
        rests=(UPRIGHT, UPRIGHT, UPRIGHT, quaternion_about((1.0, 0.0, 0.0), math.pi)),
    )  # fmt: skip


def _glaze(sampler: ShapeSampler, circle: Points, minor_m: float) -> list[Part]:
    """Returns the glaze, a tube whose lower side is pulled up into the dough in waves, and maybe sprinkles on it."""
    waves, phase, low = (
        sampler.integer("glaze_waves", 5, 8),
        sampler.uniform("glaze_phase_rad", 0, 6),
        sampler.uniform("glaze_reach", -0.25, 0.15),
    )
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

    kind = sampler.choice("glaze_kind", tuple(_GLAZES))
    hue, saturation, value = _GLAZES[kind]
    colour = sampler.colour(f"{kind}_glaze", hue=hue, saturation=saturation, value=value)
    parts = [Part(name="glaze", mesh=warp(tube, lifted), material=Material(colour=colour, roughness=0.15))]
    if sampler.chance("has_sprinkles", 0.65):
        parts += _sprinkles(sampler, circle, minor_m + 0.0012)
    return parts


def _sprinkles(sampler: ShapeSampler, circle: Points, minor_m: float) -> list[Part]:
    colours = [sampler.colour("sprinkle", saturation=(0.3, 1.0), value=(0.75, 1.0)) for _ in range(3)]
    groups: list[list[Mesh]] = [[], [], []]
    for k in range(42):
        turn, lean = (
            sampler.uniform("sprinkle_turn_rad", 0, 2 * math.pi),
            sampler.uniform("sprinkle_lean_rad", 0.2, math.pi - 0.2),
        )
        out = np.array([math.cos(turn), math.sin(turn), 0.0])
        normal = math.cos(lean) * out + math.sin(lean) * np.array(_UP)
        middle = out * np.linalg.norm(circle[0, :2]) + [0, 0, circle[0, 2]] + normal * minor_m
        tangent = np.cross(normal, (-out[1], out[0], 0.0)) * math.cos(k) + np.array([-out[1], out[0], 0.0]) * math.sin(
            k
        )
        groups[k % 3].append(sweep([middle - 0.0024 * tangent, middle + 0.0024 * tangent], [0.0009, 0.0009], 5))
    return [
        Part(name=f"sprinkles_{i}", mesh=joined(group), material=Material(colour=colour, roughness=0.4))
        for i, (group, colour) in enumerate(zip(groups, colours, strict=True))
    ]
