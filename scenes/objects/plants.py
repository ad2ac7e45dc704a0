"""Potted plants of three growths, from a tabletop's to a corner's: the pot stands on z = 0."""

from __future__ import annotations

import math

import numpy as np

from scenes import textures
from scenes.meshes import moved, sweep, warp
from scenes.objects import _furnishing as looks
from scenes.objects._assembly import Assembly, about_z
from scenes.objects.shape import ObjectShape
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh
from scenes.transforms import Pose

PLANT_HEIGHTS_M = {"corner": (0.7, 1.4), "wall": (0.8, 1.4), "tabletop": (0.22, 0.36)}


def potted_plant(sampler: ShapeSampler) -> ObjectShape:
    """Returns a plant of 0.3 to 1.4 m in a pot."""
    return plant_of(
        sampler,
        sampler.uniform("big.height_m", 0.7, 1.4)
        if sampler.chance("is_big", 0.6)
        else sampler.uniform("small.height_m", 0.28, 0.42),
    )


def plant_for(sampler: ShapeSampler, where: str) -> ObjectShape:
    """Returns a plant of the height that plants have in a place: a key of PLANT_HEIGHTS_M."""
    return plant_of(sampler, sampler.uniform(f"{where}.height_m", *PLANT_HEIGHTS_M[where]))


def plant_of(sampler: ShapeSampler, height: float) -> ObjectShape:
    """Returns a plant of that height: sword leaves, a bush of broad leaves, or a palm."""
    big = height > 0.6
    radius = (
        sampler.uniform("big.pot_radius_m", 0.12, 0.17) if big else sampler.uniform("small.pot_radius_m", 0.055, 0.075)
    )
    pot = radius * sampler.uniform("pot_height", 1.5, 1.9)
    green = sampler.colour("leaf", hue=(0.22, 0.4), saturation=(0.4, 0.85), value=(0.25, 0.65))
    leaf = Material(texture=textures.plain(sampler.of("leaf"), green), roughness=0.55)
    clay = looks.paint(sampler.of("pot"), value=(0.3, 0.95), saturation=(0.0, 0.7))
    soil = Material(colour=(0.03, 0.02, 0.012), roughness=0.95)
    made = Assembly(
        pot=clay, soil=soil, stem=Material(colour=looks.linear((0.36, 0.26, 0.15)), roughness=0.9), leaves=leaf
    )
    foot = radius * sampler.uniform("pot_foot", 0.6, 0.9)
    made.turned(
        "pot",
        [
            (0, 0),
            (foot, 0),
            (radius, pot - 0.02),
            (radius * 1.06, pot - 0.02),
            (radius * 1.06, pot),
            (radius * 0.92, pot),
            (radius * 0.9, pot - 0.025),
            (0, pot - 0.025),
        ],
    )
    made.turned(
        "soil",
        [(0, pot - 0.03), (radius * 0.88, pot - 0.03), (radius * 0.88, pot - 0.015), (0, pot - 0.012)],
        touch=False,
    )
    kind = sampler.choice("kind", ("swords", "bush", "bush", "palm"))
    leaves = {"swords": _swords, "bush": _bush, "palm": _palm}[kind](sampler, height - pot, radius)
    for shape in leaves:
        made.mesh("leaves", moved(shape, Pose((0.0, 0.0, pot - 0.02))))
    if kind == "palm":
        made.rod("stem", (0, 0, pot - 0.03), (0, 0, pot + 0.4 * (height - pot)), 0.12 * radius, touch=False)
    points = np.concatenate([shape.vertices for shape in leaves])
    spread = float(np.hypot(points[:, 0], points[:, 1]).max())
    top, low = float(points[:, 2].max()), max(float(points[:, 2].min()), 0.03)
    size = (spread, (top - low) / 2, 0.0)
    made.touch(
        Collider(kind="cylinder", size_m=size, body_from_collider=Pose((0.0, 0.0, pot - 0.02 + (top + low) / 2)))
    )
    return made.finish("potted plant", (14.0 if big else 1.2) * sampler.uniform("mass_factor", 0.6, 1.2))


def _leaf(length: float, width: float, droop_rad: float, lift_rad: float, turn_rad: float) -> Mesh:
    """Returns a flat leaf from the origin: it rises at `lift_rad` above level and bends down by `droop_rad` on its way."""
    t = np.linspace(0, 1, 7)
    angle = lift_rad - droop_rad * t
    step = length / 6
    x = np.concatenate([[0], np.cumsum(np.cos(angle[:-1]) * step)])
    z = np.concatenate([[0], np.cumsum(np.sin(angle[:-1]) * step)])
    path = np.stack([x, 0 * x, z], axis=1)
    blade = sweep(
        path, np.maximum(width * np.sin(np.pi * np.clip(0.12 + 0.88 * t, 0, 1)) ** 0.7, 0.0015), 6, squash=1.0
    )
    # Flattened along its own normal: the sweep's section is round, a leaf is a millimetre or two thick.
    spine = np.stack([np.interp(blade.vertices[:, 0], x, x), np.interp(blade.vertices[:, 0], x, z)], axis=1)

    def flat(points: np.ndarray) -> np.ndarray:
        points[:, 2] = spine[:, 1] + 0.06 * (points[:, 2] - spine[:, 1]) + 2.0 * np.abs(points[:, 1]) * 0.12
        return points

    flattened = warp(blade, flat) if x[-1] > 0.5 * length else blade
    return moved(flattened, Pose((0.0, 0.0, 0.0), about_z(turn_rad)))


def _swords(sampler: ShapeSampler, height: float, radius: float) -> list[Mesh]:
    leaves = []
    for _ in range(sampler.integer("swords.count", 7, 13)):
        length, width = height * sampler.uniform("swords.length", 0.55, 1.0), 0.09 * radius + 0.012 * math.sqrt(height)
        t = np.linspace(0, 1, 6)
        path = np.stack([0.08 * height * t**2, 0 * t, length * t], axis=1)
        blade = sweep(path, width * np.clip(1.6 * np.sqrt(1.001 - t), 0.04, 1.0), 6, squash=0.12)
        x, y = (sampler.uniform("swords.spread", -0.45, 0.45) * radius for _ in range(2))
        leaves.append(
            moved(blade, Pose((x, y, 0.0), about_z(math.atan2(y, x) + sampler.uniform("swords.turn_rad", -0.6, 0.6))))
        )
    return leaves


def _bush(sampler: ShapeSampler, height: float, radius: float) -> list[Mesh]:
    leaves = []
    for k in range(sampler.integer("bush.count", 22, 34)):
        share = sampler.uniform("bush.at", 0.0, 1.0)
        size = height * sampler.uniform("bush.size", 0.2, 0.34)
        turn = 2.399963 * k + sampler.uniform("bush.turn_rad", -0.3, 0.3)  # the golden angle, as leaves grow
        leaf = _leaf(
            size,
            0.32 * size,
            sampler.uniform("bush.lift_rad", 0.5, 1.1),
            sampler.uniform("bush.bend_rad", 0.1, 0.9),
            turn,
        )
        reach = 0.35 * radius * (1 - share)
        at = (reach * math.cos(turn), reach * math.sin(turn), 0.1 * height + 0.68 * height * share)
        stalk = sweep(np.array([[0.0, 0.0, 0.0], [at[0], at[1], at[2] + 0.002]]), [0.012 * height] * 2, 5)
        leaves += [moved(leaf, Pose(at)), stalk]
    return leaves


def _palm(sampler: ShapeSampler, height: float, radius: float) -> list[Mesh]:
    leaves = []
    count = sampler.integer("palm.count", 9, 14)
    for k in range(count):
        turn = 2 * math.pi * k / count + sampler.uniform("palm.turn_rad", -0.2, 0.2)
        length = height * sampler.uniform("palm.length", 0.5, 0.68)
        leaf = _leaf(
            length,
            0.1 * length + 0.1 * radius,
            sampler.uniform("palm.lift_rad", 1.2, 1.9),
            sampler.uniform("palm.bend_rad", 0.75, 1.25),
            turn,
        )
        leaves.append(moved(leaf, Pose((0.0, 0.0, 0.4 * height))))
    return leaves
