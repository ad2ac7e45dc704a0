"""BasicWriter's folders without our manifest, as Isaac Sim's Replicator writes them; ids are read through the json beside them.

Read are its three layouts (flat; one folder per render product; annotator folders with the product in the file names),
ids or colours, and what there is of rgb, semantic_segmentation, instance_segmentation, distance_to_image_plane or
distance_to_camera, bounding_box_2d_tight, bounding_box_2d_loose, bounding_box_3d and camera_params. Frames with our
objects_N.json come back exactly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import DatasetError
from sim._png import decode_channels
from sim.basicwriter import decode_frame
from sim.frame import Frame
from sim.readers._isaac_files import Files, read_boxes, read_camera, read_depth, read_instances, read_semantic
from sim.readers.foreign import nominal_camera, object_of_mask, truth_of

_RGB = re.compile(r"(?P<product>.*?)_?rgb_(?P<number>[\d_]+)\.\w+$")


@dataclass(frozen=True, kw_only=True)
class BasicWriterReader:
    """A ForeignReader; `frames` are the files of each frame, by step and then by render product."""

    folder: Path
    frames: tuple[Files, ...]
    kind = "isaac-basicwriter"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """FOLDER/STEP/PRODUCT, so that the views of one step count as one scene."""
        root = self.folder.resolve().name
        return tuple(f"{root}/{files.number}/{files.product or 'view'}" for files in self.frames)

    @cached_property
    def absent(self) -> dict[str, str]:
        """Returns what the first frame lacks; BasicWriter writes the same files for every frame."""
        files = self.frames[0]
        if files.find("objects", "json"):
            return {}
        lost = {}
        for what, kinds, else_ in (
            ("semantic labels", ("semantic_segmentation", "instance_segmentation"), "everything is void"),
            ("instances", ("instance_segmentation",), "things, which cannot be told apart, are void"),
            ("depth", ("distance_to_image_plane", "distance_to_camera"), "it is not known"),
            ("cameras", ("camera_params",), "a nominal one stands in"),
            ("3D boxes", ("bounding_box_3d",), "they are not known"),
            ("amodal boxes", ("bounding_box_2d_loose",), "the visible boxes stand in"),
        ):
            if not any(files.usable(kind) for kind in kinds):
                lost[what] = f"no {' or '.join(kinds)} with its json; {else_}"
        if "cameras" in lost and "depth" not in lost and not files.usable("distance_to_image_plane"):
            lost["depth"] = "distance_to_camera without camera_params cannot be turned into depth"
        if "instances" in lost and "3D boxes" not in lost:
            lost["3D boxes"] = "no instance_segmentation to join them to"
        unknown = sorted({label for frame in self.frames for label in frame.unknown_labels()})
        if unknown:
            lost["categories"] = (
                f"{', '.join(unknown[:8])}{', ...' if len(unknown) > 8 else ''} are not in the taxonomy: void"
            )
        return lost

    def paths(self, number: int) -> list[Path]:
        """Returns the files of one frame."""
        return self.frames[number].paths()

    def rgb(self, number: int) -> NDArray[np.uint8]:
        """Reads the image, uint8 (H, W, 3)."""
        return self.frames[number].decode("rgb", None, decode_channels)

    def camera(self, number: int) -> Camera:
        """Reads the camera, or returns a nominal one where there is none."""
        camera = read_camera(self.frames[number])
        if camera is None:
            height, width, _ = self.rgb(number).shape
            return nominal_camera(width, height)
        return camera

    def frame(self, number: int) -> Frame:
        """Reads one frame."""
        files = self.frames[number]
        if files.find("objects", "json"):
            return decode_frame(int(files.number), files.read_as_flat)
        rgb, camera = self.rgb(number), self.camera(number)
        shape = rgb.shape[:2]
        try:
            stuff = read_semantic(files, shape)
            instance, found = read_instances(files, shape)
            boxes = read_boxes(files)
            objects = [
                object_of_mask(instance, k, category, path.removeprefix("/World/"), **boxes.get(path, {}))
                for k, (path, category) in enumerate(found, start=1)
            ]
            truth = truth_of(
                read_depth(files, camera), stuff, instance, tuple(record for record in objects if record is not None)
            )
            return Frame(name=self.names[number], rgb=rgb, camera=camera, truth=truth)
        except ValueError as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(f"The files of frame {self.names[number]} do not fit together: {error}") from error


def find_basicwriter(folder: Path) -> BasicWriterReader | None:
    """Returns the reader of a folder, None where no image of BasicWriter is there; reads names only."""
    frames = _flat(folder) or _folder_per_product(folder) or _folder_per_annotator(folder)
    if not frames:
        return None
    ordered = sorted(frames, key=lambda files: (int(re.sub(r"\D", "", files.number)), files.product))
    return BasicWriterReader(folder=folder, frames=tuple(ordered))


def _flat(folder: Path) -> list[Files]:
    return [Files(folder=folder, product="", number=number, nested=False) for _, number in _images(folder) if not _]


def _folder_per_product(folder: Path) -> list[Files]:
    products = sorted(path for path in folder.iterdir() if (path / "rgb").is_dir())
    return [
        Files(folder=product, product=product.name, number=number, nested=True)
        for product in products
        for _, number in _images(product / "rgb")
    ]


def _folder_per_annotator(folder: Path) -> list[Files]:
    if not (folder / "rgb").is_dir():
        return []
    return [
        Files(folder=folder, product=product, number=number, nested=True, prefix=f"{product}_" if product else "")
        for product, number in _images(folder / "rgb")
    ]


def _images(folder: Path) -> Sequence[tuple[str, str]]:
    """Returns (render product, number) of every image in a folder."""
    found = (_RGB.match(path.name) for path in sorted(folder.glob("*rgb_*.*")))
    return [(match["product"], match["number"]) for match in found if match]
