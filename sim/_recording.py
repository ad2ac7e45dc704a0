"""The frames of one scene as annotators see them: each with what lies behind it and, in time and space, beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scenes.camera import Camera
from scenes.motion import Motion, make_motion
from scenes.scene import Scene
from scenes.transforms import Pose, transform_points, vec3
from sim.annotators.view import Sighting, View
from sim.backend import Backend
from sim.capture import Capture
from sim.frame import Frame
from sim.layers import Layers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Moment:
    """What all eyes of one camera saw at one time."""

    scene: Scene
    seen: tuple[tuple[Frame, Layers], ...]

    def sighting(self, eye: int) -> Sighting:
        return Sighting(frame=self.seen[eye][0], scene=self.scene)


def record(
    backend: Backend,
    scene: Scene,
    capture: Capture,
    size: tuple[int, int],
    numbers: range,
    views: Sequence[int] | None = None,
) -> Iterator[View]:
    """Yields the views of a scene that the backend holds, settled, one for each of `numbers`.

    `views` are the places of the cameras to go through, None for all in order.

    They go through the cameras, for each through its moments, for each through its eyes; the backend then holds the
    scene as it stood last.
    """
    eyes = len(capture.eyes)
    times = [k / capture.rate_hz for k in range(capture.sequence)]
    motion = motion_of(scene, capture)
    stands = _stands(backend, motion, times)
    number = numbers.start
    places = range(len(scene.cameras)) if views is None else views
    for view in places[: len(numbers) // capture.frames_per_view]:
        cameras = [_camera_at(scene, motion, view, time).resized(*size) for time in times]
        moments = (
            _look(backend, scene, stands[k], cameras[k], capture, (view, k, times[k])) for k in range(capture.sequence)
        )
        for before, now, after in _with_neighbours(moments):
            for eye in range(eyes):
                frame, layers = now.seen[eye]
                yield View(
                    frame=frame, scene=now.scene, layers=layers,
                    # A pair has one number: BasicWriter counts moments, its folders tell the eyes apart.
                    number=number // eyes,
                    before=before.sighting(eye) if before else None,
                    after=after.sighting(eye) if after else None,
                    other_eye=now.sighting(1 - eye) if eyes == 2 else None,
                )  # fmt: skip
                number += 1


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


def _look(
    backend: Backend, scene: Scene, stand: dict[str, Pose], camera: Camera, capture: Capture, at: tuple[int, int, float]
) -> _Moment:
    view, k, time_s = at
    if stand:
        backend.place(stand)
    seen = []
    for eye in capture.eyes:
        mine = _eye(camera, eye, capture.stereo_m or 0.0)
        # All that tells frames of one scene apart stays behind the last slash: what stands before it names the scene.
        parts = [scene.cameras[view].name, f"{k:04d}" if capture.sequence > 1 else "", eye]
        frame = replace(backend.render(mine), name=f"{scene.id}/{'-'.join(p for p in parts if p)}", time_s=time_s)
        seen.append((frame, backend.layers(mine)))
    return _Moment(scene=scene.with_poses(stand) if stand else scene, seen=tuple(seen))


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
