"""A data set on disk as a sequence of frames; every file that is read is first checked against the manifest."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import DatasetError
from sim.basicwriter import decode_camera, decode_frame, decode_rgb_of, file_name
from sim.difficulty import KIND, ObjectDifficulty, decode_difficulty, measure
from sim.frame import Frame
from sim.manifest import FILE_NAME, Manifest, read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A finished data set; nothing but the manifest is held in memory, so a copy of it is cheap to send to a process."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path | str) -> Dataset:
        """Opens the data set in a folder; reads its manifest only. Raises DatasetError with what to do."""
        folder = Path(path)
        if not folder.is_dir():
            raise DatasetError(f"There is no folder {folder}; make a data set with `rehearse generate SUITE {folder}`.")
        if not (folder / FILE_NAME).exists():
            raise DatasetError(_why_no_manifest(folder))
        manifest = read_manifest(folder)
        if not manifest.frames:
            raise DatasetError(f"The data set {folder} has no frames; generate it again with --frames 1 or more.")
        return cls(path=folder, manifest=manifest)

    @property
    def names(self) -> tuple[str, ...]:
        """The frames' names, in order."""
        return tuple(entry.name for entry in self.manifest.frames)

    def __len__(self) -> int:
        return len(self.manifest.frames)

    def __getitem__(self, index: SupportsIndex) -> Frame:
        """Reads one frame; raises IndexError beyond the end and DatasetError naming the file that is wrong."""
        number = self._number(index)
        frame = decode_frame(number, lambda name: self._read(number, name))
        if frame.name != self.manifest.frames[number].name:
            raise DatasetError(f"Frame {number} of {self.path} is named {frame.name!r}, its manifest says otherwise.")
        return frame

    def __iter__(self) -> Iterator[Frame]:
        return (self[i] for i in range(len(self)))

    def camera(self, index: SupportsIndex) -> Camera:
        """Reads only the camera of one frame."""
        number = self._number(index)
        return decode_camera(number, lambda name: self._read(number, name))

    def rgb(self, index: SupportsIndex) -> NDArray[np.uint8]:
        """Reads only the image, uint8 (H, W, 3), of one frame."""
        number = self._number(index)
        return decode_rgb_of(number, lambda name: self._read(number, name))

    def difficulties(self, index: SupportsIndex) -> tuple[ObjectDifficulty, ...]:
        """Reads how hard each object of a frame is to see; a data set without such files is measured, but for clearance."""
        number = self._number(index)
        name = file_name(KIND, number, "json")
        if name not in self.manifest.frames[number].files:
            return measure(self[number])
        return decode_difficulty(self._read(number, name), name)

    def verify(self) -> None:
        """Reads every file of every frame, boxes included; raises DatasetError for the first that is not as written."""
        for number, entry in enumerate(self.manifest.frames):
            for name in entry.files:
                self._read(number, name)

    def _number(self, index: SupportsIndex) -> int:
        number = operator.index(index)
        number += len(self) if number < 0 else 0
        if not 0 <= number < len(self):
            raise IndexError(f"Frame {operator.index(index)} does not exist: {self.path} has {len(self)} frames.")
        return number

    def _read(self, number: int, name: str) -> bytes:
        path = self.path / name
        digest = self.manifest.frames[number].files.get(name)
        if digest is None:
            raise DatasetError(
                f"{self.path / FILE_NAME} does not list {name}: the manifest is damaged, generate again."
            )
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DatasetError(f"Cannot read {path}: {error.strerror}; generate the data set again.") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise DatasetError(
                f"{path} is damaged ({len(data)} bytes that are not those that were written): "
                "restore it from a copy or generate the data set again."
            )
        return data


def _why_no_manifest(folder: Path) -> str:
    if (folder / ".generate").exists():
        return f"The data set {folder} is not finished: run the same `rehearse generate` again to go on with it."
    if any(folder.glob("rgb_*.png")) or any(folder.glob("rgb/*.png")):
        return f"{folder} looks like BasicWriter output without a {FILE_NAME}; only data sets of `rehearse generate` can be read."
    return f"{folder} is not a data set (no {FILE_NAME}): give the folder that `rehearse generate` wrote."
