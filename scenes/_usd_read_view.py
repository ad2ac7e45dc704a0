"""Cameras and lights of a foreign stage, with a view and a sun of our own where it has none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes._usd_read_dome import read_dome
from scenes._usd_view import LAMP_RADIUS_M, NITS_OF_WHITE, RESOLUTION_ATTRIBUTE
from scenes.camera import Camera, focal_px, look_at
from scenes.dome import Dome
from scenes.scene import Light
from scenes.transforms import Pose, Vec3, vec3

Floats = NDArray[np.float64]
_CV_FROM_USD = np.diag([1.0, -1.0, -1.0, 1.0])
_STRONGEST = 1.5
_SUN = Light(name="sun", kind="sun", position_m=(0, 0, 3), direction=(0.3, 0.4, -0.86), colour=(1, 1, 1), intensity=0.7)


def read_cameras(
    stage: Any, world_from_stage: Floats, size: tuple[int, int], bounds: tuple[Floats, Floats], notes: list[str]
) -> tuple[Camera, ...]:
    """Reads every perspective camera; without any, one looks at the whole from a corner above, and a note says so."""
    from pxr import Usd, UsdGeom

    cameras = []
    for prim in Usd.PrimRange(stage.GetPseudoRoot()):
        if prim.IsA(UsdGeom.Camera):
            cameras.append(_camera(prim, world_from_stage, size, f"{prim.GetName()}"))
    if not cameras:
        notes.append("The stage has no camera: one looks at all of it from a corner above.")
        cameras = [_overview(bounds, size)]
    return tuple(cameras)


def _camera(prim: Any, world_from_stage: Floats, size: tuple[int, int], name: str) -> Camera:
    from pxr import UsdGeom

    camera = UsdGeom.Camera(prim)
    stated = prim.GetAttribute(RESOLUTION_ATTRIBUTE).Get() if prim.HasAttribute(RESOLUTION_ATTRIBUTE) else None
    width, height = (int(v) for v in stated) if stated is not None else size
    focal = float(camera.GetFocalLengthAttr().Get()) * width / float(camera.GetHorizontalApertureAttr().Get())
    stage_from_camera = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim), dtype=np.float64).T
    world_from_camera = world_from_stage @ stage_from_camera @ _CV_FROM_USD
    scale = float(np.cbrt(np.linalg.det(world_from_stage[:3, :3])))
    world_from_camera[:3, :3] /= np.linalg.norm(world_from_camera[:3, :3], axis=0)
    near, far = (float(v) * scale for v in camera.GetClippingRangeAttr().Get())
    return Camera(
        name=name, width=width, height=height, fx=focal, fy=focal, cx=(width - 1) / 2, cy=(height - 1) / 2,
        world_from_camera=Pose.from_matrix(world_from_camera), near_m=max(near, 0.01), far_m=min(far, 1000.0),
    )  # fmt: skip


def _overview(bounds: tuple[Floats, Floats], size: tuple[int, int]) -> Camera:
    low, high = bounds
    middle, reach = (low + high) / 2, max(float(np.linalg.norm(high - low)), 0.1)
    eye = middle + 1.35 * reach * np.array([0.62, -0.62, 0.48])
    focal = focal_px(size[0], math.radians(60))
    return Camera(
        name="overview", width=size[0], height=size[1], fx=focal, fy=focal, cx=(size[0] - 1) / 2, cy=(size[1] - 1) / 2,
        world_from_camera=look_at(eye, middle), near_m=0.02, far_m=max(20.0, 4 * reach),
    )  # fmt: skip


def read_lights(
    stage: Any, world_from_stage: Floats, notes: list[str]
) -> tuple[tuple[Light, ...], Vec3, Dome | None]:
    """Reads suns and lamps at about their strength on screen, the light of domes and the picture of the first that has one.

    A sun is used where there is no light.
    """
    from pxr import Usd, UsdLux

    lights: list[Light] = []
    ambient: Vec3 = (0.0, 0.0, 0.0)
    dome = None
    for prim in Usd.PrimRange(stage.GetPseudoRoot()):
        if prim.IsA(UsdLux.DomeLight):
            picture, colour = read_dome(prim, world_from_stage, notes)
            dome = dome or picture
            ambient = vec3(np.clip(np.add(ambient, colour), 0, 1))
        elif prim.IsA(UsdLux.DistantLight):
            lights.append(_sun(prim, world_from_stage))
        elif prim.IsA(UsdLux.SphereLight):
            lights.append(_lamp(prim, world_from_stage))
        elif prim.HasAPI(UsdLux.LightAPI):
            notes.append(f"{prim.GetPath()} is a {prim.GetTypeName()}, which is not read: it gives no light.")
    if not lights and not any(ambient):
        notes.append("The stage has no light that is read: a sun and ambient light are used.")
        return (_SUN,), (0.4, 0.4, 0.4), dome
    return tuple(lights), ambient, dome


def _axes(prim: Any, world_from_stage: Floats) -> Floats:
    from pxr import UsdGeom

    return world_from_stage @ np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim), dtype=np.float64).T


def _sun(prim: Any, world_from_stage: Floats) -> Light:
    from pxr import UsdLux

    sun = UsdLux.DistantLight(prim)
    back = _axes(prim, world_from_stage)[:3, 2]
    direction = vec3(-back / np.linalg.norm(back))
    position = vec3(-2.5 * np.asarray(direction) + [0, 0, 0.75])
    intensity = min(float(sun.GetIntensityAttr().Get()) / (math.pi * NITS_OF_WHITE), _STRONGEST)
    return Light(
        name=prim.GetName(), kind="sun", position_m=position, direction=direction,
        colour=vec3(sun.GetColorAttr().Get()), intensity=intensity, casts_shadow=_shadow(prim),
    )  # fmt: skip


def _lamp(prim: Any, world_from_stage: Floats) -> Light:
    """Reads a lamp that shines down: at its height it is as strong as a sun of the same illuminance below it."""
    from pxr import UsdLux

    lamp = UsdLux.SphereLight(prim)
    position = _axes(prim, world_from_stage)[:3, 3]
    scale = float(np.cbrt(np.linalg.det(world_from_stage[:3, :3])))
    radius_m = max(float(lamp.GetRadiusAttr().Get()) * scale, LAMP_RADIUS_M / 10)
    distance_m = max(float(np.linalg.norm(position - [0, 0, 0.75])), radius_m)
    intensity = float(lamp.GetIntensityAttr().Get()) / NITS_OF_WHITE * (radius_m / distance_m) ** 2
    aim = np.array([0, 0, 0.75]) - position
    direction = vec3(aim / np.linalg.norm(aim)) if np.linalg.norm(aim) > 1e-6 else (0.0, 0.0, -1.0)
    return Light(
        name=prim.GetName(), kind="lamp", position_m=vec3(position), direction=direction,
        colour=vec3(lamp.GetColorAttr().Get()), intensity=min(intensity, _STRONGEST), casts_shadow=_shadow(prim),
    )  # fmt: skip


def _shadow(prim: Any) -> bool:
    from pxr import UsdLux

    if not prim.HasAPI(UsdLux.ShadowAPI):
        return True
    return bool(UsdLux.ShadowAPI(prim).GetShadowEnableAttr().Get())
