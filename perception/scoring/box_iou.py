"""Exact intersection over union of oriented boxes of any size, from millimetres to kilometres, shared planes included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox

# The surface of A n B is made of A's faces clipped by B and B's faces clipped by A; the divergence theorem gives the
# volume as sum(distance of the plane * clipped area) / 3. A face that both boxes share (two boxes on one table) would
# count twice, or, by rounding, never: so B is grown by one part in 10^9, which puts its faces strictly outside A's.

_GROWTH = 1e-9
_FLOOR = 1e-8  # what the growth alone can make of boxes that only touch
_CHUNK = 2048
_SLOTS = 12  # a rectangle clipped by six planes has at most ten corners; two spare for corners that rounding doubles

_CORNER_U = np.array([-1.0, 1.0, 1.0, -1.0])
_CORNER_V = np.array([-1.0, -1.0, 1.0, 1.0])


def box_iou(first: Sequence[OrientedBox], second: Sequence[OrientedBox]) -> NDArray[np.float64]:
    """Returns the IoU, float64 (N,), of first[k] with second[k]; both in one frame. Error below 1e-8."""
    if len(first) != len(second):
        raise ValueError(f"box_iou needs as many first boxes as second ones, got {len(first)} and {len(second)}.")
    a, b = _Boxes(first), _Boxes(second)
    result = np.zeros(len(first))
    near = np.linalg.norm(a.center - b.center, axis=1) < np.linalg.norm(a.half, axis=1) + np.linalg.norm(b.half, axis=1)
    rows = np.flatnonzero(near)
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        result[chunk] = _iou(a, b, chunk)
    return result


def box_iou_matrix(first: Sequence[OrientedBox], second: Sequence[OrientedBox]) -> NDArray[np.float64]:
    """Returns the IoU, float64 (N, M), of every first box with every second one; all in one frame."""
    pairs_a = [a for a in first for _ in second]
    return box_iou(pairs_a, list(second) * len(first)).reshape(len(first), len(second))


class _Boxes:
    """Boxes as arrays: rotation (N, 3, 3) outer_from_box, center (N, 3), half edges (N, 3)."""

    def __init__(self, boxes: Sequence[OrientedBox]) -> None:
        matrices = np.array([box.outer_from_box.matrix() for box in boxes]).reshape(-1, 4, 4)
        self.rotation = matrices[:, :3, :3]
        self.center = matrices[:, :3, 3]
        self.half = np.array([box.size_m for box in boxes], dtype=np.float64).reshape(-1, 3) / 2


def _iou(a: _Boxes, b: _Boxes, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the IoU of the pairs `rows`: lengths in units of the smaller box, positions from its centre."""
    swap = (a.half[rows].prod(axis=1) < b.half[rows].prod(axis=1))[:, None]
    large = np.where(swap, b.half[rows], a.half[rows])
    small = np.where(swap, a.half[rows], b.half[rows])
    rotation_large = np.where(swap[:, :, None], b.rotation[rows], a.rotation[rows])
    rotation_small = np.where(swap[:, :, None], a.rotation[rows], b.rotation[rows])
    offset = np.where(swap, b.center[rows] - a.center[rows], a.center[rows] - b.center[rows])
    unit = small.max(axis=1, keepdims=True)
    large, small, offset = large / unit, small / unit, offset / unit
    small_from_large = np.einsum("nji,njk->nik", rotation_small, rotation_large)
    large_in_small = np.einsum("nji,nj->ni", rotation_small, offset)
    shared = _intersection_volume(large, small * (1 + _GROWTH), small_from_large, large_in_small)
    volume_large, volume_small = 8 * large.prod(axis=1), 8 * small.prod(axis=1)
    shared = np.clip(shared, 0.0, volume_small)
    iou = shared / (volume_large + volume_small - shared)
    return np.where(shared < _FLOOR * volume_small, 0.0, iou)


def _intersection_volume(
    half_a: NDArray[np.float64], half_b: NDArray[np.float64], b_from_a: NDArray[np.float64], a_in_b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Returns the volumes (N,) of A n B, with B's centre as the origin of the divergence theorem."""
    faces_a = np.einsum("nij,nfvj->nfvi", b_from_a, _faces(half_a)) + a_in_b[:, None, None, :]
    faces_b = np.einsum("nji,nfvj->nfvi", b_from_a, _faces(half_b) - a_in_b[:, None, None, :])
    area_a = _clipped_area(faces_a, half_b)
    area_b = _clipped_area(faces_b, half_a)
    along = np.einsum("nij,ni->nj", b_from_a, a_in_b)  # A's centre along A's own axes
    distance_a = np.concatenate([half_a + along, half_a - along], axis=1)
    distance_b = np.concatenate([half_b, half_b], axis=1)
    volume: NDArray[np.float64] = ((distance_a * area_a).sum(axis=1) + (distance_b * area_b).sum(axis=1)) / 3
    return volume


def _faces(half: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the six face rectangles (N, 6, 4, 3) of boxes in their own frame: +x, +y, +z, -x, -y, -z."""
    corners = np.empty((6, 4, 3))
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for face, sign in ((axis, 1.0), (axis + 3, -1.0)):
            corners[face, :, axis], corners[face, :, u], corners[face, :, v] = sign, _CORNER_U, _CORNER_V
    return corners[None] * half[:, None, None, :]


def _clipped_area(faces: NDArray[np.float64], half: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the areas (N, 6) of rectangles (N, 6, 4, 3) inside the centred boxes of half edges `half` (N, 3)."""
    count = len(faces)
    area = np.zeros(count * 6)
    polygon = faces.reshape(-1, 4, 3)
    size = np.full(count * 6, 4)
    alive = np.arange(count * 6)
    for axis in range(3):
        for sign in (1.0, -1.0):
            polygon, size = _clip(polygon, size, axis, sign, half[alive // 6, axis])
            kept = size >= 3
            polygon, size, alive = polygon[kept], size[kept], alive[kept]
    spoke = polygon[:, 1:] - polygon[:, :1]
    area[alive] = np.linalg.norm(np.cross(spoke[:, :-1], spoke[:, 1:]).sum(axis=1), axis=1) / 2
    return area.reshape(count, 6)


def _clip(
    polygon: NDArray[np.float64], size: NDArray[np.int64], axis: int, sign: float, bound: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Clips convex polygons (M, V, 3), the first `size` corners valid, by sign * x[axis] <= bound (Sutherland-Hodgman)."""
    count, slots, _ = polygon.shape
    following = np.roll(polygon, -1, axis=1)
    used = np.arange(slots)[None, :] < size[:, None]
    above = sign * polygon[:, :, axis] - bound[:, None]
    above_next = np.roll(above, -1, axis=1)
    inside = above <= 0
    crosses = used & (inside != (above_next <= 0))
    share = np.divide(above, above - above_next, out=np.zeros_like(above), where=crosses)
    crossing = polygon + share[:, :, None] * (following - polygon)
    crossing[:, :, axis] = sign * bound[:, None]
    points = np.stack([polygon, crossing], axis=2).reshape(count, 2 * slots, 3)
    emitted = np.stack([used & inside, crosses], axis=2).reshape(count, 2 * slots)
    place = np.cumsum(emitted, axis=1) - 1
    emitted &= place < _SLOTS
    size = emitted.sum(axis=1)
    row, slot = np.nonzero(emitted)
    clipped = np.zeros((count, min(2 * slots, _SLOTS), 3))
    clipped[row, place[row, slot]] = points[row, slot]
    padding = np.arange(clipped.shape[1])[None, :] >= size[:, None]
    return np.where(padding[:, :, None], clipped[:, :1], clipped), size
