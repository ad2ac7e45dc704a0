"""A data set in another format, whole or not at all: made in parts beside its place, gone on with after a kill, one rename."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, overload

from scenes.errors import DatasetError, UnknownNameError
from sim._progress import Progress, reporting
from sim.dataset import Dataset
from sim.formats.exporter import Exporter, Record
from sim.staged_folder import StagedFolder, staged_folder

FORMATS = ("basicwriter", "bop", "coco", "hdf5", "webdataset", "yolo")
_ONLY_FOR = {"polygons": "coco", "render_products": "basicwriter", "shard_frames": "webdataset"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertSpec:
    """What to convert, into what and where; the options are for one format each, and false or None means not given.

    `labels` maps the labels of another tool's data set to our categories, see Dataset.open.

    Raises UnknownNameError for a format that does not exist, DatasetError for an option of another format.
    """

    dataset: Path
    out: Path
    to: str
    polygons: bool = False
    render_products: bool = False
    shard_frames: int | None = None
    labels: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "dataset", Path(self.dataset))
        object.__setattr__(self, "out", Path(self.out).absolute())
        if self.to not in FORMATS:
            raise UnknownNameError("format", self.to, FORMATS)
        for option, owner in _ONLY_FOR.items():
            if getattr(self, option) and self.to != owner:
                raise DatasetError(
                    f"The option {option.replace('_', ' ')} belongs to the format {owner}, not to {self.to}."
                )
        if self.shard_frames is not None and self.shard_frames < 1:
            raise DatasetError(f"A shard needs at least 1 frame, got {self.shard_frames}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertSummary:
    """What a conversion did; `lost` says in a sentence each what the format has no place for."""

    out: Path
    to: str
    frames: int
    frames_made: int
    seconds: float
    lost: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "out": str(self.out), "lost": list(self.lost)}


def convert(spec: ConvertSpec, *, progress: bool | Progress = True) -> ConvertSummary:
    """Writes the data set in the other format; an interrupted call is gone on with, part by part.

    Raises DatasetError where the data set cannot be read or `out` is there already; nothing is ever overwritten.
    """
    started = time.monotonic()
    dataset = Dataset.open(spec.dataset, labels=spec.labels)
    exporter = _OPEN[spec.to](spec, dataset)
    with staged_folder(spec.out) as staged:
        staged.begin(_content(spec, dataset))
        records = _Records(staged, len(exporter.parts))
        missing = [part for part in range(len(records)) if staged.record(part) is None]
        made = sum(len(exporter.parts[part]) for part in missing)
        with reporting(progress, done=len(dataset) - made, total=len(dataset), unit="frame") as advance:
            for part in missing:
                staged.finish_part(part, exporter.write_part(part, staged.data))
                advance(len(exporter.parts[part]))
        exporter.finish(staged.data, records)
        lost = tuple(exporter.notes(records))
        staged.publish()
    return ConvertSummary(
        out=spec.out, to=spec.to, frames=len(dataset), frames_made=made, seconds=time.monotonic() - started,
        lost=lost,
    )  # fmt: skip


class _Records(Sequence[Record]):
    """The records of all parts, read from the disk each time: a large data set's do not fit into memory."""

    def __init__(self, staged: StagedFolder, count: int) -> None:
        self._staged = staged
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, part: int) -> Record: ...
    @overload
    def __getitem__(self, part: slice) -> list[Record]: ...
    def __getitem__(self, part: int | slice) -> Record | list[Record]:
        if isinstance(part, slice):
            return [self[k] for k in range(self._count)[part]]
        record = self._staged.record(range(self._count)[part])
        assert record is not None, "every part is finished before its record is asked for"
        return record


def _content(spec: ConvertSpec, dataset: Dataset) -> dict[str, Any]:
    """Returns what decides the bytes: the options, and the data set by its manifest, which has a digest of every file."""
    options = {key: value for key, value in asdict(spec).items() if key not in {"dataset", "out", "labels"}}
    mapping = {} if spec.labels is None else {"labels": hashlib.sha256(spec.labels.read_bytes()).hexdigest()}
    digest = hashlib.sha256()
    for text in dataset.manifest.json_parts():
        digest.update(text.encode())
    return options | mapping | {"manifest": digest.hexdigest()}


def _basicwriter(spec: ConvertSpec, dataset: Dataset) -> Exporter:
    from sim.formats.basicwriter_folders import BasicWriterExport

    return BasicWriterExport(dataset, render_products=spec.render_products)


def _bop(_spec: ConvertSpec, dataset: Dataset) -> Exporter:
    from sim.formats.bop import BopExport

    return BopExport(dataset)


def _coco(spec: ConvertSpec, dataset: Dataset) -> Exporter:
    from sim.formats.coco import CocoExport

    return CocoExport(dataset, polygons=spec.polygons)


def _hdf5(_spec: ConvertSpec, dataset: Dataset) -> Exporter:
    from sim.formats.hdf5 import Hdf5Export

    return Hdf5Export(dataset)


def _webdataset(spec: ConvertSpec, dataset: Dataset) -> Exporter:
    from sim.formats.webdataset import WebDatasetExport

    return WebDatasetExport(dataset, **({"shard_frames": spec.shard_frames} if spec.shard_frames else {}))


def _yolo(_spec: ConvertSpec, dataset: Dataset) -> Exporter:
    from sim.formats.yolo import YoloExport

    return YoloExport(dataset)


_OPEN: dict[str, Callable[[ConvertSpec, Dataset], Exporter]] = {
    "basicwriter": _basicwriter, "bop": _bop, "coco": _coco, "hdf5": _hdf5, "webdataset": _webdataset,
    "yolo": _yolo,
}  # fmt: skip
