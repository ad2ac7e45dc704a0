"""Other forms of the exact depth: Euclidean distance, points in the world, stereo disparity, and BasicWriter's gray picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from sim._lens import pixel_rays


def distance_to_camera(depth_m: NDArray[np.float32], camera: Camera) -> NDArray[np.float32]:
    """Returns the distance to the camera's centre, float32 (H, W) in metres, +inf where nothing is: depth * |ray|."""
    x, y = pixel_rays(camera)
    distance = depth_m.astype(np.float64) * np.sqrt(1.0 + x**2 + y**2)
    return distance.astype(np.float32)


def disparity(depth_m: NDArray[np.float32], camera: Camera, baseline_m: float) -> NDArray[np.float32]:
    """Returns u_left - u_right in pixels, float32 (H, W), 0 where nothing is: fx * baseline / depth, for either eye.

    That is so in rectified images alone: raises ValueError for a camera whose lens distorts.
    """
    if camera.distortion is not None:
        raise ValueError(f"Camera {camera.name!r} has a lens that distorts: its pair is not rectified and has no disparity.")
    return (camera.fx * baseline_m / depth_m.astype(np.float64)).astype(np.float32)


def depth_picture(depth_m: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns BasicWriter's colorize_depth, uint8 (H, W): white near, black far, logarithmic between the frame's extremes."""
    finite = np.isfinite(depth_m)
    if not finite.any():
        return np.zeros(depth_m.shape, dtype=np.uint8)
    near, far = float(depth_m[finite].min()), float(depth_m[finite].max())
    span = max(np.log(far) - np.log(near), 1e-9)
    share = (np.log(np.clip(np.where(finite, depth_m, far), near, far) + 1e-5) - np.log(near)) / span
    picture: NDArray[np.uint8] = np.clip((1.0 - share) * 255, 0, 255).astype(np.uint8)
    return picture
