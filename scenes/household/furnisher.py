"""Puts furniture into a floor plan by relations, each piece only where it fits and leaves floor to drive on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from scenes.description import Draws
from scenes.floorplan import FloorPlan, Piece
from scenes.footprints import bounds_m
from scenes.objects import people
from scenes.objects.shape import ObjectShape
from scenes.relations import WALLS, against, at, front_zone, reach_along_m
from scenes.transforms import Pose, transform_points

TRIES = 24
BACK_GAP_M = 0.02  # clears the skirting board


class NoRoomError(Exception):
    """A piece that the room cannot do without found no place: the room is drawn again."""


class Furnisher:
    """A floor plan with the draws and the generator that its furniture comes from."""

    def __init__(self, plan: FloorPlan, draws: Draws, rng: np.random.Generator) -> None:
        self.plan = plan
        self.draws = draws
        self.sampler = draws.sampler
        self.rng = rng
        self.rugs: list[Piece] = []
        self.occupied: list[Piece] = []
        self.offered: list[Piece] = []

    def needed(self, piece: Piece | None) -> Piece:
        """Returns the piece; raises NoRoomError where there is none."""
        if piece is None:
            raise NoRoomError
        return piece

    def try_poses(
        self,
        shape: ObjectShape,
        poses: Iterable[Pose],
        *,
        place: str = "",
        gap_m: float = 0.02,
        front_m: float = 0.0,
        close_to: Sequence[Piece] = (),
        keeps_floor: bool = True,
        heed_zones: bool = True,
    ) -> Piece | None:
        """Puts the object at the first pose at which it fits and the floor stays free; None where there is none."""
        for pose in poses:
            zone = front_zone(shape, pose, front_m) if front_m > 0 else None
            if self.plan.fits(shape, pose, gap_m=gap_m, close_to=close_to, zone=zone, heed_zones=heed_zones):
                piece = self.plan.put(Piece(shape=shape, world_from_body=pose, place=place), zone=zone)
                if keeps_floor and not self._floor_is_free():
                    self.plan.take_back(piece)
                    continue
                return piece
        return None

    def _floor_is_free(self) -> bool:
        return self.plan.free_floor_m2() >= self.draws.least("room.free_floor_m2")

    def wall(
        self,
        shape: ObjectShape,
        *,
        place: str = "",
        walls: Sequence[int] = WALLS,
        front_m: float = 0.0,
        middle: bool = False,
        z_m: float = 0.0,
        gap_m: float = BACK_GAP_M,
    ) -> Piece | None:
        """Puts the object with its back against one of the walls; `middle` prefers the middle of the wall."""
        return self.try_poses(shape, self._along_walls(shape, walls, middle, z_m, gap_m), place=place, front_m=front_m)

    def _along_walls(
        self, shape: ObjectShape, walls: Sequence[int], middle: bool, z_m: float, gap_m: float
    ) -> Iterable[Pose]:
        plan = self.plan
        for k in range(TRIES):
            wall = walls[int(self.rng.integers(len(walls)))]
            reach = reach_along_m(wall, shape, plan.half_x_m, plan.half_y_m) - 0.02
            if reach > 0:
                spread = min(1.0, 0.15 + k / 12) if middle else 1.0
                along = float(self.rng.uniform(-reach, reach)) * spread
                yield against(wall, shape, plan.half_x_m, plan.half_y_m, along, gap_m=gap_m, z_m=z_m)

    def corner(self, shape: ObjectShape, *, place: str = "") -> Piece | None:
        """Puts the object near a corner of the room, looking to its middle."""
        low, high = bounds_m(shape)
        reach = float(np.abs(np.concatenate([low[:2], high[:2]])).max()) + 0.06
        poses = []
        for k in self.rng.permutation(4):
            sx, sy = (1 if k & 1 else -1), (1 if k & 2 else -1)
            x, y = sx * (self.plan.half_x_m - reach), sy * (self.plan.half_y_m - reach)
            poses.append(at(x, y, 0.0, math.atan2(-y, -x)))
        return self.try_poses(shape, poses, place=place)

    def middle(
        self, shape: ObjectShape, *, place: str = "", spread: float = 0.3, quarter: bool = True, gap_m: float = 0.1
    ) -> Piece | None:
        """Puts the object about the middle of the room, square to the walls."""

        def poses() -> Iterable[Pose]:
            for k in range(TRIES):
                share = min(1.0, spread + k / 16)
                x, y = self.rng.uniform(-share, share, size=2) * (self.plan.half_x_m, self.plan.half_y_m)
                turn = (
                    int(self.rng.integers(4)) * math.pi / 2 if quarter else float(self.rng.uniform(-math.pi, math.pi))
                )
                yield at(float(x), float(y), 0.0, turn)

        return self.try_poses(shape, poses(), place=place, gap_m=gap_m)

    def free_floor(
        self, shape: ObjectShape, *, place: str = "", clear_m: float = 0.12, keeps_floor: bool = True
    ) -> Piece | None:
        """Puts the object somewhere on the free floor, turned at random."""

        def poses() -> Iterable[Pose]:
            for _ in range(TRIES):
                x, y = self.rng.uniform(-1, 1, size=2) * (self.plan.half_x_m - 0.3, self.plan.half_y_m - 0.3)
                yield at(float(x), float(y), 0.0, float(self.rng.uniform(-math.pi, math.pi)))

        return self.try_poses(
            shape, poses(), place=place, gap_m=clear_m, keeps_floor=keeps_floor, heed_zones=keeps_floor
        )

    def set_on(
        self, shape: ObjectShape, holder: Piece, *, back: bool = True, place: str = "", along: float = 0.9
    ) -> Piece | None:
        """Puts a fixed object on one of the holder's upper faces, towards its back edge, looking the holder's way."""
        low, high = bounds_m(shape)
        depth, width = float(high[0] - low[0]), float(high[1] - low[1])
        fits = [s for s in holder.shape.supports if s.half_extent_m[1] * 2 >= width - 0.02]
        if not fits:
            return None

        def poses() -> Iterable[Pose]:
            for _ in range(TRIES):
                support = fits[int(self.rng.integers(len(fits)))]
                slack_y = max(support.half_extent_m[1] - width / 2, 0.0) * along
                slack_x = max(support.half_extent_m[0] - depth / 2, 0.0)
                x = (
                    support.center_m[0]
                    + (-slack_x if back else float(self.rng.uniform(-slack_x, slack_x)))
                    - float(low[0] + high[0]) / 2
                )
                y = support.center_m[1] + float(self.rng.uniform(-slack_y, slack_y)) - float(low[1] + high[1]) / 2
                position = transform_points(holder.world_from_body.matrix(), np.array([x, y, support.center_m[2]]))
                yield Pose(
                    (float(position[0]), float(position[1]), float(position[2])), holder.world_from_body.quaternion_wxyz
                )

        return self.try_poses(shape, poses(), place=place, close_to=(holder,), keeps_floor=False, heed_zones=False)

    def sit(self, seat: Piece, near: Sequence[Piece] = ()) -> Piece | None:
        """Seats a person on a chair, couch or bench."""
        support = seat.shape.supports[0]
        _, high = bounds_m(seat.shape)
        back = support.center_m[0] - support.half_extent_m[0]
        shape = people.seated(self.sampler, support.center_m[2], float(high[0]) - back)
        slack = max(support.half_extent_m[1] - 0.3, 0.0)
        poses = []
        for _ in range(4):
            local = np.array([back, support.center_m[1] + float(self.rng.uniform(-slack, slack)), 0.0])
            x, y, z = (float(v) for v in transform_points(seat.world_from_body.matrix(), local))
            poses.append(Pose((x, y, z), seat.world_from_body.quaternion_wxyz))
        return self.try_poses(shape, poses, place="person", close_to=(seat, *near), heed_zones=False)
