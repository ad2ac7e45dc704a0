"""Every look is a pure function of its draws, of the asked size, tiles where it is laid over surfaces, and is not flat."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.errors import UnknownNameError
from scenes.looks import LOOKS, natural_colour
from scenes.looks.fields import cells, stretched, warped
from scenes.sampler import ShapeSampler
from scenes.scene import Material
from scenes.textures import noise

SEEDS = range(6)
LAID_ONCE = {"printed label"}


def look(name: str, seed: int, size: int = 128, split: str = "train") -> Material:
    sampler = ShapeSampler(rng=np.random.default_rng(seed), split=split)  # type: ignore[arg-type]  # a literal
    return LOOKS[name](sampler, natural_colour(name, sampler), size)


def seam(image: np.ndarray) -> tuple[float, float]:
    """Returns the mean step over the seam of an image's rows, and the largest between rows inside."""
    rows = image.astype(float)
    steps = np.abs(np.diff(np.concatenate([rows, rows[:1]]), axis=0)).mean(axis=(1, 2))
    return float(steps[-1]), float(steps[:-1].max())


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_an_image_of_the_size_that_tiles(name: str, seed: int) -> None:
    material = look(name, seed)
    image = material.texture
    assert image is not None
    assert (image.shape, image.dtype) == ((128, 128, 3), np.uint8)
    assert 0 <= material.roughness <= 1
    assert 0 <= material.metallic <= 1
    assert image.reshape(-1, 3).std(axis=0).max() > 0.5
    if name not in LAID_ONCE:
        for turned in (image, image.transpose(1, 0, 2)):
            over, inside = seam(turned)
            assert over <= 1.15 * inside + 1.0


@pytest.mark.parametrize("name", LOOKS)
def test_the_same_draws_make_the_same_look_and_others_another(name: str) -> None:
    first, again = look(name, 3).texture, look(name, 3).texture
    np.testing.assert_array_equal(first, again)
    assert any((look(name, seed).texture != first).any() for seed in (4, 5))
    assert (look(name, 3, split="test").texture != first).any()


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("size", [32, 100, 256])
def test_any_size_works(name: str, size: int) -> None:
    image = look(name, 1, size).texture
    assert image is not None
    assert image.shape == (size, size, 3)


def test_the_colour_asked_for_is_seen_in_plain_paint() -> None:
    sampler = ShapeSampler(rng=np.random.default_rng(0), split="train")
    image = LOOKS["plain paint"](sampler, (0.2, 0.6, 0.4), 64).texture
    assert image is not None
    np.testing.assert_allclose(image.mean(axis=(0, 1)) / 255, (0.2, 0.6, 0.4), atol=0.03)


def test_an_unknown_look_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'marble'"):
        natural_colour("marbel", ShapeSampler(rng=np.random.default_rng(0), split="train"))


@pytest.mark.parametrize(("cells_u", "cells_v"), [(2, 5), (3, 96), (96, 3), (7, 7)])
def test_stretched_noise_tiles_and_varies_as_asked(cells_u: int, cells_v: int) -> None:
    field = stretched(np.random.default_rng(2), 96, cells_u, cells_v)
    assert field.shape == (96, 96)
    for turned in (field, field.T):
        steps = np.abs(np.diff(np.concatenate([turned, turned[:1]]), axis=0)).mean(axis=1)
        assert steps[-1] <= 1.2 * steps[:-1].max() + 1e-6
    across, along = (np.abs(np.diff(field, axis=k)).mean() for k in (1, 0))
    assert (across < along) == (cells_u < cells_v) or cells_u == cells_v


def test_cells_are_the_distances_to_the_nearest_points_on_a_torus() -> None:
    near, second = cells(np.random.default_rng(7), 48, 4)
    points = (np.stack(np.mgrid[:4, :4], axis=-1) + np.random.default_rng(7).random((4, 4, 2))).reshape(-1, 2) / 4
    place = (np.arange(48) + 0.5) / 48
    at = np.stack(np.meshgrid(place, place, indexing="ij"), axis=-1)
    away = np.abs(at[:, :, None] - points[None, None])
    distance = np.sort(np.linalg.norm(np.minimum(away, 1 - away), axis=-1) * 4, axis=-1)
    np.testing.assert_allclose(near, distance[..., 0], atol=1e-5)
    # The second nearest may lie beyond the neighbouring cells; then it is only farther.
    assert (second >= distance[..., 1] - 1e-5).all()
    assert (np.abs(second - distance[..., 1]) < 1e-5).mean() > 0.95


def test_a_field_pushed_nowhere_stays() -> None:
    field, still = noise(np.random.default_rng(1), 64, 4), np.full((64, 64), 0.5, dtype=np.float32)
    np.testing.assert_allclose(warped(field, still, still, 0.3), field, atol=1e-6)
