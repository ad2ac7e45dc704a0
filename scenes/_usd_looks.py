"""Equal looks become one UsdPreviewSurface material, equal textures one PNG file named by its content."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import StageError
from scenes.files import write_whole
from scenes.scene import Material

TEXTURE_FOLDER = "textures"


class Looks:
    """The materials of one stage: made on first use, bound to prims, textures written under `folder`."""

    def __init__(self, stage: Any, folder: Path) -> None:
        self._stage = stage
        self._folder = folder
        self._materials: dict[str, Any] = {}
        self._frictions: dict[float, Any] = {}

    def bind(self, prim: Any, look: Material) -> None:
        """Binds the look to a rendered prim."""
        from pxr import UsdShade

        texture = None if look.texture is None else write_texture(look.texture, self._folder)
        values = repr((tuple(map(float, look.colour)), float(look.roughness), float(look.metallic), texture))
        key = f"Look_{hashlib.sha256(values.encode()).hexdigest()[:12]}"
        if key not in self._materials:
            self._materials[key] = _define_look(self._stage, f"/World/Looks/{key}", look, texture)
        UsdShade.MaterialBindingAPI.Apply(prim).Bind(self._materials[key])

    def bind_friction(self, prim: Any, friction: float) -> None:
        """Binds the physics material of that Coulomb friction to a collider."""
        from pxr import UsdPhysics, UsdShade

        if friction not in self._frictions:
            path = f"/World/PhysicsMaterials/Friction_{len(self._frictions)}"
            material = UsdShade.Material.Define(self._stage, path)
            physics = UsdPhysics.MaterialAPI.Apply(material.GetPrim())
            physics.CreateStaticFrictionAttr(friction)
            physics.CreateDynamicFrictionAttr(friction)
            physics.CreateRestitutionAttr(0.0)
            self._frictions[friction] = material
        binding = UsdShade.MaterialBindingAPI.Apply(prim)
        binding.Bind(self._frictions[friction], UsdShade.Tokens.weakerThanDescendants, "physics")


def _define_look(stage: Any, path: str, look: Material, texture: str | None) -> Any:
    from pxr import Gf, Sdf, UsdShade

    material = UsdShade.Material.Define(stage, path)
    surface = UsdShade.Shader.Define(stage, f"{path}/Surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(float(look.roughness))
    surface.CreateInput("metallic", Sdf.ValueTypeNames.Float).Set(float(look.metallic))
    diffuse = surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f)
    if texture is None:
        diffuse.Set(Gf.Vec3f(*look.colour))
    else:
        diffuse.ConnectToSource(_define_texture(stage, path, look, texture))
    output = surface.CreateOutput("surface", Sdf.ValueTypeNames.Token)
    material.CreateSurfaceOutput().ConnectToSource(output)
    return material


def _define_texture(stage: Any, path: str, look: Material, texture: str) -> Any:
    from pxr import Gf, Sdf, UsdShade

    reader = UsdShade.Shader.Define(stage, f"{path}/Reader")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
    image = UsdShade.Shader.Define(stage, f"{path}/Texture")
    image.CreateIdAttr("UsdUVTexture")
    image.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(Sdf.AssetPath(texture))
    image.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
    image.CreateInput("wrapS", Sdf.ValueTypeNames.Token).Set("repeat")
    image.CreateInput("wrapT", Sdf.ValueTypeNames.Token).Set("repeat")
    image.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(*look.colour, 1.0))
    st = reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    image.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(st)
    return image.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)


def write_texture(texture: NDArray[np.uint8], folder: Path) -> str:
    """Writes sRGB uint8 (h, w, 3) as textures/<digest>.png under `folder` unless it is there; returns that asset path."""
    sha = hashlib.sha256(repr(texture.shape).encode())
    sha.update(np.ascontiguousarray(texture).tobytes())
    name = f"{sha.hexdigest()[:24]}.png"
    target = folder / TEXTURE_FOLDER / name
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        write_whole(target, _png(texture))
    return f"./{TEXTURE_FOLDER}/{name}"


def _png(texture: NDArray[np.uint8]) -> bytes:
    import cv2

    done, encoded = cv2.imencode(".png", np.ascontiguousarray(texture[..., ::-1]))
    if not done:
        raise StageError(f"A texture of shape {texture.shape} cannot be encoded as PNG; uint8 (h, w, 3) is expected.")
    return encoded.tobytes()
