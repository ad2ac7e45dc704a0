"""The dome of a foreign stage, turned so that its picture is a Dome's: row 0 at the zenith, azimuth from +x."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes._usd_read_looks import read_texture
from scenes._usd_view import NITS_OF_WHITE
from scenes.dome import Dome, directions, seen
from scenes.transforms import Vec3, vec3

Floats = NDArray[np.float64]
MOST_ROWS = 512
# A dome light's frame has its pole at +y; a Dome's at +z. The images agree where one is turned into the other about x.
_LIGHT_FROM_DOME = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def read_dome(prim: Any, world_from_stage: Floats, notes: list[str]) -> tuple[Dome | None, Vec3]:
    """Returns the picture of a dome light, None without one that is read, and its ambient light, linear.

    The picture must be latlong and of 8 bits; of another one a note says that only the light's colour is used.
    """
    from pxr import UsdLux

    light = UsdLux.DomeLight(prim)
    level = float(light.GetIntensityAttr().Get()) / NITS_OF_WHITE * 2.0 ** float(light.GetExposureAttr().Get() or 0.0)
    colour = level * np.array(light.GetColorAttr().Get(), dtype=np.float64)
    asset = light.GetTextureFileAttr().Get()
    if asset is None or not asset.path:
        return None, vec3(colour)
    image = read_texture(asset)
    if image is None or light.GetTextureFormatAttr().Get() not in (UsdLux.Tokens.latlong, UsdLux.Tokens.automatic):
        notes.append(f"{prim.GetPath()}: the picture {asset.path!r} is not read (an 8-bit latlong image is): its colour is used.")
        return None, vec3(colour)
    dome = Dome(image=_turned(image, _world_from_light(prim, world_from_stage)), intensity=float(colour.mean()))
    return dome, vec3(np.array(dome.ambient()) * colour / max(float(colour.mean()), 1e-9))


def _world_from_light(prim: Any, world_from_stage: Floats) -> Floats:
    """Returns the light's rotation, (3, 3), without scale."""
    from pxr import UsdGeom

    axes = world_from_stage[:3, :3] @ np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim), dtype=np.float64).T[:3, :3]
    rotation: Floats = axes / np.linalg.norm(axes, axis=0)
    return rotation


def _turned(image: NDArray[np.uint8], world_from_light: Floats) -> NDArray[np.uint8]:
    """Returns the image as it is where the light already stands so, else looked up anew."""
    height, width, _ = image.shape
    same = np.allclose(world_from_light @ _LIGHT_FROM_DOME, np.eye(3), atol=1e-6)
    if same and width == 2 * height:
        return image
    rays = directions(min(height, MOST_ROWS))
    return seen(image, rays @ world_from_light @ _LIGHT_FROM_DOME)
