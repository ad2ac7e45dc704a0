"""Balls: one sphere, and the pattern of each game as a function of the direction from the middle."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes import textures
from scenes.meshes import placed
from scenes.objects.shape import UPRIGHT, ObjectShape
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Part
from scenes.solids import ellipsoid
from scenes.transforms import Pose, Vec3, quaternion_about

_X = (1.0, 0.0, 0.0)
_GOLDEN = (1 + math.sqrt(5)) / 2


@shaped("sports ball")
def sports_ball(sampler: ShapeSampler) -> ObjectShape:
    """Returns a ball for tennis, baseball, football, basketball, volleyball or the beach."""
    make, low, high, mass = sampler.choice("kind", _BALLS, names=_NAMES)
    radius = sampler.uniform(f"{make.__name__[1:]}.radius_m", low, high)
    rows, columns = (160, 320) if radius > 0.05 else (96, 192)
    v, u = (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns
    # Row 0 is v = 1, the upper pole.
    latitude, turn = math.pi * (0.5 - v)[:, None], 2 * math.pi * u[None, :]
    level = np.cos(latitude)
    direction = np.stack(np.broadcast_arrays(level * np.cos(turn), level * np.sin(turn), np.sin(latitude)), axis=-1)
    drawn = (255 * np.clip(make(sampler, direction), 0, 1) + 0.5).astype(np.uint8)
    image = cv2.GaussianBlur(drawn, (3, 3), 0).astype(np.uint8)
    tilt = quaternion_about((1.0, 0.4, 0.0), 2 * math.pi * sampler.uniform("turn", 0.0, 1.0))
    skin = placed(ellipsoid((radius, radius, radius), segments=36, rows=22), Pose((0.0, 0.0, radius), tilt))
    return ObjectShape(
        category="sports ball",
        parts=(Part(name="skin", mesh=skin, material=Material(texture=image, roughness=sampler.uniform("roughness", 0.4, 0.8))),),
        colliders=(Collider(kind="sphere", size_m=(radius * 0.998, 0.0, 0.0), body_from_collider=Pose((0.0, 0.0, radius))),),
        mass_kg=mass * sampler.uniform("mass_factor", 0.92, 1.08),
        rests=(UPRIGHT, quaternion_about(_X, 1.3)), rolling_friction_m=0.003,
    )  # fmt: skip


Directions = NDArray[np.float64]


def _mix(field: NDArray[np.floating], low: Vec3, high: Vec3) -> Directions:
    mixed: Directions = np.asarray(low) + np.clip(field, 0, 1)[..., None] * (np.asarray(high) - np.asarray(low))
    return mixed


def _grain(sampler: ShapeSampler, direction: Directions, tiles: float) -> NDArray[np.float32]:
    """Returns noise on the sphere without poles: three flat noises, each where its plane faces best."""
    flat = textures.noise(sampler.rng, 128, 42, 1)
    weight, total = np.abs(direction) ** 6, np.zeros(direction.shape[:2])
    for axis in range(3):
        place = (direction * 64 * tiles).astype(int) % 128
        total += weight[..., axis] * flat[place[..., (axis + 1) % 3], place[..., (axis + 2) % 3]]
    grain: NDArray[np.float32] = (total / weight.sum(axis=-1)).astype(np.float32)
    return grain


def _seam(direction: Directions, wave: float) -> NDArray[np.float64]:
    """Returns the distance from the closed curve of a tennis ball or a baseball, in units of the radius."""
    t = np.linspace(0, 2 * math.pi, 240, endpoint=False)
    curve = np.stack(
        [np.cos(t) + wave * np.cos(3 * t), np.sin(t) - wave * np.sin(3 * t), 2 * math.sqrt(wave) * np.sin(2 * t)], 1
    )
    curve /= np.linalg.norm(curve, axis=1, keepdims=True)
    nearest = (direction.reshape(-1, 3) @ curve.T).max(axis=1).reshape(direction.shape[:2])
    distance: NDArray[np.float64] = np.arccos(np.clip(nearest, -1, 1))
    return distance


def _tennis(sampler: ShapeSampler, direction: Directions) -> Directions:
    felt = sampler.colour("tennis.felt", hue=(0.17, 0.23), saturation=(0.6, 0.9), value=(0.8, 1.0))
    ground = _mix(_grain(sampler, direction, 2.0), textures.shade(felt, 0.8), felt)
    return np.where((_seam(direction, 0.4) < 0.07)[..., None], np.array([0.95, 0.95, 0.93]), ground)


def _baseball(sampler: ShapeSampler, direction: Directions) -> Directions:
    near, red = (
        _seam(direction, 0.4),
        np.array(sampler.colour("baseball.stitches", hue=(0.97, 1.02), saturation=(0.7, 0.9), value=(0.6, 0.8))),
    )
    turn = np.arctan2(direction[..., 1], direction[..., 0])
    stitch = (near < 0.13) & (near > 0.03) & (np.sin(70 * turn + 40 * direction[..., 2]) > 0.2)
    tone = sampler.uniform("baseball.white", 0.88, 0.97)
    ground = np.broadcast_to(np.array([tone, tone, tone * 0.95]), direction.shape)
    return np.where((stitch | (near < 0.012))[..., None], red, ground)


def _football(sampler: ShapeSampler, direction: Directions) -> Directions:
    """A truncated icosahedron: the face hit first by a direction is the one whose plane is nearest along it."""
    signs = [(a, b) for a in (-1, 1) for b in (-1, 1)]
    pentagons: list[tuple[float, ...]] = [
        p for a, b in signs for p in ((0, a, b * _GOLDEN), (a, b * _GOLDEN, 0), (b * _GOLDEN, 0, a))
    ]
    hexagons: list[tuple[float, ...]] = [(a, b, c) for a, b in signs for c in (-1, 1)]
    hexagons += [
        p
        for a, b in signs
        for p in ((0, a / _GOLDEN, b * _GOLDEN), (a / _GOLDEN, b * _GOLDEN, 0), (b * _GOLDEN, 0, a / _GOLDEN))
    ]
    normals = np.array([*pentagons, *hexagons], dtype=np.float64)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    # Distances of the faces from the middle, for edges of length 1.
    planes = np.where(np.arange(32) < 12, 2.3274, 2.2673)
    reach = direction @ normals.T / planes
    best = np.sort(reach, axis=-1)
    drawn = sampler.colour("football.patch", saturation=(0.6, 0.9), value=(0.3, 0.8))
    black = (0.03, 0.03, 0.04)
    dark = sampler.choice("football.patch_is", (black, black, drawn), names=("black", "black", "colour"))
    ball = np.where((reach.argmax(axis=-1) < 12)[..., None], np.array(dark), np.array([0.95, 0.95, 0.95]))
    return np.where((best[..., -1] - best[..., -2] < 0.006)[..., None], np.array([0.25, 0.25, 0.27]), ball)


def _basketball(sampler: ShapeSampler, direction: Directions) -> Directions:
    skin = sampler.colour("basketball.skin", hue=(0.045, 0.075), saturation=(0.75, 0.95), value=(0.65, 0.9))
    x, y, z = direction[..., 0], direction[..., 1], direction[..., 2]
    bow = np.minimum(np.abs(np.hypot(y, z - 1.55) - 1.1), np.abs(np.hypot(y, z + 1.55) - 1.1))
    line = np.minimum(np.minimum(np.abs(y), np.abs(z)), np.where(np.abs(x) > 0, bow, 1.0))
    grain = _grain(sampler, direction, 1.0)
    return np.where(
        (line < 0.025)[..., None], np.array([0.04, 0.03, 0.03]), _mix(grain, textures.shade(skin, 0.85), skin)
    )


def _volleyball(sampler: ShapeSampler, direction: Directions) -> Directions:
    """Six faces of a cube, each of three bands; neighbours turn by a quarter."""
    size, axis = np.abs(direction), np.abs(direction).argmax(axis=-1)
    across = np.take_along_axis(direction, ((axis + 1) % 3)[..., None], axis=-1)[..., 0] / size.max(axis=-1)
    second = np.sort(size, axis=-1)[..., 1] / size.max(axis=-1)
    band = np.floor((np.arctan(across) / (math.pi / 4) + 1) * 1.5)
    first, other = (
        sampler.colour("volleyball.first", saturation=(0.6, 0.95), value=(0.5, 0.95)),
        sampler.colour("volleyball.second", saturation=(0.0, 0.9), value=(0.85, 1.0)),
    )
    ball = np.where((band == 1)[..., None], np.array(first), np.array(other))
    edge = np.abs((np.arctan(across) / (math.pi / 4) + 1) * 1.5 % 1.0 - 0.5) > 0.47
    return np.where((edge | (second > 0.975))[..., None], np.array([0.3, 0.3, 0.33]), ball)


def _beach(sampler: ShapeSampler, direction: Directions) -> Directions:
    count = sampler.choice("beach.stripes", (6, 8))
    turn = (np.arctan2(direction[..., 1], direction[..., 0]) / (2 * math.pi) * count) % count
    colours = np.array(
        [
            sampler.colour("beach.stripe", saturation=(0.6, 1.0), value=(0.7, 1.0))
            if k % 2 == 0
            else (0.97, 0.97, 0.97)
            for k in range(count)
        ]
    )
    ball = colours[np.floor(turn).astype(int) % count]
    return np.where((np.abs(direction[..., 2]) > 0.975)[..., None], np.array([0.97, 0.97, 0.97]), ball)


_BALLS: tuple[tuple[Callable[[ShapeSampler, Directions], Directions], float, float, float], ...] = (
    (_tennis, 0.0325, 0.034, 0.058),
    (_baseball, 0.036, 0.0375, 0.145),
    (_football, 0.1, 0.112, 0.42),
    (_basketball, 0.112, 0.121, 0.6),
    (_volleyball, 0.1, 0.106, 0.27),
    (_beach, 0.09, 0.14, 0.09),
)
_NAMES = tuple(make.__name__[1:] for make, *_ in _BALLS)
