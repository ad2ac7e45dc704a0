"""The shell of a room: floor, ceiling and four walls as bodies; doors, windows and curtains as pieces on the walls."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scenes.description import Draws
from scenes.floorplan import FloorPlan, Piece
from scenes.footprints import Rect
from scenes.household.outside import Outside
from scenes.household.surfaces import Surface, floor_surface, wall_surfaces
from scenes.meshes import cuboid
from scenes.objects import openings
from scenes.objects.shape import slab
from scenes.relations import WALLS, on_wall, wall_length_m, wall_turn
from scenes.sampler import ShapeSampler
from scenes.scene import Body, Material, Part
from scenes.transforms import Pose, Vec3

THICKNESS_M = 0.05
DOOR_WIDTH_M, DOOR_HEIGHT_M = 0.9, 2.05
_SKIRTING_M = 0.012
_CORNER_M = 0.12


@dataclass(slots=True, kw_only=True, eq=False)
class Shell:
    """The bodies of a room and the floor plan inside it; `windows` are (wall, along in metres)."""

    bodies: tuple[Body, ...]
    plan: FloorPlan
    windows: list[tuple[int, float]] = field(default_factory=list)


def make_shell(draws: Draws, scale: float, kind: str, outside: Outside) -> Shell:
    """Makes a room of the drawn size times `scale`, with its doors, windows and curtains on the walls."""
    half_x, half_y = draws.number("room.width_m") / 2 * scale, draws.number("room.depth_m") / 2 * scale
    height = draws.number("room.height_m")
    plan = FloorPlan(half_x_m=half_x, half_y_m=half_y, height_m=height)
    shell = Shell(bodies=room_bodies(draws.sampler, half_x, half_y, height, kind), plan=plan)
    walls = [int(w) for w in draws.sampler.rng.permutation(len(WALLS))]
    for wall in walls[: draws.count("room.doors")]:
        _add_door(shell, draws, wall)
    windows = draws.count("room.windows")
    for wall in reversed(walls):
        if len(shell.windows) < windows:
            _add_window(shell, draws, wall, outside)
    return shell


def room_bodies(
    sampler: ShapeSampler, half_x: float, half_y: float, height: float, kind: str = ""
) -> tuple[Body, ...]:
    """Returns floor, walls and ceiling of an empty room about the origin of its floor, with the looks of its kind."""
    t = THICKNESS_M
    plain, accent = wall_surfaces(sampler, kind)
    ceiling = Material(colour=(0.82, 0.82, 0.8), roughness=0.9)
    rows: tuple[tuple[str, Vec3, Vec3, Vec3, Surface], ...] = (
        ("wall_east", (t, half_y, height / 2), (half_x + t, 0.0, height / 2), (-1.0, 0.0, 0.0), accent),
        ("wall_west", (t, half_y, height / 2), (-half_x - t, 0.0, height / 2), (1.0, 0.0, 0.0), plain),
        ("wall_north", (half_x + 2 * t, t, height / 2), (0.0, half_y + t, height / 2), (0.0, -1.0, 0.0), plain),
        ("wall_south", (half_x + 2 * t, t, height / 2), (0.0, -half_y - t, height / 2), (0.0, 1.0, 0.0), plain),
    )
    over: Vec3 = (half_x + 2 * t, half_y + 2 * t, t)
    return (
        floor_body(over, floor_surface(sampler, kind)),
        *(_slab(n, "wall", half, center, _wall_parts(half, inward, wall)) for n, half, center, inward, wall in rows),
        _slab("ceiling", "ceiling", over, (0.0, 0.0, height + t), (_sheet(over, 1.0, ceiling),)),
    )


def floor_body(half: Vec3, surface: Surface) -> Body:
    """Returns a slab whose upper side is at z = 0, labelled floor."""
    return _slab("floor", "floor", half, (0.0, 0.0, -half[2]), (_sheet(half, surface.tile_m, surface.look),))


def _sheet(half: Vec3, tile_m: float, look: Material) -> Part:
    return Part(name="body", mesh=cuboid(half, metres_per_tile=tile_m), material=look)


def _slab(name: str, category: str, half: Vec3, center: Vec3, parts: tuple[Part, ...]) -> Body:
    return Body(
        name=name, category=category, parts=parts, colliders=(slab(half, (0.0, 0.0, 0.0)),), world_from_body=Pose(center),
        mass_kg=0.0, dynamic=False,
    )  # fmt: skip


def _wall_parts(half: Vec3, inward: Vec3, surface: Surface) -> tuple[Part, ...]:
    """Returns the wall and a skirting board along its foot."""
    skirting = Material(colour=(0.75, 0.74, 0.72), roughness=0.5)
    inside = np.array(inward)
    along = 1.0 - np.abs(inside)
    board = np.array([0.0, 0.0, 0.04]) + np.abs(inside) * _SKIRTING_M / 2 + along * [half[0], half[1], 0.0] * 0.98
    board[2] = 0.04
    center = inside * (np.abs(inside) @ np.array(half) + _SKIRTING_M / 2) + [0.0, 0.0, -half[2] + 0.04]
    return (
        Part(name="body", mesh=cuboid(half, metres_per_tile=surface.tile_m), material=surface.look),
        Part(name="skirting", mesh=cuboid(board.tolist(), center.tolist(), 1.0), material=skirting),
    )


def _add_door(shell: Shell, draws: Draws, wall: int) -> None:
    plan = shell.plan
    reach = wall_length_m(wall, plan.half_x_m, plan.half_y_m) / 2 - DOOR_WIDTH_M / 2 - _CORNER_M
    if reach <= 0:
        return
    along = float(draws.sampler.rng.uniform(-reach, reach))
    shape = openings.door(draws.sampler, DOOR_WIDTH_M / 2, min(DOOR_HEIGHT_M, plan.height_m - 0.1))
    pose = on_wall(wall, plan.half_x_m, plan.half_y_m, along)
    middle = on_wall(wall, plan.half_x_m, plan.half_y_m, along, off_m=0.5).position_m
    zone = Rect(center_m=(middle[0], middle[1]), half_m=(0.48, DOOR_WIDTH_M / 2), turn_rad=wall_turn(wall))
    if plan.fits(shape, pose, gap_m=0.05):
        plan.put(Piece(shape=shape, world_from_body=pose, place="door"), zone=zone)


def _add_window(shell: Shell, draws: Draws, wall: int, outside: Outside) -> None:
    plan = shell.plan
    half_y, half_z = draws.number("room.window_width_m") / 2, draws.number("room.window_height_m") / 2
    half_z = min(half_z, (plan.height_m - 0.3 - 0.85) / 2)
    reach = wall_length_m(wall, plan.half_x_m, plan.half_y_m) / 2 - half_y - 0.25
    if reach <= 0:
        return
    middle_z = plan.height_m - 0.25 - half_z - float(draws.sampler.rng.uniform(0.0, 0.12))
    first = shell.windows[0][0] if shell.windows else wall
    shape = openings.window(draws.sampler, half_y, half_z, outside.pane(wall, first, half_y, half_z, middle_z))
    curtains = None
    if draws.chance("room.curtains"):
        low = 0.04 if draws.chance("room.long_curtains") else middle_z - half_z - 0.12
        top = middle_z + half_z + 0.06
        curtains = openings.curtain(draws.sampler, half_y + 0.2, low, top, open_share=draws.number("room.curtain_gap"))
    for _ in range(6):
        along = float(draws.sampler.rng.uniform(-reach, reach))
        pose = on_wall(wall, plan.half_x_m, plan.half_y_m, along, z_m=middle_z)
        if not plan.fits(shape, pose, gap_m=0.12, heed_zones=False):
            continue
        piece = plan.put(Piece(shape=shape, world_from_body=pose, place="window"))
        shell.windows.append((wall, along))
        hung = on_wall(wall, plan.half_x_m, plan.half_y_m, along)
        if curtains is not None and plan.fits(curtains, hung, close_to=(piece,), heed_zones=False):
            plan.put(Piece(shape=curtains, world_from_body=hung, place="curtain"))
        return
