"""Finds the peaks of a centre heat map: one per local maximum, also where the maximum is flat, strongest first."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peaks:
    """Peaks in network-input pixels: yx float32 (K, 2), value float32 (K,) of the heat map, both by falling value."""

    yx: NDArray[np.float32]
    value: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.value)


def find_peaks(heat: NDArray[np.float32], *, stride: int, threshold: float, window: int, top_k: int) -> Peaks:
    """Returns the local maxima of `heat` (h/stride, w/stride) above `threshold`, at most `top_k` of them.

    A maximum is a pixel that is the greatest of its `window` x `window` neighbourhood. Touching equal maxima are one
    peak at their mean. Ties at the k-th place are broken by position, in reading order, so none vanish together.
    """
    greatest = cv2.dilate(heat, np.ones((window, window), np.uint8))
    mask = ((heat >= greatest) & (heat > threshold)).astype(np.uint8)
    count, label, _, mean_xy = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    value = np.zeros(count, dtype=np.float32)
    at = np.nonzero(mask)
    value[label[at]] = heat[at]
    centre_yx = mean_xy[1:, ::-1]
    order = np.lexsort((centre_yx[:, 1], centre_yx[:, 0], -value[1:]))[:top_k]
    yx = (centre_yx[order] + 0.5) * stride - 0.5
    return Peaks(yx=yx.astype(np.float32), value=value[1:][order])
