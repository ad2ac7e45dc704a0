"""Light, electrons and numbers against their formulas: fall-off, photon transfer, development."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from scenes.camera import Camera
from scenes.distortion import Distortion
from scenes.transforms import Pose
from sim.sensors.photometry import (
    blurred,
    developed,
    falloff,
    light_from_raw,
    light_from_srgb,
    raw_numbers,
    system_gain,
    tone_curve,
)
from sim.sensors.profile import ColourSpec, ExposureSpec, LensSpec, NoiseSpec

CAMERA = Camera(name="c", width=160, height=120, fx=110.0, fy=110.0, cx=79.5, cy=59.5, world_from_camera=Pose())
NOISE = NoiseSpec(enabled=True, full_well_e=8000, read_noise_e=6.0, bits=12, black_level_dn=100)


def flat(level: float, pixels: int = 200) -> np.ndarray:
    return np.full((pixels, pixels, 3), level, dtype=np.float32)


def test_srgb_goes_to_light_and_back_on_every_value():
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(256, 1, 3)
    np.testing.assert_array_equal(developed(light_from_srgb(values), ColourSpec()), values)
    assert light_from_srgb(np.array([[[188, 0, 255]]], dtype=np.uint8))[0, 0] == pytest.approx([0.5029, 0, 1], abs=1e-4)


@pytest.mark.parametrize("gain_db", [0.0, 12.0], ids=["0 dB", "12 dB"])
def test_the_photon_transfer_curve_has_the_stated_slope_and_intercept(gain_db, rng):
    exposure, noise = ExposureSpec(gain_db=gain_db, time_s=0.05), replace(NOISE, dark_current_e_s=100.0)
    levels = np.linspace(0.0, 0.8, 9) / 10 ** (gain_db / 20)
    means, variances = [], []
    for level in levels:
        numbers = raw_numbers(flat(level), exposure, noise, ColourSpec(), rng=rng, unit="u").astype(np.float64)
        means.append(numbers.mean())
        variances.append(numbers.var())
    slope, intercept = np.polyfit(means, variances, 1)
    gain = system_gain(exposure, noise)
    dark_variance_e = noise.read_noise_e**2 + noise.dark_current_e_s * exposure.time_s
    assert slope == pytest.approx(gain, rel=0.02)
    assert variances[0] == pytest.approx(gain**2 * dark_variance_e + 1 / 12, rel=0.02)
    assert intercept + slope * 100 == pytest.approx(variances[0], abs=0.01 * max(variances))
    expected_mean = 100 + gain * noise.full_well_e * levels
    np.testing.assert_allclose(means, expected_mean, rtol=2e-3)


def test_a_full_well_clips_and_the_noise_goes_with_it(rng):
    numbers = raw_numbers(flat(3.0), ExposureSpec(), replace(NOISE, read_noise_e=0.0), ColourSpec(), rng=rng, unit="u")
    assert (numbers == 4095).all()


def test_less_light_and_more_gain_is_as_bright_and_noisier(rng):
    bright = raw_numbers(flat(0.2), ExposureSpec(), NOISE, ColourSpec(), rng=rng, unit="u")
    pushed = raw_numbers(flat(0.2), ExposureSpec(stops=-2, gain_db=12.0412), NOISE, ColourSpec(), rng=rng, unit="u")
    assert pushed.mean() == pytest.approx(bright.mean(), rel=5e-3)
    assert pushed.var() / bright.var() == pytest.approx(4.0, rel=0.15)


def test_balance_undoes_the_response_but_not_its_noise(rng):
    colour = ColourSpec(response=(0.5, 1.0, 0.25))
    light = light_from_raw(raw_numbers(flat(0.3), ExposureSpec(), NOISE, colour, rng=rng, unit="u"), NOISE, colour)
    np.testing.assert_allclose(light.mean(axis=(0, 1)), 0.3, rtol=5e-3)
    red, green, blue = light.reshape(-1, 3).var(axis=0)
    assert red / green == pytest.approx(2.0, rel=0.1)
    assert blue / green == pytest.approx(4.0, rel=0.15)


def test_the_fixed_pattern_is_the_device_s_and_stays(rng):
    noise = replace(NOISE, prnu=0.05, dsnu_e=0.0, read_noise_e=0.0)
    shots = [raw_numbers(flat(0.5), ExposureSpec(), noise, ColourSpec(), rng=rng, unit="a") for _ in range(2)]
    other = raw_numbers(flat(0.5), ExposureSpec(), noise, ColourSpec(), rng=rng, unit="b")
    pattern = [shot.ravel() - shot.mean() for shot in (*shots, other)]
    assert np.corrcoef(pattern[0], pattern[1])[0, 1] > 0.8
    assert abs(np.corrcoef(pattern[0], pattern[2])[0, 1]) < 0.02
    signal = noise.full_well_e * 0.5
    expected = system_gain(ExposureSpec(), noise) ** 2 * (signal + (0.05 * signal) ** 2)
    assert shots[0].var() == pytest.approx(expected, rel=0.05)


def test_falloff_is_cos_to_the_fourth_of_the_ray_s_angle():
    share = falloff(CAMERA, LensSpec(vignetting="cos4"))
    u, v = 12, 101
    cosine = 1 / np.sqrt(1 + ((u - 79.5) / 110) ** 2 + ((v - 59.5) / 110) ** 2)
    assert share[v, u] == pytest.approx(cosine**4, rel=1e-6)
    assert share.max() == pytest.approx(1.0, abs=1e-4)
    lens = replace(CAMERA, distortion=Distortion(coefficients=(-0.05, 0.0, 0.0, 0.0)))
    assert falloff(lens, LensSpec(vignetting="cos4"))[0, 0] < share[0, 0], "barrel distortion draws wider rays there"


def test_falloff_by_polynomial_is_one_in_the_middle_and_its_sum_at_the_corner():
    share = falloff(CAMERA, LensSpec(vignetting="polynomial", vignetting_polynomial=(-0.4, 0.1, -0.05)))
    assert share[0, 0] == pytest.approx(1 - 0.4 + 0.1 - 0.05, abs=1e-6)
    assert share[60, 80] == pytest.approx(1.0, abs=1e-4)
    assert (falloff(CAMERA, LensSpec()) == 1).all()


def test_blur_keeps_the_light_and_spreads_a_point_by_its_variance():
    point = np.zeros((61, 61, 3), dtype=np.float32)
    point[30, 30] = 1
    spread = blurred(point, 2.5)[..., 0].astype(np.float64)
    u = np.arange(61) - 30
    assert spread.sum() == pytest.approx(1.0, rel=1e-4)
    assert (spread.sum(axis=0) * u**2).sum() == pytest.approx(2.5**2, rel=0.02)
    assert blurred(point, 0.0) is point


@pytest.mark.parametrize("tone", ["srgb", "gamma", "filmic"])
def test_tone_curves_rise_from_black_to_white(tone):
    value = tone_curve(np.linspace(0, 1, 500, dtype=np.float32), ColourSpec(tone=tone))
    assert value[0] == pytest.approx(0, abs=1e-6)
    assert value[-1] == pytest.approx(1, abs=1e-5)
    assert (np.diff(value) > 0).all()


def test_colour_steps_do_what_they_are_called(rng):
    light = np.full((8, 8, 3), (0.2, 0.3, 0.4), dtype=np.float32)
    as_light = light_from_srgb(developed(light, ColourSpec(white_balance=(2.0, 1.0, 0.5))))
    np.testing.assert_allclose(as_light[0, 0], (0.4, 0.3, 0.2), atol=0.004)
    grey = developed(light, ColourSpec(saturation=0.0))[0, 0]
    assert np.ptp(grey) == 0
    image = rng.integers(0, 256, (32, 48, 3), dtype=np.uint8)
    through = developed(light_from_srgb(image), ColourSpec(jpeg_quality=40))
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])
    np.testing.assert_array_equal(through, cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    step = np.repeat(np.where(np.arange(32) < 16, 0.2, 0.6), 32).reshape(32, 32)[..., None].repeat(3, axis=2)
    plain, sharp = (developed(step.astype(np.float32), ColourSpec(sharpening=s)) for s in (0.0, 1.0))
    assert sharp.max() > plain.max()
    assert sharp.min() < plain.min()
