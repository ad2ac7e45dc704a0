"""The frames of one scene as annotators see them: each with what lies behind it and, in time and space, beside it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scenes.camera import Camera
from scenes.motion import Motion, make_motion
from scenes.scene import Scene
from scenes.transforms import Pose, transform_points, vec3
from sim._travel import Journey
from sim.annotators.view import Sighting, View
from sim.backend import Backend
from sim.capture import Capture
from sim.frame import Frame
from sim.layers import Layers
from sim.sensors.apply import apply_sensor, image_of, sensor_camera
from sim.sensors.profile import IDEAL, SensorProfile


def record(
    backend: Backend,
    scene: Scene,
    capture: Capture,
    size: tuple[int, int],
    numbers: range,
    sensor: SensorProfile = IDEAL,
    views: Sequence[int] | None = None,
) -> Iterator[View]:
    """Yields the views of a scene that the backend holds, settled, one for each of `numbers`.

    `views` are the places of the cameras to go through, None for all in order; for each they go through its moments, for
    each through its eyes. The backend then holds the scene as it stood last.
    """
    recording = Recording.of(backend, scene, capture, size, sensor)
    eyes = len(capture.eyes)
    number = numbers.start
    places = range(len(scene.cameras)) if views is None else views
    for view in places[: len(numbers) // capture.frames_per_view]:
        moments = (recording.moment(view, k) for k in range(capture.sequence))
        for before, now, after in _with_neighbours(moments):
            for eye in range(eyes):
                # A pair has one number: BasicWriter counts moments, its folders tell the eyes apart.
                yield now.view(eye, number // eyes, before, after)
                number += 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Moment:
    """What all eyes of one camera saw at one time."""

    scene: Scene
    seen: tuple[tuple[Frame, Layers], ...]

    def sighting(self, eye: int) -> Sighting:
        return Sighting(frame=self.seen[eye][0], scene=self.scene)

    def view(self, eye: int, number: int, before: _Moment | None, after: _Moment | None) -> View:
        frame, layers = self.seen[eye]
        return View(
            frame=frame, scene=self.scene, layers=layers, number=number,
            before=before.sighting(eye) if before else None,
            after=after.sighting(eye) if after else None,
            other_eye=self.sighting(1 - eye) if len(self.seen) == 2 else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """A recording of a settled scene: what moves, when its frames are, and where the moved bodies stand in each."""

    backend: Backend
    scene: Scene
    capture: Capture
    size: tuple[int, int]
    sensor: SensorProfile
    motion: Motion
    times_s: tuple[float, ...]
    stands: tuple[dict[str, Pose], ...]

    @classmethod
    def of(
        cls, backend: Backend, scene: Scene, capture: Capture, size: tuple[int, int], sensor: SensorProfile = IDEAL
    ) -> Recording:
        """Finds out what moves, by the physics of the backend, which holds the scene at rest."""
        times = [k / capture.rate_hz for k in range(capture.sequence)]
        motion = motion_of(scene, capture)
        return cls(
            backend=backend, scene=scene, capture=capture, size=size, sensor=sensor, motion=motion, times_s=tuple(times),
            stands=tuple(_stands(backend, motion, times)),
        )  # fmt: skip

    def names(self, view: int, k: int) -> list[str]:
        """Returns the names of the frames of all eyes at moment `k` of a camera."""
        # All that tells frames of one scene apart stays behind the last slash: what stands before it names the scene.
        moment = f"{k:04d}" if self.capture.sequence > 1 else ""
        parts = ((self.scene.cameras[view].name, moment, eye) for eye in self.capture.eyes)
        return [f"{self.scene.id}/{'-'.join(p for p in some if p)}" for some in parts]

    def camera(self, view: int, k: int, eye: str) -> Camera:
        """Returns the camera of a frame, with the sensor's lens."""
        camera = _camera_at(self.scene, self.motion, view, self.times_s[k]).resized(*self.size)
        return sensor_camera(self._eye(eye, camera), self.sensor)

    def scene_at(self, k: int) -> Scene:
        """Returns the scene as it stands at moment `k`."""
        return self.scene.with_poses(self.stands[k]) if self.stands[k] else self.scene

    def moment(self, view: int, k: int, *, sensed: bool = True) -> _Moment:
        """Renders all eyes of a camera at moment `k`; not `sensed`, the pictures are as the lens draws them."""
        stand = self.stands[k]
        if stand:
            self.backend.place(stand)
        seen = []
        for eye, name in zip(self.capture.eyes, self.names(view, k), strict=True):
            camera = self.camera(view, k, eye)
            frame = replace(self.backend.render(camera), name=name, time_s=self.times_s[k])
            layers = self.backend.layers(camera)
            if sensed and not self.sensor.is_ideal:
                frame = self._sensed(frame, view, k, eye)
                if stand:
                    self.backend.place(stand)
            seen.append((frame, layers))
        return _Moment(scene=self.scene_at(k), seen=tuple(seen))

    def one(self, view: int, k: int, eye: int, number: int) -> View:
        """Returns one view by itself, the same as `record` yields it; of those beside it only the truth is made."""
        moments = range(self.capture.sequence)
        before, after = (
            self.moment(view, n, sensed=False) if n in moments else None for n in (k - 1, k + 1)
        )
        return self.moment(view, k).view(eye, number, before, after)

    def _sensed(self, frame: Frame, view: int, k: int, eye: str) -> Frame:
        journey = None
        if self.capture.sequence > 1:
            beside = [self.stands[n] if 0 <= n < len(self.stands) else None for n in (k - 1, k + 1)]
            journey = Journey(
                backend=self.backend, camera=frame.camera, eye=functools.partial(self._eye, eye),
                path=self.motion.cameras[view] if self.motion.cameras else None, time_s=self.times_s[k],
                period_s=1 / self.capture.rate_hz, before=beside[0], now=self.stands[k], after=beside[1],
            )  # fmt: skip
        device = eye if eye == "right" else ""
        image = image_of(self.backend)
        scene = self.scene
        return apply_sensor(frame, self.sensor, scene=scene, image=image, travel=journey, device=device)

    def _eye(self, eye: str, camera: Camera) -> Camera:
        return _eye(camera, eye, self.capture.stereo_m or 0.0)


def motion_of(scene: Scene, capture: Capture) -> Motion:
    """Returns what moves in the recording of a settled scene; nothing does in a still."""
    if capture.sequence == 1:
        return Motion()
    duration_s = (capture.sequence - 1) / capture.rate_hz
    what = capture.motion
    return make_motion(scene, duration_s, camera=what in {"camera", "both"}, objects=what in {"objects", "both"})


def _stands(backend: Backend, motion: Motion, times: list[float]) -> list[dict[str, Pose]]:
    """Returns where every moved body is at every time."""
    stands: list[dict[str, Pose]] = [{} for _ in times]
    if motion.pushes:
        stands = [dict(poses) for poses in backend.play(motion.pushes, times)]
    for name, path in motion.bodies:
        for stand, time in zip(stands, times, strict=True):
            stand[name] = path.at(time)
    return stands


def _camera_at(scene: Scene, motion: Motion, view: int, time_s: float) -> Camera:
    camera = scene.cameras[view]
    return replace(camera, world_from_camera=motion.cameras[view].at(time_s)) if motion.cameras else camera


def _eye(camera: Camera, eye: str, baseline_m: float) -> Camera:
    """Returns the left eye, which is the camera itself, or the right one, a baseline further along its x axis."""
    if not eye:
        return camera
    pose = camera.world_from_camera
    if eye == "right":
        pose = replace(pose, position_m=vec3(transform_points(pose.matrix(), np.array([baseline_m, 0.0, 0.0]))))
    return replace(camera, name=f"{camera.name}_{eye}", world_from_camera=pose)


def _with_neighbours(moments: Iterator[_Moment]) -> Iterator[tuple[_Moment | None, _Moment, _Moment | None]]:
    """Yields each with the one before and the one after; three are in memory at a time."""
    before: _Moment | None = None
    now = next(moments, None)
    while now is not None:
        after = next(moments, None)
        yield before, now, after
        before, now = now, after
