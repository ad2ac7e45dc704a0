"""Made surfaces: brushed metal, speckled plastic, glazed ceramic, plain paint."""

from __future__ import annotations

import numpy as np

from scenes.looks.fields import cells, layered, step, stretched
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.textures import blend, noise, shade
from scenes.transforms import Vec3


def brushed_metal(sampler: ShapeSampler, colour: Vec3, size: int) -> Material:
    """Returns fine lines along u on a metal that keeps a fifth of the colour's hue."""
    grey = 0.55 + 0.4 * min(1.0, sum(colour) / 3)
    r, g, b = (0.8 * grey + 0.2 * c for c in colour)
    lines = 0.6 * stretched(sampler.rng, size, 3, size) + 0.4 * stretched(sampler.rng, size, 12, size)
    broad = stretched(sampler.rng, size, 2, 6)
    depth = sampler.uniform("brushed.contrast", 0.06, 0.18)
    field = np.clip(0.75 * lines + 0.25 * broad, 0, 1).astype(np.float32)
    image = blend(field, shade((r, g, b), 1 - depth), shade((r, g, b), 1 + depth))
    return Material(
        texture=image,
        roughness=sampler.uniform("brushed.roughness", 0.2, 0.45),
        metallic=sampler.uniform("brushed.metallic", 0.75, 1.0),
    )


def plastic_speckle(sampler: ShapeSampler, colour: Vec3, size: int, *, natural: bool = False) -> Material:
    """Returns a smooth ground with grains of two other tones, as in terrazzo and recycled plastic.

    Where it is `natural` the grains have no colour of their own, as in granite.
    """
    near, _ = cells(sampler.rng, size, sampler.choice("specks.large_cells", (16, 24, 32)))
    fine, _ = cells(sampler.rng, size, sampler.choice("specks.small_cells", (40, 56)))
    large = 1 - step(near, sampler.uniform("specks.large_size", 0.16, 0.34), 0.1)
    small = 1 - step(fine, sampler.uniform("specks.small_size", 0.15, 0.3), 0.12)
    first, second = (
        sampler.colour("specks.colour", saturation=(0.0, 0.12 if natural else 0.9)),
        shade(colour, sampler.choice("specks.second_shade", (0.4, 1.8))),
    )
    return Material(
        texture=layered(colour, (large, first), (small, second)),
        roughness=sampler.uniform("specks.roughness", 0.25, 0.7),
    )


def ceramic_glaze(sampler: ShapeSampler, colour: Vec3, size: int) -> Material:
    """Returns a glaze that pools in clouds, sometimes with iron specks, a crackle, or brushed rings around (along u)."""
    clouds = noise(sampler.rng, size, sampler.integer("glaze.clouds", 2, 5), 3)
    layers = [
        (
            clouds * sampler.uniform("glaze.cloud_depth", 0.2, 0.8),
            shade(colour, sampler.uniform("glaze.cloud_shade", 0.6, 0.85)),
        )
    ]
    kind = sampler.choice("glaze.pattern", ("smooth", "specks", "crackle", "rings"))
    if kind == "specks":
        near, _ = cells(sampler.rng, size, sampler.choice("glaze.speck_cells", (12, 20)))
        layers.append((1 - step(near, sampler.uniform("glaze.speck_size", 0.06, 0.14), 0.05), (0.2, 0.12, 0.07)))
    if kind == "crackle":
        near, second = cells(sampler.rng, size, sampler.integer("glaze.crackle_cells", 5, 9))
        layers.append((0.6 * (1 - step(second - near, 0.03, 0.05)), shade(colour, 0.4)))
    if kind == "rings":
        lines = stretched(sampler.rng, size, 2, sampler.integer("glaze.ring_lines", 8, 30))
        layers.append(
            (
                step(lines, sampler.uniform("glaze.ring_width", 0.45, 0.7), 0.15),
                sampler.colour("glaze.ring", saturation=(0.0, 0.8)),
            )
        )
    return Material(
        texture=layered(shade(colour, 1.05), *layers), roughness=sampler.uniform("glaze.roughness", 0.03, 0.25)
    )


def plain_paint(sampler: ShapeSampler, colour: Vec3, size: int) -> Material:
    """Returns one colour with the faint unevenness of a roller."""
    depth = sampler.uniform("mottle", 0.01, 0.06)
    field = 0.6 * noise(sampler.rng, size, 3, 2) + 0.4 * noise(sampler.rng, size, 48, 1)
    return Material(
        texture=blend(field.astype(np.float32), shade(colour, 1 - depth), shade(colour, 1 + depth)),
        roughness=sampler.uniform("roughness", 0.4, 0.95),
    )
