"""A room being furnished: what is put in never interpenetrates what is there, and floor stays free for a robot.

Solids keep apart: whole hulls by default, collider by collider where a relation brings two close (a chair under its
table). Zones (the way in, the space before a cupboard) may lie over each other, but no solid may stand in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenes.footprints import Rect, Volume, hull, volumes
from scenes.objects.shape import ObjectShape
from scenes.scene import Support
from scenes.transforms import Pose

GRID_M = 0.1
ROBOT_RADIUS_M = 0.25
_HEADROOM_M = 1.7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """Something put into the room: the object, its pose, what it is for (`place`), and whether physics may move it."""

    shape: ObjectShape
    world_from_body: Pose
    place: str = ""
    dynamic: bool = False

    @property
    def supports(self) -> tuple[Support, ...]:
        """What it holds things on, in the world."""
        return tuple(support.moved(self.world_from_body) for support in self.shape.supports)


@dataclass(slots=True, kw_only=True, eq=False)
class FloorPlan:
    """The room's half edges and height in metres, about the origin of the floor, and what has been put in so far."""

    half_x_m: float
    half_y_m: float
    height_m: float
    pieces: list[Piece] = field(default_factory=list)
    zones: list[Rect] = field(default_factory=list)
    _hulls: list[Volume] = field(default_factory=list)
    _volumes: list[tuple[Volume, ...]] = field(default_factory=list)
    _zoned: list[bool] = field(default_factory=list)

    def fits(
        self,
        shape: ObjectShape,
        pose: Pose,
        *,
        gap_m: float = 0.02,
        close_to: Sequence[Piece] = (),
        zone: Rect | None = None,
        heed_zones: bool = True,
    ) -> bool:
        """Tells whether the object can stand there, `gap_m` from all others; from `close_to` by its true outline.

        `zone` is floor that has to be free of what is there already.
        """
        whole = hull(shape, pose)
        if not whole.rect.within(self.half_x_m, self.half_y_m) or whole.high_m > self.height_m + 1e-6:
            return False
        if heed_zones and whole.low_m < _HEADROOM_M and any(whole.rect.overlaps(z) for z in self.zones):
            return False
        grown = Volume(rect=whole.rect.grown(gap_m), low_m=whole.low_m, high_m=whole.high_m)
        parts: tuple[Volume, ...] | None = None
        for piece, other, others in zip(self.pieces, self._hulls, self._volumes, strict=True):
            if zone is not None and other.low_m < _HEADROOM_M and other.rect.overlaps(zone, 0.001):
                return False
            if not grown.meets(other):
                continue
            if piece not in close_to:
                return False
            parts = parts or volumes(shape, pose)
            if any(a.meets(b, 0.0005) for a in parts for b in others):
                return False
        return True

    def put(self, piece: Piece, *, zone: Rect | None = None) -> Piece:
        """Adds a piece that fits, and the floor to be kept free for it."""
        self.pieces.append(piece)
        self._hulls.append(hull(piece.shape, piece.world_from_body))
        self._volumes.append(volumes(piece.shape, piece.world_from_body))
        self._zoned.append(zone is not None)
        if zone is not None:
            self.zones.append(zone)
        return piece

    def take_back(self, piece: Piece) -> None:
        """Removes the piece that was put in last, with its zone; raises ValueError for another one."""
        if not self.pieces or self.pieces[-1] is not piece:
            raise ValueError("Only the last piece of a floor plan can be taken back.")
        for rows in (self.pieces, self._hulls, self._volumes):
            rows.pop()
        if self._zoned.pop():
            self.zones.pop()

    def solids(self) -> list[Volume]:
        """Returns the prisms of all colliders of all pieces."""
        return [volume for group in self._volumes for volume in group]

    def free_cells(self, radius_m: float = ROBOT_RADIUS_M) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Returns a grid of floor points, float64 (n, m, 2), and where the middle of a robot of that radius may stand."""
        x = np.arange(-self.half_x_m + GRID_M / 2, self.half_x_m, GRID_M)
        y = np.arange(-self.half_y_m + GRID_M / 2, self.half_y_m, GRID_M)
        points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
        walls = np.abs(points) <= (self.half_x_m - radius_m, self.half_y_m - radius_m)
        free: NDArray[np.bool_] = walls.all(axis=-1)
        for solid in self._hulls_on_floor():
            free &= solid.rect.distance_m(points) >= radius_m
        return points, free

    def _hulls_on_floor(self) -> list[Volume]:
        return [h for h in self._hulls if h.low_m < _HEADROOM_M and h.high_m > 0.05]

    def free_floor_m2(self, radius_m: float = ROBOT_RADIUS_M) -> float:
        """Returns the area of the largest connected region in which a robot's middle may be."""
        import cv2

        _, free = self.free_cells(radius_m)
        _, _, stats, _ = cv2.connectedComponentsWithStats(free.astype(np.uint8), connectivity=4)
        return float(stats[1:, cv2.CC_STAT_AREA].max(initial=0)) * GRID_M**2
