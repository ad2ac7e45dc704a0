"""Every body's triangles under a tree of boxes in the body's own frame, walked by all rays at once, level by level.

A tree is a sort of the triangles along a Morton curve, cut into leaves of four, and of four nodes to a parent, so
that it is built by a handful of array operations and nothing in it moves when a body does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.scene import Body

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FAN = 4
_MORTON_BITS = 10
# Boxes and triangles are taken this much larger than they are, in metres and in barycentric units: no ray slips through.
_SLACK_M = 1e-7
_SLACK_UV = 1e-9
_TINY = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Level:
    """Nodes of one height: boxes float64 (3, N), and the run of children (leaves: triangles) that each one holds."""

    low: Floats
    high: Floats
    first: Ints
    count: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forest:
    """One tree per body: `levels` from the leaves up, `root_level` and `root` (B,), triangles as corner and two edges (3, T)."""

    levels: tuple[_Level, ...]
    root_level: Ints
    root: Ints
    corner: Floats
    edge_1: Floats
    edge_2: Floats
    first_triangle: Ints

    def root_boxes(self) -> tuple[Floats, Floats]:
        """Returns the boxes (3, B), (3, B) of all bodies in their own frames; an empty one for a body without triangles."""
        low, high = np.full((3, len(self.root)), np.inf), np.full((3, len(self.root)), -np.inf)
        for height, level in enumerate(self.levels):
            here = self.root_level == height
            low[:, here], high[:, here] = level.low[:, self.root[here]], level.high[:, self.root[here]]
        return low, high


def grow(bodies: Sequence[Body]) -> Forest:
    """Builds the trees of all bodies; a pure function of their meshes."""
    meshes = [part.mesh for body in bodies for part in body.parts]
    faces_of = [sum(len(part.mesh.faces) for part in body.parts) for body in bodies]
    triangles = np.concatenate([np.empty((0, 3, 3)), *(mesh.vertices[mesh.faces] for mesh in meshes)])
    owner = np.repeat(np.arange(len(bodies)), faces_of)
    triangles = triangles[_along_curve(triangles.mean(axis=1), owner, len(bodies))]
    count = np.asarray(faces_of, dtype=np.int64)
    levels: list[_Level] = []
    root_level = np.full(len(bodies), -1, dtype=np.int64)
    root = np.zeros(len(bodies), dtype=np.int64)
    low, high = triangles.min(axis=1).T - _SLACK_M, triangles.max(axis=1).T + _SLACK_M
    start, growing = np.cumsum(count) - count, count > 0
    while growing.any():
        first, size, parent_start, parents = _groups(start, np.where(growing, count, 0))
        low, high = np.minimum.reduceat(low, first, axis=1), np.maximum.reduceat(high, first, axis=1)
        levels.append(_Level(low=low, high=high, first=first, count=size))
        done = growing & (parents == 1)
        root_level[done], root[done] = len(levels) - 1, parent_start[done]
        start, count, growing = parent_start, parents, parents > 1
    return Forest(
        levels=tuple(levels), root_level=root_level, root=root,
        corner=np.ascontiguousarray(triangles[:, 0].T),
        edge_1=np.ascontiguousarray((triangles[:, 1] - triangles[:, 0]).T),
        edge_2=np.ascontiguousarray((triangles[:, 2] - triangles[:, 0]).T),
        first_triangle=np.concatenate([[0], np.cumsum(faces_of)]).astype(np.int64),
    )  # fmt: skip


def _groups(start: Ints, count: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Cuts each body's run into groups of four: (first, size) of every group, (start, count) of groups per body."""
    parents = -(-count // _FAN)
    parent_start = np.cumsum(parents) - parents
    of = np.repeat(np.arange(len(count)), parents)
    rank = np.arange(len(of)) - parent_start[of]
    first = start[of] + _FAN * rank
    return first, np.minimum(_FAN, count[of] - _FAN * rank), parent_start, parents


def _along_curve(centre: Floats, owner: Ints, bodies: int) -> Ints:
    """Returns the order of points by owner and then along a Morton curve through the owner's bounds."""
    low, high = np.full((bodies, 3), np.inf), np.full((bodies, 3), -np.inf)
    np.minimum.at(low, owner, centre)
    np.maximum.at(high, owner, centre)
    span = np.maximum((high - low)[owner], 1e-12)
    cell = np.clip((centre - low[owner]) / span * (1 << _MORTON_BITS), 0, (1 << _MORTON_BITS) - 1).astype(np.int64)
    key = owner << (3 * _MORTON_BITS)
    for bit in range(_MORTON_BITS):
        for axis in range(3):
            key |= ((cell[:, axis] >> bit) & 1) << (3 * bit + axis)
    return np.argsort(key, kind="stable")


def walk(forest: Forest, body: Ints, origin: Floats, direction: Floats, limit: Floats) -> tuple[Ints, Ints, Floats]:
    """Returns every crossing of rays with triangles as (ray, triangle, distance in lengths of `direction`), unordered.

    One ray per entry, in the frame of the body that it is asked about: body (P,), origin and direction (3, P), limit
    (P,), beyond which nothing is looked for. Surfaces count from both sides.
    """
    inverse = 1.0 / np.where(np.abs(direction) < _TINY, _TINY, direction)
    ray = node = np.empty(0, dtype=np.int64)
    for height in range(len(forest.levels) - 1, -1, -1):
        level = forest.levels[height]
        new = np.flatnonzero(forest.root_level[body] == height)
        ray, node = np.concatenate([ray, new]), np.concatenate([node, forest.root[body[new]]])
        enter, leave = np.zeros(len(ray)), limit[ray]
        for axis in range(3):
            scale, start = inverse[axis][ray], origin[axis][ray]
            near, far = (level.low[axis][node] - start) * scale, (level.high[axis][node] - start) * scale
            np.maximum(enter, np.minimum(near, far), out=enter)
            np.minimum(leave, np.maximum(near, far), out=leave)
        met = np.flatnonzero(leave >= enter)
        ray, node = _expand(ray[met], level.first[node[met]], level.count[node[met]])
    return _crossings(forest, ray, node, origin, direction, limit)


def _expand(ray: Ints, first: Ints, count: Ints) -> tuple[Ints, Ints]:
    rank = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(ray, count), np.repeat(first, count) + rank


def _crossings(
    forest: Forest, ray: Ints, triangle: Ints, origin: Floats, direction: Floats, limit: Floats
) -> tuple[Ints, Ints, Floats]:
    """Moeller and Trumbore, Fast, Minimum Storage Ray/Triangle Intersection (1997), on pairs of ray and triangle."""
    along, edge_1, edge_2 = direction[:, ray], forest.edge_1[:, triangle], forest.edge_2[:, triangle]
    across = _cross(along, edge_2)
    determinant = _dot(edge_1, across)
    scale = 1.0 / np.where(np.abs(determinant) < _TINY, np.inf, determinant)
    to_origin = origin[:, ray] - forest.corner[:, triangle]
    u = _dot(to_origin, across) * scale
    other = _cross(to_origin, edge_1)
    v = _dot(along, other) * scale
    distance = _dot(edge_2, other) * scale
    inside = (u >= -_SLACK_UV) & (v >= -_SLACK_UV) & (u + v <= 1 + _SLACK_UV) & (scale != 0)
    met = np.flatnonzero(inside & (distance > 0) & (distance <= limit[ray]))
    return ray[met], triangle[met], distance[met]


def _cross(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: Floats, b: Sequence[Floats]) -> Floats:
    product: Floats = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product
