"""A camera whose K has pixel centres at integer coordinates and whose axes are OpenCV's; a pinhole unless it has a lens."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.distortion import Distortion
from scenes.transforms import Pose, inverse, transform_points, vec3


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Intrinsics in pixels and the pose in the world.

    Frame: x right, y down, z forward (OpenCV). The centre of the top-left pixel is (0, 0), so a centred principal
    point is ((width - 1) / 2, (height - 1) / 2). `near_m` and `far_m` bound the rendered depth along z.
    `distortion` is the lens's, None for a pinhole; scenes have pinholes, sensors put lenses on them.
    """

    name: str
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    world_from_camera: Pose
    near_m: float = 0.02
    far_m: float = 20.0
    # Not in repr, of which the digests of scenes are made: those that were given out stay valid.
    distortion: Distortion | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or not (self.fx > 0 and self.fy > 0):
            raise ValueError(
                f"Camera {self.name!r} needs a positive size and focal length, got {self.width}x{self.height}."
            )
        if not 0 < self.near_m < self.far_m:
            raise ValueError(f"Camera {self.name!r} needs 0 < near_m < far_m, got {self.near_m} and {self.far_m}.")

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K, float64 (3, 3): pixel ~ K @ point_camera."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])

    def resized(self, width: int, height: int) -> Camera:
        """Returns the same camera with another image size: square pixels stay square, the horizontal view is kept."""
        scale = width / self.width
        fx, fy = self.fx * scale, self.fy * scale
        return replace(self, width=width, height=height, fx=fx, fy=fy, cx=(width - 1) / 2, cy=(height - 1) / 2)

    def project(self, points_camera: NDArray[np.floating]) -> NDArray[np.float64]:
        """Maps points (..., 3) in metres, z > 0, in the camera frame to pixels (..., 2) as (u, v)."""
        z = points_camera[..., 2]
        if self.distortion is None:
            u = self.fx * points_camera[..., 0] / z + self.cx
            v = self.fy * points_camera[..., 1] / z + self.cy
            return np.stack([u, v], axis=-1)
        x, y = self.distortion.distort(points_camera[..., 0] / z, points_camera[..., 1] / z)
        return np.stack([self.fx * x + self.cx, self.fy * y + self.cy], axis=-1)

    def rays(self, u: NDArray[Any], v: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Maps pixels to x and y of their rays at z = 1, the lens undone; nan where the lens draws nothing."""
        x, y = (u - self.cx) / self.fx, (v - self.cy) / self.fy
        if self.distortion is None:
            return x, y
        return self.distortion.undistort(*np.broadcast_arrays(x, y))

    def unproject(self, depth_m: NDArray[np.floating]) -> NDArray[np.float64]:
        """Maps planar depth (H, W) in metres to points (H, W, 3) in the camera frame; inf stays inf or becomes nan."""
        v, u = np.mgrid[: self.height, : self.width]
        x, y = self.rays(u, v)
        return np.stack([x * depth_m, y * depth_m, np.asarray(depth_m, dtype=np.float64)], axis=-1)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values; `distortion` only where there is one."""
        lens = {} if self.distortion is None else {"distortion": list(self.distortion.coefficients)}
        return {
            "name": self.name, "width": self.width, "height": self.height,
            "fx": self.fx, "fy": self.fy, "cx": self.cx, "cy": self.cy,
            "position_m": list(self.world_from_camera.position_m),
            "quaternion_wxyz": list(self.world_from_camera.quaternion_wxyz),
            "near_m": self.near_m, "far_m": self.far_m, **lens,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Camera:
        """Reads what `to_dict` wrote; raises KeyError or ValueError."""
        rest = dict(values)
        w, x, y, z = (float(v) for v in rest.pop("quaternion_wxyz"))
        pose = Pose(vec3(rest.pop("position_m")), (w, x, y, z))
        lens = rest.pop("distortion", None)
        distortion = None if lens is None else Distortion(coefficients=tuple(float(k) for k in lens))
        return cls(world_from_camera=pose, distortion=distortion, **rest)


def focal_px(width: int, horizontal_fov_rad: float) -> float:
    """Returns the focal length in pixels of a pinhole with that horizontal field of view."""
    return width / (2 * math.tan(horizontal_fov_rad / 2))


def look_at(eye_m: NDArray[np.floating], target_m: NDArray[np.floating], roll_rad: float = 0.0) -> Pose:
    """Returns `world_from_camera` (OpenCV axes) looking from `eye_m` to `target_m` with world Z up.

    Raises ValueError where the view is vertical, since the roll is then undefined.
    """
    forward = np.asarray(target_m, dtype=np.float64) - eye_m
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    length = float(np.linalg.norm(right))
    if length < 1e-9:
        raise ValueError("look_at needs a view direction that is not vertical.")
    right /= length
    down = np.cross(forward, right)
    rolled_right = math.cos(roll_rad) * right + math.sin(roll_rad) * down
    rolled_down = math.cos(roll_rad) * down - math.sin(roll_rad) * right
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = np.stack([rolled_right, rolled_down, forward], axis=1)
    world_from_camera[:3, 3] = eye_m
    return Pose.from_matrix(world_from_camera)


def points_in_camera(camera: Camera, points_world: NDArray[np.floating]) -> NDArray[np.float64]:
    """Maps world points (..., 3) to the camera frame."""
    return transform_points(inverse(camera.world_from_camera.matrix()), points_world)
