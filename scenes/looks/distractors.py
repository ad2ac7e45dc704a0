"""Patterns that mean nothing: strong, saturated, of every scale, to teach a network what to ignore."""

from __future__ import annotations

import cv2
import numpy as np

from scenes.looks.fields import cells, layered, step, warped
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.textures import Image, noise
from scenes.transforms import Vec3


def noise_distractor(sampler: ShapeSampler, colour: Vec3, size: int) -> Material:
    """Returns one of: bands of warped noise, coloured cells, a checkerboard, blots, or noise in every channel."""
    make = sampler.choice("distractor.pattern", (_bands, _mosaic, _checks, _blots, _static))
    return Material(
        texture=make(sampler, colour, size),
        roughness=sampler.uniform("distractor.roughness", 0.1, 1.0),
        metallic=sampler.uniform("distractor.metallic", 0.0, 0.6),
    )


def _bold(sampler: ShapeSampler) -> Vec3:
    return sampler.colour("distractor.colour", saturation=(0.3, 1.0), value=(0.1, 1.0))


def _bands(sampler: ShapeSampler, colour: Vec3, size: int) -> Image:
    push = [noise(sampler.rng, size, 3, 2) for _ in range(2)]
    field = warped(noise(sampler.rng, size, sampler.integer("distractor.bands.grain", 2, 5), 3), push[0], push[1], 0.15)
    waves = 0.5 + 0.5 * np.sin(2 * np.pi * sampler.integer("distractor.bands.waves", 3, 9) * field)
    return layered(colour, (step(waves, 0.5, 0.2), _bold(sampler)), (step(waves, 0.88, 0.1), _bold(sampler)))


def _mosaic(sampler: ShapeSampler, colour: Vec3, size: int) -> Image:
    near, second = cells(sampler.rng, size, sampler.integer("distractor.mosaic.cells", 3, 12))
    edge = 1 - step(second - near, 0.06, 0.06)
    return layered(
        colour, (step(near, 0.45, 0.1), _bold(sampler)), (step(near, 0.75, 0.1), _bold(sampler)), (edge, _bold(sampler))
    )


def _checks(sampler: ShapeSampler, colour: Vec3, size: int) -> Image:
    count = sampler.choice("distractor.checks.count", (2, 4, 8, 16))
    place = np.floor(np.arange(size) * count / size)
    odd = ((place[:, None] + place[None, :]) % 2).astype(np.float32)
    return layered(colour, (odd, _bold(sampler)))


def _blots(sampler: ShapeSampler, colour: Vec3, size: int) -> Image:
    """Discs, bars and triangles on a torus: each is drawn nine times, so the picture tiles."""
    image = np.full((3 * size, 3 * size, 3), [int(255 * c) for c in colour], dtype=np.uint8)
    for _ in range(sampler.integer("distractor.blots.count", 8, 24)):
        ink = tuple(int(255 * c) for c in _bold(sampler))
        at = (
            np.array([sampler.uniform("distractor.blots.u", 0.0, 1.0), sampler.uniform("distractor.blots.v", 0.0, 1.0)])
            * size
        )
        reach, turn, corners = (
            size * sampler.uniform("distractor.blots.size", 0.04, 0.2),
            2 * np.pi * sampler.uniform("distractor.blots.turn", 0.0, 1.0),
            sampler.choice("distractor.blots.corners", (3, 4, 24)),
        )
        angle = turn + np.arange(corners) * 2 * np.pi / corners
        outline = at + reach * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        for k in range(9):
            moved = outline + np.array([k // 3, k % 3]) * size
            cv2.fillPoly(image, [moved.astype(np.int32)], ink)
    tiled: Image = image[size : 2 * size, size : 2 * size].copy()
    return tiled


def _static(sampler: ShapeSampler, colour: Vec3, size: int) -> Image:
    count, octaves = (
        sampler.choice("distractor.static.cells", (4, 16, 64)),
        sampler.integer("distractor.static.octaves", 1, 4),
    )
    channels = np.stack([noise(sampler.rng, size, min(count, size // 2), octaves) for _ in range(3)], axis=-1)
    low, high = channels.min(), channels.max()
    mixed = 0.85 * (channels - low) / max(float(high - low), 1e-6) + 0.15 * np.asarray(colour, dtype=np.float32)
    image: Image = np.clip(mixed * 255 + 0.5, 0, 255).astype(np.uint8)
    return image
