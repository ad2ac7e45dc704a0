"""COCO instances and COCO panoptic from one data set; masks are exact, ids follow panopticapi: id = R + 256 G + 65536 B.

    OUT/images/000000.png                    RGB
    OUT/annotations/instances.json           one annotation per object that shows a pixel
    OUT/annotations/panoptic.json            one segment per object and per stuff category
    OUT/annotations/panoptic/000000.png      the segments' ids

Formats: cocodataset.org/#format-data, and Kirillov et al., "Panoptic Segmentation" (2019).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.taxonomy import TAXONOMY
from sim._png import encode_rgba
from sim.dataset import Dataset
from sim.formats.exporter import Record, part_per_frame
from sim.formats.outline import outlines, simplified
from sim.formats.rle import encode_rle
from sim.frame import Frame, ObjectTruth

POLYGON_TOLERANCE_PX = 0.75
# Odd, so that multiplying by it modulo 2^24 maps no two ids to one.
_SPREAD = 0x9E3779


class CocoExport:
    """An Exporter; `polygons` writes instances as polygons instead of run lengths, which loses holes."""

    def __init__(self, dataset: Dataset, *, polygons: bool = False) -> None:
        self._dataset = dataset
        self._polygons = polygons
        self.parts = part_per_frame(len(dataset))

    def write_part(self, part: int, folder: Path) -> Record:
        """Writes the image and the panoptic picture of one frame."""
        frame = self._dataset[part]
        name = f"{part:06d}.png"
        segments = segment_numbers(frame)
        for path, pixels in (("images", frame.rgb), ("annotations/panoptic", _id_colours(spread(segments)))):
            (folder / path).mkdir(parents=True, exist_ok=True)
            (folder / path / name).write_bytes(encode_rgba(pixels))
        image = {"id": part, "file_name": name, "width": frame.camera.width, "height": frame.camera.height}
        instances = [self._instance(frame, r) for r in frame.truth.objects if r.visible_box_px is not None]
        return {
            "image": image | {"name": frame.name},
            "instances": instances,
            "segments": [_segment(segments, int(value)) for value in np.unique(segments) if value],
        }

    def finish(self, folder: Path, records: Sequence[Record]) -> None:
        """Writes the two annotation files; annotations are numbered from 1 through all frames."""
        first = {"info": self._info(), "licenses": []}
        things = [row for row in categories() if row["isthing"]]
        rows = ({"image_id": r["image"]["id"], **row} for r in records for row in r["instances"])
        numbered = ({"id": k, **row} for k, row in enumerate(rows, start=1))
        images = (r["image"] for r in records)
        lists = {"images": images, "annotations": numbered, "categories": iter(things)}
        _write_json(folder / "annotations/instances.json", first, lists)
        segments = (
            {"image_id": r["image"]["id"], "file_name": r["image"]["file_name"], "segments_info": r["segments"]}
            for r in records
        )
        images = (r["image"] for r in records)
        lists = {"images": images, "annotations": segments, "categories": iter(categories())}
        _write_json(folder / "annotations/panoptic.json", first, lists)

    def notes(self, records: Sequence[Record]) -> list[str]:
        """Says what COCO has no place for."""
        lost = ["COCO has no place for depth, 3D boxes, cameras and wholly hidden objects: they are left out."]
        holes = sum(row.get("holes", 0) > 0 for r in records for row in r["instances"])
        if holes:
            lost.append(f"{holes} objects have holes, which polygons fill; run lengths (the default) keep them.")
        return lost

    def _info(self) -> dict[str, Any]:
        m = self._dataset.manifest
        return {
            "description": f"{m.suite}-v{m.suite_version}/{m.split}/seed{m.seed}, {len(m.frames)} frames",
            "version": "1.0", "contributor": f"Rehearse {m.generator.rehearse}", "url": "", "year": 0, "date_created": "",
        }  # fmt: skip

    def _instance(self, frame: Frame, record: ObjectTruth) -> dict[str, Any]:
        mask = frame.truth.instance == record.instance_id
        row: dict[str, Any] = {
            "category_id": record.category_id, "iscrowd": 0, "area": int(mask.sum()), "bbox": _box(mask),
            "segmentation": encode_rle(mask), "instance_id": record.instance_id, "body_name": record.body_name,
            "visible_fraction": record.visible_fraction if math.isfinite(record.visible_fraction) else None,
        }  # fmt: skip
        if self._polygons:
            found = outlines(mask)
            row["segmentation"] = [simplified(loop, POLYGON_TOLERANCE_PX).reshape(-1).tolist() for loop in found.parts]
            row["holes"] = len(found.holes)
        return row


def segment_numbers(frame: Frame) -> NDArray[np.int64]:
    """Returns the segment of every pixel, int64 (H, W): instance * 256 + category, 0 where nothing is labelled."""
    return frame.truth.instance.astype(np.int64) * 256 + frame.truth.semantic


def spread(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the ids written for segments: other numbers below 2^24, all different, 0 for 0, that look different too."""
    return numbers * _SPREAD % (1 << 24)


def categories() -> list[dict[str, Any]]:
    """Returns the taxonomy as COCO's `categories`, without void."""
    return [
        {"id": c.id, "name": c.name, "supercategory": c.kind, "isthing": int(c.is_thing), "color": list(c.colour)}
        for c in TAXONOMY
        if c.kind != "void"
    ]


def _segment(segments: NDArray[np.int64], value: int) -> dict[str, Any]:
    mask = segments == value
    written = int(spread(np.array(value)))
    return {"id": written, "category_id": value & 255, "area": int(mask.sum()), "bbox": _box(mask), "iscrowd": 0}


def _box(mask: NDArray[np.bool_]) -> list[int]:
    """Returns COCO's [x, y, width, height] of a mask that is not empty."""
    u, v = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return [int(u[0]), int(v[0]), int(u[-1] - u[0]) + 1, int(v[-1] - v[0]) + 1]


def _id_colours(ids: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.stack([ids & 255, (ids >> 8) & 255, ids >> 16], axis=-1).astype(np.uint8)


def _write_json(path: Path, first: dict[str, Any], lists: dict[str, Iterator[Any]]) -> None:
    """Writes one object, `first` and then the lists, holding one row at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(first, allow_nan=False).removesuffix("}"))
        for key, rows in lists.items():
            file.write(f', "{key}": [')
            for k, row in enumerate(rows):
                file.write((", " if k else "") + json.dumps(row, allow_nan=False))
            file.write("]")
        file.write("}")
