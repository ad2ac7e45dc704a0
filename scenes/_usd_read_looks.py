"""The look of a prim where it is simple: the diffuse colour or texture, roughness and metallic of a UsdPreviewSurface."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.scene import Material
from scenes.transforms import vec3

GREY = Material(colour=(0.5, 0.5, 0.5))


def read_look(prim: Any) -> Material:
    """Returns the look of a mesh or subset: its bound preview surface, else its displayColor, else grey."""
    from pxr import UsdShade

    material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
    surface = material.ComputeSurfaceSource()[0] if material else None
    if not surface or surface.GetShaderId() != "UsdPreviewSurface":
        return _display_colour(prim)
    colour, texture = _diffuse(surface)
    return Material(
        colour=colour,
        texture=texture,
        roughness=_number(surface, "roughness", 0.5),
        metallic=_number(surface, "metallic", 0.0),
    )


def _diffuse(surface: Any) -> tuple[tuple[float, float, float], NDArray[np.uint8] | None]:
    diffuse = surface.GetInput("diffuseColor")
    if not diffuse:
        return (0.18, 0.18, 0.18), None  # the fallback of UsdPreviewSurface
    if not diffuse.HasConnectedSource():
        value = diffuse.Get()
        return (0.18, 0.18, 0.18) if value is None else vec3(value), None
    from pxr import UsdShade

    image = UsdShade.Shader(diffuse.GetConnectedSource()[0].GetPrim())
    if image.GetShaderId() != "UsdUVTexture":
        return GREY.colour, None
    scale = image.GetInput("scale")
    tint = scale.Get() if scale and scale.Get() is not None else (1.0, 1.0, 1.0, 1.0)
    file = image.GetInput("file")
    texture = read_texture(file.Get()) if file else None
    return vec3(list(tint)[:3]), texture


def read_texture(asset: Any) -> NDArray[np.uint8] | None:
    """Reads an image, out of a package too, as sRGB uint8 (h, w, 3); None where it cannot be read."""
    import cv2
    from pxr import Ar

    resolved = asset.resolvedPath if asset is not None else ""
    opened = Ar.GetResolver().OpenAsset(Ar.ResolvedPath(resolved)) if resolved else None
    if not opened:
        return None
    data = np.frombuffer(opened.GetBuffer(), dtype=np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return None if image is None else np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)


def _display_colour(prim: Any) -> Material:
    from pxr import UsdGeom

    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    values = primvar.Get() if primvar and primvar.HasValue() else None
    return GREY if not values else Material(colour=vec3(np.mean(np.array(values, dtype=np.float64), axis=0)))


def _number(surface: Any, name: str, fallback: float) -> float:
    given = surface.GetInput(name)
    value = None if not given or given.HasConnectedSource() else given.Get()
    return fallback if value is None else float(value)
