"""The bowl of version 1 of the tabletop suite, whose inner floor comes out through its wall: kept, for the suite is frozen."""

from __future__ import annotations

from dataclasses import replace

from scenes.meshes import lathe
from scenes.objects.shape import ObjectShape

_SEGMENTS = 40


def as_first_made(shape: ObjectShape) -> ObjectShape:
    """Returns a bowl with the wider inner floor that it had; anything else as it is."""
    if shape.category != "bowl":
        return shape
    (body,) = shape.parts
    line = [(float(x), float(z)) for x, _, z in body.mesh.vertices[1:-1:_SEGMENTS]]
    (radius, height), floor = line[-2], line[-1][1]
    line[-1] = (max(radius - (height - floor) * 0.2, 0.3 * radius), floor)
    mesh = lathe([(0.0, 0.0), *line, (0.0, floor)], _SEGMENTS)
    return replace(shape, parts=(replace(body, mesh=mesh),))
