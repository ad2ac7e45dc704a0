"""Woven and knitted surfaces."""

from __future__ import annotations

import numpy as np

from scenes.looks.fields import layered, toned
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.textures import Field, Image, noise, shade
from scenes.transforms import Vec3


def fabric(sampler: ShapeSampler, colour: Vec3, size: int, *, plain: bool = False) -> Material:
    """Returns a cloth: plain, twill, a check of crossing bands, stripes or dots, all with visible threads."""
    patterns = (_plain,) if plain else (_plain, _plain, _check, _stripes, _dots)
    name = "fabric.plain" if plain else "fabric.pattern"
    make = sampler.choice(name, patterns)
    threads = sampler.choice("fabric.threads", (32, 64))
    image = make(sampler, colour, size)
    weave = _weave(size, min(threads, size // 4), sampler.chance("fabric.is_twill", 0.4))
    wear = 0.9 + 0.2 * noise(sampler.rng, size, 6, 3)
    return Material(
        texture=toned(image, (1 - sampler.uniform("fabric.depth", 0.1, 0.35) * weave) * wear),
        roughness=sampler.uniform("fabric.roughness", 0.85, 1.0),
    )


def carpet(sampler: ShapeSampler, colour: Vec3, size: int) -> Material:
    """Returns cut pile: tufts of uneven tone, trodden in places, without a pattern."""
    tufts, trodden = noise(sampler.rng, size, size // 4, 2), noise(sampler.rng, size, 3, 3)
    depth = sampler.uniform("carpet.depth", 0.12, 0.3)
    factor = 1 + depth * (2 * tufts - 1) + 0.1 * (2 * trodden - 1)
    flat = np.broadcast_to(np.array([round(255 * c) for c in colour], dtype=np.uint8), (size, size, 3))
    return Material(texture=toned(flat, factor), roughness=sampler.uniform("carpet.roughness", 0.92, 1.0))


def _weave(size: int, threads: int, twill: bool) -> Field:
    """Returns the shade between threads, 0 on their middle."""
    place = np.arange(size) * threads / size
    u, v = place[None, :] % 1.0, place[:, None] % 1.0
    shift = np.floor(place)[:, None] + np.floor(place)[None, :]
    over = (shift % 4 < 2) if twill else (shift % 2 == 0)
    field: Field = np.where(over, np.abs(2 * u - 1), np.abs(2 * v - 1)).astype(np.float32)
    return field


def _plain(sampler: ShapeSampler, colour: Vec3, size: int) -> Image:
    return layered(
        colour, (noise(sampler.rng, size, 48, 2) * 0.5, shade(colour, sampler.uniform("fabric.mottle_shade", 0.7, 1.3)))
    )


def _bands(sampler: ShapeSampler, size: int) -> Field:
    """Returns a row of bands 0..1 of random widths that repeats after `size`."""
    repeat = sampler.choice("fabric.repeat", (1, 2, 4))
    line = np.zeros(size // repeat, dtype=np.float32)
    for _ in range(sampler.integer("fabric.bands", 1, 3)):
        start, width = (
            int(len(line) * sampler.uniform("fabric.band_at", 0.0, 1.0)),
            int(len(line) * sampler.uniform("fabric.band_width", 0.04, 0.4)),
        )
        line[start : start + width] = sampler.uniform("fabric.band_strength", 0.4, 1.0)
    return np.resize(np.tile(line, repeat + 1), size).astype(np.float32)


def _check(sampler: ShapeSampler, colour: Vec3, size: int) -> Image:
    first, second = (np.broadcast_to(_bands(sampler, size), (size, size)).astype(np.float32) for _ in range(2))
    other, third = (
        sampler.colour("fabric.check_first", saturation=(0.0, 0.9)),
        sampler.colour("fabric.check_second", saturation=(0.0, 0.9)),
    )
    return layered(colour, (first * 0.6, other), (second.T * 0.6, third))


def _stripes(sampler: ShapeSampler, colour: Vec3, size: int) -> Image:
    bands = np.broadcast_to(_bands(sampler, size), (size, size)).astype(np.float32)
    return layered(
        colour,
        (
            bands if sampler.chance("fabric.is_upright", 0.5) else bands.T,
            sampler.colour("fabric.stripe", saturation=(0.0, 0.9)),
        ),
    )


def _dots(sampler: ShapeSampler, colour: Vec3, size: int) -> Image:
    count, radius = sampler.choice("fabric.dots", (4, 8)), sampler.uniform("fabric.dot_radius", 0.15, 0.35)
    place = np.arange(size) * count / size
    row = np.floor(place)
    u = (place[None, :] + 0.5 * (row % 2)[:, None]) % 1.0 - 0.5
    v = place[:, None] % 1.0 - 0.5
    dots = np.clip((radius - np.hypot(u, v)) * size / count + 0.5, 0, 1).astype(np.float32)
    return layered(colour, (dots, sampler.colour("fabric.dot", saturation=(0.0, 0.9), value=(0.5, 1.0))))
