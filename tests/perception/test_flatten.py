"""The table's depth lies on the plane that most of it lies on; everything else is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from perception.flatten import flatten_table
from scenes.taxonomy import TAXONOMY

FX, FY, CX, CY = K = (300.0, 300.0, 79.5, 59.5)
TABLE, WALL, CUP = (TAXONOMY.named(name).id for name in ("table", "wall", "cup"))


def plane_depth(up: tuple[float, float, float] = (0.1, -0.8, -0.6), height_m: float = 0.5) -> np.ndarray:
    """Returns the depth of the plane up . p + height = 0, a table seen from above."""
    v, u = np.mgrid[:120, :160]
    ray = np.stack([(u - CX) / FX, (v - CY) / FY, np.ones(u.shape)], axis=-1)
    unit = np.array(up) / np.linalg.norm(up)
    return (-height_m / (ray @ unit)).astype(np.float32)


def test_a_plane_stays_as_it_is() -> None:
    depth = plane_depth()
    np.testing.assert_allclose(flatten_table(np.ones((120, 160), np.int32), {1: TABLE}, depth, K), depth, rtol=1e-4)


def test_noise_on_the_table_goes_and_other_pixels_keep_theirs(rng: np.random.Generator) -> None:
    truth = plane_depth()
    noisy = (truth * (1 + 0.02 * rng.standard_normal(truth.shape))).astype(np.float32)
    ids = np.ones(truth.shape, np.int32)
    ids[40:60, 50:80] = 2
    flat = flatten_table(ids, {1: TABLE, 2: CUP}, noisy, K)
    table = ids == 1
    assert np.abs(flat[table] / truth[table] - 1).mean() < 0.1 * np.abs(noisy[table] / truth[table] - 1).mean()
    np.testing.assert_array_equal(flat[~table], noisy[~table])


def test_pixels_that_are_far_from_the_plane_are_left_alone() -> None:
    depth = plane_depth()
    depth[:10] *= np.float32(1.5)
    flat = flatten_table(np.ones(depth.shape, np.int32), {1: TABLE}, depth, K)
    np.testing.assert_array_equal(flat[:10], depth[:10])


@pytest.mark.parametrize("category_of", [{1: WALL}, {}], ids=["no table", "nothing"])
def test_without_a_table_nothing_changes(category_of: dict[int, int]) -> None:
    depth = plane_depth()
    assert flatten_table(np.ones(depth.shape, np.int32), category_of, depth, K) is depth


def test_a_table_that_lies_on_no_plane_keeps_its_depth(rng: np.random.Generator) -> None:
    depth = rng.uniform(0.3, 3.0, size=(120, 160)).astype(np.float32)
    assert flatten_table(np.ones(depth.shape, np.int32), {1: TABLE}, depth, K) is depth
