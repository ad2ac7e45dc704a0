"""Cabinet, counter and shelf: what stands along walls and holds things; front at +x, standing on z = 0."""

from __future__ import annotations

from collections.abc import Sequence

from scenes.objects import _furnishing as looks
from scenes.objects._assembly import Assembly, four_corners
from scenes.objects.kitchen import SINK_DEPTH_M, SINK_RIM_M
from scenes.objects.shape import ObjectShape
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Material, Support

WORKTOP_M = 0.04
_GAP_M = 0.004
_FACE_M = 0.018


@shaped("cabinet")
def cabinet(sampler: ShapeSampler) -> ObjectShape:
    """Returns a wardrobe, a chest of drawers, a sideboard or a nightstand."""
    make = sampler.choice("kind", (wardrobe, drawers, sideboard, nightstand))
    return make(sampler)


@shaped("cabinet")
def wardrobe(sampler: ShapeSampler) -> ObjectShape:
    """Returns a wardrobe with two or three doors."""
    count = sampler.integer("wardrobe.doors", 2, 3)
    half = (
        sampler.uniform("wardrobe.half_depth_m", 0.27, 0.31),
        count * sampler.uniform("wardrobe.half_door_m", 0.22, 0.3),
        sampler.uniform("wardrobe.half_height_m", 0.9, 1.05),
    )
    return _case(sampler, half, columns=count, rows=1, drawer=False, mass_kg=90)


@shaped("cabinet")
def drawers(sampler: ShapeSampler) -> ObjectShape:
    """Returns a chest of drawers."""
    half = (
        sampler.uniform("drawers.half_depth_m", 0.2, 0.25),
        sampler.uniform("drawers.half_width_m", 0.35, 0.6),
        sampler.uniform("drawers.half_height_m", 0.38, 0.55),
    )
    return _case(
        sampler,
        half,
        columns=sampler.integer("drawers.columns", 1, 2),
        rows=sampler.integer("drawers.rows", 3, 4),
        drawer=True,
        mass_kg=40,
    )


@shaped("cabinet")
def sideboard(sampler: ShapeSampler) -> ObjectShape:
    """Returns a low cabinet with doors, as a television stands on."""
    half = (
        sampler.uniform("sideboard.half_depth_m", 0.19, 0.23),
        sampler.uniform("sideboard.half_width_m", 0.6, 0.85),
        sampler.uniform("sideboard.half_height_m", 0.22, 0.34),
    )
    return _case(
        sampler,
        half,
        columns=sampler.integer("sideboard.columns", 2, 4),
        rows=1,
        drawer=sampler.chance("sideboard.has_drawers", 0.4),
        mass_kg=45,
    )


@shaped("cabinet")
def nightstand(sampler: ShapeSampler) -> ObjectShape:
    """Returns a bedside cabinet with one to three drawers."""
    half = (
        sampler.uniform("nightstand.half_depth_m", 0.18, 0.21),
        sampler.uniform("nightstand.half_width_m", 0.19, 0.25),
        sampler.uniform("nightstand.half_height_m", 0.22, 0.29),
    )
    return _case(sampler, half, columns=1, rows=sampler.integer("nightstand.rows", 1, 3), drawer=True, mass_kg=14)


def _case(
    sampler: ShapeSampler, half: tuple[float, float, float], *, columns: int, rows: int, drawer: bool, mass_kg: float
) -> ObjectShape:
    body = looks.wood_or_paint(sampler.of("body"))
    front = body if sampler.chance("is_one_material", 0.6) else looks.wood_or_paint(sampler.of("front"))
    made = Assembly(body=body, front=front, handles=looks.metal(sampler.of("handles"), tone=(0.2, 0.8)))
    x, y, z = half
    foot = sampler.uniform("foot_m", 0.03, 0.12)
    made.span("body", (-x, -y, foot), (x - _FACE_M, y, 2 * z - 0.02))
    made.span("body", (-x - 0.004, -y - 0.006, 2 * z - 0.02), (x + 0.004, y + 0.006, 2 * z))
    for fx, fy, _ in four_corners(x - 0.05, y - 0.04):
        made.box("body", (0.022, 0.022, foot / 2), (fx, fy, foot / 2))
    _fronts(made, sampler, (x, y), (foot, 2 * z - 0.02), columns, rows, drawer=drawer)
    support = Support(center_m=(0.0, 0.0, 2 * z), half_extent_m=(x - 0.01, y - 0.02))
    return made.finish("cabinet", mass_kg * sampler.uniform("mass_factor", 0.8, 1.2), supports=(support,))


def _fronts(
    made: Assembly,
    sampler: ShapeSampler,
    half: tuple[float, float],
    span_z: tuple[float, float],
    columns: int,
    rows: int,
    *,
    drawer: bool,
) -> None:
    """Covers a face at x = half[0] with doors or drawers, each with a handle or knob."""
    x, y = half
    width, height = 2 * y / columns, (span_z[1] - span_z[0]) / rows
    bar = sampler.chance("has_bars", 0.6)
    for column in range(columns):
        for row in range(rows):
            middle_y, middle_z = -y + (column + 0.5) * width, span_z[0] + (row + 0.5) * height
            made.box(
                "front",
                (_FACE_M / 2, width / 2 - _GAP_M / 2, height / 2 - _GAP_M / 2),
                (x - _FACE_M / 2, middle_y, middle_z),
            )
            side = 1 if column % 2 == 0 else -1
            at_y, at_z = (
                (middle_y, middle_z + 0.15 * height) if drawer else (middle_y + side * (width / 2 - 0.05), middle_z)
            )
            _grip(made, (x, at_y, at_z), 0.06 if bar else 0.0, level=drawer)


def _grip(made: Assembly, at: tuple[float, float, float], half_length: float, *, level: bool) -> None:
    x, y, z = at
    if half_length == 0.0:
        made.box("handles", (0.013, 0.013, 0.013), (x + 0.013, y, z), radius_m=0.01)
    elif level:
        made.box("handles", (0.011, half_length, 0.006), (x + 0.011, y, z))
    else:
        made.box("handles", (0.011, 0.006, half_length), (x + 0.011, y, z))


@shaped("shelf")
def shelf(sampler: ShapeSampler) -> ObjectShape:
    """Returns a bookcase of 1 to 2 m, open at the front, each board a support."""
    half_x, half_y, height = (
        sampler.uniform("half_depth_m", 0.14, 0.18),
        sampler.uniform("half_width_m", 0.35, 0.55),
        sampler.uniform("height_m", 0.9, 2.0),
    )
    boards = max(2, round(height / sampler.uniform("board_gap_m", 0.33, 0.42)))
    look = looks.wood_or_paint(sampler.of("boards"))
    made = Assembly(
        boards=look, back=look if sampler.chance("is_one_material", 0.6) else looks.paint(sampler.of("back"))
    )
    t, foot = 0.01, 0.06
    for side in (-1, 1):
        made.box("boards", (half_x, t, height / 2), (0, side * (half_y - t), height / 2))
    made.span("boards", (half_x - 0.03, -half_y + 2 * t, 0), (half_x - 0.01, half_y - 2 * t, foot - 2 * t))
    made.span("back", (-half_x, -half_y + 2 * t, foot - 2 * t), (-half_x + 0.008, half_y - 2 * t, height))
    step = (height - foot) / boards
    supports = []
    for k in range(boards + 1):
        z = foot + k * step
        made.span("boards", (-half_x + 0.008, -half_y + 2 * t, z - 2 * t), (half_x, half_y - 2 * t, z))
        supports.append(Support(center_m=(0.01, 0.0, z), half_extent_m=(half_x - 0.02, half_y - 2 * t - 0.02)))
    return made.finish("shelf", 14 * height, supports=tuple(supports))


@shaped("cabinet")
def kitchen_front(sampler: ShapeSampler) -> Material:
    """Returns the look of the doors of a whole kitchen."""
    return looks.wood_or_paint(sampler.of("kitchen.front"))


@shaped("counter")
def worktop(sampler: ShapeSampler) -> Material:
    """Returns the look of a worktop."""
    return looks.stone(sampler.of("top"))


@shaped("counter")
def counter_top(
    sampler: ShapeSampler,
    half_x: float,
    span_y: Sequence[tuple[float, float]],
    top: float,
    sink: tuple[float, float, float] | None,
    look: Material | None = None,
) -> ObjectShape:
    """Returns a worktop along y over the given spans, its upper side at `top`; `sink` = (y, half_x, half_y) of a hole.

    Its front edge stands 2 cm before `half_x`.
    """
    made = Assembly(top=look or looks.stone(sampler.of("top")))
    low, supports = top - WORKTOP_M, []
    for first, last in span_y:
        holes = sink is not None and first < sink[0] < last
        pieces = (
            _around(first, last, half_x, sink)
            if holes and sink is not None
            else [((-half_x, first), (half_x + 0.02, last))]
        )
        for (x0, y0), (x1, y1) in pieces:
            made.span("top", (x0, y0, low), (x1, y1, top))
        for y0, y1 in _free(first, last, sink if holes else None):
            if y1 - y0 > 0.12:
                supports.append(
                    Support(center_m=(0.02, (y0 + y1) / 2, top), half_extent_m=(half_x - 0.05, (y1 - y0) / 2 - 0.02))
                )
    return made.finish("counter", 60.0, supports=tuple(supports))


def _around(
    first: float, last: float, half_x: float, sink: tuple[float, float, float]
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Returns four rectangles around the hole for the sink's basin, which lies under its rim."""
    y, hole_x, hole_y = sink
    front = half_x + 0.02
    return [
        ((-half_x, first), (front, y - hole_y)),
        ((-half_x, y + hole_y), (front, last)),
        ((-half_x, y - hole_y), (-hole_x, y + hole_y)),
        ((hole_x, y - hole_y), (front, y + hole_y)),
    ]


def _free(first: float, last: float, sink: tuple[float, float, float] | None) -> list[tuple[float, float]]:
    if sink is None:
        return [(first, last)]
    margin = sink[2] + SINK_RIM_M + 0.01
    return [(first, sink[0] - margin), (sink[0] + margin, last)]


@shaped("cabinet")
def base_units(
    sampler: ShapeSampler,
    half_x: float,
    span_y: Sequence[tuple[float, float]],
    top: float,
    sink_at: float | None,
    front: Material | None = None,
) -> ObjectShape:
    """Returns kitchen cupboards along y under a worktop whose lower side is at `top`, with plinth, doors and drawers."""
    face = front or looks.wood_or_paint(sampler.of("kitchen.front"))
    made = Assembly(
        front=face,
        body=face,
        plinth=looks.dark(sampler.of("kitchen.plinth")),
        handles=looks.metal(sampler.of("kitchen.handles"), tone=(0.2, 0.85)),
    )
    plinth = 0.09
    for first, last in span_y:
        count = max(1, round((last - first) / 0.55))
        made.span("plinth", (-half_x, first, 0), (half_x - 0.06, last, plinth))
        sunk = sink_at is not None and first < sink_at < last
        under = top - SINK_DEPTH_M - 0.01 if sunk else top
        made.span("body", (-half_x, first, plinth), (half_x - _FACE_M, last, under))
        if sunk:
            made.span("body", (half_x - 0.05, first, under), (half_x - _FACE_M, last, top))
        width = (last - first) / count
        for k in range(count):
            low_y = first + k * width
            drawer = sampler.chance("kitchen.has_drawers", 0.35)
            _unit(made, half_x, (low_y, low_y + width), (plinth, top), drawer=drawer)
    return made.finish("cabinet", 40.0)


def _unit(
    made: Assembly, half_x: float, span_y: tuple[float, float], span_z: tuple[float, float], *, drawer: bool
) -> None:
    y, half_y = (span_y[0] + span_y[1]) / 2, (span_y[1] - span_y[0]) / 2 - _GAP_M / 2
    rows = 3 if drawer else 1
    height = (span_z[1] - span_z[0]) / rows
    for row in range(rows):
        z = span_z[0] + (row + 0.5) * height
        made.box("front", (_FACE_M / 2, half_y, height / 2 - _GAP_M / 2), (half_x - _FACE_M / 2, y, z))
        at_z = z if drawer else span_z[1] - 0.07
        made.box("handles", (0.011, min(0.09, 0.5 * half_y), 0.006), (half_x + 0.011, y, at_z))


@shaped("cabinet")
def wall_units(
    sampler: ShapeSampler, half_x: float, span_y: Sequence[tuple[float, float]], height: float, front: Material
) -> ObjectShape:
    """Returns kitchen wall cupboards along y; their frame is at their lower edge."""
    made = Assembly(front=front, body=front, handles=looks.metal(sampler.of("kitchen.handles"), tone=(0.2, 0.85)))
    for first, last in span_y:
        count = max(1, round((last - first) / 0.5))
        made.span("body", (-half_x, first, 0), (half_x - _FACE_M, last, height))
        width = (last - first) / count
        for k in range(count):
            y = first + (k + 0.5) * width
            made.box(
                "front",
                (_FACE_M / 2, width / 2 - _GAP_M / 2, height / 2 - _GAP_M / 2),
                (half_x - _FACE_M / 2, y, height / 2),
            )
            made.box("handles", (0.011, 0.006, 0.06), (half_x + 0.011, y + (0.4 if k % 2 == 0 else -0.4) * width, 0.1))
    return made.finish("cabinet", 25.0)
