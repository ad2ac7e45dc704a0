"""Clocks that face -y: alarm clock, desk clock, digits in a box."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes import textures
from scenes.meshes import cuboid, joined, lathe, placed, sweep
from scenes.objects.shape import ObjectShape, slab
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import ellipsoid, planar, rounded_slab
from scenes.transforms import Pose, quaternion_about

_X = (1.0, 0.0, 0.0)
_FACING = quaternion_about(_X, math.pi / 2)


@shaped("clock")
def clock(sampler: ShapeSampler) -> ObjectShape:
    """Returns a clock that faces -y: an alarm clock with two bells, a round or square desk clock, or digits in a box."""
    make = sampler.choice("kind", (_alarm, _alarm, _desk, _desk, _digital))
    return make(sampler)


def _case(sampler: ShapeSampler) -> Material:
    if sampler.chance("is_metal", 0.35):
        tone = sampler.uniform("grey", 0.5, 0.8)
        return Material(colour=(tone, tone, tone * sampler.uniform("warmth", 0.6, 1.0)), roughness=0.25, metallic=0.8)
    return Material(colour=sampler.colour("colour", saturation=(0.1, 0.95), value=(0.1, 0.9)), roughness=0.4)


def _dial(sampler: ShapeSampler) -> NDArray[np.uint8]:
    """Draws a dial, sRGB (256, 256, 3): a pale or dark ground, marks for minutes and hours, numerals, two hands."""
    dark = sampler.chance("is_dark_dial", 0.2)
    ground = sampler.colour("dial", saturation=(0.0, 0.12), value=(0.92, 1.0)) if not dark else (0.06, 0.06, 0.08)
    ink = (20, 20, 24) if not dark else (235, 235, 235)
    image = np.full((256, 256, 3), [int(255 * c) for c in ground], dtype=np.uint8)
    for k in range(60):
        a = k * math.pi / 30
        inner = 92 if k % 5 == 0 else 106
        ends = [(round(128 + r * math.sin(a)), round(128 - r * math.cos(a))) for r in (inner, 114)]
        cv2.line(image, ends[0], ends[1], ink, 5 if k % 5 == 0 else 1, cv2.LINE_AA)
    if sampler.chance("has_numbers", 0.75):
        for k in range(1, 13):
            a, text = k * math.pi / 6, str(k)
            (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 2)
            at = (round(128 + 74 * math.sin(a) - w / 2), round(128 - 74 * math.cos(a) + h / 2))
            cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.8, ink, 2, cv2.LINE_AA)
    return image


def _hands(sampler: ShapeSampler, radius_m: float, front_m: float) -> Mesh:
    """Returns hour and minute hand and their pin on a dial of that radius in the plane y = -front_m, about x = z = 0."""
    hour = 2 * math.pi * sampler.uniform("hour", 0.0, 1.0)
    parts = []
    for angle, length, half, y in ((hour, 0.5, 0.035, 0.0006), (12 * hour, 0.78, 0.024, 0.0012)):
        bar = cuboid((half * radius_m, 0.0004, length * radius_m / 2), (0.0, 0.0, length * radius_m * 0.42))
        parts.append(placed(bar, Pose((0.0, -front_m - y, 0.0), quaternion_about((0.0, 1.0, 0.0), angle))))
    pin = placed(
        lathe([(0, 0), (0.05 * radius_m, 0), (0.05 * radius_m, 0.002), (0, 0.002)], 12), Pose((0, -front_m, 0), _FACING)
    )
    return joined([*parts, pin])


def _round_face(sampler: ShapeSampler, radius_m: float, depth_m: float, middle_m: float, case: Material) -> list[Part]:
    """Returns a round case, its dial and hands, with the middle at that height; the front is at y = -depth / 2."""
    rim = radius_m * sampler.uniform("rim_width", 0.06, 0.13)
    body = [
        (0.0, -depth_m / 2),
        (radius_m * 0.94, -depth_m / 2),
        (radius_m, -0.3 * depth_m),
        (radius_m, 0.35 * depth_m),
    ]
    body += [(radius_m - rim * 0.4, depth_m / 2), (radius_m - rim, depth_m / 2), (radius_m - rim, depth_m / 2 - 0.003)]
    shell = lathe([*body, (0.0, depth_m / 2 - 0.003)], 36)
    inner = radius_m - rim - 0.0003
    disc = lathe([(0.0, 0.0), (inner, 0.0), (inner, 0.001), (0.0, 0.001)], 36)
    at = Pose((0.0, 0.0, middle_m), _FACING)
    dial = placed(planar(placed(disc, Pose((0.0, 0.0, depth_m / 2 - 0.0032)))), at)
    hands = placed(_hands(sampler, inner, depth_m / 2 - 0.0024), Pose((0.0, 0.0, middle_m)))
    tip = (
        sampler.colour("hand_tip", saturation=(0.7, 1.0), value=(0.4, 0.8))
        if sampler.chance("has_coloured_tip", 0.3)
        else (0.01, 0.01, 0.01)
    )
    return [
        Part(name="case", mesh=placed(shell, at), material=case),
        Part(name="dial", mesh=dial, material=Material(texture=_dial(sampler), roughness=0.5)),
        Part(name="hands", mesh=hands, material=Material(colour=tip, roughness=0.4)),
    ]


def _disc_collider(radius_m: float, depth_m: float, middle_m: float) -> Collider:
    return Collider(
        kind="cylinder", size_m=(radius_m, depth_m / 2, 0.0), body_from_collider=Pose((0.0, 0.0, middle_m), _FACING)
    )


def _alarm(sampler: ShapeSampler) -> ObjectShape:
    radius, depth = sampler.uniform("alarm.radius_m", 0.045, 0.065), sampler.uniform("alarm.depth_m", 0.036, 0.05)
    leg = sampler.uniform("alarm.leg_m", 0.008, 0.016)
    middle = radius + leg
    case = _case(sampler.of("case"))
    parts = _round_face(sampler, radius, depth, middle, case)
    bell = 0.42 * radius
    extras, colliders = [], [_disc_collider(radius, depth, middle)]
    for side in (-1, 1):
        lean = quaternion_about((0.0, 1.0, 0.0), side * 0.62)
        cup = [(0.0, 0.0), (bell, 0.0), (bell * 0.92, bell * 0.3), (bell * 0.6, bell * 0.62), (0.0, bell * 0.75)]
        at = (side * math.sin(0.62) * radius * 1.08, 0.0, middle + math.cos(0.62) * radius * 1.08)
        extras.append(placed(lathe(cup, 20), Pose(at, lean)))
        stalk = lathe([(0.0, -0.16 * radius), (0.003, -0.16 * radius), (0.003, 0.0006), (0.0, 0.0006)], 8)
        extras.append(placed(stalk, Pose(at, lean)))
        colliders.append(
            Collider(
                kind="sphere",
                size_m=(bell * 0.75, 0, 0),
                body_from_collider=Pose((at[0] * 1.04, 0.0, at[2] + 0.1 * bell)),
            )
        )
        foot = np.array([side * 0.72 * radius, 0.0, 0.0045])
        extras.append(ellipsoid((0.0045, 0.0045, 0.0045), foot, segments=10, rows=8))
        extras.append(sweep([foot.tolist(), [side * 0.55 * radius, 0.0, middle - 0.78 * radius]], [0.0045, 0.0045], 8))
    handle = [
        [-0.35 * radius, 0, middle + 1.25 * radius],
        [-0.3 * radius, 0, middle + 1.62 * radius],
        [0.3 * radius, 0, middle + 1.62 * radius],
        [0.35 * radius, 0, middle + 1.25 * radius],
    ]
    if sampler.chance("alarm.has_bells", 0.6):
        extras.append(sweep(handle, [0.0025] * 4, 8))
    bells = _case(sampler.of("bells")) if sampler.chance("alarm.has_own_bells", 0.5) else case
    parts.append(Part(name="bells", mesh=joined(extras), material=bells))
    colliders.append(slab((0.75 * radius, 0.0045, leg / 2 + 0.01), (0.0, 0.0, leg / 2 + 0.01)))
    colliders.append(slab((0.5 * radius, depth / 2, 0.004), (0.0, 0.0, leg + 0.004)))
    return ObjectShape(
        category="clock",
        parts=tuple(parts),
        colliders=tuple(colliders),
        mass_kg=sampler.uniform("alarm.mass_kg", 0.2, 0.45),
    )


def _desk(sampler: ShapeSampler) -> ObjectShape:
    """A round or square clock on a low foot."""
    radius, depth = sampler.uniform("desk.radius_m", 0.055, 0.095), sampler.uniform("desk.depth_m", 0.028, 0.045)
    square = sampler.chance("desk.is_square", 0.45)
    foot_half = (
        radius * sampler.uniform("desk.foot_depth", 0.6, 0.9),
        depth * sampler.uniform("desk.foot_width", 0.8, 1.1),
        0.006,
    )
    middle = radius + 2 * foot_half[2] - 0.002
    case = Material(
        texture=textures.wood(
            sampler.of("desk"), sampler.colour("desk.wood", hue=(0.05, 0.1), saturation=(0.4, 0.7), value=(0.3, 0.7))
        ),
        roughness=0.5,
    )
    case = case if sampler.chance("desk.is_wooden", 0.35) else _case(sampler.of("case"))
    face = radius * (0.9 if square else 1.0)
    parts = _round_face(sampler, face, depth, middle, _case(sampler.of("rim")) if square else case)
    colliders = [slab(foot_half, (0.0, 0.0, foot_half[2]))]
    if square:
        frame = rounded_slab((radius, radius, depth * 0.4), corner_m=radius * 0.15, bevel_m=0.003)
        parts.append(Part(name="frame", mesh=placed(frame, Pose((0.0, 0.0, middle), _FACING)), material=case))
        colliders.append(slab((radius, depth / 2, radius), (0.0, 0.0, middle)))
    else:
        colliders.append(_disc_collider(radius, depth, middle))
    foot = rounded_slab(foot_half, (0.0, 0.0, foot_half[2]), corner_m=0.006, bevel_m=0.002)
    parts.append(Part(name="foot", mesh=foot, material=case))
    return ObjectShape(
        category="clock",
        parts=tuple(parts),
        colliders=tuple(colliders),
        mass_kg=sampler.uniform("desk.mass_kg", 0.25, 0.6),
    )


def _digital(sampler: ShapeSampler) -> ObjectShape:
    half = (
        sampler.uniform("digital.half_width_m", 0.055, 0.085),
        sampler.uniform("digital.half_depth_m", 0.022, 0.035),
        sampler.uniform("digital.half_height_m", 0.026, 0.038),
    )
    body = rounded_slab((half[0], half[2], half[1]), corner_m=0.008, bevel_m=0.005)
    center = (0.0, 0.0, half[2])
    pane = planar(rounded_slab((half[0] * 0.9, half[2] * 0.74, 0.0006), corner_m=0.003, bevel_m=0.0002))
    pane = placed(pane, Pose((0.0, -half[1] - 0.0001, half[2]), _FACING))
    lit = Material(texture=_digits(sampler), roughness=0.3)
    return ObjectShape(
        category="clock", colliders=(slab(half, center),), mass_kg=sampler.uniform("digital.mass_kg", 0.15, 0.35),
        parts=(
            Part(name="case", mesh=placed(body, Pose(center, _FACING)), material=_case(sampler.of("case"))),
            Part(name="display", mesh=pane, material=lit),
        ),
    )  # fmt: skip


_SEGMENTS = (
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
)


def _digits(sampler: ShapeSampler) -> NDArray[np.uint8]:
    """Draws a time in seven-segment digits, sRGB (96, 256, 3)."""
    colour = sampler.choice(
        "digital.digits",
        ((255, 40, 30), (60, 255, 90), (70, 170, 255), (240, 240, 235)),
        names=("red", "green", "blue", "white"),
    )
    image = np.full((96, 256, 3), (10, 10, 12), dtype=np.uint8)
    hour, minute = sampler.integer("digital.hour", 0, 23), sampler.integer("digital.minute", 0, 59)
    for value, left in zip((hour // 10, hour % 10, minute // 10, minute % 10), (14, 70, 146, 202), strict=True):
        x0, x1, y0, y1, y2 = left, left + 36, 14, 48, 82
        lines = (
            ((x0, y0), (x1, y0)), ((x0, y0), (x0, y1)), ((x1, y0), (x1, y1)), ((x0, y1), (x1, y1)),
            ((x0, y1), (x0, y2)), ((x1, y1), (x1, y2)), ((x0, y2), (x1, y2)),
        )  # fmt: skip
        for on, (start, end) in zip(_SEGMENTS[value], lines, strict=True):
            if on == "1":
                cv2.line(image, start, end, colour, 8, cv2.LINE_AA)
    for y in (34, 62):
        cv2.circle(image, (126, y), 6, colour, -1, cv2.LINE_AA)
    return image
