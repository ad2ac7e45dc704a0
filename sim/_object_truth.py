"""Per-object truth from maps: inclusive boxes, and where an object may be hidden, so that only those pixels are redrawn.

An object lies inside its oriented box. A pixel of something else can hide it only where the ray through that pixel is
still to pass through that box behind the depth seen there; elsewhere the visible mask is the amodal one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.camera import Camera, points_in_camera
from scenes.scene import Body
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, inverse
from sim._lens import lens_of
from sim.frame import BoxPx, ObjectTruth
from sim.layers import ObjectMask

# (left, top, width, height) in pixels, inside the image.
Window = tuple[int, int, int, int]

_MIN_EDGE_M = 1e-6
# The picture is drawn in single precision: a box is taken this much larger before it is ruled out that something hides it.
_MARGIN_M = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyBounds:
    """The box of a body's visible parts in its own frame: centre and full edges in metres."""

    center_m: NDArray[np.float64]
    size_m: NDArray[np.float64]

    @classmethod
    def of(cls, body: Body) -> BodyBounds:
        """Reads the bounds of all parts; a flat body gets a thickness of a micrometre."""
        low, high = body.bounds_m()
        return cls(center_m=(low + high) / 2, size_m=np.maximum(high - low, _MIN_EDGE_M))

    def box_world(self, world_from_body: Pose) -> OrientedBox:
        """Returns the oriented box in the world, its axes along the body's."""
        body_from_box = np.eye(4)
        body_from_box[:3, 3] = self.center_m
        x, y, z = (float(edge) for edge in self.size_m)
        return OrientedBox(Pose.from_matrix(world_from_body.matrix() @ body_from_box), (x, y, z))


def window_of(camera: Camera, box_world: OrientedBox) -> Window | None:
    """Returns the part of the image that the box can reach: all of it for a box at the camera, None for one out of view."""
    if camera.distortion is not None:
        lens = lens_of(camera)
        wide_window = window_of(lens.wide, box_world)
        return None if wide_window is None else lens.window_of(camera, wide_window)
    corners = points_in_camera(camera, box_world.corners())
    ahead = corners[:, 2] > camera.near_m
    if not ahead.any() or bool((corners[:, 2] > camera.far_m).all()):
        return None
    if not ahead.all():
        return 0, 0, camera.width, camera.height
    pixels = camera.project(corners)
    left, top = np.maximum(np.floor(pixels.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(pixels.max(axis=0)).astype(int), (camera.width - 1, camera.height - 1))
    if left > right or top > bottom:
        return None
    return int(left), int(top), int(right - left + 1), int(bottom - top + 1)


def record_of(
    camera: Camera,
    instance_id: int,
    body: Body,
    pose: Pose,
    box_world: OrientedBox,
    depth_m: NDArray[np.float32],
    instance: NDArray[np.uint16],
    alone: Callable[[Window, NDArray[np.bool_]], NDArray[np.bool_]],
) -> tuple[ObjectTruth, ObjectMask] | None:
    """Returns the record and the amodal mask of an object at `pose`; None where it would show no pixel.

    `depth_m` (H, W) is in metres, `instance` (H, W) has the ids that are seen; `alone` tells which of the pixels of a
    window that are asked for show the body with nothing else in the world.
    """
    window = window_of(camera, box_world)
    if window is None:
        return None
    left, top, width, height = window
    part = np.s_[top : top + height, left : left + width]
    visible = instance[part] == instance_id
    amodal = visible | alone(window, may_hide(camera, box_world, window, depth_m[part], ~visible))
    amodal_box = box_of(amodal, left, top)
    if amodal_box is None:
        return None
    record = ObjectTruth(
        instance_id=instance_id,
        category_id=TAXONOMY.named(body.category).id,
        body_name=body.name,
        visible_box_px=box_of(visible, left, top),
        amodal_box_px=amodal_box,
        visible_fraction=float(visible.sum() / amodal.sum()),
        box_world=box_world,
        world_from_body=pose,
    )
    return record, ObjectMask(instance_id=instance_id, left=left, top=top, mask=amodal)


def may_hide(
    camera: Camera, box_world: OrientedBox, window: Window, depth_m: NDArray[np.float32], other: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Returns where, in the window, something else may stand before the box; `depth_m` and `other` are of the window."""
    _, _, width, height = window
    hidden = np.zeros((height, width), dtype=bool)
    # What is seen behind all of the box hides nothing of it; only the other pixels are worth a ray.
    v, u = np.nonzero(other & (depth_m <= _farthest_m(camera, box_world)))
    x, y = _rays(camera, window)
    x, y = x[v if len(x) > 1 else 0, u], y[v, u if y.shape[1] > 1 else 0]
    box_from_camera = inverse(box_world.outer_from_box.matrix()) @ camera.world_from_camera.matrix()
    rotation, origin = box_from_camera[:3, :3], box_from_camera[:3, 3]
    enter, leave = np.full(len(u), camera.near_m), np.full(len(u), camera.far_m)
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis in range(3):
            along = rotation[axis, 0] * x + rotation[axis, 1] * y + rotation[axis, 2]
            half = box_world.size_m[axis] / 2 + _MARGIN_M
            first, second = (-half - origin[axis]) / along, (half - origin[axis]) / along
            np.fmax(enter, np.fmin(first, second), out=enter)
            np.fmin(leave, np.fmax(first, second), out=leave)
    hidden[v, u] = (leave >= enter) & (leave > depth_m[v, u])
    return hidden


def _rays(camera: Camera, window: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns x and y at z = 1 of the pixels of a window, of shapes that broadcast to (height, width)."""
    left, top, width, height = window
    if camera.distortion is None:
        return camera.rays(np.arange(left, left + width)[None], np.arange(top, top + height)[:, None])
    lens, part = lens_of(camera), np.s_[top : top + height, left : left + width]
    return lens.ray_x[part], lens.ray_y[part]


def _farthest_m(camera: Camera, box_world: OrientedBox) -> float:
    """Returns a depth in metres that no point of the box exceeds, with a millimetre to spare."""
    return float(points_in_camera(camera, box_world.corners())[:, 2].max()) + 1e-3


def box_of(mask: NDArray[np.bool_], left: int = 0, top: int = 0) -> BoxPx | None:
    """Returns the inclusive box of a mask whose first pixel is (left, top); None where it is empty."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]), top + int(rows[-1])
