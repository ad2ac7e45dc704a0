"""The frame: an image with its camera and a truth whose labels agree with each other on every pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.camera import Camera
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim._lookup import look_up

BoxPx = tuple[int, int, int, int]

# Stands where a data set that is not ours has no 3D box; its middle is nowhere, and `ObjectTruth.has_box` is False.
UNKNOWN_BOX = OrientedBox(Pose((math.nan, math.nan, math.nan)), (1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTruth:
    """One thing that the camera sees at least one pixel of, or whose 3D box is in the view though it is hidden.

    Pixel boxes are inclusive (x_min, y_min, x_max, y_max); `visible_box_px` is None where no pixel shows.
    `visible_fraction` = visible pixels / pixels it would have in this image with nothing in front of it, 0..1.
    `box_world` is the box of its own mesh along the axes of its body, so it is amodal. In data sets of other tools
    `visible_fraction` may be nan and `box_world` UNKNOWN_BOX: not known.
    """

    instance_id: int
    category_id: int
    body_name: str
    visible_box_px: BoxPx | None
    amodal_box_px: BoxPx
    visible_fraction: float
    box_world: OrientedBox
    world_from_body: Pose

    @property
    def has_box(self) -> bool:
        """Whether the 3D box is known."""
        return math.isfinite(self.box_world.outer_from_box.position_m[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """Pixel-perfect ground truth of one image.

    depth_m float32 (H, W), distance to the image plane, +inf where nothing is, nan where it is not known (data sets of
    other tools); semantic uint8 (H, W), 0 = void;
    instance uint16 (H, W), 0 = none. Raises ValueError where semantic != category_of[instance] on a thing pixel.
    """

    depth_m: NDArray[np.float32]
    semantic: NDArray[np.uint8]
    instance: NDArray[np.uint16]
    objects: tuple[ObjectTruth, ...]

    def __post_init__(self) -> None:
        shape = self.depth_m.shape
        if self.semantic.shape != shape or self.instance.shape != shape:
            raise ValueError(f"Truth needs three maps of one shape, got {shape}, {self.semantic.shape}, {self.instance.shape}.")
        dtypes = self.depth_m.dtype, self.semantic.dtype, self.instance.dtype
        if dtypes != (np.dtype(np.float32), np.dtype(np.uint8), np.dtype(np.uint16)):
            raise ValueError("Truth needs depth_m float32, semantic uint8 and instance uint16.")
        for array in (self.depth_m, self.semantic, self.instance):
            array.setflags(write=False)
        self._assert_labels_agree()

    def _assert_labels_agree(self) -> None:
        largest = int(self.instance.max(initial=0))
        instance = self.instance.astype(np.uint8) if largest < 256 else self.instance
        category_of = np.zeros(largest + 1, dtype=np.uint8)
        for record in self.objects:
            if record.instance_id < len(category_of):
                category_of[record.instance_id] = record.category_id
        # What each category must be found with: a thing with itself, everything else with no instance at all.
        thing_of = np.zeros(256, dtype=np.uint8)
        thing_of[[c.id for c in TAXONOMY.things]] = [c.id for c in TAXONOMY.things]
        wrong = look_up(category_of, instance) != look_up(thing_of, self.semantic)
        if not category_of[1:].all():
            wrong |= (self.instance > 0) & (category_of == 0)[self.instance]
        if wrong.any():
            v, u = (int(x[0]) for x in np.nonzero(wrong))
            raise ValueError(
                f"Labels disagree on {int(wrong.sum())} pixels, first at (u={u}, v={v}): "
                f"semantic {self.semantic[v, u]}, instance {self.instance[v, u]}."
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensed:
    """What a sensor profile puts beside a frame's truth; None where it has nothing to put.

    rgb_ideal uint8 (H, W, 3): the picture through the same lens before the sensor degraded it; depth_m float32 (H, W):
    what a depth camera would have measured, 0 where there is no return.
    """

    rgb_ideal: NDArray[np.uint8] | None = None
    depth_m: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        for array in (self.rgb_ideal, self.depth_m):
            if array is not None:
                array.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One image, rgb uint8 (H, W, 3), its camera, its time in seconds and its truth; `name` says which scene and view.

    `sensed` is what a sensor profile added, None for an ideal frame and for one that was read from disk.
    """

    name: str
    rgb: NDArray[np.uint8]
    camera: Camera
    truth: Truth
    time_s: float = 0.0
    sensed: Sensed | None = None

    def __post_init__(self) -> None:
        size = (self.camera.height, self.camera.width)
        if self.rgb.shape != (*size, 3) or self.rgb.dtype != np.uint8 or self.truth.semantic.shape != size:
            raise ValueError(f"Frame {self.name!r} needs uint8 rgb and truth of {size}, got {self.rgb.shape} {self.rgb.dtype}.")
        self.rgb.setflags(write=False)
