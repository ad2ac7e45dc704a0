"""What a view of the solids must show, in closed form: depth, labels, masks with nothing in front, and their boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, points_in_camera
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim.frame import BoxPx
from sim.selftest.solids import Floats, Solid
from sim.selftest.stage import Stage

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expected:
    """The paper's answer for one view.

    depth_m float64 (H, W), +inf where nothing is; shown int64 (H, W), the place in `names` of what a pixel shows, -1 for
    nothing; amodal: bool (H, W) by name, the pixels of every solid in view with nothing in front of it.
    """

    camera: Camera
    names: tuple[str, ...]
    solids: Mapping[str, Solid]
    poses: Mapping[str, Pose]
    depth_m: Floats
    shown: NDArray[np.int64]
    amodal: Mapping[str, Bools]

    @property
    def things(self) -> tuple[str, ...]:
        """The things in view, hidden ones too."""
        return tuple(name for name in self.amodal if TAXONOMY.named(self.solids[name].category).is_thing)

    def visible(self, name: str) -> Bools:
        """Returns the pixels that show a solid, bool (H, W)."""
        mask: Bools = self.shown == self.names.index(name)
        return mask

    def inside(self, name: str, margin_px: int = 2) -> Bools:
        """Returns the pixels that show a solid and lie at least that far from any other, bool (H, W)."""
        import cv2

        box = np.ones((2 * margin_px + 1, 2 * margin_px + 1), np.uint8)
        mask: Bools = cv2.erode(self.visible(name).astype(np.uint8), box, borderType=cv2.BORDER_REPLICATE) > 0
        return mask

    def visible_fraction(self, name: str) -> float:
        """Returns the share of the pixels of a thing that nothing hides."""
        return float(self.visible(name).sum() / self.amodal[name].sum())

    def world_from_body(self, name: str) -> Pose:
        """Returns where a solid stands in this view."""
        return self.poses.get(name, self.solids[name].world_from_body)

    def corners_world(self, name: str) -> Floats:
        """Returns the corners of a solid's box, float64 (8, 3)."""
        return self.solids[name].corners_world(self.world_from_body(name))

    def semantic(self) -> NDArray[np.uint8]:
        """Returns the category of every pixel, uint8 (H, W), 0 for nothing."""
        table = np.array([*(TAXONOMY.named(self.solids[n].category).id for n in self.names), 0], dtype=np.uint8)
        category: NDArray[np.uint8] = table[self.shown]
        return category


def expect(stage: Stage, camera: Camera, poses: Mapping[str, Pose] | None = None) -> Expected:
    """Returns what `camera` must show of the stage; `poses` says where solids stand that were moved."""
    moved = dict(poses or {})
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    x, y = camera.rays(u, v)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)
    names = tuple(n for n, solid in stage.solids.items() if _may_show(solid, camera, moved.get(n)))
    world_from_camera = camera.world_from_camera.matrix()
    size = (camera.height, camera.width)
    nearest, shown, amodal = np.full(size, np.inf), np.full(size, -1, dtype=np.int64), {}
    for k, name in enumerate(names):
        entry_m = stage.solids[name].entry_m(world_from_camera, rays, moved.get(name)).reshape(size)
        mask = np.isfinite(entry_m)
        if not mask.any():
            continue
        amodal[name] = mask
        first = entry_m < nearest
        nearest[first], shown[first] = entry_m[first], k
    return Expected(
        camera=camera, names=names, solids=stage.solids, poses=moved, depth_m=nearest, shown=shown, amodal=amodal
    )


def box_px(mask: Bools) -> BoxPx | None:
    """Returns the first and last column and row of a mask as (u, v, u, v), both inclusive; None where it is empty."""
    v, u = np.nonzero(mask)
    return (int(u.min()), int(v.min()), int(u.max()), int(v.max())) if len(u) else None


def _may_show(solid: Solid, camera: Camera, world_from_body: Pose | None) -> bool:
    """Whether its bounding sphere reaches before the camera and into the cone around the image."""
    middle = points_in_camera(camera, np.asarray((world_from_body or solid.world_from_body).position_m))
    radius_m, spread = float(np.linalg.norm(solid.half_m)), np.hypot(camera.width / camera.fx, camera.height / camera.fy) / 2
    z_m = float(middle[2])
    return z_m + radius_m > camera.near_m and float(np.hypot(*middle[:2])) < (z_m + radius_m) * spread + radius_m
