"""Depth is taken from inside each segment; where there is no inside, or no outline, it stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.edges import sharpen_depth


def two_halves(width: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Returns the ids of a left and a right half, and their depth, 1 m and 2 m."""
    ids = np.ones((20, width), dtype=np.uint16)
    ids[:, width // 2 :] = 2
    return ids, np.where(ids == 1, 1.0, 2.0).astype(np.float32)


@pytest.mark.parametrize("reach_px", [1, 2, 3])
def test_a_step_smeared_within_reach_is_a_step_again(reach_px: int) -> None:
    ids, truth = two_halves()
    smeared = cv2.blur(truth, (2 * reach_px + 1, 1))
    assert not np.array_equal(smeared, truth)
    np.testing.assert_array_equal(sharpen_depth(ids, smeared.astype(np.float32), reach_px=reach_px), truth)


def test_pixels_away_from_outlines_keep_their_depth(rng: np.random.Generator) -> None:
    ids, _ = two_halves()
    depth = rng.uniform(0.5, 2.0, size=ids.shape).astype(np.float32)
    sharp = sharpen_depth(ids, depth, reach_px=2)
    np.testing.assert_array_equal(sharp[:, :18], depth[:, :18])
    np.testing.assert_array_equal(sharp[:, 22:], depth[:, 22:])


def test_every_new_value_comes_from_the_same_segment(rng: np.random.Generator) -> None:
    ids = cv2.resize(rng.integers(1, 6, size=(4, 6)).astype(np.uint16), (60, 40), interpolation=cv2.INTER_NEAREST)
    depth = (ids + rng.uniform(0, 0.5, size=ids.shape)).astype(np.float32)
    np.testing.assert_array_equal(np.floor(sharpen_depth(ids, depth, reach_px=2)).astype(np.uint16), ids)


def test_a_thin_segment_without_an_inside_keeps_its_depth() -> None:
    ids, depth = two_halves()
    ids[8:11] = 3
    depth[8:11] = 1.5
    np.testing.assert_array_equal(sharpen_depth(ids, depth, reach_px=2)[8:11], depth[8:11])


def test_one_segment_alone_is_left_as_it_is() -> None:
    depth = np.ones((8, 8), dtype=np.float32)
    assert sharpen_depth(np.ones((8, 8), dtype=np.uint16), depth, reach_px=2) is depth
