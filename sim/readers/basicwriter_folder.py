"""BasicWriter's folders without our manifest, as Isaac Sim's Replicator writes them; ids are read through the json beside them.

Read are its three layouts, ids or colours, and what there is of rgb, semantic_segmentation, instance_segmentation or
instance_id_segmentation, distance_to_image_plane or distance_to_camera, bounding_box_2d_tight, bounding_box_2d_loose,
bounding_box_3d and camera_params. Frames with our objects_N.json come back exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import DatasetError
from scenes.taxonomy import Category
from sim._png import decode_channels
from sim.basicwriter import decode_frame
from sim.frame import UNKNOWN_BOX, Frame, ObjectTruth
from sim.readers._files import decode_file
from sim.readers._isaac_boxes import Boxes, read_boxes
from sim.readers._isaac_camera import read_camera, why_no_camera
from sim.readers._isaac_pixels import read_depth, read_instances, read_semantic
from sim.readers._isaac_survey import absent_of, metadata_of, remarks_of
from sim.readers._layouts import Listing, list_frames
from sim.readers.foreign import object_of_mask, projected_px, truth_of
from sim.readers.labels import LabelMap


@dataclass(frozen=True, kw_only=True)
class BasicWriterReader:
    """A ForeignReader; the frames of the listing are in order of step and then of render product."""

    folder: Path
    listing: Listing
    labels: LabelMap
    kind = "isaac-basicwriter"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """FOLDER/STEP/PRODUCT, so that the views of one step count as one scene."""
        root = self.folder.resolve().name
        return tuple(f"{root}/{files.number}/{files.product or 'view'}" for files in self.listing.frames)

    @cached_property
    def absent(self) -> dict[str, str]:
        """Returns what the frames lack, by the files of the first of each render product, and the labels without category."""
        return absent_of(self.listing, self.labels, self.size)

    @cached_property
    def remarks(self) -> dict[str, str]:
        """Returns what was left out, inferred and not read."""
        return remarks_of(self.folder, self.listing, self.labels, self.size)

    @cached_property
    def writer(self) -> tuple[str, int]:
        """The version and the seed that metadata.txt states."""
        found = metadata_of(self.folder)
        return found.version, found.seed

    def paths(self, number: int) -> list[Path]:
        """Returns the files of one frame."""
        return sorted(self.listing.frames[number].members.values())

    def rgb(self, number: int) -> NDArray[np.uint8]:
        """Reads the image, uint8 (H, W, 3)."""
        files = self.listing.frames[number]
        if files.image is None:
            raise DatasetError(f"{files.folder} has no image of {files.title}, though other frames have one.")
        return decode_file(files.image, decode_channels)

    def size(self, number: int) -> tuple[int, int]:
        """Reads the width and height of one image."""
        height, width, _ = self.rgb(number).shape
        return width, height

    def camera(self, number: int) -> Camera:
        """Reads the camera; where it is not known a NominalCamera stands in, with the reason."""
        return read_camera(self.listing.frames[number], self.size(number))

    def frame(self, number: int) -> Frame:
        """Reads one frame; raises DatasetError naming the file that is damaged, missing, or does not fit the others."""
        files = self.listing.frames[number]
        if files.missing:
            raise DatasetError(
                f"{files.folder} lacks {', '.join(files.missing)}, which the other frames have: "
                f"restore it, or take the other files of {files.title} away."
            )
        if files.find("objects", "json"):
            return decode_frame(int(files.number), files.read_as_flat)
        rgb = self.rgb(number)
        size = rgb.shape[1], rgb.shape[0]
        camera = read_camera(files, size)
        try:
            boxes = read_boxes(files, size)
            shape = rgb.shape[:2]
            semantic = read_semantic(files, shape, self.labels)
            labelled = {path: about.label for path, about in boxes.items()}
            instance, found = read_instances(files, shape, self.labels, labelled)
            found += _without_mask(boxes, found, self.labels)
            objects = _objects(instance, found, boxes, camera)
            truth = truth_of(read_depth(files, camera), semantic, instance, objects)
            return Frame(name=self.names[number], rgb=rgb, camera=camera, truth=truth)
        except ValueError as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(f"The files of {files.title} in {files.folder} do not fit together: {error}") from error


def _without_mask(
    boxes: dict[str, Boxes], found: list[tuple[str, Category]], labels: LabelMap
) -> list[tuple[str, Category]]:
    """Returns the things that only the box files name: hidden ones, and all where there is no instance_segmentation."""
    seen = {path for path, _ in found}
    more = [(path, labels.category(about.label)) for path, about in boxes.items() if path not in seen]
    return [(path, category) for path, category in more if category.is_thing]


def _objects(
    instance: NDArray[np.uint16], found: list[tuple[str, Category]], boxes: dict[str, Boxes], camera: Camera
) -> tuple[ObjectTruth, ...]:
    """Returns the records of what shows, or whose box is known; a 3D box in the world is no truth of a view without camera."""
    in_view = not why_no_camera(camera)
    records = []
    for number, (path, category) in enumerate(found, start=1):
        about = boxes.get(path, Boxes())
        around = about.loose
        if around is None and in_view and about.box_world is not UNKNOWN_BOX:
            around = projected_px(camera, about.box_world)
        records.append(object_of_mask(
            instance, number, category, path.removeprefix("/World/"),
            visible=about.tight, amodal=around, visible_fraction=about.visible_fraction,
            box_world=about.box_world if in_view else UNKNOWN_BOX,
            world_from_body=about.world_from_body if in_view else None,
        ))  # fmt: skip
    return tuple(record for record in records if record is not None)


def find_basicwriter(folder: Path, labels: LabelMap) -> BasicWriterReader | None:
    """Returns the reader of a folder, None where nothing of BasicWriter is there; reads names and the last frame.

    Raises DatasetError where BasicWriter wrote something that is no data set: no whole frame, or no images.
    """
    listing = list_frames(folder)
    if listing.frames:
        return BasicWriterReader(folder=folder, listing=listing, labels=labels)
    if listing.left_out:
        raise DatasetError(f"{folder} has no whole frame of BasicWriter: {'; '.join(listing.left_out)}.")
    if listing.without_image:
        raise DatasetError(
            f"{folder} has files of BasicWriter but no images ({'; '.join(listing.without_image)}): "
            "write it again with rgb=True."
        )
    if metadata_of(folder).name == "BasicWriter":
        raise DatasetError(f"{folder} was begun by BasicWriter (metadata.txt says so) and has no frame.")
    return None
