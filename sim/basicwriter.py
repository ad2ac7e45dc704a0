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


def kind_of(name: str) -> str:
    """Returns the kind and suffix of a file by its name or path, such as rgb.png of left/rgb/rgb_0007.png."""
    stem, _, suffix = name.rpartition("/")[2].rpartition(".")
    return f"{stem.rpartition('_')[0]}.{suffix}"


def in_folder(name: str, camera: str) -> str:
    """Returns where a file lies: flat for one render product, CAMERA/ANNOTATOR/FILE for several, as BasicWriter has it."""
    if not camera:
        return name
    from sim.annotators.registry import annotator_of

    return f"{camera}/{annotator_of(kind_of(name))}/{name}"


def metadata_text(seed: int) -> str:
    """Returns metadata.txt, once per data set; the colon inside the key is Replicator's."""
    return json.dumps({"name": "BasicWriter", "version": "0.0.2", "replicator_global_seed:": seed})


def encode_frame(frame: Frame, number: int) -> dict[str, bytes]:
    """Returns every file of a frame by its name; equal frames give equal bytes."""
    files = [file for encode in ENCODERS.values() for file in encode(frame).items()]
    return {numbered(file, number): data for file, data in [*files, *sensed_files(frame).items()]}


def sensed_files(frame: Frame) -> dict[str, bytes]:
    """Returns what a sensor profile put beside a frame, by kind and suffix; nothing where the frame is ideal."""
    sensed = frame.sensed
    files = {}
    if sensed is not None and sensed.rgb_ideal is not None:
        files["rgb_ideal.png"] = encode_rgb(sensed.rgb_ideal)
    if sensed is not None and sensed.depth_m is not None:
        files["sensor_depth.npy"] = npy_bytes(sensed.depth_m)
    return files


def numbered(file: str, number: int) -> str:
    """Returns the name in frame `number` of a file that is called by its kind and suffix, such as rgb.png."""
    kind, _, suffix = file.rpartition(".")
    return file_name(kind, number, suffix)


def decode_frame(number: int, read: Read) -> Frame:
    """Reads frame `number`, whose files `read` returns by name; raises DatasetError naming the file that is wrong."""
    name, time_s, objects = _decode_file(file_name("objects", number, "json"), read, decode_objects)
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


def decode_objects(data: bytes) -> tuple[str, float, tuple[ObjectTruth, ...]]:
    """Reads objects.json: a frame's name, its time in seconds and its objects; raises LookupError, TypeError or ValueError."""
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


def _semantic_files(frame: Frame) -> dict[str, bytes]:
    ids, labels = semantic_to_ids(frame.truth.semantic, frame.truth.depth_m)
    return {"semantic_segmentation.png": encode_ids(ids), "semantic_segmentation_labels.json": json_bytes(labels)}


def _instance_files(frame: Frame) -> dict[str, bytes]:
    ids, paths, labels = instance_to_ids(frame.truth.instance, frame.truth.depth_m, frame.truth.objects)
    return {
        "instance_segmentation.png": encode_ids(ids),
        "instance_segmentation_mapping.json": json_bytes(paths),
        "instance_segmentation_semantics_mapping.json": json_bytes(labels),
    }


def _object_files(frame: Frame) -> dict[str, bytes]:
    records = [record_to_dict(record) for record in frame.truth.objects]
    return {"objects.json": json_bytes({"name": frame.name, "time_s": frame.time_s, "objects": records})}


def _box_files(kind: str, boxes: BoxFiles) -> dict[str, bytes]:
    array, labels, paths = boxes
    return {
        f"{kind}.npy": npy_bytes(array),
        f"{kind}_labels.json": json_bytes(labels),
        f"{kind}_prim_paths.json": json_bytes(paths),
    }


def json_bytes(values: Any) -> bytes:
    """Returns JSON on one line, as Replicator writes it."""
    return json.dumps(values).encode()


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Returns an array as npy format 1.0 in C order, as Isaac Sim writes it."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return stream.getvalue()


# By Replicator's name of the annotator, in the order of the files; `objects` is ours.
ENCODERS: dict[str, Callable[[Frame], dict[str, bytes]]] = {
    "rgb": lambda frame: {"rgb.png": encode_rgb(frame.rgb)},
    "distance_to_image_plane": lambda frame: {"distance_to_image_plane.npy": npy_bytes(frame.truth.depth_m)},
    "semantic_segmentation": _semantic_files,
    "instance_segmentation": _instance_files,
    "camera_params": lambda frame: {"camera_params.json": json_bytes(camera_params(frame.camera))},
    "objects": _object_files,
    "bounding_box_2d_tight": lambda f: _box_files("bounding_box_2d_tight", tight_boxes(f.truth.objects)),
    "bounding_box_2d_loose": lambda f: _box_files("bounding_box_2d_loose", loose_boxes(f.truth.objects)),
    "bounding_box_3d": lambda f: _box_files("bounding_box_3d", boxes_3d(f.truth.objects)),
}
