"""Keyboard and laptop; they face -y, as to somebody who sits there."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes import textures
from scenes.meshes import joined, placed
from scenes.objects.shape import ObjectShape, slab
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Part
from scenes.solids import loft, planar, rounded_rectangle, rounded_slab
from scenes.transforms import Pose, Vec3, quaternion_about, rotation_from_quaternion, vec3

_X = (1.0, 0.0, 0.0)
# Widths of the keys of each row in key pitches, from the front; every row is 15 wide.
_ROWS: tuple[tuple[float, ...], ...] = (
    (1.25, 1.25, 1.25, 6.25, 1.25, 1.25, 1.25, 1.25),
    (2.25, *(1.0,) * 10, 2.75),
    (1.75, *(1.0,) * 11, 2.25),
    (1.5, *(1.0,) * 12, 1.5),
    (*(1.0,) * 13, 2.0),
    (*(1.0,) * 15,),
)


def _cap(half_x_m: float, half_y_m: float, height_m: float, at: Vec3) -> Mesh:
    """Returns one key, narrower at its top."""
    rings = []
    for shrink, z in ((0.0, 0.0), (0.0, 0.4 * height_m), (min(0.0014, 0.3 * half_y_m), height_m)):
        outline = rounded_rectangle(half_x_m - shrink, half_y_m - shrink, 0.0012, 1)
        rings.append(np.column_stack([outline, np.full(len(outline), z)]) + np.asarray(at))
    return loft(rings)


def _keys(pitch_m: float, height_m: float, center: Vec3, rows: int, pad: bool) -> tuple[list[Mesh], list[Mesh]]:
    """Returns the letter keys and the wider ones of a block whose middle is `center`; `pad` adds a number block."""
    letters: list[Mesh] = []
    wide: list[Mesh] = []
    total = 15.0 + (4.4 if pad else 0.0)
    left = center[0] - total * pitch_m / 2
    for row, widths in enumerate(_ROWS[:rows]):
        y = center[1] + (row - (rows - 1) / 2) * pitch_m
        x = left
        for width in widths:
            cap = _cap(
                width * pitch_m / 2 - 0.0011, pitch_m / 2 - 0.0011, height_m, (x + width * pitch_m / 2, y, center[2])
            )
            (letters if width == 1.0 else wide).append(cap)
            x += width * pitch_m
        for column in range(4 if pad else 0):
            at = (left + (15.9 + column) * pitch_m, y, center[2])
            (letters if row < 4 and column < 3 else wide).append(
                _cap(pitch_m / 2 - 0.0011, pitch_m / 2 - 0.0011, height_m, at)
            )
    return letters, wide


@shaped("keyboard")
def keyboard(sampler: ShapeSampler) -> ObjectShape:
    """Returns a keyboard, with or without a number block, a little higher at its back."""
    pad, rows = sampler.chance("has_number_pad", 0.5), sampler.choice("rows", (5, 6))
    pitch = sampler.uniform("pitch_m", 0.0165, 0.0195)
    border, thickness = sampler.uniform("border_m", 0.006, 0.014), sampler.uniform("thickness_m", 0.007, 0.014)
    cap, slope = sampler.uniform("cap_m", 0.004, 0.0085), sampler.uniform("slope_rad", 0.0, 0.08)
    half_x = (15.0 + (4.4 if pad else 0.0)) * pitch / 2 + border
    half_y = rows * pitch / 2 + border
    base = rounded_slab((half_x, half_y, thickness / 2), (0.0, 0.0, thickness / 2), corner_m=0.008, bevel_m=0.002)
    letters, wide = _keys(pitch, cap, (0.0, 0.0, thickness - 0.0006), rows, pad)
    dark = sampler.chance("is_dark", 0.6)
    tone = sampler.uniform("dark_grey", 0.015, 0.08) if dark else sampler.uniform("light_grey", 0.6, 0.9)
    body = Material(colour=(tone, tone, tone), roughness=0.6)
    if sampler.chance("is_coloured", 0.25):
        body = Material(colour=sampler.colour("body", saturation=(0.2, 0.7), value=(0.4, 0.9)), roughness=0.5)
    key = (
        tone * sampler.uniform("dark_key_shade", 1.6, 2.4)
        if dark
        else sampler.choice("light_key", (0.95, 0.25 * tone), names=("white", "dark"))
    )
    accent = (
        sampler.colour("accent", saturation=(0.3, 0.8), value=(0.3, 0.9))
        if sampler.chance("has_accent", 0.3)
        else (key * 0.7,) * 3
    )
    tilted = Pose((0.0, 0.0, half_y * math.sin(slope)), quaternion_about(_X, slope))
    parts = (
        Part(name="base", mesh=placed(base, tilted), material=body),
        Part(
            name="keys",
            mesh=placed(joined(letters), tilted),
            material=Material(colour=(key, key, key * 1.02), roughness=0.7),
        ),
        Part(name="wide_keys", mesh=placed(joined(wide), tilted), material=Material(colour=accent, roughness=0.7)),
        *_feet(half_x, half_y, slope),
    )
    top = thickness + cap - 0.0006
    return ObjectShape(
        category="keyboard", parts=parts, mass_kg=sampler.uniform("mass_kg", 0.35, 0.9),
        colliders=(_turned((half_x, half_y, top / 2), (0.0, 0.0, top / 2), tilted), *_foot_boxes(half_x, half_y, slope)),
    )  # fmt: skip


def _foot_boxes(half_x_m: float, half_y_m: float, slope: float) -> list[Collider]:
    height = 2 * half_y_m * math.sin(slope)
    if height < 0.002:
        return []
    y = (half_y_m - 0.012) * math.cos(slope)
    rise = (half_y_m + y) * math.tan(slope)
    return [slab((0.012, 0.004, rise / 2), (s * (half_x_m - 0.03), y, rise / 2)) for s in (-1, 1)]


def _feet(half_x_m: float, half_y_m: float, slope: float) -> list[Part]:
    boxes = _foot_boxes(half_x_m, half_y_m, slope)
    if not boxes:
        return []
    feet = [rounded_slab(b.size_m, b.body_from_collider.position_m, corner_m=0.002, bevel_m=0.0005) for b in boxes]
    return [Part(name="feet", mesh=joined(feet), material=Material(colour=(0.03, 0.03, 0.03), roughness=0.9))]


def _turned(half: Vec3, center: Vec3, body_from_group: Pose) -> Collider:
    """Returns a box of a tilted group in the body's frame."""
    rotation = rotation_from_quaternion(body_from_group.quaternion_wxyz)
    position = vec3(rotation @ np.asarray(center) + body_from_group.position_m)
    return Collider(kind="box", size_m=half, body_from_collider=Pose(position, body_from_group.quaternion_wxyz))


@shaped("laptop")
def laptop(sampler: ShapeSampler) -> ObjectShape:
    """Returns an open laptop: keys and a touch pad on the base, a lit or dark screen on the lid."""
    half_x = sampler.uniform("half_width_m", 0.14, 0.175)
    half_y = half_x * sampler.uniform("depth_to_width", 0.66, 0.74)
    thickness, lid = sampler.uniform("base_thickness_m", 0.009, 0.015), sampler.uniform("lid_thickness_m", 0.005, 0.008)
    opening = sampler.uniform("opening_rad", math.radians(96), math.radians(128))
    if sampler.chance("is_metal", 0.7):
        tone = sampler.uniform("shell_grey", 0.45, 0.8)
        shell = Material(colour=(tone, tone, tone * 1.02), roughness=0.35, metallic=0.6)
    else:
        shell = Material(colour=sampler.colour("shell", saturation=(0.0, 0.5), value=(0.08, 0.4)), roughness=0.5)
    base = rounded_slab((half_x, half_y, thickness / 2), (0.0, 0.0, thickness / 2), corner_m=0.01, bevel_m=0.003)
    pitch = (2 * half_x - 0.03) / 15.0
    letters, wide = _keys(pitch, 0.0016, (0.0, 0.32 * half_y, thickness - 0.0003), 6 if half_y > 0.105 else 5, False)
    pad = rounded_slab(
        (0.35 * half_x, 0.26 * half_y, 0.0004), (0.0, -0.62 * half_y, thickness), corner_m=0.004, bevel_m=0.0002
    )
    hinge = Pose((0.0, half_y - 0.004, thickness - 0.002), quaternion_about(_X, opening - math.pi))
    # In the lid's frame it lies closed: -y towards the user, the screen below.
    panel = rounded_slab((half_x, half_y, lid / 2), (0.0, -half_y, lid / 2), corner_m=0.01, bevel_m=0.002)
    edge = sampler.uniform("bezel_m", 0.004, 0.011)
    glass = rounded_slab((half_x - edge, half_y - edge, 0.0004), (0.0, -half_y, 0.0), corner_m=0.003, bevel_m=0.0002)
    keys = Material(
        colour=sampler.choice(
            "keys", ((0.02, 0.02, 0.02), (0.02, 0.02, 0.02), (0.75, 0.75, 0.76)), names=("black", "black", "silver")
        ),
        roughness=0.8,
    )
    pad_look = Material(colour=tuple(0.8 * c for c in shell.colour), roughness=0.3)  # type: ignore[arg-type]  # three values
    picture = planar(glass, (0, 1), (False, True))
    parts = (
        Part(name="base", mesh=base, material=shell),
        Part(name="keys", mesh=joined([*letters, *wide]), material=keys),
        Part(name="pad", mesh=pad, material=pad_look),
        Part(name="lid", mesh=placed(panel, hinge), material=shell),
        Part(name="screen", mesh=placed(picture, hinge), material=Material(texture=_desktop(sampler), roughness=0.15)),
    )
    colliders = (
        slab((half_x, half_y, thickness / 2), (0.0, 0.0, thickness / 2)),
        _turned((half_x, half_y, lid / 2), (0.0, -half_y, lid / 2), hinge),
    )
    return ObjectShape(
        category="laptop", parts=parts, colliders=colliders, mass_kg=sampler.uniform("mass_kg", 1.0, 2.0)
    )


def _desktop(sampler: ShapeSampler) -> NDArray[np.uint8]:
    """Draws what the screen shows, sRGB (160, 256, 3): nothing, windows on a wallpaper, or lines of code."""
    kind = sampler.choice("screen", ("off", "windows", "windows", "code"))
    if kind == "off":
        return np.full((160, 256, 3), (12, 13, 16), dtype=np.uint8)
    if kind == "code":
        image = np.full((160, 256, 3), (30, 32, 40), dtype=np.uint8)
        for row in range(10, 150, 8):
            x = 10 + 12 * sampler.integer("code.indent", 0, 4)
            for _ in range(sampler.integer("code.words", 1, 4)):
                length = sampler.integer("code.word_px", 10, 45)
                ink = tuple(int(255 * c) for c in sampler.colour("code.ink", saturation=(0.2, 0.7), value=(0.6, 1.0)))
                cv2.line(image, (x, row), (min(x + length, 246), row), ink, 3)
                x += length + 8
        return image
    wall = textures.blend(
        textures.noise(sampler.rng, 256, 4, 2),
        sampler.colour("wallpaper_low", value=(0.2, 0.7)),
        sampler.colour("wallpaper_high", value=(0.5, 1.0)),
    )
    image = np.ascontiguousarray(wall[:160])
    for _ in range(sampler.integer("windows", 1, 3)):
        x, y = sampler.integer("window_x_px", 10, 110), sampler.integer("window_y_px", 8, 60)
        w, h = sampler.integer("window_width_px", 70, 130), sampler.integer("window_height_px", 50, 85)
        bar = tuple(int(255 * c) for c in sampler.colour("window_bar", saturation=(0.0, 0.6), value=(0.2, 0.9)))
        cv2.rectangle(image, (x, y), (x + w, y + h), (245, 245, 246), -1)
        cv2.rectangle(image, (x, y), (x + w, y + 8), bar, -1)
        for line in range(y + 18, y + h - 4, 9):
            cv2.line(
                image,
                (x + 6, line),
                (x + 6 + int((w - 16) * sampler.uniform("window_line", 0.0, 1.0)), line),
                (120, 122, 130),
                2,
            )
    cv2.rectangle(image, (0, 150), (256, 160), (28, 30, 36), -1)
    return image
