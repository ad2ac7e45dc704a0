"""A teddy bear that sits and faces -y: ellipsoids and stuffed limbs, with balls and capsules to touch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenes import textures
from scenes.meshes import joined, placed, sweep
from scenes.objects.shape import UPRIGHT, ObjectShape, capsule_between
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import closed_tube, ellipsoid
from scenes.transforms import Pose, Vec3, quaternion_about

ON_ITS_BACK = quaternion_about((1.0, 0.0, 0.0), -math.pi / 2)
_SIDES = (-1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    """Radii of belly, head and limbs in metres, and where everything then is; x is given for the side +1."""

    belly: float
    head: float
    limb: float

    @property
    def body_z(self) -> float:
        return self.belly * 1.08

    @property
    def head_z(self) -> float:
        return self.body_z + self.belly * 0.95 + self.head * 0.72

    def ear(self, side: float) -> Vec3:
        return side * 0.74 * self.head, 0.05 * self.head, self.head_z + 0.78 * self.head

    def leg(self, side: float) -> tuple[Vec3, Vec3]:
        hip = (side * 0.62 * self.belly, -0.45 * self.belly, self.limb)
        return hip, (side * 0.95 * self.belly, -2.0 * self.belly, self.limb)

    def arm(self, side: float) -> tuple[Vec3, Vec3]:
        shoulder = (side * 0.75 * self.belly, -0.1 * self.belly, self.body_z + 0.6 * self.belly)
        return shoulder, (side * 1.3 * self.belly, -0.75 * self.belly, self.body_z - 0.25 * self.belly)


# Ranges of hue.
_FURS = {"brown": (0.06, 0.1), "sandy": (0.09, 0.13), "any": (0.0, 1.0)}


@shaped("teddy bear")
def teddy_bear(sampler: ShapeSampler) -> ObjectShape:
    """Returns a teddy bear: round head with ears and muzzle, belly, arms, legs stretched forward, maybe a ribbon."""
    size = sampler.uniform("size", 0.75, 1.2)
    belly, head = 0.055 * sampler.uniform("belly", 0.9, 1.1) * size, 0.046 * sampler.uniform("head", 0.92, 1.15) * size
    build = _Build(belly=belly, head=head, limb=0.021 * sampler.uniform("limb", 0.9, 1.15) * size)
    fur = sampler.choice("fur_kind", ("brown", "brown", "sandy", "any"))
    colour = sampler.colour("fur", hue=_FURS[fur], saturation=(0.2, 0.65), value=(0.25, 0.9), kind=fur)
    tufts = textures.noise(sampler.rng, 96, 32, 2)
    coat = textures.blend(tufts, textures.shade(colour, 0.65), textures.shade(colour, 1.15))
    pale = Material(colour=textures.shade(colour, 1.6), roughness=1.0)
    parts = [
        Part(name="fur", mesh=joined(_furry(build)), material=Material(texture=coat, roughness=1.0)),
        Part(name="pale", mesh=joined(_pale(build)), material=pale),
        Part(name="dark", mesh=joined(_dark(build)), material=Material(colour=(0.012, 0.01, 0.01), roughness=0.15)),
    ]
    if sampler.chance("has_ribbon", 0.5):
        parts.append(_ribbon(sampler, build))
    return ObjectShape(
        category="teddy bear",
        parts=tuple(parts),
        colliders=_colliders(build),
        mass_kg=sampler.uniform("mass_kg", 0.15, 0.4),
        rests=(UPRIGHT, UPRIGHT, ON_ITS_BACK),
        friction=1.0,
        rolling_friction_m=0.002,
    )


def _furry(build: _Build) -> list[Mesh]:
    b, h = build.belly, build.head
    body = ellipsoid((b, 0.9 * b, 1.1 * b), (0.0, 0.0, build.body_z), segments=22, rows=14)
    skull = ellipsoid((1.06 * h, 0.95 * h, h), (0.0, -0.1 * h, build.head_z), segments=22, rows=14)
    ears = [ellipsoid((0.36 * h, 0.17 * h, 0.36 * h), build.ear(s), segments=14, rows=8) for s in _SIDES]
    legs = [_limb(*build.leg(s), build.limb) for s in _SIDES]
    arms = [_limb(*build.arm(s), 0.85 * build.limb) for s in _SIDES]
    return [body, skull, *ears, *legs, *arms]


def _limb(first: Vec3, last: Vec3, radius_m: float) -> Mesh:
    """Returns a stuffed limb: a sweep with round ends, thicker at its paw."""
    a, b = np.asarray(first), np.asarray(last)
    way = (b - a) / np.linalg.norm(b - a)
    s = np.array([-1.0, -0.8, -0.3, 0.5])
    path = np.concatenate([a + np.outer(s * radius_m, way), b + np.outer(-s[::-1] * radius_m, way)])
    return sweep(path, radius_m * np.array([0.05, 0.55, 0.9, 0.98, 1.0, 1.0, 0.7, 0.05]), 14)


def _pale(build: _Build) -> list[Mesh]:
    """Returns muzzle, belly patch, inner ears and soles."""
    b, h, r = build.belly, build.head, build.limb
    muzzle = ellipsoid((0.46 * h, 0.42 * h, 0.36 * h), (0.0, -0.9 * h, build.head_z - 0.25 * h), segments=16, rows=10)
    patch = ellipsoid((0.62 * b, 0.3 * b, 0.7 * b), (0.0, -0.68 * b, build.body_z - 0.05 * b), segments=18, rows=10)
    pieces = [muzzle, patch]
    for side in _SIDES:
        x, y, z = build.ear(side)
        pieces.append(ellipsoid((0.22 * h, 0.1 * h, 0.22 * h), (x, y - 0.12 * h, z), segments=12, rows=8))
        sole = ellipsoid((0.72 * r, 0.12 * r, 0.72 * r), segments=14, rows=8)
        toe = Pose((side * 0.995 * b, -2.0 * b - 0.98 * r, r), quaternion_about((0.0, 0.0, 1.0), -side * 0.2))
        pieces.append(placed(sole, toe))
    return pieces


def _dark(build: _Build) -> list[Mesh]:
    """Returns eyes and nose."""
    h, z = build.head, build.head_z
    eyes = [ellipsoid((0.1 * h,) * 3, (s * 0.36 * h, -0.83 * h, z + 0.12 * h), segments=10, rows=8) for s in _SIDES]
    return [*eyes, ellipsoid((0.17 * h, 0.1 * h, 0.11 * h), (0.0, -1.29 * h, z - 0.14 * h), segments=12, rows=8)]


def _ribbon(sampler: ShapeSampler, build: _Build) -> Part:
    """Returns a ribbon around the neck with a bow in front."""
    h = build.head
    r, z = 0.66 * h, build.head_z - 0.88 * h
    turn = np.arange(24) * (2 * math.pi / 24)
    ring = np.column_stack([r * np.cos(turn), r * np.sin(turn) - 0.05 * h, np.full(24, z)])
    bow = [
        ellipsoid((0.31 * h, 0.1 * h, 0.18 * h), (s * 0.3 * h, -r - 0.16 * h, z), segments=12, rows=8) for s in _SIDES
    ]
    silk = Material(colour=sampler.colour("ribbon", saturation=(0.5, 0.95), value=(0.4, 0.95)), roughness=0.5)
    return Part(name="ribbon", mesh=joined([closed_tube(ring, 0.1 * h, 8, 1.3), *bow]), material=silk)


def _colliders(build: _Build) -> tuple[Collider, ...]:
    b, h = build.belly, build.head

    def ball(radius: float, at: Vec3) -> Collider:
        return Collider(kind="sphere", size_m=(radius, 0.0, 0.0), body_from_collider=Pose(at))

    limbs = [capsule_between(*build.leg(s), build.limb) for s in _SIDES]
    limbs += [capsule_between(*build.arm(s), 0.83 * build.limb) for s in _SIDES]
    return (
        ball(0.93 * b, (0.0, -0.04 * b, 0.91 * b)),
        ball(0.9 * b, (0.0, 0.0, build.body_z + 0.2 * b)),
        ball(0.97 * h, (0.0, -0.12 * h, build.head_z)),
        ball(0.36 * h, (0.0, -0.93 * h, build.head_z - 0.25 * h)),
        *(ball(0.3 * h, build.ear(s)) for s in _SIDES),
        *limbs,
    )
