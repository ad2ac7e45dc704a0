"""MuJoCo's passes for cameras with a lens: each is drawn by a wider pinhole and looked up; pinholes pass unchanged."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from sim._lens import lens_of
from sim.mujoco.closed import NEAR_FACTOR
from sim.mujoco.render import Canvas, Window


class LensCanvas(Canvas):
    """A Canvas whose cameras may have distortion."""

    def image(self, camera: Camera, *, back_faces: bool = True, smooth: bool = True) -> NDArray[np.uint8]:
        """Returns rgb uint8 (H, W, 3); through a lens from single samples, four and more of them for each pixel."""
        if camera.distortion is None:
            return super().image(camera, back_faces=back_faces, smooth=smooth)
        lens = lens_of(camera)
        # Whether back faces can be seen was judged for a near plane whose corners are not farther than this.
        back_faces = back_faces or _farthest_corner(lens.wide) > NEAR_FACTOR
        return lens.image(super().image(lens.wide, back_faces=back_faces, smooth=False))

    def depth_and_ids(self, camera: Camera) -> tuple[NDArray[np.float32], NDArray[np.unsignedinteger]]:
        """Returns depth float32 (H, W) in metres, +inf where nothing is, and the ids that `geom_of_id` maps."""
        if camera.distortion is None:
            return super().depth_and_ids(camera)
        lens = lens_of(camera)
        depth_m, ids = super().depth_and_ids(lens.wide)
        return lens.depth(depth_m, ids), lens.nearest(ids)

    def alone(self, camera: Camera, data: mujoco.MjData, body_id: int, window: Window) -> NDArray[np.bool_]:
        """Returns the mask (h, w) of one body within a window of the image with nothing else in the world."""
        if camera.distortion is None:
            return super().alone(camera, data, body_id, window)
        lens = lens_of(camera)
        wide_window = lens.wide_window(window)
        mask = super().alone(lens.wide, data, body_id, wide_window)
        left, top, width, height = window
        part = np.s_[top : top + height, left : left + width]
        looked_up: NDArray[np.bool_] = mask[lens.row[part] - wide_window[1], lens.column[part] - wide_window[0]]
        return looked_up


def _farthest_corner(wide: Camera) -> float:
    """Returns how far a corner of the picture is, on the plane one metre ahead, in metres."""
    u, v = np.array([-0.5, wide.width - 0.5]), np.array([-0.5, wide.height - 0.5])
    x, y = wide.rays(u[None], v[:, None])
    return float(np.sqrt(1.0 + x * x + y * y).max())
