"""Motion blur as it happens: where camera and things are at moments of the exposure, and the mean of their light.

Every sub-frame is rendered, so what moves into view behind an edge is the scene's and no guess. The pose, labels and
depth of the frame are those of the middle of the exposure. Rolling shutters are not modelled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.transforms import Pose, inverse
from sim.sensors.photometry import Light, light_from_srgb
from sim.sensors.profile import SensorProfile

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """One time of an exposure: the camera, and where the bodies are that are not where the frame has them."""

    camera: Camera
    world_from_body: Mapping[str, Pose] = field(default_factory=dict)


class Travel(Protocol):
    """The true motion around a frame of a sequence."""

    def at(self, offset_s: float) -> Moment:
        """Returns the moment so many seconds after the middle of the exposure."""
        ...

    def image(self, moment: Moment) -> NDArray[np.uint8]:
        """Renders a moment, uint8 (H, W, 3)."""
        ...


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
    offsets = _offsets_s(float(path_px), profile)
    return tuple(_moved(camera, speed * t, turn * t) if t else camera for t in offsets)


def shutter_moments(
    camera: Camera, profile: SensorProfile, travel: Travel, *, nearest_m: float
) -> tuple[Moment, ...]:
    """Returns the moments of one exposure of a frame of a sequence, as `shutter_cameras` does, along its true motion.

    How far apart they are is judged by the fastest body and the camera together. A profile whose [motion] is 0 has no
    blur here either.
    """
    middle = Moment(camera=camera)
    if profile.motion.linear_m_s == 0 and profile.motion.angular_rad_s == 0:
        return (middle,)
    ends = [travel.at(sign * profile.exposure.time_s / 2) for sign in (-1, 1)]
    relative = inverse(ends[0].camera.world_from_camera.matrix()) @ ends[1].camera.world_from_camera.matrix()
    turn = math.acos(float(np.clip((np.trace(relative[:3, :3]) - 1) / 2, -1, 1)))
    way_m = float(np.linalg.norm(relative[:3, 3])) + _longest_way_m(*(end.world_from_body for end in ends))
    offsets = _offsets_s(camera.fx * (turn + way_m / max(nearest_m, camera.near_m)), profile)
    return tuple(travel.at(t) if t else middle for t in offsets)


def mean_light(moments: Sequence[_T], image: Callable[[_T], NDArray[np.uint8]]) -> Light:
    """Returns the mean of the sub-frames' light, float32 (H, W, 3); `image` renders one camera or moment."""
    if len(moments) == 1:
        return light_from_srgb(image(moments[0]))
    total = light_from_srgb(image(moments[0])).astype(np.float64)
    for moment in moments[1:]:
        total += light_from_srgb(image(moment))
    return (total / len(moments)).astype(np.float32)


def _offsets_s(path_px: float, profile: SensorProfile) -> list[float]:
    """Returns the times of the sub-frames from the middle of the exposure on, an odd number, 0.0 in their middle."""
    if path_px < 0.1:
        return [0.0]
    most = profile.motion.most_samples - 1 + profile.motion.most_samples % 2
    count = min(2 * math.ceil(path_px / 2) + 1, most)
    return [float(t) for t in ((np.arange(count) + 0.5) / count - 0.5) * profile.exposure.time_s]


def _longest_way_m(before: Mapping[str, Pose], after: Mapping[str, Pose]) -> float:
    """Returns how far the fastest body goes."""
    ways = [math.dist(before[name].position_m, after[name].position_m) for name in before.keys() & after.keys()]
    return max(ways, default=0.0)


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
