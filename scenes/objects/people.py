"""A stylised person, standing or seated, clothed: head with hair and face, torso, arms with hands, legs with shoes.

Proportions follow Drillis and Contini (1966), segment lengths as shares of the body's height. Front at +x. Whoever stands
has the frame between the soles; whoever sits has it on the floor under the back edge of the seat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenes import textures
from scenes.meshes import lathe, moved, sweep, warp
from scenes.objects import _furnishing as looks
from scenes.objects._assembly import Assembly, about_y
from scenes.objects.shape import ObjectShape
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh
from scenes.transforms import Pose

Point = tuple[float, float, float]
_SKINS = {
    "very light": (0.98, 0.82, 0.7),
    "light": (0.93, 0.72, 0.56),
    "tan": (0.8, 0.58, 0.42),
    "brown": (0.6, 0.41, 0.28),
    "dark": (0.42, 0.28, 0.2),
    "very dark": (0.3, 0.2, 0.14),
}
_HAIRS = {
    "black": (0.08, 0.06, 0.05),
    "dark brown": (0.2, 0.12, 0.07),
    "brown": (0.42, 0.26, 0.13),
    "blond": (0.72, 0.55, 0.3),
    "red": (0.55, 0.22, 0.1),
    "grey": (0.72, 0.72, 0.72),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    """Measures in metres: body height, hip height above the floor, half width of the shoulders, girth as a factor."""

    height: float
    hip: float
    shoulder: float
    girth: float

    @property
    def neck(self) -> float:
        """How far the shoulders lie above the hips."""
        return 0.29 * self.height


@shaped("person")
def person(sampler: ShapeSampler) -> ObjectShape:
    """Returns a person who stands or, with a third of the chances, sits as on a chair 0.45 m high."""
    return seated(sampler, 0.45) if sampler.chance("is_seated", 0.33) else standing(sampler)


@shaped("person")
def standing(sampler: ShapeSampler) -> ObjectShape:
    """Returns a standing person of 1.5 to 1.9 m, arms down, bent, or one of them raised to the side."""
    build = _build(sampler)
    made = _dressed(sampler)
    stance = 0.055 * build.height * sampler.uniform("stance", 0.9, 1.3)
    for side in (-1, 1):
        ahead = side * sampler.uniform("step", -0.02, 0.06) * build.height
        knee = (0.5 * ahead + 0.02, side * stance, 0.285 * build.height)
        _leg(made, build, side, knee, (ahead, side * stance, 0.05 * build.height))
    _upper_body(made, sampler, build, x=0.0, seated=False)
    return made.finish("person", 22.0 * build.height**2 * build.girth)


@shaped("person")
def seated(sampler: ShapeSampler, seat_m: float, depth_m: float = 0.4) -> ObjectShape:
    """Returns a person on a seat of that height, who keeps x > 0, with the shins before `depth_m` and hands on the thighs."""
    tall = _build(sampler)
    build = replace(tall, hip=seat_m + 0.004 + 0.056 * tall.height * math.sqrt(tall.girth))
    made = _dressed(sampler)
    long, shin = 0.245 * build.height, 0.034 * build.height * math.sqrt(build.girth) + 0.012
    x = max(0.07 * build.girth * build.height + 0.035, depth_m + shin - long)
    for side in (-1, 1):
        knee_y = side * 0.06 * build.height
        knee = (x + long, knee_y, max(build.hip - 0.01, 0.26 * build.height))
        foot = (x + long + sampler.uniform("seated.foot_ahead_m", 0.0, 0.05), knee_y, 0.05 * build.height)
        _leg(made, build, side, knee, foot, hip_x=x)
    _upper_body(made, sampler, build, x=x, seated=True)
    return made.finish("person", 22.0 * build.height**2 * build.girth)


def _build(sampler: ShapeSampler) -> _Build:
    height = sampler.uniform("height_m", 1.52, 1.88)
    girth = sampler.uniform("girth", 0.88, 1.25)
    shoulder = height * sampler.uniform("shoulder", 0.112, 0.13)
    return _Build(height=height, hip=0.53 * height, shoulder=shoulder, girth=girth)


def _dressed(sampler: ShapeSampler) -> Assembly:
    skin = sampler.choice("skin_colour", tuple(_SKINS.values()), names=tuple(_SKINS))
    hair = sampler.choice("hair_colour", tuple(_HAIRS.values()), names=tuple(_HAIRS))
    shirt = sampler.colour("shirt", saturation=(0.05, 0.9), value=(0.2, 0.98))
    make = sampler.choice("shirt_kind", (textures.plain, textures.plain, textures.stripes, textures.fabric))
    blue = sampler.chance("has_jeans", 0.5)
    trousers = (
        sampler.colour("jeans", hue=(0.58, 0.66), saturation=(0.3, 0.7), value=(0.15, 0.55))
        if blue
        else sampler.colour("trousers", saturation=(0, 0.4), value=(0.08, 0.75))
    )
    return Assembly(
        skin=Material(
            colour=looks.linear(textures.shade(skin, sampler.uniform("skin_shade", 0.88, 1.05))), roughness=0.6
        ),
        hair=Material(texture=textures.plain(sampler.of("hair"), hair), roughness=0.8),
        shirt=Material(texture=make(sampler.of("shirt"), shirt), roughness=0.9),
        trousers=Material(texture=textures.plain(sampler.of("trousers"), trousers), roughness=0.9),
        shoes=looks.paint(sampler.of("shoes"), value=(0.05, 0.9)),
        eyes=Material(colour=(0.9, 0.9, 0.9), roughness=0.2),
        iris=Material(colour=(0.02, 0.015, 0.01), roughness=0.2),
        lips=Material(
            colour=looks.linear(textures.shade((skin[0] * 0.85, skin[1] * 0.6, skin[2] * 0.6), 1.0)), roughness=0.5
        ),
        belt=looks.dark(sampler.of("belt")),
    )


def _leg(made: Assembly, build: _Build, side: int, knee: Point, ankle: Point, hip_x: float = 0.0) -> None:
    h, g = build.height, math.sqrt(build.girth)
    hip = (hip_x, side * 0.05 * h, build.hip - 0.005)
    made.limb("trousers", [hip, _between(hip, knee, 0.5), knee], [0.056 * h * g, 0.048 * h * g, 0.034 * h * g])
    made.limb("trousers", [knee, _between(knee, ankle, 0.4), ankle], [0.034 * h * g, 0.034 * h * g, 0.026 * h])
    x, y, _ = ankle
    sole = 0.055 * h
    shoe = warp(
        moved(lathe([(0, 0), (0.95, 0), (1.0, 0.25), (0.8, 0.8), (0.5, 1.0), (0, 1.0)], 20), Pose()),
        lambda p: _shoe(p, h),
    )
    made.mesh("shoes", moved(shoe, Pose((x + 0.03 * h, y, 0.0))))
    made.touch(
        Collider(
            kind="box", size_m=(0.075 * h, 0.028 * h, sole / 2), body_from_collider=Pose((x + 0.03 * h, y, sole / 2))
        )
    )


def _shoe(points: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """Shapes a unit dome to a shoe: long, narrow, high at the heel."""
    x, y, z = points.T
    low_front = np.where(x > 0, 1.0 - 0.45 * x, 1.0)
    return np.stack([x * 0.078 * height, y * 0.029 * height, z * 0.06 * height * low_front], axis=1)


def _between(a: Point, b: Point, share: float) -> Point:
    x, y, z = (p + share * (q - p) for p, q in zip(a, b, strict=True))
    return x, y, z


def _upper_body(made: Assembly, sampler: ShapeSampler, build: _Build, *, x: float, seated: bool) -> None:
    h, g, hip = build.height, build.girth, build.hip
    neck = hip + build.neck
    lean = -0.02 * h if seated else 0.0
    wide = build.shoulder
    # Cross-sections of the trunk: height, half depth, half width.
    rows = [
        (hip - 0.05 * h, 0.055 * g, 0.085 * math.sqrt(g)),
        (hip, 0.066 * g, 0.1 * math.sqrt(g)),
        (hip + 0.07 * h, 0.062 * g, 0.088 * g),
        (hip + 0.17 * h, 0.066 * g, 0.095 * math.sqrt(g)),
        (hip + 0.24 * h, 0.06 * g, 0.92 * wide / h),
        (hip + 0.275 * h, 0.045, 0.75 * wide / h),
        (neck, 0.034, 0.036),
    ]
    split = 2
    made.mesh("trousers", _trunk(rows[: split + 1], x, lean, hip, h))
    made.mesh("shirt", _trunk(rows[split - 1 :], x, lean, hip, h, swell=1.04))
    half = (0.062 * g * h, 0.85 * wide, 0.15 * h)
    made.touch(Collider(kind="box", size_m=half, body_from_collider=Pose((x + lean / 2, 0, hip + 0.11 * h))))
    _head(made, sampler, build, (x + lean, 0.0, neck))
    long_sleeve = sampler.chance("has_long_sleeves", 0.5)
    raised = None if seated else sampler.choice("raised_arm", ("none", "none", "none", "right", "left"))
    for side in (-1, 1):
        shoulder = (x + 0.85 * lean, side * 0.9 * wide, hip + 0.25 * h)
        _arm(
            made,
            sampler,
            build,
            side,
            shoulder,
            long_sleeve=long_sleeve,
            raised=raised == ("right" if side < 0 else "left"),
            seated=seated,
        )


def _trunk(
    rows: list[tuple[float, float, float]], x: float, lean: float, hip: float, height: float, swell: float = 1.0
) -> Mesh:
    """Returns a closed tube of elliptic sections; it leans by `lean` from hip to neck."""
    profile = [(0.0, rows[0][0]), *((1.0, z) for z, _, _ in rows), (0.0, rows[-1][0])]
    heights = np.array([z for z, _, _ in rows])
    depth, width = (np.array([row[k] for row in rows]) * height * swell for k in (1, 2))

    def shaped(points: NDArray[np.float64]) -> NDArray[np.float64]:
        z = points[:, 2]
        shift = x + lean * np.clip((z - hip) / (0.29 * height), 0, 1)
        return np.stack(
            [points[:, 0] * np.interp(z, heights, depth) + shift, points[:, 1] * np.interp(z, heights, width), z],
            axis=1,
        )

    return warp(lathe(profile, 24), shaped)


def _head(made: Assembly, sampler: ShapeSampler, build: _Build, neck: Point) -> None:
    h = build.height
    x, _, z = neck
    made.limb("skin", [(x, 0, z - 0.02 * h), (x + 0.006 * h, 0, z + 0.05 * h)], [0.031 * h, 0.03 * h])
    deep, wide, tall = 0.056 * h, 0.046 * h, 0.068 * h
    center = (x + 0.012 * h, 0.0, z + 0.095 * h)
    made.mesh("skin", _ball((deep, wide, tall), center, jaw=True))
    made.touch(Collider(kind="sphere", size_m=(0.058 * h, 0, 0), body_from_collider=Pose(center)))
    front = center[0] + deep
    for side in (-1, 1):
        made.mesh(
            "eyes",
            _ball((0.006 * h, 0.0085 * h, 0.0055 * h), (front - 0.0095 * h, side * 0.0175 * h, center[2] + 0.008 * h)),
        )
        made.mesh(
            "iris",
            _ball((0.003 * h, 0.0038 * h, 0.0045 * h), (front - 0.0045 * h, side * 0.0175 * h, center[2] + 0.008 * h)),
        )
        made.mesh(
            "hair",
            _ball((0.003 * h, 0.012 * h, 0.0025 * h), (front - 0.007 * h, side * 0.0175 * h, center[2] + 0.02 * h)),
        )
        made.mesh(
            "skin",
            _ball((0.009 * h, 0.004 * h, 0.013 * h), (center[0] - 0.004 * h, side * (wide + 0.001 * h), center[2])),
        )
    made.mesh("skin", _ball((0.011 * h, 0.007 * h, 0.013 * h), (front - 0.0015 * h, 0, center[2] - 0.008 * h)))
    made.mesh("lips", _ball((0.004 * h, 0.014 * h, 0.0035 * h), (front - 0.0085 * h, 0, center[2] - 0.032 * h)))
    _hair(made, sampler, h, center, (deep, wide, tall))


def _hair(made: Assembly, sampler: ShapeSampler, h: float, center: Point, head: tuple[float, float, float]) -> None:
    deep, wide, tall = head
    x, _, z = center
    length = sampler.choice("hair_kind", ("short", "short", "long", "bun", "cap"))
    grown = (deep * 1.08, wide * 1.12, tall * 1.05)
    made.mesh("hair", _cap(grown, (x - 0.006 * h, 0.0, z + 0.008 * h), 0.15))
    made.mesh("hair", _ball((0.6 * deep, 1.06 * wide, 0.6 * tall), (x - 0.55 * deep, 0, z + 0.01 * h)))
    if length == "long":
        made.mesh("hair", _ball((0.42 * deep, 1.12 * wide, 1.25 * tall), (x - 0.72 * deep, 0, z - 0.55 * tall)))
    elif length == "bun":
        made.mesh("hair", _ball((0.024 * h, 0.024 * h, 0.024 * h), (x - 0.75 * deep, 0, z + 0.95 * tall)))
    elif length == "cap":
        made.mesh("shirt", _cap((deep * 1.14, wide * 1.18, tall * 1.12), (x - 0.004 * h, 0.0, z + 0.012 * h), 0.42))
        brim = warp(lathe([(0, 0), (1, 0), (1, 0.006), (0, 0.008)], 20), lambda p: p * [0.045 * h, 0.042 * h, 1.0])
        made.mesh("shirt", moved(brim, Pose((x + 1.05 * deep, 0, z + 0.5 * tall), about_y(0.12))))


def _ball(half: tuple[float, float, float], center: Point, *, jaw: bool = False) -> Mesh:
    angle = np.linspace(0, math.pi, 13 if jaw else 8)
    profile = [(math.sin(a), -math.cos(a)) for a in angle]
    profile[0], profile[-1] = (0.0, -1.0), (0.0, 1.0)

    def shaped(points: NDArray[np.float64]) -> NDArray[np.float64]:
        narrow = np.where(points[:, 2] < 0, 1.0 + 0.22 * points[:, 2], 1.0) if jaw else np.ones(len(points))
        scaled: NDArray[np.float64] = points * np.array(half)
        scaled[:, 0] *= np.sqrt(narrow)
        scaled[:, 1] *= narrow
        scaled += np.array(center)
        return scaled

    return warp(lathe(profile, 20 if jaw else 12), shaped)


def _cap(half: tuple[float, float, float], center: Point, low: float) -> Mesh:
    """Returns the upper part of an ellipsoid, from `low` of its half height, tipped back so that the brow stays free."""
    start = math.acos(-low)
    angle = np.linspace(start, math.pi, 9)
    profile = [(0.0, low), *((math.sin(a), -math.cos(a)) for a in angle)]
    profile[-1] = (0.0, 1.0)
    tipped = moved(warp(lathe(profile, 24), lambda p: p * np.array(half)), Pose((0, 0, 0), about_y(-0.3)))
    return moved(tipped, Pose(center))


def _arm(
    made: Assembly,
    sampler: ShapeSampler,
    build: _Build,
    side: int,
    shoulder: Point,
    *,
    long_sleeve: bool,
    raised: bool,
    seated: bool,
) -> None:
    h, g = build.height, math.sqrt(build.girth)
    upper, lower = 0.172 * h, 0.155 * h
    x, y, z = shoulder
    if raised:
        elbow = (x + 0.35 * upper, y + side * 0.45 * upper, z - 0.82 * upper)
        wrist = (elbow[0] + 0.75 * lower, elbow[1] - side * 0.1 * lower, elbow[2] + 0.65 * lower)
    elif seated:
        elbow = (x + 0.22 * upper, y + side * 0.1 * upper, z - 0.965 * upper)
        wrist = (elbow[0] + 0.72 * lower, elbow[1] - side * 0.6 * lower, elbow[2] - 0.3 * lower)
        wrist = (wrist[0], wrist[1], max(wrist[2], build.hip + 0.062 * h))
    else:
        bend = sampler.uniform("elbow_bend", 0.02, 0.5)
        elbow = (x - 0.04 * upper, y + side * 0.17 * upper, z - 0.98 * upper)
        wrist = (elbow[0] + math.sin(bend) * lower, elbow[1] + side * 0.04 * lower, elbow[2] - math.cos(bend) * lower)
    made.limb(
        "shirt",
        [shoulder, _between(shoulder, elbow, 0.5 if not long_sleeve else 1.0)],
        [0.03 * h * g, 0.028 * h * g if not long_sleeve else 0.025 * h],
    )
    made.limb("skin", [shoulder, elbow], [0.026 * h * g, 0.0235 * h * g])
    made.limb("shirt" if long_sleeve else "skin", [elbow, wrist], [0.0245 * h * g, 0.017 * h])
    _hand(made, h, elbow, wrist)


def _hand(made: Assembly, h: float, elbow: Point, wrist: Point) -> None:
    along = np.subtract(wrist, elbow)
    along /= np.linalg.norm(along)
    path = np.array([np.asarray(wrist) + along * t * h for t in (-0.008, 0.012, 0.03, 0.046, 0.056)])
    made.mesh("skin", sweep(path, np.array([0.014, 0.019, 0.02, 0.014, 0.005]) * h, 10, squash=0.6))
    x, y, z = np.asarray(wrist) + along * 0.024 * h
    made.touch(
        Collider(kind="sphere", size_m=(0.022 * h, 0, 0), body_from_collider=Pose((float(x), float(y), float(z))))
    )
