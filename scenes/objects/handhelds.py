"""Cell phone, remote and mouse; phone and remote lie on their back and point along +y."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes import textures
from scenes.meshes import joined, lathe, placed, sweep
from scenes.objects.shape import UPRIGHT, UPSIDE_DOWN, ObjectShape, slab
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Mesh, Part
from scenes.solids import closed_tube, loft, planar, rounded_slab
from scenes.transforms import Pose, Vec3, quaternion_about


def _shell(sampler: ShapeSampler) -> Material:
    if sampler.chance("is_black", 0.55):
        tone = sampler.uniform("dark_grey", 0.01, 0.1)
        return Material(colour=(tone, tone, tone * 1.1), roughness=sampler.uniform("dark_roughness", 0.25, 0.6))
    if sampler.chance("is_light", 0.5):
        tone = sampler.uniform("light_grey", 0.55, 0.9)
        return Material(colour=(tone, tone, tone), roughness=sampler.uniform("light_roughness", 0.2, 0.5))
    return Material(colour=sampler.colour("shell", saturation=(0.3, 0.9), value=(0.3, 0.9)), roughness=0.4)


@shaped("cell phone")
def cell_phone(sampler: ShapeSampler) -> ObjectShape:
    """Returns a phone on its back: a rounded slab, a screen that is dark or shows icons, lenses behind."""
    half = (
        sampler.uniform("half_width_m", 0.033, 0.039),
        sampler.uniform("half_length_m", 0.068, 0.081),
        sampler.uniform("half_thickness_m", 0.0036, 0.0048),
    )
    corner, bump = sampler.uniform("corner_m", 0.006, 0.013), 0.0012
    middle = bump + half[2]
    body = rounded_slab(half, (0.0, 0.0, middle), corner_m=corner, bevel_m=0.0022)
    border = sampler.uniform("bezel_m", 0.0018, 0.005)
    pane = (half[0] - border, half[1] - border - sampler.choice("chin_m", (0.0, 0.0, 0.008)), 0.0003)
    screen = rounded_slab(pane, (0.0, 0.0, middle + half[2]), corner_m=max(corner - border, 0.002), bevel_m=0.0001)
    shell = _shell(sampler)
    glass = Material(texture=_screen(sampler), roughness=0.05)
    block, lenses = _lenses(sampler, half, bump)
    keys = rounded_slab((0.0007, 0.009, 0.0011), (half[0], 0.3 * half[1], middle), corner_m=0.0004, bevel_m=0.0003)
    return ObjectShape(
        category="cell phone",
        parts=(
            Part(name="body", mesh=joined([body, keys, block]), material=shell),
            Part(name="screen", mesh=planar(screen), material=glass),
            Part(name="lenses", mesh=lenses, material=Material(colour=(0.01, 0.01, 0.015), roughness=0.05)),
        ),
        colliders=(slab((half[0], half[1], half[2] + bump / 2), (0.0, 0.0, half[2] + bump / 2)),),
        mass_kg=sampler.uniform("mass_kg", 0.14, 0.23),
        rests=(UPRIGHT, UPRIGHT, UPRIGHT, UPSIDE_DOWN),
    )


def _lenses(sampler: ShapeSampler, half: Vec3, bump_m: float) -> tuple[Mesh, Mesh]:
    """Returns the camera's block on the back and its one to three lenses; they reach down to z = 0."""
    count = sampler.integer("lenses", 1, 3)
    x, y = 0.45 * half[0], 0.72 * half[1]
    reach = 0.0085 * count
    block = rounded_slab(
        (0.0095, reach, bump_m / 2 + 0.0002),
        (x, y - reach + 0.006, bump_m / 2 + 0.0003),
        corner_m=0.006,
        bevel_m=0.0003,
    )
    rings = []
    for k in range(count):
        at = (x, y - reach + 0.006 + (2 * k - count + 1) * 0.0082, 0.0)
        rings.append(placed(lathe([(0.0, 0.0), (0.0055, 0.0), (0.0055, 0.0008), (0.0, 0.0008)], 16), Pose(at)))
    return block, joined(rings)


def _screen(sampler: ShapeSampler) -> NDArray[np.uint8]:
    """Draws what a phone shows, sRGB (256, 128, 3): nothing, or icons on a gradient, or a page of text."""
    kind = sampler.choice("screen", ("off", "off", "icons", "icons", "page"))
    if kind == "off":
        return np.full((256, 128, 3), (14, 15, 18), dtype=np.uint8)
    top, bottom = (
        sampler.colour("wallpaper_top", value=(0.3, 1.0)),
        sampler.colour("wallpaper_bottom", value=(0.15, 0.8)),
    )
    ramp = np.linspace(1, 0, 256, dtype=np.float32)[:, None].repeat(128, axis=1)
    image = textures.blend(ramp, bottom, top) if kind == "icons" else np.full((256, 128, 3), 240, dtype=np.uint8)
    if kind == "icons":
        for row in (*range(sampler.integer("icon_rows", 3, 6)), 7):
            for column in range(4):
                ink = tuple(int(255 * c) for c in sampler.colour("icon", saturation=(0.3, 1.0), value=(0.6, 1.0)))
                x, y = 10 + 29 * column, 22 + 29 * row
                cv2.rectangle(image, (x, y), (x + 20, y + 20), ink, -1)
        return image
    for row in range(30, 240, 14):
        end = 20 + int(95 * sampler.uniform("line_length", 0.0, 1.0))
        shade = (60, 60, 70) if row % 4 else (40, 110, 220)
        cv2.line(image, (10, row), (end, row), shade, 5)
    return image


@shaped("remote")
def remote(sampler: ShapeSampler) -> ObjectShape:
    """Returns a remote control: a long slab, a column of round or square keys, a ring of arrows, one red key."""
    half = (
        sampler.uniform("half_width_m", 0.019, 0.026),
        sampler.uniform("half_length_m", 0.07, 0.1),
        sampler.uniform("half_thickness_m", 0.007, 0.011),
    )
    body = rounded_slab(half, (0.0, 0.0, half[2]), corner_m=sampler.uniform("corner_m", 0.006, 0.018), bevel_m=0.004)
    shell = _shell(sampler)
    dark = max(shell.colour) < 0.3
    key = (0.5, 0.5, 0.52) if dark else (0.06, 0.06, 0.07)
    top = 2 * half[2]
    keys, others = _keys(sampler, half, top)
    power = placed(_button(0.004, 0.0014), Pose((-0.55 * half[0], half[1] - 0.012, top - 0.0004)))
    accent = [sampler.colour("accent", saturation=(0.6, 1.0), value=(0.5, 1.0)) for _ in others]
    parts = [
        Part(name="body", mesh=body, material=shell),
        Part(name="keys", mesh=joined(keys), material=Material(colour=key, roughness=0.7)),
        Part(name="power", mesh=power, material=Material(colour=(0.75, 0.02, 0.02), roughness=0.5)),
    ]
    parts += [
        Part(name=f"key_{k}", mesh=mesh, material=Material(colour=colour, roughness=0.5))
        for k, (mesh, colour) in enumerate(zip(others, accent, strict=True))
    ]
    middle = top / 2 + 0.0007
    return ObjectShape(
        category="remote",
        parts=tuple(parts),
        colliders=(slab((half[0], half[1], middle), (0.0, 0.0, middle)),),
        mass_kg=sampler.uniform("mass_kg", 0.06, 0.15),
        rests=(UPRIGHT,) * 5 + (UPSIDE_DOWN,),
    )


def _button(radius_m: float, height_m: float) -> Mesh:
    return lathe(
        [(0.0, 0.0), (radius_m, 0.0), (radius_m, height_m * 0.6), (radius_m * 0.8, height_m), (0.0, height_m)], 12
    )


def _keys(sampler: ShapeSampler, half: Vec3, top_m: float) -> tuple[list[Mesh], list[Mesh]]:
    """Returns the grey keys and a row of four coloured ones."""
    square, pitch = sampler.chance("is_square_keyed", 0.4), half[0] * 2 / 3.6
    size = 0.32 * pitch
    keys = []
    ring_y = sampler.uniform("ring_at", 0.1, 0.3) * half[1]
    turn = np.arange(20) * (2 * math.pi / 20)
    ring = np.column_stack([0.6 * half[0] * np.cos(turn), ring_y + 0.6 * half[0] * np.sin(turn), np.full(20, top_m)])
    keys += [closed_tube(ring, 0.0028, 6, 0.5), placed(_button(0.0055, 0.0016), Pose((0.0, ring_y, top_m - 0.0004)))]
    reach = 0.6 * half[0] + 0.008

    def add(y: float) -> None:
        for column in (-1, 0, 1):
            at = (column * pitch, y, top_m - 0.0004)
            one = rounded_slab((size, size * 0.75, 0.0009), (0, 0, 0.0009), corner_m=0.001, bevel_m=0.0005, steps=1)
            keys.append(placed(one if square else _button(size, 0.0018), Pose(at)))

    y = half[1] - 0.024
    while y > ring_y + reach:
        add(y)
        y -= 0.8 * pitch + 0.003
    y = ring_y - reach
    rows = sampler.integer("key_rows", 2, 4)
    for _ in range(rows):
        if y > -half[1] + 0.03:
            add(y)
            y -= 0.8 * pitch + 0.003
    colours = []
    if sampler.chance("has_coloured_keys", 0.7):
        for column in (-1.5, -0.5, 0.5, 1.5):
            one = rounded_slab(
                (size * 0.75, size * 0.45, 0.0008), (0, 0, 0.0008), corner_m=0.001, bevel_m=0.0004, steps=1
            )
            colours.append(placed(one, Pose((column * pitch * 0.8, max(y, -half[1] + 0.014), top_m - 0.0004))))
    return keys, colours


@shaped("mouse")
def mouse(sampler: ShapeSampler) -> ObjectShape:
    """Returns a computer mouse that points along -y: a low shell, two keys parted by a groove, a wheel, maybe a cord."""
    x, y = sampler.uniform("half_width_m", 0.028, 0.034), sampler.uniform("half_length_m", 0.05, 0.06)
    height, hump, waist = (
        sampler.uniform("height_m", 0.03, 0.038),
        sampler.uniform("hump", 0.05, 0.35),
        sampler.uniform("waist", 0.02, 0.1),
    )
    rings = _shell_rings(x, y, height, hump, waist)
    ridge = _ridge(rings)
    shell = _shell(sampler)
    dark, pale = Material(colour=(0.015, 0.015, 0.017), roughness=0.6), Material(colour=(0.4, 0.4, 0.42), roughness=0.6)
    line = dark if max(shell.colour) > 0.2 else pale
    split = -0.05 * y
    groove = [(0.0, s, ridge(s)) for s in np.linspace(split, -0.95 * y, 9)]
    across = [(s, split, _over(rings, s, split)) for s in np.linspace(-0.8 * x, 0.8 * x, 9)]
    seams = [sweep(path, np.full(9, 0.0009), 6) for path in (groove, across)]
    wheel = lathe([(0.0, -0.004), (0.0115, -0.004), (0.0125, 0.0), (0.0115, 0.004), (0.0, 0.004)], 18)
    at = Pose((0.0, -0.55 * y, ridge(-0.55 * y) - 0.007), quaternion_about((0.0, 1.0, 0.0), math.pi / 2))
    parts = [
        Part(name="shell", mesh=loft(rings), material=shell),
        Part(name="seams", mesh=joined(seams), material=line),
        Part(name="wheel", mesh=placed(wheel, at), material=pale if max(shell.colour) < 0.3 else dark),
    ]
    if sampler.chance("has_cable", 0.6):
        bend = sampler.uniform("cable_bend_m", -0.02, 0.02)
        cord = [(bend * s * s, -0.97 * y - 0.06 * s, 0.007 - 0.0048 * s) for s in (0.0, 0.25, 0.5, 0.75, 1.0)]
        parts.append(Part(name="cord", mesh=sweep(cord, np.full(5, 0.002), 7), material=dark))
    low = slab((x * 0.88, y * 0.86, 0.26 * height), (0.0, 0.0, 0.26 * height))
    high = slab((x * 0.72, y * 0.72, 0.2 * height), (0.0, 0.06 * y, 0.62 * height))
    crest = slab((x * 0.4, y * 0.4, 0.07 * height), (0.0, hump * y * 0.5, 0.88 * height))
    return ObjectShape(
        category="mouse",
        parts=tuple(parts),
        colliders=(low, high, crest),
        mass_kg=sampler.uniform("mass_kg", 0.07, 0.13),
        rests=(UPRIGHT,),
    )


def _shell_rings(x: float, y: float, height: float, hump: float, waist: float) -> list[NDArray[np.float64]]:
    """Returns the rings of a mouse's shell from the table up: a superellipse that closes to a ridge highest at `hump`."""
    turn = np.arange(32) * (2 * math.pi / 32)
    outline = np.stack([_power(np.cos(turn), 0.8) * x, _power(np.sin(turn), 0.8) * y], axis=1)
    outline[:, 0] *= 1 - waist * np.cos(outline[:, 1] / y * 2.2)
    rings = []
    for level in np.linspace(0.0, 1.0, 9):
        shrink = (1 - level**3.2) ** 0.5 if level < 1 else 0.03
        ring = outline * [shrink * (0.97 if level == 0 else 1.0), 0.25 + 0.75 * shrink if level < 1 else 0.25]
        rings.append(np.column_stack([ring, height * level * (1 - 0.42 * np.abs(ring[:, 1] / y - hump) ** 1.7)]))
    return rings


def _power(values: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Returns the coordinates of a superellipse: sign kept, magnitude to a power."""
    powered: NDArray[np.float64] = np.sign(values) * np.abs(values) ** exponent
    return powered


def _ridge(rings: list[NDArray[np.float64]]) -> Callable[[float], float]:
    """Returns the height of the shell over x = 0 as a function of y."""
    front, back = (np.array([ring[k] for ring in rings]) for k in (24, 8))
    line = np.concatenate([front, back[::-1]])
    return lambda y: float(np.interp(y, line[:, 1], line[:, 2]))


def _over(rings: list[NDArray[np.float64]], x: float, y: float) -> float:
    """Returns the height of the shell over a point, from where each ring crosses that y."""
    half = []
    for ring in rings[1:]:
        side = ring[np.argsort(ring[:, 1])]
        right = side[side[:, 0] >= 0]
        half.append((float(np.interp(y, right[:, 1], right[:, 0])), float(np.interp(y, right[:, 1], right[:, 2]))))
    half.sort()
    return float(np.interp(abs(x), [h[0] for h in half], [h[1] for h in half]))
