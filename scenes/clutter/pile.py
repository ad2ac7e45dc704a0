"""Where the things of a cluttered table start: apart, stacked, in each other, or just above what they will fall on."""

from __future__ import annotations

from collections import Counter

import numpy as np

from scenes.description import Draws
from scenes.footprints import Rect, Volume
from scenes.household.things import HOLDS, MOST_HELD
from scenes.objects.shape import ObjectShape
from scenes.placement import DROP_M, Placed, into, stands_upright
from scenes.scene import Support
from scenes.supports import rested_points, stand_on, stand_over
from scenes.transforms import rotation_from_quaternion

STACKS = frozenset({"plate", "book", "box", "bowl"})
MOST_STACKED = 4
_JITTER_M = 0.006


def pile(shapes: list[ObjectShape], table: Support, draws: Draws, rng: np.random.Generator) -> list[Placed]:
    """Places objects on a table, the ones that hold others first; those that find no place are left out."""
    heap, spread = draws.number("objects.heap"), draws.number("objects.spread_m")
    half_x, half_y = (min(half, spread) for half in table.half_extent_m)
    area = Support(center_m=table.center_m, half_extent_m=(half_x, half_y), turn_rad=table.turn_rad, round=table.round)
    builder = _Pile(area, rng)
    for shape in sorted(shapes, key=lambda s: (s.cavity is None, s.category not in STACKS)):
        if draws.chance("objects.contain") and builder.put_in(shape):
            continue
        if shape.category in STACKS and draws.chance("objects.stack") and builder.stack(shape):
            continue
        if draws.sampler.chance("heap", heap):
            builder.drop(shape)
        else:
            builder.stand(shape)
    return builder.placed


class _Pile:
    def __init__(self, area: Support, rng: np.random.Generator) -> None:
        self.placed: list[Placed] = []
        self._area = area
        self._rng = rng
        self._volumes: list[Volume] = []
        self._held: Counter[int] = Counter()
        self._stacked: Counter[int] = Counter()

    def stand(self, shape: ObjectShape) -> None:
        found = stand_on(shape, self._area, self._volumes, rng=self._rng, square=0.2)
        if found is not None:
            self._add(*found)

    def drop(self, shape: ObjectShape) -> None:
        """Lets it go over the highest thing under it, near the middle."""
        half_x, half_y = self._area.half_extent_m
        half = max(0.6 * half_x, 0.12), max(0.6 * half_y, 0.12)
        area = Support(center_m=self._area.center_m, half_extent_m=half, turn_rad=self._area.turn_rad)
        self._add(*stand_over(shape, area, self._volumes, rng=self._rng))

    def put_in(self, shape: ObjectShape) -> bool:
        for k, holder in enumerate(self.placed):
            takes = shape.category in HOLDS.get(holder.shape.category, ()) and holder.shape.cavity is not None
            if takes and self._held[k] < MOST_HELD and not self._stacked[k] and stands_upright(holder):
                held = into(holder, shape, layer=self._held[k], rng=self._rng)
                self._held[k] += 1
                self._add(held, _prism(held))
                return True
        return False

    def stack(self, shape: ObjectShape) -> bool:
        """Puts it on the first stack of its kind that is free on top, in line with what is under it."""
        for k, under in enumerate(self.placed):
            same = under.shape.category == shape.category and stands_upright(under)
            if not same or self._held[k] or self._stacked[k] >= 1 or self._depth(k) >= MOST_STACKED:
                continue
            if _width(shape) > 1.15 * _width(under.shape):
                continue
            low = rested_points(shape, under.world_from_body.quaternion_wxyz)[:, 2].min()
            x, y, _ = under.world_from_body.position_m
            dx, dy = self._rng.uniform(-_JITTER_M, _JITTER_M, size=2)
            pose = type(under.world_from_body)(
                (x + float(dx), y + float(dy), self._volumes[k].high_m + DROP_M - float(low)),
                under.world_from_body.quaternion_wxyz,
            )
            self._stacked[k] += 1
            stacked = Placed(shape=shape, world_from_body=pose)
            self._add(stacked, _prism(stacked))
            return True
        return False

    def _depth(self, k: int) -> int:
        """Returns how many of one kind lie under the top of this stack, by height."""
        return round(
            (self._volumes[k].high_m - self._area.center_m[2])
            / max(self._volumes[k].high_m - self._volumes[k].low_m, 0.01)
        )

    def _add(self, placed: Placed, volume: Volume) -> None:
        self.placed.append(placed)
        self._volumes.append(volume)


def _width(shape: ObjectShape) -> float:
    points = np.concatenate([part.mesh.vertices for part in shape.parts])
    return float(np.hypot(*(points.max(axis=0) - points.min(axis=0))[:2]))


def _prism(placed: Placed) -> Volume:
    """Returns the prism about an object in any pose, along the world's axes."""
    points = np.concatenate([part.mesh.vertices for part in placed.shape.parts])
    world = (
        points @ rotation_from_quaternion(placed.world_from_body.quaternion_wxyz).T + placed.world_from_body.position_m
    )
    low, high = world.min(axis=0), world.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    rect = Rect(center_m=(float(middle[0]), float(middle[1])), half_m=(float(half[0]), float(half[1])))
    return Volume(rect=rect, low_m=float(low[2]), high_m=float(high[2]))
