"""Augmentation moves image, labels and depth as one: no draw can flip or crop them apart, and depth stays metric."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from perception.augment import (
    Augmentation,
    AugmentSpec,
    Sample,
    apply_augmentation,
    draw_augmentation,
    source_from_target,
)

H, W = 96, 128


def _tell_tale() -> Sample:
    """An image whose red channel says the column, whose green says the row; labels and depth say the same."""
    v, u = np.mgrid[:H, :W]
    rgb = np.stack([u, v, np.zeros_like(u)], axis=2).astype(np.uint8)
    return Sample(
        rgb=rgb,
        semantic=(1 + u // 16).astype(np.uint8),
        instance=(1 + v // 16).astype(np.uint8),
        depth_m=(1.0 + u).astype(np.float32),
        fx=100.0,
    )


def _shape_only(augmentation: Augmentation) -> Augmentation:
    still = Augmentation()
    return replace(
        augmentation, gains=still.gains, gamma=still.gamma, saturation=still.saturation, noise=0.0, blur=False
    )


def test_image_labels_and_depth_can_never_move_apart(rng: np.random.Generator) -> None:
    sample, spec, flips = _tell_tale(), AugmentSpec(zoom_chance=0.7, roll_chance=0.6), 0
    for _ in range(150):
        drawn = draw_augmentation(spec, rng=rng)
        flips += drawn.flip
        moved = apply_augmentation(sample, _shape_only(drawn))
        known = moved.semantic > 0
        red, green = moved.rgb[..., 0].astype(float), moved.rgb[..., 1].astype(float)
        assert np.abs(red - (moved.depth_m - 1))[known].max() <= 1.51
        assert (np.abs(red - (moved.semantic - 1.0) * 16 - 7.5)[known] <= 9.1).all()
        assert (np.abs(green - (moved.instance - 1.0) * 16 - 7.5)[known] <= 9.1).all()
        assert np.isnan(moved.depth_m[~known]).all()
        assert known.mean() > 0.8
    assert 45 < flips < 105


def test_flip_alone_mirrors_every_map_exactly() -> None:
    sample = _tell_tale()
    flipped = apply_augmentation(sample, Augmentation(flip=True))
    for name in ("rgb", "semantic", "instance", "depth_m"):
        np.testing.assert_array_equal(getattr(flipped, name), getattr(sample, name)[:, ::-1])
    assert flipped.fx == sample.fx


@pytest.mark.parametrize("flip", [False, True])
def test_flip_by_slicing_is_flip_by_the_matrix(flip: bool) -> None:
    matrix = source_from_target(Augmentation(flip=flip), H, W)
    for x, y in [(0, 0), (W - 1, H - 1), (17, 60)]:
        expected = (W - 1 - x if flip else x, y)
        np.testing.assert_allclose(matrix @ [x, y, 1], expected, atol=1e-9)


@pytest.mark.parametrize("zoom", [1.0, 1.25, 1.4, 2.0])
def test_zoom_keeps_metres_and_multiplies_the_focal_length(zoom: float) -> None:
    """A plane at z metres is seen under fx; its crop, enlarged by `zoom`, is the same plane under fx * zoom."""
    flat = replace(_tell_tale(), depth_m=np.full((H, W), 0.8, np.float32))
    moved = apply_augmentation(flat, Augmentation(zoom=zoom))
    assert moved.fx == pytest.approx(100 * zoom)
    np.testing.assert_allclose(moved.depth_m, 0.8)
    reference = 310.0
    canonical = moved.depth_m * reference / moved.fx
    back = canonical * moved.fx / reference
    np.testing.assert_allclose(canonical, 0.8 * reference / 100 / zoom, rtol=1e-6)
    np.testing.assert_allclose(back, 0.8, rtol=1e-6)


def test_an_object_of_given_size_and_canonical_depth_looks_the_same_under_every_zoom() -> None:
    """Why canonical depth works: size_px = fx * size / depth = reference * size / canonical, whatever the zoom."""
    size_m, depth_m, reference = 0.1, 0.8, 310.0
    for zoom in (1.0, 1.3, 1.7):
        sample = replace(_tell_tale(), fx=200.0)
        mask = np.zeros((H, W), np.uint8)
        side = 200.0 * size_m / depth_m
        left, top = round((W - 1) / 2 - side / 2), round((H - 1) / 2 - side / 2)
        mask[top : top + round(side), left : left + round(side)] = 1
        moved = apply_augmentation(
            replace(sample, instance=mask, depth_m=np.full((H, W), depth_m, np.float32)), Augmentation(zoom=zoom)
        )
        seen_px = math.sqrt(float((moved.instance == 1).sum()))
        canonical = depth_m * reference / moved.fx
        assert seen_px == pytest.approx(reference * size_m / canonical, abs=2)


def test_strength_zero_changes_nothing(rng: np.random.Generator) -> None:
    sample = _tell_tale()
    for _ in range(20):
        out = apply_augmentation(sample, draw_augmentation(AugmentSpec(strength=0.0), rng=rng))
        np.testing.assert_array_equal(out.rgb, sample.rgb)
        np.testing.assert_array_equal(out.depth_m, sample.depth_m)


def test_the_same_draw_gives_the_same_image(rng: np.random.Generator) -> None:
    sample = _tell_tale()
    drawn = replace(draw_augmentation(AugmentSpec(), rng=rng), noise=6.0)
    first, second = apply_augmentation(sample, drawn), apply_augmentation(sample, drawn)
    np.testing.assert_array_equal(first.rgb, second.rgb)
    assert (first.rgb != apply_augmentation(sample, replace(drawn, noise_seed=drawn.noise_seed + 1)).rgb).any()
