"""A hair drier on its side, lying on barrel and handle."""

from __future__ import annotations

import math

import numpy as np

from scenes.meshes import Points, joined, lathe, placed, sweep
from scenes.objects.plastic import plastic
from scenes.objects.shape import ObjectShape, capsule_between
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import rounded_slab
from scenes.transforms import Pose, quaternion_about, vec3

_ALONG_X = quaternion_about((0.0, 1.0, 0.0), math.pi / 2)
_RUBBER = Material(colour=(0.02, 0.02, 0.02), roughness=0.7)


@shaped("hair drier")
def hair_drier(sampler: ShapeSampler) -> ObjectShape:
    """Returns a barrel along x with a nozzle and a grille, and a handle with a switch and a cord towards -y."""
    barrel, length = sampler.uniform("barrel_radius_m", 0.03, 0.041), sampler.uniform("length_m", 0.1, 0.14)
    mouth, nozzle = barrel * sampler.uniform("mouth", 0.55, 0.72), sampler.uniform("nozzle_m", 0.035, 0.06)
    grip = sampler.uniform("grip_radius_m", 0.0155, 0.019)
    line = _handle_line(sampler, barrel, length, grip)
    handle = sweep(line, grip * np.array([1.12, 1.0, 0.98, 1.0, 1.03, 0.8]), 16)
    at = np.add((line[2] + line[3]) / 2, (0.0, 0.0, grip))
    switch = rounded_slab((0.004, 0.012, 0.003), vec3(at), corner_m=0.002, bevel_m=0.001)
    look = _housing(sampler)
    trim = Material(colour=(0.06, 0.06, 0.065) if max(look.colour) > 0.25 else (0.55, 0.55, 0.58), roughness=0.4)
    front = _nozzle(barrel, length, mouth, nozzle)
    parts = (
        Part(name="body", mesh=joined([_barrel(barrel, length), handle]), material=look),
        Part(name="trim", mesh=joined([front, switch, *_grille(barrel, length)]), material=trim),
        Part(name="cord", mesh=_cord(line[-1], grip), material=_RUBBER),
    )
    back = -length / 2
    colliders = (
        _round_along_x(barrel * 0.985, back, length * 0.25, barrel),
        _round_along_x(barrel * 0.85, length * 0.25, length / 2, barrel),
        _round_along_x(mouth, length / 2, length / 2 + nozzle, barrel),
        capsule_between(vec3(line[0]), vec3(np.add(line[-1], (0.0, 0.8 * grip, 0.0))), grip),
    )
    return ObjectShape(
        category="hair drier",
        parts=parts,
        colliders=colliders,
        mass_kg=sampler.uniform("mass_kg", 0.35, 0.65),
        rolling_friction_m=0.001,
    )


def _housing(sampler: ShapeSampler) -> Material:
    if sampler.chance("is_grey", 0.5):
        return plastic(sampler.of("housing"))
    tone = sampler.choice("grey", (0.02, 0.05, 0.8))
    return Material(colour=(tone, tone, tone), roughness=0.35)


def _handle_line(sampler: ShapeSampler, barrel: float, length: float, grip: float) -> Points:
    """Returns the middle line of the handle (6, 3); it sinks until the handle touches the ground as the barrel does."""
    reach, lean = sampler.uniform("handle_reach_m", 0.1, 0.13), sampler.uniform("handle_lean_rad", -0.1, 0.3)
    s = np.linspace(0.0, 1.0, 6)
    drop = (barrel - grip) * 0.98
    return np.column_stack([-0.17 * length + lean * reach * s, -0.55 * barrel - reach * s, barrel - drop * s])


def _barrel(barrel: float, length: float) -> Mesh:
    profile = [(0.0, 0.0), (barrel * 0.72, 0.0), (barrel * 0.95, 0.012), (barrel, 0.03), (barrel * 0.97, length * 0.6)]
    profile += [(barrel * 0.78, length), (0.0, length)]
    return placed(lathe(profile, 28), Pose((-length / 2, 0.0, barrel), _ALONG_X))


def _nozzle(barrel: float, length: float, mouth: float, nozzle: float) -> Mesh:
    outside = [(0.0, -0.01), (barrel * 0.72, -0.01), (mouth, nozzle)]
    inside = [(mouth * 0.8, nozzle), (mouth * 0.75, 0.3 * nozzle), (0.0, 0.3 * nozzle)]
    return placed(lathe([*outside, *inside], 24), Pose((length / 2, 0.0, barrel), _ALONG_X))


def _grille(barrel: float, length: float) -> list[Mesh]:
    """Returns three rings on the back."""
    rings = []
    for k, r in enumerate((barrel * 0.62, barrel * 0.4, barrel * 0.2)):
        profile = [(0.0, 0.0), (r, 0.0), (r, 0.0015), (r - 0.003, 0.0015), (r - 0.003, 0.001), (0.0, 0.001)]
        rings.append(placed(lathe(profile, 24), Pose((-length / 2 - 0.0012 - 0.0001 * k, 0.0, barrel), _ALONG_X)))
    return rings


def _cord(end: Points, grip: float) -> Mesh:
    """Returns a piece of cord that leaves the handle and bends down to the ground."""
    radius = 0.003
    down = radius - float(end[2])
    steps = (
        (0.0, 0.004, -0.2 * grip),
        (0.004, -0.02, -0.45 * grip),
        (0.018, -0.036, down + 0.001),
        (0.04, -0.042, down),
    )
    t = np.linspace(0.0, 3.0, 10)
    bend = np.column_stack([np.interp(t, range(4), [step[k] for step in steps]) for k in range(3)])
    return sweep(end + bend, np.full(10, radius), 8)


def _round_along_x(radius_m: float, low_m: float, high_m: float, height_m: float) -> Collider:
    pose = Pose(((low_m + high_m) / 2, 0.0, height_m), _ALONG_X)
    return Collider(kind="cylinder", size_m=(radius_m, (high_m - low_m) / 2, 0.0), body_from_collider=pose)
