"""The raw outputs of a network that makes no mistake, drawn from a true label map; and label maps to draw from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.engine import RawOutput
from scenes.taxonomy import TAXONOMY

IDENTITY = np.arange(256, dtype=np.uint8)
FLOOR, TABLE = TAXONOMY.named("floor").id, TAXONOMY.named("table").id
THINGS = tuple(c.id for c in TAXONOMY.things)


def perfect_outputs(semantic: NDArray[np.uint8], instance: NDArray[np.int64], *, depth_m: float = 1.0) -> RawOutput:
    """Returns what a perfect network says of labels (h, w): offsets to mass centres, a Gaussian of 2.5 cells on each."""
    h, w = semantic.shape
    y, x = np.mgrid[0 : h // 2, 0 : w // 2] * 2 + 0.5
    cells = instance[::2, ::2]
    heat, offset = np.zeros(cells.shape), np.zeros((2, *cells.shape))
    for i in np.unique(instance[instance > 0]):
        cy, cx = (float(a.mean()) for a in np.nonzero(instance == i))
        heat = np.maximum(heat, np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * 5.0**2)))
        offset[:, cells == i] = np.stack([cy - y, cx - x])[:, cells == i]
    return RawOutput(
        category=semantic.astype(np.int32)[None],
        confidence=np.ones((1, h, w), np.float32),
        center=heat.astype(np.float32)[None, None],
        offset=offset.astype(np.float32)[None],
        depth=np.full((1, 1, *cells.shape), depth_m, np.float32),
    )


def discs(shape: tuple[int, int], rows: list[tuple[float, float, float, int]]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Returns category and instance maps of discs (y, x, radius, category) on a table, later ones in front."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    semantic, instance = np.full(shape, TABLE, np.uint8), np.zeros(shape, np.int64)
    for i, (cy, cx, r, category) in enumerate(rows, start=1):
        inside = (y - cy) ** 2 + (x - cx) ** 2 <= r * r
        semantic[inside], instance[inside] = category, i
    return semantic, instance


def random_blocks(rng: np.random.Generator, shape: tuple[int, int] = (96, 128)) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Returns labels of one rectangle per cell of a coarse grid, on even coordinates, so that stride 2 loses nothing."""
    semantic, instance = np.full(shape, TABLE, np.uint8), np.zeros(shape, np.int64)
    semantic[: shape[0] // 4] = FLOOR
    for row in range(shape[0] // 32):
        for column in range(shape[1] // 32):
            if rng.random() < 0.7:
                top, left = (2 * int(n) for n in rng.integers(1, 4, 2))
                height, width = (2 * int(n) for n in rng.integers(5, 12, 2))
                part = (slice(32 * row + top, 32 * row + top + height), slice(32 * column + left, 32 * column + left + width))
                instance[part] = instance.max() + 1
                semantic[part] = rng.choice(THINGS)
    return semantic, instance
