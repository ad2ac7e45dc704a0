"""What is touched of a prim in a stage: primitive colliders, mass and friction, as UsdPhysics has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.scene import Collider
from scenes.transforms import Pose, vec3

_DENSITY_KG_M3 = 400.0  # of things whose mass nobody states: about that of a thing with air in it
_TURN_TO_Z = {"X": np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]), "Y": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Physics:
    """Colliders in the body's frame, mass (0 if static and not stated), whether it moves, and Coulomb friction."""

    colliders: tuple[Collider, ...]
    mass_kg: float
    dynamic: bool
    friction: float


def read_physics(owner: Any, body_from_stage: NDArray[np.float64], notes: list[str]) -> Physics:
    """Reads the body that a labelled prim is; what is left out or filled in is noted."""
    from pxr import Usd, UsdPhysics

    colliders, friction, masses = [], 0.8, 0.0
    for prim in Usd.PrimRange(owner):
        if not prim.HasAPI(UsdPhysics.CollisionAPI):
            continue
        collider = _collider(prim, body_from_stage)
        if collider is None:
            notes.append(f"{prim.GetPath()} collides as a {prim.GetTypeName()}, which is not read: it is seen, not touched.")
            continue
        colliders.append(collider)
        friction = _friction(prim, friction)
        masses += _mass(prim)
    dynamic = owner.HasAPI(UsdPhysics.RigidBodyAPI)
    mass_kg = _mass(owner) or masses
    if dynamic and mass_kg <= 0:
        mass_kg = max(_DENSITY_KG_M3 * sum(c.volume_m3 for c in colliders), 0.01)
        notes.append(f"{owner.GetPath()} moves and states no mass: {mass_kg:.3f} kg is used, {_DENSITY_KG_M3:g} kg/m3.")
    return Physics(colliders=tuple(colliders), mass_kg=mass_kg, dynamic=dynamic, friction=friction)


def _mass(prim: Any) -> float:
    from pxr import UsdPhysics

    value = UsdPhysics.MassAPI(prim).GetMassAttr().Get() if prim.HasAPI(UsdPhysics.MassAPI) else None
    return float(value or 0.0)


def _friction(prim: Any, fallback: float) -> float:
    from pxr import UsdPhysics, UsdShade

    material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial("physics")
    if not material or not material.GetPrim().HasAPI(UsdPhysics.MaterialAPI):
        return fallback
    value = UsdPhysics.MaterialAPI(material.GetPrim()).GetStaticFrictionAttr().Get()
    return fallback if value is None else float(value)


def _collider(prim: Any, body_from_stage: NDArray[np.float64]) -> Collider | None:
    from pxr import UsdGeom

    stage_from_prim = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim), dtype=np.float64).T
    body_from_prim = body_from_stage @ stage_from_prim
    scale = np.linalg.norm(body_from_prim[:3, :3], axis=0)
    rotation = body_from_prim[:3, :3] / scale
    size = scale
    if prim.IsA(UsdGeom.Cube):
        kind, size_m = "box", size * float(UsdGeom.Cube(prim).GetSizeAttr().Get()) / 2
    elif prim.IsA(UsdGeom.Sphere):
        kind, size_m = "sphere", np.array([size[0] * float(UsdGeom.Sphere(prim).GetRadiusAttr().Get()), 0, 0])
    elif prim.IsA(UsdGeom.Cylinder) or prim.IsA(UsdGeom.Capsule):
        kind = "cylinder" if prim.IsA(UsdGeom.Cylinder) else "capsule"
        shape = UsdGeom.Cylinder(prim) if kind == "cylinder" else UsdGeom.Capsule(prim)
        axis = str(shape.GetAxisAttr().Get())
        rotation = rotation @ _TURN_TO_Z.get(axis, np.eye(3))
        along, across = (size["XYZ".index(axis)], size["YZX".index(axis)])
        size_m = np.array([across * float(shape.GetRadiusAttr().Get()), along * float(shape.GetHeightAttr().Get()) / 2, 0])
    else:
        return None
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, body_from_prim[:3, 3]
    return Collider(kind=kind, size_m=vec3(size_m), body_from_collider=Pose.from_matrix(matrix))  # type: ignore[arg-type]  # one of the four above
