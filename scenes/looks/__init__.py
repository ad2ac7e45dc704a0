"""Looks by name: families of surfaces, each from a sampler, a colour and a size in pixels to a material."""

from __future__ import annotations

from collections.abc import Callable

from scenes.looks.distractors import noise_distractor
from scenes.looks.grain import marble, wood, wood_planks
from scenes.looks.laid import brick, tile
from scenes.looks.made import brushed_metal, ceramic_glaze, plain_paint, plastic_speckle
from scenes.looks.palette import natural_colour
from scenes.looks.printed import printed_label
from scenes.looks.woven import fabric
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.transforms import Vec3

Look = Callable[[ShapeSampler, Vec3, int], Material]

LOOKS: dict[str, Look] = {
    "brick": brick,
    "brushed metal": brushed_metal,
    "ceramic glaze": ceramic_glaze,
    "fabric": fabric,
    "marble": marble,
    "noise distractor": noise_distractor,
    "plain paint": plain_paint,
    "plastic speckle": plastic_speckle,
    "printed label": printed_label,
    "tile": tile,
    "wood": wood,
    "wood planks": wood_planks,
}
"""Every texture is sRGB uint8 (size, size, 3) and tiles, but for the printed label, which is laid on once."""

__all__ = ["LOOKS", "Look", "natural_colour"]
