"""Procedural textures: sRGB uint8 (n, n, 3) images that tile, made from a sampler and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.sampler import ShapeSampler
from scenes.transforms import Vec3

Image = NDArray[np.uint8]
Field = NDArray[np.float32]


def noise(rng: np.random.Generator, size: int, cells: int, octaves: int = 3) -> Field:
    """Returns tiling value noise in 0..1, float32 (size, size)."""
    total = np.zeros((size, size), dtype=np.float32)
    weight, norm = 1.0, 0.0
    for _ in range(octaves):
        grid = rng.random((cells, cells), dtype=np.float32)
        wrapped = np.pad(grid, 2, mode="wrap")
        fine = cv2.resize(wrapped, None, fx=size / cells, fy=size / cells, interpolation=cv2.INTER_CUBIC)
        edge = round(2 * size / cells)
        total += weight * fine[edge : edge + size, edge : edge + size]
        norm += weight
        weight, cells = weight / 2, min(cells * 2, size // 2)
    field: Field = np.clip(total / norm, 0, 1).astype(np.float32)
    return field


def blend(field: Field, low: Vec3, high: Vec3) -> Image:
    """Maps a field 0..1 linearly between two colours 0..1."""
    first, second = np.asarray(low, dtype=np.float32), np.asarray(high, dtype=np.float32)
    mixed = first + np.clip(field, 0, 1)[..., None] * (second - first)
    image: Image = np.clip(mixed * 255 + 0.5, 0, 255).astype(np.uint8)
    return image


def shade(colour: Vec3, factor: float) -> Vec3:
    """Returns a colour made lighter (factor > 1) or darker (< 1), clipped to 0..1."""
    r, g, b = (min(1.0, max(0.0, channel * factor)) for channel in colour)
    return r, g, b


def plain(sampler: ShapeSampler, colour: Vec3, size: int = 64) -> Image:
    """Returns one colour with faint mottling."""
    field = noise(sampler.rng, size, 8)
    depth = sampler.uniform("plain.mottle", 0.03, 0.12)
    return blend(field, shade(colour, 1 - depth), shade(colour, 1 + depth))


def wood(sampler: ShapeSampler, colour: Vec3, size: int = 256) -> Image:
    """Returns grain lines bent by noise."""
    bend = noise(sampler.rng, size, 4)
    lines = sampler.integer("wood.lines", 6, 22)
    y = np.linspace(0, 1, size, endpoint=False, dtype=np.float32)[:, None]
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (lines * y + sampler.uniform("wood.bend", 0.3, 1.4) * bend))
    fibre = cv2.resize(sampler.rng.random((size, 8), dtype=np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    return blend(
        (0.7 * rings + 0.3 * fibre).astype(np.float32),
        shade(colour, sampler.uniform("wood.shade", 0.5, 0.8)),
        shade(colour, 1.15),
    )


def marble(sampler: ShapeSampler, colour: Vec3, size: int = 256) -> Image:
    """Returns soft veins."""
    field = noise(sampler.rng, size, sampler.integer("marble.grain", 3, 6), octaves=4)
    veins = np.abs(np.sin(np.pi * sampler.integer("marble.veins", 2, 5) * field)) ** 0.5
    return blend(veins, shade(colour, sampler.uniform("marble.shade", 0.45, 0.75)), shade(colour, 1.1))


def speckle(sampler: ShapeSampler, colour: Vec3, size: int = 128) -> Image:
    """Returns grains of a second tone, as in terrazzo or peel."""
    grains = noise(sampler.rng, size, sampler.integer("speckle.grain", 16, 48), octaves=1)
    mask = cv2.GaussianBlur((grains > sampler.uniform("speckle.threshold", 0.55, 0.75)).astype(np.float32), (3, 3), 0)
    return blend(mask.astype(np.float32), colour, shade(colour, sampler.uniform("speckle.shade", 0.6, 1.5)))


def tiles(sampler: ShapeSampler, colour: Vec3, size: int = 256) -> Image:
    """Returns square tiles with joints, or a checkerboard."""
    count = sampler.integer("tiles.count", 2, 4)
    position = np.arange(size) * count / size
    cell, inside = np.floor(position).astype(int), position % 1.0
    joint = sampler.uniform("tiles.joint", 0.02, 0.06)
    gap = (inside < joint)[:, None] | (inside < joint)[None, :]
    tone = sampler.rng.random((count, count), dtype=np.float32)[cell][:, cell] * 0.4 + 0.6
    if sampler.chance("tiles.is_laid_apart", 0.5):
        tone = ((cell[:, None] + cell[None, :]) % 2).astype(np.float32)
    field = np.where(gap, np.float32(0.0), np.clip(tone, 0.15, 1.0)) * (0.9 + 0.1 * noise(sampler.rng, size, 16))
    return blend(field, shade(colour, sampler.uniform("tiles.shade", 0.35, 0.7)), colour)


def fabric(sampler: ShapeSampler, colour: Vec3, size: int = 128) -> Image:
    """Returns a woven pattern of two tones."""
    period = sampler.choice("fabric.period", (4, 8, 16))
    x = np.arange(size) / size
    warp = 0.5 + 0.5 * np.sin(2 * np.pi * x * size / period)
    field = (warp[:, None] * warp[None, :]).astype(np.float32) * 0.7 + 0.3 * noise(sampler.rng, size, 32, octaves=1)
    return blend(field, shade(colour, sampler.uniform("fabric.shade", 0.55, 0.8)), colour)


def stripes(sampler: ShapeSampler, colour: Vec3, size: int = 128) -> Image:
    """Returns bands of two colours along u or v."""
    other = sampler.colour("stripes.colour")
    count = sampler.integer("stripes.count", 2, 8)
    wave = (np.arange(size) * count / size) % 1.0 < sampler.uniform("stripes.width", 0.25, 0.7)
    field = np.broadcast_to(wave[:, None], (size, size)).astype(np.float32)
    return blend(field if sampler.chance("stripes.is_upright", 0.6) else field.T, other, colour)


def label(sampler: ShapeSampler, colour: Vec3, size: int = 128) -> Image:
    """Returns a printed label: a ground with rectangles, discs and lines like text."""
    image = plain(sampler, colour, size).copy()
    for _ in range(sampler.integer("label.blocks", 2, 5)):
        ink = tuple(int(255 * c) for c in sampler.colour("label.ink", saturation=(0.0, 1.0), value=(0.05, 1.0)))
        x, y = (int(size * sampler.uniform("label.block_at", 0.0, 1.0)) for _ in range(2))
        w, h = (int(size * sampler.uniform("label.block_size", 0.1, 0.45)) for _ in range(2))
        if sampler.chance("label.is_block", 0.6):
            cv2.rectangle(image, (x, y), (x + w, y + h), ink, -1)
        else:
            cv2.circle(image, (x, y), w // 2, ink, -1, cv2.LINE_AA)
    ink = (20, 20, 20) if sampler.chance("label.is_dark", 0.5) else (240, 240, 240)
    top = int(size * sampler.uniform("label.lines_at", 0.2, 0.6))
    for row in range(sampler.integer("label.lines", 2, 6)):
        end = int(size * sampler.uniform("label.line_length", 0.4, 0.9))
        cv2.line(image, (size // 8, top + 7 * row), (end, top + 7 * row), ink, 2)
    return image


SURFACES: tuple[Callable[[ShapeSampler, Vec3, int], Image], ...] = (wood, marble, speckle, tiles, fabric, plain)
