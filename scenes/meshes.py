"""Triangle meshes made from parameters: closed, counter-clockwise from outside, with UVs and crease-aware normals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenes.scene import Mesh
from scenes.transforms import Pose, transform_points

Points = NDArray[np.float64]
CREASE_RAD = np.deg2rad(40.0)


def corner_normals(vertices: Points, faces: NDArray[np.int32], crease_rad: float = CREASE_RAD) -> NDArray[np.float32]:
    """Returns a unit normal per face corner, float32 (F, 3, 3): faces meeting below the crease angle are averaged by area."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    weighted = np.cross(b - a, c - a)
    unit = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-30)
    corner_vertex = faces.reshape(-1)
    order = np.argsort(corner_vertex, kind="stable")
    counts = np.bincount(corner_vertex, minlength=len(vertices))
    starts = np.cumsum(counts) - counts
    neighbours = counts[corner_vertex]
    mine = np.repeat(np.arange(corner_vertex.size), neighbours)
    rank = np.arange(mine.size) - np.repeat(np.cumsum(neighbours) - neighbours, neighbours)
    other = order[starts[corner_vertex[mine]] + rank]
    smooth = np.einsum("ij,ij->i", unit[mine // 3], unit[other // 3]) > np.cos(crease_rad)
    total: Points = np.stack(
        [np.bincount(mine, weights=smooth * weighted[other // 3, k], minlength=corner_vertex.size) for k in range(3)],
        axis=1,
    )
    total = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-30)
    return total.reshape(-1, 3, 3).astype(np.float32)


def mesh(vertices: ArrayLike, faces: ArrayLike, corner_uv: ArrayLike | None = None) -> Mesh:
    """Builds a Mesh, dropping faces without area; without UVs each corner is mapped along its face's main axis, in metres."""
    points = np.array(vertices, dtype=np.float64, order="C")
    triangles = np.array(faces, dtype=np.int32, order="C")
    uv = box_uv(points, triangles) if corner_uv is None else np.asarray(corner_uv, dtype=np.float32)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    solid = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-12
    triangles, uv = np.ascontiguousarray(triangles[solid]), np.ascontiguousarray(uv[solid])
    return Mesh(vertices=points, faces=triangles, corner_uv=uv, corner_normals=corner_normals(points, triangles))


def box_uv(vertices: Points, faces: NDArray[np.int32], metres_per_tile: float = 0.1) -> NDArray[np.float32]:
    """Returns UVs by projection along the largest component of each face normal, float32 (F, 3, 2)."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    axis = np.argmax(np.abs(np.cross(b - a, c - a)), axis=1)
    kept = np.array([[1, 2], [0, 2], [0, 1]])[axis]
    corners = vertices[faces]
    uv = np.take_along_axis(corners, kept[:, None, :].repeat(3, axis=1), axis=2)
    return (uv / metres_per_tile).astype(np.float32)


def lathe(profile_rz: Sequence[tuple[float, float]], segments: int = 32) -> Mesh:
    """Revolves (radius, height) pairs, in metres, about z.

    The profile runs with the outside on its right: from the axis at the bottom, out, up and back to the axis. u is the
    turn 0..1, v the arc length 0..1.
    """
    profile = np.asarray(profile_rz, dtype=np.float64)
    angle = np.arange(segments) * (2 * np.pi / segments)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rows = len(profile)
    xy = profile[:, None, 0, None] * ring[None]
    vertices = np.concatenate([xy, np.broadcast_to(profile[:, None, 1, None], (rows, segments, 1))], axis=2)
    on_axis = profile[:, 0] < 1e-9
    index = np.arange(rows * segments).reshape(rows, segments)
    index[on_axis] = index[on_axis, :1]
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    v = length / length[-1]
    u = np.arange(segments + 1) / segments
    low, high = index[:-1], index[1:]
    low_next, high_next = np.roll(low, -1, axis=1), np.roll(high, -1, axis=1)
    first = np.stack([low, low_next, high_next], axis=2)
    second = np.stack([low, high_next, high], axis=2)
    grid_u0, grid_v0 = np.broadcast_arrays(u[None, :-1], v[:-1, None])
    grid_u1, grid_v1 = np.broadcast_arrays(u[None, 1:], v[1:, None])
    c00, c10 = np.stack([grid_u0, grid_v0], -1), np.stack([grid_u1, grid_v0], -1)
    c11, c01 = np.stack([grid_u1, grid_v1], -1), np.stack([grid_u0, grid_v1], -1)
    uv = np.stack([np.stack([c00, c10, c11], 2), np.stack([c00, c11, c01], 2)], 2)
    faces = np.stack([first, second], axis=2).reshape(-1, 3)
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
    return _compact(vertices.reshape(-1, 3), faces[distinct], uv.reshape(-1, 3, 2)[distinct])


def sweep(path: ArrayLike, radii: ArrayLike, segments: int = 10, squash: float = 1.0) -> Mesh:
    """Sweeps an ellipse along a path (N, 3) in metres, with a radius for each point, and closes both ends.

    `squash` scales the section along the binormal. The frame is carried along the path without twist.
    """
    points, radius = np.asarray(path, dtype=np.float64), np.asarray(radii, dtype=np.float64)
    tangent = np.gradient(points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.empty_like(points)
    start = np.eye(3)[int(np.argmin(np.abs(tangent[0])))]
    for i, t in enumerate(tangent):
        start = start - t * (start @ t)
        start /= np.linalg.norm(start)
        normal[i] = start
    binormal = np.cross(tangent, normal)
    angle = np.arange(segments) * (2 * np.pi / segments)
    offset = np.cos(angle)[None, :, None] * normal[:, None] + squash * np.sin(angle)[None, :, None] * binormal[:, None]
    rings = points[:, None] + radius[:, None, None] * offset
    vertices = np.concatenate([rings.reshape(-1, 3), points[:1], points[-1:]])
    index = np.arange(rings.shape[0] * segments).reshape(-1, segments)
    low, high = index[:-1], index[1:]
    sides = [(low, np.roll(low, -1, 1), np.roll(high, -1, 1)), (low, np.roll(high, -1, 1), high)]
    faces = [np.stack(side, axis=2).reshape(-1, 3) for side in sides]
    first, last = np.full(segments, len(vertices) - 2), np.full(segments, len(vertices) - 1)
    faces += [
        np.stack([first, np.roll(index[0], -1), index[0]], 1),
        np.stack([last, index[-1], np.roll(index[-1], -1)], 1),
    ]
    return mesh(vertices, np.concatenate(faces))


def cuboid(
    half_m: Sequence[float], center_m: Sequence[float] = (0.0, 0.0, 0.0), metres_per_tile: float | None = None
) -> Mesh:
    """Returns a box; each face shows the whole texture, or tiles of the given size."""
    x, y, z = half_m
    signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64)
    vertices = signs * [x, y, z] + np.asarray(center_m)
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    faces = quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    if metres_per_tile is not None:
        return mesh(vertices, faces, box_uv(vertices, faces.astype(np.int32), metres_per_tile))
    uv = box_uv(signs, faces.astype(np.int32), 2.0) + 0.5
    return mesh(vertices, faces, uv)


def rounded_box(half_m: Sequence[float], radius_m: float, segments: int = 3) -> Mesh:
    """Returns a box about the origin with round edges and corners; the radius is cut to the smallest half edge."""
    half = np.asarray(half_m, dtype=np.float64)
    radius = min(radius_m, 0.999 * float(half.min()))
    steps = np.tan(np.linspace(-np.pi / 4, 0.0, segments + 1))
    direction = np.concatenate([steps, -steps[::-1]])  # along one axis, over both rounded ends
    side = np.repeat([-1.0, 1.0], segments + 1)
    count = len(direction)
    index: dict[tuple[int, int, int], int] = {}
    faces: list[tuple[int, int, int]] = []

    def corner(axis: int, end: int, i: int, j: int) -> int:
        key = [i, j]
        key.insert(axis, end)
        return index.setdefault((key[0], key[1], key[2]), len(index))

    for axis in range(3):
        for end in (0, count - 1):
            for i in range(count - 1):
                for j in range(count - 1):
                    a, b = corner(axis, end, i, j), corner(axis, end, i + 1, j)
                    c, d = corner(axis, end, i + 1, j + 1), corner(axis, end, i, j + 1)
                    outward = (end > 0) != (axis == 1)
                    faces += [(a, b, c), (a, c, d)] if outward else [(a, c, b), (a, d, c)]
    grid = np.array(list(index))
    ray = direction[grid]
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    vertices = side[grid] * (half - radius) + radius * ray
    triangles = np.array(faces, dtype=np.int32)
    return mesh(vertices, triangles, box_uv(vertices, triangles, 0.5))


def extrude(outline_xy: ArrayLike, thickness_m: float, max_edge_m: float) -> Mesh:
    """Extrudes a simple polygon (N, 2), counter-clockwise, from z = 0 to `thickness_m`, cut fine enough to be warped."""
    import manifold3d

    section = manifold3d.CrossSection([np.asarray(outline_xy, dtype=np.float64)])
    solid = section.extrude(thickness_m).refine_to_length(max_edge_m).to_mesh()
    return mesh(solid.vert_properties[:, :3], solid.tri_verts)


def subtract(solid: Mesh, tool: Mesh) -> Mesh:
    """Returns `solid` minus `tool` (both closed), without slivers, with UVs by projection."""
    import manifold3d

    first, second = (
        manifold3d.Manifold(manifold3d.Mesh64(vert_properties=m.vertices.copy(), tri_verts=m.faces.astype(np.uint64)))
        for m in (solid, tool)
    )
    result = (first - second).simplify(1e-5).to_mesh64()
    return mesh(result.vert_properties[:, :3], result.tri_verts)


def warp(shape: Mesh, mapping: Callable[[Points], Points]) -> Mesh:
    """Moves every vertex (V, 3) by `mapping` and keeps faces and UVs."""
    return mesh(mapping(shape.vertices.copy()), shape.faces, shape.corner_uv)


def placed(shape: Mesh, body_from_shape: Pose) -> Mesh:
    """Returns the mesh under a rigid transform."""
    return warp(shape, lambda points: transform_points(body_from_shape.matrix(), points))


def joined(shapes: Sequence[Mesh]) -> Mesh:
    """Returns several meshes as one, without welding them."""
    offsets = np.cumsum([0] + [len(s.vertices) for s in shapes[:-1]])
    return mesh(
        np.concatenate([s.vertices for s in shapes]),
        np.concatenate([s.faces + offset for s, offset in zip(shapes, offsets, strict=True)]),
        np.concatenate([s.corner_uv for s in shapes]),
    )


def moved(shape: Mesh, body_from_shape: Pose) -> Mesh:
    """As `placed`, but takes the normals along instead of making them anew: cheap, and equal to rounding."""
    rotation = body_from_shape.matrix()[:3, :3]
    normals = (shape.corner_normals.reshape(-1, 3) @ rotation.T).reshape(-1, 3, 3).astype(np.float32)
    points = transform_points(body_from_shape.matrix(), shape.vertices)
    return Mesh(vertices=points, faces=shape.faces, corner_uv=shape.corner_uv, corner_normals=normals)


def merged(shapes: Sequence[Mesh]) -> Mesh:
    """As `joined`, but keeps the normals that the meshes have."""
    offsets = np.cumsum([0] + [len(s.vertices) for s in shapes[:-1]])
    return Mesh(
        vertices=np.concatenate([s.vertices for s in shapes]),
        faces=np.concatenate([s.faces + offset for s, offset in zip(shapes, offsets, strict=True)]).astype(np.int32),
        corner_uv=np.concatenate([s.corner_uv for s in shapes]),
        corner_normals=np.concatenate([s.corner_normals for s in shapes]),
    )


def _compact(vertices: Points, faces: NDArray[np.integer], corner_uv: NDArray[np.floating]) -> Mesh:
    used, flat = np.unique(faces, return_inverse=True)
    return mesh(vertices[used], flat.reshape(-1, 3), corner_uv)
