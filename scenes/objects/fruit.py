"""Banana, apple and orange."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from scenes import textures
from scenes.meshes import lathe, sweep
from scenes.objects.shape import UPRIGHT, ObjectShape, capsule_between
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Part
from scenes.transforms import Pose, quaternion_about

TIPPED = quaternion_about((1.0, 0.0, 0.0), 1.2)
_APPLE_HUES = {"red": (0.94, 1.03), "green": (0.2, 0.3), "yellow": (0.12, 0.16)}


@shaped("banana")
def banana(sampler: ShapeSampler) -> ObjectShape:
    """Returns a banana lying on its side: a rounded section swept along an arc, with a stem."""
    bend, span = sampler.uniform("bend_radius_m", 0.09, 0.14), sampler.uniform("bend_rad", 1.15, 1.6)
    radius = sampler.uniform("radius_m", 0.0145, 0.019)
    angle = np.linspace(-span / 2, span / 2, 15)
    path = np.stack(
        [bend * np.sin(angle), bend * np.cos(angle) - bend * math.cos(span / 4), np.full(15, radius)], axis=1
    )
    t = np.linspace(-1, 1, 15)
    taper = np.clip(1.0 - np.abs(t) ** 5 * 0.75, 0.2, 1.0)
    body = sweep(path, radius * taper, segments=7)
    stem_path = np.stack([path[-1], path[-1] + 0.016 * (path[-1] - path[-2]) / np.linalg.norm(path[-1] - path[-2])])
    stem = sweep(stem_path, np.full(2, radius * 0.26), segments=6)
    skin = sampler.colour("skin", hue=(0.115, 0.19), saturation=(0.65, 0.95), value=(0.75, 1.0))
    brown = textures.shade(sampler.colour("freckle", hue=(0.06, 0.12), saturation=(0.4, 0.8), value=(0.2, 0.45)), 1.0)
    freckled = textures.blend(
        (textures.noise(sampler.rng, 64, 12) > sampler.uniform("freckle_threshold", 0.62, 0.9)).astype(np.float32),
        skin,
        textures.shade(brown, 1.5),
    )
    knots = path[[1, 4, 7, 10, 13]]
    colliders = tuple(capsule_between(list(a), list(b), radius * 0.97) for a, b in pairwise(knots))
    return ObjectShape(
        category="banana",
        parts=(
            Part(name="skin", mesh=body, material=Material(texture=freckled, roughness=0.6)),
            Part(name="stem", mesh=stem, material=Material(colour=brown, roughness=0.8)),
        ),
        colliders=colliders,
        mass_kg=sampler.uniform("mass_kg", 0.1, 0.16),
        rolling_friction_m=0.001,
    )


@shaped("apple")
def apple(sampler: ShapeSampler) -> ObjectShape:
    """Returns an apple: a ball dimpled at both ends, with a stem."""
    radius = sampler.uniform("radius_m", 0.031, 0.042)
    dimple, shoulder = sampler.uniform("dimple", 0.12, 0.2), sampler.uniform("shoulder", 0.04, 0.1)
    angle = np.linspace(-math.pi / 2, math.pi / 2, 17)
    r = radius * np.cos(angle) * (1.0 + shoulder * np.sin(angle))
    z = radius * np.sin(angle) * 0.97 - radius * dimple * (np.exp(-((r / radius / 0.28) ** 2))) * np.sign(np.sin(angle))
    low = float(z.min())
    profile = [(max(float(a), 0.0), float(b) - low) for a, b in zip(r, z, strict=True)]
    profile[0], profile[-1] = (0.0, profile[0][1]), (0.0, profile[-1][1])
    body = lathe(profile, 28)
    top = profile[-1][1]
    lean = sampler.uniform("stalk_lean", -0.3, 0.3)
    stem_path = np.array([[0, 0, top - 0.002], [0.003 * lean, 0, top + 0.008], [0.014 * lean, 0, top + 0.016]])
    kind = sampler.choice("skin_kind", ("red", "red", "green", "yellow"))
    skin = sampler.colour("skin", hue=_APPLE_HUES[kind], saturation=(0.6, 0.95), value=(0.5, 0.9), kind=kind)
    blush = sampler.colour("blush", hue=(0.95, 1.12), saturation=(0.5, 0.9), value=(0.6, 0.95))
    cheek = textures.blend(textures.noise(sampler.rng, 64, 3), skin, blush)
    center = Pose((0.0, 0.0, -low))
    return ObjectShape(
        category="apple",
        parts=(
            Part(
                name="skin",
                mesh=body,
                material=Material(texture=cheek, roughness=sampler.uniform("roughness", 0.2, 0.5)),
            ),
            Part(
                name="stem",
                mesh=sweep(stem_path, [0.0014, 0.0012, 0.0018], 6),
                material=Material(colour=(0.28, 0.18, 0.08)),
            ),
        ),
        colliders=(Collider(kind="sphere", size_m=(-low * 0.99, 0.0, 0.0), body_from_collider=center),),
        mass_kg=sampler.uniform("mass_kg", 0.12, 0.22),
        rests=(UPRIGHT, UPRIGHT, TIPPED),
        rolling_friction_m=0.002,
    )


@shaped("orange")
def orange(sampler: ShapeSampler) -> ObjectShape:
    """Returns an orange: a ball with a peel texture."""
    radius = sampler.uniform("radius_m", 0.032, 0.043)
    angle = np.linspace(-math.pi / 2, math.pi / 2, 15)
    profile = [(max(radius * math.cos(a), 0.0), radius * (1 + math.sin(a))) for a in angle]
    profile[0], profile[-1] = (0.0, 0.0), (0.0, 2 * radius)
    skin = sampler.colour("skin", hue=(0.06, 0.1), saturation=(0.85, 1.0), value=(0.8, 1.0))
    return ObjectShape(
        category="orange",
        parts=(
            Part(
                name="peel",
                mesh=lathe(profile, 28),
                material=Material(
                    texture=textures.speckle(sampler, skin), roughness=sampler.uniform("roughness", 0.4, 0.7)
                ),
            ),
        ),
        colliders=(Collider(kind="sphere", size_m=(radius, 0.0, 0.0), body_from_collider=Pose((0.0, 0.0, radius))),),
        mass_kg=sampler.uniform("mass_kg", 0.14, 0.25),
        rests=(UPRIGHT, TIPPED),
        rolling_friction_m=0.002,
    )
