"""Bed, tables and screens: front at +x, standing on z = 0."""

from __future__ import annotations

import math

from scenes.objects import _furnishing as looks
from scenes.objects._assembly import Assembly, about_y, four_corners
from scenes.objects.shape import ObjectShape
from scenes.objects.shaped import making
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Support

_COFFEE_M = (0.38, 0.48)


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


def dining_table(sampler: ShapeSampler) -> ObjectShape:
    """Returns a rectangular, square or round table on legs, on a column or on trestles."""
    kind = sampler.choice("shape", ("rectangle", "rectangle", "square", "round"))
    if kind == "round":
        return table_of(sampler, sampler.uniform("round.radius_m", 0.42, 0.62), 0.0, "dining table")
    half_x = sampler.uniform("half_depth_m", 0.38, 0.48)
    half_y = half_x if kind == "square" else sampler.uniform("half_length_m", 0.6, 0.95)
    return table_of(sampler, half_x, half_y, "dining table")


def coffee_table(sampler: ShapeSampler) -> ObjectShape:
    """Returns a low oblong table."""
    half = (sampler.uniform("coffee.half_depth_m", 0.25, 0.35), sampler.uniform("coffee.half_length_m", 0.4, 0.6))
    return table_of(sampler, *half, "table", _COFFEE_M, "coffee.height_m")


def round_coffee_table(sampler: ShapeSampler) -> ObjectShape:
    """Returns a low round table."""
    return table_of(sampler, sampler.uniform("coffee.radius_m", 0.33, 0.45), 0.0, "table", _COFFEE_M, "coffee.height_m")


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
