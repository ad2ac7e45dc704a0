"""A foreign OpenUSD stage becomes a Scene or an asset with true labels, or one error that names every prim in the way.

Units and the up axis are those that the stage states. Read are meshes, transforms, labels of the taxonomy `class` (by
UsdSemantics or the deprecated SemanticsAPI), simple looks, and rigid bodies with primitive colliders; cameras and lights
for a whole scene. Unlabelled, instanced, unitless or implausibly large or small input is refused by prim path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes._usd_read_labels import Labelled, instancer_of, labelled, rendered_gprims
from scenes._usd_read_meshes import read_parts
from scenes._usd_read_physics import read_physics
from scenes._usd_read_view import read_cameras, read_lights
from scenes.errors import StageError
from scenes.scene import Body, Part, Scene, SceneId
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, inverse
from scenes.usd_check import open_stage

# A thing whose longest edge is beyond these has been scaled wrongly, or is none.
LEAST_M, MOST_M = 0.01, 5.0
_SHOWN = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadScene:
    """A scene from a stage, and what was left out or filled in, a sentence each."""

    scene: Scene
    notes: tuple[str, ...]


def read_scene(path: Path, *, renamed: Mapping[str, str] | None = None, size: tuple[int, int] = (640, 480)) -> ReadScene:
    """Reads a whole stage as a scene at rest; `renamed` maps its labels to categories, `size` is for cameras that say none.

    Raises StageError that lists every prim with what is wrong and what to do.
    """
    stage = open_stage(path)
    world_from_stage = _world_from_stage(stage, path)
    found, problems = _labelled(stage, renamed or {})
    bodies: list[Body] = []
    notes: list[str] = []
    names = _names([each.owner for each in found])
    for owner_path, name in names.items():
        mine = [each for each in found if str(each.owner.GetPath()) == owner_path]
        body = _body(name, mine, world_from_stage, notes)
        bodies.append(body)
        problems += _size_problems(body, owner_path)
    if not problems and not bodies:
        problems = ["it shows no mesh: nothing to see."]
    _refuse(path, problems)
    cameras = read_cameras(stage, world_from_stage, size, _bounds(bodies), notes)
    lights, ambient, dome = read_lights(stage, world_from_stage, notes)
    scene = Scene(
        id=_scene_id(stage), bodies=tuple(bodies), lights=lights, cameras=cameras, supports=(), ambient=ambient,
        dome=dome,
    )  # fmt: skip
    return ReadScene(scene=scene, notes=tuple(notes))


def read_parts_of(path: Path, category: str) -> tuple[Part, ...]:
    """Reads an asset as one object of that category: its parts in metres, z up, its bottom's middle at the origin.

    Labels in it must say the same category or nothing. Raises StageError, and UnknownNameError for the category.
    """
    TAXONOMY.named(category)
    stage = open_stage(path)
    world_from_stage = _world_from_stage(stage, path)
    problems: list[str] = []
    parts: list[Part] = []
    for prim in rendered_gprims(stage):
        label = labelled(prim, {})
        if isinstance(label, Labelled) and label.category != category:
            problems.append(f"{label.owner.GetPath()} is labelled {label.category!r}, but {category!r} was asked for.")
        problems += _shape_problems(prim)
        if not problems:
            parts += read_parts(prim, world_from_stage @ _stage_from(prim))
    _refuse(path, problems or ([] if parts else ["it shows no mesh: nothing to see."]))
    points = np.concatenate([part.mesh.vertices[part.mesh.faces.reshape(-1)] for part in parts])
    low, high = points.min(axis=0), points.max(axis=0)
    _refuse(path, _scale_problems(float((high - low).max()), f"{path} as {category!r}"))
    return _moved(parts, np.array([-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]]))


def _moved(parts: Sequence[Part], by_m: Floats) -> tuple[Part, ...]:
    names = _unique([part.name for part in parts])
    return tuple(
        replace(part, name=name, mesh=replace(part.mesh, vertices=part.mesh.vertices + by_m))
        for part, name in zip(parts, names, strict=True)
    )


def _world_from_stage(stage: Any, path: Path) -> Floats:
    """Returns the map of stage units and axes to metres, z up; raises StageError where the stage does not state them."""
    from pxr import UsdGeom

    missing = [
        name for name in (UsdGeom.Tokens.metersPerUnit, UsdGeom.Tokens.upAxis) if not stage.HasAuthoredMetadata(name)
    ]
    if missing:
        fallback = {"metersPerUnit": "0.01, centimetres", "upAxis": "Y"}
        said = " and ".join(f"{name} (OpenUSD's fallback would be {fallback[name]})" for name in missing)
        raise StageError(f"{path} does not state {said}: write it into the stage's metadata, so that nothing is guessed.")
    matrix = np.eye(4)
    if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y:
        matrix[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    matrix[:3, :3] *= UsdGeom.GetStageMetersPerUnit(stage)
    return matrix


def _labelled(stage: Any, renamed: Mapping[str, str]) -> tuple[list[Labelled], list[str]]:
    found, problems = [], []
    for prim in rendered_gprims(stage):
        label = labelled(prim, renamed)
        wrong = _shape_problems(prim)
        if isinstance(label, str):
            wrong.append(label)
        elif not wrong:
            found.append(label)
        problems += wrong
    return found, list(dict.fromkeys(problems))


def _shape_problems(prim: Any) -> list[str]:
    from pxr import UsdGeom

    path, problems = prim.GetPath(), []
    instancer = instancer_of(prim)
    if instancer is not None:
        problems.append(f"{path} is instanced by {instancer.GetPath()}: make it a plain reference (instanceable = false).")
    if not prim.IsA(UsdGeom.Mesh):
        problems.append(f"{path} is a {prim.GetTypeName()}: only meshes are read, so convert it to one.")
    elif not (UsdGeom.Mesh(prim).GetPointsAttr().Get() and UsdGeom.Mesh(prim).GetFaceVertexIndicesAttr().Get()):
        problems.append(f"{path} has no points or faces: remove it or fill it.")
    return problems


def _body(name: str, mine: Sequence[Labelled], world_from_stage: Floats, notes: list[str]) -> Body:
    owner = mine[0].owner
    world_from_owner = world_from_stage @ _stage_from(owner)
    pose = rigid(world_from_owner)
    body_from_world = inverse(pose.matrix())
    parts = [
        part
        for each in mine
        for part in read_parts(each.prim, body_from_world @ world_from_stage @ _stage_from(each.prim))
    ]
    for each in mine:
        _note_subdivision(each.prim, notes)
    physics = read_physics(owner, body_from_world @ world_from_stage, notes)
    return Body(
        name=name,
        category=mine[0].category,
        parts=_moved(parts, np.zeros(3)),
        colliders=physics.colliders,
        world_from_body=pose,
        mass_kg=physics.mass_kg,
        dynamic=physics.dynamic,
        friction=physics.friction,
    )


def rigid(world_from_prim: Floats) -> Pose:
    """Returns the rigid part of a (4, 4) transform: the rotation nearest to its linear part, without scale and mirror."""
    left, _, right = np.linalg.svd(world_from_prim[:3, :3])
    rotation = left @ right
    if np.linalg.det(rotation) < 0:
        rotation = left @ np.diag([1.0, 1.0, -1.0]) @ right
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, world_from_prim[:3, 3]
    return Pose.from_matrix(matrix)


def _stage_from(prim: Any) -> Floats:
    from pxr import UsdGeom

    return np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim), dtype=np.float64).T  # column vectors


def _note_subdivision(prim: Any, notes: list[str]) -> None:
    from pxr import UsdGeom

    scheme = UsdGeom.Mesh(prim).GetSubdivisionSchemeAttr().Get()
    if scheme != UsdGeom.Tokens.none:
        notes.append(f"{prim.GetPath()} is a subdivision surface ({scheme}): its control mesh is used as it is.")


def _names(owners: Sequence[Any]) -> dict[str, str]:
    """Returns a body name for every owner's path, in order of first use: the prim's name, or its whole path if taken."""
    paths = {str(owner.GetPath()): owner.GetName() for owner in owners}
    taken = list(paths.values())
    return {
        path: name if taken.count(name) == 1 and name.isidentifier() else _identifier(path) for path, name in paths.items()
    }


def _identifier(path: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in path.strip("/"))


def _unique(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        plain = name if name.isidentifier() else f"p_{_identifier(name)}"
        found.append(plain if plain not in found else f"{plain}_{len(found)}")
    return found


def _size_problems(body: Body, path: str) -> list[str]:
    if not TAXONOMY.named(body.category).is_thing:
        return []
    low, high = body.bounds_m()
    return _scale_problems(float((high - low).max()), f"{path} ({body.category})")


def _scale_problems(longest_m: float, what: str) -> list[str]:
    if LEAST_M <= longest_m <= MOST_M:
        return []
    return [
        f"{what} is {longest_m:.4g} m long, expected {LEAST_M:g} to {MOST_M:g} m: check metersPerUnit and the scale of its prims."
    ]


def _refuse(path: Path, problems: Sequence[str]) -> None:
    if problems:
        more = f" And {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
        raise StageError(f"{path} cannot be used: {' '.join(problems[:_SHOWN])}{more}")


def _bounds(bodies: Sequence[Body]) -> tuple[Floats, Floats]:
    corners = [np.stack(body.bounds_m()) + body.world_from_body.position_m for body in bodies]
    return np.min(corners, axis=(0, 1)), np.max(corners, axis=(0, 1))


def _scene_id(stage: Any) -> SceneId:
    """Returns the id that `write_stage` left in the stage, else that of a stage of its own."""
    from scenes.usd import scene_id_of

    return scene_id_of(stage) or SceneId(suite="stage", version=1, split="test", seed=0, index=0)
