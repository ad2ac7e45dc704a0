"""A UsdGeom.Mesh becomes triangles with UVs and normals per corner, mapped into its body's frame, one part per look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes._usd_read_looks import read_look
from scenes.meshes import box_uv, corner_normals
from scenes.scene import Mesh, Part
from scenes.transforms import transform_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def read_parts(prim: Any, body_from_mesh: Floats) -> Iterator[Part]:
    """Yields the parts of one Mesh prim: one, or one per material subset; `body_from_mesh` (4, 4) may scale and mirror."""
    from pxr import UsdGeom, UsdShade

    mesh = UsdGeom.Mesh(prim)
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get() or [], dtype=np.int64)
    corners, face = _fan(counts)
    if not len(corners):
        return
    mirrored = np.linalg.det(body_from_mesh[:3, :3]) < 0
    left_handed = mesh.GetOrientationAttr().Get() == UsdGeom.Tokens.leftHanded
    if mirrored != left_handed:
        corners = corners[:, ::-1]
    points = np.array(mesh.GetPointsAttr().Get(), dtype=np.float64).reshape(-1, 3)
    indices = np.array(mesh.GetFaceVertexIndicesAttr().Get(), dtype=np.int64)
    values = _Corners(indices=indices, corners=corners, face=face, points=len(points))
    vertices = transform_points(body_from_mesh, points)
    faces = indices[corners].astype(np.int32)
    uv = values.of(_primvar(prim, "st"), 2)
    normals = values.of(_primvar(prim, "normals") or _normals(mesh), 3)
    if normals is not None:
        # Normals go by the inverse transpose: right under scale too.
        turned = normals @ np.linalg.inv(body_from_mesh[:3, :3])
        normals = turned / np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), 1e-12)
    subsets = UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
    left = np.ones(len(faces), dtype=bool)
    for subset in subsets:
        chosen = np.isin(face, np.array(subset.GetIndicesAttr().Get() or [], dtype=np.int64))
        left &= ~chosen
        if chosen.any():
            name = f"{prim.GetName()}_{subset.GetPrim().GetName()}"
            yield _part(name, vertices, faces, uv, normals, chosen, read_look(subset.GetPrim()))
    if left.any():
        yield _part(prim.GetName(), vertices, faces, uv, normals, left, read_look(prim))


def _part(
    name: str, vertices: Floats, faces: Any, uv: Floats | None, normals: Floats | None, chosen: Any, look: Any
) -> Part:
    mine = faces[chosen]
    triangles = vertices[mine]
    area = np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1)
    solid = area > 1e-14
    mine = np.ascontiguousarray(mine[solid])
    corner_uv = box_uv(vertices, mine) if uv is None else uv[chosen][solid]
    shading = corner_normals(vertices, mine) if normals is None else normals[chosen][solid]
    return Part(
        name=name,
        mesh=Mesh(
            vertices=vertices.copy(),
            faces=mine,
            corner_uv=np.ascontiguousarray(corner_uv, dtype=np.float32),
            corner_normals=np.ascontiguousarray(shading, dtype=np.float32),
        ),
        material=look,
    )


def _fan(counts: Ints) -> tuple[Ints, Ints]:
    """Cuts polygons into fans: face-vertex numbers of the corners (T, 3), and the polygon of each triangle (T,)."""
    start = np.cumsum(counts) - counts
    triangles = np.maximum(counts - 2, 0)
    face = np.repeat(np.arange(len(counts)), triangles)
    rank = np.arange(len(face)) - np.repeat(np.cumsum(triangles) - triangles, triangles)
    first = start[face]
    return np.stack([first, first + rank + 1, first + rank + 2], axis=1), face


class _Corners:
    """Takes values of any interpolation to the corners of the triangles."""

    def __init__(self, *, indices: Ints, corners: Ints, face: Ints, points: int) -> None:
        self._indices, self._corners, self._face, self._points = indices, corners, face, points

    def of(self, values: Any, width: int) -> Floats | None:
        """Returns values (T, 3, width), None where there are none or they fit no interpolation."""
        if values is None or not len(values):
            return None
        flat = np.array(values, dtype=np.float64).reshape(-1, width)
        if len(flat) == len(self._indices):
            return flat[self._corners]
        if len(flat) == self._points:
            return flat[self._indices[self._corners]]
        if len(flat) == int(self._face.max()) + 1:
            return np.repeat(flat[self._face][:, None], 3, axis=1)
        if len(flat) == 1:
            return np.broadcast_to(flat[0], (*self._corners.shape, width)).copy()
        return None


def _primvar(prim: Any, name: str) -> Any:
    from pxr import UsdGeom

    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance(name)
    return primvar.ComputeFlattened() if primvar and primvar.HasValue() else None


def _normals(mesh: Any) -> Any:
    attribute = mesh.GetNormalsAttr()
    return attribute.Get() if attribute and attribute.HasValue() else None
