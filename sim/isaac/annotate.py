"""What Replicator's annotators give, read by their own maps: ids by `info`, never by number, order or colour.

Ids differ from frame to frame and from annotator to annotator; labels come back in lower case; transforms are row-vector.
All of it stands in the reference, section 2. 2D boxes and occlusion are not read for a frame: `truth` says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import BackendError
from scenes.scene import Scene
from scenes.taxonomy import TAXONOMY
from scenes.transforms import inverse
from sim._labels import prim_path
from sim.layers import visible_parts

_RESERVED = frozenset({"background", "unlabelled"})
_TABLE = 1 << 22
_GL_FROM_CV = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maps:
    """A drawn picture and its maps, all (H, W): rgb uint8 (H, W, 3), depth float32 in metres, +inf where nothing is.

    semantic uint8: category ids, 0 for none; body and part uint16: 1 + the place in `scene.bodies` and in
    `visible_parts(scene)`, 0 for none.
    """

    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    semantic: NDArray[np.uint8]
    body: NDArray[np.uint16]
    part: NDArray[np.uint16]


def read_maps(data: Mapping[str, Any], scene: Scene, camera: Camera) -> Maps:
    """Reads one capture of a drawn camera; raises BackendError naming the annotator and what it said."""
    shape = (camera.height, camera.width)
    depth_m = read_depth(data["distance_to_image_plane"], shape, far_m=camera.far_m)
    nothing = ~np.isfinite(depth_m)
    body_of, part_of = _paths_of(scene)
    semantic = _look_up("semantic_segmentation", data, shape, "idToLabels", _category_of)
    body = _look_up("instance_segmentation", data, shape, "idToLabels", lambda v: _of_path(v, body_of))
    part = _look_up("instance_id_segmentation", data, shape, "idToLabels", lambda v: _of_path(v, part_of))
    for ids in (semantic, body, part):
        ids[nothing] = 0
    return Maps(
        rgb=read_rgb(data["rgb"], shape), depth_m=depth_m, semantic=semantic.astype(np.uint8), body=body, part=part
    )


def array_of(value: Any) -> Any:
    """Returns what `get_data` gave as an array: bare, under `data`, or on the GPU."""
    array = value["data"] if isinstance(value, dict) else value
    return array.numpy() if hasattr(array, "numpy") else array


def read_rgb(value: Any, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Returns uint8 (H, W, 3) of Replicator's RGBA."""
    rgba = np.asarray(array_of(value))
    if rgba.shape[:2] != shape or rgba.ndim != 3 or rgba.shape[2] < 3 or rgba.dtype != np.uint8:
        raise BackendError(f"Replicator's rgb should be uint8 {(*shape, 4)}, got {rgba.dtype} {rgba.shape}.")
    return np.ascontiguousarray(rgba[..., :3])


def read_depth(value: Any, shape: tuple[int, int], *, far_m: float) -> NDArray[np.float32]:
    """Returns float32 (H, W) in metres along the view; +inf for nothing and for what lies beyond the far plane.

    Raises BackendError for another shape, and for a pixel that is negative or no number, which no version explains.
    """
    depth_m = np.array(array_of(value), dtype=np.float32)
    depth_m = depth_m.reshape(shape) if depth_m.size == math.prod(shape) else depth_m
    if depth_m.shape != shape:
        raise BackendError(f"Replicator's distance_to_image_plane should be float32 {shape}, got {depth_m.shape}.")
    with np.errstate(invalid="ignore"):
        wrong = ~(depth_m >= 0)
    if wrong.any():
        raise BackendError(
            f"Replicator's distance_to_image_plane has {int(wrong.sum())} pixels that are no distance, such as "
            f"{depth_m[wrong][0]:g}: see docs/isaac-sim.md."
        )
    # Real files have +inf where nothing is; the vendor's documentation says that 0 stands for it (reference, section 2). No
    # surface can be at 0, which lies before every near plane, so both are read as nothing. A picture of zeros because
    # nothing was drawn is not taken for an empty world: the freshness check holds depth against rays.
    depth_m[(depth_m == 0) | (depth_m > far_m * (1 + 1e-6))] = np.inf
    return depth_m


def read_ids(name: str, value: Any, shape: tuple[int, int]) -> NDArray[np.uint32]:
    """Returns an id map uint32 (H, W); raises BackendError for another shape, such as an empty one."""
    ids = np.asarray(array_of(value))
    if ids.dtype == np.uint8 and ids.shape == (*shape, 4):
        ids = np.ascontiguousarray(ids).view("<u4")  # the words of colorize=False through a viewer
    if ids.size != math.prod(shape):
        raise BackendError(f"Replicator's {name} should be uint32 {shape}, got {ids.dtype} {ids.shape}.")
    return np.asarray(ids.reshape(shape), dtype=np.uint32)


def id_map(name: str, value: Any, key: str) -> dict[int, Any]:
    """Returns an annotator's own map by integer id, whatever type its keys have; raises BackendError without one."""
    info = value.get("info", {}) if isinstance(value, dict) else {}
    if key not in info:
        raise BackendError(f"Replicator's {name} came without its map {key}: its ids cannot be read.")
    return {int(i): label for i, label in info[key].items()}


def label_of(name: str, value: Any) -> str:
    """Returns the class of an entry of a map in lower case; raises BackendError where there are none or several."""
    label = str(value.get("class", "unlabelled") if isinstance(value, dict) else value).strip().lower()
    names = {part.strip() for part in label.split(",")}
    if len(names) > 1:
        raise BackendError(
            f"Replicator's {name} has the label {label!r}: a prim and one above it carry different labels of the taxonomy "
            "class; label one prim per object."
        )
    return names.pop()  # a label that is joined of one word twice is that word


def poses_of(value: Any) -> dict[str, NDArray[np.float64]]:
    """Returns `world_from_prim` (4, 4), column-vector, by prim path from bounding_box_3d; raises BackendError."""
    array, info = array_of(value), value["info"]
    if not len(array):
        return {}
    if "transform" not in (array.dtype.names or ()):
        raise BackendError(f"Replicator's bounding_box_3d has no field transform: it has {array.dtype.names}.")
    paths = info["primPaths"]
    if len(paths) != len(array):
        raise BackendError(f"Replicator's bounding_box_3d has {len(array)} boxes and {len(paths)} prim paths.")
    return {str(path): np.asarray(row["transform"], dtype=np.float64).T for row, path in zip(array, paths, strict=True)}


def view_of(value: Mapping[str, Any]) -> NDArray[np.float64]:
    """Returns `world_from_camera` (4, 4) with OpenCV axes from camera_params, whose view is row-vector world -> camera."""
    view = np.asarray(value["cameraViewTransform"], dtype=np.float64).reshape(4, 4)
    world_from_camera: NDArray[np.float64] = inverse(view.T) @ _GL_FROM_CV
    return world_from_camera


def focal_of(value: Mapping[str, Any]) -> tuple[float, int, int]:
    """Returns fx in pixels (fy is the same: pixels are square), width and height from camera_params."""
    width, height = (int(v) for v in np.asarray(value["renderProductResolution"]).reshape(2))
    aperture = float(np.asarray(value["cameraAperture"]).reshape(-1)[0])
    return float(value["cameraFocalLength"]) * width / aperture, width, height


def _look_up(name: str, data: Mapping[str, Any], shape: tuple[int, int], key: str, value_of: Any) -> NDArray[np.uint16]:
    ids = read_ids(name, data[name], shape)
    found = _values(ids)
    known = id_map(name, data[name], key)
    missing = [int(i) for i in found if int(i) not in known and i > 1]
    if missing:
        raise BackendError(f"Replicator's {name} has pixels of ids {missing[:8]}, which its map {key} does not name.")
    # 0 and 1 are BACKGROUND and UNLABELLED, and may be left out of the map.
    values = np.array([value_of(known[int(i)]) if int(i) in known else 0 for i in found], dtype=np.uint16)
    if int(found[-1]) >= _TABLE:
        return np.asarray(values[np.searchsorted(found, ids)])
    table = np.zeros(int(found[-1]) + 1, dtype=np.uint16)
    table[found] = values
    return np.asarray(table[ids])


def _values(ids: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Returns the different ids in order; a hundred times faster than sorting where they are small, as they are."""
    most = int(ids.max())
    if most >= _TABLE:
        return np.unique(ids)
    there = np.zeros(most + 1, dtype=bool)
    there[ids] = True
    return np.flatnonzero(there).astype(np.uint32)


def _category_of(value: Any) -> int:
    label = label_of("semantic_segmentation", value)
    return 0 if label in _RESERVED else TAXONOMY.named(label).id


def _paths_of(scene: Scene) -> tuple[dict[str, int], dict[str, int]]:
    """Returns 1 + place of bodies and of visible parts by prim path."""
    bodies = {prim_path(body.name): k for k, body in enumerate(scene.bodies, start=1)}
    parts = {f"{prim_path(b.name)}/{p.name}": k for k, (b, p) in enumerate(visible_parts(scene), start=1)}
    return bodies, parts


def _of_path(value: Any, known: Mapping[str, int]) -> int:
    """Returns the number of the prim at this path or nearest above it, 0 where none of ours is."""
    path = str(value)
    while path and path not in known:
        path = path.rpartition("/")[0]
    return known.get(path, 0)
