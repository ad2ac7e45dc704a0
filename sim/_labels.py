"""Replicator's ids and their json maps: 0 BACKGROUND, 1 UNLABELLED, labels from 2; read back only through the maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.taxonomy import TAXONOMY
from sim._lookup import values_in
from sim.frame import ObjectTruth

BACKGROUND, UNLABELLED, FIRST_LABEL = 0, 1, 2
_RESERVED = {"background": 0, "unlabelled": 0}

Labels = dict[str, dict[str, str]]


def prim_path(body_name: str) -> str:
    """Returns the path of a body's prim in the scene's stage."""
    return f"/World/{body_name}"


def semantic_to_ids(semantic: NDArray[np.uint8], depth_m: NDArray[np.float32]) -> tuple[NDArray[np.uint16], Labels]:
    """Returns Replicator's id map (H, W) and its label map; a category is always id + 1, so ids agree between frames."""
    ids = _shifted(semantic, depth_m)
    labels = {"0": {"class": "BACKGROUND"}, "1": {"class": "UNLABELLED"}}
    labels |= {str(c + 1): {"class": TAXONOMY[c].name} for c in values_in(semantic) if c > 0}
    return ids, labels


def semantic_from_ids(ids: NDArray[np.uint16], labels: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Returns category ids uint8 (H, W); raises ValueError or LookupError for an id or a label that is not known."""
    category_of = {}
    for key, value in labels.items():
        label = str(value["class"]).lower()
        category_of[int(key)] = _RESERVED[label] if label in _RESERVED else TAXONOMY.named(label).id
    return _look_up(ids, category_of).astype(np.uint8)


def instance_to_ids(
    instance: NDArray[np.uint16], depth_m: NDArray[np.float32], objects: Sequence[ObjectTruth]
) -> tuple[NDArray[np.uint16], dict[str, str], Labels]:
    """Returns Replicator's id map (H, W), id -> prim path and id -> label; stuff counts as UNLABELLED here."""
    if int(instance.max(initial=0)) == np.iinfo(np.uint16).max:
        raise ValueError("instance id 65535 does not fit a 16-bit map whose first label is 2")
    ids = _shifted(instance, depth_m)
    paths = {"0": "BACKGROUND", "1": "UNLABELLED"}
    labels = {key: {"class": value} for key, value in paths.items()}
    for record in objects:
        key = str(record.instance_id + 1)
        paths[key] = prim_path(record.body_name)
        labels[key] = {"class": TAXONOMY[record.category_id].name}
    return ids, paths, labels


def instance_from_ids(
    ids: NDArray[np.uint16], paths: Mapping[str, Any], objects: Sequence[ObjectTruth]
) -> NDArray[np.uint16]:
    """Returns instance ids uint16 (H, W) of the records by their prim paths; raises ValueError or LookupError."""
    instance_of_path = {prim_path(record.body_name): record.instance_id for record in objects}
    instance_of = {}
    for key, value in paths.items():
        instance_of[int(key)] = 0 if str(value).lower() in _RESERVED else instance_of_path[value]
    return _look_up(ids, instance_of)


def _shifted(labels: NDArray[np.unsignedinteger], depth_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Returns label + 1; where there is none, UNLABELLED if something is there and BACKGROUND if not."""
    ids = labels.astype(np.uint16)
    none = labels == 0
    ids += 1
    if none.any():
        ids[none & ~np.isfinite(depth_m)] = BACKGROUND
    return ids


def _look_up(ids: NDArray[np.uint16], value_of: Mapping[int, int]) -> NDArray[np.uint16]:
    known = np.zeros(np.iinfo(np.uint16).max + 1, dtype=bool)
    table = np.zeros(known.shape, dtype=np.uint16)
    for key, value in value_of.items():
        known[key], table[key] = True, value
    if not known[ids].all():
        missing = sorted(int(i) for i in np.unique(ids[~known[ids]]))
        raise ValueError(f"the id map has pixels of ids {missing}, which its json map does not name")
    return table[ids]
