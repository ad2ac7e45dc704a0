"""The prediction: what the robot believes about one image, in one form for every engine, link and score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One panoptic segment: its id in the map, its category, confidence 0..1, median depth, and its box if it is a thing.

    `box_camera` is oriented, in the camera frame (OpenCV axes), metres; None for stuff or where no box could be fitted.
    `depth_m` is the median predicted depth over the segment.
    """

    id: int
    category_id: int
    score: float
    depth_m: float
    box_camera: OrientedBox | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """Panoptic segments and depth of one image.

    segment_id int32 (H, W), 0 = void, every other value is the id of exactly one entry of `segments`;
    depth_m float32 (H, W), metres to the image plane, finite and positive.
    """

    segment_id: NDArray[np.int32]
    segments: tuple[Segment, ...]
    depth_m: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.segment_id.shape != self.depth_m.shape:
            raise ValueError(f"Prediction needs two maps of one shape, got {self.segment_id.shape} and {self.depth_m.shape}.")
        if self.segment_id.dtype != np.int32 or self.depth_m.dtype != np.float32:
            raise ValueError("Prediction needs segment_id int32 and depth_m float32.")
        ids = [segment.id for segment in self.segments]
        if len(set(ids)) != len(ids) or any(i <= 0 for i in ids):
            raise ValueError("Segment ids must be positive and unique.")

    def semantic(self) -> NDArray[np.uint8]:
        """Returns the category id of every pixel, uint8 (H, W), 0 = void."""
        table = np.zeros(max((s.id for s in self.segments), default=0) + 1, dtype=np.uint8)
        for segment in self.segments:
            table[segment.id] = segment.category_id
        return table[self.segment_id]
