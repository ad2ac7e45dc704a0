"""A toothbrush on its back along x."""

from __future__ import annotations

import math

import numpy as np

from scenes.meshes import Points, joined, lathe, placed, sweep
from scenes.objects.plastic import plastic
from scenes.objects.shape import UPRIGHT, ObjectShape, slab
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Mesh, Part
from scenes.solids import rounded_slab
from scenes.transforms import Pose, quaternion_about


@shaped("toothbrush")
def toothbrush(sampler: ShapeSampler) -> ObjectShape:
    """Returns a toothbrush on its back along x: a waisted handle, a flat head, and tufts of bristles in two colours."""
    length, radius = sampler.uniform("length_m", 0.165, 0.195), sampler.uniform("handle_radius_m", 0.0048, 0.0065)
    head, waist = sampler.uniform("head_m", 0.026, 0.034), sampler.uniform("waist", 0.55, 0.75)
    t = np.linspace(0.0, 1.0, 16)
    radii = radius * (1 - (1 - waist) * np.exp(-(((t - 0.62) / 0.16) ** 2))) * np.where(t < 0.04, 0.75, 1.0)
    radii *= np.where(t > 0.78, waist, 1.0)
    path = np.column_stack([length * t - length / 2, np.zeros(16), radii * 0.75])
    reach = path[-1, 0] - head
    handle = sweep(path[path[:, 0] < reach + 0.006], radii[path[:, 0] < reach + 0.006], 12, 0.75)
    plate_half = (head / 2 + 0.003, sampler.uniform("head_half_width_m", 0.005, 0.0065), 0.0022)
    plate = rounded_slab(plate_half, (length / 2 - head / 2, 0.0, plate_half[2]), corner_m=0.005, bevel_m=0.001)
    tall = sampler.uniform("bristle_m", 0.009, 0.012)
    tufts = _tufts(length / 2 - head / 2, head, plate_half[1], 2 * plate_half[2] - 0.0003, tall)
    grip = _grip(sampler, path, radii)
    look = plastic(sampler.of("handle"))
    second = sampler.colour("bristle", saturation=(0.4, 0.9), value=(0.5, 1.0))
    parts = (
        Part(name="handle", mesh=joined([handle, plate]), material=look),
        Part(
            name="grip",
            mesh=grip,
            material=plastic(sampler.of("grip"))
            if sampler.chance("has_coloured_grip", 0.5)
            else Material(colour=(0.9, 0.9, 0.9)),
        ),
        Part(name="bristles", mesh=joined(tufts[0]), material=Material(colour=(0.93, 0.93, 0.95), roughness=0.9)),
        Part(name="inner_bristles", mesh=joined(tufts[1]), material=Material(colour=second, roughness=0.9)),
    )
    middle = (reach - length / 2) / 2
    thick = float(radii[1:].max())
    colliders = (
        slab(((reach + length / 2) / 2, thick, thick * 0.75), (middle, 0.0, thick * 0.75)),
        slab(plate_half, (length / 2 - head / 2, 0.0, plate_half[2])),
        slab((head / 2, plate_half[1], tall / 2), (length / 2 - head / 2, 0.0, 2 * plate_half[2] + tall / 2)),
    )
    return ObjectShape(
        category="toothbrush", parts=parts, colliders=colliders, mass_kg=sampler.uniform("mass_kg", 0.012, 0.025),
        rests=(UPRIGHT, quaternion_about((1.0, 0.0, 0.0), math.pi / 2), quaternion_about((1.0, 0.0, 0.0), -math.pi / 2)),
        length_m=length,
    )  # fmt: skip


def _grip(sampler: ShapeSampler, path: Points, radii: Points) -> Mesh:
    """Returns a sleeve of another colour around the thick part of the handle, a hair proud of it above."""
    low, high = 2, 2 + sampler.integer("grip_sections", 4, 6)
    lifted = np.add(path[low:high], (0.0, 0.0, 0.0004))
    return sweep(lifted, radii[low:high] + 0.0003, 12, 0.75)


def _tufts(x_m: float, head_m: float, half_y_m: float, bottom_m: float, tall_m: float) -> tuple[list[Mesh], list[Mesh]]:
    outer: list[Mesh] = []
    inner: list[Mesh] = []
    for i in range(8):
        for j in range(3):
            at = (x_m + (i - 3.5) * head_m / 8.4, (j - 1) * half_y_m * 0.6, bottom_m)
            tip = tall_m * (1.0 if i % 2 else 0.88)
            tuft = placed(lathe([(0.0, 0.0), (0.0013, 0.0), (0.0016, tip), (0.0, tip)], 7), Pose(at))
            (inner if 2 <= i <= 5 and j == 1 else outer).append(tuft)
    return outer, inner
