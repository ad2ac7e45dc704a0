"""Predictions on disk, in COCO panoptic's layout: what was written is read back exactly, and damage is named by file."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception._coco_panoptic import categories, decode_ids, encode_ids, segment_from, segments_info
from perception.prediction import Prediction
from scenes.errors import DatasetError
from scenes.files import write_whole

# FOLDER/predictions.json           images, annotations, categories, info; written last, without it nothing is finished
# FOLDER/panoptic/000000.png        id = R + 256 G + 65536 B
# FOLDER/depth/000000.npy           float32 (H, W), metres
# FOLDER/.unfinished/000000.json    one record per complete frame, gone when predictions.json is there

FORMAT = 1
FILE_NAME = "predictions.json"
_UNFINISHED = ".unfinished"


class PredictionWriter:
    """Writes one folder of predictions frame by frame; a killed writer leaves whole frames and can be gone on with."""

    def __init__(self, folder: Path | str, info: Mapping[str, Any]) -> None:
        """Opens a new folder, or one that was left unfinished with the same `info`; raises DatasetError otherwise."""
        self.folder = Path(folder)
        self._info = {**info, "format": FORMAT, "description": "Rehearse predictions"}
        self._records = self.folder / _UNFINISHED
        if (self.folder / FILE_NAME).exists():
            raise DatasetError(f"{self.folder} already holds finished predictions; give another folder or delete it.")
        try:
            for part in (_UNFINISHED, "panoptic", "depth"):
                (self.folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatasetError(f"Cannot write predictions to {self.folder}: {error.strerror or error}.") from error
        self._check_same_run()

    def _check_same_run(self) -> None:
        path = self._records / "info.json"
        if not path.exists():
            _write(path, _dump(self._info))
        elif _load(path) != json.loads(_dump(self._info)):
            raise DatasetError(
                f"{self.folder} holds unfinished predictions of another engine or data set; give another folder or delete it."
            )

    def has(self, index: int, name: str) -> bool:
        """Returns whether frame `index` was written whole, under that name."""
        path = self._record_path(index)
        if not path.exists():
            return False
        image = _load(path).get("image", {})
        return image.get("name") == name and all((self.folder / f).exists() for f in image.get("sha256", {}))

    def add(self, index: int, name: str, prediction: Prediction) -> None:
        """Writes the maps of one frame, then its record."""
        height, width = prediction.segment_id.shape
        stem = f"{index:06d}"
        array = io.BytesIO()
        np.save(array, prediction.depth_m, allow_pickle=False)
        files = {f"panoptic/{stem}.png": encode_ids(prediction.segment_id), f"depth/{stem}.npy": array.getvalue()}
        for path, data in files.items():
            _write(self.folder / path, data)
        image = {
            "id": index, "name": name, "file_name": f"{stem}.png", "width": width, "height": height,
            "sha256": {path: hashlib.sha256(data).hexdigest() for path, data in files.items()},
        }  # fmt: skip
        annotation = {"image_id": index, "file_name": f"{stem}.png", "segments_info": segments_info(prediction)}
        _write(self._record_path(index), _dump({"image": image, "annotation": annotation}))

    def finish(self, count: int) -> None:
        """Writes predictions.json over frames 0..count-1 and removes the records; raises DatasetError if one is missing."""
        records = [_load(self._record_path(index)) for index in range(count)]
        whole = {
            "info": self._info, "images": [r["image"] for r in records],
            "annotations": [r["annotation"] for r in records], "categories": categories(),
        }  # fmt: skip
        _write(self.folder / FILE_NAME, _dump(whole))
        shutil.rmtree(self._records)

    def _record_path(self, index: int) -> Path:
        return self._records / f"{index:06d}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPredictions:
    """A finished folder as a sequence of predictions; the maps of a frame are read, and checked, when it is asked for."""

    path: Path
    names: tuple[str, ...]
    info: Mapping[str, Any]
    _images: tuple[Mapping[str, Any], ...]
    _annotations: tuple[Mapping[str, Any], ...]

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Prediction]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> Prediction:
        """Reads one frame; raises DatasetError naming the file that is wrong."""
        image, annotation = self._images[index], self._annotations[index]
        stem = Path(str(image["file_name"])).stem
        ids = self._ids(image, f"panoptic/{stem}.png")
        depth_m = self._depth(image, f"depth/{stem}.npy")
        try:
            segments = tuple(segment_from(row) for row in annotation["segments_info"])
            unknown = set(np.unique(ids).tolist()) - {0} - {s.id for s in segments}
            if unknown:
                raise ValueError(f"its picture has ids {sorted(unknown)[:5]} without a segment")
            return Prediction(segment_id=ids, segments=segments, depth_m=depth_m)
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{self.path / FILE_NAME} is damaged at frame {stem}: {error!r}; predict again.") from error

    def _ids(self, image: Mapping[str, Any], name: str) -> NDArray[np.int32]:
        try:
            return decode_ids(self._read(image, name))
        except ValueError as error:
            raise DatasetError(f"{self.path / name} is damaged: {error}; predict again.") from error

    def _depth(self, image: Mapping[str, Any], name: str) -> NDArray[np.float32]:
        try:
            depth_m = np.load(io.BytesIO(self._read(image, name)), allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise DatasetError(f"{self.path / name} is damaged: {error}; predict again.") from error
        if depth_m.dtype != np.float32 or depth_m.ndim != 2:
            raise DatasetError(f"{self.path / name} should hold float32 (H, W), but is {depth_m.dtype} {depth_m.shape}.")
        return np.asarray(depth_m, dtype=np.float32)

    def _read(self, image: Mapping[str, Any], name: str) -> bytes:
        path = self.path / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DatasetError(f"Cannot read {path}: {error.strerror or error}; predict again.") from error
        expected = image.get("sha256", {}).get(name)
        if expected is not None and hashlib.sha256(data).hexdigest() != expected:
            raise DatasetError(f"{path} is damaged: its {len(data)} bytes are not those that were written; predict again.")
        return data


def write_predictions(
    folder: Path | str, items: Iterable[tuple[str, Prediction]], info: Mapping[str, Any] | None = None
) -> None:
    """Writes named predictions as one folder, in their order; raises DatasetError where it cannot be written."""
    writer = PredictionWriter(folder, info or {})
    count = 0
    for name, prediction in items:
        writer.add(count, name, prediction)
        count += 1
    writer.finish(count)


def read_predictions(folder: Path | str) -> StoredPredictions:
    """Opens a folder of predictions and reads its json; raises DatasetError with what is wrong."""
    path = Path(folder)
    if not (path / FILE_NAME).exists():
        why = "they are not finished, run the same command again" if (path / _UNFINISHED).exists() else f"no {FILE_NAME}"
        raise DatasetError(f"{path} holds no predictions ({why}); make them with `rehearse predict ENGINE DATASET {path}`.")
    whole = _load(path / FILE_NAME)
    try:
        if whole["info"]["format"] != FORMAT:
            raise ValueError(f"format {whole['info']['format']!r} is not {FORMAT}, the only one this release reads")
        images = tuple(whole["images"])
        by_image = {row["image_id"]: row for row in whole["annotations"]}
        annotations = tuple(by_image[image["id"]] for image in images)
        names = tuple(str(image["name"]) for image in images)
        stems = [Path(str(image["file_name"])).stem for image in images]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path / FILE_NAME} is damaged or foreign: {error!r}; predict again.") from error
    if len(set(stems)) != len(stems):
        raise DatasetError(f"{path / FILE_NAME} is damaged: two images share a file name; predict again.")
    return StoredPredictions(path=path, names=names, info=whole["info"], _images=images, _annotations=annotations)


def _dump(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, allow_nan=False).encode()


def _load(path: Path) -> dict[str, Any]:
    """Reads a json object; raises DatasetError naming the file."""
    try:
        values = json.loads(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"Cannot read {path}: {error.strerror or error}; predict again.") from error
    except ValueError as error:
        raise DatasetError(f"{path} is damaged: {error}; delete it and predict again.") from error
    if not isinstance(values, dict):
        raise DatasetError(f"{path} is damaged: expected a json object; delete it and predict again.")
    return values


def _write(path: Path, data: bytes) -> None:
    """Writes a file so that it is there completely or not at all; raises DatasetError."""
    try:
        write_whole(path, data, sync=True)
    except OSError as error:
        raise DatasetError(f"Cannot write {path}: {error.strerror or error}.") from error
