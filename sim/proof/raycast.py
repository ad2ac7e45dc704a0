"""What a camera's rays meet, in float64 and from a scene's meshes and poses alone: no renderer has a part in it.

One ray through each pixel centre: a pixel (u, v) of a pinhole looks along ((u - cx) / fx, (v - cy) / fy, 1) in the camera's
frame, and through a lens along the ray that the lens bends there, so the distance in lengths of that vector is the depth
along the view, as `Truth.depth_m` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.scene import Scene
from scenes.transforms import Pose, inverse, transform_points
from sim.proof.ray_forest import Floats, Forest, Ints, grow, walk

_RAYS_AT_ONCE = 4096
# A limit on the search is relaxed by this much, so that what lies just at it is found.
_LIMIT_SLACK = 1.001
_LIMIT_SLACK_M = 2e-3
_TINY = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """Crossings of `rays` rays with surfaces, between the camera's near and far plane, sorted by ray and then depth.

    ray int64 (K,) counts the pixels as they were given, body int64 (K,) is the place in `scene.bodies`, depth_m
    float64 (K,).
    """

    rays: int
    ray: Ints
    body: Ints
    depth_m: Floats

    def first(self) -> tuple[Ints, Floats]:
        """Returns what each ray meets first: body (rays,), -1 for nothing, and depth in metres, +inf for nothing."""
        body, depth_m = np.full(self.rays, -1, dtype=np.int64), np.full(self.rays, np.inf)
        ray, at = np.unique(self.ray, return_index=True)
        body[ray], depth_m[ray] = self.body[at], self.depth_m[at]
        return body, depth_m


class RayCaster:
    """The meshes of a scene, ready for rays; bodies may be moved from call to call. Builds in a few milliseconds."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._forest: Forest = grow(scene.bodies)
        self._low, self._high = self._forest.root_boxes()

    def hits(
        self,
        camera: Camera,
        pixels: NDArray[np.floating] | Ints,
        *,
        limit_m: NDArray[np.floating] | None = None,
        world_from_body: Mapping[str, Pose] | None = None,
    ) -> Hits:
        """Casts a ray through each pixel (N, 2) = (u, v).

        With `limit_m` (N,) only what lies no deeper is looked for, and rays that meet nothing there are cast again
        without a limit: the first hit is the same, found sooner. `world_from_body` moves the bodies that it names.
        """
        poses = self._poses(world_from_body or {})
        parts = [
            self._cast(camera, poses, pixels, slice(k, k + _RAYS_AT_ONCE), limit_m)
            for k in range(0, len(pixels), _RAYS_AT_ONCE)
        ]
        empty = np.empty(0, dtype=np.int64)
        ray, body = (np.concatenate([empty, *(part[k] for part in parts)]) for k in (0, 1))
        depth_m = np.concatenate([np.empty(0), *(part[2] for part in parts)])
        order = np.lexsort((depth_m, ray))
        return Hits(rays=len(pixels), ray=ray[order], body=body[order], depth_m=depth_m[order])

    def surface_points(self, per_body: int, *, rng: np.random.Generator) -> tuple[Ints, Floats]:
        """Draws points in the middle of triangles: (body (N,), point in that body's frame (N, 3)), at most `per_body` each."""
        first = self._forest.first_triangle
        drawn = (first[:-1, None] + rng.random((len(first) - 1, per_body)) * np.diff(first)[:, None]).astype(np.int64)
        body, column = np.nonzero(np.broadcast_to((np.diff(first) > 0)[:, None], drawn.shape))
        chosen = drawn[body, column]
        f = self._forest
        return body, (f.corner[:, chosen] + (f.edge_1[:, chosen] + f.edge_2[:, chosen]) / 3).T

    def to_camera(
        self, camera: Camera, body: Ints, points_body: Floats, world_from_body: Mapping[str, Pose] | None = None
    ) -> Floats:
        """Maps points (N, 3), each in the frame of its body (N,), to the camera's frame."""
        poses = self._poses(world_from_body or {})[body]
        world = np.einsum("nij,nj->ni", poses[:, :3, :3], points_body) + poses[:, :3, 3]
        return transform_points(inverse(camera.world_from_camera.matrix()), world)

    def _poses(self, moved: Mapping[str, Pose]) -> Floats:
        bodies = self.scene.bodies
        matrices = [moved.get(b.name, b.world_from_body).matrix() for b in bodies]
        return np.array(matrices).reshape(-1, 4, 4)

    def _cast(
        self,
        camera: Camera,
        poses: Floats,
        pixels: NDArray[np.floating] | Ints,
        part: slice,
        limit_m: NDArray[np.floating] | None,
    ) -> tuple[Ints, Ints, Floats]:
        directions = _directions(camera, np.asarray(pixels[part], dtype=np.float64))
        far = np.full(len(directions), float(camera.far_m))
        if limit_m is None:
            ray, body, depth_m = self._search(camera, poses, directions, far)
        else:
            near_enough = np.minimum(np.asarray(limit_m[part], dtype=np.float64) * _LIMIT_SLACK + _LIMIT_SLACK_M, far)
            ray, body, depth_m = self._search(camera, poses, directions, near_enough)
            again = np.setdiff1d(np.flatnonzero(near_enough < far), ray)
            if len(again):
                more = self._search(camera, poses, directions[again], far[again])
                ray, body = np.concatenate([ray, again[more[0]]]), np.concatenate([body, more[1]])
                depth_m = np.concatenate([depth_m, more[2]])
        return ray + part.start, body, depth_m

    def _search(self, camera: Camera, poses: Floats, directions: Floats, limit: Floats) -> tuple[Ints, Ints, Floats]:
        """Returns (ray, body, depth) of all crossings up to `limit`, each body looked at by the rays that meet its box."""
        body_from_camera = np.linalg.inv(poses) @ camera.world_from_camera.matrix()
        origin = np.ascontiguousarray(body_from_camera[:, :3, 3].T)
        along = np.tensordot(body_from_camera[:, :3, :3], directions, axes=(2, 1)).transpose(1, 2, 0)
        enter, leave = np.zeros(along.shape[1:]), np.repeat(limit[:, None], len(poses), axis=1)
        with np.errstate(invalid="ignore", over="ignore"):
            for axis in range(3):
                scale = 1.0 / np.where(np.abs(along[axis]) < _TINY, _TINY, along[axis])
                near, far = (self._low[axis] - origin[axis]) * scale, (self._high[axis] - origin[axis]) * scale
                np.maximum(enter, np.minimum(near, far), out=enter)
                np.minimum(leave, np.maximum(near, far), out=leave)
        ray, body = np.nonzero(leave >= enter)
        pair, triangle, depth_m = walk(self._forest, body, origin[:, body], along[:, ray, body], limit[ray])
        seen = depth_m >= camera.near_m
        owner = np.searchsorted(self._forest.first_triangle, triangle[seen], side="right") - 1
        return ray[pair[seen]], owner, depth_m[seen]


def _directions(camera: Camera, pixels: Floats) -> Floats:
    x, y = camera.rays(pixels[:, 0], pixels[:, 1])
    return np.stack([x, y, np.ones(len(pixels))], axis=1)
