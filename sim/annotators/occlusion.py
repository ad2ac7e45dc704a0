"""Who is hidden, by how much and by whom, counted in pixels of amodal masks; masks travel as COCO's run lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.scene import Body, Part, Scene, SceneId
from scenes.taxonomy import TAXONOMY
from sim._labels import prim_path
from sim.frame import Truth
from sim.layers import Layers, ObjectMask, visible_parts

OCCLUSION_DTYPE = np.dtype([("instanceId", "<u4"), ("semanticId", "<u4"), ("occlusionRatio", "<f4")])


def occlusion(truth: Truth, layers: Layers, scene: Scene, camera: Camera) -> NDArray[np.void]:
    """Returns Replicator's `occlusion`, 12 bytes a row: one row per leaf mesh of a thing in view, 0 to 1 fully hidden.

    `instanceId` is the leaf's in `instance_id_segmentation`, `semanticId` the category's in `semantic_segmentation`. What
    hides a leaf may be another leaf of its own object. Rows are in order of instanceId; a leaf that would show no pixel
    with nothing in front has none.
    """
    leaves_of: dict[str, list[tuple[int, Part]]] = {}
    for k, (body, part) in enumerate(visible_parts(scene), start=1):
        leaves_of.setdefault(body.name, []).append((k, part))
    shown = np.bincount(layers.parts.reshape(-1), minlength=1 + sum(len(leaves) for leaves in leaves_of.values()))
    bodies = {body.name: body for body in scene.bodies}
    rows = []
    for record, mask in zip(truth.objects, layers.amodal, strict=True):
        leaves = leaves_of[record.body_name]
        amodal = _leaf_pixels(bodies[record.body_name], leaves, mask, layers, camera)
        for (k, _), pixels in zip(leaves, amodal, strict=True):
            if pixels:
                rows.append((k + 1, record.category_id + 1, 1.0 - shown[k] / pixels))
    return np.array(sorted(rows), dtype=OCCLUSION_DTYPE)


def _leaf_pixels(
    body: Body, leaves: Sequence[tuple[int, Part]], mask: ObjectMask, layers: Layers, camera: Camera
) -> list[int]:
    """Returns how many pixels each leaf of a body would show alone: those it shows, and those whose ray meets it."""
    if len(leaves) == 1:
        return [int(mask.mask.sum())]
    from sim.proof.raycast import RayCaster

    v, u = np.nonzero(mask.mask)
    pixels = np.stack([u + mask.left, v + mask.top], axis=1)
    alone = tuple(replace(body, name=f"leaf_{k}", parts=(part,), colliders=()) for k, part in leaves)
    nothing = SceneId(suite="leaves", version=0, split="test", seed=0, index=0)
    hits = RayCaster(Scene(id=nothing, bodies=alone, lights=(), cameras=(), supports=())).hits(camera, pixels)
    seen = layers.parts[pixels[:, 1], pixels[:, 0]]
    counts = []
    for place, (k, _) in enumerate(leaves):
        would_show = seen == k
        would_show[hits.ray[hits.body == place]] = True
        counts.append(int(would_show.sum()))
    return counts


def amodal_segmentation(truth: Truth, layers: Layers) -> list[dict[str, Any]]:
    """Returns one entry per object in view: id of the instance map, prim path, class, areas, and the amodal mask as RLE.

    `segmentation` is COCO's uncompressed run-length code: {"size": [H, W], "counts": [...]}, column by column, zeros first.
    """
    records = {record.instance_id: record for record in truth.objects}
    entries = []
    for layer in layers.amodal:
        record = records[layer.instance_id]
        mask = layer.full(*truth.instance.shape)
        entries.append({
            "id": layer.instance_id + 1,
            "prim_path": prim_path(record.body_name),
            "class": TAXONOMY[record.category_id].name,
            "area": int(layer.mask.sum()),
            "visible_area": int((truth.instance == layer.instance_id).sum()),
            "visible_fraction": record.visible_fraction,
            "segmentation": mask_to_rle(mask),
        })  # fmt: skip
    return entries


def occlusion_order(truth: Truth, layers: Layers, scene: Scene) -> list[dict[str, Any]]:
    """Returns who hides whom: per pair the prim paths and the pixels of the hidden one's amodal mask that show the other.

    `by` may be stuff too, such as a table; a pixel that two bodies hide counts for the nearest, which is what is seen.
    """
    path_of_part = [""] + [prim_path(body.name) for body, _ in visible_parts(scene)]
    name_of = {record.instance_id: record.body_name for record in truth.objects}
    rows = []
    for layer in layers.amodal:
        h, w = layer.mask.shape
        window = np.s_[layer.top : layer.top + h, layer.left : layer.left + w]
        over = layers.parts[window][layer.mask & (truth.instance[window] != layer.instance_id)]
        pixels: dict[str, int] = {}
        for part, count in zip(*np.unique(over, return_counts=True), strict=True):
            path = path_of_part[int(part)]
            pixels[path] = pixels.get(path, 0) + int(count)
        hidden = prim_path(name_of[layer.instance_id])
        rows += [{"hidden": hidden, "by": path, "pixels": count} for path, count in pixels.items() if path]
    return rows


def mask_to_rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Returns COCO's uncompressed run lengths of a mask (H, W)."""
    flat = mask.reshape(-1, order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat.size and flat[0] else runs}


def rle_to_mask(rle: dict[str, Any]) -> NDArray[np.bool_]:
    """Returns the mask bool (H, W) of COCO's uncompressed run lengths; raises KeyError or ValueError."""
    height, width = (int(v) for v in rle["size"])
    counts = np.asarray(rle["counts"], dtype=np.int64)
    if counts.sum() != height * width:
        raise ValueError(f"the run lengths cover {counts.sum()} pixels of an image of {height * width}")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape((height, width), order="F")
