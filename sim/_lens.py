"""A lens on a renderer that knows only pinholes: a wider, finer pinhole picture from which every pixel's ray is looked up.

Ids are those of the nearest sample, never a mixture; no pixel of the image lacks a ray, so no border is missing.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import SensorError

# The wide picture has this many samples per pixel of the image in each direction, at its centre; and more where the image is
# narrower than this: a label's sample is then as near to the pixel's own ray as in an image of that width.
_OVERSAMPLING, _WIDTH_PX = 2, 640
_LARGEST_PX = 8192
# So many pixels are carried at a time: what they need stays in the processor's cache.
_AT_ONCE = 1 << 14

# (left, top, width, height) in pixels.
Window = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lens:
    """Where the pixels of a camera with distortion lie in the picture of the pinhole `wide`.

    ray_x, ray_y float64 (H, W): the rays of the pixel centres; column, row int32 (H, W): the nearest samples of `wide`,
    and sample int64 (H, W) the same in the order of its rows; off_u, off_v float64 (H, W): how far right and below of
    that sample the ray is; fine_px int16 (n H, n W, 2) and fine_share uint16 (n H, n W): where the n x n sub-pixels of each pixel
    lie in `wide`, whole pixels and OpenCV's number for the rest.
    """

    wide: Camera
    ray_x: NDArray[np.float64]
    ray_y: NDArray[np.float64]
    column: NDArray[np.int32]
    row: NDArray[np.int32]
    sample: NDArray[np.int64]
    off_u: NDArray[np.float64]
    off_v: NDArray[np.float64]
    fine_px: NDArray[np.int16]
    fine_share: NDArray[np.uint16]

    def image(self, wide_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns the image uint8 (H, W, 3) from the wide one: bilinear at sub-pixels, then their mean."""
        import cv2

        linear, edge = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
        fine = cv2.remap(wide_rgb, self.fine_px, self.fine_share, linear, borderMode=edge)
        height, width = self.row.shape
        return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def nearest(self, wide_map: NDArray[Any]) -> NDArray[Any]:
        """Returns a map (H, W) of the nearest samples of one (wide H, wide W)."""
        taken: NDArray[Any] = wide_map.reshape(-1).take(self.sample)
        return taken

    def depth(self, wide_depth_m: NDArray[np.float32], wide_ids: NDArray[np.integer]) -> NDArray[np.float32]:
        """Returns depth float32 (H, W): the nearest sample, carried to the pixel's own ray along its own plane.

        Along a plane 1 / z is affine in pixels. The slope is the smaller of those to both neighbours, 0 where they
        differ in sign or one of them has another id: exact on planes, the nearest sample at edges, never a mixture.
        """
        depth_m = np.empty(self.sample.shape, dtype=np.float32)
        wide = wide_depth_m.reshape(-1), wide_ids.reshape(-1)
        for start in range(0, depth_m.size, _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            sample, off = self.sample.reshape(-1)[some], (self.off_u.reshape(-1)[some], self.off_v.reshape(-1)[some])
            depth_m.reshape(-1)[some] = _carried(*wide, sample, off, self.wide.width)
        return depth_m

    def wide_window(self, window: Window) -> Window:
        """Returns the window of `wide` that holds the nearest samples of a window of the image."""
        left, top, width, height = window
        part = np.s_[top : top + height, left : left + width]
        columns, rows = self.column[part], self.row[part]
        first, last = (int(columns.min()), int(rows.min())), (int(columns.max()), int(rows.max()))
        return first[0], first[1], last[0] - first[0] + 1, last[1] - first[1] + 1

    def window_of(self, camera: Camera, wide_window: Window) -> Window | None:
        """Returns the window of the image that a window of `wide` can reach, None for none; a pixel more on each side."""
        left, top, width, height = wide_window
        u, v = (np.linspace(a - 0.5, a + n - 0.5, 33) for a, n in ((left, width), (top, height)))
        edge_u = np.concatenate([u, u, np.full(33, u[0]), np.full(33, u[-1])])
        edge_v = np.concatenate([np.full(33, v[0]), np.full(33, v[-1]), v, v])
        x, y = self.wide.rays(edge_u, edge_v)
        pixels = camera.project(np.stack([x, y, np.ones_like(x)], axis=-1))
        low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + 1, (camera.width - 1, camera.height - 1))
        if (low > high).any():
            return None
        return int(low[0]), int(low[1]), int(high[0] - low[0] + 1), int(high[1] - low[1] + 1)


def lens_of(camera: Camera) -> Lens:
    """Returns the lens of a camera with distortion; the last few kinds of lens are kept. Raises SensorError."""
    samples = _OVERSAMPLING * max(1, math.ceil(_WIDTH_PX / camera.width))
    lens = _lens(replace(camera, name="", world_from_camera=type(camera.world_from_camera)()), samples, samples)
    wide = replace(lens.wide, name=camera.name, world_from_camera=camera.world_from_camera)
    return replace(lens, wide=wide)


def fine_pinhole_of(camera: Camera, samples: int) -> Lens:
    """Returns, for a camera whose pixels no centred pinhole of square pixels has, how to look it up in such a picture.

    That has at least `samples` samples per pixel each way. Raises SensorError where it would be too large.
    """
    alone = replace(camera, name="", world_from_camera=type(camera.world_from_camera)())
    lens = _lens(alone, samples, _OVERSAMPLING, square=True)
    wide = replace(lens.wide, name=camera.name, world_from_camera=camera.world_from_camera)
    return replace(lens, wide=wide)


def pixel_rays(camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns x and y at z = 1, each (H, W), of all pixel centres; those of a lens are kept with it."""
    if camera.distortion is not None:
        lens = lens_of(camera)
        return lens.ray_x, lens.ray_y
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    return camera.rays(u, v)


def points_of(camera: Camera, depth_m: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns what `camera.unproject` does, (H, W, 3); a lens's rays are not sought again."""
    x, y = pixel_rays(camera)
    return np.stack([x * depth_m, y * depth_m, np.asarray(depth_m, dtype=np.float64)], axis=-1)


@functools.lru_cache(maxsize=4)
def _lens(camera: Camera, samples: int, sub_pixels: int, *, square: bool = False) -> Lens:
    import cv2

    ray_x, ray_y = _rays(camera, 1)
    fine_x, fine_y = _rays(camera, sub_pixels)
    corner_x, corner_y = _corner_rays(camera)
    for rays in (ray_x, fine_x, corner_x):
        _assert_no_fold(camera, rays)
    fx, fy = samples * camera.fx, samples * camera.fy
    if square:
        fx = fy = max(fx, fy)
    low_u, high_u = math.floor(fx * corner_x.min()) - 2, math.ceil(fx * corner_x.max()) + 2
    low_v, high_v = math.floor(fy * corner_y.min()) - 2, math.ceil(fy * corner_y.max()) + 2
    width, height = high_u - low_u + 1, high_v - low_v + 1
    if max(width, height) > _LARGEST_PX:
        raise SensorError(
            f"The lens {camera.distortion or 'of a pinhole'} needs a picture of {width}x{height} to be drawn from, more than "
            f"{_LARGEST_PX}: take a smaller --size, a narrower field of view or less distortion."
        )
    wide = replace(camera, width=width, height=height, fx=fx, fy=fy, cx=float(-low_u), cy=float(-low_v), distortion=None)
    u, v = ray_x * fx + wide.cx, ray_y * fy + wide.cy
    column, row = np.rint(u).astype(np.int32), np.rint(v).astype(np.int32)
    fine_u, fine_v = (fine_x * fx + wide.cx).astype(np.float32), (fine_y * fy + wide.cy).astype(np.float32)
    fine_px, fine_share = cv2.convertMaps(fine_u, fine_v, cv2.CV_16SC2)
    return Lens(
        wide=wide, ray_x=ray_x, ray_y=ray_y, column=column, row=row, sample=row.astype(np.int64) * width + column,
        off_u=u - column, off_v=v - row,
        fine_px=np.asarray(fine_px, dtype=np.int16), fine_share=np.asarray(fine_share, dtype=np.uint16),
    )  # fmt: skip


def _rays(camera: Camera, samples: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the rays (samples H, samples W) of the centres of the parts into which each pixel is cut."""
    u = (np.arange(samples * camera.width) + 0.5) / samples - 0.5
    v = (np.arange(samples * camera.height) + 0.5) / samples - 0.5
    x, y = camera.rays(*np.broadcast_arrays(u[None], v[:, None]))
    return x, y


def _corner_rays(camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the rays along the border of the image, half a pixel beyond the outermost centres."""
    u, v = np.linspace(-0.5, camera.width - 0.5, 129), np.linspace(-0.5, camera.height - 0.5, 129)
    edges = [(u, np.full(129, v[0])), (u, np.full(129, v[-1])), (np.full(129, u[0]), v), (np.full(129, u[-1]), v)]
    return camera.rays(np.concatenate([e[0] for e in edges]), np.concatenate([e[1] for e in edges]))


def _assert_no_fold(camera: Camera, rays: NDArray[np.float64]) -> None:
    if np.isnan(rays).any():
        share = float(np.isnan(rays).mean())
        raise SensorError(
            f"The distortion {camera.distortion and camera.distortion.coefficients} folds the picture: {share:.1%} of the "
            f"image {camera.width}x{camera.height} has no ray; use weaker coefficients or a narrower field of view."
        )


def _carried(
    depth_m: NDArray[np.float32],
    ids: NDArray[np.integer],
    sample: NDArray[np.int64],
    off: tuple[NDArray[np.float64], NDArray[np.float64]],
    width: int,
) -> NDArray[np.float64]:
    """Returns the depth (N,) at samples (N,) of flat maps, each carried by its offsets to the right and down."""
    here = _at(depth_m, ids, sample)
    carried = here[0] + _slope(depth_m, ids, here, sample, 1) * off[0]
    carried += _slope(depth_m, ids, here, sample, width) * off[1]
    depth: NDArray[np.float64] = np.divide(1.0, carried, where=here[0] > 0, out=np.full(sample.shape, np.inf))
    return depth


def _at(
    depth_m: NDArray[np.float32], ids: NDArray[np.integer], sample: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.integer]]:
    """Returns 1 / z, 0 where nothing is, and the ids at samples."""
    return 1.0 / depth_m.take(sample).astype(np.float64), ids.take(sample)


def _slope(
    depth_m: NDArray[np.float32],
    ids: NDArray[np.integer],
    here: tuple[NDArray[np.float64], NDArray[np.integer]],
    sample: NDArray[np.int64],
    step: int,
) -> NDArray[np.float64]:
    """Returns the limited slope of 1 / z from a sample to the next, `step` further on; `here` is what `_at` says there."""
    before, after = _at(depth_m, ids, sample - step), _at(depth_m, ids, sample + step)
    backward, forward = here[0] - before[0], after[0] - here[0]
    same = (before[1] == here[1]) & (after[1] == here[1]) & (backward * forward > 0)
    smaller = np.where(np.abs(backward) < np.abs(forward), backward, forward)
    return np.where(same, smaller, 0.0)
