"""One recipe for each room: what stands against which wall, under, beside and around what."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from scenes.floorplan import Piece
from scenes.footprints import bounds_m
from scenes.household.furnisher import Furnisher
from scenes.household.kitchen_row import kitchen_row
from scenes.objects import kitchen, lamps, living, openings, people, plants, seating, storage
from scenes.objects.shape import ObjectShape
from scenes.relations import around, at, beside, in_front_of
from scenes.transforms import Pose, multiply

PENDANT_DROP_M = (0.5, 0.8)
_CABINET_FRONT_M = 0.4
_SEATED_PULL_M = 0.18  # front edge of an occupied chair from the table's: room for the trunk, knees under the table


def furnish(room: Furnisher, kind: str) -> None:
    """Furnishes a room of that kind; raises NoRoomError where what it needs does not fit."""
    recipes: dict[str, Callable[[Furnisher], None]] = {
        "kitchen": _kitchen, "dining": _dining, "living": _living, "bedroom": _bedroom, "office": _office,
        "bathroom": _bathroom,
    }  # fmt: skip
    recipes[kind](room)
    for _ in range(room.draws.count("furniture.extras")):
        _extra(room, room.draws.name("furniture.extra"))
    if room.draws.chance("room.pendant"):
        _pendant(room)
    _seat_people(room)
    for _ in range(room.draws.count("people.standing")):
        room.free_floor(people.standing(room.sampler), place="person", clear_m=0.15)


def _kitchen(room: Furnisher) -> None:
    row = kitchen_row(room)
    if room.draws.chance("furniture.microwave"):
        room.set_on(kitchen.microwave(room.sampler), row)
    if room.draws.chance("furniture.kitchen_table"):
        table = room.middle(living.dining_table(room.sampler), place="table", spread=0.5)
        if table is not None:
            _chairs(room, table)


def _dining(room: Furnisher) -> None:
    table = room.needed(room.middle(living.dining_table(room.sampler), place="table", spread=0.2))
    _chairs(room, table)
    room.wall(storage.sideboard(room.sampler), place="cabinet", front_m=_CABINET_FRONT_M, middle=True)
    if room.draws.chance("room.rug"):
        _rug_under(room, table)


def _living(room: Furnisher) -> None:
    couch = room.needed(
        room.wall(
            seating.couch_for(room.sampler, room.draws.count("furniture.couch_places")), place="seat", middle=True
        )
    )
    low = living.coffee_table(room.sampler)
    if room.draws.chance("furniture.round_coffee_table"):
        low = living.round_coffee_table(room.sampler)
    gap = room.draws.number("furniture.coffee_table_gap_m")
    coffee = room.try_poses(
        low, [in_front_of(couch.shape, couch.world_from_body, low, gap, facing=False)], place="table"
    )
    board = storage.sideboard(room.sampler)
    wall = (round(_turn(couch) / (math.pi / 2)) + 2) % 4
    stand = room.wall(board, place="cabinet", walls=(wall,), middle=True) or room.wall(board, place="cabinet")
    if stand is not None:
        room.set_on(living.tv(room.sampler), stand, along=0.3)
    _armchair(room, coffee or couch)
    for shape in (lamps.floor_lamp(room.sampler), storage.nightstand(room.sampler)):
        if room.draws.chance("furniture.beside_couch"):
            side = 1 if room.sampler.chance("is_left_of_couch", 0.5) else -1
            poses = [beside(couch.shape, couch.world_from_body, shape, s, 0.06) for s in (side, -side)]
            room.try_poses(shape, poses, place="cabinet" if shape.category == "cabinet" else "")
    if room.draws.chance("furniture.living_shelf"):
        room.wall(storage.shelf(room.sampler), place="shelf", front_m=0.3)
    if room.draws.chance("room.rug"):
        _rug_under(room, coffee or couch)


def _bedroom(room: Furnisher) -> None:
    bed = room.needed(room.wall(living.bed(room.sampler), place="bed", middle=True))
    stand = storage.nightstand(room.sampler)
    for side in (1, -1):
        if room.draws.chance("furniture.nightstand"):
            room.try_poses(stand, [beside(bed.shape, bed.world_from_body, stand, side, 0.05)], place="cabinet")
    room.wall(storage.wardrobe(room.sampler), front_m=0.5)
    if room.draws.chance("furniture.chest"):
        chest = room.wall(storage.drawers(room.sampler), place="cabinet", front_m=_CABINET_FRONT_M)
        if chest is not None and room.draws.chance("furniture.bedroom_tv"):
            room.set_on(living.tv(room.sampler), chest, along=0.3)
    if room.draws.chance("furniture.bed_bench"):
        bench = seating.bench(room.sampler)
        room.try_poses(bench, [in_front_of(bed.shape, bed.world_from_body, bench, 0.08, facing=False)], place="seat")
    if room.draws.chance("furniture.bedroom_chair"):
        room.corner(seating.chair(room.sampler), place="seat")
    if room.draws.chance("room.rug"):
        _rug_beside(room, bed)


def _office(room: Furnisher) -> None:
    top = living.desk(room.sampler)
    desk = room.needed(room.wall(top, place="desk", middle=True, front_m=0.75))
    if room.draws.chance("furniture.monitor"):
        room.set_on(living.monitor(room.sampler), desk, along=0.3)
    chair = seating.office_chair(room.sampler)
    for pose in around(desk.shape, desk.world_from_body, 1, room.draws.number("furniture.office_chair_pull_m"), chair):
        room.try_poses(chair, [_twist(room, pose), pose], place="seat", close_to=(desk,), heed_zones=False)
    for _ in range(room.draws.count("furniture.office_shelves")):
        room.wall(storage.shelf(room.sampler), place="shelf", front_m=0.3)
    room.wall(storage.drawers(room.sampler), place="cabinet", front_m=_CABINET_FRONT_M)
    if room.draws.chance("room.rug"):
        _rug_beside(room, desk)


def _bathroom(room: Furnisher) -> None:
    room.needed(room.wall(kitchen.toilet(room.sampler), front_m=0.5))
    basin = room.needed(room.wall(kitchen.wash_basin(room.sampler), front_m=0.5))
    cupboard = (
        storage.drawers(room.sampler)
        if room.sampler.chance("has_bathroom_drawers", 0.5)
        else storage.nightstand(room.sampler)
    )
    poses = [beside(basin.shape, basin.world_from_body, cupboard, side, 0.1) for side in (1, -1)]
    if room.try_poses(cupboard, poses, place="cabinet") is None:
        room.wall(cupboard, place="cabinet")
    if room.draws.chance("furniture.bathroom_shelf"):
        room.wall(storage.shelf(room.sampler), place="shelf")
    if room.draws.chance("room.rug"):
        _rug_beside(room, basin)


def _turn(piece: Piece) -> float:
    from scenes.footprints import turn_of

    return turn_of(piece.world_from_body) % (2 * math.pi)


def _twist(room: Furnisher, pose: Pose) -> Pose:
    """Turns a chair a little away from straight."""
    x, y, z = pose.position_m
    angle = room.draws.number("furniture.chair_turn_rad")
    return Pose((x, y, z), multiply(at(0, 0, 0, angle).quaternion_wxyz, pose.quaternion_wxyz))


def _chairs(room: Furnisher, table: Piece) -> None:
    """Puts chairs around a table, all of one kind, some of them turned, and in a few rooms a bench on one side."""
    count = room.draws.count("furniture.chairs")
    chair = seating.dining_chair(room.sampler)
    poses = list(around(table.shape, table.world_from_body, max(count, 4), 0.0, chair))
    chosen = sorted(int(k) for k in room.rng.permutation(len(poses))[:count])
    for k in chosen:
        sits = room.draws.chance("people.seated")
        tries = []
        for _ in range(3):
            pull = _SEATED_PULL_M if sits else room.draws.number("furniture.chair_pull_m")
            pose = list(around(table.shape, table.world_from_body, max(count, 4), pull, chair))[k]
            tries += [_twist(room, pose), pose]
        near = [p for p in room.plan.pieces if p is table or p.shape is chair]
        seat = room.try_poses(chair, tries, place="seat", close_to=near)
        if seat is not None:
            room.offered.append(seat)
            if sits and room.sit(seat, near) is not None:
                room.occupied.append(seat)


def _armchair(room: Furnisher, by: Piece) -> None:
    if not room.draws.chance("furniture.armchair"):
        return
    shape = seating.couch_for(room.sampler, 1)
    low, high = bounds_m(shape)
    x, y, _ = by.world_from_body.position_m
    turn = _turn(by)
    reach = float(bounds_m(by.shape)[1][1]) + 0.3 + float(high[0] - low[0]) / 2
    poses = []
    for side in (1, -1):
        px, py = x - side * math.sin(turn) * reach, y + side * math.cos(turn) * reach
        poses.append(at(px, py, 0.0, turn - side * (math.pi / 2 + float(room.rng.uniform(-0.3, 0.3)))))
    room.try_poses(shape, poses, place="seat")


def _extra(room: Furnisher, kind: str) -> None:
    sampler = room.sampler
    if kind == "potted plant":
        room.corner(plants.plant_for(sampler, "corner"))
    elif kind == "lamp":
        room.corner(lamps.floor_lamp(sampler))
    elif kind == "shelf":
        room.wall(storage.shelf(sampler), place="shelf", front_m=0.3)
    elif kind == "cabinet":
        room.wall(storage.cabinet(sampler), place="cabinet", front_m=_CABINET_FRONT_M)
    elif kind == "bench":
        room.wall(seating.bench(sampler), place="seat", front_m=0.4)
    else:
        room.wall(seating.chair(sampler), place="seat", front_m=0.4, gap_m=0.06)


def _pendant(room: Furnisher) -> None:
    """Hangs a lamp over the table, or in the middle of the room."""
    drop = float(room.rng.uniform(*PENDANT_DROP_M))
    shape: ObjectShape = lamps.pendant(room.sampler, min(drop, room.plan.height_m - 1.95))
    tables = [p.world_from_body.position_m for p in room.plan.pieces if p.shape.category == "dining table"]
    x, y = tables[0][:2] if tables else (0.0, 0.0)
    room.try_poses(
        shape, [at(x, y, room.plan.height_m), at(0, 0, room.plan.height_m)], place="pendant", keeps_floor=False
    )


def _rug_under(room: Furnisher, piece: Piece) -> None:
    """Lays a rug under a table or before a couch; furniture stands on it."""
    low, high = bounds_m(piece.shape)
    half = (high - low)[:2] / 2 + float(room.rng.uniform(0.15, 0.5))
    _lay(room, float(half[0]), float(half[1]), piece.world_from_body)


def _rug_beside(room: Furnisher, piece: Piece) -> None:
    """Lays a rug before a bed, desk or basin."""
    _, high = bounds_m(piece.shape)
    half = (float(room.rng.uniform(0.35, 0.7)), float(room.rng.uniform(0.5, 0.9)))
    turn, reach = _turn(piece), float(high[0]) + half[0] + float(room.rng.uniform(-0.2, 0.15))
    x, y, _ = piece.world_from_body.position_m
    _lay(room, *half, at(x + math.cos(turn) * reach, y + math.sin(turn) * reach, 0.0, turn))


def _lay(room: Furnisher, half_x: float, half_y: float, pose: Pose) -> None:
    """Puts a rug down where it lies inside the room; it is too thin to be in the way of anything."""
    from scenes.footprints import Rect, turn_of

    x, y, _ = pose.position_m
    limit = np.array([room.plan.half_x_m, room.plan.half_y_m]) - 0.03
    for _ in range(8):
        rect = Rect(center_m=(x, y), half_m=(half_x, half_y), turn_rad=turn_of(pose))
        if rect.within(*limit):
            shape = openings.rug(room.sampler, half_x, half_y)
            room.rugs.append(Piece(shape=shape, world_from_body=Pose((x, y, 0.0), pose.quaternion_wxyz), place="rug"))
            return
        half_x, half_y = 0.9 * half_x, 0.9 * half_y


def _seat_people(room: Furnisher) -> None:
    for seat in [p for p in room.plan.pieces if p.place == "seat" and p not in room.offered]:
        if room.draws.chance("people.seated"):
            near = [p for p in room.plan.pieces if p.place in ("table", "desk", "seat")]
            if room.sit(seat, near) is not None:
                room.occupied.append(seat)
