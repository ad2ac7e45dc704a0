"""Meshes for OpenUSD: points without repeats, shared only by faces of one shell, so that touching solids stay manifold.

Two boxes of a door frame that touch share places, but no surface: welded at those places they would make edges of four
faces, which validators call non-manifold; left there unwelded they would be told to be welded. So they are moved apart,
by less than a fiftieth of a millimetre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.scene import Mesh

GAP_M = 3e-6


def welded(mesh: Mesh) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.bool_]]:
    """Returns the used points float32 (P, 3), the faces into them, and which faces have three different corners."""
    points, where = indexed(mesh.vertices.astype(np.float32)[mesh.faces.reshape(-1)])
    faces = where.reshape(-1, 3)
    keep = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    faces = faces[keep]
    shell = shells(faces, mesh.faces[keep])
    corners = np.stack([np.repeat(shell, 3), faces.reshape(-1)], axis=1)
    _, first, place = np.unique(corners, axis=0, return_index=True, return_inverse=True)
    order, rank = np.argsort(first), np.empty(len(first), dtype=np.int32)
    rank[order] = np.arange(len(first))
    shell_of, point_of = corners[first[order]].T
    return _apart(points[point_of], shell_of, point_of), rank[place.reshape(-1)].reshape(-1, 3), keep


def _apart(points: NDArray[np.float32], shell: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.float32]:
    """Moves points that several shells have at one place into their shells, by a few micrometres each."""
    shared = np.bincount(place)[place] > 1
    if not shared.any():
        return points
    names, number = np.unique(shell, return_inverse=True)
    middle = np.stack([np.bincount(number, points[:, k]).astype(np.float64) for k in range(3)], axis=1)
    middle = middle / np.bincount(number, minlength=len(names))[:, None]
    inwards = middle[number[shared]] - points[shared]
    inwards /= np.maximum(np.linalg.norm(inwards, axis=1, keepdims=True), GAP_M)
    moved = points.copy()
    moved[shared] += (GAP_M * (1 + number[shared, None] % 4) * inwards).astype(np.float32)
    return moved


def indexed(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Returns the different rows in order of first use, and for each row of `values` its place among them."""
    plain = np.ascontiguousarray(values, dtype=np.float32) + np.float32(0)  # -0 and 0 are one value
    _, first, where = np.unique(plain, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return plain[first[order]], rank[where.reshape(-1)].astype(np.int32)


def shells(faces: NDArray[np.int32], corners: NDArray[np.int32]) -> NDArray[np.int64]:
    """Returns the shell of every face (F,), named by its first face.

    Faces are of one shell where just two meet at an edge, by place (`faces`), or where they share a vertex of the mesh
    that they came from (`corners`).
    """
    ends = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    _, edge, count = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    edge = edge.reshape(-1)
    by_edge, by_corner = np.argsort(edge, kind="stable"), np.argsort(corners.reshape(-1), kind="stable")
    same = np.flatnonzero(np.diff(corners.reshape(-1)[by_corner]) == 0)
    at_edges = by_edge[count[edge[by_edge]] == 2].reshape(-1, 2)
    at_corners = np.stack([by_corner[same], by_corner[same + 1]], axis=1)
    pairs = np.concatenate([at_edges, at_corners]) // 3
    label = np.arange(len(faces))
    while True:
        lowest = label[pairs].min(axis=1)
        merged = label.copy()
        for side in range(2):
            np.minimum.at(merged, label[pairs[:, side]], lowest)
        merged = merged[merged]
        merged = merged[label]
        if np.array_equal(merged, label):
            return label
        label = merged
