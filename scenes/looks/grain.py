"""Grown surfaces: wood, a floor of planks, marble."""

from __future__ import annotations

import numpy as np

from scenes.looks.fields import layered, step, stretched, toned, warped
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.textures import Field, noise, shade
from scenes.transforms import Vec3


def _grain(sampler: ShapeSampler, size: int, rings: int) -> tuple[Field, Field]:
    """Returns year rings cut along the trunk, bent around a knot or two, and fine pores along u."""
    bend = stretched(sampler.rng, size, 2, 5)
    v = np.arange(size, dtype=np.float32)[:, None] / size
    # Good and bad years: the spacing of the rings varies across the plank, and their strength along it.
    years = stretched(sampler.rng, size, 1, 7)
    place = rings * v + 0.22 * rings * years + sampler.uniform("wood.bend", 0.4, 1.6) * bend
    waves = (0.5 + 0.5 * np.sin(2 * np.pi * place)) * (0.35 + 0.65 * stretched(sampler.rng, size, 3, 9))
    pores = stretched(sampler.rng, size, 6, size // 2)
    return (waves ** sampler.uniform("wood.sharpness", 0.8, 2.2)).astype(np.float32), pores


def wood(sampler: ShapeSampler, colour: Vec3, size: int, *, quiet: float = 0.0) -> Material:
    """Returns grain along u in two tones of the colour, with pores; `quiet` 0..1 brings the tones together."""
    waves, pores = _grain(sampler, size, sampler.integer("wood.rings", 5, 14))
    dark, light = (
        shade(colour, sampler.uniform("wood.dark_shade", 0.5, 0.75)),
        shade(colour, sampler.uniform("wood.light_shade", 1.0, 1.2)),
    )
    loud = 1 - quiet
    waves = (waves * (loud * sampler.uniform("wood.contrast", 0.5, 0.95))).astype(np.float32)
    image = layered(light, (waves, dark), (step(pores, 0.75, 0.2) * (0.5 * loud), shade(dark, 0.7)))
    return Material(texture=image, roughness=sampler.uniform("wood.roughness", 0.25, 0.8))


def wood_planks(sampler: ShapeSampler, colour: Vec3, size: int, *, count: int | None = None) -> Material:
    """Returns planks along u with joints, `count` of them across, each of its own tone and piece of grain."""
    count = count or sampler.integer("planks.count", 4, 7)
    joint = max(1.0, size / 170 if count < 8 else size / 400)
    waves, pores = _grain(sampler, size, sampler.integer("planks.rings", 2, 4) * count)
    row = np.arange(size)
    edges = np.round(np.linspace(0, size, count + 1)).astype(int)
    plank = np.clip(np.searchsorted(edges, row, side="right") - 1, 0, count - 1)
    shift = sampler.rng.integers(0, size, size=count)
    column = (np.arange(size)[None, :] + shift[plank][:, None]) % size
    lines = np.take_along_axis(np.roll(waves, size // 3, axis=0), column, axis=1)
    pores = np.take_along_axis(pores, column, axis=1)
    # Each row of planks has one butt joint, where its shifted column is 0.
    board = (column < size * sampler.uniform("planks.joint_at", 0.35, 0.65)).astype(int)
    tone = sampler.rng.uniform(0.82, 1.1, size=(count, 2))[plank[:, None], board]
    gap = (
        ((row - edges[plank]) < joint)[:, None] | (column < joint) | (np.diff(board, axis=1, append=board[:, :1]) != 0)
    )
    dark = shade(colour, sampler.uniform("planks.dark_shade", 0.55, 0.8))
    image = layered(shade(colour, 1.1), (lines * 0.6, dark), (step(pores, 0.75, 0.2) * 0.4, shade(dark, 0.7)))
    factor = np.where(gap, 0.35, tone)
    return Material(texture=toned(image, factor), roughness=sampler.uniform("planks.roughness", 0.3, 0.8))


def marble(sampler: ShapeSampler, colour: Vec3, size: int) -> Material:
    """Returns a clouded stone with thin, branching veins of a darker tone and some of another hue."""
    push = [noise(sampler.rng, size, sampler.integer("marble.grain", 2, 4), 3) for _ in range(4)]
    clouds = warped(noise(sampler.rng, size, 3, 4), push[0], push[1], 0.12)
    thin = warped(
        noise(sampler.rng, size, sampler.integer("marble.vein_grain", 2, 4), 3),
        push[2],
        push[3],
        sampler.uniform("marble.vein_bend", 0.05, 0.2),
    )
    veins = 1 - np.abs(2 * thin - 1)
    sharp = 0.75 * step(veins, sampler.uniform("marble.vein_sharpness", 0.965, 0.985), 0.03) * (0.35 + 0.65 * clouds)
    fine = step(1 - np.abs(2 * warped(thin, push[1], push[0], 0.2) - 1), 0.965, 0.03)
    other = sampler.colour("marble.second", hue=(0.05, 0.15), saturation=(0.1, 0.6), value=(0.2, 0.7))
    dark = shade(colour, sampler.uniform("marble.dark_shade", 0.25, 0.6))
    image = layered(
        shade(colour, 1.1), (clouds * 0.45, shade(colour, 0.75)), (sharp.astype(np.float32), dark), (fine * 0.6, other)
    )
    return Material(texture=image, roughness=sampler.uniform("marble.roughness", 0.05, 0.35))
