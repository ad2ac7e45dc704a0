"""Skies as data: the light of a clear, overcast, dusk or night sky, or of a studio, along any direction, with land below.

Clear and dusk skies follow Preetham, Shirley and Smits, "A Practical Analytic Model for Daylight", SIGGRAPH 1999 (Perez'
distribution and its fits to turbidity); an overcast one the CIE's traditional overcast sky (Moon and Spencer 1942; type
16 of ISO 15469:2004). Both give relative light: the exposure is ours, as a camera would choose it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from scenes.dome import Dome, directions, srgb_of_linear
from scenes.errors import UnknownNameError
from scenes.objects.shaped import shaped
from scenes.sampler import ShapeSampler
from scenes.sky_schema import LEAST_TURBIDITY, MOST_TURBIDITY
from scenes.textures import noise
from scenes.transforms import Vec3

SkyKind = Literal["clear", "dusk", "night", "overcast", "studio"]
SKIES: tuple[SkyKind, ...] = get_args(SkyKind)
OVERCAST_SHARE = 0.35  # of a sun's strength, from the bright part of a covered sky

Floats = NDArray[np.float64]

# Mean light of the upper half after exposure, before the film's shoulder.
_EXPOSURE = {"clear": 0.62, "dusk": 0.3, "night": 0.0, "overcast": 0.95, "studio": 0.0}
_PATTERN_PX = 256
_REMAP_PX = 1024
_SUN_RAD = math.radians(1.1)  # larger than it is: about a pixel of a dome
# IEC 61966-2-1: XYZ to linear sRGB.
_SRGB_FROM_XYZ = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
# Preetham et al. 1999, appendix A.2: Perez' A to E as slope * turbidity + offset, for Y, x and y.
_PEREZ = np.array([
    [[0.1787, -1.4630], [-0.3554, 0.4275], [-0.0227, 5.3251], [0.1206, -2.5771], [-0.0670, 0.3703]],
    [[-0.0193, -0.2592], [-0.0665, 0.0008], [-0.0004, 0.2125], [-0.0641, -0.8989], [-0.0033, 0.0452]],
    [[-0.0167, -0.2608], [-0.0950, 0.0092], [-0.0079, 0.2102], [-0.0441, -1.6537], [-0.0109, 0.0529]],
])  # fmt: skip
# The zenith's x and y: rows for turbidity squared, turbidity and 1; columns for the sun's polar angle cubed to 1.
_ZENITH = np.array([
    [[0.00166, -0.00375, 0.00209, 0.0], [-0.02903, 0.06377, -0.03202, 0.00394], [0.11693, -0.21196, 0.06052, 0.25886]],
    [[0.00275, -0.00610, 0.00317, 0.0], [-0.04214, 0.08970, -0.04153, 0.00516], [0.15346, -0.26756, 0.06670, 0.26688]],
])  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sky:
    """A sky and the land under it. Azimuth is counter-clockwise from +x; `clouds` is the covered share 0..1.

    `turbidity` is that of Preetham's model, 2 clear to 10 hazy. `pattern` is tiling noise, float32 (n, n), that clouds and
    land are cut from; `ground` is the land's colour 0..1, or the studio's; `town` gives houses instead of hills.
    """

    kind: SkyKind
    sun_elevation_rad: float
    sun_azimuth_rad: float
    turbidity: float
    clouds: float
    pattern: NDArray[np.float32]
    ground: Vec3
    town: bool

    def __post_init__(self) -> None:
        if self.kind not in SKIES:
            raise UnknownNameError("sky", self.kind, SKIES)
        if not LEAST_TURBIDITY <= self.turbidity <= MOST_TURBIDITY:
            raise ValueError(f"Turbidity must lie in {LEAST_TURBIDITY:g}..{MOST_TURBIDITY:g}, got {self.turbidity:g}.")

    def to_sun(self) -> Vec3:
        """Returns the unit vector to the sun."""
        level = math.cos(self.sun_elevation_rad)
        return (
            level * math.cos(self.sun_azimuth_rad), level * math.sin(self.sun_azimuth_rad), math.sin(self.sun_elevation_rad),
        )  # fmt: skip


def sun_colour(sky: Sky) -> Vec3:
    """Returns the linear colour of direct sunlight, its strongest channel 1, as a camera that adapts by half shows it.

    Preetham et al. 1999, appendix A.1: Rayleigh's scattering and aerosols over the relative optical mass of the air.
    """
    height = max(math.degrees(sky.sun_elevation_rad), 0.5)
    mass = 1 / (math.sin(math.radians(height)) + 0.15 * (height + 3.885) ** -1.253)
    micrometres = np.array([0.61, 0.55, 0.465])
    beta = 0.04608 * sky.turbidity - 0.04586
    passed = np.exp(-0.008735 * mass * micrometres**-4.08) * np.exp(-beta * mass * micrometres**-1.3)
    r, g, b = (float(v) for v in np.sqrt(passed / passed.max()))
    return r, g, b


@shaped("sky")
def draw_sky(
    sampler: ShapeSampler, kind: str, *, elevation_deg: float, azimuth_rad: float, turbidity: float, clouds: float
) -> Sky:
    """Returns a sky of that kind with land of its own."""
    if kind == "studio":
        ground = sampler.colour("studio", saturation=(0.0, 0.25), value=(0.35, 0.95))
    else:
        ground = sampler.colour("land", hue=(0.14, 0.33), saturation=(0.2, 0.5), value=(0.2, 0.42))
    return Sky(
        kind=kind,  # type: ignore[arg-type]  # checked by Sky
        sun_elevation_rad=math.radians(elevation_deg), sun_azimuth_rad=azimuth_rad, turbidity=turbidity, clouds=clouds,
        pattern=noise(sampler.rng, _PATTERN_PX, 5, 5), ground=ground, town=sampler.chance("is_town", 0.4),
    )  # fmt: skip


def make_dome(sky: Sky, height: int = 192, intensity: float = 1.0) -> Dome:
    """Returns the sky as a dome of height x 2 height pixels."""
    return Dome(image=sky_image(sky, directions(height)), intensity=intensity)


def sky_image(sky: Sky, rays: Floats) -> NDArray[np.uint8]:
    """Returns what is seen along unit vectors (h, w, 3), as sRGB uint8 (h, w, 3)."""
    if sky.kind == "studio":
        return srgb_of_linear(_studio(sky, rays))
    from scenes.land import land_over

    flat = rays.reshape(-1, 3)
    light = np.zeros_like(flat)
    open_sky = flat[:, 2] > -0.02  # below it there is land everywhere
    light[open_sky] = sky_light(sky, flat[open_sky])
    return srgb_of_linear(land_over(sky, flat, light)).reshape(rays.shape)


def sky_light(sky: Sky, rays: Floats) -> Floats:
    """Returns the linear sRGB light of the sky alone along unit vectors (n, 3), exposed to about 0..1; mirrored below."""
    up = np.stack([rays[:, 0], rays[:, 1], np.abs(rays[:, 2])], axis=1)
    if sky.kind == "night":
        light = np.array([0.012, 0.018, 0.04]) + (1 - up[:, 2:]) ** 4 * np.array([0.05, 0.045, 0.05])
    elif sky.kind == "overcast":
        light = (1 + 2 * up[:, 2:]) / 3 * np.array([0.93, 0.97, 1.0]) * (_EXPOSURE["overcast"] / 0.78)
        light = light * (0.82 + 0.36 * _cloud_field(sky, up)[:, None])
    else:
        light = _clear(sky, up)
        light = _with_clouds(sky, up, light * (_EXPOSURE[sky.kind] / _mean_upper(sky)))
    exposed: Floats = 1 - np.exp(-light)
    return exposed


def _clear(sky: Sky, rays: Floats) -> Floats:
    """Returns relative linear light of Preetham's sky, and the sun's disc in it."""
    t, sun_polar = sky.turbidity, math.pi / 2 - sky.sun_elevation_rad
    zenith_angle = np.maximum(rays[:, 2], 0.03)
    gamma = np.arccos(np.clip(rays @ np.array(sky.to_sun()), -1.0, 1.0))
    chi = (4 / 9 - t / 120) * (math.pi - 2 * sun_polar)
    powers = np.array([sun_polar**3, sun_polar**2, sun_polar, 1.0])
    zenith = [
        max((4.0453 * t - 4.9710) * math.tan(chi) - 0.2155 * t + 2.4192, 0.05),
        *(float(np.array([t * t, t, 1.0]) @ table @ powers) for table in _ZENITH),
    ]
    luminance, x, y = (
        z * _perez(k @ [t, 1.0], zenith_angle, gamma) / _perez(k @ [t, 1.0], np.array(1.0), np.array(sun_polar))
        for z, k in zip(zenith, _PEREZ, strict=True)
    )
    xyz = np.stack([x / y, np.ones_like(x), (1 - x - y) / y], axis=-1) * luminance[:, None]
    disc = np.clip(2 - gamma / _SUN_RAD, 0, 1)[:, None]
    light: Floats = np.clip(xyz @ _SRGB_FROM_XYZ.T, 0.0, None) * (1 + 20 * disc)
    return light


def _perez(coefficients: Floats, cos_polar: Floats, gamma: Floats) -> Floats:
    a, b, c, d, e = coefficients
    found: Floats = (1 + a * np.exp(b / cos_polar)) * (1 + c * np.exp(d * gamma) + e * np.cos(gamma) ** 2)
    return found


def _mean_upper(sky: Sky) -> float:
    """Returns the mean luminance of the clear upper half, without the surroundings of the sun."""
    rays = directions(24)[:12].reshape(-1, 3)
    luminance = _clear(sky, rays) @ [0.2126, 0.7152, 0.0722]
    away = rays @ np.array(sky.to_sun()) < 0.94
    return float(np.average(luminance[away], weights=np.hypot(rays[:, 0], rays[:, 1])[away]))


def _cloud_field(sky: Sky, rays: Floats) -> Floats:
    """Returns noise 0..1 on a layer of clouds overhead, flat noise towards the horizon."""
    far = 0.35 / (rays[:, 2] + 0.12)
    return tiled(sky.pattern, 0.3 * far * rays[:, 0], 0.3 * far * rays[:, 1])


def _with_clouds(sky: Sky, rays: Floats, light: Floats) -> Floats:
    if sky.clouds <= 0:
        return light
    edge = float(np.quantile(sky.pattern, 1 - 0.85 * sky.clouds))
    cover = np.clip((_cloud_field(sky, rays) - edge) / 0.16, 0, 1)[:, None] * np.clip(rays[:, 2:] / 0.12, 0, 1)
    white = light.mean(axis=-1, keepdims=True) * np.array([1.02, 1.0, 0.99]) + 0.55 * _EXPOSURE[sky.kind]
    covered: Floats = light + 0.85 * cover * (white - light)
    return covered


def tiled(pattern: NDArray[np.float32], u: Floats, v: Floats) -> Floats:
    """Returns a tiling pattern at coordinates (n,) in tiles, between its pixels linearly."""
    import cv2

    n, rows = len(pattern), max(1, -(-len(u) // _REMAP_PX))
    ring = np.pad(pattern, ((0, 1), (0, 1)), mode="wrap")
    place = np.zeros((2, rows * _REMAP_PX), dtype=np.float32)  # OpenCV remaps no longer rows
    place[0, : len(u)], place[1, : len(v)] = (u % 1.0) * n, (v % 1.0) * n
    across, down = place.reshape(2, rows, _REMAP_PX)
    found: Floats = np.asarray(cv2.remap(ring, across, down, cv2.INTER_LINEAR), dtype=np.float64).reshape(-1)[: len(u)]
    return found


def _studio(sky: Sky, rays: Floats) -> Floats:
    """Returns a paper background: one colour, lighter overhead and a little darker below."""
    tone = np.array(sky.ground) ** 2.2
    light: Floats = tone * (0.82 + 0.25 * np.clip(rays[..., 2:], -0.6, 1.0))
    return light
