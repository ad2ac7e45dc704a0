"""The looks that donut, sandwich and pizza share."""

from __future__ import annotations

from scenes import textures
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.transforms import Vec3


def baked(sampler: ShapeSampler) -> Vec3:
    """Returns the colour of a crust."""
    return sampler.colour("dough", hue=(0.07, 0.105), saturation=(0.45, 0.75), value=(0.55, 0.88))


def crumb(sampler: ShapeSampler, colour: Vec3) -> Material:
    """Returns the look of bread of that colour."""
    field = textures.noise(sampler.rng, 96, 24, 2)
    return Material(
        texture=textures.blend(field, textures.shade(colour, 0.82), textures.shade(colour, 1.08)), roughness=0.95
    )
