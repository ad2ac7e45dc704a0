"""Cameras and lights of a stage: USD axes and apertures for the pinholes, photometric units for the lights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from scenes._usd_bodies import set_pose
from scenes._usd_looks import write_texture
from scenes.camera import Camera
from scenes.errors import StageError
from scenes.scene import Light, Scene
from scenes.transforms import Pose, multiply, quaternion_from_rotation

# Full light (1.0) on a white wall gives 1000 nits, about what Isaac Sim's default exposure shows as white.
NITS_OF_WHITE = 1000.0
APERTURE = 20.955  # tenths of a metre by USD's rule; only its ratio to the focal length matters
LAMP_RADIUS_M = 0.05
RESOLUTION_ATTRIBUTE = "rehearse:resolution"
_HALF_TURN_ABOUT_X = (0.0, 1.0, 0.0, 0.0)  # OpenCV axes (y down, z forward) <-> USD axes (y up, z backward)


def define_camera(stage: Any, camera: Camera) -> None:
    """Writes /World/Cameras/<name>; raises StageError for a camera that renderers of USD cannot draw."""
    from pxr import Gf, Sdf, UsdGeom

    centred = abs(camera.cx - (camera.width - 1) / 2) < 1e-6 and abs(camera.cy - (camera.height - 1) / 2) < 1e-6
    if not centred or not math.isclose(camera.fx, camera.fy, rel_tol=1e-9):
        raise StageError(
            f"Camera {camera.name!r} needs square pixels and a centred principal point to be written to a stage, "
            f"got fx {camera.fx}, fy {camera.fy}, cx {camera.cx}, cy {camera.cy}."
        )
    prim = UsdGeom.Camera.Define(stage, f"/World/Cameras/{camera.name}")
    pose = camera.world_from_camera
    set_pose(prim, Pose(pose.position_m, multiply(pose.quaternion_wxyz, _HALF_TURN_ABOUT_X)))
    prim.CreateProjectionAttr(UsdGeom.Tokens.perspective)
    prim.CreateFocalLengthAttr(camera.fx * APERTURE / camera.width)
    prim.CreateHorizontalApertureAttr(APERTURE)
    prim.CreateVerticalApertureAttr(APERTURE * camera.height / camera.width)
    prim.CreateClippingRangeAttr(Gf.Vec2f(camera.near_m, camera.far_m))
    prim.CreateFStopAttr(0.0)
    resolution = prim.GetPrim().CreateAttribute(RESOLUTION_ATTRIBUTE, Sdf.ValueTypeNames.Int2, custom=True)
    resolution.Set(Gf.Vec2i(camera.width, camera.height))


def define_lights(stage: Any, scene: Scene, folder: Path) -> None:
    """Writes /World/Lights: suns and lamps, and a dome light for the scene's dome or, without one, its ambient light."""
    from pxr import Gf, UsdLux

    _define_dome(stage, scene, folder)
    target_m = np.mean([s.center_m for s in scene.supports], axis=0) if scene.supports else np.zeros(3)
    for i, light in enumerate(scene.lights):
        path = f"/World/Lights/{light.kind.capitalize()}_{i}"
        prim = _define_sun(stage, path, light) if light.kind == "sun" else _define_lamp(stage, path, light, target_m)
        prim.CreateColorAttr(Gf.Vec3f(*light.colour))
        UsdLux.ShadowAPI.Apply(prim.GetPrim()).CreateShadowEnableAttr(light.casts_shadow)


def _define_dome(stage: Any, scene: Scene, folder: Path) -> None:
    from pxr import Gf, Sdf, UsdLux

    light = UsdLux.DomeLight.Define(stage, "/World/Lights/Ambient")
    if scene.dome is None:
        light.CreateColorAttr(Gf.Vec3f(*scene.ambient))
        light.CreateIntensityAttr(NITS_OF_WHITE)
        return
    light.CreateTextureFileAttr(Sdf.AssetPath(write_texture(scene.dome.image, folder)))
    light.CreateTextureFormatAttr(UsdLux.Tokens.latlong)
    light.CreateIntensityAttr(NITS_OF_WHITE * scene.dome.intensity)
    light.OrientToStageUpAxis()


def _define_sun(stage: Any, path: str, light: Light) -> Any:
    from pxr import UsdLux

    sun = UsdLux.DistantLight.Define(stage, path)
    set_pose(sun, Pose((0.0, 0.0, 0.0), _rotation_to(light.direction)))
    sun.CreateNormalizeAttr(True)  # then the intensity is the illuminance, whatever the angle
    sun.CreateIntensityAttr(math.pi * NITS_OF_WHITE * light.intensity)
    return sun


def _define_lamp(stage: Any, path: str, light: Light, target_m: Any) -> Any:
    from pxr import Gf, UsdLux

    lamp = UsdLux.SphereLight.Define(stage, path)
    set_pose(lamp, Pose(light.position_m))
    distance_m = max(float(np.linalg.norm(np.asarray(light.position_m) - target_m)), LAMP_RADIUS_M)
    lamp.CreateRadiusAttr(LAMP_RADIUS_M)
    lamp.CreateExtentAttr([Gf.Vec3f(-LAMP_RADIUS_M), Gf.Vec3f(LAMP_RADIUS_M)])
    # A sphere of luminance L and radius r gives an illuminance of pi L r^2 / d^2: as much as such a sun at the support.
    lamp.CreateIntensityAttr(NITS_OF_WHITE * light.intensity * (distance_m / LAMP_RADIUS_M) ** 2)
    return lamp


def _rotation_to(direction: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Returns a rotation whose -Z axis points along `direction`."""
    back = -np.asarray(direction, dtype=np.float64)
    back /= np.linalg.norm(back)
    side = np.cross([0.0, 0.0, 1.0] if abs(back[2]) < 0.9 else [1.0, 0.0, 0.0], back)
    side /= np.linalg.norm(side)
    return quaternion_from_rotation(np.stack([side, np.cross(back, side), back], axis=1))
