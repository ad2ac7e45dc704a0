"""Colours as people tell them apart: sRGB to CIELAB (D65) and the colour difference CIEDE2000."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Lab = tuple[float, float, float]

# IEC 61966-2-1 (sRGB), white D65.
_XYZ_FROM_RGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _XYZ_FROM_RGB.sum(axis=1)
_STEPS = np.arange(256) / 255
LINEAR_OF_SRGB: NDArray[np.float32] = np.where(
    _STEPS <= 0.04045, _STEPS / 12.92, ((_STEPS + 0.055) / 1.055) ** 2.4
).astype(np.float32)


def lab_of_linear(rgb_linear: Sequence[float]) -> Lab:
    """Returns CIELAB (L 0..100, a, b) of one linear sRGB colour 0..1 (CIE 15:2004)."""
    ratio = _XYZ_FROM_RGB @ np.asarray(rgb_linear, dtype=np.float64) / _WHITE
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return float(116 * y - 16), float(500 * (x - y)), float(200 * (y - z))


def delta_e_2000(first: Lab, second: Lab) -> float:
    """Returns CIEDE2000 of two CIELAB colours, kL = kC = kH = 1: 1 is about what a person just sees, black to white 100.

    Sharma, Wu and Dalal, The CIEDE2000 Color-Difference Formula, Color Research and Application 30 (2005).
    """
    chroma_7 = ((math.hypot(*first[1:]) + math.hypot(*second[1:])) / 2) ** 7
    stretch = 1.5 - 0.5 * math.sqrt(chroma_7 / (chroma_7 + 25**7))
    c_1, h_1 = _polar(first[1] * stretch, first[2])
    c_2, h_2 = _polar(second[1] * stretch, second[2])
    l_mean, c_mean = (first[0] + second[0]) / 2, (c_1 + c_2) / 2
    turn, h_mean = _hues(h_1, h_2, grey=c_1 * c_2 == 0)
    d_h = 2 * math.sqrt(c_1 * c_2) * math.sin(math.radians(turn / 2))
    t = (
        1 - 0.17 * math.cos(math.radians(h_mean - 30)) + 0.24 * math.cos(math.radians(2 * h_mean))
        + 0.32 * math.cos(math.radians(3 * h_mean + 6)) - 0.20 * math.cos(math.radians(4 * h_mean - 63))
    )  # fmt: skip
    off_50 = (l_mean - 50) ** 2
    light = (second[0] - first[0]) / (1 + 0.015 * off_50 / math.sqrt(20 + off_50))
    chroma = (c_2 - c_1) / (1 + 0.045 * c_mean)
    hue = d_h / (1 + 0.015 * c_mean * t)
    rotation = -2 * math.sqrt(c_mean**7 / (c_mean**7 + 25**7)) * math.sin(
        math.radians(60 * math.exp(-(((h_mean - 275) / 25) ** 2)))
    )  # fmt: skip
    return math.sqrt(max(light**2 + chroma**2 + hue**2 + rotation * chroma * hue, 0.0))


def _polar(a: float, b: float) -> tuple[float, float]:
    """Returns chroma and hue in degrees 0..360."""
    return math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def _hues(h_1: float, h_2: float, *, grey: bool) -> tuple[float, float]:
    """Returns the turn from the first hue to the second, -180..180 degrees, and the mean hue."""
    if grey:
        return 0.0, h_1 + h_2
    turn = (h_2 - h_1 + 180) % 360 - 180
    turn = 180.0 if turn == -180 and h_2 > h_1 else turn
    mean = (h_1 + h_2) / 2
    if abs(h_1 - h_2) > 180:
        mean += 180 if h_1 + h_2 < 360 else -180
    return turn, mean
