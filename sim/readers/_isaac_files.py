"""The files of one BasicWriter frame, decoded by Replicator's conventions; what is missing is None, what is damaged is named."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scenes.box import OrientedBox
from scenes.camera import Camera
from scenes.errors import DatasetError
from scenes.taxonomy import Category
from scenes.transforms import Pose, inverse, vec3
from sim._png import decode_labels
from sim.frame import UNKNOWN_BOX
from sim.readers.foreign import NO_CATEGORY, category_named

_T = TypeVar("_T")
_CV_FROM_GL = np.diag([1.0, -1.0, -1.0, 1.0])
_RESERVED = {"background", "unlabelled"}
# The json without which an annotator's numbers have no meaning.
_COMPANION = {
    "semantic_segmentation": "semantic_segmentation_labels",
    "instance_segmentation": "instance_segmentation_semantics_mapping",
    "bounding_box_2d_tight": "bounding_box_2d_tight_prim_paths",
    "bounding_box_2d_loose": "bounding_box_2d_loose_prim_paths",
    "bounding_box_3d": "bounding_box_3d_prim_paths",
}
_SUFFIX = {"semantic_segmentation": "png", "instance_segmentation": "png", "camera_params": "json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where the files of one frame lie: in one folder, or nested in a folder per annotator, with or without a prefix."""

    folder: Path
    product: str
    number: str
    nested: bool
    prefix: str = ""

    def find(self, kind: str, suffix: str | None) -> Path | None:
        """Returns the file of a kind such as bounding_box_3d_labels, None where there is none."""
        place = self.folder
        if self.nested:
            base = next((kind.removesuffix(end) for end in _ENDS if kind.endswith(end)), kind)
            place /= base
        if suffix is not None:
            path = place / f"{self.prefix}{kind}_{self.number}.{suffix}"
            return path if path.is_file() else None
        return next(iter(sorted(place.glob(f"{self.prefix}{kind}_{self.number}.*"))), None)

    def usable(self, kind: str) -> bool:
        """Returns whether an annotator is there together with the json that gives its numbers a meaning."""
        companion = _COMPANION.get(kind)
        there = self.find(kind, _SUFFIX.get(kind, "npy")) is not None
        return there and (companion is None or self.find(companion, "json") is not None)

    def paths(self) -> list[Path]:
        """Returns all files of this frame."""
        places = [path for path in self.folder.iterdir() if path.is_dir()] if self.nested else [self.folder]
        return sorted(path for place in places for path in place.glob(f"{self.prefix}*_{self.number}.*"))

    def decode(self, kind: str, suffix: str | None, decode: Callable[[bytes], _T]) -> _T:
        """Reads and decodes one file; raises DatasetError naming it."""
        path = self.find(kind, suffix)
        if path is None:
            raise DatasetError(f"{self.folder} has no {kind} of frame {self.number}.")
        try:
            return decode(path.read_bytes())
        except OSError as error:
            raise DatasetError(f"Cannot read {path}: {error.strerror or error}.") from error
        except (ValueError, LookupError, TypeError, EOFError, SyntaxError) as error:
            raise DatasetError(f"{path} is damaged or not of BasicWriter: {error!r}.") from error

    def read_as_flat(self, name: str) -> bytes:
        """Reads the file that has this name in the flat layout, such as rgb_0007.png; raises DatasetError."""
        stem, _, suffix = name.rpartition(".")
        return self.decode(stem.rpartition("_")[0], suffix, lambda data: data)

    def unknown_labels(self) -> set[str]:
        """Returns the labels of this frame that the taxonomy does not have."""
        found: set[str] = set()
        for kind in (
            "semantic_segmentation_labels",
            "instance_segmentation_semantics_mapping",
            "bounding_box_3d_labels",
        ):
            if self.find(kind, "json"):
                found |= {label for label in _labels(self, kind).values() if category_named(label) is NO_CATEGORY}
        return {label for label in found if label.lower() not in _RESERVED}


_ENDS = ("_labels", "_prim_paths", "_semantics_mapping", "_mapping")


def read_camera(files: Files) -> Camera | None:
    """Returns the camera with our conventions, None where there is none; ours, where it rides along, exactly."""
    if not files.usable("camera_params"):
        return None
    return files.decode("camera_params", "json", lambda data: _camera(json.loads(data), files.product or "view"))


def _camera(values: dict[str, Any], name: str) -> Camera:
    if "rehearse" in values:
        return Camera.from_dict(values["rehearse"])
    unit_m = float(values.get("metersPerSceneUnit", 1.0))
    width, height = (int(v) for v in values["renderProductResolution"])
    projection = np.array(values["cameraProjection"], dtype=np.float64).reshape(4, 4)
    gl_from_world = np.array(values["cameraViewTransform"], dtype=np.float64).reshape(4, 4).T
    gl_from_world[:3, 3] *= unit_m
    near, far = (float(v) * unit_m for v in values["cameraNearFar"])
    return Camera(
        name=name, width=width, height=height,
        fx=projection[0, 0] * width / 2, fy=projection[1, 1] * height / 2,
        cx=(1 - projection[2, 0]) * width / 2 - 0.5, cy=(1 + projection[2, 1]) * height / 2 - 0.5,
        world_from_camera=Pose.from_matrix(inverse(_CV_FROM_GL @ gl_from_world)), near_m=near, far_m=far,
    )  # fmt: skip


def read_depth(files: Files, camera: Camera) -> NDArray[np.float32] | None:
    """Returns depth to the image plane in metres, float32 (H, W), None where there is none or no camera to make it with."""
    if files.usable("distance_to_image_plane"):
        return files.decode("distance_to_image_plane", "npy", _array).astype(np.float32)
    if not (files.usable("distance_to_camera") and files.usable("camera_params")):
        return None
    distance = files.decode("distance_to_camera", "npy", _array)
    rays = camera.unproject(np.ones(distance.shape, dtype=np.float64))
    planar: NDArray[np.float32] = (distance / np.linalg.norm(rays, axis=-1)).astype(np.float32)
    return planar


def read_semantic(files: Files, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Returns category ids uint8 (H, W), 0 where nothing is labelled or the label is not in the taxonomy."""
    semantic = np.zeros(shape, dtype=np.uint8)
    if files.usable("semantic_segmentation"):
        ids = files.decode("semantic_segmentation", "png", decode_labels)
        for key, label in _labels(files, "semantic_segmentation_labels").items():
            semantic[ids == key] = category_named(label).id
    return semantic


def read_instances(files: Files, shape: tuple[int, ...]) -> tuple[NDArray[np.uint16], list[tuple[str, Category]]]:
    """Returns instance numbers uint16 (H, W) from 1, and the prim path and category of each; things only."""
    instance = np.zeros(shape, dtype=np.uint16)
    found: list[tuple[str, Category]] = []
    if files.usable("instance_segmentation"):
        ids = files.decode("instance_segmentation", "png", decode_labels)
        has_paths = files.find("instance_segmentation_mapping", "json")
        paths = files.decode("instance_segmentation_mapping", "json", _by_id) if has_paths else {}
        for key, label in _labels(files, "instance_segmentation_semantics_mapping").items():
            category = category_named(label)
            if category.is_thing:
                found.append((str(paths.get(key, f"instance_{key}")), category))
                instance[ids == key] = len(found)
    return instance, found


def read_boxes(files: Files) -> dict[str, dict[str, Any]]:
    """Returns by prim path what the box files say of an object: amodal box, visible fraction, 3D box and pose."""
    found: dict[str, dict[str, Any]] = {}
    about_camera = files.decode("camera_params", "json", json.loads) if files.usable("camera_params") else {}
    unit_m = float(about_camera.get("metersPerSceneUnit", 1.0))
    for kind in ("bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d"):
        if not files.usable(kind):
            continue
        rows, paths = files.decode(kind, "npy", _array), files.decode(f"{kind}_prim_paths", "json", json.loads)
        for path, row in zip(paths, rows, strict=True):
            about = found.setdefault(str(path), {})
            if row["occlusionRatio"] >= 0:  # -1 and nan: not known
                about["visible_fraction"] = 1.0 - float(row["occlusionRatio"])
            if kind == "bounding_box_2d_loose":
                about["amodal"] = tuple(int(row[name]) for name in ("x_min", "y_min", "x_max", "y_max"))
            if kind == "bounding_box_3d":
                about |= _box(row, unit_m)
    return found


def _box(row: NDArray[np.void], unit_m: float) -> dict[str, Any]:
    """Returns box and pose of a row: extents before the scale, which the rows of the row-vector transform carry."""
    transform = row["transform"].astype(np.float64)
    low = np.array([row["x_min"], row["y_min"], row["z_min"]], dtype=np.float64)
    high = np.array([row["x_max"], row["y_max"], row["z_max"]], dtype=np.float64)
    scale = np.linalg.norm(transform[:3, :3], axis=1)
    size = (high - low) * scale * unit_m
    if not (np.isfinite(transform).all() and (size > 0).all() and np.linalg.det(transform[:3, :3]) > 0):
        return {"box_world": UNKNOWN_BOX}
    world_from_body = np.eye(4)
    world_from_body[:3, :3] = (transform[:3, :3] / scale[:, None]).T
    world_from_body[:3, 3] = transform[3, :3] * unit_m
    world_from_box = world_from_body.copy()
    world_from_box[:3, 3] = (np.append((low + high) / 2, 1.0) @ transform)[:3] * unit_m
    return {
        "box_world": OrientedBox(Pose.from_matrix(world_from_box), vec3(size)),
        "world_from_body": Pose.from_matrix(world_from_body),
    }


def _labels(files: Files, kind: str) -> dict[int, str]:
    """Returns the label of every id or colour word of a json such as {"2": {"class": "cup"}}."""
    return {key: _label(value) for key, value in files.decode(kind, "json", _by_id).items()}


def _label(value: Any) -> str:
    return str(value.get("class", next(iter(value.values()), ""))) if isinstance(value, dict) else str(value)


def _by_id(data: bytes) -> dict[int, Any]:
    return {_word(key): value for key, value in json.loads(data).items()}


def _word(key: str) -> int:
    """Returns an id, or the word of a colour written as "(r, g, b, a)"."""
    value = ast.literal_eval(key)
    if isinstance(value, int):
        return value
    red, green, blue, alpha = value
    return int(red) | int(green) << 8 | int(blue) << 16 | int(alpha) << 24


def _array(data: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    return array
