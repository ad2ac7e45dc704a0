"""What is far away all around a scene: one picture of every direction, which is seen and gives light, and is nothing else.

A dome has no body, label, depth or instance: where nothing stands before it, truth says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.transforms import Vec3

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dome:
    """An equirectangular picture of every direction, sRGB uint8 (H, 2H, 3), and how bright its light is.

    Row 0 is the zenith. Column share u 0..1 looks to azimuth (1/4 - u) turns, counter-clockwise from +x: what UsdLux calls
    latlong, on a stage with Z up. `intensity` scales the picture's linear light.
    """

    image: NDArray[np.uint8]
    intensity: float = 1.0

    def __post_init__(self) -> None:
        shape = self.image.shape
        if len(shape) != 3 or shape[2] != 3 or shape[1] != 2 * shape[0] or self.image.dtype != np.uint8:
            raise ValueError(f"A dome needs an image uint8 (h, 2 h, 3), got {self.image.dtype} {shape}.")
        self.image.setflags(write=False)

    def ambient(self) -> Vec3:
        """Returns the light from everywhere, linear: the mean over the whole sphere times the intensity."""
        polar = (np.arange(len(self.image)) + 0.5) * np.pi / len(self.image)
        weight = np.sin(polar) / np.sin(polar).sum()
        r, g, b = (self.intensity * float(v) for v in weight @ linear_of_srgb(self.image).mean(axis=1))
        return r, g, b


def directions(height: int) -> Floats:
    """Returns the unit vector through every pixel of a dome's image, float64 (height, 2 height, 3)."""
    polar = (np.arange(height) + 0.5) * np.pi / height
    azimuth = 2 * np.pi * (0.25 - (np.arange(2 * height) + 0.5) / (2 * height))
    level = np.sin(polar)[:, None]
    return np.stack(
        [level * np.cos(azimuth), level * np.sin(azimuth), np.broadcast_to(np.cos(polar)[:, None], (height, 2 * height))],
        axis=-1,
    )


def seen(image: NDArray[np.uint8], rays: Floats) -> NDArray[np.uint8]:
    """Returns what a dome's image shows along rays (h, w, 3) of any length, uint8 (h, w, 3), between its pixels linearly."""
    import cv2

    height, width, _ = image.shape
    x, y, z = np.moveaxis(rays / np.linalg.norm(rays, axis=-1, keepdims=True), -1, 0)
    column = (0.25 - np.arctan2(y, x) / (2 * np.pi)) % 1.0 * width - 0.5
    row = np.arccos(np.clip(z, -1.0, 1.0)) * height / np.pi - 0.5
    ring = np.concatenate([image[:, -1:], image, image[:, :1]], axis=1)
    across, down = (column + 1).astype(np.float32), row.astype(np.float32)
    found = cv2.remap(ring, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, dtype=np.uint8)


def linear_of_srgb(image: NDArray[np.uint8]) -> Floats:
    """Returns the linear light 0..1 of display values, by IEC 61966-2-1."""
    shown = np.arange(256) / 255
    table = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    linear: Floats = table[image]
    return linear


def srgb_of_linear(light: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Returns display values uint8 of linear light, cut to 0..1, by IEC 61966-2-1."""
    image: NDArray[np.uint8] = _SHOWN[(np.clip(light, 0.0, 1.0) * (len(_SHOWN) - 1) + 0.5).astype(np.int32)]
    return image


def _shown(steps: int) -> NDArray[np.uint8]:
    c = np.arange(steps) / (steps - 1)
    return (np.where(c <= 0.0031308, 12.92 * c, 1.055 * np.maximum(c, 1e-9) ** (1 / 2.4) - 0.055) * 255 + 0.5).astype(np.uint8)


_SHOWN = _shown(1 << 14)
