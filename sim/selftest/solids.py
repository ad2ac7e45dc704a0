"""A calibration solid is a box or a ball given by numbers: the scene's body and the rays' answer come from the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenes.meshes import cuboid
from scenes.scene import Body, Collider, Material, Mesh, Part
from scenes.solids import ellipsoid
from scenes.transforms import Pose, Vec3, inverse, transform_points

Floats = NDArray[np.float64]

_SIGNS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
_MASS_KG = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Solid:
    """A box by its half edges or a ball by its radius (three times), in metres, with what it is labelled and painted."""

    name: str
    category: str
    half_m: Vec3
    world_from_body: Pose
    colour: Vec3 = (0.5, 0.5, 0.5)
    kind: Literal["box", "ball"] = "box"
    dynamic: bool = False

    def body(self) -> Body:
        """Returns the body of a scene that looks and collides as this solid."""
        kind: Literal["box", "sphere"] = "box" if self.kind == "box" else "sphere"
        size_m: Vec3 = self.half_m if self.kind == "box" else (self.half_m[0], 0.0, 0.0)
        return Body(
            name=self.name,
            category=self.category,
            parts=(Part(name="all", mesh=self._mesh(), material=Material(colour=self.colour)),),
            colliders=(Collider(kind=kind, size_m=size_m),),
            world_from_body=self.world_from_body,
            mass_kg=_MASS_KG,
            dynamic=self.dynamic,
        )

    def corners_world(self, world_from_body: Pose | None = None) -> Floats:
        """Returns the corners of its box, float64 (8, 3), ordered by sign as `OrientedBox.corners` has them."""
        return transform_points((world_from_body or self.world_from_body).matrix(), _SIGNS * self.half_m)

    def entry_m(self, world_from_camera: Floats, rays: Floats, world_from_body: Pose | None = None) -> Floats:
        """Returns the depth along camera z at which rays (N, 3) of unit z enter it, float64 (N,), +inf where they miss."""
        body_from_world = inverse((world_from_body or self.world_from_body).matrix())
        body_from_camera = body_from_world @ world_from_camera
        direction, origin = rays @ body_from_camera[:3, :3].T, body_from_camera[:3, 3]
        return self._slabs_m(origin, direction) if self.kind == "box" else self._sphere_m(origin, direction)

    def _slabs_m(self, origin: Floats, direction: Floats) -> Floats:
        """A ray is inside a box where it is between all three pairs of planes (Kay and Kajiya, 1986)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            first = (-np.asarray(self.half_m) - origin) / direction
            second = (np.asarray(self.half_m) - origin) / direction
        enter = np.fmin(first, second).max(axis=1)
        leave = np.fmax(first, second).min(axis=1)
        return np.where((leave >= enter) & (enter > 0), enter, np.inf)

    def _sphere_m(self, origin: Floats, direction: Floats) -> Floats:
        a, b = (direction**2).sum(axis=1), direction @ origin
        root = b**2 - a * (origin @ origin - self.half_m[0] ** 2)
        return np.where(root >= 0, (-b - np.sqrt(np.maximum(root, 0.0))) / a, np.inf)

    def _mesh(self) -> Mesh:
        return cuboid(self.half_m) if self.kind == "box" else ellipsoid(self.half_m, segments=128, rows=96)
