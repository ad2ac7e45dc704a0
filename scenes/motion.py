"""How a camera and things move through a scene: values that depend on the scene and a length of time alone.

Paths are natural cubic splines through poses, so speed and acceleration never jump. What a push does is physics, and so
is left to a backend; the push itself is a value.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, look_at
from scenes.scene import Scene
from scenes.transforms import Pose, Vec3, vec3

_KEY_EVERY_S = 0.8
_SWING_RAD, _TILT_RAD, _REACH = math.radians(14), math.radians(4), 0.08
_MIN_SPEED_M_S, _MAX_SPEED_M_S = 0.25, 0.7
_PUSHED_SHARE = 0.4
_MAX_TILT_RAD = math.radians(80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A smooth way through poses at rising times in seconds; before the first and after the last it stands still."""

    times_s: tuple[float, ...]
    poses: tuple[Pose, ...]

    def __post_init__(self) -> None:
        if len(self.times_s) != len(self.poses) or not self.poses:
            raise ValueError(f"A path needs as many times as poses, got {len(self.times_s)} and {len(self.poses)}.")
        if any(b <= a for a, b in itertools.pairwise(self.times_s)):
            raise ValueError("A path needs times that rise.")

    def at(self, time_s: float) -> Pose:
        """Returns the pose at a time: exactly the given one at a given time."""
        for given, pose in zip(self.times_s, self.poses, strict=True):
            if time_s == given or len(self.poses) == 1:
                return pose
        if time_s <= self.times_s[0]:
            return self.poses[0]
        if time_s >= self.times_s[-1]:
            return self.poses[-1]
        values = _spline(np.array(self.times_s), _numbers(self.poses), time_s)
        w, x, y, z = (float(v) for v in values[3:] / math.sqrt(float(values[3:] @ values[3:])))
        return Pose(vec3(values[:3]), (w, x, y, z) if w >= 0 else (-w, -x, -y, -z))


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A thing's speed at time 0, in the world: metres and radians per second."""

    body_name: str
    velocity_m_s: Vec3
    angular_velocity_rad_s: Vec3 = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """What moves from time 0 on: one path per camera of the scene (none: they stand), pushes, and things led by hand.

    A body with a path follows it whatever is in its way; a pushed one obeys physics.
    """

    cameras: tuple[Path, ...] = ()
    pushes: tuple[Push, ...] = ()
    bodies: tuple[tuple[str, Path], ...] = ()


def make_motion(scene: Scene, duration_s: float, *, camera: bool, objects: bool) -> Motion:
    """Returns the motion of a settled scene: the same for the same scene and duration, on every machine."""
    rng = _stream(scene)
    rngs = rng.spawn(2)
    return Motion(
        cameras=tuple(camera_path(scene, c, duration_s, rng=rngs[0]) for c in scene.cameras) if camera else (),
        pushes=pushes(scene, rng=rngs[1]) if objects else (),
    )


def camera_path(scene: Scene, camera: Camera, duration_s: float, *, rng: np.random.Generator) -> Path:
    """Returns a path from the camera's own pose on around what it looks at, with small swings up, down, in and out."""
    start = camera.world_from_camera.matrix()
    target = _looked_at(scene, start)
    arm = start[:3, 3] - target
    distance = float(np.linalg.norm(arm))
    azimuth, elevation = math.atan2(arm[1], arm[0]), math.asin(float(np.clip(arm[2] / distance, -1, 1)))
    side = 1.0 if rng.random() < 0.5 else -1.0
    keys = max(2, round(duration_s / _KEY_EVERY_S) + 1)
    roll_rad = _roll(start)
    times, poses = [0.0], [camera.world_from_camera]
    for k in range(1, keys):
        azimuth += side * _SWING_RAD * float(rng.uniform(0.5, 1.0))
        tilt = float(np.clip(elevation + rng.uniform(-_TILT_RAD, _TILT_RAD), -_MAX_TILT_RAD, _MAX_TILT_RAD))
        reach = distance * (1.0 + float(rng.uniform(-_REACH, _REACH)))
        ray = np.array([math.cos(tilt) * math.cos(azimuth), math.cos(tilt) * math.sin(azimuth), math.sin(tilt)])
        times.append(k * max(duration_s, _KEY_EVERY_S) / (keys - 1))
        poses.append(look_at(target + reach * ray, target, roll_rad=roll_rad))
    return Path(times_s=tuple(times), poses=tuple(poses))


def pushes(scene: Scene, *, rng: np.random.Generator) -> tuple[Push, ...]:
    """Returns pushes along the table for some of the dynamic things, at least one where there is any."""
    movable = [body.name for body in scene.bodies if body.dynamic]
    count = min(len(movable), max(1, round(_PUSHED_SHARE * len(movable))))
    chosen = sorted(int(i) for i in rng.choice(len(movable), size=count, replace=False)) if movable else []
    found = []
    for i in chosen:
        speed, heading = float(rng.uniform(_MIN_SPEED_M_S, _MAX_SPEED_M_S)), float(rng.uniform(0, 2 * math.pi))
        velocity = (speed * math.cos(heading), speed * math.sin(heading), 0.0)
        spin = (0.0, 0.0, float(rng.uniform(-3, 3)))
        found.append(Push(body_name=movable[i], velocity_m_s=velocity, angular_velocity_rad_s=spin))
    return tuple(found)


def _stream(scene: Scene) -> np.random.Generator:
    """Returns a stream of the scene's own, whatever suites there are besides."""
    digest = hashlib.sha256(f"{scene.id}/attempt{scene.id.attempt}/motion".encode()).digest()
    return np.random.default_rng(np.random.SeedSequence(int.from_bytes(digest[:16], "little")))


def _looked_at(scene: Scene, world_from_camera: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns where the camera's axis meets the first support's height within its reach, else a point 1 m ahead."""
    eye, forward = world_from_camera[:3, 3], world_from_camera[:3, 2]
    for support in scene.supports:
        drop = support.center_m[2] - eye[2]
        if forward[2] * drop > 0 and 0.1 < drop / forward[2] < 4.0:
            point: NDArray[np.float64] = eye + drop / forward[2] * forward
            if (np.abs(point[:2] - support.center_m[:2]) < np.add(support.half_extent_m, 0.2)).all():
                return point
    ahead: NDArray[np.float64] = eye + forward
    return ahead


def _roll(world_from_camera: NDArray[np.float64]) -> float:
    """Returns the angle by which the camera is turned about its axis from `look_at` without roll."""
    right, down = world_from_camera[:3, 0], world_from_camera[:3, 1]
    return math.atan2(-float(right[2]), -float(down[2])) if abs(float(down[2])) > 1e-9 else 0.0


def _numbers(poses: Sequence[Pose]) -> NDArray[np.float64]:
    """Returns positions and quaternions, float64 (N, 7), each quaternion on the side of the one before."""
    rows = [np.array([*pose.position_m, *pose.quaternion_wxyz]) for pose in poses]
    for before, row in itertools.pairwise(rows):
        if float(before[3:] @ row[3:]) < 0:
            row[3:] *= -1
    return np.array(rows)


def _spline(times: NDArray[np.float64], values: NDArray[np.float64], time: float) -> NDArray[np.float64]:
    """Evaluates the natural cubic spline through values (N, K) by elimination, the same on every machine."""
    n = len(times)
    step, bend = np.diff(times), np.zeros_like(values)
    slope = np.diff(values, axis=0) / step[:, None]
    diagonal = np.zeros(n)
    for i in range(1, n - 1):
        diagonal[i] = 2 * (step[i - 1] + step[i]) - (step[i - 1] ** 2 / diagonal[i - 1] if i > 1 else 0.0)
        bend[i] = 6 * (slope[i] - slope[i - 1]) - (step[i - 1] / diagonal[i - 1] * bend[i - 1] if i > 1 else 0.0)
    for i in range(n - 2, 0, -1):
        bend[i] = (bend[i] - step[i] * bend[i + 1]) / diagonal[i]
    k = int(np.clip(np.searchsorted(times, time) - 1, 0, n - 2))
    a, b, h = (times[k + 1] - time) / step[k], (time - times[k]) / step[k], step[k]
    cubic: NDArray[np.float64] = (
        a * values[k] + b * values[k + 1] + ((a**3 - a) * bend[k] + (b**3 - b) * bend[k + 1]) * h**2 / 6
    )
    return cubic
