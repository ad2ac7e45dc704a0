"""A profile on a frame: the camera with its lens is rendered, its light is gathered, its picture developed, depth read.

Truth is rendered through the same lens and never touched afterwards; what the sensor adds stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, focal_px
from scenes.distortion import Distortion
from scenes.scene import Scene
from sim.backend import Backend
from sim.frame import Frame, Sensed
from sim.sensors.depth import read_depth
from sim.sensors.motion import Travel, mean_light, shutter_cameras, shutter_moments
from sim.sensors.photometry import (
    Light,
    blurred,
    developed,
    falloff,
    light_from_raw,
    light_from_srgb,
    raw_numbers,
)
from sim.sensors.profile import ColourSpec, ExposureSpec, LensSpec, SensorProfile
from sim.sensors.randomness import stream

RenderImage = Callable[[Camera], NDArray[np.uint8]]


def sense(backend: Backend, scene: Scene, camera: Camera, profile: SensorProfile, *, name: str) -> Frame:
    """Returns the frame that the profile's camera takes where `camera` stands, from a backend that holds `scene`."""
    frame = replace(backend.render(sensor_camera(camera, profile)), name=name)
    if profile.is_ideal:
        return frame
    return apply_sensor(frame, profile, scene=scene, image=image_of(backend))


def sensor_camera(camera: Camera, profile: SensorProfile) -> Camera:
    """Returns the camera with the profile's field of view, principal point and distortion; square pixels."""
    lens = profile.lens
    fov_deg = lens.horizontal_fov_deg
    focal = None if fov_deg is None else focal_px(camera.width, math.radians(fov_deg))
    right, down = (share * camera.width for share in lens.principal_point)
    distorts = any(lens.distortion)
    return replace(
        camera,
        fx=focal or camera.fx,
        fy=focal or camera.fy,
        cx=camera.cx + right,
        cy=camera.cy + down,
        distortion=Distortion(coefficients=lens.distortion) if distorts else None,
    )


def apply_sensor(
    frame: Frame,
    profile: SensorProfile,
    *,
    scene: Scene | None,
    image: RenderImage,
    travel: Travel | None = None,
    device: str = "",
) -> Frame:
    """Returns the frame as the profile's camera gives it; the frame was rendered by `sensor_camera`.

    `image` renders a camera of a sub-frame, for motion blur; `travel` is the true motion where the frame is of a sequence,
    and takes the place of a drawn one; `scene` tells the materials, for depth. The noise is a function of the frame's name
    and time and of nothing else, its fixed pattern of the profile's name, the image size and the `device`, such as right
    for the second camera of a pair. The ideal picture stays in `sensed.rgb_ideal` where the profile changes it.
    """
    key = (frame.name, f"{frame.time_s:.9f}")
    degrades = _degrades(profile)
    rgb = frame.rgb
    if degrades:
        rgb = _picture(frame.camera, profile, _gathered(frame, profile, image, travel, key), key, device)
    depth_m = None
    if profile.depth is not None:
        depth_m = read_depth(
            frame.truth,
            frame.camera,
            profile.depth,
            light=_brightness(light_from_srgb(frame.rgb)),
            shine=_shine(scene, int(frame.truth.instance.max(initial=0))),
            native_width_px=profile.native_width_px,
            key=key,
        ).depth_m
    return replace(frame, rgb=rgb, sensed=Sensed(rgb_ideal=frame.rgb if degrades else None, depth_m=depth_m))


def _picture(
    camera: Camera, profile: SensorProfile, gathered: Light, key: tuple[object, ...], device: str
) -> NDArray[np.uint8]:
    scale = 1.0 if profile.native_width_px is None else camera.width / profile.native_width_px
    light = blurred(gathered, profile.lens.blur_px * scale)
    light = light * falloff(camera, profile.lens)[..., None]
    if profile.noise.enabled:
        unit = f"{profile.name}/{camera.width}x{camera.height}" + (f"/{device}" if device else "")
        numbers = raw_numbers(
            light, profile.exposure, profile.noise, profile.colour, rng=stream(*key, "picture"), unit=unit
        )
        light = light_from_raw(numbers, profile.noise, profile.colour)
    else:
        light = light * np.float32(2.0**profile.exposure.stops * 10 ** (profile.exposure.gain_db / 20))
    return developed(light, profile.colour)


def _gathered(
    frame: Frame, profile: SensorProfile, image: RenderImage, travel: Travel | None, key: tuple[object, ...]
) -> Light:
    depth_m = frame.truth.depth_m
    nearest_m = float(depth_m.min(initial=np.inf, where=np.isfinite(depth_m)))
    if travel is not None:
        moments = shutter_moments(frame.camera, profile, travel, nearest_m=nearest_m)
        return mean_light(moments, lambda m: frame.rgb if m.camera is frame.camera else travel.image(m))
    cameras = shutter_cameras(frame.camera, profile, nearest_m=nearest_m, rng=stream(*key, "motion"))
    return mean_light(cameras, lambda camera: frame.rgb if camera is frame.camera else image(camera))


def _degrades(profile: SensorProfile) -> bool:
    """Whether the picture of a frame differs from the one that is rendered through the same lens."""
    blurs = profile.motion.linear_m_s > 0 or profile.motion.angular_rad_s > 0
    light = replace(profile.exposure, time_s=ExposureSpec().time_s) != ExposureSpec()
    optics = replace(profile.lens, horizontal_fov_deg=None, principal_point=(0.0, 0.0), distortion=()) != LensSpec()
    return profile.noise.enabled or profile.colour != ColourSpec() or light or optics or blurs


def _brightness(light: Light) -> NDArray[np.float32]:
    return np.asarray(light @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32))


def _shine(scene: Scene | None, most: int) -> NDArray[np.float32]:
    """Returns metallic times (1 - roughness) of every instance, the mean over its parts by their triangles' area."""
    things = () if scene is None else scene.things
    shine = np.zeros(max(most, len(things)) + 1, dtype=np.float32)
    for k, body in enumerate(things, start=1):
        area = np.zeros(len(body.parts))
        for i, part in enumerate(body.parts):
            a, b, c = (part.mesh.vertices[part.mesh.faces[:, corner]] for corner in range(3))
            area[i] = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
        polish = [p.material.metallic * (1 - p.material.roughness) for p in body.parts]
        shine[k] = float(area @ polish / area.sum()) if area.sum() > 0 else 0.0
    return shine


def image_of(backend: Backend) -> RenderImage:
    """Returns how a backend draws an image alone; by a whole frame where it knows no shorter way."""
    image: RenderImage | None = getattr(backend, "image", None)
    return image if image is not None else lambda camera: backend.render(camera).rgb
