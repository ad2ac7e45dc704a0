"""Run lengths are those of the COCO API, character for character, and come back exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sim.formats.rle import decode_rle, encode_rle

coco = pytest.importorskip("pycocotools.mask")
# pycocotools has not caught up with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@given(arrays.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_packing_agrees_with_pycocotools_and_is_undone(mask):
    ours = encode_rle(mask)
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert (ours["size"], ours["counts"]) == (theirs["size"], theirs["counts"].decode())
    assert (decode_rle(ours) == mask).all()
    assert (decode_rle({"size": ours["size"], "counts": ours["counts"].encode()}) == mask).all()


def test_long_runs_and_plain_counts(rng):
    mask = cv2.GaussianBlur(rng.random((480, 640)), (31, 31), 0) > 0.5
    rle = encode_rle(mask)
    assert (coco.decode(rle).astype(bool) == mask).all()
    assert coco.area(rle) == mask.sum()
    plain = {"size": [2, 3], "counts": [1, 2, 3]}
    assert decode_rle(plain).tolist() == [[False, True, False], [True, False, False]]


@pytest.mark.parametrize("counts", [[7], [-1, 7], "0"])
def test_runs_that_do_not_cover_the_image_are_refused(counts):
    with pytest.raises(ValueError, match="cover"):
        decode_rle({"size": [2, 3], "counts": counts})
