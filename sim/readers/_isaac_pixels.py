"""Depth, categories and instances of one BasicWriter frame; ids and colours mean what the json beside them says."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import DatasetError
from scenes.taxonomy import Category
from sim._png import decode_any, decode_labels
from sim.readers._files import Files, array_of, json_object
from sim.readers._isaac_camera import why_no_camera
from sim.readers.labels import LabelMap

# Ids of nothing and of what has no label, as numbers and as colours; Replicator may leave them out of its maps.
_ALWAYS_VOID = (0, 1, 0xFF000000)
_CLIPPED = 65535  # where a 16-bit picture of 32-bit ids ends

Labels = dict[int, str]


def read_depth(files: Files, camera: Camera) -> NDArray[np.float32] | None:
    """Returns depth to the image plane in metres, float32 (H, W), +inf where nothing is; None where it is not known.

    Nothing is at +inf, and at 0 in what older versions wrote: no surface is at the camera's centre.
    """
    shape = camera.height, camera.width
    if files.find("distance_to_image_plane", "npy"):
        return files.decode("distance_to_image_plane", "npy", lambda data: _metres(data, shape))
    if files.find("distance_to_camera", "npy") is None or why_no_camera(camera):
        return None
    distance = files.decode("distance_to_camera", "npy", lambda data: _metres(data, shape))
    rays = camera.unproject(np.ones(shape, dtype=np.float64))
    planar: NDArray[np.float32] = (distance / np.linalg.norm(rays, axis=-1)).astype(np.float32)
    return planar


def _metres(data: bytes, shape: tuple[int, int]) -> NDArray[np.float32]:
    array = array_of(data)
    if array.shape != shape or not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"expected float32 {shape}, the image's rows and columns, got {array.dtype} {array.shape}")
    if (array < 0).any():
        raise ValueError(f"expected metres, got {float(np.nanmin(array)):.3g}")
    metres: NDArray[np.float32] = np.where(array == 0, np.inf, array).astype(np.float32)
    return metres


def read_semantic(files: Files, shape: tuple[int, int], labels: LabelMap) -> NDArray[np.uint8]:
    """Returns category ids uint8 (H, W), 0 where nothing is labelled or the label has no category."""
    semantic = np.zeros(shape, dtype=np.uint8)
    if has_semantic(files):
        label_of = labels_in(files, "semantic_segmentation_labels")
        for key, mask in _masks(files, "semantic_segmentation", shape, label_of):
            semantic[mask] = labels.category(label_of[key]).id
    return semantic


def read_instances(
    files: Files, shape: tuple[int, int], labels: LabelMap, labelled: dict[str, str]
) -> tuple[NDArray[np.uint16], list[tuple[str, Category]]]:
    """Returns instance numbers uint16 (H, W) from 1, and the prim path and category of each; things only.

    Without instance_segmentation the leaf prims of instance_id_segmentation are joined under `labelled`, the labelled
    prims and their labels as the box files name them.
    """
    instance = np.zeros(shape, dtype=np.uint16)
    found: list[tuple[str, Category]] = []
    if not has_instances(files, labelled):
        return instance, found
    if has_instance_labels(files):
        kind, label_of = "instance_segmentation", labels_in(files, "instance_segmentation_semantics_mapping")
        has_paths = files.find("instance_segmentation_mapping", "json")
        path_of = _paths(files, "instance_segmentation_mapping") if has_paths else {}
        path_of = {key: path_of.get(key, f"instance_{key}") for key in label_of | path_of}
    else:
        kind, leaf_of = "instance_id_segmentation", _paths(files, "instance_id_segmentation_mapping")
        path_of = {key: owner_of(leaf, labelled) for key, leaf in leaf_of.items()}
        label_of = {key: labelled.get(path, "") for key, path in path_of.items()}
    number_of: dict[str, int] = {}
    for key, mask in _masks(files, kind, shape, path_of):
        category = labels.category(label_of.get(key, ""))
        if category.is_thing:
            if path_of[key] not in number_of:
                found.append((path_of[key], category))
                number_of[path_of[key]] = len(found)
            instance[mask] = number_of[path_of[key]]
    return instance, found


def owner_of(leaf: str, labelled: dict[str, str]) -> str:
    """Returns the innermost labelled prim that a leaf prim is or lies under, empty where there is none."""
    path = leaf
    while path and path not in labelled:
        path = path.rpartition("/")[0]
    return path


def has_semantic(files: Files) -> bool:
    """Returns whether semantic_segmentation is there with the json without which its numbers mean nothing."""
    return bool(files.find("semantic_segmentation", "png") and files.find("semantic_segmentation_labels", "json"))


def has_instance_labels(files: Files) -> bool:
    """Returns whether instance_segmentation is there with its labels."""
    there = files.find("instance_segmentation", "png")
    return bool(there and files.find("instance_segmentation_semantics_mapping", "json"))


def has_instances(files: Files, labelled: dict[str, str]) -> bool:
    """Returns whether things can be told apart."""
    leaves = files.find("instance_id_segmentation", "png") and files.find("instance_id_segmentation_mapping", "json")
    return has_instance_labels(files) or bool(leaves and labelled)


def labels_in(files: Files, kind: str) -> Labels:
    """Returns the label of every id or colour word of a json such as {"2": {"class": "cup"}}."""
    return files.decode(kind, "json", lambda data: _by_id(data, label_of))


def label_of(value: Any) -> str:
    """Returns a label as one text: that of the taxonomy `class`, else of all taxonomies with commas."""
    if isinstance(value, dict):
        value = value["class"] if "class" in value else list(value.values())
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    if not isinstance(value, str):
        raise TypeError(f"expected a label as text, got {value!r}")
    return value


def _paths(files: Files, kind: str) -> dict[int, str]:
    return files.decode(kind, "json", lambda data: _by_id(data, str))


def _by_id(data: bytes, read: Callable[[Any], str]) -> dict[int, str]:
    return {_word(key): read(value) for key, value in json_object(data).items()}


def _word(key: str) -> int:
    """Returns an id, or the word of a colour written as "(r, g, b, a)"."""
    try:
        value = ast.literal_eval(key)
        if isinstance(value, int):
            return value
        red, green, blue, alpha = (int(part) for part in value)
    except (ValueError, TypeError, SyntaxError) as error:
        raise ValueError(f'expected ids or colours "(r, g, b, a)" as keys, got {key!r}') from error
    return red | green << 8 | blue << 16 | alpha << 24


def _masks(
    files: Files, kind: str, shape: tuple[int, int], meaning: dict[int, str]
) -> list[tuple[int, NDArray[np.bool_]]]:
    """Returns the pixels of every id that the json names; raises DatasetError for pixels of other ids."""
    ids = files.decode(kind, "png", lambda data: _ids(data, shape))
    present = [int(i) for i in np.unique(ids)]
    clipped = [key for key in meaning if key >= _CLIPPED] if max(present) == _CLIPPED else []
    if len(clipped) > 1 or (clipped and clipped != [_CLIPPED]):
        # Several prims share the last number of 16 bits; which pixel is whose is lost.
        meaning = {key: value for key, value in meaning.items() if key < _CLIPPED}
        present.remove(_CLIPPED)
    strange = [key for key in present if key not in meaning and key not in _ALWAYS_VOID]
    if strange:
        shown = ", ".join(_in_words(key) for key in strange[:4]) + (", ..." if len(strange) > 4 else "")
        raise DatasetError(f"{files.find(kind, 'png')} has pixels of {shown}, which the json beside it does not name.")
    return [(key, ids == key) for key in present if key in meaning]


def _ids(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint32]:
    image = decode_any(data)
    # Eight bits are what re-saving a picture of few ids makes of it; the json beside it gives the same meaning.
    ids = image.astype(np.uint32) if image.dtype == np.uint8 and image.ndim == 2 else decode_labels(data)
    if ids.shape != shape:
        raise ValueError(f"it is of {ids.shape[1]}x{ids.shape[0]}, the image has {shape[1]}x{shape[0]}")
    return ids


def _in_words(key: int) -> str:
    return f"id {key}" if key < 1 << 24 else f"colour {tuple(key >> shift & 255 for shift in (0, 8, 16, 24))}"
