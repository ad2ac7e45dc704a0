"""Chair, couch and bench: front at +x, the seat given as a support at its true height."""

from __future__ import annotations

import math

import numpy as np

from scenes.objects import _furnishing as looks
from scenes.objects._assembly import Assembly, about_y, four_corners
from scenes.objects.shape import ObjectShape
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Support

# A seat's support reaches from behind its front edge to the backrest, so that whoever sits there knows where to lean.


@shaped("chair")
def chair(sampler: ShapeSampler) -> ObjectShape:
    """Returns a wooden or upholstered chair on four legs, with slats, rails or a solid back, or an office chair."""
    return office_chair(sampler) if sampler.chance("is_office_chair", 0.25) else dining_chair(sampler)


@shaped("chair")
def dining_chair(sampler: ShapeSampler) -> ObjectShape:
    """Returns a chair on four legs."""
    half_x, half_y = sampler.uniform("half_depth_m", 0.19, 0.225), sampler.uniform("half_width_m", 0.19, 0.23)
    seat, top = sampler.uniform("seat_m", 0.43, 0.47), sampler.uniform("back_top_m", 0.8, 1.02)
    frame_look = (
        looks.wood_or_paint(sampler.of("frame"))
        if sampler.chance("is_wooden", 0.8)
        else looks.metal(sampler.of("frame.metal"))
    )
    pad_look = looks.cloth(sampler.of("cushion")) if sampler.chance("has_cushion_cloth", 0.55) else frame_look
    made = Assembly(frame=frame_look, pad=pad_look)
    thick = sampler.uniform("seat_half_thickness_m", 0.012, 0.022)
    made.box("frame", (half_x, half_y, thick), (0, 0, seat - thick), radius_m=0.008)
    padded = pad_look is not frame_look
    cushion = sampler.uniform("cushion_half_thickness_m", 0.015, 0.025) if padded else 0.0
    if padded:
        made.box("pad", (half_x - 0.012, half_y - 0.012, cushion), (0, 0, seat + cushion), radius_m=0.02)
    _legs(made, sampler, half_x - 0.025, half_y - 0.025, seat - 2 * thick)
    lean = sampler.uniform("lean_rad", 0.04, 0.16)
    _back(made, sampler, half_x, half_y, seat, top, lean, padded=padded)
    if sampler.chance("has_armrests", 0.2):
        _armrests(made, half_x, half_y, seat, sampler.uniform("armrest_m", 0.18, 0.23))
    support = Support(center_m=(0.02, 0.0, seat + 2 * cushion), half_extent_m=(half_x - 0.03, half_y - 0.02))
    return made.finish("chair", sampler.uniform("mass_kg", 3.5, 8.0), supports=(support,))


def _legs(made: Assembly, sampler: ShapeSampler, half_x: float, half_y: float, height: float) -> None:
    radius, splay = sampler.uniform("leg_m", 0.014, 0.02), sampler.choice("leg_splay_m", (0.0, 0.0, 0.03))
    square = sampler.chance("has_square_legs", 0.5)
    for x, y, _ in four_corners(half_x, half_y):
        if square and splay == 0.0:
            made.box("frame", (radius, radius, height / 2), (x, y, height / 2))
        else:
            # A slanting leg is cut square to itself: it stands on the rim of its foot, which is a little below its axis.
            lift = 0.7 * radius * math.hypot(splay, splay) / (height - radius)
            foot = (x + math.copysign(splay, x), y + math.copysign(splay, y), lift)
            made.rod("frame", foot, (x, y, height), 0.7 * radius, end_radius_m=radius)
    if sampler.chance("has_stretchers", 0.4):
        for side in (-1, 1):
            made.box("frame", (half_x, 0.008, 0.011), (0, side * half_y, 0.35 * height))


def _back(
    made: Assembly,
    sampler: ShapeSampler,
    half_x: float,
    half_y: float,
    seat: float,
    top: float,
    lean: float,
    *,
    padded: bool,
) -> None:
    """Adds a backrest that leans away from the seat by `lean` radians."""
    turn, length = about_y(-lean), top - seat
    foot = np.array([-half_x + 0.018, 0.0, seat])
    along = np.array([-math.sin(lean), 0.0, math.cos(lean)])

    def at(share: float, y: float) -> tuple[float, float, float]:
        x, _, z = foot + share * length * along
        return float(x), y, float(z)

    kind = sampler.choice("back", ("slats", "rails", "solid"))
    if kind == "solid":
        made.box(
            "pad" if padded else "frame",
            (0.016, half_y - 0.005, 0.37 * length),
            at(0.62, 0.0),
            turn=turn,
            radius_m=0.015,
        )
        for side in (-1, 1):
            made.box("frame", (0.011, 0.013, 0.2 * length), at(0.19, side * (half_y - 0.045)), turn=turn)
        return
    for side in (-1, 1):
        made.box("frame", (0.014, 0.016, length / 2), at(0.5, side * (half_y - 0.016)), turn=turn)
    inner = half_y - 0.032
    made.box("frame", (0.011, inner, 0.035), at(1.0 - 0.035 / length, 0.0), turn=turn)
    if kind == "rails":
        for share in np.linspace(0.35, 0.72, sampler.integer("rails", 1, 2)):
            made.box("frame", (0.009, inner, 0.025), at(float(share), 0.0), turn=turn)
        return
    made.box("frame", (0.009, inner, 0.016), at(0.28, 0.0), turn=turn)
    for y in np.linspace(-0.75, 0.75, sampler.integer("slats", 3, 5)) * inner:
        made.box("frame", (0.007, 0.013, 0.32 * length), at(0.6, float(y)), turn=turn)


def _armrests(made: Assembly, half_x: float, half_y: float, seat: float, rise: float) -> None:
    for side in (-1, 1):
        y = side * (half_y + 0.012)
        made.box("frame", (half_x - 0.015, 0.018, 0.011), (-0.015, y, seat + rise), radius_m=0.008)
        made.box("frame", (0.011, 0.011, (rise + 0.02) / 2), (half_x - 0.06, y, seat + (rise - 0.04) / 2))
        made.box("frame", (0.011, 0.011, (rise + 0.02) / 2), (0.03 - half_x, y, seat + (rise - 0.04) / 2))


@shaped("chair")
def office_chair(sampler: ShapeSampler) -> ObjectShape:
    """Returns a swivel chair: star base on castors, column, padded seat and back."""
    half_x, half_y = (
        sampler.uniform("office.half_depth_m", 0.22, 0.25),
        sampler.uniform("office.half_width_m", 0.22, 0.255),
    )
    seat, top = sampler.uniform("office.seat_m", 0.44, 0.5), sampler.uniform("office.back_top_m", 0.88, 1.15)
    base = (
        looks.dark(sampler.of("office.base.dark"))
        if sampler.chance("office.is_dark", 0.6)
        else looks.metal(sampler.of("office.base.metal"))
    )
    made = Assembly(
        base=base, castors=looks.dark(sampler.of("office.castors")), pad=looks.cloth(sampler.of("office.pad"))
    )
    arms, reach = 5, sampler.uniform("office.base_radius_m", 0.27, 0.32)
    for k in range(arms):
        turn = 2 * math.pi * (k + 0.5) / arms
        x, y = reach * math.cos(turn), reach * math.sin(turn)
        made.rod("base", (0.2 * x, 0.2 * y, 0.105), (x, y, 0.075), 0.021, end_radius_m=0.014)
        made.turned(
            "castors", [(0, 0), (0.022, 0.004), (0.026, 0.03), (0.022, 0.058), (0, 0.062)], (x, y, 0.0), segments=10
        )
    made.rod("base", (0, 0, 0.09), (0, 0, seat - 0.08), 0.026)
    made.box("base", (0.11, 0.09, 0.015), (0, 0, seat - 0.09))
    made.box("pad", (half_x, half_y, 0.038), (0, 0, seat - 0.038), radius_m=0.035)
    lean = sampler.uniform("office.lean_rad", 0.06, 0.18)
    low = seat + sampler.uniform("office.back_gap_m", 0.03, 0.1)
    half_back = (top - low) / 2
    turn_back = about_y(-lean)
    middle_x = -half_x + 0.02 - math.sin(lean) * (low + half_back - seat)
    made.box(
        "pad",
        (0.03, half_y * sampler.uniform("office.back_width", 0.8, 1.0), half_back),
        (middle_x, 0, low + half_back),
        turn=turn_back,
        radius_m=0.028,
    )
    made.box("base", (0.008, 0.03, 0.13), (-half_x - 0.005, 0, seat + 0.03))
    made.box("base", (0.08, 0.03, 0.008), (0.075 - half_x, 0, seat - 0.1))
    if sampler.chance("office.has_armrests", 0.6):
        for side in (-1, 1):
            y = side * (half_y + 0.035)
            made.box("base", (0.12, 0.026, 0.014), (-0.02, y, seat + 0.2), radius_m=0.012)
            made.box("base", (0.018, 0.012, 0.12), (-0.02, y, seat + 0.07))
            made.box("base", (0.018, 0.06, 0.01), (-0.02, side * (half_y - 0.035), seat - 0.085))
            made.box("base", (0.018, 0.012, 0.025), (-0.02, y, seat - 0.07))
    support = Support(center_m=(0.02, 0.0, seat), half_extent_m=(half_x - 0.05, half_y - 0.04))
    return made.finish("chair", sampler.uniform("office.mass_kg", 9, 16), supports=(support,))


@shaped("couch")
def couch(sampler: ShapeSampler) -> ObjectShape:
    """Returns an armchair wide enough for one or a couch for two or three: cushions, arms and feet."""
    places = sampler.choice("places", (1, 2, 2, 3, 3))
    return couch_for(sampler, places)


@shaped("couch")
def couch_for(sampler: ShapeSampler, places: int) -> ObjectShape:
    """Returns a couch with that many seats."""
    seat_width, arm = sampler.uniform("seat_width_m", 0.56, 0.68), sampler.uniform("arm_half_width_m", 0.06, 0.12)
    half_y, half_x = places * seat_width / 2 + 2 * arm, sampler.uniform("half_depth_m", 0.4, 0.47)
    seat, top = sampler.uniform("seat_m", 0.4, 0.46), sampler.uniform("back_top_m", 0.74, 0.92)
    foot = sampler.uniform("foot_m", 0.05, 0.13)
    body, back = looks.cloth(sampler.of("body")), sampler.uniform("back_half_thickness_m", 0.08, 0.12)
    cushions = body if sampler.chance("is_one_cloth", 0.7) else looks.soft(sampler.of("cushions"))
    made = Assembly(
        body=body,
        cushions=cushions,
        feet=looks.wood_or_paint(sampler.of("feet")),
        pillows=looks.cloth(sampler.of("pillows")),
    )
    pad = sampler.uniform("cushion_half_thickness_m", 0.06, 0.08)
    base_top = seat - 2 * pad
    inner = half_y - 2 * arm
    made.span("body", (-half_x, -half_y, foot), (half_x - 0.02, half_y, base_top), radius_m=0.02)
    made.span("body", (-half_x, -half_y, base_top - 0.02), (-half_x + 2 * back, half_y, top), radius_m=0.06)
    arm_top = seat + sampler.uniform("arm_over_seat_m", 0.1, 0.24)
    for side in (-1, 1):
        made.box(
            "body", (half_x - 0.005, arm, (arm_top - base_top + 0.02) / 2),
            (0, side * (half_y - arm), (arm_top + base_top - 0.02) / 2), radius_m=min(0.07, arm * 0.9),
        )  # fmt: skip
    half_seat = inner / places
    depth = (2 * half_x - 2 * back) / 2
    for k in range(places):
        y = -inner + (2 * k + 1) * half_seat
        made.box("cushions", (depth, half_seat - 0.003, pad), (half_x - depth, y, seat - pad), radius_m=0.045)
        rise = (top - seat + 0.06) / 2
        made.box(
            "cushions", (0.075, half_seat - 0.008, rise), (-half_x + 2 * back + 0.05, y, seat + rise - 0.01),
            turn=about_y(-0.14), radius_m=0.06,
        )  # fmt: skip
    for x, y, _ in four_corners(half_x - 0.06, half_y - 0.06):
        made.box("feet", (0.025, 0.025, foot / 2 + 0.005), (x, y, foot / 2 + 0.005))
    front = half_x - (2 * half_x - 2 * back - 0.13)
    _pillows(made, sampler, inner, seat, front)
    support = Support(
        center_m=((front + half_x) / 2, 0.0, seat), half_extent_m=((half_x - front) / 2 - 0.02, inner - 0.02)
    )
    return made.finish("couch", 22.0 * places + sampler.uniform("extra_mass_kg", 5, 20), supports=(support,))


def _pillows(made: Assembly, sampler: ShapeSampler, inner: float, seat: float, front: float) -> None:
    for side in (-1, 1):
        if sampler.chance("has_pillow", 0.45):
            size = sampler.uniform("pillow_half_m", 0.17, 0.22)
            turn = about_y(-0.35)
            made.box(
                "pillows",
                (0.055, size, size),
                (front + 0.02, side * (inner - size - 0.03), seat + size),
                turn=turn,
                radius_m=0.054,
            )


@shaped("bench")
def bench(sampler: ShapeSampler) -> ObjectShape:
    """Returns a bench of wooden slats on two frames, with or without a back, or a padded bench."""
    half_y, half_x = sampler.uniform("half_width_m", 0.5, 0.8), sampler.uniform("half_depth_m", 0.16, 0.22)
    seat = sampler.uniform("seat_m", 0.42, 0.47)
    slats = looks.wood(sampler.of("slats"))
    frame = looks.paint(sampler.of("frame"), value=(0.05, 0.4)) if sampler.chance("has_painted_frame", 0.5) else slats
    made = Assembly(slats=slats, frame=frame, pad=looks.cloth(sampler.of("pad")))
    count = sampler.integer("slat_count", 3, 5)
    pitch = 2 * half_x / count
    for k in range(count):
        made.box(
            "slats", (pitch / 2 - 0.006, half_y, 0.016), (-half_x + (k + 0.5) * pitch, 0, seat - 0.016), radius_m=0.005
        )
    top = seat
    backed = sampler.chance("has_back", 0.6)
    if not backed and sampler.chance("has_cushion", 0.4):
        made.box("pad", (half_x - 0.005, half_y - 0.01, 0.025), (0, 0, seat + 0.025), radius_m=0.022)
        top = seat + 0.05
    boards = sampler.integer("back_boards", 2, 3)
    for side in (-1, 1):
        rise = 0.12 + 0.115 * boards if backed else 0.0
        _bench_frame(made, sampler.uniform("frame_half_m", 0.02, 0.03), side * (half_y - 0.14), half_x, seat, rise)
    if backed:
        for k in range(boards):
            z = seat + 0.13 + 0.115 * k
            made.box(
                "slats",
                (0.012, half_y, 0.045),
                (-half_x - 0.15 * (z - seat) + 0.002, 0, z),
                turn=about_y(-0.15),
                radius_m=0.005,
            )
    support = Support(center_m=(0.02, 0.0, top), half_extent_m=(half_x - 0.03, half_y - 0.03))
    return made.finish("bench", sampler.uniform("mass_kg", 10, 28), supports=(support,))


def _bench_frame(made: Assembly, half: float, y: float, half_x: float, seat: float, rise: float) -> None:
    made.box("frame", (half_x, half, 0.02), (0, y, seat - 0.052))
    for x in (-half_x + half, half_x - half):
        made.box("frame", (half, half, (seat - 0.072) / 2), (x, y, (seat - 0.072) / 2))
    if rise > 0:
        made.box(
            "frame",
            (0.014, half, (rise + 0.05) / 2),
            (-half_x - 0.024 - 0.075 * (rise - 0.05), y, seat + (rise - 0.05) / 2),
            turn=about_y(-0.15),
        )
