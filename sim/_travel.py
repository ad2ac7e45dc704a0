"""The true motion around a frame of a sequence: the camera along its path, things straight from one frame's pose to the next."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.motion import Path
from scenes.transforms import Pose, Quaternion, inverse, multiply, quaternion_about, vec3
from sim.backend import Backend
from sim.sensors.apply import image_of
from sim.sensors.motion import Moment

Stand = Mapping[str, Pose]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Journey:
    """What moves around the frame of `camera` at `time_s`; satisfies `sim.sensors.motion.Travel`.

    `path` is the scene camera's, None where it stands; `eye` maps that camera to the one of the frame. `before`, `now`
    and `after` are where the moved bodies stand in this frame and in those beside it, `period_s` apart, None where there
    is none: before the first frame and after the last, motion goes on as it is within the sequence.
    """

    backend: Backend
    camera: Camera
    path: Path | None
    eye: Callable[[Camera], Camera]
    time_s: float
    period_s: float
    before: Stand | None
    now: Stand
    after: Stand | None

    def at(self, offset_s: float) -> Moment:
        """Returns the moment so many seconds after the frame's, within a period of it."""
        camera = self.camera
        if self.path is not None:
            there = self.eye(replace(camera, world_from_camera=_along(self.path, self.time_s, offset_s)))
            camera = replace(camera, world_from_camera=there.world_from_camera)
        return Moment(camera=replace(camera), world_from_body=self._bodies(offset_s))

    def image(self, moment: Moment) -> NDArray[np.uint8]:
        """Renders a moment, uint8 (H, W, 3); the bodies then stand as in that moment."""
        if moment.world_from_body:
            self.backend.place(moment.world_from_body)
        return image_of(self.backend)(moment.camera)

    def _bodies(self, offset_s: float) -> Stand:
        ahead, behind = (self.after, self.before) if offset_s >= 0 else (self.before, self.after)
        share = abs(offset_s) / self.period_s
        towards, share = (ahead, share) if ahead is not None else (behind, -share)
        if towards is None:
            return {}
        moved = {name for name, pose in self.now.items() if any(s is not None and s[name] != pose for s in (ahead, behind))}
        return {name: between(self.now[name], towards[name], share) for name in sorted(moved)}


def between(start: Pose, end: Pose, share: float) -> Pose:
    """Returns the pose that share of the way from start to end, at constant speed and turn; below 0 or above 1 it goes on."""
    position = np.add(start.position_m, share * np.subtract(end.position_m, start.position_m))
    w, x, y, z = start.quaternion_wxyz
    turn = multiply(end.quaternion_wxyz, (w, -x, -y, -z))
    turn = turn if turn[0] >= 0 else (-turn[0], -turn[1], -turn[2], -turn[3])
    sine = math.hypot(*turn[1:])
    quaternion: Quaternion = start.quaternion_wxyz
    if sine > 1e-12:
        angle = 2 * math.atan2(sine, turn[0])
        quaternion = multiply(quaternion_about([v / sine for v in turn[1:]], share * angle), quaternion)
    return Pose(vec3(position), quaternion)


def _along(path: Path, time_s: float, offset_s: float) -> Pose:
    """Returns the path's pose; beyond its ends what it was on the other side of the time, mirrored."""
    if path.times_s[0] <= time_s + offset_s <= path.times_s[-1]:
        return path.at(time_s + offset_s)
    here = path.at(time_s).matrix()
    here_from_opposite = inverse(here) @ path.at(time_s - offset_s).matrix()
    return Pose.from_matrix(here @ inverse(here_from_opposite))
