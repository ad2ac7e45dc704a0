"""Light rigs: how a room is lit, as lights and ambient light of one colour temperature each; a pure function of its draws.

Positions are around a `middle` that is worth looking at, such as the centre of a table top. Intensities are shares of full
light: 1 on a white surface facing the light is white.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.errors import UnknownNameError
from scenes.scene import Light
from scenes.transforms import Vec3

COOLEST_K, WARMEST_K = 25000.0, 1667.0

# IEC 61966-2-1: XYZ relative to Y = 1 to linear sRGB.
_SRGB_FROM_XYZ = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)
_SUN_AWAY_M = 2.5
_BALANCE_K, _FOLLOWED = 5000.0, 0.7  # a camera's white balance goes most of the way to the light it is in


@dataclass(frozen=True, slots=True, kw_only=True)
class LightRig:
    """The lights of a scene and the ambient light around them, linear 0..1."""

    lights: tuple[Light, ...]
    ambient: Vec3


Rig = Callable[[np.random.Generator, Vec3], LightRig]


def chromaticity_of_kelvin(temperature_k: float) -> tuple[float, float]:
    """Returns CIE 1931 x, y of a black body at 1667..25000 K, by the cubic fits of Kim et al. 2002 (US 7024034).

    Raises ValueError outside that range.
    """
    t = temperature_k
    if not WARMEST_K <= t <= COOLEST_K:
        raise ValueError(f"A colour temperature must lie in {WARMEST_K:.0f}..{COOLEST_K:.0f} K, got {t:g}.")
    warm = (-0.2661239e9, -0.2343589e6, 0.8776956e3, 0.179910)
    cool = (-3.0258469e9, 2.1070379e6, 0.2226347e3, 0.240390)
    a, b, c, d = warm if t <= 4000 else cool
    x = a / t**3 + b / t**2 + c / t + d
    if t <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif t <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x, y


def colour_of_kelvin(temperature_k: float) -> Vec3:
    """Returns the linear sRGB of light of 1667..25000 K, its strongest channel 1; a camera balanced for daylight sees it so."""
    x, y = chromaticity_of_kelvin(temperature_k)
    linear: NDArray[np.float64] = np.clip(_SRGB_FROM_XYZ @ np.array([x / y, 1.0, (1 - x - y) / y]), 0.0, None)
    r, g, b = (float(v) for v in linear / linear.max())
    return r, g, b


def white_balanced(temperature_k: float, balance_k: float, *, adaptation: float = 0.75) -> Vec3:
    """Returns the light of one temperature as a camera balanced for `balance_k` shows it, its strongest channel 1.

    `adaptation` 1 balances completely (the von Kries rule on linear sRGB), 0 not at all.
    """
    light, white = np.array(colour_of_kelvin(temperature_k)), np.array(colour_of_kelvin(balance_k))
    shown = light / np.maximum(white, 1e-3) ** adaptation
    r, g, b = (float(v) for v in shown / shown.max())
    return r, g, b


def shown_colour(temperature_k: float) -> Vec3:
    """Returns how light of a temperature looks in a room; cameras and eyes adapt, though not wholly: warm light looks warm."""
    return white_balanced(temperature_k, _BALANCE_K ** (1 - _FOLLOWED) * temperature_k**_FOLLOWED, adaptation=0.9)


def overhead(rng: np.random.Generator, middle_m: Vec3) -> LightRig:
    """A lit ceiling: one shadow from above, one or two lamps to fill it, neutral to warm white."""
    kelvin = float(rng.uniform(3000, 5000))
    fills = [
        _lamp(f"fill_{k + 1}", _around(rng, middle_m, (0.8, 1.6), (0.9, 1.7)), middle_m, kelvin, rng.uniform(0.1, 0.25))
        for k in range(int(rng.integers(1, 3)))
    ]
    key = _sun("ceiling", rng.uniform(0, 2 * math.pi), rng.uniform(0.05, 0.35), middle_m, kelvin, rng.uniform(0.5, 0.75))
    return LightRig(lights=(key, *fills), ambient=_ambient(kelvin, rng.uniform(0.3, 0.42)))


def window(rng: np.random.Generator, middle_m: Vec3) -> LightRig:
    """Daylight from one side: a low sun with long shadows, and the blue of the sky as ambient light."""
    kelvin = float(rng.uniform(4500, 6000))
    sun = _sun("sun", rng.uniform(0, 2 * math.pi), rng.uniform(0.7, 1.1), middle_m, kelvin, rng.uniform(0.6, 0.95))
    return LightRig(lights=(sun,), ambient=_ambient(float(rng.uniform(7000, 11000)), rng.uniform(0.3, 0.45)))


def overcast(rng: np.random.Generator, middle_m: Vec3) -> LightRig:
    """A dull day: nearly everything is ambient light, and shadows are faint."""
    kelvin = float(rng.uniform(6000, 7500))
    sun = _sun("sky", rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 0.5), middle_m, kelvin, rng.uniform(0.2, 0.35))
    return LightRig(lights=(sun,), ambient=_ambient(kelvin, rng.uniform(0.5, 0.65)))


def desk(rng: np.random.Generator, middle_m: Vec3) -> LightRig:
    """One near, warm lamp with a hard shadow in a dim room."""
    kelvin = float(rng.uniform(2500, 3200))
    place = _around(rng, middle_m, (0.35, 0.6), (0.45, 0.75))
    lamp = _lamp("desk_lamp", place, middle_m, kelvin, rng.uniform(0.7, 1.0), casts_shadow=True)
    return LightRig(lights=(lamp,), ambient=_ambient(float(rng.uniform(3000, 4500)), rng.uniform(0.2, 0.3)))


def three_point(rng: np.random.Generator, middle_m: Vec3) -> LightRig:
    """A studio: key, fill and back light, a third of a turn apart."""
    kelvin, azimuth = float(rng.uniform(4500, 6000)), rng.uniform(0, 2 * math.pi)
    key = _sun("key", azimuth, rng.uniform(0.5, 0.8), middle_m, kelvin, rng.uniform(0.5, 0.75))
    places = [_beside(middle_m, azimuth + turn, 1.5, 1.1) for turn in (2.1, 4.2)]
    fill = _lamp("fill", places[0], middle_m, kelvin, rng.uniform(0.15, 0.3))
    back = _lamp("back", places[1], middle_m, kelvin + 800, rng.uniform(0.2, 0.35))
    return LightRig(lights=(key, fill, back), ambient=_ambient(kelvin, rng.uniform(0.25, 0.35)))


def evening(rng: np.random.Generator, middle_m: Vec3) -> LightRig:
    """Two or three warm lamps in the corners of a dim room, one of which casts the shadows."""
    kelvin = float(rng.uniform(2300, 2900))
    lamps = tuple(
        _lamp(f"lamp_{k + 1}", _around(rng, middle_m, (1.0, 1.7), (0.7, 1.5)), middle_m, kelvin,
              rng.uniform(0.35, 0.55), casts_shadow=k == 0)
        for k in range(int(rng.integers(2, 4)))
    )  # fmt: skip
    return LightRig(lights=lamps, ambient=_ambient(kelvin + 400, rng.uniform(0.22, 0.3)))


RIGS: dict[str, Rig] = {
    "desk": desk,
    "evening": evening,
    "overcast": overcast,
    "overhead": overhead,
    "three-point": three_point,
    "window": window,
}


def make_rig(name: str, middle_m: Vec3, *, rng: np.random.Generator) -> LightRig:
    """Draws one rig of a kind around a point; raises UnknownNameError."""
    if name not in RIGS:
        raise UnknownNameError("light rig", name, RIGS)
    return RIGS[name](rng, middle_m)


def _sun(name: str, azimuth: float, tilt: float, middle_m: Vec3, kelvin: float, intensity: float) -> Light:
    """A sun that shines down at `tilt` radians from the vertical."""
    direction = (math.sin(tilt) * math.cos(azimuth), math.sin(tilt) * math.sin(azimuth), -math.cos(tilt))
    x, y, z = (m - _SUN_AWAY_M * d for m, d in zip(middle_m, direction, strict=True))
    return Light(
        name=name,
        kind="sun",
        position_m=(x, y, z),
        direction=direction,
        colour=shown_colour(kelvin),
        intensity=float(intensity),
    )


def _lamp(
    name: str, position_m: Vec3, aim_m: Vec3, kelvin: float, intensity: float, *, casts_shadow: bool = False
) -> Light:
    way = np.subtract(aim_m, position_m)
    x, y, z = (float(v) for v in way / np.linalg.norm(way))
    return Light(
        name=name,
        kind="lamp",
        position_m=position_m,
        direction=(x, y, z),
        colour=shown_colour(kelvin),
        intensity=float(intensity),
        casts_shadow=casts_shadow,
    )


def _around(
    rng: np.random.Generator, middle_m: Vec3, distance_m: tuple[float, float], height_m: tuple[float, float]
) -> Vec3:
    return _beside(middle_m, rng.uniform(0, 2 * math.pi), rng.uniform(*distance_m), rng.uniform(*height_m))


def _beside(middle_m: Vec3, azimuth: float, distance_m: float, height_m: float) -> Vec3:
    x, y, z = middle_m
    return float(x + distance_m * math.cos(azimuth)), float(y + distance_m * math.sin(azimuth)), float(z + height_m)


def _ambient(kelvin: float, level: float) -> Vec3:
    r, g, b = shown_colour(kelvin)
    return float(level * r), float(level * g), float(level * b)
