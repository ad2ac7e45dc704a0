"""Toothbrush, hair drier and scissors: held by a handle, lying on their side."""

from __future__ import annotations

import math

import numpy as np

from scenes.meshes import Points, extrude, joined, lathe, placed, sweep
from scenes.objects.shape import UPRIGHT, ObjectShape, capsule_between, slab
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import closed_tube, rounded_slab
from scenes.transforms import Pose, Vec3, quaternion_about, rotation_from_quaternion, vec3

_Z = (0.0, 0.0, 1.0)


def _plastic(sampler: ShapeSampler) -> Material:
    return Material(colour=sampler.colour(saturation=(0.35, 0.95), value=(0.3, 1.0)), roughness=sampler.uniform(0.25, 0.6))


def toothbrush(sampler: ShapeSampler) -> ObjectShape:
    """Returns a toothbrush on its back along x: a waisted handle, a flat head, and tufts of bristles in two colours."""
    length, radius = sampler.uniform(0.165, 0.195), sampler.uniform(0.0048, 0.0065)
    head, waist = sampler.uniform(0.026, 0.034), sampler.uniform(0.55, 0.75)
    t = np.linspace(0.0, 1.0, 16)
    radii = radius * (1 - (1 - waist) * np.exp(-(((t - 0.62) / 0.16) ** 2))) * np.where(t < 0.04, 0.75, 1.0)
    radii *= np.where(t > 0.78, waist, 1.0)
    path = np.column_stack([length * t - length / 2, np.zeros(16), radii * 0.75])
    reach = path[-1, 0] - head
    handle = sweep(path[path[:, 0] < reach + 0.006], radii[path[:, 0] < reach + 0.006], 12, 0.75)
    plate_half = (head / 2 + 0.003, sampler.uniform(0.005, 0.0065), 0.0022)
    plate = rounded_slab(plate_half, (length / 2 - head / 2, 0.0, plate_half[2]), corner_m=0.005, bevel_m=0.001)
    tall = sampler.uniform(0.009, 0.012)
    tufts = _tufts(length / 2 - head / 2, head, plate_half[1], 2 * plate_half[2] - 0.0003, tall)
    grip = _grip(sampler, path, radii)
    look = _plastic(sampler)
    second = sampler.colour(saturation=(0.4, 0.9), value=(0.5, 1.0))
    parts = (
        Part(name="handle", mesh=joined([handle, plate]), material=look),
        Part(name="grip", mesh=grip, material=_plastic(sampler) if sampler.chance(0.5) else Material(colour=(0.9, 0.9, 0.9))),
        Part(name="bristles", mesh=joined(tufts[0]), material=Material(colour=(0.93, 0.93, 0.95), roughness=0.9)),
        Part(name="inner_bristles", mesh=joined(tufts[1]), material=Material(colour=second, roughness=0.9)),
    )
    middle = (reach - length / 2) / 2
    thick = float(radii[1:].max())
    colliders = (
        slab(((reach + length / 2) / 2, thick, thick * 0.75), (middle, 0.0, thick * 0.75)),
        slab(plate_half, (length / 2 - head / 2, 0.0, plate_half[2])),
        slab((head / 2, plate_half[1], tall / 2), (length / 2 - head / 2, 0.0, 2 * plate_half[2] + tall / 2)),
    )
    return ObjectShape(
        category="toothbrush", parts=parts, colliders=colliders, mass_kg=sampler.uniform(0.012, 0.025),
        rests=(UPRIGHT, quaternion_about((1.0, 0.0, 0.0), math.pi / 2), quaternion_about((1.0, 0.0, 0.0), -math.pi / 2)),
        length_m=length,
    )  # fmt: skip


def _grip(sampler: ShapeSampler, path: Points, radii: Points) -> Mesh:
    """Returns a sleeve of another colour around the thick part of the handle, a hair proud of it above."""
    low, high = 2, 2 + sampler.integer(4, 6)
    lifted = path[low:high] + [0.0, 0.0, 0.0004]
    return sweep(lifted, radii[low:high] + 0.0003, 12, 0.75)


def _tufts(x_m: float, head_m: float, half_y_m: float, bottom_m: float, tall_m: float) -> tuple[list[Mesh], list[Mesh]]:
    outer, inner = [], []
    for i in range(8):
        for j in range(3):
            at = (x_m + (i - 3.5) * head_m / 8.4, (j - 1) * half_y_m * 0.6, bottom_m)
            tip = tall_m * (1.0 if i % 2 else 0.88)
            tuft = placed(lathe([(0.0, 0.0), (0.0013, 0.0), (0.0016, tip), (0.0, tip)], 7), Pose(at))
            (inner if 2 <= i <= 5 and j == 1 else outer).append(tuft)
    return outer, inner


def hair_drier(sampler: ShapeSampler) -> ObjectShape:
    """Returns a hair drier on its side: a barrel along x with a nozzle and a grille, and a handle with a cord towards -y."""
    barrel, length = sampler.uniform(0.03, 0.041), sampler.uniform(0.1, 0.14)
    mouth, nozzle = barrel * sampler.uniform(0.55, 0.72), sampler.uniform(0.035, 0.06)
    grip, reach, lean = sampler.uniform(0.0155, 0.019), sampler.uniform(0.1, 0.13), sampler.uniform(-0.1, 0.3)
    profile = [(0.0, 0.0), (barrel * 0.72, 0.0), (barrel * 0.95, 0.012), (barrel, 0.03), (barrel * 0.97, length * 0.6)]
    profile += [(barrel * 0.78, length), (0.0, length)]
    along = quaternion_about((0.0, 1.0, 0.0), math.pi / 2)
    start = (-length / 2, 0.0, barrel)
    body = placed(lathe(profile, 28), Pose(start, along))
    tip = lathe([(0.0, -0.01), (barrel * 0.72, -0.01), (mouth, nozzle), (mouth * 0.8, nozzle), (mouth * 0.75, 0.3 * nozzle), (0.0, 0.3 * nozzle)], 24)
    tip = placed(tip, Pose((length / 2, 0.0, barrel), along))
    slots = [placed(lathe([(0.0, 0), (r, 0), (r, 0.0015), (r - 0.003, 0.0015), (r - 0.003, 0.001), (0.0, 0.001)], 24), Pose((start[0] - 0.0012, 0, barrel), along)) for r in (barrel * 0.62, barrel * 0.4, barrel * 0.2)]
    foot = -length / 2 + 0.33 * length
    # The handle sinks until it touches the ground too: what lies on its side rests on barrel and handle.
    drop = (barrel - grip) * 0.98
    line = [np.array([foot + lean * reach * s, -0.55 * barrel - reach * s, barrel - drop * s]) for s in np.linspace(0, 1, 6)]
    handle = sweep(line, grip * np.array([1.12, 1.0, 0.98, 1.0, 1.03, 0.8]), 16)
    end = line[-1]
    cord = sweep([end + [0, 0.004, -0.2 * grip], end + [0.004, -0.02, -0.45 * grip], end + [0.018, -0.036, 0.004 - end[2]], end + [0.04, -0.042, 0.0032 - end[2]]], [0.003] * 4, 8)
    switch = rounded_slab((0.004, 0.012, 0.003), vec3((line[2] + line[3]) / 2 + [0, 0, grip]), corner_m=0.002, bevel_m=0.001)
    look = _plastic(sampler)
    if sampler.chance(0.5):
        tone = sampler.choice((0.02, 0.05, 0.8))
        look = Material(colour=(tone, tone, tone), roughness=0.35)
    trim = Material(colour=(0.06, 0.06, 0.065) if max(look.colour) > 0.25 else (0.55, 0.55, 0.58), roughness=0.4)
    parts = (
        Part(name="body", mesh=joined([body, handle]), material=look),
        Part(name="trim", mesh=joined([tip, switch, *slots]), material=trim),
        Part(name="cord", mesh=cord, material=Material(colour=(0.02, 0.02, 0.02), roughness=0.7)),
    )
    return ObjectShape(
        category="hair drier", parts=parts, mass_kg=sampler.uniform(0.35, 0.65), rolling_friction_m=0.001,
        colliders=(
            _round_along_x(barrel * 0.985, start[0], length * 0.75 + start[0], barrel),
            _round_along_x(barrel * 0.85, length * 0.25, length / 2, barrel),
            _round_along_x(mouth, length / 2, length / 2 + nozzle, barrel),
            capsule_between(vec3(line[0]), vec3(line[-1] + [0, 0.8 * grip, 0]), grip),
        ),
    )  # fmt: skip


def _round_along_x(radius_m: float, low_m: float, high_m: float, height_m: float) -> Collider:
    pose = Pose(((low_m + high_m) / 2, 0.0, height_m), quaternion_about((0.0, 1.0, 0.0), math.pi / 2))
    return Collider(kind="cylinder", size_m=(radius_m, (high_m - low_m) / 2, 0.0), body_from_collider=pose)


def scissors(sampler: ShapeSampler) -> ObjectShape:
    """Returns scissors, a little open, pointing along +x: two blades on a pivot, each with a loop for fingers."""
    blade, back = sampler.uniform(0.075, 0.115), sampler.uniform(0.03, 0.05)
    wide, opening = sampler.uniform(0.007, 0.011), sampler.uniform(0.1, 0.38)
    loop_x, loop_y = sampler.uniform(0.017, 0.024), sampler.uniform(0.0125, 0.017)
    thick, tube = 0.0022, sampler.uniform(0.0032, 0.0045)
    outline = [(-back, -0.5 * wide), (0.0, -0.55 * wide), (blade * 0.6, -0.35 * wide), (blade, 0.5 * wide)]
    outline += [(0.0, 0.6 * wide), (-back, 0.3 * wide)]
    lift = tube - thick
    blades, loops, colliders = [], [], []
    for side in (-1, 1):
        turn = quaternion_about(_Z, side * opening / 2)
        height = lift + (thick if side > 0 else 0.0)
        shape = [(x, side * y) for x, y in outline]
        shape = shape if side > 0 else shape[::-1]
        pose = Pose((0.0, 0.0, height), turn)
        blades.append(placed(extrude(shape, thick, 0.05), pose))
        middle = (-back - loop_x * 0.85, -side * (loop_y * 0.9 + 0.001), 0.0)
        ring, balls = _loop(middle, loop_x, loop_y, tube, turn)
        loops.append(ring)
        colliders += [_blade_box(0.0, blade, wide * 0.5, thick, pose), _blade_box(-back, 0.0, wide * 0.5, thick, pose), *balls]
    pivot = placed(lathe([(0.0, 0.0), (0.0045, 0.0), (0.0035, 0.0012), (0.0, 0.0014)], 14), Pose((0.0, 0.0, lift + 2 * thick)))
    tone = sampler.uniform(0.5, 0.8)
    steel = Material(colour=(tone, tone, tone * 1.03), roughness=0.25, metallic=0.9)
    grips = _plastic(sampler) if sampler.chance(0.75) else Material(colour=(0.02, 0.02, 0.02), roughness=0.5)
    return ObjectShape(
        category="scissors",
        parts=(
            Part(name="blades", mesh=joined([*blades, pivot]), material=steel),
            Part(name="loops", mesh=joined(loops), material=grips),
        ),
        colliders=tuple(colliders), mass_kg=sampler.uniform(0.05, 0.12),
        rests=(UPRIGHT, quaternion_about((1.0, 0.0, 0.0), math.pi)),
    )  # fmt: skip


def _blade_box(low_m: float, high_m: float, half_y_m: float, thick_m: float, pose: Pose) -> Collider:
    rotation = rotation_from_quaternion(pose.quaternion_wxyz)
    center = vec3(rotation @ np.array([(low_m + high_m) / 2, 0.0, thick_m / 2]) + pose.position_m)
    size = ((high_m - low_m) / 2, half_y_m, thick_m / 2)
    return Collider(kind="box", size_m=size, body_from_collider=Pose(center, pose.quaternion_wxyz))


def _loop(middle: Vec3, loop_x: float, loop_y: float, tube: float, turn: tuple[float, ...]) -> tuple[Mesh, list[Collider]]:
    """Returns a finger loop lying on z = 0, turned about the pivot, and its ring of capsules."""
    rotation = rotation_from_quaternion(turn)
    angle = np.arange(24) * (2 * math.pi / 24)
    path = np.column_stack([middle[0] + loop_x * np.cos(angle), middle[1] + loop_y * np.sin(angle), np.full(24, tube)])
    path = path @ rotation.T
    knots = [vec3(p) for p in path[::3]]
    capsules = [capsule_between(a, b, tube) for a, b in zip(knots, [*knots[1:], knots[0]], strict=True)]
    return closed_tube(path, tube, 10), capsules
