"""The pixels of every label of a map, found by one sort however many labels there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def label_pixels(labels: NDArray[np.uint16], *, count: int) -> list[NDArray[np.intp]]:
    """Returns for each label 0..count-1 of a map (H, W) the flat indices of its pixels, in reading order."""
    flat = labels.reshape(-1)
    order = np.argsort(flat, kind="stable")
    return np.split(order, np.searchsorted(flat, np.arange(1, count, dtype=flat.dtype), sorter=order))
