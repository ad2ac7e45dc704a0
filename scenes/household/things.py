"""Small objects where they belong: on tables, worktops, boards, seats and the floor, and some in bowls and cups."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from scenes.description import Draws
from scenes.floorplan import FloorPlan, Piece
from scenes.footprints import Volume, hull
from scenes.household.schema import PLACES
from scenes.objects import lamps, plants
from scenes.objects.dressed import make_dressed
from scenes.objects.shape import ObjectShape
from scenes.placement import Placed, into, stands_upright
from scenes.scene import Support
from scenes.supports import stand_on

# What is taken by a holder that stands upright; at most two in each.
HOLDS = {
    "bowl": ("apple", "orange", "banana", "carrot", "broccoli", "donut", "spoon"),
    "cup": ("fork", "knife", "spoon", "toothbrush"),
    "plate": ("apple", "orange", "banana", "carrot", "broccoli", "donut", "sandwich", "fork", "knife", "spoon"),
}
MOST_HELD = 2
_SQUARE = {"shelf": 0.85, "cabinet": 0.6, "counter": 0.5, "desk": 0.6}
_FLOOR_EDGE_M = 0.1


def small_object(category: str, draws: Draws) -> ObjectShape:
    """Makes an object that a hand can carry, of any small category, in the size that stands on tables."""
    sampler = draws.sampler
    if category == "lamp":
        return lamps.table_lamp(sampler)
    if category == "potted plant":
        return plants.plant_for(sampler, "tabletop")
    return make_dressed(category, sampler)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Place:
    """A support to fill, its headroom in metres, and what stands on it already."""

    name: str
    support: Support
    headroom_m: float
    taken: list[Volume]


def small_objects(draws: Draws, plan: FloorPlan, occupied: list[Piece], rng: np.random.Generator) -> list[Placed]:
    """Draws and places the small objects of a room; those that find no room are left out."""
    placed: list[Placed] = []
    for place in _places(plan, occupied):
        count = draws.count(f"objects.{place.name}.count")
        here: list[Placed] = []
        layers: Counter[int] = Counter()
        shapes = [small_object(draws.name(f"objects.{place.name}.category"), draws) for _ in range(count)]
        for shape in sorted(shapes, key=lambda s: s.cavity is None):
            holder = _holder(shape, here, layers)
            if holder is not None and draws.chance("objects.contain"):
                placed.append(into(here[holder], shape, layer=layers[holder], rng=rng))
                layers[holder] += 1
                continue
            square = _SQUARE.get(place.name, 0.2)
            found = stand_on(shape, place.support, place.taken, rng=rng, headroom_m=place.headroom_m, square=square)
            if found is not None:
                here.append(found[0])
                place.taken.append(found[1])
        placed += here
    return placed


def _holder(shape: ObjectShape, here: list[Placed], layers: Counter[int]) -> int | None:
    for k, other in enumerate(here):
        fits = shape.category in HOLDS.get(other.shape.category, ())
        if fits and other.shape.cavity is not None and layers[k] < MOST_HELD and stands_upright(other):
            return k
    return None


def _places(plan: FloorPlan, occupied: list[Piece]) -> list[_Place]:
    """Returns the supports of all pieces that hold small objects, and the free floor last."""
    hulls = [(piece, hull(piece.shape, piece.world_from_body)) for piece in plan.pieces]
    solids = plan.solids()
    places = []
    for piece in plan.pieces:
        if piece.place not in PLACES or piece in occupied:
            continue
        supports = piece.supports
        for support in supports:
            above = [s.center_m[2] for s in supports if s.center_m[2] > support.center_m[2] + 0.01]
            headroom = (
                min(above) - support.center_m[2] - 0.03
                if above and piece.place == "shelf"
                else _clear_over(support, solids)
            )
            low = support.center_m[2] + 0.001
            taken = [s for s in solids if s.high_m > low]
            places.append(_Place(name=piece.place, support=support, headroom_m=headroom, taken=taken))
    floor = floor_support(plan)
    on_floor = [Volume(rect=h.rect.grown(0.03), low_m=h.low_m, high_m=h.high_m) for _, h in hulls]
    places.append(_Place(name="floor", support=floor, headroom_m=1.0, taken=on_floor))
    return places


def _clear_over(support: Support, solids: list[Volume]) -> float:
    """Returns how high an object in the middle of a support may be before it meets something hanging over it."""
    x, y, z = support.center_m
    over = [s.low_m - z for s in solids if s.low_m > z + 0.05 and float(s.rect.distance_m(np.array([x, y]))) == 0.0]
    return min(over, default=math.inf)


def floor_support(plan: FloorPlan) -> Support:
    """Returns the floor as a support, a little inside the walls."""
    half = (plan.half_x_m - _FLOOR_EDGE_M, plan.half_y_m - _FLOOR_EDGE_M)
    return Support(center_m=(0.0, 0.0, 0.0), half_extent_m=half)
