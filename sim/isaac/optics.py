"""Any camera from a renderer that draws only centred pinholes of square pixels: what is asked of it, and the way back.

RTX ignores the vertical aperture, and no version draws an aperture offset that we could hold against a source. So a camera
that is off centre is cut out of a larger picture, and one with other pixels or a lens is looked up in a finer one: ids are
those of the nearest sample, never a mixture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from sim._lens import Lens, fine_pinhole_of, lens_of

# Samples per pixel each way of a picture to look up in: finer where that costs little.
_SAMPLES, _FEWER, _LARGE_PX = 3, 2, 2048
_SMALL = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optics:
    """`drawn` is the centred pinhole to render; what is asked for starts at (left, top) in it, or is looked up there."""

    camera: Camera
    drawn: Camera
    left: int
    top: int
    cut_width: int
    cut_height: int
    lens: Lens | None

    @classmethod
    def of(cls, camera: Camera) -> Optics:
        """Chooses the way of a camera; raises SensorError where its picture would be too large."""
        lens: Lens | None = None
        wanted = camera
        if camera.distortion is not None:
            lens = lens_of(camera)
            wanted = lens.wide
        if not _fits(wanted):
            large = _SAMPLES * max(camera.width, camera.height) > _LARGE_PX
            lens = fine_pinhole_of(camera, _FEWER if large else _SAMPLES)
            wanted = lens.wide
        drawn, left, top = _centred(wanted)
        return cls(
            camera=camera, drawn=drawn, left=left, top=top, cut_width=wanted.width, cut_height=wanted.height, lens=lens
        )

    @property
    def plain(self) -> bool:
        """Whether the drawn picture is the camera's own, with nothing cut out or looked up."""
        return self.lens is None and (self.drawn.width, self.drawn.height) == (self.camera.width, self.camera.height)

    def image(self, drawn_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns the camera's image uint8 (H, W, 3) from the drawn one."""
        cut = self._cut(drawn_rgb)
        return np.ascontiguousarray(cut if self.lens is None else self.lens.image(np.ascontiguousarray(cut)))

    def ids(self, drawn_ids: NDArray[Any]) -> NDArray[Any]:
        """Returns a map of ids (H, W) from the drawn one."""
        cut = self._cut(drawn_ids)
        return np.ascontiguousarray(cut if self.lens is None else self.lens.nearest(cut))

    def depth(self, drawn_depth_m: NDArray[np.float32], drawn_ids: NDArray[np.integer]) -> NDArray[np.float32]:
        """Returns depth float32 (H, W); between samples of one id it follows their plane."""
        cut = self._cut(drawn_depth_m)
        if self.lens is None:
            return np.ascontiguousarray(cut)
        return self.lens.depth(np.ascontiguousarray(cut), np.ascontiguousarray(self._cut(drawn_ids)))

    def _cut(self, drawn: NDArray[Any]) -> NDArray[Any]:
        return drawn[self.top : self.top + self.cut_height, self.left : self.left + self.cut_width]


def _fits(camera: Camera) -> bool:
    """Tells whether some centred pinhole of square pixels has all the pixels of this one."""
    halves = (2 * camera.cx, 2 * camera.cy)
    return math.isclose(camera.fx, camera.fy, rel_tol=_SMALL) and all(abs(h - round(h)) < 1e-6 for h in halves)


def _centred(camera: Camera) -> tuple[Camera, int, int]:
    """Returns the smallest centred pinhole that has these pixels, and where they start in it."""
    left, width = _padding(camera.cx, camera.width)
    top, height = _padding(camera.cy, camera.height)
    drawn = replace(
        camera, width=width, height=height, cx=(width - 1) / 2, cy=(height - 1) / 2, fy=camera.fx, distortion=None
    )
    return drawn, left, top


def _padding(center: float, size: int) -> tuple[int, int]:
    """Returns how many pixels go before, and the size, that put the middle of the picture at the centre given."""
    beyond = round(2 * center) - (size - 1)  # how much longer the far side must be
    return (0, size + beyond) if beyond >= 0 else (-beyond, size - beyond)
