"""Tiles on the wall over a worktop, up to the wall cupboards; labelled wall, as the wall that they are laid on."""

from __future__ import annotations

from collections.abc import Sequence

from scenes.household.surfaces import wall_tiles
from scenes.meshes import cuboid
from scenes.objects.shape import ObjectShape, slab
from scenes.sampler import ShapeSampler
from scenes.scene import Part

THICK_M = 0.008


def backsplash(sampler: ShapeSampler, spans_y: Sequence[tuple[float, float]], height_m: float) -> tuple[ObjectShape, ...]:
    """Returns one panel for each span along y, all of one look: back plane at x = 0, lower edge at z = 0."""
    surface = wall_tiles(sampler)
    panels = []
    for first, last in spans_y:
        half = (THICK_M / 2, (last - first) / 2, height_m / 2)
        center = (THICK_M / 2, (first + last) / 2, height_m / 2)
        part = Part(name="tiles", mesh=cuboid(half, center, surface.tile_m), material=surface.look)
        panels.append(ObjectShape(category="wall", parts=(part,), colliders=(slab(half, center),), mass_kg=8.0))
    return tuple(panels)
