"""Bed, dining table, lamp, potted plant and tv: front at +x, standing on z = 0."""

from __future__ import annotations

import math

import numpy as np

from scenes import textures
from scenes.meshes import moved, sweep, warp
from scenes.objects import _furnishing as looks
from scenes.objects._assembly import Assembly, about_y, about_z, four_corners
from scenes.objects.shape import ObjectShape
from scenes.objects.shaped import making, shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Support
from scenes.transforms import Pose

_COFFEE_M = (0.38, 0.48)
PLANT_HEIGHTS_M = {"corner": (0.7, 1.4), "wall": (0.8, 1.4), "tabletop": (0.22, 0.36)}


@shaped("bed")
def bed(sampler: ShapeSampler) -> ObjectShape:
    """Returns a single or double bed, its head at -x: frame, headboard, mattress, pillows and a turned-back cover."""
    double = sampler.chance("is_double", 0.6)
    half_y = (
        sampler.uniform("double.half_width_m", 0.7, 0.9)
        if double
        else sampler.uniform("single.half_width_m", 0.45, 0.55)
    )
    half_x, low, pad = (
        sampler.uniform("half_length_m", 1.0, 1.06),
        sampler.uniform("base_m", 0.22, 0.32),
        sampler.uniform("mattress_m", 0.09, 0.13),
    )
    made = Assembly(
        frame=looks.wood_or_paint(sampler.of("frame")),
        mattress=looks.soft(sampler.of("mattress"), saturation=(0, 0.06), value=(0.85, 0.98)),
        cover=looks.cloth(sampler.of("cover")),
        pillows=looks.soft(sampler.of("pillows"), saturation=(0, 0.3), value=(0.7, 0.99)),
        throw=looks.cloth(sampler.of("throw")),
    )  # fmt: skip
    made.span("frame", (-half_x, -half_y, low - 0.16), (half_x, half_y, low), radius_m=0.012)
    for x, y, _ in four_corners(half_x - 0.06, half_y - 0.06):
        made.box("frame", (0.03, 0.03, (low - 0.16) / 2), (x, y, (low - 0.16) / 2))
    top = low + 2 * pad
    made.span(
        "mattress", (-half_x + 0.01, -half_y + 0.02, low - 0.005), (half_x - 0.03, half_y - 0.02, top), radius_m=0.05
    )
    head = sampler.uniform("head_m", 0.8, 1.15)
    made.span("frame", (-half_x - 0.06, -half_y - 0.02, 0.0), (-half_x, half_y + 0.02, head), radius_m=0.02)
    count = 2 if double else 1
    for k in range(count):
        y = (k - (count - 1) / 2) * half_y
        size = (0.2, min(0.36, half_y / count - 0.04), 0.06)
        made.box("pillows", size, (-half_x + 0.27, y, top + 0.055), turn=about_y(0.18), radius_m=0.058)
    thick, start = sampler.uniform("blanket_m", 0.025, 0.04), sampler.uniform("blanket_at", -0.5, -0.3)
    made.span("cover", (start, -half_y - 0.01, low - 0.1), (half_x - 0.005, half_y + 0.01, top + thick), radius_m=0.045)
    made.span(
        "mattress",
        (start - 0.03, -half_y - 0.012, low + 0.02),
        (start + 0.16, half_y + 0.012, top + thick + 0.006),
        radius_m=0.03,
    )
    if sampler.chance("has_footboard", 0.5):
        made.span(
            "throw",
            (half_x - 0.55, -half_y - 0.014, low - 0.05),
            (half_x - 0.15, half_y + 0.014, top + thick + 0.005),
            radius_m=0.03,
            touch=False,
        )
    span = (start + 0.2, half_x - 0.6)
    support = Support(
        center_m=((span[0] + span[1]) / 2, 0.0, top + thick), half_extent_m=((span[1] - span[0]) / 2, half_y - 0.1)
    )
    return made.finish("bed", sampler.uniform("mass_kg", 45, 110), supports=(support,))


@shaped("dining table")
def dining_table(sampler: ShapeSampler) -> ObjectShape:
    """Returns a rectangular, square or round table on legs, on a column or on trestles."""
    kind = sampler.choice("shape", ("rectangle", "rectangle", "square", "round"))
    if kind == "round":
        return table_of(sampler, sampler.uniform("round.radius_m", 0.42, 0.62), 0.0, "dining table")
    half_x = sampler.uniform("half_depth_m", 0.38, 0.48)
    half_y = half_x if kind == "square" else sampler.uniform("half_length_m", 0.6, 0.95)
    return table_of(sampler, half_x, half_y, "dining table")


@shaped("table")
def coffee_table(sampler: ShapeSampler) -> ObjectShape:
    """Returns a low oblong table."""
    half = (sampler.uniform("coffee.half_depth_m", 0.25, 0.35), sampler.uniform("coffee.half_length_m", 0.4, 0.6))
    return table_of(sampler, *half, "table", _COFFEE_M, "coffee.height_m")


@shaped("table")
def round_coffee_table(sampler: ShapeSampler) -> ObjectShape:
    """Returns a low round table."""
    return table_of(sampler, sampler.uniform("coffee.radius_m", 0.33, 0.45), 0.0, "table", _COFFEE_M, "coffee.height_m")


@shaped("table")
def desk(sampler: ShapeSampler) -> ObjectShape:
    """Returns a desk."""
    half = (sampler.uniform("desk.half_depth_m", 0.33, 0.4), sampler.uniform("desk.half_length_m", 0.6, 0.85))
    return table_of(sampler, *half, "table")


def table_of(
    sampler: ShapeSampler,
    half_x: float,
    half_y: float,
    category: str,
    height: tuple[float, float] = (0.72, 0.77),
    height_name: str = "height_m",
) -> ObjectShape:
    """Returns a table of that category with these half edges in metres; `half_y` 0 makes it round with radius `half_x`.

    A height without a name is given by other keys of the suite.
    """
    return making(category, sampler, lambda s: _table(s, half_x, half_y, category, height, height_name))


def _table(
    sampler: ShapeSampler, half_x: float, half_y: float, category: str, height: tuple[float, float], height_name: str
) -> ObjectShape:
    top = sampler.uniform(height_name, *height) if height_name else height[0] + (height[1] - height[0]) * sampler.unit()
    thick = sampler.uniform("top_half_thickness_m", 0.012, 0.022)
    board = (
        looks.stone(sampler.of("top.stone"))
        if sampler.chance("is_stone", 0.2)
        else looks.wood_or_paint(sampler.of("top"))
    )
    made = Assembly(
        top=board, legs=board if sampler.chance("is_one_material", 0.5) else looks.wood_or_paint(sampler.of("legs"))
    )
    under, is_round = top - 2 * thick, half_y <= 0
    if is_round:
        made.turned(
            "top",
            [
                (0, 0),
                (half_x - 0.006, 0),
                (half_x, 0.006),
                (half_x, 2 * thick - 0.004),
                (half_x - 0.004, 2 * thick),
                (0, 2 * thick),
            ],
            (0, 0, under),
            segments=48,
        )
    else:
        made.box("top", (half_x, half_y, thick), (0, 0, top - thick))
    if is_round and sampler.chance("has_column", 0.7):
        _column(made, sampler, 0.6 * half_x, under)
    else:
        reach = half_x / math.sqrt(2) - 0.02 if is_round else None
        _table_legs(made, sampler, reach or half_x - 0.05, reach or half_y - 0.05, under)
    half = (half_x - 0.03, half_x - 0.03) if is_round else (half_x - 0.03, half_y - 0.03)
    support = Support(center_m=(0.0, 0.0, top), half_extent_m=half, round=is_round)
    return made.finish(category, sampler.uniform("mass_kg", 14, 45), supports=(support,))


def _column(made: Assembly, sampler: ShapeSampler, foot: float, under: float) -> None:
    made.turned("legs", [(0, 0), (foot, 0), (foot, 0.012), (0.4 * foot, 0.035), (0, 0.035)], segments=32)
    thin = sampler.uniform("column_radius_m", 0.035, 0.06)
    made.turned(
        "legs",
        [(0, 0), (1.5 * thin, 0), (thin, 0.25 * under), (1.2 * thin, under - 0.035), (0, under - 0.035)],
        (0, 0, 0.035),
    )


def _table_legs(made: Assembly, sampler: ShapeSampler, half_x: float, half_y: float, under: float) -> None:
    half, taper = sampler.uniform("leg_half_m", 0.02, 0.038), sampler.chance("is_tapered", 0.4)
    for x, y, _ in four_corners(half_x, half_y):
        if taper:
            made.rod("legs", (x, y, 0), (x, y, under), 0.6 * half, end_radius_m=half)
        else:
            made.box("legs", (half, half, under / 2), (x, y, under / 2))
    rail = sampler.uniform("rail_half_m", 0.02, 0.04)
    for side in (-1, 1):
        made.box("legs", (half_x, 0.01, rail), (0, side * half_y, under - rail))
        made.box("legs", (0.01, half_y, rail), (side * half_x, 0, under - rail))


@shaped("lamp")
def lamp(sampler: ShapeSampler) -> ObjectShape:
    """Returns a table lamp or a floor lamp with a shade."""
    return floor_lamp(sampler) if sampler.chance("is_floor_lamp", 0.5) else table_lamp(sampler)


@shaped("lamp")
def floor_lamp(sampler: ShapeSampler) -> ObjectShape:
    """Returns a lamp on a pole of 1.3 to 1.7 m."""
    return _standing_lamp(
        sampler,
        sampler.uniform("floor.height_m", 1.35, 1.65),
        sampler.uniform("floor.foot_radius_m", 0.13, 0.17),
        sampler.uniform("floor.shade_radius_m", 0.16, 0.24),
    )


@shaped("lamp")
def table_lamp(sampler: ShapeSampler) -> ObjectShape:
    """Returns a lamp of 0.35 to 0.55 m."""
    return _standing_lamp(
        sampler,
        sampler.uniform("table.height_m", 0.36, 0.55),
        sampler.uniform("table.foot_radius_m", 0.06, 0.085),
        sampler.uniform("table.shade_radius_m", 0.09, 0.15),
    )


def _standing_lamp(sampler: ShapeSampler, height: float, foot: float, shade: float) -> ObjectShape:
    glow = sampler.colour("shade", hue=(0.08, 0.16), saturation=(0.02, 0.35), value=(0.92, 1.0))
    base = (
        looks.metal(sampler.of("base.metal"))
        if sampler.chance("is_metal", 0.4)
        else looks.wood_or_paint(sampler.of("base"))
    )
    made = Assembly(base=base, shade=Material(colour=looks.linear(glow), roughness=0.9))
    made.turned("base", [(0, 0), (foot, 0), (foot, 0.012), (0.3 * foot, 0.024), (0, 0.024)])
    tall = shade * sampler.uniform("shade_height", 1.1, 1.6)
    low = height - tall
    if height < 0.8 and sampler.chance("has_belly", 0.6):
        belly = sampler.uniform("belly", 0.7, 1.0) * foot
        line = [
            (0, 0.02),
            (0.5 * foot, 0.02),
            (belly, 0.3 * low),
            (0.6 * belly, 0.6 * low),
            (0.012, 0.85 * low),
            (0.012, low + 0.02),
            (0, low + 0.02),
        ]
        made.turned("base", line)
    else:
        made.rod("base", (0, 0, 0.02), (0, 0, low + 0.02), sampler.uniform("rod_radius_m", 0.008, 0.014))
    upper = shade * sampler.uniform("shade_taper", 0.55, 0.95)
    made.turned(
        "shade",
        [
            (0, low + 0.01),
            (shade - 0.004, low),
            (shade, low),
            (upper, height),
            (upper - 0.004, height),
            (0, height - 0.01),
        ],
        segments=32,
    )
    return made.finish("lamp", sampler.uniform("mass_factor", 0.8, 1.6) * (4.0 if height > 0.8 else 1.0))


@shaped("lamp")
def pendant(sampler: ShapeSampler, drop_m: float) -> ObjectShape:
    """Returns a lamp that hangs `drop_m` below the ceiling; its frame is at the ceiling, so that it lies at z < 0."""
    glow = sampler.colour("pendant.shade", hue=(0.08, 0.16), saturation=(0.0, 0.25), value=(0.9, 1.0))
    made = Assembly(
        cord=looks.dark(sampler.of("pendant.cord")), shade=Material(colour=looks.linear(glow), roughness=0.9)
    )
    wide, tall = sampler.uniform("pendant.radius_m", 0.14, 0.24), sampler.uniform("pendant.shade_height_m", 0.12, 0.22)
    low = -drop_m
    made.turned("cord", [(0, -0.025), (0.05, -0.025), (0.05, 0), (0, 0)])
    made.rod("cord", (0, 0, low + tall - 0.01), (0, 0, -0.02), 0.004, segments=6)
    if sampler.chance("pendant.is_dome", 0.4):
        made.turned(
            "shade",
            [(wide * math.sin(a), low + tall / 2 - tall / 2 * math.cos(a)) for a in np.linspace(0, math.pi, 13)],
        )
    else:
        made.turned(
            "shade",
            [(0, low + 0.02), (wide - 0.006, low), (wide, low), (0.35 * wide, low + tall), (0, low + tall)],
            segments=32,
        )
    return made.finish("lamp", sampler.uniform("pendant.mass_kg", 0.8, 2.0))


@shaped("potted plant")
def potted_plant(sampler: ShapeSampler) -> ObjectShape:
    """Returns a plant of 0.3 to 1.4 m in a pot."""
    return plant_of(
        sampler,
        sampler.uniform("big.height_m", 0.7, 1.4)
        if sampler.chance("is_big", 0.6)
        else sampler.uniform("small.height_m", 0.28, 0.42),
    )


@shaped("potted plant")
def plant_for(sampler: ShapeSampler, where: str) -> ObjectShape:
    """Returns a plant of the height that plants have in a place: a key of PLANT_HEIGHTS_M."""
    return plant_of(sampler, sampler.uniform(f"{where}.height_m", *PLANT_HEIGHTS_M[where]))


@shaped("potted plant")
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


@shaped("tv")
def tv(sampler: ShapeSampler) -> ObjectShape:
    """Returns a flat television on a foot or on two legs, dark or showing a picture."""
    half_y = sampler.uniform("half_width_m", 0.36, 0.68)
    half_z = half_y * 0.5625 + 0.01
    lift = sampler.uniform("lift_m", 0.05, 0.1)
    made = Assembly(
        case=looks.dark(sampler.of("case")),
        screen=looks.picture(sampler.of("screen")) if sampler.chance("is_on", 0.45) else _screen_off(sampler),
        foot=looks.metal(sampler.of("foot"), tone=(0.1, 0.6)),
    )
    _panel(made, sampler, half_y, half_z, lift)
    if sampler.chance("has_two_feet", 0.5):
        made.box("foot", (0.1, 0.3 * half_y, 0.006), (0, 0, 0.006))
        made.box("foot", (0.012, 0.05, lift / 2), (-0.012, 0, lift / 2 + 0.006))
    else:
        for side in (-1, 1):
            made.box("foot", (0.11, 0.012, 0.006), (0, side * 0.7 * half_y, 0.006))
            made.box("foot", (0.012, 0.012, lift / 2), (0, side * 0.7 * half_y, lift / 2 + 0.006))
    return made.finish("tv", 18 * half_y + sampler.uniform("extra_mass_kg", 1, 4))


@shaped("tv")
def monitor(sampler: ShapeSampler) -> ObjectShape:
    """Returns a desk-sized tv on a foot, its screen on."""
    half_y, lift = sampler.uniform("monitor.half_width_m", 0.25, 0.32), sampler.uniform("monitor.lift_m", 0.08, 0.13)
    made = Assembly(
        case=looks.dark(sampler.of("monitor.case")),
        screen=looks.picture(sampler.of("monitor.screen")),
        foot=looks.metal(sampler.of("monitor.foot"), tone=(0.1, 0.7)),
    )
    _panel(made, sampler, half_y, 0.6 * half_y, lift)
    made.box("foot", (0.09, 0.12, 0.006), (-0.02, 0, 0.006))
    made.box("foot", (0.01, 0.03, lift / 2 + 0.04), (-0.032, 0, lift / 2 + 0.046))
    return made.finish("tv", sampler.uniform("monitor.mass_kg", 3, 6))


def _panel(made: Assembly, sampler: ShapeSampler, half_y: float, half_z: float, lift: float) -> None:
    bezel, thick = sampler.uniform("bezel_m", 0.008, 0.02), sampler.uniform("half_thickness_m", 0.012, 0.02)
    z = lift + half_z
    made.box("case", (thick, half_y, half_z), (0, 0, z), radius_m=0.006)
    made.box("screen", (0.0015, half_y - bezel, half_z - bezel), (thick + 0.0005, 0, z), tile_m=None)
    made.box("case", (0.018, 0.6 * half_y, 0.6 * half_z), (-thick - 0.01, 0, z), radius_m=0.012)


def _screen_off(sampler: ShapeSampler) -> Material:
    grey = sampler.uniform("screen_grey", 0.02, 0.06)
    return Material(colour=looks.linear((grey, grey, 1.15 * grey)), roughness=0.08)
