"""Distractors: solid shapes of no category with loud surfaces, labelled void, so that a network learns to leave them alone."""

from __future__ import annotations

from scenes.looks import LOOKS, natural_colour
from scenes.objects._assembly import Assembly
from scenes.objects.shape import LYING, UPRIGHT, ObjectShape
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Material

CATEGORY = "void"


@shaped("distractor")
def distractor(sampler: ShapeSampler, size_m: float) -> ObjectShape:
    """Returns a block, drum, cone, wedge, cross or stack of blocks, `size_m` along its longest edge."""
    made = Assembly(first=_look(sampler.of("first")), second=_look(sampler.of("second")))
    half = size_m / 2
    make = sampler.choice("form", (_block, _drum, _cone, _angle, _cross, _tower))
    make(made, sampler, half)
    shape = made.finish(CATEGORY, max(0.03, 500 * size_m**3))
    return ObjectShape(
        category=CATEGORY, parts=shape.parts, colliders=shape.colliders, mass_kg=shape.mass_kg,
        rests=(UPRIGHT,) if make in (_cone, _tower) else (UPRIGHT, UPRIGHT, LYING), rolling_friction_m=0.002,
    )  # fmt: skip


def _look(sampler: ShapeSampler) -> Material:
    name = sampler.choice(
        "look", ("noise distractor", "noise distractor", "printed label", "tile", "plastic speckle", "marble")
    )
    return LOOKS[name](sampler, natural_colour(name, sampler), 128)


def _block(made: Assembly, sampler: ShapeSampler, half: float) -> None:
    size = (half, half * sampler.uniform("block.width", 0.35, 1.0), half * sampler.uniform("block.height", 0.35, 1.0))
    radius = (
        min(size) * sampler.uniform("block.edge_radius", 0.1, 0.9) if sampler.chance("block.is_rounded", 0.5) else 0.0
    )
    made.box("first", size, (0, 0, size[2]), radius_m=radius, tile_m=0.12)


def _drum(made: Assembly, sampler: ShapeSampler, half: float) -> None:
    radius = half * sampler.uniform("drum.radius", 0.3, 0.9)
    made.turned("first", [(0, 0), (radius, 0), (radius, 2 * half), (0, 2 * half)])


def _cone(made: Assembly, sampler: ShapeSampler, half: float) -> None:
    radius = half * sampler.uniform("cone.radius", 0.6, 1.0)
    made.turned("first", [(0, 0), (radius, 0), (0.72 * radius, 0.6 * half), (0, 0.6 * half)])
    made.turned("second", [(0, 0), (0.7 * radius, 0), (0.35 * radius, 0.7 * half), (0, 0.7 * half)], (0, 0, 0.6 * half))


def _angle(made: Assembly, sampler: ShapeSampler, half: float) -> None:
    thick, deep = half * sampler.uniform("angle.thickness", 0.2, 0.35), half * sampler.uniform("angle.depth", 0.4, 0.9)
    made.box("first", (half, deep, thick), (0, 0, thick), tile_m=0.12)
    made.box("second", (thick, deep, half - thick), (thick - half, 0, half + thick), tile_m=0.12)


def _cross(made: Assembly, sampler: ShapeSampler, half: float) -> None:
    thick = half * sampler.uniform("cross.thickness", 0.25, 0.4)
    made.box("first", (half, thick, thick), (0, 0, thick), tile_m=0.12)
    for side in (-1, 1):
        made.box("second", (thick, (half - thick) / 2, thick), (0, side * (half + thick) / 2, thick), tile_m=0.12)


def _tower(made: Assembly, sampler: ShapeSampler, half: float) -> None:
    wide = half * sampler.uniform("tower.width", 0.5, 0.7)
    made.box("first", (wide, wide, half / 2), (0, 0, half / 2), tile_m=0.12)
    top = wide * sampler.uniform("tower.top", 0.5, 0.8)
    made.turned("second", [(0, 0), (top, 0), (top, half / 2), (0.6 * top, half), (0, half)], (0, 0, half))
