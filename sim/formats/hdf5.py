"""HDF5 with BlenderProc's keys: one file per scene, one group per frame in it, nothing of the truth lost, read back exactly.

    OUT/scene_000000.hdf5             the k-th scene of the data set
      /000000/colors                  uint8 (H, W, 3), one group per frame by its position in the data set
      /000000/depth                   float32 (H, W), metres, +inf where nothing is
      /000000/class_segmaps           uint8 (H, W), category ids
      /000000/instance_segmaps        uint16 (H, W), instance ids
      /000000/instance_attribute_maps JSON, one record per object in view
      /000000/camera                  JSON; /000000/files/* is every other file of the frame, arrays or JSON
    OUT/manifest.json                 of the data set, unchanged, where it has one

Each array is one chunk, shuffled and deflated, so that a frame is read alone and by any HDF5. h5py is the extra `hdf5`.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from sim._png import decode_any
from sim._records import record_from_dict, record_to_dict
from sim.basicwriter import kind_of
from sim.dataset import Dataset
from sim.formats.exporter import Record
from sim.frame import Frame, Truth
from sim.manifest import FILE_NAME

SCHEMA_VERSION = 1
# What the keys of a frame say already.
_SAID = {
    "rgb.png", "distance_to_image_plane.npy", "semantic_segmentation.png", "instance_segmentation.png", "objects.json",
}  # fmt: skip
_DEFLATE = 4


class Hdf5Export:
    """An Exporter whose parts are scenes. Raises DatasetError where h5py is not installed."""

    def __init__(self, dataset: Dataset) -> None:
        self._h5py = _import_h5py()
        self._dataset = dataset
        numbers = groupby(range(len(dataset)), key=lambda number: dataset.names[number].rpartition("/")[0])
        self.parts = [list(group) for _, group in numbers]

    def write_part(self, part: int, folder: Path) -> Record:
        """Writes the file of one scene."""
        manifest = self._dataset.manifest
        with self._h5py.File(folder / f"scene_{part:06d}.hdf5", "w", libver="earliest") as file:
            file.attrs["rehearse"] = json.dumps({
                "schema_version": SCHEMA_VERSION, "suite": manifest.suite, "suite_version": manifest.suite_version,
                "split": manifest.split, "seed": manifest.seed,
                "scene": self._dataset.names[self.parts[part][0]].rpartition("/")[0],
            })  # fmt: skip
            file.attrs["category_names"] = json.dumps({c.id: c.name for c in TAXONOMY})
            for number in self.parts[part]:
                group = file.create_group(f"{number:06d}")
                _write_frame(group, self._dataset[number])
                if self._has_files(number):
                    _write_files(group.create_group("files"), self._dataset.files(number))
        return {}

    def finish(self, folder: Path, _records: Sequence[Record]) -> None:
        """Copies the manifest, which has the digests of the files that the arrays come from."""
        if (self._dataset.path / FILE_NAME).exists():
            shutil.copyfile(self._dataset.path / FILE_NAME, folder / FILE_NAME)

    def notes(self, _records: Sequence[Record]) -> list[str]:
        """Says that the stages stay behind, and what a foreign data set lacks."""
        lost = ["The OpenUSD stages stay behind."] if self._dataset.manifest.stages else []
        return lost + [f"Not in the data set: {what} ({why})." for what, why in self._dataset.absent.items()]

    def _has_files(self, number: int) -> bool:
        return bool(self._dataset.manifest.frames[number].files)


def read_hdf5_frame(group: Any) -> Frame:
    """Reads a frame from its group, an h5py.Group, exactly as it was written; raises DatasetError where it is damaged."""
    try:
        truth = Truth(
            depth_m=group["depth"][()],
            semantic=group["class_segmaps"][()],
            instance=group["instance_segmaps"][()],
            objects=tuple(record_from_dict(values) for values in _json(group["instance_attribute_maps"])),
        )
        return Frame(
            name=str(group.attrs["name"]), rgb=group["colors"][()], camera=Camera.from_dict(_json(group["camera"])),
            truth=truth, time_s=float(group.attrs["time_s"]),
        )  # fmt: skip
    except (ValueError, LookupError, TypeError) as error:
        raise DatasetError(f"{group.file.filename}{group.name} is not a frame of ours: {error}.") from error


def _write_frame(group: Any, frame: Frame) -> None:
    truth = frame.truth
    group.attrs["name"], group.attrs["time_s"] = frame.name, frame.time_s
    _write_array(group, "colors", frame.rgb)
    _write_array(group, "depth", truth.depth_m)
    _write_array(group, "class_segmaps", truth.semantic)
    _write_array(group, "instance_segmaps", truth.instance)
    # BlenderProc's idx, category_id and name come first; the rest is objects_N.json.
    group["instance_attribute_maps"] = json.dumps([
        {"idx": r.instance_id, "category_id": r.category_id, "name": r.body_name, **record_to_dict(r)} for r in truth.objects
    ])  # fmt: skip
    group["camera"] = json.dumps(frame.camera.to_dict())


def _write_files(group: Any, files: Any) -> None:
    for name, data in files:
        kind = kind_of(name)
        if kind in _SAID:
            continue
        stem, _, suffix = kind.rpartition(".")
        if suffix == "json":
            group[f"{stem}.json"] = data.decode()
        else:
            # A picture for people and the exact numbers may share a stem, as those of the normals do.
            _write_array(group, kind, _ARRAY_OF[suffix](data))


def _write_array(group: Any, name: str, array: NDArray[Any]) -> None:
    packed = {"chunks": array.shape, "compression": "gzip", "compression_opts": _DEFLATE, "shuffle": True} if array.size else {}
    group.create_dataset(name, data=array, track_times=False, **packed)


def _read_npy(data: bytes) -> NDArray[Any]:
    return np.asarray(np.lib.format.read_array(io.BytesIO(data), allow_pickle=False))


_ARRAY_OF: dict[str, Callable[[bytes], NDArray[Any]]] = {"npy": _read_npy, "png": decode_any}


def _json(dataset: Any) -> Any:
    return json.loads(dataset.asstr()[()])


def _import_h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise DatasetError("HDF5 needs h5py, which is not installed: pip install 'rehearse-perception[hdf5]'.") from error
    return h5py
