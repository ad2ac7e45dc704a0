"""A data set that Rehearse did not write: what is there is read as a Frame, what is not there is named with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.camera import Camera
from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY, Category
from scenes.transforms import Pose, inverse
from sim.dataset import Dataset
from sim.frame import UNKNOWN_BOX, BoxPx, Frame, ObjectTruth, Truth
from sim.manifest import FrameEntry, Generator, Manifest
from sim.pictures import box_segments
from sim.readers.labels import LabelMap, read_labels


@dataclass(frozen=True, slots=True, kw_only=True)
class NominalCamera(Camera):
    """Stands in where the intrinsics are not known, so that an image can be looked at; `reason` says why.

    53 degrees wide, at the origin. Nothing that counts as truth may be derived from it.
    """

    reason: str = ""


class ForeignReader(Protocol):
    """Reads one layout; frames are counted from 0 in a stable order."""

    @property
    def kind(self) -> str:
        """What wrote the data set, in a word or two."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The frames' names, `scene/view`, unique."""
        ...

    @property
    def absent(self) -> dict[str, str]:
        """What these frames do not have, with a reason each."""
        ...

    @property
    def remarks(self) -> dict[str, str]:
        """What was found that a user should know of: inferred, repaired, left out, not read."""
        ...

    @property
    def writer(self) -> tuple[str, int]:
        """The writer's version and the seed, as far as the folder says them; "unknown" and 0 otherwise."""
        ...

    def paths(self, number: int) -> list[Path]:
        """Returns the files of one frame."""
        ...

    def rgb(self, number: int) -> NDArray[np.uint8]:
        """Reads the image, uint8 (H, W, 3)."""
        ...

    def camera(self, number: int) -> Camera:
        """Reads the camera, or returns a nominal one where there is none."""
        ...

    def frame(self, number: int) -> Frame:
        """Reads one frame; depth that is not there is nan, boxes that are not there are UNKNOWN_BOX."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignDataset(Dataset):
    """A Dataset on a reader; its manifest says only how many frames there are, and nothing can be checked by digest."""

    reader: ForeignReader

    @property
    def absent(self) -> dict[str, str]:
        """What the frames do not have, with a reason each."""
        return self.reader.absent

    @property
    def remarks(self) -> dict[str, str]:
        """What was inferred, repaired, left out or not read."""
        return self.reader.remarks

    def __getitem__(self, index: SupportsIndex) -> Frame:
        """Reads one frame; raises IndexError beyond the end and DatasetError naming the file that is wrong."""
        return self.reader.frame(self._number(index))

    def camera(self, index: SupportsIndex) -> Camera:
        """Reads only the camera of one frame."""
        return self.reader.camera(self._number(index))

    def rgb(self, index: SupportsIndex) -> NDArray[np.uint8]:
        """Reads only the image, uint8 (H, W, 3), of one frame."""
        return self.reader.rgb(self._number(index))

    def files(self, index: SupportsIndex) -> Iterator[tuple[str, bytes]]:  # noqa: ARG002  # the base class has it
        """Raises DatasetError: the files of this layout are not those of ours."""
        raise DatasetError(
            f"{self.path} was not written by Rehearse, so its files cannot be copied as they are: convert it to coco or yolo."
        )

    def verify(self) -> None:
        """Reads every frame; raises DatasetError for the first that cannot be read."""
        for number in range(len(self)):
            self.reader.frame(number)


def open_foreign(folder: Path, labels: Path | None = None) -> ForeignDataset | None:
    """Returns the data set of a folder that another tool wrote, None where the layout is not known.

    `labels` is a mapping of the user's labels to our categories, see `sim.readers.labels`.
    """
    from sim.readers.basicwriter_folder import find_basicwriter
    from sim.readers.coco_panoptic import find_coco_panoptic
    from sim.readers.pose_writer import find_pose_writer

    mapping = LabelMap() if labels is None else read_labels(labels)
    finders = (find_basicwriter, find_pose_writer, find_coco_panoptic)
    try:
        found: Iterator[ForeignReader | None] = (find(folder, mapping) for find in finders)
        reader = next((reader for reader in found if reader is not None), None)
        return None if reader is None else ForeignDataset(path=folder, manifest=_manifest(folder, reader), reader=reader)
    except OSError as error:
        raise DatasetError(f"Cannot read {error.filename or folder}: {error.strerror or error}.") from error


def _manifest(folder: Path, reader: ForeignReader) -> Manifest:
    height, width, _ = reader.rgb(0).shape
    sizes = [sum(p.stat().st_size for p in reader.paths(k) if p.exists()) for k in range(len(reader.names))]
    version, seed = reader.writer
    return Manifest(
        suite=folder.resolve().name,
        suite_version=0,
        split="test",
        seed=seed,
        size=(width, height),
        stages=False,
        generator=Generator(rehearse="none", backend=reader.kind, backend_version=version),
        frames=tuple(
            FrameEntry(name=name, scene_digest="", attempt=0, files={}, size_bytes=size)
            for name, size in zip(reader.names, sizes, strict=True)
        ),
        rejected={},
    )


def nominal_camera(width: int, height: int, *, reason: str) -> NominalCamera:
    """Returns the camera that stands in where none is known: 53 degrees wide, at the origin."""
    centre = (width - 1) / 2, (height - 1) / 2
    return NominalCamera(
        name="unknown", width=width, height=height, fx=float(width), fy=float(width), cx=centre[0], cy=centre[1],
        world_from_camera=Pose(), reason=reason,
    )  # fmt: skip


def object_of_mask(
    instance: NDArray[np.uint16],
    number: int,
    category: Category,
    name: str,
    *,
    visible: BoxPx | None = None,
    amodal: BoxPx | None = None,
    visible_fraction: float = float("nan"),
    box_world: OrientedBox = UNKNOWN_BOX,
    world_from_body: Pose | None = None,
) -> ObjectTruth | None:
    """Returns the record of instance `number`, None where neither a pixel of it nor a box in the image is known.

    `visible` is the box of its visible pixels where a file says it; a mask says it better.
    """
    mask = instance == number
    u, v = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    visible = (int(u[0]), int(v[0]), int(u[-1]), int(v[-1])) if len(u) else visible
    if visible is None and amodal is None:
        return None
    return ObjectTruth(
        instance_id=number,
        category_id=category.id,
        body_name=name,
        visible_box_px=visible,
        amodal_box_px=amodal or visible or (0, 0, 0, 0),
        visible_fraction=visible_fraction,
        box_world=box_world,
        world_from_body=world_from_body or box_world.outer_from_box,
    )


def projected_px(camera: Camera, box_world: OrientedBox) -> BoxPx | None:
    """Returns the inclusive pixel box around the projected 3D box, clipped to the image; None where it is out of view."""
    box_camera = box_world.moved(inverse(camera.world_from_camera.matrix()))
    ends = box_segments(camera, box_camera).reshape(-1, 2)
    if not len(ends) or not np.isfinite(ends).all():
        return None
    last = np.array([camera.width - 1, camera.height - 1])
    low, high = np.ceil(ends.min(axis=0)), np.floor(ends.max(axis=0))
    low, high = np.clip(low, 0, last + 1), np.clip(high, -1, last)
    return (int(low[0]), int(low[1]), int(high[0]), int(high[1])) if (low <= high).all() else None


def truth_of(
    depth_m: NDArray[np.float32] | None,
    stuff: NDArray[np.uint8],
    instance: NDArray[np.uint16],
    objects: tuple[ObjectTruth, ...],
) -> Truth:
    """Returns a Truth: things by their instances, `stuff` categories elsewhere, nan depth where there is none."""
    category_of = np.zeros(int(instance.max(initial=0)) + 1, dtype=np.uint8)
    for record in objects:
        if record.instance_id < len(category_of):
            category_of[record.instance_id] = record.category_id
    is_stuff = np.zeros(256, dtype=bool)
    is_stuff[[c.id for c in TAXONOMY.stuff]] = True
    semantic = np.where(instance > 0, category_of[instance], np.where(is_stuff[stuff], stuff, 0)).astype(np.uint8)
    unknown = np.full(instance.shape, np.nan, dtype=np.float32)
    return Truth(depth_m=unknown if depth_m is None else depth_m, semantic=semantic, instance=instance, objects=objects)
