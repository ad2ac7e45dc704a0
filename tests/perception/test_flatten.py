"""The table's depth lies on the plane that most of it lies on; everything else is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from perception.flatten import flatten_table
from scenes.distortion import Distortion
from scenes.taxonomy import TAXONOMY

FX, FY, CX, CY = K = (300.0, 300.0, 79.5, 59.5)
TABLE, WALL, CUP = (TAXONOMY.named(name).id for name in ("table", "wall", "cup"))


def plane_depth(
    up: tuple[float, float, float] = (0.1, -0.8, -0.6), height_m: float = 0.5, lens: Distortion | None = None
) -> np.ndarray:
    """Returns the depth of the plane up . p + height = 0, a table seen from above; nan where the lens draws nothing."""
    v, u = np.mgrid[:120, :160]
    x, y = (u - CX) / FX, (v - CY) / FY
    if lens is not None:
        x, y = lens.undistort(x, y)
    unit = np.array(up) / np.linalg.norm(up)
    return (-height_m / (np.stack([x, y, np.ones(u.shape)], axis=-1) @ unit)).astype(np.float32)


def flattened(
    ids: np.ndarray, category_of: dict[int, int], depth_m: np.ndarray, lens: Distortion | None = None
) -> np.ndarray:
    flat = depth_m.copy()
    flatten_table(ids, category_of, flat, K, lens)
    return flat


def noisy_table(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (truth * (1 + 0.02 * rng.standard_normal(truth.shape))).astype(np.float32)


def test_a_plane_stays_as_it_is() -> None:
    depth = plane_depth()
    np.testing.assert_allclose(flattened(np.ones((120, 160), np.int32), {1: TABLE}, depth), depth, rtol=1e-4)


def test_noise_on_the_table_goes_and_other_pixels_keep_theirs(rng: np.random.Generator) -> None:
    truth = plane_depth()
    noisy = noisy_table(truth, rng)
    ids = np.ones(truth.shape, np.int32)
    ids[40:60, 50:80] = 2
    flat = flattened(ids, {1: TABLE, 2: CUP}, noisy)
    table = ids == 1
    assert np.abs(flat[table] / truth[table] - 1).mean() < 0.1 * np.abs(noisy[table] / truth[table] - 1).mean()
    np.testing.assert_array_equal(flat[~table], noisy[~table])


def test_behind_a_lens_the_rays_are_the_lens_s_and_what_it_does_not_draw_is_left_alone(rng: np.random.Generator) -> None:
    lens = Distortion(coefficients=(-2.2, 0.0, 0.0, 0.0))
    truth = plane_depth(lens=lens)
    drawn = np.isfinite(truth)
    assert 0.5 < drawn.mean() < 1.0
    noisy = noisy_table(np.where(drawn, truth, np.float32(1)), rng)
    flat = flattened(np.ones(truth.shape, np.int32), {1: TABLE}, noisy, lens)
    assert np.abs(flat[drawn] / truth[drawn] - 1).mean() < 0.1 * np.abs(noisy[drawn] / truth[drawn] - 1).mean()
    np.testing.assert_array_equal(flat[~drawn], noisy[~drawn])


def test_pixels_that_are_far_from_the_plane_are_left_alone() -> None:
    depth = plane_depth()
    depth[:10] *= np.float32(1.5)
    flat = flattened(np.ones(depth.shape, np.int32), {1: TABLE}, depth)
    np.testing.assert_array_equal(flat[:10], depth[:10])


def test_table_above_the_horizon_is_left_alone() -> None:
    depth = plane_depth(up=(0.0, -0.99, -0.05))
    above = depth <= 0
    assert 0.2 < above.mean() < 0.6
    depth[above] = np.float32(2.0)
    depth[0, 0] = np.float32(1e30)  # even so far away
    flat = flattened(np.ones(depth.shape, np.int32), {1: TABLE}, depth)
    np.testing.assert_array_equal(flat[above], depth[above])


@pytest.mark.parametrize("category_of", [{1: WALL}, {}], ids=["no table", "nothing"])
def test_without_a_table_nothing_changes(category_of: dict[int, int]) -> None:
    depth = plane_depth()
    np.testing.assert_array_equal(flattened(np.ones(depth.shape, np.int32), category_of, depth), depth)


def test_a_table_that_lies_on_no_plane_keeps_its_depth(rng: np.random.Generator) -> None:
    depth = rng.uniform(0.3, 3.0, size=(120, 160)).astype(np.float32)
    np.testing.assert_array_equal(flattened(np.ones(depth.shape, np.int32), {1: TABLE}, depth), depth)
