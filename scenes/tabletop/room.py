"""The static part of a tabletop scene: a floor, four walls and a table, with their looks."""

from __future__ import annotations

from dataclasses import dataclass

from scenes import textures
from scenes.description import Draws
from scenes.meshes import cuboid, joined
from scenes.objects.shape import slab
from scenes.sampler import ShapeSampler
from scenes.scene import Body, Material, Part, Support
from scenes.transforms import Pose, Vec3

FLOOR_TILE_M, WALL_TILE_M, TABLE_TILE_M = 1.2, 1.5, 0.6
THICKNESS_M = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """The bodies of a room and the table top in it."""

    bodies: tuple[Body, ...]
    table: Support


def _surface(sampler: ShapeSampler, saturation: tuple[float, float], value: tuple[float, float]) -> Material:
    colour = sampler.colour("colour", saturation=saturation, value=value)
    make = sampler.choice("surface", textures.SURFACES)
    return Material(texture=make(sampler, colour, 256), roughness=sampler.uniform("roughness", 0.4, 0.95))


def _static(name: str, category: str, half_m: Vec3, center_m: Vec3, tile_m: float, look: Material) -> Body:
    return Body(
        name=name,
        category=category,
        parts=(Part(name="body", mesh=cuboid(half_m, metres_per_tile=tile_m), material=look),),
        colliders=(slab(half_m, (0.0, 0.0, 0.0)),),
        world_from_body=Pose(center_m),
        mass_kg=0.0,
        dynamic=False,
    )


def _walls(sampler: ShapeSampler, half_x: float, half_y: float, height: float) -> list[Body]:
    look = _surface(sampler, (0.0, 0.45), (0.5, 1.0))
    t = THICKNESS_M
    rows: tuple[tuple[str, Vec3, Vec3], ...] = (
        ("wall_east", (t, half_y, height / 2), (half_x + t, 0.0, height / 2)),
        ("wall_west", (t, half_y, height / 2), (-half_x - t, 0.0, height / 2)),
        ("wall_north", (half_x + 2 * t, t, height / 2), (0.0, half_y + t, height / 2)),
        ("wall_south", (half_x + 2 * t, t, height / 2), (0.0, -half_y - t, height / 2)),
    )
    return [_static(name, "wall", half, center, WALL_TILE_M, look) for name, half, center in rows]


def _table(draws: Draws, half_x: float, half_y: float, top_m: float) -> Body:
    sampler = draws.sampler
    top_half: Vec3 = (half_x, half_y, draws.number("table.half_thickness_m"))
    top_center: Vec3 = (0.0, 0.0, -top_half[2])
    leg = draws.number("table.half_leg_m")
    leg_half_z = (top_m - 2 * top_half[2]) / 2
    inset_x, inset_y = half_x - leg - 0.03, half_y - leg - 0.03
    legs = [
        cuboid((leg, leg, leg_half_z), (sx * inset_x, sy * inset_y, -2 * top_half[2] - leg_half_z), TABLE_TILE_M)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    top = cuboid(top_half, top_center, TABLE_TILE_M)
    look = _surface(sampler, (0.0, 0.6), (0.2, 0.85))
    leg_look = (
        look
        if draws.chance("table.one_material")
        else Material(colour=sampler.colour("leg", saturation=(0, 0.4)), roughness=0.5)
    )
    return Body(
        name="table",
        category="table",
        parts=(Part(name="top", mesh=top, material=look), Part(name="legs", mesh=joined(legs), material=leg_look)),
        colliders=(slab(top_half, top_center),),
        world_from_body=Pose((0.0, 0.0, top_m)),
        mass_kg=0.0,
        dynamic=False,
    )


def make_room(draws: Draws) -> Room:
    """Makes a room with a table in the middle, as the description has their sizes."""
    half_x, half_y = draws.number("room.half_m"), draws.number("room.half_m")
    top = draws.number("table.height_m")
    table_half = (draws.number("table.half_length_m"), draws.number("table.half_width_m"))
    floor_half: Vec3 = (half_x + 2 * THICKNESS_M, half_y + 2 * THICKNESS_M, THICKNESS_M)
    look = _surface(draws.sampler, (0.0, 0.6), (0.2, 0.9))
    floor = _static("floor", "floor", floor_half, (0.0, 0.0, -THICKNESS_M), FLOOR_TILE_M, look)
    bodies = (floor, *_walls(draws.sampler, half_x, half_y, 2.8), _table(draws, *table_half, top))
    return Room(bodies=bodies, table=Support(center_m=(0.0, 0.0, top), half_extent_m=table_half))
