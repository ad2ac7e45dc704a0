"""What a backend saw beyond a frame's truth: the part at every pixel and every object with nothing in front of it.

Truth stays small; whoever needs more asks the backend for the layers of the camera that it rendered last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.scene import Body, Part, Scene


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectMask:
    """The pixels an object would have with nothing in front: `mask` bool (h, w), its first pixel at (left, top)."""

    instance_id: int
    left: int
    top: int
    mask: NDArray[np.bool_]

    def full(self, height: int, width: int) -> NDArray[np.bool_]:
        """Returns the mask in an image of that size, bool (H, W)."""
        image = np.zeros((height, width), dtype=bool)
        h, w = self.mask.shape
        image[self.top : self.top + h, self.left : self.left + w] = self.mask
        return image


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layers:
    """Below the surface of one frame.

    parts uint16 (H, W): k = `visible_parts(scene)[k - 1]` is what the pixel shows, 0 where nothing is; amodal: one mask
    for every record of the frame's truth, in that order.
    """

    parts: NDArray[np.uint16]
    amodal: tuple[ObjectMask, ...]


def visible_parts(scene: Scene) -> list[tuple[Body, Part]]:
    """Returns every visible part with its body, in scene order; they are the leaf prims of the scene's stage."""
    return [(body, part) for body in scene.bodies for part in body.parts]
