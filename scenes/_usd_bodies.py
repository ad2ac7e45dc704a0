"""Each body becomes one labelled Xform with a mesh per part and invisible convex colliders that share its mass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scenes.scene import Body, Collider, Part
from scenes.transforms import Pose

if TYPE_CHECKING:
    from scenes._usd_looks import Looks
from scenes._usd_shells import indexed, welded

# The mass stands on the body, where UsdPhysics gives it precedence, and again, shared out by volume, on the colliders:
# some importers (MuJoCo's decoder among them) read only the latter. Both add up to the same.


def define_body(stage: Any, body: Body, looks: Looks) -> None:
    """Writes /World/<name>: pose, label, parts, colliders and, if dynamic, rigid body and mass."""
    from pxr import UsdGeom, UsdPhysics, UsdSemantics

    xform = UsdGeom.Xform.Define(stage, f"/World/{body.name}")
    set_pose(xform, body.world_from_body)
    prim = xform.GetPrim()
    UsdSemantics.LabelsAPI.Apply(prim, "class").CreateLabelsAttr([body.category])
    if body.dynamic:
        UsdPhysics.RigidBodyAPI.Apply(prim)
        UsdPhysics.MassAPI.Apply(prim).CreateMassAttr(body.mass_kg)
    for part in body.parts:
        _define_part(stage, f"{prim.GetPath()}/{part.name}", part, looks)
    if body.colliders:
        UsdGeom.Scope.Define(stage, f"{prim.GetPath()}/collision").CreatePurposeAttr(UsdGeom.Tokens.guide)
    total_m3 = sum(collider.volume_m3 for collider in body.colliders)
    for i, collider in enumerate(body.colliders):
        gprim = _define_collider(stage, f"{prim.GetPath()}/collision/{collider.kind}_{i}", collider)
        looks.bind_friction(gprim.GetPrim(), body.friction)
        if body.dynamic:
            UsdPhysics.MassAPI.Apply(gprim.GetPrim()).CreateMassAttr(body.mass_kg * collider.volume_m3 / total_m3)


def set_pose(xformable: Any, parent_from_child: Pose) -> None:
    """Writes the pose as translate and orient ops, both in double precision."""
    from pxr import Gf, UsdGeom

    w, x, y, z = parent_from_child.quaternion_wxyz
    xformable.AddTranslateOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Vec3d(*parent_from_child.position_m))
    xformable.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(w, x, y, z))


def _define_part(stage: Any, path: str, part: Part, looks: Looks) -> None:
    from pxr import Sdf, UsdGeom, Vt

    points, faces, keep = welded(part.mesh)
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(faces), 3, dtype=np.int32)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(faces.reshape(-1)))
    mesh.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(np.stack([points.min(axis=0), points.max(axis=0)])))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateDoubleSidedAttr(False)
    primvars = UsdGeom.PrimvarsAPI(mesh)
    varying = UsdGeom.Tokens.faceVarying
    normals, normal_indices = indexed(part.mesh.corner_normals[keep].reshape(-1, 3))
    primvar = primvars.CreatePrimvar("normals", Sdf.ValueTypeNames.Normal3fArray, varying)
    primvar.Set(Vt.Vec3fArray.FromNumpy(normals))
    primvar.SetIndices(Vt.IntArray.FromNumpy(normal_indices))
    st, st_indices = indexed(part.mesh.corner_uv[keep].reshape(-1, 2))
    primvar = primvars.CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, varying)
    primvar.Set(Vt.Vec2fArray.FromNumpy(st))
    primvar.SetIndices(Vt.IntArray.FromNumpy(st_indices))
    looks.bind(mesh.GetPrim(), part.material)


def _define_collider(stage: Any, path: str, collider: Collider) -> Any:
    from pxr import Gf, UsdGeom, UsdPhysics

    size = collider.size_m
    gprim: Any
    if collider.kind == "box":
        gprim = UsdGeom.Cube.Define(stage, path)
        gprim.CreateSizeAttr(2.0)
        gprim.CreateExtentAttr([Gf.Vec3f(-1), Gf.Vec3f(1)])
    elif collider.kind == "sphere":
        gprim = UsdGeom.Sphere.Define(stage, path)
        gprim.CreateRadiusAttr(size[0])
        gprim.CreateExtentAttr([Gf.Vec3f(-size[0]), Gf.Vec3f(size[0])])
    else:
        gprim = (UsdGeom.Cylinder if collider.kind == "cylinder" else UsdGeom.Capsule).Define(stage, path)
        gprim.CreateAxisAttr(UsdGeom.Tokens.z)
        gprim.CreateRadiusAttr(size[0])
        gprim.CreateHeightAttr(2 * size[1])
        half = size[1] + (size[0] if collider.kind == "capsule" else 0.0)
        gprim.CreateExtentAttr([Gf.Vec3f(-size[0], -size[0], -half), Gf.Vec3f(size[0], size[0], half)])
    set_pose(gprim, collider.body_from_collider)
    if collider.kind == "box":
        gprim.AddScaleOp().Set(Gf.Vec3f(*size))
    gprim.CreatePurposeAttr(UsdGeom.Tokens.guide)
    UsdPhysics.CollisionAPI.Apply(gprim.GetPrim())
    return gprim
