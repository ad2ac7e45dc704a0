"""An object put together piece by piece: what is added is seen under its part's look and, unless told otherwise, touched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.meshes import cuboid, lathe, merged, moved, rounded_box, sweep
from scenes.objects.shape import ObjectShape, capsule_between
from scenes.scene import Collider, Material, Mesh, Part, Support
from scenes.transforms import IDENTITY_QUATERNION, Pose, Quaternion, Vec3, quaternion_about, vec3

PIXELS_PER_M = 400.0  # every texture is laid at this scale, so that grain and threads have the size that they have
PLAIN_TILE_M = 0.5
_THIN_M = 0.002


class Assembly:
    """Collects meshes by part name, and colliders, in the object's frame: front +x, z up, standing on z = 0."""

    def __init__(self, **looks: Material) -> None:
        self._looks = looks
        self._meshes: dict[str, list[Mesh]] = {name: [] for name in looks}
        self._colliders: list[Collider] = []

    def box(
        self,
        part: str,
        half_m: Sequence[float],
        center_m: Sequence[float],
        *,
        turn: Quaternion = IDENTITY_QUATERNION,
        radius_m: float = 0.0,
        tile_m: float | None = 0.0,
        touch: bool = True,
    ) -> None:
        """Adds a box, with rounded edges where a radius is given.

        `tile_m` is the edge of the texture, that of its own scale where it is 0; None shows the whole texture on each face.
        """
        half, pose = vec3(half_m), Pose(vec3(center_m), turn)
        shape = rounded_box(half, radius_m) if radius_m > 0 else _plain_box(half)
        if tile_m is not None:
            shape = replace(shape, corner_uv=laid_uv(shape, pose.position_m, tile_m or self._tile_m(part)))
        self.mesh(part, moved(shape, pose))
        if touch:
            self._colliders.append(Collider(kind="box", size_m=half, body_from_collider=pose))

    def span(
        self, part: str, low_m: Sequence[float], high_m: Sequence[float], *, radius_m: float = 0.0, touch: bool = True
    ) -> None:
        """Adds an upright box between two corners."""
        low, high = np.asarray(low_m, dtype=np.float64), np.asarray(high_m, dtype=np.float64)
        self.box(part, vec3((high - low) / 2), vec3((high + low) / 2), radius_m=radius_m, touch=touch)

    def rod(
        self,
        part: str,
        first_m: Sequence[float],
        last_m: Sequence[float],
        radius_m: float,
        *,
        end_radius_m: float | None = None,
        segments: int = 10,
        touch: bool = True,
    ) -> None:
        """Adds a round bar between two points, tapered where an end radius is given."""
        ends = np.array([first_m, last_m], dtype=np.float64)
        last = radius_m if end_radius_m is None else end_radius_m
        shape = sweep(ends, [radius_m, last], segments)
        self.mesh(part, replace(shape, corner_uv=laid_uv(shape, (0.0, 0.0, 0.0), self._tile_m(part))))
        if touch:
            self._colliders.append(_round_bar(ends[0], ends[1], max(radius_m, last)))

    def turned(
        self,
        part: str,
        profile_rz: Sequence[tuple[float, float]],
        center_m: Sequence[float] = (0.0, 0.0, 0.0),
        *,
        segments: int = 24,
        touch: bool = True,
    ) -> None:
        """Adds a solid of revolution about a vertical axis through `center_m`; it is touched as one cylinder."""
        x, y, z = vec3(center_m)
        solid = lathe(profile_rz, segments)
        planar = replace(solid, corner_uv=laid_uv(solid, (x, y, z), self._tile_m(part)))
        self.mesh(part, moved(planar, Pose((x, y, z))))
        if touch:
            low, high = min(h for _, h in profile_rz), max(h for _, h in profile_rz)
            pose = Pose((x, y, z + (low + high) / 2))
            size = (max(r for r, _ in profile_rz), max((high - low) / 2, _THIN_M / 2), 0.0)
            self._colliders.append(Collider(kind="cylinder", size_m=size, body_from_collider=pose))

    def limb(
        self, part: str, points_m: Sequence[Sequence[float]], radii_m: Sequence[float], *, squash: float = 1.0
    ) -> None:
        """Adds a tube through points with a radius at each, rounded at its ends; it is touched as capsules."""
        path, radius = np.asarray(points_m, dtype=np.float64), np.asarray(radii_m, dtype=np.float64)
        self.mesh(part, sweep(*_rounded_ends(path, radius), 10, squash))
        for i in range(len(path) - 1):
            self._colliders.append(capsule_between(list(path[i]), list(path[i + 1]), float(min(radius[i : i + 2]))))

    def _tile_m(self, part: str) -> float:
        texture = self._looks[part].texture
        return PLAIN_TILE_M if texture is None else texture.shape[1] / PIXELS_PER_M

    def mesh(self, part: str, shape: Mesh) -> None:
        """Adds what is seen only."""
        self._meshes[part].append(shape)

    def touch(self, *colliders: Collider) -> None:
        """Adds what is touched only."""
        self._colliders += colliders

    def finish(
        self, category: str, mass_kg: float, *, supports: tuple[Support, ...] = (), friction: float = 0.8
    ) -> ObjectShape:
        """Returns the object; parts to which nothing was added are left out."""
        parts = tuple(
            Part(name=name, mesh=merged(meshes), material=self._looks[name])
            for name, meshes in self._meshes.items()
            if meshes
        )
        return ObjectShape(
            category=category,
            parts=parts,
            colliders=tuple(self._colliders),
            mass_kg=mass_kg,
            friction=friction,
            supports=supports,
        )


_UNIT_BOX = cuboid((1.0, 1.0, 1.0))


def _plain_box(half: Vec3) -> Mesh:
    """Returns what `cuboid` returns, from one box whose normals are known; each face shows the whole texture."""
    return replace(_UNIT_BOX, vertices=_UNIT_BOX.vertices * half)


def laid_uv(shape: Mesh, at_m: Vec3, tile_m: float) -> NDArray[np.float32]:
    """Returns UVs by projection along each face's main axis, u along the longer edge of the piece, float32 (F, 3, 2).

    Grain runs along u, so it runs along legs, boards and doors. `at_m` shifts the piece's place in the texture.
    """
    corners = shape.vertices[shape.faces]
    extent = np.ptp(shape.vertices, axis=0)
    axis = np.argmax(np.abs(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])), axis=1)
    pairs = [(1, 2), (0, 2), (0, 1)]
    kept = np.array([(b, a) if extent[b] > 1.05 * extent[a] else (a, b) for a, b in pairs])[axis]
    uv = np.take_along_axis(corners + np.asarray(at_m), kept[:, None, :].repeat(3, axis=1), axis=2)
    laid: NDArray[np.float32] = (uv / tile_m).astype(np.float32)
    return laid


def _round_bar(first_m: np.ndarray, last_m: np.ndarray, radius_m: float) -> Collider:
    """Returns a cylinder from end to end."""
    capsule = capsule_between(list(first_m), list(last_m), radius_m)
    return Collider(kind="cylinder", size_m=capsule.size_m, body_from_collider=capsule.body_from_collider)


def _rounded_ends(path: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Adds a few points beyond both ends, so that a tube closes like a half ball."""
    steps = np.array([0.98, 0.8, 0.45])
    first, last = path[0] - path[1], path[-1] - path[-2]
    first, last = first / np.linalg.norm(first), last / np.linalg.norm(last)
    head = path[0] + np.outer(steps, first) * radius[0]
    tail = path[-1] + np.outer(steps[::-1], last) * radius[-1]
    round_off = np.sqrt(1 - steps**2)
    return np.concatenate([head, path, tail]), np.concatenate(
        [round_off * radius[0], radius, round_off[::-1] * radius[-1]]
    )


def about_x(angle_rad: float) -> Quaternion:
    """Returns a rotation about +x."""
    return quaternion_about((1.0, 0.0, 0.0), angle_rad)


def about_y(angle_rad: float) -> Quaternion:
    """Returns a rotation about +y: positive tips +z towards +x."""
    return quaternion_about((0.0, 1.0, 0.0), angle_rad)


def about_z(angle_rad: float) -> Quaternion:
    """Returns a rotation about +z, counter-clockwise seen from above."""
    return quaternion_about((0.0, 0.0, 1.0), angle_rad)


def four_corners(half_x_m: float, half_y_m: float) -> tuple[Vec3, ...]:
    """Returns the corners of a rectangle on the floor, as (x, y, 0)."""
    return tuple((sx * half_x_m, sy * half_y_m, 0.0) for sx in (-1, 1) for sy in (-1, 1))


def arc(radius_m: float, start_rad: float, stop_rad: float, count: int) -> list[tuple[float, float]]:
    """Returns points of a circle about the origin."""
    return [(radius_m * math.cos(a), radius_m * math.sin(a)) for a in np.linspace(start_rad, stop_rad, count).tolist()]
