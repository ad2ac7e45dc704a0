"""Laid surfaces: tiles in several bonds and bricks, with joints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.looks.fields import step, toned
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.textures import Field, Image, blend, noise, shade
from scenes.transforms import Vec3


def _bond(size: int, columns: int, rows: int, shifted: bool) -> tuple[NDArray[np.int64], Field]:
    """Returns which piece each pixel is of, 0..rows * columns - 1, and its distance from the piece's edge in pixels."""
    place = np.arange(size) + 0.5
    v = place[:, None] * rows / size
    row = np.floor(v).astype(int)
    u = place[None, :] * columns / size + (0.5 * (row % 2) if shifted else 0.0)
    column = np.floor(u).astype(int) % columns
    across = np.minimum(u % 1.0, 1 - u % 1.0) * size / columns
    along = np.minimum(v % 1.0, 1 - v % 1.0) * size / rows
    return row * columns + column, np.minimum(across, along).astype(np.float32)


def _laid(
    sampler: ShapeSampler, pieces: NDArray[np.int64], edge: Field, colour: Vec3, spread: float, joint_px: float
) -> Image:
    """Paints pieces in tones of the colour and the joints between them."""
    size = pieces.shape[0]
    tone = sampler.rng.uniform(1 - spread, 1 + spread / 2, size=int(pieces.max()) + 1)[pieces]
    grain = 0.9 + 0.2 * noise(sampler.rng, size, 24, 3)
    grey = sampler.uniform("joint_grey", 0.25, 0.9)
    mortar = (grey, grey * 0.98, grey * 0.94)
    inside = step(edge, joint_px, 1.5)
    body = toned(blend(np.ones_like(edge), colour, colour), tone * grain).astype(np.float32)
    ground = toned(blend(np.ones_like(edge), mortar, mortar), grain).astype(np.float32)
    mixed: Image = (ground + inside[..., None] * (body - ground) + 0.5).astype(np.uint8)
    return mixed


def tile(
    sampler: ShapeSampler, colour: Vec3, size: int, *, bond: str | None = None, count: int | None = None
) -> Material:
    """Returns square tiles, a checker of two colours, or metro tiles (twice as long as high) in a running bond.

    `count` is how many there are along u, an even number.
    """
    kind = bond or sampler.choice("tile.pattern", ("square", "checker", "metro"))
    count = count or 2 * sampler.integer("tile.half_count", 1, 3)
    joint = size * sampler.uniform("tile.joint", 0.004, 0.012)
    if kind == "metro":
        pieces, edge = _bond(size, count, 2 * count, shifted=True)
    else:
        pieces, edge = _bond(size, count, count, shifted=False)
    image = _laid(sampler, pieces, edge, colour, sampler.uniform("tile.spread", 0.02, 0.15), joint)
    if kind == "checker":
        other = sampler.choice(
            "second_is",
            ((0.06, 0.06, 0.07), (0.92, 0.91, 0.88), sampler.colour("second")),
            names=("black", "white", "colour"),
        )
        second = _laid(sampler, pieces, edge, other, 0.05, joint)
        odd = (pieces // count + pieces % count) % 2 == 1
        image = np.where(odd[..., None], second, image).astype(np.uint8)
    return Material(texture=image, roughness=sampler.uniform("tile.roughness", 0.08, 0.5))


def brick(sampler: ShapeSampler, colour: Vec3, size: int) -> Material:
    """Returns bricks in a running bond, of uneven tones, with ragged edges and recessed mortar."""
    columns = sampler.integer("brick.columns", 2, 4)
    pieces, edge = _bond(size, columns, 2 * (columns + sampler.integer("brick.extra_rows", 0, 1)), shifted=True)
    ragged = edge + size * 0.012 * (noise(sampler.rng, size, 32, 2) - 0.5)
    image = _laid(
        sampler,
        pieces,
        ragged.astype(np.float32),
        colour,
        sampler.uniform("brick.spread", 0.2, 0.45),
        size * sampler.uniform("brick.joint", 0.01, 0.02),
    )
    pits = step(noise(sampler.rng, size, 64, 1), 0.8, 0.1)
    dirty = toned(image, 1 - 0.35 * pits)
    return Material(
        texture=dirty, colour=shade((1.0, 1.0, 1.0), 1.0), roughness=sampler.uniform("brick.roughness", 0.8, 1.0)
    )
