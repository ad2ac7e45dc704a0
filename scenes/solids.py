"""Closed solids beyond a lathe and a sweep: lofts, rounded slabs, ellipsoids, closed tubes, sectors of a disc."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenes.meshes import Points, lathe, mesh, warp
from scenes.scene import Mesh

# Rings run counter-clockwise seen from the side that the loft grows towards, so faces look outward.


def loft(rings: ArrayLike) -> Mesh:
    """Returns the skin through rings (R, N, 3) with a fan over the first and the last; each ring is star-shaped."""
    stack = np.asarray(rings, dtype=np.float64)
    count, around = stack.shape[:2]
    index = np.arange(count * around).reshape(count, around)
    low, high = index[:-1], index[1:]
    low_next, high_next = np.roll(low, -1, 1), np.roll(high, -1, 1)
    faces = [np.stack(side, axis=2).reshape(-1, 3) for side in ((low, low_next, high_next), (low, high_next, high))]
    bottom, top = np.full(around, count * around), np.full(around, count * around + 1)
    faces += [np.stack([bottom, low_next[0], low[0]], 1), np.stack([top, high[-1], high_next[-1]], 1)]
    vertices = np.concatenate([stack.reshape(-1, 3), stack[:1].mean(axis=1), stack[-1:].mean(axis=1)])
    return mesh(vertices, np.concatenate(faces))


def rounded_rectangle(half_x_m: float, half_y_m: float, corner_m: float, steps: int = 4) -> Points:
    """Returns a rectangle with round corners, counter-clockwise, float64 (4 * (steps + 1), 2)."""
    corner = min(corner_m, half_x_m, half_y_m)
    turn = np.linspace(0.0, math.pi / 2, steps + 1)
    points = []
    for k, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        middle = np.array([sx * (half_x_m - corner), sy * (half_y_m - corner)])
        angle = turn + k * math.pi / 2
        points.append(middle + corner * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return np.concatenate(points)


def rounded_slab(
    half_m: Sequence[float],
    center_m: Sequence[float] = (0.0, 0.0, 0.0),
    *,
    corner_m: float,
    bevel_m: float,
    steps: int = 4,
) -> Mesh:
    """Returns a box whose upright edges are round by `corner_m` and whose rims are round by `bevel_m`."""
    x, y, z = half_m
    bevel = min(bevel_m, z, 0.8 * min(x, y))
    angle = np.linspace(0.0, math.pi / 2, 3)
    inset = bevel * (1 - np.sin(angle))
    rise = bevel * (1 - np.cos(angle))
    levels = [(i, -z + r) for i, r in zip(inset, rise, strict=True)]
    levels += [(i, -height) for i, height in reversed(levels)]
    rings = []
    for shrink, height in levels:
        outline = rounded_rectangle(x - shrink, y - shrink, max(corner_m - shrink, 1e-4), steps)
        rings.append(np.column_stack([outline, np.full(len(outline), height)]) + np.asarray(center_m))
    return loft(rings)


def ellipsoid(radii_m: ArrayLike, center_m: ArrayLike = (0.0, 0.0, 0.0), *, segments: int = 20, rows: int = 12) -> Mesh:
    """Returns an ellipsoid with its poles on z; u is the turn, v the arc from pole to pole."""
    angle = np.linspace(-math.pi / 2, math.pi / 2, rows + 1)
    profile = [(max(math.cos(a), 0.0), math.sin(a)) for a in angle]
    profile[0], profile[-1] = (0.0, -1.0), (0.0, 1.0)
    return warp(lathe(profile, segments), lambda points: points * np.asarray(radii_m) + np.asarray(center_m))


def closed_tube(path: ArrayLike, radius_m: float | Sequence[float], segments: int = 8, squash: float = 1.0) -> Mesh:
    """Sweeps an ellipse along a closed path (N, 3), counter-clockwise from above; `squash` scales it along z."""
    points = np.asarray(path, dtype=np.float64)
    tangent = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    side = np.cross(tangent, (0.0, 0.0, 1.0))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    radius = np.broadcast_to(np.asarray(radius_m, dtype=np.float64), len(points))[:, None, None]
    angle = np.arange(segments) * (2 * math.pi / segments)
    section = np.cos(angle)[None, :, None] * side[:, None] + squash * np.sin(angle)[None, :, None] * np.array(
        [0, 0, 1.0]
    )
    vertices = (points[:, None] + radius * section).reshape(-1, 3)
    low = np.arange(len(points) * segments).reshape(len(points), segments)
    high = np.roll(low, -1, axis=0)
    low_next, high_next = np.roll(low, -1, 1), np.roll(high, -1, 1)
    first, second = np.stack([low, high, high_next], 2), np.stack([low, high_next, low_next], 2)
    u = np.arange(len(points) + 1) / len(points)
    v = np.arange(segments + 1) / segments
    u0, v0 = np.broadcast_arrays(u[:-1, None], v[None, :-1])
    u1, v1 = np.broadcast_arrays(u[1:, None], v[None, 1:])
    c00, c10, c11, c01 = (np.stack(pair, -1) for pair in ((u0, v0), (u1, v0), (u1, v1), (u0, v1)))
    uv = np.concatenate(
        [np.stack([c00, c10, c11], 2).reshape(-1, 3, 2), np.stack([c00, c11, c01], 2).reshape(-1, 3, 2)]
    )
    return mesh(vertices, np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)]), uv)


def sector(radius_m: float, start_rad: float, end_rad: float, inner_m: float = 0.0, steps: int = 40) -> Points:
    """Returns the outline of a disc's sector, or of a ring's with an inner radius, counter-clockwise (N, 2)."""
    count = max(3, math.ceil(steps * (end_rad - start_rad) / (2 * math.pi)))
    angle = np.linspace(start_rad, end_rad, count + 1)
    arc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    inner = inner_m * arc[::-1] if inner_m > 0 else np.zeros((1, 2))
    return np.concatenate([radius_m * arc, inner])


def planar(shape: Mesh, axes: tuple[int, int] = (0, 1), flip: tuple[bool, bool] = (False, False)) -> Mesh:
    """Returns the mesh with the whole texture laid over its bounds along two axes, u along the first, v the second."""
    points = shape.vertices[shape.faces][..., list(axes)]
    low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
    uv = (points - low) / np.maximum(high - low, 1e-9)
    uv = np.where(np.asarray(flip), 1 - uv, uv).astype(np.float32)
    return mesh(shape.vertices, shape.faces, uv)


def rumpled(
    shape: Mesh, rng: np.random.Generator, depth_m: float, wave_m: float, *, is_sheet: bool = False
) -> Mesh:
    """Pushes every vertex along a smooth random field of that depth and wave length; equal positions move alike.

    A sheet is pushed along z alone, which never folds it into itself, however deep its waves are.
    """
    direction = rng.normal(size=(6, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    phase = rng.uniform(0, 2 * math.pi, size=6)
    push = rng.normal(size=(6, 3))
    push /= np.linalg.norm(push, axis=1, keepdims=True)
    if is_sheet:
        push[:, :2] = 0.0

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        waves = np.sin(points @ direction.T * (2 * math.pi / wave_m) + phase)
        moved: NDArray[np.float64] = points + depth_m / math.sqrt(3) * (waves @ push)
        return moved

    return warp(shape, move)
