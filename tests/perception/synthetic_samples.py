"""Small labelled images made by hand: coloured shapes on a sloping table before a wall."""

from __future__ import annotations

import cv2
import numpy as np

from perception.augment import Sample


def samples(count: int, size: tuple[int, int], *, rng: np.random.Generator) -> list[Sample]:
    return [_sample(size, rng) for _ in range(count)]


def _sample(size: tuple[int, int], rng: np.random.Generator) -> Sample:
    h, w = size
    horizon = h // 3
    semantic = np.full(size, 2, np.uint8)
    semantic[horizon:] = 3
    instance = np.zeros(size, np.uint8)
    depth = np.full(size, 2.5, np.float32)
    depth[horizon:] = np.linspace(2, 0.6, h - horizon, dtype=np.float32)[:, None]
    rgb = np.full((*size, 3), 150, np.uint8)
    rgb[horizon:] = (120, 90, 60)
    for number in range(1, int(rng.integers(3, 6))):
        u, v, radius = int(rng.integers(w)), int(rng.integers(horizon, h)), int(rng.integers(w // 16, w // 8))
        category = int(rng.integers(4, 18))
        mask = cv2.circle(np.zeros(size, np.uint8), (u, v), radius, 1, -1) > 0
        instance[mask], semantic[mask], depth[mask] = number, category, 0.95 * depth[v, 0]
        rgb[mask] = (category * 53 % 255, category * 97 % 255, category * 151 % 255)
    noisy = rgb.astype(np.int16) + rng.integers(-10, 11, rgb.shape)
    return Sample(
        rgb=noisy.clip(0, 255).astype(np.uint8), semantic=semantic, instance=instance, depth_m=depth, fx=w * 0.97
    )
