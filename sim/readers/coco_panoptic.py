"""COCO panoptic as frames: images, one json of segments and one PNG of ids each; no depth, no cameras, no 3D.

Found are our own export, COCO's layout (annotations/panoptic_val2017.json, annotations/panoptic_val2017/, val2017/), and
any folder with one panoptic*.json in it or in annotations/, its PNGs in a folder of the same name beside it, the images
in images/ or in a folder named as the json without `panoptic_`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import DatasetError
from scenes.taxonomy import Category
from sim._png import decode_channels
from sim.frame import Frame, ObjectTruth
from sim.readers.foreign import nominal_camera, object_of_mask, truth_of
from sim.readers.labels import NO_CATEGORY, LabelMap

_FOREVER = "COCO panoptic has none"


@dataclass(frozen=True, kw_only=True)
class CocoPanopticReader:
    """A ForeignReader; `images` and `annotations` are the json's rows, in the order of the image ids."""

    json_path: Path
    picture_folder: Path
    image_folder: Path
    images: tuple[dict[str, Any], ...]
    annotations: tuple[dict[str, Any], ...]
    category_of: dict[int, Category]
    unknown: str = field(default="")
    unused: tuple[str, ...] = field(default=())
    kind = "coco-panoptic"
    writer = ("unknown", 0)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that our export wrote, else the files' names."""
        return tuple(str(row.get("name", Path(str(row["file_name"])).stem)) for row in self.images)

    @property
    def absent(self) -> dict[str, str]:
        """Returns what COCO panoptic cannot hold, and the categories that the taxonomy does not have."""
        lost = {"depth": _FOREVER, "cameras": f"{_FOREVER}; a nominal one stands in", "3D boxes": _FOREVER}
        lost |= {"amodal boxes and visible fractions": f"{_FOREVER}; the visible boxes stand in"}
        if self.unknown:
            lost["categories"] = self.unknown
        return lost

    @property
    def remarks(self) -> dict[str, str]:
        """Returns what of the user's labels no category needs."""
        return {"labels": f"{', '.join(self.unused)}: mapped, but no category of that name"} if self.unused else {}

    def paths(self, number: int) -> list[Path]:
        """Returns the image and the picture of ids."""
        image, annotation = self.images[number], self.annotations[number]
        return [self.image_folder / str(image["file_name"]), self.picture_folder / str(annotation["file_name"])]

    def rgb(self, number: int) -> NDArray[np.uint8]:
        """Reads the image, uint8 (H, W, 3)."""
        return _read(self.paths(number)[0])

    def camera(self, number: int) -> Camera:
        """Returns a nominal camera."""
        return nominal_camera(int(self.images[number]["width"]), int(self.images[number]["height"]), reason=_FOREVER)

    def frame(self, number: int) -> Frame:
        """Reads one frame; crowds and categories that are not in the taxonomy are void."""
        rgb = self.rgb(number)
        picture = _read(self.paths(number)[1]).astype(np.int64)
        ids = picture[..., 0] + (picture[..., 1] << 8) + (picture[..., 2] << 16)
        stuff, instance = np.zeros(ids.shape, dtype=np.uint8), np.zeros(ids.shape, dtype=np.uint16)
        objects: list[ObjectTruth] = []
        try:
            for segment in self.annotations[number]["segments_info"]:
                mask = ids == int(segment["id"])
                category = self.category_of.get(int(segment["category_id"]), NO_CATEGORY)
                if category.kind == "stuff":
                    stuff[mask] = category.id
                elif category.is_thing and not segment.get("iscrowd", 0):
                    instance[mask] = len(objects) + 1
                    record = object_of_mask(instance, len(objects) + 1, category, f"segment_{int(segment['id'])}")
                    objects += [record] if record is not None else []
            truth = truth_of(None, stuff, instance, tuple(objects))
            return Frame(name=self.names[number], rgb=rgb, camera=self.camera(number), truth=truth)
        except (ValueError, LookupError, TypeError) as error:
            raise DatasetError(f"{self.json_path} is damaged at image {self.names[number]}: {error!r}.") from error


def find_coco_panoptic(folder: Path, mapping: LabelMap) -> CocoPanopticReader | None:
    """Returns the reader of a folder, None where no panoptic json is there; raises DatasetError where it is not usable."""
    found = [path for part in (".", "annotations") for path in sorted((folder / part).glob("panoptic*.json"))]
    if not found:
        return None
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise DatasetError(f"{folder} holds several panoptic data sets ({names}): give a folder with one of them.")
    path = found[0]
    try:
        whole = json.loads(path.read_bytes())
        images = tuple(sorted(whole["images"], key=lambda row: int(row["id"])))
        by_image = {int(row["image_id"]): row for row in whole["annotations"]}
        annotations = tuple(by_image[int(row["id"])] for row in images)
        labels = {int(row["id"]): str(row["name"]) for row in whole["categories"]}
        if not images or "segments_info" not in annotations[0]:
            raise ValueError("it has no images with segments")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path} is not a COCO panoptic json: {error!r}.") from error
    category_of = {key: mapping.category(label) for key, label in labels.items()}
    split = path.stem.removeprefix("panoptic").lstrip("_")
    named = (folder / split, folder / "images" / split) if split else ()
    return CocoPanopticReader(
        json_path=path,
        picture_folder=_folder(path, (path.with_suffix(""), path.parent / "panoptic"), "pictures of ids"),
        image_folder=_folder(path, (*named, folder / "images"), "images"),
        images=images,
        annotations=annotations,
        category_of=category_of,
        unknown=mapping.describe_unknown(labels.values()),
        unused=mapping.unused(labels.values()),
    )


def _folder(json_path: Path, candidates: tuple[Path, ...], what: str) -> Path:
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates)
    raise DatasetError(f"The {what} of {json_path} are not there; looked for: {looked}.")


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        return decode_channels(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"Cannot read {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise DatasetError(f"{path} is damaged: {error}.") from error
