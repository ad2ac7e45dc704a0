"""Replicator's own annotations of one capture, in the form in which `sim.annotators.decode` gives ours, no value changed.

The self-test judges them as they come: depth of nothing, occlusion, label words and the frames of vectors are Replicator's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import BackendError
from sim.annotators.cloud import PointCloud
from sim.annotators.segmentation import Segmentation
from sim.isaac.annotate import array_of, id_map, read_ids, read_rgb

# What is attached beside `products.ANNOTATORS` when raw annotations are asked for, with how it is started.
RAW: Mapping[str, Mapping[str, Any]] = {
    "distance_to_camera": {},
    "bounding_box_2d_tight": {},
    "bounding_box_2d_loose": {},
    "normals": {},
    "motion_vectors": {},
    "pointcloud": {"includeUnlabelled": False},
    "occlusion": {},
}


def raw_annotations(data: Mapping[str, Any], shape: tuple[int, int]) -> dict[str, Any]:
    """Returns the annotations of a capture of (H, W) pixels by name; raises BackendError for one of another form."""
    return {name: _FORMS[name](name, value, shape) for name, value in data.items()}


def _rgb(_: str, value: Any, shape: tuple[int, int]) -> NDArray[np.uint8]:
    return read_rgb(value, shape)


def _distance(name: str, value: Any, shape: tuple[int, int]) -> NDArray[np.float32]:
    return _floats(name, value, shape)


def _vectors(name: str, value: Any, shape: tuple[int, int]) -> NDArray[np.float32]:
    return _floats(name, value, (*shape, 4))


def _floats(name: str, value: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    array = np.asarray(array_of(value), dtype=np.float32)
    if array.size != np.prod(shape):
        raise BackendError(f"Replicator's {name} should be float32 {shape}, got {array.dtype} {array.shape}.")
    return array.reshape(shape).copy()


def _segmentation(*keys: str) -> Callable[[str, Any, tuple[int, int]], Segmentation]:
    def read(name: str, value: Any, shape: tuple[int, int]) -> Segmentation:
        ids: NDArray[Any] = read_ids(name, value, shape).copy()
        return Segmentation(ids=ids, maps=tuple({str(k): v for k, v in id_map(name, value, key).items()} for key in keys))

    return read


def _boxes(name: str, value: Any, _: tuple[int, int]) -> tuple[NDArray[np.void], dict[str, Any], list[str]]:
    info = value["info"] if isinstance(value, dict) else {}
    array, paths = np.array(array_of(value)), [str(path) for path in info.get("primPaths", ())]
    if len(array) != len(paths):
        raise BackendError(f"Replicator's {name} has {len(array)} boxes and {len(paths)} prim paths.")
    return array, {str(k): v for k, v in info.get("idToLabels", {}).items()}, paths


def _params(_: str, value: Mapping[str, Any], __: tuple[int, int]) -> dict[str, Any]:
    return {key: item.tolist() if hasattr(item, "tolist") else item for key, item in value.items()}


def _cloud(name: str, value: Any, _: tuple[int, int]) -> PointCloud:
    points = np.asarray(array_of(value), dtype=np.float32).reshape(-1, 3)

    def part(key: str, dtype: type[np.generic], width: int) -> Any:
        found = np.asarray(value["info"][key], dtype=dtype).reshape(-1)
        if len(found) != width * len(points):
            raise BackendError(f"Replicator's {name} has {len(points)} points and {len(found)} values of {key}.")
        return found.reshape(-1, width) if width > 1 else found

    return PointCloud(
        points=points,
        rgb=part("pointRgb", np.uint8, 4),
        normals=part("pointNormals", np.float32, 4),
        semantic=part("pointSemantic", np.uint32, 1),
        instance=part("pointInstance", np.uint32, 1),
    )


def _rows(_: str, value: Any, __: tuple[int, int]) -> NDArray[np.void]:
    return np.array(array_of(value))


_FORMS: Mapping[str, Callable[[str, Any, tuple[int, int]], Any]] = {
    "rgb": _rgb,
    "distance_to_image_plane": _distance,
    "distance_to_camera": _distance,
    "semantic_segmentation": _segmentation("idToLabels"),
    "instance_segmentation": _segmentation("idToLabels", "idToSemantics"),
    "instance_id_segmentation": _segmentation("idToLabels"),
    "bounding_box_2d_tight": _boxes,
    "bounding_box_2d_loose": _boxes,
    "bounding_box_3d": _boxes,
    "normals": _vectors,
    "motion_vectors": _vectors,
    "camera_params": _params,
    "pointcloud": _cloud,
    "occlusion": _rows,
}
