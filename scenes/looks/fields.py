"""Scalar fields 0..1 that tile, float32 (size, size): what the looks are mixed from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.textures import Field, Image
from scenes.transforms import Vec3


def stretched(rng: np.random.Generator, size: int, cells_u: int, cells_v: int) -> Field:
    """Returns value noise with another number of cells along u (columns) and v (rows), each at most `size`."""
    grid = rng.random((min(cells_v, size), min(cells_u, size)), dtype=np.float32)
    wrapped = np.pad(grid, 2, mode="wrap")
    fine = cv2.resize(
        wrapped, (_scaled(grid.shape[1], size), _scaled(grid.shape[0], size)), interpolation=cv2.INTER_CUBIC
    )
    top, left = round(2 * size / grid.shape[0]), round(2 * size / grid.shape[1])
    field: Field = np.clip(fine[top : top + size, left : left + size], 0, 1).astype(np.float32)
    return field


def _scaled(cells: int, size: int) -> int:
    return round((cells + 4) * size / cells)


def warped(field: Field, push_u: Field, push_v: Field, depth: float) -> Field:
    """Returns the field looked up at places pushed by up to `depth` of its size; it still tiles."""
    size = field.shape[0]
    row, column = np.mgrid[:size, :size].astype(np.float32)
    # OpenCV's remap wraps only by whole images, so the places are wrapped here.
    u = (column + depth * size * (2 * push_u - 1)) % size
    v = (row + depth * size * (2 * push_v - 1)) % size
    ring = np.pad(field, ((0, 1), (0, 1)), mode="wrap")
    found: Field = cv2.remap(ring, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)
    return found


def cells(rng: np.random.Generator, size: int, count: int) -> tuple[Field, Field]:
    """Returns the distance to the nearest of count x count jittered points and to the second, in units of a cell."""
    points = (np.moveaxis(np.mgrid[:count, :count], 0, -1) + rng.random((count, count, 2))) / count
    place = (np.arange(size) + 0.5) / size
    row, column = np.meshgrid(place, place, indexing="ij")
    home_row, home_column = (np.floor(p * count).astype(int) for p in (row, column))
    near = np.full((size, size, 9), 9.0, dtype=np.float32)
    for k in range(9):
        i, j = home_row + k // 3 - 1, home_column + k % 3 - 1
        chosen = points[i % count, j % count]
        dy = row - chosen[..., 0] - (i - i % count) / count
        dx = column - chosen[..., 1] - (j - j % count) / count
        near[..., k] = np.hypot(dy, dx) * count
    near.sort(axis=-1)
    return near[..., 0], near[..., 1]


def step(field: NDArray[np.floating], edge: float, width: float) -> Field:
    """Returns 0 below the edge and 1 above it, with a ramp of that width."""
    ramp: Field = np.clip((field - edge) / max(width, 1e-6) + 0.5, 0, 1).astype(np.float32)
    return ramp


def layered(ground: Vec3, *layers: tuple[Field, Vec3]) -> Image:
    """Paints colours 0..1 over a ground, each as opaque as its field, and returns sRGB uint8."""
    image = np.broadcast_to(np.asarray(ground, dtype=np.float32), (*layers[0][0].shape, 3))
    for opacity, colour in layers:
        image = image + np.clip(opacity, 0, 1)[..., None] * (np.asarray(colour, dtype=np.float32) - image)
    painted: Image = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
    return painted


def toned(image: Image, factor: NDArray[np.floating]) -> Image:
    """Multiplies an image by a field of factors (size, size)."""
    painted: Image = np.clip(image.astype(np.float32) * np.asarray(factor)[..., None] + 0.5, 0, 255).astype(np.uint8)
    return painted
