"""A kitchen along one wall: refrigerator, cupboards under a worktop, sink in it, cooker between, cupboards above."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.floorplan import Piece
from scenes.household.backsplash import backsplash
from scenes.household.furnisher import BACK_GAP_M, TRIES, Furnisher, NoRoomError
from scenes.objects import kitchen, storage
from scenes.objects._assembly import Assembly
from scenes.objects.shape import ObjectShape
from scenes.relations import WALLS, front_zone, on_wall, wall_length_m
from scenes.scene import Material
from scenes.transforms import Pose

_HALF_DEPTH_M = 0.3
_WALL_UNIT_LOW_M, _WALL_UNIT_HALF_M = 1.48, 0.17
_FRONT_M = 0.75
_SLIT_M = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Where things stand along the row, metres from its middle: spans of cupboards, cooker and refrigerator, sink."""

    length: float
    units: tuple[tuple[float, float], ...]
    cooker: float
    fridge: tuple[float, float] | None
    sink: tuple[float, float, float]


def kitchen_row(room: Furnisher) -> Piece:
    """Puts the row against a wall that has room for it and returns the worktop; raises NoRoomError."""
    sampler = room.sampler
    top = room.draws.number("furniture.worktop_height_m")
    fridge = kitchen.refrigerator(sampler)
    cooker = kitchen.oven_of(sampler, half_y=0.298, top=top, half_x=_HALF_DEPTH_M)
    front, worktop = storage.kitchen_front(sampler), storage.worktop(sampler)
    for _ in range(TRIES // 2):
        wall = WALLS[int(room.rng.integers(4))]
        length = min(
            wall_length_m(wall, room.plan.half_x_m, room.plan.half_y_m) - 0.06, float(room.rng.uniform(2.6, 4.2))
        )
        row = _layout(room, length, fridge)
        slack = wall_length_m(wall, room.plan.half_x_m, room.plan.half_y_m) / 2 - length / 2 - 0.02
        along = float(room.rng.choice((-1.0, 1.0, room.rng.uniform(-1, 1)))) * max(slack, 0.0)
        pose = on_wall(wall, room.plan.half_x_m, room.plan.half_y_m, along, off_m=_HALF_DEPTH_M + BACK_GAP_M)
        if not room.plan.fits(_stand_in(length, top), pose, gap_m=0.0):
            continue
        made = [
            (storage.base_units(sampler, _HALF_DEPTH_M, row.units, top - storage.WORKTOP_M, row.sink[0], front), ""),
            (storage.counter_top(sampler, _HALF_DEPTH_M, row.units, top, row.sink, worktop), "counter"),
            (cooker, ""),
            (kitchen.sink_of(sampler, half_x=row.sink[1] - 0.003, half_y=row.sink[2] - 0.003), ""),
        ]
        poses = [pose, pose, _shifted(pose, row.cooker), _shifted(pose, row.sink[0], z=top - kitchen.SINK_DEPTH_M)]
        if row.fridge is not None:
            made.append((fridge, ""))
            poses.append(_shifted(pose, sum(row.fridge) / 2, x=0.03))
        pieces = _put_all(room, made, poses)
        if pieces is not None:
            _tiles(room, row, pose, top)
            if room.draws.chance("furniture.wall_cabinets"):
                _wall_units(room, row, pose, front)
            return pieces[1]
    raise NoRoomError


def _stand_in(length: float, top: float) -> ObjectShape:
    """Returns a plain box as large as a row's cupboards, to find a wall before anything is made in detail."""
    made = Assembly(body=Material())
    made.box("body", (_HALF_DEPTH_M, length / 2, top / 2), (0, 0, top / 2))
    return made.finish("cabinet", 1.0)


def _layout(room: Furnisher, length: float, fridge: ObjectShape) -> _Row:
    """Divides a row into refrigerator at one end, cooker, and cupboards on both sides of it."""
    from scenes.footprints import bounds_m

    low, high = bounds_m(fridge)
    wide = float(high[1] - low[1]) + 0.02
    first, last = -length / 2, length / 2
    place = None
    if length - wide > 1.9:
        if room.sampler.chance("has_refrigerator_first", 0.5):
            place, first = (first, first + wide), first + wide
        else:
            place, last = (last - wide, last), last - wide
    cooker_at = float(room.rng.uniform(0.35, 0.65))
    cooker = first + 0.3 + cooker_at * (last - first - 0.6)
    spans = ((first, cooker - 0.3 - _SLIT_M), (cooker + 0.3 + _SLIT_M, last))
    wider = max(spans, key=lambda span: span[1] - span[0])
    half_y = min(0.3, (wider[1] - wider[0]) / 2 - 0.09)
    slack = (wider[1] - wider[0]) / 2 - half_y - 0.06
    sink_y = (wider[0] + wider[1]) / 2 + float(room.rng.uniform(-1, 1)) * max(slack, 0.0)
    return _Row(length=length, units=spans, cooker=cooker, fridge=place, sink=(sink_y, 0.2, half_y))


def _shifted(pose: Pose, along: float, *, x: float = 0.0, z: float = 0.0) -> Pose:
    px, py, pz = (float(v) for v in pose.matrix()[:3, :3] @ (x, along, z))
    return Pose((pose.position_m[0] + px, pose.position_m[1] + py, pose.position_m[2] + pz), pose.quaternion_wxyz)


def _put_all(room: Furnisher, made: list[tuple[ObjectShape, str]], poses: list[Pose]) -> list[Piece] | None:
    """Puts all pieces of the row, or none where one of them does not fit or too little floor is left."""
    pieces: list[Piece] = []
    zones = []
    for (shape, place), pose in zip(made, poses, strict=True):
        zone = front_zone(shape, pose, _FRONT_M) if shape.category in ("cabinet", "refrigerator", "oven") else None
        if not room.plan.fits(shape, pose, gap_m=0.0, close_to=pieces, zone=zone):
            for placed in reversed(pieces):
                room.plan.take_back(placed)
            return None
        pieces.append(room.plan.put(Piece(shape=shape, world_from_body=pose, place=place)))
        zones.append(zone)
    # Only now: handles and doors of the row's own pieces reach a little into each other's zones.
    room.plan.zones += [zone for zone in zones if zone is not None]
    return pieces


def _tiles(room: Furnisher, row: _Row, pose: Pose, top: float) -> None:
    """Lays tiles on the wall over the worktop and the cooker, span by span, where no window hangs so low."""
    first, last = row.units[0][0], row.units[-1][1]
    middle = (row.cooker - 0.3 - _SLIT_M, row.cooker + 0.3 + _SLIT_M)
    spans = [span for span in ((first, middle[0]), middle, (middle[1], last)) if span[1] - span[0] > 0.05]
    for panel in backsplash(room.sampler.of("backsplash"), spans, _WALL_UNIT_LOW_M - 0.006 - top):
        at_wall = _shifted(pose, 0.0, x=-_HALF_DEPTH_M - BACK_GAP_M, z=top + 0.002)
        room.try_poses(panel, [at_wall], gap_m=0.0, keeps_floor=False, heed_zones=False)


def _wall_units(room: Furnisher, row: _Row, pose: Pose, front: Material) -> None:
    """Hangs cupboards over each span of worktop that has no window above it."""
    height = min(0.72, room.plan.height_m - _WALL_UNIT_LOW_M - 0.06)
    for span in row.units:
        if span[1] - span[0] < 0.35:
            continue
        shape = storage.wall_units(room.sampler, _WALL_UNIT_HALF_M, (span,), height, front)
        back = _shifted(pose, 0.0, x=_WALL_UNIT_HALF_M - _HALF_DEPTH_M - BACK_GAP_M + 0.005, z=_WALL_UNIT_LOW_M)
        room.try_poses(shape, [back], keeps_floor=False, heed_zones=False)
