"""Cameras as a robot has them: over free floor, at its height, outside of everything, looking at things it can see."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, focal_px, look_at, points_in_camera
from scenes.description import Draws
from scenes.errors import LayoutError
from scenes.floorplan import FloorPlan
from scenes.footprints import Volume

CANDIDATES = 60
CLEARANCE_M = 0.3
NEAR_M = 0.9
_BODY_RADIUS_M = 0.2
_STEPS = 24


def make_views(
    draws: Draws,
    plan: FloorPlan,
    targets_m: NDArray[np.float64],
    *,
    count: int,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Camera, ...]:
    """Returns cameras that look at some of the targets, float64 (n, 3); raises LayoutError where the floor has no place.

    Of many candidates over free floor with a clear line to their target, each camera takes one of those that see most
    targets, and views keep away from each other.
    """
    points, free = plan.free_cells(_BODY_RADIUS_M)
    stands = points[free]
    if not len(stands) or not len(targets_m):
        raise LayoutError("The room leaves no floor for a camera to stand on.")
    focal = focal_px(size[0], math.radians(draws.number("camera.fov_deg")))
    solids = _Obstacles(plan.solids())
    cameras: list[Camera] = []
    for k in range(count):
        candidates = []
        wanted = draws.number("camera.distance_m")
        height = draws.number("camera.height_m")
        roll = draws.number("camera.roll_rad")
        for _ in range(CANDIDATES):
            eye = _eye(stands, plan, height, rng)
            target = _aim(eye, targets_m, wanted, rng)
            if target is None or not solids.clear(eye, target):
                continue
            camera = _camera(f"camera_{k}", eye, target, roll, focal, size)
            worth = (
                _worth(camera, targets_m)
                * (1 - 0.6 * _crowding(camera, cameras))
                * (1 - solids.share_near(camera)) ** 2
            )
            candidates.append((worth, camera))
        if not candidates:
            raise LayoutError("No camera of this room sees one of its things from free floor.")
        best = sorted(candidates, key=lambda row: -row[0])[: max(1, len(candidates) // 16)]
        cameras.append(best[int(rng.integers(len(best)))][1])
    return tuple(cameras)


def _eye(stands: NDArray[np.float64], plan: FloorPlan, height: float, rng: np.random.Generator) -> NDArray[np.float64]:
    x, y = stands[int(rng.integers(len(stands)))] + rng.uniform(-0.04, 0.04, size=2)
    return np.array([x, y, min(height, plan.height_m - 0.4)])


def _aim(
    eye: NDArray[np.float64], targets_m: NDArray[np.float64], wanted_m: float, rng: np.random.Generator
) -> NDArray[np.float64] | None:
    """Returns a point near a target at about the wanted distance, not steeply above or below the eye."""
    delta = targets_m - eye
    level = np.hypot(delta[:, 0], delta[:, 1])
    good = np.flatnonzero((level > 0.7) & (np.abs(delta[:, 2]) < 0.45 * level))
    if not len(good):
        return None
    weight = np.exp(-(((level[good] - wanted_m) / 0.5) ** 2)) + 1e-3
    chosen = good[int(rng.choice(len(good), p=weight / weight.sum()))]
    aimed: NDArray[np.float64] = targets_m[chosen] + rng.uniform(-0.2, 0.2, size=3) * [1, 1, 0.5]
    return aimed


class _Obstacles:
    """All solids at once: centres, axes and half edges on the floor, lower and upper ends, for many points at a time."""

    def __init__(self, solids: Sequence[Volume]) -> None:
        self._center = np.array([s.rect.center_m for s in solids]).reshape(-1, 2)
        self._axes = np.array([s.rect.axes() for s in solids]).reshape(-1, 2, 2)
        self._half = np.array([s.rect.half_m for s in solids]).reshape(-1, 2)
        self._low, self._high = np.array([s.low_m for s in solids]), np.array([s.high_m for s in solids])

    def hit(self, points_m: NDArray[np.float64], margin_m: float) -> bool:
        """Tells whether one of the points, float64 (n, 3), lies in a solid grown by the margin."""
        local = np.einsum("sij,nsj->nsi", self._axes, points_m[:, None, :2] - self._center)
        inside = (np.abs(local) <= self._half + margin_m).all(axis=-1)
        z = points_m[:, None, 2]
        return bool((inside & (z > self._low - margin_m) & (z < self._high + margin_m)).any())

    def clear(self, eye: NDArray[np.float64], target: NDArray[np.float64]) -> bool:
        """Tells whether the eye keeps its clearance and nothing stands in the first part of the way to the target."""
        steps = np.linspace(0.0, 0.6, _STEPS)[:, None]
        return not self.hit(eye[None], CLEARANCE_M) and not self.hit(eye + steps * (target - eye), 0.0)

    def share_near(self, camera: Camera) -> float:
        """Returns the share of the image, 0..1, that something fills from less than NEAR_M away."""
        u, v = np.meshgrid(np.linspace(0, camera.width - 1, 7), np.linspace(0, camera.height - 1, 5))
        ray = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1).reshape(
            -1, 3
        )
        world_from_camera = camera.world_from_camera.matrix()
        away = np.linspace(0.1, 1.0, 6) * NEAR_M
        points = world_from_camera[:3, 3] + (ray @ world_from_camera[:3, :3].T)[:, None] * away[None, :, None]
        near = [self.hit(row, 0.0) for row in points]
        return sum(near) / len(near)


def _camera(
    name: str, eye: NDArray[np.float64], target: NDArray[np.float64], roll: float, focal: float, size: tuple[int, int]
) -> Camera:
    width, height = size
    return Camera(
        name=name, width=width, height=height, fx=focal, fy=focal, cx=(width - 1) / 2, cy=(height - 1) / 2,
        world_from_camera=look_at(eye, target, roll_rad=roll),
    )  # fmt: skip


def _worth(camera: Camera, targets_m: NDArray[np.float64]) -> float:
    """Returns how many targets lie in the image, far ones counting less."""
    local = points_in_camera(camera, targets_m)
    ahead = local[:, 2] > 0.3
    if not ahead.any():
        return 0.0
    u, v = camera.project(local[ahead]).T
    seen = (np.abs(u - camera.cx) < 0.46 * camera.width) & (np.abs(v - camera.cy) < 0.46 * camera.height)
    return float((1.0 / np.maximum(local[ahead][:, 2], 1.0))[seen].sum())


def _crowding(camera: Camera, others: Sequence[Camera]) -> float:
    """Returns 0..1: how much this view is like one that was chosen before."""
    forward = camera.world_from_camera.matrix()[:3, 2]
    most = 0.0
    for other in others:
        apart = float(
            np.linalg.norm(np.subtract(camera.world_from_camera.position_m, other.world_from_camera.position_m))
        )
        same = max(0.0, float(forward @ other.world_from_camera.matrix()[:3, 2]))
        most = max(most, same**2 * math.exp(-apart))
    return most
