"""Whether a capture shows the world as it was asked for: the camera that it names, the poses in it, and rays into its depth.

Stale frames are the commonest complaint about Replicator (reference, section 5.1). Three independent witnesses are heard:
camera_params against the camera that was aimed, the transforms of bounding_box_3d against the poses that were set, and the
depth at some pixels against rays on the scene's own meshes. The last needs no annotator to be honest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, points_in_camera
from scenes.scene import Scene
from scenes.transforms import Pose, transform_points
from sim._labels import prim_path
from sim.isaac.annotate import focal_of, poses_of, read_depth, view_of
from sim.proof.raycast import RayCaster

# What single precision and a transform through Fabric may cost.
_POSITION_M, _ROTATION = 2e-3, 2e-3
_FOCAL = 1e-3
# Depth agrees within this; edges, where a jittered sample may fall on either side, are outvoted.
_DEPTH_M, _DEPTH_SHARE = 4e-3, 0.01
_GRID = (12, 9)
_AROUND_PX = 6
_LEAST_SHARE = 0.7


class FreshnessCheck:
    """Tells whether captures of one scene are fresh; remembers the poses of the last fresh one."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._caster = RayCaster(scene)
        self._place = {body.name: k for k, body in enumerate(scene.bodies)}
        self._last: dict[str, Pose] = {b.name: b.world_from_body for b in scene.bodies}

    def complaint(self, data: Mapping[str, Any], camera: Camera, world_from_body: Mapping[str, Pose]) -> str:
        """Returns what in a capture of a drawn camera belongs to another world, in a few words; empty for a fresh one."""
        found = (
            _camera_complaint(data["camera_params"], camera)
            or _pose_complaint(data["bounding_box_3d"], world_from_body)
            or self._depth_complaint(data["distance_to_image_plane"], camera, world_from_body)
        )
        if not found:
            self._last = dict(world_from_body)
        return found

    def _depth_complaint(self, value: Any, camera: Camera, world_from_body: Mapping[str, Pose]) -> str:
        depth_m = read_depth(value, (camera.height, camera.width), far_m=camera.far_m)
        agrees, _ = self._agreement(depth_m, _grid(camera), camera, world_from_body)
        if agrees.mean() < _LEAST_SHARE:
            return f"depth agrees with rays on {agrees.mean():.0%} of {len(agrees)} pixels only"
        moved = [name for name, pose in world_from_body.items() if self._last.get(name) != pose]
        for name in moved:
            pixels = self._around(camera, name, world_from_body)
            if not len(pixels):
                continue
            agrees, body = self._agreement(depth_m, pixels, camera, world_from_body)
            mine = body == self._place[name]
            if mine.sum() >= 3 and agrees[mine].mean() < 0.5:
                return f"depth does not show {name} where it was put"
        return ""

    def _agreement(
        self, depth_m: NDArray[np.float32], pixels: NDArray[np.int64], camera: Camera, poses: Mapping[str, Pose]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Returns, by pixel, whether depth is what the ray meets, and the body that it meets."""
        body, expected = self._caster.hits(camera, pixels, world_from_body=poses).first()
        seen = depth_m[pixels[:, 1], pixels[:, 0]].astype(np.float64)
        both = np.isfinite(seen) & np.isfinite(expected)
        off = np.abs(np.where(both, seen, 0.0) - np.where(both, expected, 0.0))
        close = off <= _DEPTH_M + _DEPTH_SHARE * np.where(both, expected, 0.0)
        return (both & close) | (np.isinf(seen) & np.isinf(expected)), body

    def _around(self, camera: Camera, name: str, world_from_body: Mapping[str, Pose]) -> NDArray[np.int64]:
        """Returns pixels about the middle of a body where it stands now, inside the picture."""
        low, high = self._scene.bodies[self._place[name]].bounds_m()
        middle = points_in_camera(camera, transform_points(world_from_body[name].matrix(), (low + high) / 2))
        if middle[2] <= camera.near_m:
            return np.empty((0, 2), dtype=np.int64)
        offsets = np.stack(np.meshgrid(*(np.arange(-_AROUND_PX, _AROUND_PX + 1, 2),) * 2), axis=-1).reshape(-1, 2)
        pixels = np.rint(camera.project(middle)).astype(np.int64) + offsets
        inside = ((pixels >= 0) & (pixels < (camera.width, camera.height))).all(axis=1)
        return pixels[inside]


def _camera_complaint(params: Mapping[str, Any], camera: Camera) -> str:
    expected, seen = camera.world_from_camera.matrix(), view_of(params)
    away = float(np.linalg.norm(seen[:3, 3] - expected[:3, 3]))
    turned = float(np.abs(seen[:3, :3] - expected[:3, :3]).max())
    if away > _POSITION_M or turned > _ROTATION:
        return f"camera_params has the camera {away:.3f} m away and turned by {turned:.3f}"
    focal, width, height = focal_of(params)
    if (width, height) != (camera.width, camera.height) or abs(focal / camera.fx - 1) > _FOCAL:
        return f"camera_params has {width}x{height} with fx {focal:.2f}, not {camera.width}x{camera.height} with {camera.fx:.2f}"
    return ""


def _pose_complaint(value: Any, world_from_body: Mapping[str, Pose]) -> str:
    expected = {prim_path(name): pose.matrix() for name, pose in world_from_body.items()}
    for path, seen in poses_of(value).items():
        if path not in expected:
            continue
        away = float(np.linalg.norm(seen[:3, 3] - expected[path][:3, 3]))
        turned = float(np.abs(seen[:3, :3] - expected[path][:3, :3]).max())
        if away > _POSITION_M or turned > _ROTATION:
            return f"bounding_box_3d has {path} {away:.3f} m away and turned by {turned:.3f}"
    return ""


def _grid(camera: Camera) -> NDArray[np.int64]:
    """Returns a grid of pixels over the whole picture, (N, 2) as (u, v)."""
    u, v = (np.linspace(0.04, 0.96, count) * (size - 1) for count, size in zip(_GRID, (camera.width, camera.height), strict=True))
    return np.rint(np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)).astype(np.int64)
