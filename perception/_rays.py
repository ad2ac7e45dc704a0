"""The rays of an image's pixels, through the camera's lens where it has one; a lens's are found once and kept."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from scenes.distortion import Distortion

# fx, fy, cx, cy in pixels; the centre of the top-left pixel is (0, 0).
Intrinsics = tuple[float, float, float, float]
Rays = NDArray[np.float64]


def pixel_rays(
    size: tuple[int, ...], intrinsics: Intrinsics, distortion: Distortion | None = None, *, step: int = 1
) -> tuple[Rays, Rays]:
    """Returns x and y at z = 1 of every `step`-th pixel of an image (H, W), from step // 2 on, that broadcast to (h, w).

    nan where the lens draws nothing. A lens costs some 0.3 s at 640x480, once.
    """
    if distortion is not None:
        return _through(size[0], size[1], step, intrinsics, distortion)
    x, y = _straight(size[0], size[1], step, intrinsics)
    return x[None], y[:, None]


def _straight(height: int, width: int, step: int, intrinsics: Intrinsics) -> tuple[Rays, Rays]:
    fx, fy, cx, cy = intrinsics
    u, v = np.arange(step // 2, width, step), np.arange(step // 2, height, step)
    return ((u - cx) / fx).astype(np.float64, copy=False), ((v - cy) / fy).astype(np.float64, copy=False)


@functools.lru_cache(maxsize=8)
def _through(
    height: int, width: int, step: int, intrinsics: Intrinsics, distortion: Distortion
) -> tuple[Rays, Rays]:
    x, y = _straight(height, width, step, intrinsics)
    x_drawn, y_drawn = np.meshgrid(x, y)
    rays = distortion.undistort(x_drawn, y_drawn)
    for ray in rays:
        ray.setflags(write=False)
    return rays
