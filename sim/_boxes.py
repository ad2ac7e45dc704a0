"""Replicator's box arrays, byte for byte: inclusive integer pixel boxes and oriented boxes with row-vector transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.taxonomy import TAXONOMY
from scenes.transforms import inverse, transform_points, vec3
from sim._labels import Labels, prim_path
from sim.frame import BoxPx, ObjectTruth

BOX_2D_DTYPE = np.dtype(
    [
        ("semanticId", "<u4"), ("x_min", "<i4"), ("y_min", "<i4"), ("x_max", "<i4"), ("y_max", "<i4"),
        ("occlusionRatio", "<f4"),
    ]
)  # fmt: skip
BOX_3D_DTYPE = np.dtype(
    [
        ("semanticId", "<u4"), ("x_min", "<f4"), ("y_min", "<f4"), ("z_min", "<f4"),
        ("x_max", "<f4"), ("y_max", "<f4"), ("z_max", "<f4"), ("transform", "<f4", (4, 4)), ("occlusionRatio", "<f4"),
    ]
)  # fmt: skip

# semanticId is an index into the labels of the same file, shared by all objects of a category.
BoxFiles = tuple[NDArray[np.void], Labels, list[str]]


def tight_boxes(objects: Sequence[ObjectTruth]) -> BoxFiles:
    """Returns (array, labels, prim paths) of the boxes of visible pixels; what shows no pixel is left out."""
    return _boxes_2d([(record, record.visible_box_px) for record in objects if record.visible_box_px is not None])


def loose_boxes(objects: Sequence[ObjectTruth]) -> BoxFiles:
    """Returns (array, labels, prim paths) of the boxes that the objects would have with nothing in front."""
    return _boxes_2d([(record, record.amodal_box_px) for record in objects])


def boxes_3d(objects: Sequence[ObjectTruth]) -> BoxFiles:
    """Returns (array, labels, prim paths): extents in the body's frame and the row-vector transform body -> world."""
    semantic_id, labels = _semantic_ids(objects)
    array = np.zeros(len(objects), dtype=BOX_3D_DTYPE)
    for row, record in zip(array, objects, strict=True):
        row["semanticId"] = semantic_id[record.category_id]
        lower, upper = _extents_in_body(record)
        row["x_min"], row["y_min"], row["z_min"] = lower
        row["x_max"], row["y_max"], row["z_max"] = upper
        row["transform"] = record.world_from_body.matrix().T
        row["occlusionRatio"] = 1.0 - record.visible_fraction
    return array, labels, [prim_path(record.body_name) for record in objects]


def _boxes_2d(rows: list[tuple[ObjectTruth, BoxPx]]) -> BoxFiles:
    semantic_id, labels = _semantic_ids([record for record, _ in rows])
    values: list[Any] = [(semantic_id[r.category_id], *box, 1.0 - r.visible_fraction) for r, box in rows]
    return np.array(values, dtype=BOX_2D_DTYPE), labels, [prim_path(record.body_name) for record, _ in rows]


def _semantic_ids(objects: Sequence[ObjectTruth]) -> tuple[dict[int, int], Labels]:
    categories = sorted({record.category_id for record in objects})
    labels = {str(i): {"class": TAXONOMY[category].name} for i, category in enumerate(categories)}
    return {category: i for i, category in enumerate(categories)}, labels


def _extents_in_body(record: ObjectTruth) -> tuple[tuple[float, ...], tuple[float, ...]]:
    body_from_world = inverse(record.world_from_body.matrix())
    corners_body = transform_points(body_from_world, record.box_world.corners())
    return vec3(corners_body.min(axis=0)), vec3(corners_body.max(axis=0))
