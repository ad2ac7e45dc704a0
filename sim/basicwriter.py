"""One Frame as the files that Replicator's BasicWriter would write, and back without losing a bit.

    rgb_N.png  distance_to_image_plane_N.npy  semantic_segmentation_N.png  semantic_segmentation_labels_N.json
    instance_segmentation_N.png  instance_segmentation_mapping_N.json  instance_segmentation_semantics_mapping_N.json
    bounding_box_2d_tight|2d_loose|3d_N.npy  ..._labels_N.json  ..._prim_paths_N.json  camera_params_N.json
    objects_N.json (ours: name, time and the exact records, which float32 arrays cannot carry)
    rgb_ideal_N.png  sensor_depth_N.npy (ours: only where a sensor profile puts them)

N has four digits, more from frame 10000 on. A frame is encoded in memory, so whoever writes it can publish it whole.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import DatasetError
from sim._boxes import BoxFiles, boxes_3d, loose_boxes, tight_boxes
from sim._camera_params import camera_params
from sim._labels import instance_from_ids, instance_to_ids, semantic_from_ids, semantic_to_ids
from sim._png import decode_ids, decode_rgb, encode_ids, encode_rgb
from sim._records import record_from_dict, record_to_dict
from sim.frame import Frame, ObjectTruth, Sensed, Truth

Read = Callable[[str], bytes]
_T = TypeVar("_T")


def file_name(kind: str, number: int, suffix: str) -> str:
    """Returns the name of one file of a frame, such as rgb_0007.png."""
    return f"{kind}_{number:04d}.{suffix}"


def metadata_text(seed: int) -> str:
    """Returns metadata.txt, once per data set; the colon inside the key is Replicator's."""
    return json.dumps({"name": "BasicWriter", "version": "0.0.2", "replicator_global_seed:": seed})


def encode_frame(frame: Frame, number: int) -> dict[str, bytes]:
    """Returns every file of a frame by its name; equal frames give equal bytes."""
    truth = frame.truth
    semantic_ids, semantic_labels = semantic_to_ids(truth.semantic, truth.depth_m)
    instance_ids, paths, instance_labels = instance_to_ids(truth.instance, truth.depth_m, truth.objects)
    objects = {"name": frame.name, "time_s": frame.time_s, "objects": [record_to_dict(r) for r in truth.objects]}
    files = {
        file_name("rgb", number, "png"): encode_rgb(frame.rgb),
        file_name("distance_to_image_plane", number, "npy"): _npy(truth.depth_m),
        file_name("semantic_segmentation", number, "png"): encode_ids(semantic_ids),
        file_name("semantic_segmentation_labels", number, "json"): _json(semantic_labels),
        file_name("instance_segmentation", number, "png"): encode_ids(instance_ids),
        file_name("instance_segmentation_mapping", number, "json"): _json(paths),
        file_name("instance_segmentation_semantics_mapping", number, "json"): _json(instance_labels),
        file_name("camera_params", number, "json"): _json(camera_params(frame.camera)),
        file_name("objects", number, "json"): _json(objects),
    }
    if frame.sensed is not None and frame.sensed.rgb_ideal is not None:
        files[file_name("rgb_ideal", number, "png")] = encode_rgb(frame.sensed.rgb_ideal)
    if frame.sensed is not None and frame.sensed.depth_m is not None:
        files[file_name("sensor_depth", number, "npy")] = _npy(frame.sensed.depth_m)
    files |= _box_files("bounding_box_2d_tight", number, tight_boxes(truth.objects))
    files |= _box_files("bounding_box_2d_loose", number, loose_boxes(truth.objects))
    files |= _box_files("bounding_box_3d", number, boxes_3d(truth.objects))
    return files


def decode_frame(number: int, read: Read) -> Frame:
    """Reads frame `number`, whose files `read` returns by name; raises DatasetError naming the file that is wrong."""
    name, time_s, objects = _decode_file(file_name("objects", number, "json"), read, _objects)
    labels = _decode_file(file_name("semantic_segmentation_labels", number, "json"), read, _mapping)
    paths = _decode_file(file_name("instance_segmentation_mapping", number, "json"), read, _mapping)
    depth_m = _decode_file(file_name("distance_to_image_plane", number, "npy"), read, _depth)
    semantic = _decode_file(
        file_name("semantic_segmentation", number, "png"),
        read,
        lambda data: semantic_from_ids(decode_ids(data), labels),
    )
    instance = _decode_file(
        file_name("instance_segmentation", number, "png"),
        read,
        lambda data: instance_from_ids(decode_ids(data), paths, objects),
    )
    rgb, camera = decode_rgb_of(number, read), decode_camera(number, read)
    try:
        truth = Truth(depth_m=depth_m, semantic=semantic, instance=instance, objects=objects)
        return Frame(name=name, rgb=rgb, camera=camera, truth=truth, time_s=time_s)
    except ValueError as error:
        raise DatasetError(f"The files of frame {number:04d} do not fit together: {error}") from error


def decode_rgb_of(number: int, read: Read) -> NDArray[np.uint8]:
    """Reads only the image, uint8 (H, W, 3), of a frame."""
    return _decode_file(file_name("rgb", number, "png"), read, decode_rgb)


def decode_sensed(number: int, read: Read, *, has: Callable[[str], bool]) -> Sensed:
    """Reads what a sensor profile put beside a frame; None for the files that, by `has`, the frame does not have."""
    ideal, depth = file_name("rgb_ideal", number, "png"), file_name("sensor_depth", number, "npy")
    return Sensed(
        rgb_ideal=_decode_file(ideal, read, decode_rgb) if has(ideal) else None,
        depth_m=_decode_file(depth, read, _depth) if has(depth) else None,
    )


def decode_camera(number: int, read: Read) -> Camera:
    """Reads only the camera of a frame."""
    return _decode_file(file_name("camera_params", number, "json"), read, _camera)


def _decode_file(name: str, read: Read, decode: Callable[[bytes], _T]) -> _T:
    data = read(name)
    try:
        return decode(data)
    except (ValueError, LookupError, TypeError, EOFError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise DatasetError(f"Cannot read {name}: {reason}. The data set is damaged: generate it again.") from error


def _camera(data: bytes) -> Camera:
    return Camera.from_dict(_mapping(data)["rehearse"])


def _objects(data: bytes) -> tuple[str, float, tuple[ObjectTruth, ...]]:
    values = _mapping(data)
    return str(values["name"]), float(values["time_s"]), tuple(record_from_dict(r) for r in values["objects"])


def _mapping(data: bytes) -> dict[str, Any]:
    values = json.loads(data)
    if not isinstance(values, dict):
        raise TypeError(f"expected a json object, got {type(values).__name__}")
    return values


def _depth(data: bytes) -> NDArray[np.float32]:
    depth_m: NDArray[np.float32] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    if depth_m.dtype != np.float32 or depth_m.ndim != 2:
        raise ValueError(f"expected depth as float32 (H, W), got {depth_m.dtype} {depth_m.shape}")
    return depth_m


def _box_files(kind: str, number: int, boxes: BoxFiles) -> dict[str, bytes]:
    array, labels, paths = boxes
    return {
        file_name(kind, number, "npy"): _npy(array),
        file_name(f"{kind}_labels", number, "json"): _json(labels),
        file_name(f"{kind}_prim_paths", number, "json"): _json(paths),
    }


def _json(values: Any) -> bytes:
    return json.dumps(values).encode()


def _npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return stream.getvalue()
