"""Noise that is a function of what is looked at: the same frame gets the same noise, whatever was made before it."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def stream(*key: object) -> np.random.Generator:
    """Returns the generator of a key, such as a frame's name, its time and a purpose; other keys are independent of it."""
    text = "\x1f".join(str(part) for part in key)
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest(), "big"))


def normal_field(shape: tuple[int, int], correlation_px: float, *, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns float32 (H, W) of mean 0 and variance 1 at every pixel; neighbours are alike over `correlation_px`.

    White noise through a Gaussian of that standard deviation, scaled by the root of the sum of its squares; the noise
    reaches beyond the border, so that the border is like the middle.
    """
    if correlation_px <= 0:
        return rng.standard_normal(shape, dtype=np.float32)
    import cv2

    reach = max(1, round(4 * correlation_px))
    kernel = cv2.getGaussianKernel(2 * reach + 1, correlation_px, cv2.CV_32F)
    white = rng.standard_normal((shape[0] + 2 * reach, shape[1] + 2 * reach), dtype=np.float32)
    smooth = cv2.sepFilter2D(white, cv2.CV_32F, kernel, kernel)[reach:-reach, reach:-reach]
    return np.asarray(smooth / np.square(kernel).sum(), dtype=np.float32)


def uniform_field(shape: tuple[int, int], correlation_px: float, *, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns float32 (H, W), uniform on 0..1 at every pixel, alike over `correlation_px`: normal_field through its law."""
    return normal_cdf(normal_field(shape, correlation_px, rng=rng))


def normal_cdf(z: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the standard normal distribution function to 1e-6 (Abramowitz and Stegun 7.1.26)."""
    x = np.minimum(np.abs(z), np.float32(6.0)) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * x)
    series = np.full_like(x, 1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series *= t
        series += np.float32(coefficient)
    series *= t
    half = np.float32(0.5) * series * np.exp(-x * x)
    return np.asarray(np.where(z < 0, half, 1 - half), dtype=np.float32)
