"""Images to try an engine with where there is no simulator: things on a table, drawn from a seed with numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = (480, 640)
_SEED = 20
_WALL, _TABLE = (205.0, 200.0, 190.0), (150.0, 110.0, 75.0)


def probe_frames(count: int = 20) -> list[NDArray[np.uint8]]:
    """Returns `count` images uint8 (480, 640, 3); image k is a function of k alone, whatever `count` is."""
    return [_frame(np.random.Generator(np.random.PCG64([_SEED, index]))) for index in range(count)]


def _frame(rng: np.random.Generator) -> NDArray[np.uint8]:
    h, w = SIZE
    v, u = np.mgrid[0:h, 0:w].astype(np.float64)
    edge = rng.uniform(0.2, 0.45) * h + rng.uniform(-0.1, 0.1) * (u - w / 2)
    on_table = v > edge
    image = np.where(on_table[..., None], _TABLE, _WALL) * rng.uniform(0.8, 1.2, 3)
    grain = np.sin(u * rng.uniform(0.02, 0.1) + v * rng.uniform(0.3, 0.9)) * 6
    image += np.where(on_table, grain, 0)[..., None]
    for depth in np.sort(rng.uniform(0.35, 0.95, rng.integers(5, 10))):  # the farther one first
        _draw(image, rng, center=(rng.uniform(0.1, 0.9) * w, depth * h), radius=rng.uniform(0.25, 0.6) * depth * h / 4)
    image *= 1.1 - 0.35 * np.hypot(u / w - rng.uniform(0.3, 0.7), v / h - 0.4)[..., None]
    return np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)


def _draw(image: NDArray[np.float64], rng: np.random.Generator, *, center: tuple[float, float], radius: float) -> None:
    """Draws a ball, a box or a standing cylinder with a shadow, shaded as if light came from the upper left."""
    top, left = (max(int(c - 1.6 * radius), 0) for c in (center[1], center[0]))
    part = image[top : int(center[1] + 1.6 * radius) + 1, left : int(center[0] + 1.6 * radius) + 1]
    v, u = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float64)
    x, y = (u + left - center[0]) / radius, (v + top - center[1]) / radius
    part[np.hypot(x - 0.3, (y - 0.9) * 3) < 1.1] *= 0.65
    colour = rng.uniform(40, 230, 3)
    kind = rng.integers(3)
    if kind == 0:
        inside = np.hypot(x, y) < 1
        light = 0.45 + 0.55 * np.clip(1 - np.hypot(x + 0.35, y + 0.35), 0, 1)
    elif kind == 1:
        inside = (np.abs(x) < 0.9) & (np.abs(y) < 0.8)
        light = np.where(y < -0.35, 1.15, np.where(x > 0.2, 0.6, 0.85))
    else:
        inside = (np.abs(x) < 0.55) & (np.abs(y) < 1.2)
        light = 0.5 + 0.5 * np.sqrt(np.clip(1 - ((x + 0.15) / 0.75) ** 2, 0, 1))
    part[inside] = colour * light[inside][:, None]
