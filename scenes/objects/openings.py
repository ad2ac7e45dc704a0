"""Window, door, curtain and rug: what hangs on walls and lies on the floor; front at +x, back plane at x = 0."""

from __future__ import annotations

import math

import numpy as np

from scenes.meshes import box_uv, mesh, warp
from scenes.objects import _furnishing as looks
from scenes.objects._assembly import Assembly
from scenes.objects.shape import ObjectShape
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh
from scenes.textures import Image
from scenes.transforms import Pose

WINDOW_DEPTH_M = 0.03
RUG_M = 0.006
_CURTAIN_OFF_M = 0.125


@shaped("window")
def window(sampler: ShapeSampler, half_y: float, half_z: float, outside: Image | None = None) -> ObjectShape:
    """Returns a window on a wall, centred on its frame: casing, panes that show what is `outside`, and a sill."""
    made = Assembly(
        casing=looks.paint(sampler.of("casing"), value=(0.75, 0.99), saturation=(0, 0.12)),
        pane=Material(texture=looks.landscape(sampler.of("pane")) if outside is None else outside, roughness=0.05),
    )
    deep, bar = WINDOW_DEPTH_M, sampler.uniform("bar_m", 0.025, 0.04)
    made.box("pane", (0.004, half_y - bar, half_z - bar), (0.008, 0, 0), tile_m=None)
    for s in (-1, 1):
        made.box("casing", (deep / 2, bar, half_z), (deep / 2, s * (half_y - bar), 0))
        made.box("casing", (deep / 2, half_y - 2 * bar, bar), (deep / 2, 0, s * (half_z - bar)))
    count = sampler.integer("wide.panes", 1, 3) if half_y > 0.5 else sampler.integer("narrow.panes", 1, 2)
    for k in range(1, count):
        made.box("casing", (0.4 * deep, 0.6 * bar, half_z - 2 * bar), (0.4 * deep, -half_y + 2 * half_y * k / count, 0))
    if sampler.chance("has_crossbar", 0.3):
        made.box("casing", (0.3 * deep, half_y - 2 * bar, 0.4 * bar), (0.3 * deep, 0, 0.3 * half_z))
    made.box("casing", (0.04, half_y + 0.04, 0.012), (0.04, 0, -half_z - 0.012))
    return made.finish("window", 30.0)


@shaped("door")
def door(sampler: ShapeSampler, half_y: float, height: float) -> ObjectShape:
    """Returns a closed door in its frame, from z = 0 to `height`: flush, with panels or with a pane."""
    made = Assembly(
        leaf=looks.wood_or_paint(sampler.of("leaf")),
        frame=looks.paint(sampler.of("frame"), value=(0.5, 0.98), saturation=(0, 0.12)),
        handle=looks.metal(sampler.of("handle")),
        pane=looks.frosted(sampler.of("pane")),
    )
    rim = 0.035
    made.span("leaf", (0, -half_y + 2 * rim, 0.004), (0.025, half_y - 2 * rim, height - 2 * rim))
    for s in (-1, 1):
        made.box("frame", (0.02, rim, height / 2), (0.02, s * (half_y - rim), height / 2))
    made.box("frame", (0.02, half_y - 2 * rim, rim), (0.02, 0, height - rim))
    inner = half_y - 2 * rim
    kind = sampler.choice("kind", ("flush", "panels", "panels", "pane"))
    if kind == "panels":
        rows = sampler.integer("panel_rows", 2, 3)
        step = (height - 2 * rim) / rows
        for row in range(rows):
            for s in (-1, 1):
                made.box(
                    "leaf",
                    (0.005, 0.36 * inner, 0.4 * step),
                    (0.028, s * 0.48 * inner, (row + 0.5) * step),
                    radius_m=0.004,
                )
    elif kind == "pane":
        made.box("pane", (0.003, 0.7 * inner, 0.27 * height), (0.026, 0, 0.66 * height), tile_m=None)
    side = 1 if sampler.chance("is_hinged_left", 0.5) else -1
    at = side * (inner - 0.06)
    made.box("handle", (0.004, 0.022, 0.1), (0.029, at, 1.02))
    made.rod("handle", (0.03, at, 1.04), (0.075, at, 1.04), 0.009)
    made.rod("handle", (0.07, at + side * 0.008, 1.04), (0.07, at - side * 0.11, 1.04), 0.009)
    return made.finish("door", 25.0)


@shaped("curtain")
def curtain(sampler: ShapeSampler, half_y: float, low: float, high: float, *, open_share: float) -> ObjectShape:
    """Returns a pair of curtains on a rod above a window, from z = `low` to `high`; `open_share` of the width is bare."""
    wide = half_y * (1 - open_share)
    made = Assembly(cloth=looks.cloth(sampler.of("cloth")), rod=looks.metal(sampler.of("rod"), tone=(0.15, 0.8)))
    for s in (-1, 1):
        middle = s * (half_y - wide / 2)
        sheet = _folds(sampler, wide / 2, low, high)
        made.mesh("cloth", warp(sheet, lambda points, y=middle: points + np.array([_CURTAIN_OFF_M, y, 0.0])))  # type: ignore[misc]  # bound now
        pose = Pose((_CURTAIN_OFF_M, middle, (low + high) / 2))
        made.touch(Collider(kind="box", size_m=(0.035, wide / 2, (high - low) / 2), body_from_collider=pose))
        made.box("rod", (_CURTAIN_OFF_M / 2, 0.006, 0.006), (_CURTAIN_OFF_M / 2, s * (half_y - 0.02), high + 0.015))
    first, last = ((_CURTAIN_OFF_M, s * (half_y + 0.06), high + 0.015) for s in (-1, 1))
    made.rod("rod", first, last, 0.011)
    return made.finish("curtain", 3.0)


def _folds(sampler: ShapeSampler, half_y: float, low: float, high: float) -> Mesh:
    """Returns a closed sheet with vertical folds that flare a little towards the floor."""
    folds = max(2, round(half_y * 2 / sampler.uniform("fold_width_m", 0.09, 0.14)))
    columns, rows = 8 * folds + 1, 5
    depth, thick, phase = (
        sampler.uniform("fold_depth_m", 0.018, 0.03),
        0.004,
        sampler.uniform("fold_phase_rad", 0, 2 * math.pi),
    )
    u, v = np.linspace(-1, 1, columns), np.linspace(0, 1, rows)
    grid_v, grid_u = np.meshgrid(v, u, indexing="ij")
    wave = np.sin(np.pi * folds * grid_u + phase) * depth * (0.65 + 0.35 * (1 - grid_v))
    y, z = grid_u * half_y, low + grid_v * (high - low)
    front = np.stack([wave + thick / 2, y, z], axis=-1).reshape(-1, 3)
    back = front - [thick, 0.0, 0.0]
    vertices = np.concatenate([front, back])
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, 1:].ravel(), index[1:, :-1].ravel()
    n = rows * columns
    faces = [np.stack([a, b, c], 1), np.stack([a, c, d], 1), np.stack([a, c, b], 1) + n, np.stack([a, d, c], 1) + n]
    rim = np.concatenate([index[0, :], index[1:, -1], index[-1, -2::-1], index[-2:0:-1, 0]])
    following = np.roll(rim, -1)
    faces += [np.stack([rim, rim + n, following], 1), np.stack([following, rim + n, following + n], 1)]
    triangles = np.concatenate(faces).astype(np.int32)
    return mesh(vertices, triangles, box_uv(vertices, triangles, 0.32))


@shaped("rug")
def rug(sampler: ShapeSampler, half_x: float, half_y: float) -> ObjectShape:
    """Returns a thin rug with a border and a pattern, rectangular or round; nothing touches it."""
    border = looks.soft(sampler.of("border"), value=(0.15, 0.9))
    field = looks.rug_field(sampler.of("field"))
    made = Assembly(border=border, field=field)
    if sampler.chance("is_round", 0.25):
        radius = min(half_x, half_y)
        made.turned(
            "border", [(0, 0), (radius, 0), (radius, RUG_M - 0.001), (0, RUG_M - 0.001)], segments=48, touch=False
        )
        made.turned(
            "field", [(0, 0.001), (0.88 * radius, 0.001), (0.88 * radius, RUG_M), (0, RUG_M)], segments=48, touch=False
        )
    else:
        made.box("border", (half_x, half_y, RUG_M / 2 - 0.0005), (0, 0, RUG_M / 2 - 0.0005), touch=False)
        made.box("field", (half_x - 0.08, half_y - 0.08, RUG_M / 2 - 0.0005), (0, 0, RUG_M / 2 + 0.0005), touch=False)
    return made.finish("rug", 4.0)
