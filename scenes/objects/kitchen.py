"""Microwave, oven, refrigerator, sink, toaster and toilet: front at +x, standing on z = 0."""

from __future__ import annotations

import math

import numpy as np

from scenes.meshes import lathe as turned_mesh
from scenes.meshes import moved, subtract, sweep, warp
from scenes.objects import _furnishing as looks
from scenes.objects._assembly import Assembly
from scenes.objects.shape import ObjectShape
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.scene import Collider, Material, Mesh, Support
from scenes.transforms import Pose, quaternion_about

FACE_M = 0.012  # how far doors stand out of their case
_GAP_M = 0.004


@shaped("microwave")
def microwave(sampler: ShapeSampler) -> ObjectShape:
    """Returns a microwave: window, handle, buttons and a lit clock."""
    x, y, z = (
        sampler.uniform("half_depth_m", 0.17, 0.21),
        sampler.uniform("half_width_m", 0.23, 0.27),
        sampler.uniform("half_height_m", 0.13, 0.155),
    )
    glow = Material(
        colour=looks.linear(sampler.colour("clock", hue=(0.3, 0.5), saturation=(0.4, 0.9), value=(0.7, 1.0)))
    )
    made = Assembly(
        case=looks.appliance(sampler.of("case")),
        window=looks.dark(sampler.of("window")),
        panel=looks.dark(sampler.of("panel")),
        buttons=looks.metal(sampler.of("buttons")),
        clock=glow,
    )
    low = 0.012
    made.box("case", (x, y, z), (0, 0, low + z), radius_m=0.008)
    for sy in (-1, 1):
        made.box("case", (0.7 * x, 0.02, low / 2), (0, sy * (y - 0.05), low / 2))
    split, mid = (
        y - sampler.uniform("keys_share", 0.11, 0.14),
        low + z,
    )  # the panel is on the right of whoever stands before it
    made.box(
        "case", (FACE_M / 2, (split + y) / 2 - 0.004, z - 0.006), (x + FACE_M / 2, (split - y) / 2, mid), radius_m=0.004
    )
    made.box("window", (0.002, (split + y) / 2 - 0.05, z - 0.045), (x + FACE_M, (split - y) / 2, mid))
    made.box("panel", (FACE_M / 2, (y - split) / 2 - 0.002, z - 0.006), (x + FACE_M / 2, (split + y) / 2, mid))
    bar = split - 0.018
    made.rod("buttons", (x + FACE_M + 0.022, bar, mid - 0.7 * z), (x + FACE_M + 0.022, bar, mid + 0.7 * z), 0.007)
    for sz in (-1, 1):
        made.rod("buttons", (x, bar, mid + sz * 0.6 * z), (x + FACE_M + 0.022, bar, mid + sz * 0.6 * z), 0.005)
    middle, wide = (split + y) / 2, (y - split) / 2
    made.box("clock", (0.0015, 0.6 * wide, 0.013), (x + FACE_M, middle, mid + 0.7 * z))
    for row in range(4):
        for column in (-1, 0, 1):
            at = (x + FACE_M, middle + 0.55 * wide * column, mid + (0.35 - 0.3 * row) * z)
            made.box("buttons", (0.002, 0.2 * wide, 0.008), at, touch=False)
    return made.finish("microwave", sampler.uniform("mass_kg", 10, 16), supports=(_top(x, y, low + 2 * z),))


def _top(half_x: float, half_y: float, height: float) -> Support:
    return Support(center_m=(0.0, 0.0, height), half_extent_m=(half_x - 0.02, half_y - 0.02))


@shaped("oven")
def oven(sampler: ShapeSampler) -> ObjectShape:
    """Returns a cooker: an oven with a window, knobs, and four plates on top."""
    return oven_of(
        sampler,
        half_y=sampler.uniform("half_width_m", 0.28, 0.31),
        top=sampler.uniform("height_m", 0.86, 0.92),
        half_x=0.3,
    )


@shaped("oven")
def oven_of(sampler: ShapeSampler, *, half_y: float, top: float, half_x: float) -> ObjectShape:
    """Returns a cooker of that size, to stand in a row of cupboards."""
    made = Assembly(
        case=looks.appliance(sampler.of("case")), window=looks.dark(sampler.of("window")),
        hob=looks.dark(sampler.of("hob")), handle=looks.metal(sampler.of("handle")),
        plates=Material(colour=looks.linear((0.22, 0.2, 0.2)), roughness=0.5),
    )  # fmt: skip
    foot, band = 0.06, 0.1
    made.span("hob", (-half_x + 0.02, -half_y + 0.02, 0.0), (half_x - 0.05, half_y - 0.02, foot))
    made.span("case", (-half_x, -half_y, foot), (half_x - FACE_M, half_y, top - 0.012))
    made.span("case", (half_x - FACE_M, -half_y, top - band), (half_x + 0.008, half_y, top - 0.012))
    drawer = foot + sampler.uniform("drawer_m", 0.14, 0.2)
    made.span("case", (half_x - FACE_M, -half_y + 0.004, foot + 0.004), (half_x, half_y - 0.004, drawer - _GAP_M))
    made.span("case", (half_x - FACE_M, -half_y + 0.004, drawer), (half_x, half_y - 0.004, top - band - _GAP_M))
    made.span("window", (half_x, -half_y + 0.07, drawer + 0.08), (half_x + 0.002, half_y - 0.07, top - band - 0.11))
    bar = top - band - 0.05
    made.rod("handle", (half_x + 0.035, -half_y + 0.06, bar), (half_x + 0.035, half_y - 0.06, bar), 0.009)
    for sy in (-1, 1):
        made.rod(
            "handle", (half_x - 0.005, sy * (half_y - 0.09), bar), (half_x + 0.035, sy * (half_y - 0.09), bar), 0.006
        )
    for k in range(5):
        _knob(made, (half_x + 0.008, (k - 2) * 0.36 * half_y, top - 0.55 * band))
    made.span("hob", (-half_x, -half_y, top - 0.012), (half_x + 0.004, half_y, top))
    for sx in (-1, 1):
        for sy in (-1, 1):
            wide = sampler.uniform("window_m", 0.065, 0.1)
            profile = [(0, 0), (wide, 0), (wide, 0.005), (wide - 0.004, 0.007), (0, 0.007)]
            made.turned("plates", profile, (sx * 0.45 * half_x, sy * 0.47 * half_y, top))
    return made.finish("oven", sampler.uniform("mass_kg", 40, 60))


def _knob(made: Assembly, at: tuple[float, float, float]) -> None:
    turn = quaternion_about((0.0, 1.0, 0.0), math.pi / 2)
    shape = turned_mesh([(0, 0), (0.021, 0), (0.018, 0.02), (0.016, 0.024), (0, 0.024)], 14)
    made.mesh("handle", moved(shape, Pose(at, turn)))
    middle = Pose((at[0] + 0.012, at[1], at[2]))
    made.touch(Collider(kind="box", size_m=(0.012, 0.021, 0.021), body_from_collider=middle))


@shaped("refrigerator")
def refrigerator(sampler: ShapeSampler) -> ObjectShape:
    """Returns a refrigerator: one door, a freezer above or below, or two doors side by side."""
    kind = sampler.choice("kind", ("one", "above", "below", "below", "beside"))
    half_y = (
        sampler.uniform("beside.half_width_m", 0.42, 0.46)
        if kind == "beside"
        else sampler.uniform("half_width_m", 0.28, 0.34)
    )
    height = (
        sampler.uniform("one.height_m", 0.85, 1.3)
        if kind == "one" and sampler.chance("one.is_low", 0.5)
        else sampler.uniform("height_m", 1.55, 1.95)
    )
    half_x, foot = sampler.uniform("half_depth_m", 0.3, 0.34), 0.04
    made = Assembly(
        case=looks.appliance(sampler.of("case")),
        seal=looks.dark(sampler.of("seal")),
        handle=looks.metal(sampler.of("handle")),
    )
    made.span("seal", (-half_x + 0.02, -half_y + 0.02, 0), (half_x - 0.09, half_y - 0.02, foot))
    made.span("case", (-half_x, -half_y, foot), (half_x - 0.06, half_y, height))
    made.span("seal", (half_x - 0.06, -half_y + 0.01, foot + 0.01), (half_x - 0.05, half_y - 0.01, height - 0.01))
    split = foot + (height - foot) * (
        sampler.uniform("below.split", 0.62, 0.72) if kind == "above" else sampler.uniform("above.split", 0.3, 0.42)
    )
    side = 1 if sampler.chance("is_hinged_left", 0.5) else -1
    if kind == "beside":
        for s in (-1, 1):
            _door(made, half_x, sorted((s * 0.003, s * half_y)), (foot, height))
            _handle(made, half_x, s * 0.05, (foot + 0.3 * height, foot + 0.75 * height))
        return made.finish(
            "refrigerator", sampler.uniform("beside.mass_kg", 80, 110), supports=(_top(half_x - 0.04, half_y, height),)
        )
    spans = [(foot, height)] if kind == "one" else [(foot, split - _GAP_M), (split, height)]
    for low, high in spans:
        _door(made, half_x, [-half_y, half_y], (low, high))
        room = high - low
        span = (
            (high - 0.1 - 0.35 * room, high - 0.1)
            if low == foot and len(spans) > 1
            else (low + 0.12 * room, low + 0.5 * room)
        )
        _handle(made, half_x, side * (half_y - 0.06), span)
    return made.finish(
        "refrigerator", sampler.uniform("mass_kg", 45, 85), supports=(_top(half_x - 0.04, half_y, height),)
    )


def _door(made: Assembly, half_x: float, span_y: list[float], span_z: tuple[float, float]) -> None:
    made.span("case", (half_x - 0.05, span_y[0], span_z[0]), (half_x, span_y[1], span_z[1]), radius_m=0.01)


def _handle(made: Assembly, half_x: float, y: float, span_z: tuple[float, float]) -> None:
    made.rod("handle", (half_x + 0.035, y, span_z[0]), (half_x + 0.035, y, span_z[1]), 0.01)
    for z in (span_z[0] + 0.03, span_z[1] - 0.03):
        made.rod("handle", (half_x - 0.01, y, z), (half_x + 0.035, y, z), 0.007)


@shaped("toaster")
def toaster(sampler: ShapeSampler) -> ObjectShape:
    """Returns a toaster with two slots, a lever and a knob, in some of them two slices of bread."""
    x, y, z = (
        sampler.uniform("half_depth_m", 0.072, 0.09),
        sampler.uniform("half_width_m", 0.125, 0.15),
        sampler.uniform("half_height_m", 0.08, 0.1),
    )
    made = Assembly(
        case=looks.appliance(sampler.of("case")),
        slots=looks.dark(sampler.of("slots")),
        lever=looks.dark(sampler.of("lever")),
        bread=Material(
            colour=looks.linear(sampler.colour("bread", hue=(0.07, 0.1), saturation=(0.4, 0.6), value=(0.6, 0.85))),
            roughness=0.95,
        ),
    )
    foot = 0.012
    made.box("case", (x, y, z), (0, 0, foot + z), radius_m=sampler.uniform("edge_radius_m", 0.02, 0.045))
    made.box("lever", (x - 0.02, y - 0.02, foot / 2 + 0.004), (0, 0, foot / 2 + 0.004))
    top = foot + 2 * z
    bread = sampler.chance("has_bread", 0.4)
    for s in (-1, 1):
        made.box("slots", (0.013, y - 0.04, 0.002), (s * 0.4 * x, 0, top), touch=False)
        if bread:
            made.box("bread", (0.008, 0.055, 0.02), (s * 0.4 * x, 0, top + 0.014), radius_m=0.006)
    made.box("slots", (0.008, 0.001, 0.55 * z), (0, y, foot + 1.05 * z), touch=False)
    made.box(
        "lever", (0.018, 0.012, 0.006), (0, y + 0.011, foot + sampler.uniform("lever_at", 1.2, 1.6) * z), radius_m=0.004
    )
    made.mesh(
        "lever",
        moved(
            turned_mesh([(0, 0), (0.013, 0), (0.011, 0.012), (0, 0.012)], 14),
            Pose((0, y - 0.001, foot + 0.45 * z), quaternion_about((1.0, 0, 0), -math.pi / 2)),
        ),
    )
    return made.finish("toaster", sampler.uniform("mass_kg", 1.1, 2.2))


SINK_DEPTH_M = 0.17
SINK_RIM_M = 0.025


@shaped("sink")
def sink(sampler: ShapeSampler) -> ObjectShape:
    """Returns a basin with a tap, to be set into a worktop, or a wash basin on a column."""
    if sampler.chance("is_basin", 0.5):
        return sink_of(
            sampler,
            half_x=sampler.uniform("half_depth_m", 0.18, 0.21),
            half_y=sampler.uniform("half_width_m", 0.2, 0.32),
        )
    return wash_basin(sampler)


@shaped("sink")
def sink_of(sampler: ShapeSampler, *, half_x: float, half_y: float) -> ObjectShape:
    """Returns a basin with outer half edges below its rim of that size; its rim lies SINK_DEPTH_M over its frame."""
    metal = (
        looks.steel(sampler.of("bowl.steel"))
        if sampler.chance("is_steel", 0.75)
        else looks.ceramic(sampler.of("bowl.white"))
    )
    made = Assembly(basin=metal, drain=looks.dark(sampler.of("drain")), tap=looks.metal(sampler.of("tap")))
    rim, wall, top = SINK_RIM_M, 0.004, SINK_DEPTH_M
    made.span("basin", (-half_x, -half_y, 0), (half_x, half_y, wall))
    for s in (-1, 1):
        made.box("basin", (wall / 2, half_y, (top - wall) / 2), (s * (half_x - wall / 2), 0, (top + wall) / 2))
        made.box("basin", (half_x - wall, wall / 2, (top - wall) / 2), (0, s * (half_y - wall / 2), (top + wall) / 2))
        made.box("basin", (rim / 2, half_y + rim, 0.002), (s * (half_x + rim / 2), 0, top + 0.002))
        made.box("basin", (half_x, rim / 2, 0.002), (0, s * (half_y + rim / 2), top + 0.002))
    made.turned("drain", [(0, 0), (0.03, 0), (0.03, 0.003), (0, 0.003)], (0, 0, wall), touch=False)
    _tap(made, sampler, -half_x - 0.012, top + 0.004)
    support = Support(center_m=(0.0, 0.0, wall), half_extent_m=(half_x - 0.03, half_y - 0.03))
    return made.finish("sink", sampler.uniform("mass_kg", 4, 9), supports=(support,))


def _tap(made: Assembly, sampler: ShapeSampler, x: float, base: float) -> None:
    """Adds a bent spout over the basin and a lever."""
    rise, reach = sampler.uniform("tap_rise_m", 0.16, 0.28), sampler.uniform("tap_reach_m", 0.13, 0.17)
    made.turned("tap", [(0, 0), (0.024, 0), (0.022, 0.03), (0, 0.03)], (x, 0, base), segments=14)
    bend = reach / 2
    turn = np.linspace(math.pi, 0.0, 9)
    arch = np.stack([x + bend + bend * np.cos(turn), 0 * turn, base + rise - bend + bend * np.sin(turn)], axis=1)
    path = np.concatenate([[[x, 0.0, base]], arch, [[x + reach, 0.0, base + rise - bend - 0.03]]])
    made.mesh("tap", sweep(path, np.full(len(path), 0.011), 10))
    made.touch(Collider(kind="box", size_m=(0.012, 0.012, rise / 2), body_from_collider=Pose((x, 0, base + rise / 2))))
    made.touch(
        Collider(kind="box", size_m=(bend, 0.011, 0.011), body_from_collider=Pose((x + bend, 0, base + rise - 0.011)))
    )
    made.rod("tap", (x, 0.018, base + 0.035), (x, 0.075, base + 0.06), 0.006)


@shaped("sink")
def wash_basin(sampler: ShapeSampler) -> ObjectShape:
    """Returns a round basin on a column, with a tap."""
    wide, top = sampler.uniform("basin.half_width_m", 0.22, 0.28), sampler.uniform("basin.height_m", 0.8, 0.88)
    made = Assembly(
        basin=looks.ceramic(sampler.of("bowl.white")),
        drain=looks.dark(sampler.of("drain")),
        tap=looks.metal(sampler.of("tap")),
    )
    made.turned("basin", [(0, 0), (0.11, 0), (0.08, 0.1), (0.08, top - 0.2), (0, top - 0.2)])
    depth = 0.16
    bowl = [
        (0, 0),
        (0.35 * wide, 0),
        (0.8 * wide, 0.4 * depth),
        (wide, depth),
        (wide - 0.025, depth),
        (0.72 * wide, 0.5 * depth),
        (0.3 * wide, 0.025),
        (0, 0.025),
    ]
    made.mesh("basin", moved(warp(turned_mesh(bowl, 32), lambda p: p * [0.85, 1.0, 1.0]), Pose((0, 0, top - depth))))
    made.touch(
        Collider(kind="box", size_m=(0.85 * wide, wide, depth / 2), body_from_collider=Pose((0, 0, top - depth / 2)))
    )
    made.span("basin", (-0.85 * wide - 0.05, -0.6 * wide, top - 0.09), (-0.6 * wide, 0.6 * wide, top), radius_m=0.02)
    made.turned("drain", [(0, 0), (0.02, 0), (0.02, 0.003), (0, 0.003)], (0, 0, top - depth + 0.025), touch=False)
    _tap(made, sampler, -0.85 * wide - 0.01, top)
    return made.finish("sink", sampler.uniform("basin.mass_kg", 14, 24))


@shaped("toilet")
def toilet(sampler: ShapeSampler) -> ObjectShape:
    """Returns a toilet: bowl, seat, cistern and a lid that is down or up."""
    made = Assembly(
        bowl=looks.ceramic(sampler.of("bowl")),
        seat=looks.ceramic(sampler.of("seat.white"))
        if sampler.chance("has_white_seat", 0.7)
        else looks.wood(sampler.of("seat.wood")),
        button=looks.metal(sampler.of("button")),
        water=Material(colour=(0.35, 0.5, 0.6), roughness=0.1),
    )
    height, long, wide = (
        sampler.uniform("height_m", 0.38, 0.42),
        sampler.uniform("half_length_m", 0.2, 0.23),
        sampler.uniform("half_width_m", 0.165, 0.185),
    )
    profile = [
        (0, 0),
        (0.62, 0),
        (0.58, 0.25),
        (0.68, 0.5),
        (0.97, 0.85),
        (1.0, 1.0),
        (0.8, 1.0),
        (0.65, 0.75),
        (0.3, 0.6),
        (0, 0.58),
    ]
    made.mesh("bowl", moved(warp(turned_mesh(profile, 32), lambda p: p * [long, wide, height]), Pose((0.1, 0, 0))))
    made.touch(Collider(kind="box", size_m=(long, wide, height / 2), body_from_collider=Pose((0.1, 0, height / 2))))
    made.mesh(
        "water",
        moved(
            warp(turned_mesh([(0, 0), (0.6, 0), (0.6, 0.01), (0, 0.01)], 24), lambda p: p * [long, wide, 1.0]),
            Pose((0.1, 0, 0.68 * height)),
        ),
    )
    back = 0.1 - long
    made.span("bowl", (back - 0.12, -0.55 * wide, 0), (back + 0.12, 0.55 * wide, height - 0.01), radius_m=0.03)
    tank_y, tank_top = (
        sampler.uniform("tank_half_width_m", 0.18, 0.21),
        height + sampler.uniform("tank_height_m", 0.34, 0.4),
    )
    made.span("bowl", (back - 0.16, -tank_y, height - 0.02), (back + 0.02, tank_y, tank_top - 0.035), radius_m=0.02)
    made.span(
        "bowl", (back - 0.17, -tank_y - 0.01, tank_top - 0.035), (back + 0.03, tank_y + 0.01, tank_top), radius_m=0.012
    )
    made.turned("button", [(0, 0), (0.025, 0), (0.022, 0.008), (0, 0.008)], (back - 0.07, 0, tank_top))
    ring = _seat_ring(long * 1.02, wide * 1.03)
    made.mesh("seat", moved(ring, Pose((0.1, 0, height))))
    made.touch(Collider(kind="box", size_m=(long, wide, 0.011), body_from_collider=Pose((0.1, 0, height + 0.011))))
    lid = warp(
        turned_mesh([(0, 0), (1.0, 0), (1.0, 0.014), (0.97, 0.018), (0, 0.022)], 32), lambda p: p * [long, wide, 1.0]
    )
    if sampler.chance("has_lid_up", 0.65):
        made.mesh("seat", moved(lid, Pose((0.1, 0, height + 0.023))))
    else:
        made.mesh(
            "seat", moved(lid, Pose((back + 0.055, 0, height + 0.022 + long), quaternion_about((0, 1.0, 0), -1.45)))
        )
    made.touch(Collider(kind="box", size_m=(long, wide, 0.012), body_from_collider=Pose((0.1, 0, height + 0.034))))
    return made.finish("toilet", sampler.uniform("mass_kg", 25, 40))


def _seat_ring(long: float, wide: float) -> Mesh:
    outer = turned_mesh([(0, 0), (1.0, 0), (1.0, 0.016), (0.96, 0.022), (0, 0.022)], 32)
    hole = turned_mesh([(0, -0.05), (0.66, -0.05), (0.66, 0.1), (0, 0.1)], 32)
    return warp(subtract(outer, hole), lambda p: p * [long, wide, 1.0])
