"""Motion blur as it happens: the camera's pose at moments of the exposure, and the mean of their light.

Every sub-frame is rendered, so what moves into view behind an edge is the scene's and no guess. The pose, labels and
depth of the frame are those of the middle of the exposure. Rolling shutters are not modelled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.transforms import Pose
from sim.sensors.photometry import Light, light_from_srgb
from sim.sensors.profile import SensorProfile


def shutter_cameras(
    camera: Camera, profile: SensorProfile, *, nearest_m: float, rng: np.random.Generator
) -> tuple[Camera, ...]:
    """Returns the cameras of the sub-frames of one exposure, an odd number, evenly in time, the middle one `camera`.

    Velocity and angular velocity are drawn once, isotropic and normal with the profile's root mean square, and constant
    over the exposure. Neighbouring sub-frames are about a pixel apart at `nearest_m`, up to the profile's `most_samples`.
    """
    speed = profile.motion.linear_m_s / math.sqrt(3) * rng.standard_normal(3)
    turn = profile.motion.angular_rad_s / math.sqrt(3) * rng.standard_normal(3)
    time_s = profile.exposure.time_s
    path_px = time_s * camera.fx * (np.linalg.norm(turn) + np.linalg.norm(speed) / max(nearest_m, camera.near_m))
    if path_px < 0.1:
        return (camera,)
    most = profile.motion.most_samples - 1 + profile.motion.most_samples % 2
    count = min(2 * math.ceil(float(path_px) / 2) + 1, most)
    moments = ((np.arange(count) + 0.5) / count - 0.5) * time_s
    return tuple(_moved(camera, speed * t, turn * t) if t else camera for t in moments)


def mean_light(cameras: Sequence[Camera], image: Callable[[Camera], NDArray[np.uint8]]) -> Light:
    """Returns the mean of the sub-frames' light, float32 (H, W, 3); `image` renders one camera."""
    total = light_from_srgb(image(cameras[0])).astype(np.float64)
    for camera in cameras[1:]:
        total += light_from_srgb(image(camera))
    return (total / len(cameras)).astype(np.float32)


def _moved(camera: Camera, shift_camera_m: NDArray[np.float64], turn_camera_rad: NDArray[np.float64]) -> Camera:
    """Returns the camera shifted and turned in its own frame."""
    angle = float(np.linalg.norm(turn_camera_rad))
    camera_from_moved = np.eye(4)
    if angle > 0:
        x, y, z = turn_camera_rad / angle
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        camera_from_moved[:3, :3] += math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
    camera_from_moved[:3, 3] = shift_camera_m
    world_from_moved = camera.world_from_camera.matrix() @ camera_from_moved
    return replace(camera, world_from_camera=Pose.from_matrix(world_from_moved))
