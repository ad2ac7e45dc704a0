"""The scene: bodies, lights, cameras and supports as frozen values that no renderer or physics engine is needed to read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.dome import Dome
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, Vec3

# Arrays inside these values are read-only: a scene that was handed out never changes.


def _frozen(array: NDArray[np.generic]) -> None:
    array.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """A triangle mesh in its body's frame, in metres, counter-clockwise seen from outside.

    vertices float64 (V, 3); faces int32 (F, 3); corner_uv float32 (F, 3, 2), v up, one pair per face corner;
    corner_normals float32 (F, 3, 3), unit length.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]
    corner_uv: NDArray[np.float32]
    corner_normals: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.faces)
        if self.corner_uv.shape != (count, 3, 2) or self.corner_normals.shape != (count, 3, 3):
            raise ValueError(
                f"A mesh of {count} faces needs corner_uv {(count, 3, 2)} and corner_normals {(count, 3, 3)}."
            )
        for array in (self.vertices, self.faces, self.corner_uv, self.corner_normals):
            _frozen(array)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """A look: `colour` linear 0..1 multiplies `texture`, sRGB uint8 (h, w, 3) with row 0 at v = 1; the rest is 0..1."""

    colour: Vec3 = (1.0, 1.0, 1.0)
    texture: NDArray[np.uint8] | None = None
    roughness: float = 0.6
    metallic: float = 0.0

    def __post_init__(self) -> None:
        if self.texture is not None:
            _frozen(self.texture)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One visible piece of a body."""

    name: str
    mesh: Mesh
    material: Material


@dataclass(frozen=True, slots=True, kw_only=True)
class Collider:
    """One convex primitive in its body's frame.

    size_m by kind: box = half edges (x, y, z); cylinder and capsule = (radius, half height of the straight part, 0)
    along local z; sphere = (radius, 0, 0).
    """

    kind: Literal["box", "cylinder", "capsule", "sphere"]
    size_m: Vec3
    body_from_collider: Pose = field(default_factory=Pose)

    @property
    def volume_m3(self) -> float:
        """The volume in cubic metres."""
        a, b, c = self.size_m
        if self.kind == "box":
            return 8 * a * b * c
        ball = 4 / 3 * np.pi * a**3
        if self.kind == "sphere":
            return float(ball)
        return float(2 * np.pi * a**2 * b + (ball if self.kind == "capsule" else 0.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """A rigid thing (dynamic) or a piece of the room (static), with what is seen and what is touched.

    `name` is unique in its scene and a valid USD prim name; `category` is a taxonomy name; friction is Coulomb's.
    `rolling_friction_m` resists rolling, in metres as MuJoCo has it.
    """

    name: str
    category: str
    parts: tuple[Part, ...]
    colliders: tuple[Collider, ...]
    world_from_body: Pose
    mass_kg: float
    dynamic: bool
    friction: float = 0.8
    rolling_friction_m: float = 0.0

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"Body name {self.name!r} is not a valid prim name.")
        TAXONOMY.named(self.category)
        if self.dynamic and not self.mass_kg > 0:
            raise ValueError(f"Body {self.name!r} is dynamic and needs a positive mass, got {self.mass_kg}.")

    def bounds_m(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns the lower and upper corner, float64 (3,), of all visible parts in the body frame."""
        points = np.concatenate([part.mesh.vertices[part.mesh.faces.reshape(-1)] for part in self.parts])
        return points.min(axis=0), points.max(axis=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """A light in the world: `sun` shines along `direction` everywhere, `lamp` from `position_m`; colour is linear 0..1."""

    name: str
    kind: Literal["sun", "lamp"]
    position_m: Vec3
    direction: Vec3
    colour: Vec3
    intensity: float
    casts_shadow: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """A horizontal surface that objects stand on: centre of its top, half extents along its own x and y, in metres.

    `turn_rad` turns it about z; `round` makes it an ellipse with these half axes. Neither shows in `repr`, which old
    digests are made of; `Scene.digest` takes them in where they are not the default.
    """

    center_m: Vec3
    half_extent_m: tuple[float, float]
    turn_rad: float = field(default=0.0, repr=False)
    round: bool = field(default=False, repr=False)

    def offsets_m(self, points_m: NDArray[np.floating]) -> NDArray[np.float64]:
        """Returns points (..., 3) of the outer frame as (..., 2) along the support's own axes, from its centre."""
        delta = np.asarray(points_m, dtype=np.float64)[..., :2] - self.center_m[:2]
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        return np.stack([cos * delta[..., 0] + sin * delta[..., 1], cos * delta[..., 1] - sin * delta[..., 0]], axis=-1)

    def is_under(self, points_m: NDArray[np.floating], margin_m: float = 0.0) -> NDArray[np.bool_]:
        """Tells which points (..., 3) lie over the surface, at least `margin_m` from its edge, at any height."""
        half = np.asarray(self.half_extent_m) - margin_m
        if not (half > 0).all():
            return np.zeros(np.asarray(points_m).shape[:-1], dtype=bool)
        share = np.abs(self.offsets_m(points_m)) / half
        return np.asarray((share**2).sum(axis=-1) <= 1 if self.round else (share <= 1).all(axis=-1))

    def moved(self, outer_from_inner: Pose) -> Support:
        """Returns the same support in another frame, by a pose that turns about z only."""
        matrix = outer_from_inner.matrix()
        x, y, z = (float(v) for v in matrix[:3, :3] @ self.center_m + matrix[:3, 3])
        turn = float(np.arctan2(matrix[1, 0], matrix[0, 0]))
        return replace(self, center_m=(x, y, z), turn_rad=self.turn_rad + turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneId:
    """What a scene is a pure function of; `attempt` counts the sub-seeds that were rejected before this one.

    `description` is the digest of a suite's file where the suite is not a shipped one, whose version says as much.
    """

    suite: str
    version: int
    split: Literal["train", "val", "test"]
    seed: int
    index: int
    attempt: int = 0
    description: str = field(default="", repr=False)

    def __str__(self) -> str:
        mark = f"+{self.description[:12]}" if self.description else ""
        return f"{self.suite}-v{self.version}{mark}/{self.split}/seed{self.seed}/{self.index:06d}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A world to look at: static room, dynamic things, lights, cameras, supports, ambient light 0..1, and maybe a dome."""

    id: SceneId
    bodies: tuple[Body, ...]
    lights: tuple[Light, ...]
    cameras: tuple[Camera, ...]
    supports: tuple[Support, ...]
    ambient: Vec3 = (0.3, 0.3, 0.3)
    dome: Dome | None = None

    def __post_init__(self) -> None:
        names = [body.name for body in self.bodies]
        if len(set(names)) != len(names):
            raise ValueError(f"Scene {self.id} has two bodies of one name.")

    @property
    def things(self) -> tuple[Body, ...]:
        """The bodies of thing categories, in scene order; instance id k is things[k - 1]."""
        return tuple(body for body in self.bodies if TAXONOMY.named(body.category).is_thing)

    def with_poses(self, world_from_body: dict[str, Pose]) -> Scene:
        """Returns the same scene with the named bodies moved."""
        bodies = tuple(replace(b, world_from_body=world_from_body.get(b.name, b.world_from_body)) for b in self.bodies)
        return replace(self, bodies=bodies)

    def digest(self) -> str:
        """Returns a sha256 over everything that can be seen or touched, lights and cameras included."""
        sha = hashlib.sha256(repr((self.id, self.lights, self.cameras, self.supports, self.ambient)).encode())
        turned = [(i, s.turn_rad, s.round) for i, s in enumerate(self.supports) if s.turn_rad or s.round]
        sha.update(repr(turned).encode() if turned else b"")
        if self.dome is not None:
            sha.update(repr(("dome", self.dome.image.shape, float(self.dome.intensity))).encode())
            sha.update(self.dome.image.tobytes())
        for b in self.bodies:
            sha.update(repr((b.name, b.category, b.colliders, b.world_from_body, b.mass_kg, b.dynamic)).encode())
            sha.update(repr((b.friction, b.rolling_friction_m)).encode())
            for part in b.parts:
                m, look = part.mesh, part.material
                for array in (m.vertices, m.faces, m.corner_uv, m.corner_normals):
                    sha.update(array.tobytes())
                sha.update(repr((part.name, look.colour, look.roughness, look.metallic)).encode())
                sha.update(b"" if look.texture is None else look.texture.tobytes())
        return sha.hexdigest()
