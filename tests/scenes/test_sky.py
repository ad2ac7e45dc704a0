"""Skies: light as the published models have it, pictures whose sun is where it is said to be, domes that light as they look."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from scenes.dome import Dome, directions, linear_of_srgb, seen, srgb_of_linear
from scenes.errors import UnknownNameError
from scenes.sampler import ShapeSampler
from scenes.sky import SKIES, Sky, draw_sky, make_dome, sky_light, sun_colour
from tests.scenes.small_scene import small_scene

LUMINANCE = [0.2126, 0.7152, 0.0722]


def sky(kind: str = "clear", *, elevation_deg: float = 35.0, azimuth: float = 0.8, clouds: float = 0.0, seed: int = 0) -> Sky:
    sampler = ShapeSampler(rng=np.random.default_rng(seed), split="train")
    return draw_sky(
        sampler, kind, elevation_deg=elevation_deg, azimuth_rad=azimuth, turbidity=3.0, clouds=clouds
    )


def along(azimuth: float, elevation_deg: float) -> list[float]:
    level = math.cos(math.radians(elevation_deg))
    return [level * math.cos(azimuth), level * math.sin(azimuth), math.sin(math.radians(elevation_deg))]


@pytest.mark.parametrize("kind", SKIES)
def test_a_sky_is_a_function_of_its_draws_and_its_seam_closes(kind: str) -> None:
    first, again, other = (make_dome(sky(kind, clouds=0.4, seed=s), 48).image for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    steps = np.abs(np.diff(first.astype(int), axis=1)).mean(axis=(0, 2))
    seam = np.abs(first[:, 0].astype(int) - first[:, -1].astype(int)).mean()
    assert seam <= max(2.0, 2 * steps.max())


def test_the_brightest_place_of_a_clear_sky_is_its_sun() -> None:
    for elevation, azimuth in ((20.0, -2.0), (50.0, 1.0)):
        chosen = sky(elevation_deg=elevation, azimuth=azimuth)
        rays = directions(180)
        light = sky_light(chosen, rays.reshape(-1, 3)) @ LUMINANCE
        brightest = rays.reshape(-1, 3)[int(np.argmax(np.where(rays.reshape(-1, 3)[:, 2] > 0, light, 0)))]
        assert brightest @ np.array(chosen.to_sun()) > math.cos(math.radians(2.0))
        np.testing.assert_allclose(chosen.to_sun(), along(azimuth, elevation), atol=1e-12)


def test_an_overcast_sky_is_three_times_as_bright_overhead_as_at_the_horizon() -> None:
    flat = replace(sky("overcast"), pattern=np.full((8, 8), 0.5, dtype=np.float32))
    light = -np.log(1 - sky_light(flat, np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])))  # the film's shoulder undone
    np.testing.assert_allclose(light[0] / light[1], 3.0, rtol=1e-9)


def test_a_clear_sky_is_blue_away_from_the_sun_and_paler_at_the_horizon() -> None:
    chosen = sky(elevation_deg=45.0, azimuth=0.0)
    high, low = sky_light(chosen, np.array([along(math.pi, 60.0), along(math.pi, 2.0)]))
    assert high[2] > 1.3 * high[0]
    assert high[2] / high[0] > low[2] / low[0]


def test_sunlight_reddens_towards_the_horizon() -> None:
    ratios = [sun_colour(sky(elevation_deg=e))[2] / sun_colour(sky(elevation_deg=e))[0] for e in (2, 10, 30, 60)]
    assert ratios == sorted(ratios)
    assert ratios[0] < 0.5
    assert 0.85 < ratios[-1] <= 1.0


def test_night_is_darker_than_dusk_and_dusk_than_day() -> None:
    levels = [float(np.dot(make_dome(sky(k, elevation_deg=3.0), 48).ambient(), LUMINANCE)) for k in ("night", "dusk")]
    day = float(np.dot(make_dome(sky("clear", elevation_deg=40.0), 48).ambient(), LUMINANCE))
    assert levels[0] < 0.2 * levels[1]
    assert levels[1] < day


def test_an_unknown_sky_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="overcast"):
        sky("overcats")


def test_a_picture_is_seen_again_along_its_own_directions() -> None:
    image = np.random.default_rng(0).integers(0, 256, (24, 48, 3), dtype=np.uint8)
    np.testing.assert_array_equal(seen(image, 3.0 * directions(24)), image)


def test_directions_are_those_of_latlong() -> None:
    rays = directions(64)
    assert rays[0, 0] @ [0, 0, 1] > 0.999
    for column, expected in ((32, (1, 0, 0)), (64, (0, -1, 0)), (96, (-1, 0, 0)), (0, (0, 1, 0))):
        assert rays[32, column] @ np.array(expected) > 0.997


def test_the_ambient_light_of_one_colour_is_that_colour_times_the_intensity() -> None:
    image = np.broadcast_to(np.array([188, 99, 255], dtype=np.uint8), (16, 32, 3)).copy()
    expected = 0.5 * linear_of_srgb(image)[0, 0]
    np.testing.assert_allclose(Dome(image=image, intensity=0.5).ambient(), expected, rtol=1e-12)


def test_display_values_survive_linear_light() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(srgb_of_linear(linear_of_srgb(values)), values)


def test_only_a_scene_with_a_dome_has_it_in_its_digest() -> None:
    bare = small_scene()
    domes = [make_dome(sky("clear", seed=s), 16) for s in (1, 2)]
    digests = {
        bare.digest(), replace(bare, dome=domes[0]).digest(), replace(bare, dome=domes[1]).digest(),
        replace(bare, dome=replace(domes[0], intensity=0.5)).digest(),
    }  # fmt: skip
    assert len(digests) == 4
    assert replace(bare, dome=None).digest() == bare.digest()


@pytest.mark.parametrize("image", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 8), np.uint8), np.zeros((4, 8, 3))])
def test_a_picture_of_another_shape_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        Dome(image=image)
