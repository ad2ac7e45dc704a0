"""An OpenUSD stage holds everything of a scene: geometry, physics, labels, looks, lights and cameras.

Layout: /World/<body>/<part>, /World/<body>/collision/*, /World/Looks, /World/PhysicsMaterials, /World/Lights,
/World/Cameras and /World/PhysicsScene. Metres, kilograms, Z up. The same scene gives the same bytes as .usda and .usdc.
Textures lie beside the stage as textures/<digest>.png, shared by all stages of the folder.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenes.errors import StageError
from scenes.files import whole_file
from scenes.scene import Scene, SceneId

if TYPE_CHECKING:
    from pxr import Sdf

# pxr is imported inside functions only: it is heavy, and Isaac Sim must not find it loaded before its own.

STAGE_FORMAT = 1
STAGE_SUFFIXES = (".usda", ".usdc", ".usdz")
_RESERVED = frozenset({"Looks", "PhysicsMaterials", "Lights", "Cameras", "PhysicsScene"})


def write_stage(scene: Scene, path: Path, *, camera_size: tuple[int, int] | None = None) -> None:
    """Writes the scene to `path` (.usda, .usdc or .usdz) whole or not at all, with its textures beside it.

    `camera_size` = (width, height) resizes every camera as `Camera.resized` does. Raises StageError where the scene
    has no place in OpenUSD (an off-centre or non-square camera, a reserved or repeated name) or the path cannot be
    written.
    """
    path = Path(path)
    if path.suffix not in STAGE_SUFFIXES:
        raise StageError(f"A stage is written as {', '.join(STAGE_SUFFIXES)}, got {str(path)!r}; change its ending.")
    if not path.parent.is_dir():
        raise StageError(f"The folder {str(path.parent)!r} of the stage does not exist; make it first.")
    try:
        if path.suffix == ".usdz":
            _write_package(scene, path, camera_size)
        else:
            layer = _stage_layer(scene, path.parent, camera_size)
            with whole_file(path) as staging:
                _export(layer, staging, path)
    except OSError as error:
        raise StageError(f"The stage {str(path)!r} cannot be written: {error}.") from error


def _export(layer: Sdf.Layer, staging: Path, path: Path) -> None:
    from pxr import Tf

    try:
        exported = layer.Export(str(staging))
    except Tf.ErrorException as error:
        raise StageError(f"OpenUSD cannot write {str(path)!r}: {error}.") from error
    if not exported:
        raise StageError(f"OpenUSD did not write {str(path)!r}; check that the disk has room.")


def _write_package(scene: Scene, path: Path, camera_size: tuple[int, int] | None) -> None:
    from pxr import Sdf, UsdUtils

    with whole_file(path) as staging:
        inner = staging.with_suffix(".usdc")
        _export(_stage_layer(scene, staging.parent, camera_size), inner, path)
        if not UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(inner)), str(staging)):
            raise StageError(f"OpenUSD did not pack {str(path)!r}; write .usdc instead.")


def _stage_layer(scene: Scene, folder: Path, camera_size: tuple[int, int] | None) -> Sdf.Layer:
    from pxr import Sdf, Usd, UsdGeom

    from scenes import _usd_bodies, _usd_looks, _usd_view

    _assert_names(scene)
    layer = Sdf.Layer.CreateAnonymous(".usda")
    stage = Usd.Stage.Open(layer)
    _define_root(stage, scene)
    for name in ("Looks", "PhysicsMaterials", "Lights", "Cameras"):
        UsdGeom.Scope.Define(stage, f"/World/{name}")
    for camera in scene.cameras:
        _usd_view.define_camera(stage, camera if camera_size is None else camera.resized(*camera_size))
    looks = _usd_looks.Looks(stage, folder)  # after the cameras, so that a refused scene leaves no textures
    for body in scene.bodies:
        _usd_bodies.define_body(stage, body, looks)
    _usd_view.define_lights(stage, scene, folder)
    return layer


def _define_root(stage: Any, scene: Scene) -> None:
    from pxr import Gf, UsdGeom, UsdPhysics

    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdPhysics.SetStageKilogramsPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/World").GetPrim())
    physics = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    physics.CreateGravityDirectionAttr(Gf.Vec3f(0, 0, -1))
    physics.CreateGravityMagnitudeAttr(9.81)
    values = {"format": STAGE_FORMAT, "scene": str(scene.id), "attempt": scene.id.attempt, "digest": scene.digest()}
    stage.GetRootLayer().customLayerData = {"rehearse": values}


def scene_id_of(stage: Any) -> SceneId | None:
    """Returns the id of the scene that `write_stage` wrote into this stage, None for a stage of someone else."""
    values = stage.GetRootLayer().customLayerData.get("rehearse")
    found = re.fullmatch(r"(.+)-v(\d+)/(train|val|test)/seed(\d+)/(\d+)", str(dict(values).get("scene"))) if values else None
    if found is None:
        return None
    suite, version, split, seed, index = found.groups()
    return SceneId(
        suite=suite, version=int(version), split=split, seed=int(seed), index=int(index),  # type: ignore[arg-type]  # one of the three
        attempt=int(dict(values).get("attempt", 0)),
    )  # fmt: skip


def _assert_names(scene: Scene) -> None:
    taken = sorted(_RESERVED.intersection(body.name for body in scene.bodies))
    if taken:
        raise StageError(
            f"Scene {scene.id} has a body named {taken[0]!r}, which the stage keeps for itself; rename it."
        )
    for body in scene.bodies:
        names = [part.name for part in body.parts]
        wrong = [n for n in names if not n.isidentifier() or names.count(n) > 1 or n == "collision"]
        if wrong:
            raise StageError(
                f"Body {body.name!r} has a part named {wrong[0]!r}: give each part a prim name of its own."
            )
    cameras = [camera.name for camera in scene.cameras]
    odd = [n for n in cameras if not n.isidentifier() or cameras.count(n) > 1]
    if odd:
        raise StageError(f"Scene {scene.id} has a camera named {odd[0]!r}: give each camera a prim name of its own.")
