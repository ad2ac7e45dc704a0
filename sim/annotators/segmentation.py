"""Id maps with the labels that explain them: Replicator's three kinds, their coloured forms, and COCO's panoptic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.scene import Scene
from scenes.taxonomy import TAXONOMY
from sim._labels import FIRST_LABEL, prim_path
from sim.frame import Frame, Truth
from sim.layers import Layers, visible_parts
from sim.pictures import instance_colour

# COCO's ids share one image: stuff has its category's, the k-th thing has this plus k.
FIRST_THING_SEGMENT = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segmentation:
    """An id map, uint16 (H, W) (RGBA uint8 (H, W, 4) where coloured), and its maps by json file: id -> label."""

    ids: NDArray[np.uint16] | NDArray[np.uint8]
    maps: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panoptic:
    """COCO panoptic: ids int32 (H, W), 0 = void, and the json of one image (images, annotations, categories)."""

    ids: NDArray[np.int32]
    record: dict[str, Any]


def leaf_ids(truth: Truth, layers: Layers, scene: Scene) -> Segmentation:
    """Returns Replicator's `instance_id_segmentation`: an id from 2 on for every leaf prim, id -> prim path for those seen."""
    if int(layers.parts.max(initial=0)) >= np.iinfo(np.uint16).max:
        raise ValueError("part 65535 does not fit a 16-bit map whose first label is 2")
    parts = visible_parts(scene)
    paths = {"0": "BACKGROUND", "1": "UNLABELLED"}
    for k in np.unique(layers.parts[layers.parts > 0]):
        body, part = parts[int(k) - 1]
        paths[str(int(k) + 1)] = f"{prim_path(body.name)}/{part.name}"
    ids = np.where(layers.parts > 0, layers.parts + np.uint16(1), np.isfinite(truth.depth_m).astype(np.uint16))
    return Segmentation(ids=ids.astype(np.uint16), maps=(paths,))


def coloured(segmentation: Segmentation) -> Segmentation:
    """Returns Replicator's colorize=True form: RGBA and the same maps keyed by "(r, g, b, a)".

    BACKGROUND is (0, 0, 0, 0), UNLABELLED (0, 0, 0, 255). Replicator's palette differs from version to version, so a
    reader goes through the json. Ours gives an id the same colour in every frame where no lower id of the frame has it.
    """
    colour_of = _palette(sorted({int(i) for i in np.unique(segmentation.ids)} | {int(k) for m in segmentation.maps for k in m}))
    table = np.zeros((max(colour_of) + 1, 4), dtype=np.uint8)
    for i, colour in colour_of.items():
        table[i] = colour
    maps = tuple({str(colour_of[int(key)]): value for key, value in m.items()} for m in segmentation.maps)
    return Segmentation(ids=table[segmentation.ids], maps=maps)


def panoptic(frame: Frame, number: int = 0) -> Panoptic:
    """Returns the frame as COCO panoptic; unlabelled pixels are void. `bbox` is [x, y, width, height] in pixels."""
    truth = frame.truth
    ids = np.where(truth.instance > 0, truth.instance.astype(np.int32) + FIRST_THING_SEGMENT, truth.semantic)
    height, width = ids.shape
    segments = []
    for segment in np.unique(ids[ids > 0]):
        v, u = np.nonzero(ids == segment)
        segments.append({
            "id": int(segment), "category_id": int(truth.semantic[v[0], u[0]]), "area": len(u), "iscrowd": 0,
            "bbox": [int(u.min()), int(v.min()), int(np.ptp(u)) + 1, int(np.ptp(v)) + 1],
        })  # fmt: skip
    record = {
        "images": [{"id": number, "file_name": f"rgb_{number:04d}.png", "width": width, "height": height}],
        "annotations": [{"image_id": number, "file_name": f"panoptic_{number:04d}.png", "segments_info": segments}],
        "categories": [
            {"id": c.id, "name": c.name, "isthing": int(c.is_thing), "supercategory": c.kind, "color": list(c.colour)}
            for c in TAXONOMY
            if c.kind != "void"
        ],
    }
    return Panoptic(ids=ids.astype(np.int32), record=record)


def _palette(ids: list[int]) -> dict[int, tuple[int, int, int, int]]:
    """Returns distinct colours; where two ids would share one, the later moves on by one step of blue."""
    colours: dict[int, tuple[int, int, int, int]] = {0: (0, 0, 0, 0), 1: (0, 0, 0, 255)}
    taken = set(colours.values())
    for i in ids:
        if i >= FIRST_LABEL:
            red, green, blue = instance_colour(i)
            while (red, green, blue, 255) in taken:
                blue = (blue + 1) % 256
            colours[i] = red, green, blue, 255
            taken.add(colours[i])
    return colours
