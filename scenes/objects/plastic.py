"""The look of coloured plastic, which handles share."""

from __future__ import annotations

from scenes.sampler import ShapeSampler
from scenes.scene import Material


def plastic(sampler: ShapeSampler) -> Material:
    """Returns one strong colour, from satin to matt."""
    return Material(
        colour=sampler.colour("colour", saturation=(0.35, 0.95), value=(0.3, 1.0)),
        roughness=sampler.uniform("roughness", 0.25, 0.6),
    )
