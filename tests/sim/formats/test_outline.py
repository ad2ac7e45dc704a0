"""Outlines filled by the COCO API give back the mask, pixel for pixel, holes and touching corners included."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sim.formats.outline import outlines, simplified

coco = pytest.importorskip("pycocotools.mask")
# pycocotools has not caught up with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def filled(loop, shape):
    return coco.decode(coco.frPyObjects([loop.reshape(-1).tolist()], *map(int, shape)))[..., 0].astype(int)


@settings(max_examples=50)
@given(arrays.arrays(bool, st.tuples(st.integers(1, 16), st.integers(1, 16))))
def test_parts_less_holes_are_the_mask(mask):
    found = outlines(mask)
    total = sum((filled(loop, mask.shape) for loop in found.parts), np.zeros(mask.shape, int))
    total -= sum((filled(loop, mask.shape) for loop in found.holes), np.zeros(mask.shape, int))
    assert (total == mask).all()
    assert all((np.abs(np.diff(loop, axis=0, append=loop[:1])).min(axis=1) == 0).all() for loop in found.parts)


def test_a_ring_is_one_part_and_one_hole():
    mask = np.zeros((9, 9), bool)
    mask[1:8, 2:7] = True
    mask[4, 4] = False
    found = outlines(mask)
    assert [loop.tolist() for loop in found.parts] == [[[2, 1], [7, 1], [7, 8], [2, 8]]]
    assert [sorted(loop.tolist()) for loop in found.holes] == [[[4, 4], [4, 5], [5, 4], [5, 5]]]


def test_corners_that_touch_do_not_join_parts():
    assert len(outlines(np.eye(4, dtype=bool)).parts) == 4


def test_a_disc_keeps_its_shape_with_few_corners():
    mask = cv2.circle(np.zeros((100, 100), np.uint8), (50, 50), 30, 1, -1).astype(bool)
    loop = outlines(mask).parts[0]
    fewer = simplified(loop, 0.75)
    both = filled(fewer, mask.shape).astype(bool)
    assert len(fewer) < len(loop) / 2.5
    assert (both & mask).sum() / (both | mask).sum() > 0.97
    assert len(simplified(np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), 5.0)) >= 3
