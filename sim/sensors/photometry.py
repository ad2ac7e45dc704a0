"""From light to an image: fall-off, electrons, digital numbers, development. Each step is a function of arrays.

Light is linear, float32 (H, W, 3), 1 at the ideal picture's white. The noise is EMVA 1288's linear camera (release 4.0
Linear): sigma_y^2 = K^2 sigma_d^2 + 1/12 + K (mu_y - mu_dark), with K in digital numbers per electron.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from sim._lens import pixel_rays
from sim.sensors.profile import ColourSpec, ExposureSpec, LensSpec, NoiseSpec
from sim.sensors.randomness import stream

Light = NDArray[np.float32]

_EXPANDED_FROM = 64


def light_from_srgb(rgb: NDArray[np.uint8]) -> Light:
    """Returns linear light of sRGB values (IEC 61966-2-1)."""
    value = np.arange(256, dtype=np.float64) / 255
    table = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return table.astype(np.float32).take(rgb)


def falloff(camera: Camera, lens: LensSpec) -> NDArray[np.float32]:
    """Returns the share of light that arrives, float32 (H, W): cos^4 of the ray's angle, or the profile's polynomial."""
    if lens.vignetting == "cos4":
        x, y = pixel_rays(camera)
        return np.asarray((1.0 + x * x + y * y) ** -2, dtype=np.float32)
    if lens.vignetting == "polynomial":
        far_u = max(camera.cx, camera.width - 1 - camera.cx)
        far_v = max(camera.cy, camera.height - 1 - camera.cy)
        v, u = np.mgrid[: camera.height, : camera.width]
        r2 = ((u - camera.cx) ** 2 + (v - camera.cy) ** 2) / (far_u**2 + far_v**2)
        a, b, c = lens.vignetting_polynomial
        return np.asarray(np.maximum(1 + r2 * (a + r2 * (b + r2 * c)), 0), dtype=np.float32)
    return np.ones((camera.height, camera.width), dtype=np.float32)


def blurred(light: Light, sigma_px: float) -> Light:
    """Returns the light through a Gaussian point spread function."""
    if sigma_px <= 0:
        return light
    import cv2

    return np.asarray(cv2.GaussianBlur(light, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


def system_gain(exposure: ExposureSpec, noise: NoiseSpec) -> float:
    """Returns K, digital numbers per electron: a full well is the largest number at 0 dB."""
    amplified: float = 10.0 ** (exposure.gain_db / 20)
    return amplified * (2.0**noise.bits - 1 - noise.black_level_dn) / noise.full_well_e


def raw_numbers(
    light: Light, exposure: ExposureSpec, noise: NoiseSpec, colour: ColourSpec, *, rng: np.random.Generator, unit: object
) -> NDArray[np.float32]:
    """Returns raw digital numbers float32 (H, W, 3), whole, 0..2^bits - 1; `unit` names the device for its fixed pattern."""
    response = np.asarray(colour.response, dtype=np.float32)
    dark_e = noise.dark_current_e_s * exposure.time_s
    mean_e = light * (response * np.float32(noise.full_well_e * 2.0**exposure.stops))
    if noise.prnu or noise.dsnu_e:
        gain, offset_e = _fixed_pattern(unit, light.shape, noise.prnu, noise.dsnu_e)
        mean_e *= gain
        mean_e += offset_e
        np.maximum(mean_e, 0, out=mean_e)
    mean_e += np.float32(dark_e)
    electrons = np.minimum(poisson_counts(mean_e, rng=rng), np.float32(noise.full_well_e))
    read = rng.standard_normal(light.shape, dtype=np.float32)
    read *= np.float32(noise.read_noise_e)
    electrons += read
    electrons -= np.float32(dark_e)
    electrons *= np.float32(system_gain(exposure, noise))
    electrons += np.float32(noise.black_level_dn)
    np.rint(electrons, out=electrons)
    return np.clip(electrons, 0, 2**noise.bits - 1, out=electrons)


def poisson_counts(mean: NDArray[np.float32], *, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns whole numbers, float32, of Poisson's law: drawn from it below 64, by its Cornish-Fisher expansion above.

    The expansion has the law's mean, variance, skewness and excess kurtosis (Fisher and Cornish, Technometrics 2, 1960);
    from 64 on its distribution function is off by less than 1e-3, and it takes a third of the time.
    """
    z, root = rng.standard_normal(mean.shape, dtype=np.float32), np.sqrt(mean)
    counts = root * z
    counts += mean
    square = z * z
    np.maximum(root, 1, out=root)
    z -= z * square
    z /= root
    z /= np.float32(72)
    counts += z
    square -= 1
    square /= 6
    counts += square
    np.rint(counts, out=counts)
    few = mean < _EXPANDED_FROM
    if few.any():
        counts[few] = rng.poisson(mean[few])
    return counts


@functools.lru_cache(maxsize=4)
def _fixed_pattern(unit: object, shape: tuple[int, ...], prnu: float, dsnu_e: float) -> tuple[Light, Light]:
    """Returns sensitivity, not negative and 1 on average, and offset in electrons of a device's pixels."""
    fixed = stream("fixed pattern", unit, *shape)
    gain = np.maximum(1 + prnu * fixed.standard_normal(shape, dtype=np.float32), 0)
    offset_e = dsnu_e * fixed.standard_normal(shape, dtype=np.float32)
    gain, offset_e = gain.astype(np.float32, copy=False), offset_e.astype(np.float32, copy=False)
    for array in (gain, offset_e):
        array.setflags(write=False)
    return gain, offset_e


def light_from_raw(numbers: NDArray[np.float32], noise: NoiseSpec, colour: ColourSpec) -> Light:
    """Returns light with the channels balanced, 1 where the converter is full; negative where noise goes below black."""
    white = np.float32(2**noise.bits - 1 - noise.black_level_dn)
    balanced = (numbers - np.float32(noise.black_level_dn)) / (white * np.asarray(colour.response, dtype=np.float32))
    return np.asarray(np.minimum(balanced, 1), dtype=np.float32)


def developed(light: Light, colour: ColourSpec) -> NDArray[np.uint8]:
    """Returns the image uint8 (H, W, 3): white balance, saturation, tone curve, sharpening, JPEG, in this order."""
    balanced = light * np.asarray(colour.white_balance, dtype=np.float32)
    if colour.saturation != 1:
        grey = balanced @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
        balanced = grey[..., None] + np.float32(colour.saturation) * (balanced - grey[..., None])
    value = tone_curve(np.clip(balanced, 0, 1), colour)
    if colour.sharpening > 0:
        value = np.clip(value + np.float32(colour.sharpening) * (value - blurred(value, 1.0)), 0, 1)
    image = np.rint(value * 255).astype(np.uint8)
    return image if colour.jpeg_quality is None else _through_jpeg(image, colour.jpeg_quality)


def tone_curve(light: NDArray[np.floating[Any]], colour: ColourSpec) -> NDArray[np.float32]:
    """Maps light 0..1 to values 0..1: sRGB's curve, a power, or an S-curve on sRGB's with softer ends ("filmic")."""
    if colour.tone == "gamma":
        return np.asarray(light ** (1 / colour.gamma), dtype=np.float32)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    if colour.tone == "filmic":
        value = 0.5 * value + 0.5 * value * value * (3 - 2 * value)
    return value.astype(np.float32)


def _through_jpeg(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    import cv2

    bgr = np.ascontiguousarray(image[..., ::-1])
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else None
    if decoded is None:
        raise ValueError(f"OpenCV could not take an image {image.shape} through JPEG of quality {quality}.")
    return np.ascontiguousarray(decoded[..., ::-1]).astype(np.uint8, copy=False)
