"""The triangle that each pixel's ray meets, in double precision, from the part that the renderer says is seen there.

The renderer decides what is seen (part and depth); where on it is solved here: with the corners a, b, c of a triangle in
the camera's frame and the ray d of the pixel (of a pinhole ((u - cx) / fx, (v - cy) / fy, 1)), the three numbers
d.(b x c), d.(c x a) and d.(a x b) have one sign inside, are in the proportion of the barycentric weights, and a.(b x
c) over their sum is the depth. This
holds for triangles that reach behind the camera too (Olano and Greer, 1997, homogeneous rasterisation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.scene import Scene
from scenes.transforms import inverse, transform_points
from sim._lens import pixel_rays
from sim.layers import visible_parts

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

# Rasterisers place corners on a grid of 1/256 pixel, and a lens takes the nearest sample: a ray may pass beside a triangle
# by so little that is seen there.
_SLACK_PX = 1.0
# One pixel of slack costs as much as this much depth: surfaces of one part that lie behind each other are told apart.
_DEPTH_PER_PX_M = 1e-3
_LARGE_PX = 4096
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """What each ray meets.

    triangle int64 (H, W), -1 where nothing is; weights float64 (H, W, 3), barycentric, of its three corners;
    depth_m float64 (H, W), +inf where nothing is; corners_world float64 (T, 3, 3) in metres, normals_world float64
    (T, 3, 3) the corners' shading normals, both of every triangle of the scene.
    """

    triangle: NDArray[np.int64]
    weights: _Floats
    depth_m: _Floats
    corners_world: _Floats
    normals_world: _Floats


def find_hits(scene: Scene, camera: Camera, depth_m: NDArray[np.float32], parts: NDArray[np.uint16]) -> Hits:
    """Finds the hit of every pixel that shows a part; `depth_m` and `parts` (H, W) say what the renderer saw."""
    corners_world, normals_world, start = _triangles(scene)
    corners = transform_points(inverse(camera.world_from_camera.matrix()), corners_world)
    edges = np.stack([np.cross(corners[:, i - 2], corners[:, i - 1]) for i in range(3)], axis=1)  # (T, 3, 3)
    volume = np.einsum("ti,ti->t", corners[:, 0], edges[:, 0])
    triangle = np.full(parts.size, -1, dtype=np.int64)
    score = np.full(parts.size, np.inf)
    ray = np.stack([*(r.reshape(-1) for r in pixel_rays(camera)), np.ones(parts.size)], axis=-1)
    grid, cell = _grid(camera, ray)
    depths = depth_m.reshape(-1).astype(np.float64)
    seen = _Seen(grid=grid, cell=cell, ray=ray, depth_m=depths, corners=corners, edges=edges, volume=volume)
    for k in np.unique(parts[parts > 0]):
        mine = np.flatnonzero(parts.reshape(-1) == k)
        for pixels, candidates in _pairs(seen, mine, np.arange(start[k - 1], start[k])):
            _keep_best(seen, pixels, candidates, triangle, score)
    weights, depth = _solve(seen, triangle)
    shape = parts.shape
    return Hits(
        triangle=triangle.reshape(shape), weights=weights.reshape(*shape, 3), depth_m=depth.reshape(shape),
        corners_world=corners_world, normals_world=normals_world,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """The ray and depth of each pixel (H * W), and the triangles in the camera's frame with their edge planes and volumes.

    `grid` is a pinhole where the camera is, `cell` int64 (H * W) the pixel of it that holds each pixel's ray.
    """

    grid: Camera
    cell: _Ints
    ray: _Floats
    depth_m: _Floats
    corners: _Floats
    edges: _Floats
    volume: _Floats


def _grid(camera: Camera, ray: _Floats) -> tuple[Camera, _Ints]:
    """Returns the camera itself with its own pixels; for a lens a pinhole as fine that holds all of its rays."""
    if camera.distortion is None:
        return camera, np.arange(len(ray))
    u, v = ray[:, 0] * camera.fx, ray[:, 1] * camera.fy
    left, top = float(np.floor(u.min())), float(np.floor(v.min()))
    column, row = np.rint(u - left).astype(np.int64), np.rint(v - top).astype(np.int64)
    width, height = int(column.max()) + 1, int(row.max()) + 1
    grid = replace(camera, width=width, height=height, cx=-left, cy=-top, distortion=None)
    return grid, row * width + column


def _triangles(scene: Scene) -> tuple[_Floats, _Floats, _Ints]:
    """Returns corners and corner normals in the world, and where the triangles of each part start."""
    corners, normals, start = [np.zeros((0, 3, 3))], [np.zeros((0, 3, 3))], [0]
    for body, part in visible_parts(scene):
        world_from_body = body.world_from_body.matrix()
        corners.append(transform_points(world_from_body, part.mesh.vertices)[part.mesh.faces])
        normals.append(part.mesh.corner_normals.astype(np.float64) @ world_from_body[:3, :3].T)
        start.append(start[-1] + len(part.mesh.faces))
    return np.concatenate(corners), np.concatenate(normals), np.array(start)


def _pairs(seen: _Seen, mine: _Ints, triangles: _Ints) -> Iterator[tuple[_Ints, _Ints]]:
    """Yields pixels of `mine` (flat indices, rising) with triangles whose bounds in the grid hold them, in chunks."""
    grid, cell = seen.grid, seen.cell[mine]
    by_cell = mine[np.argsort(cell, kind="stable")]
    count = np.bincount(cell, minlength=grid.width * grid.height)
    begin = np.cumsum(count) - count
    rows, columns = np.divmod(cell, grid.width)
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()])
    corners = seen.corners[triangles]
    ahead: NDArray[np.bool_] = np.asarray(corners[..., 2].min(axis=1) > grid.near_m)
    pixels = grid.project(np.where(ahead[:, None, None], corners, 1.0))
    first = np.maximum(np.ceil(pixels.min(axis=1) - _SLACK_PX), low).astype(np.int64)
    last = np.minimum(np.floor(pixels.max(axis=1) + _SLACK_PX), high).astype(np.int64)
    first[~ahead], last[~ahead] = low, high
    size = np.maximum(last - first + 1, 0)
    area = size.prod(axis=1)
    for t in np.flatnonzero(area > _LARGE_PX):
        for some in np.array_split(mine, max(1, len(mine) // _CHUNK)):
            yield some, np.full(len(some), triangles[t])
    small = np.flatnonzero((area > 0) & (area <= _LARGE_PX))
    for group in _groups(small, area[small]):
        of, step = _counted(group, area[group])
        down, right = np.divmod(step, size[of, 0])
        held = (first[of, 1] + down) * grid.width + first[of, 0] + right
        pair, among = _counted(np.arange(len(held)), count[held])
        yield by_cell[begin[held[pair]] + among], triangles[of[pair]]


def _counted(items: _Ints, times: _Ints) -> tuple[_Ints, _Ints]:
    """Returns each item so many times, and beside it 0, 1, ... for each."""
    return np.repeat(items, times), np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)


def _groups(items: _Ints, weight: _Ints) -> list[_Ints]:
    """Splits items into runs of about a chunk's weight."""
    return np.split(items, np.flatnonzero(np.diff(np.cumsum(weight) // _CHUNK)) + 1) if len(items) else []


def _keep_best(seen: _Seen, pixels: _Ints, candidates: _Ints, triangle: _Ints, score: _Floats) -> None:
    """Lets each pixel keep the triangle that it is most inside of at the depth that was seen."""
    ray, edge = seen.ray[pixels], seen.edges[candidates]
    inside = np.einsum("pki,pi->pk", edge, ray)
    total = inside.sum(axis=1)
    slope = np.hypot(edge[..., 0] / seen.grid.fx, edge[..., 1] / seen.grid.fy)
    outside_px = -(inside * np.sign(total)[:, None] / np.maximum(slope, 1e-300)).min(axis=1)
    usable = (outside_px < _SLACK_PX) & (total != 0)
    depth = seen.volume[candidates[usable]] / total[usable]
    pixels, candidates = pixels[usable], candidates[usable]
    error = np.abs(depth - seen.depth_m[pixels]) / _DEPTH_PER_PX_M + np.maximum(outside_px[usable], 0.0)
    order = np.argsort(-error, kind="stable")  # the best is written last
    pixels, candidates, error = pixels[order], candidates[order], error[order]
    better = error < score[pixels]
    triangle[pixels[better]], score[pixels[better]] = candidates[better], error[better]


def _solve(seen: _Seen, triangle: _Ints) -> tuple[_Floats, _Floats]:
    """Returns the barycentric weights (P, 3), none negative, and the depth (P,) of every pixel's own triangle."""
    hit = np.flatnonzero(triangle >= 0)
    mine = triangle[hit]
    share = np.einsum("pki,pi->pk", seen.edges[mine], seen.ray[hit])
    total = share.sum(axis=1)
    weights, depth = np.zeros((len(triangle), 3)), np.full(len(triangle), np.inf)
    depth[hit] = seen.volume[mine] / total
    within = np.maximum(share / total[:, None], 0.0)
    weights[hit] = within / within.sum(axis=1, keepdims=True)
    return weights, depth
