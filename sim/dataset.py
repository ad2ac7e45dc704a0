"""A data set on disk as a sequence of frames; every file that is read is first checked against the manifest."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.errors import DatasetError, RehearseError
from sim.basicwriter import decode_camera, decode_frame, decode_rgb_of, decode_sensed, file_name, kind_of, numbered
from sim.difficulty.measure import KIND, ObjectDifficulty, decode_difficulty, measure
from sim.frame import Frame, Sensed
from sim.manifest import FILE_NAME, Manifest, read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A finished data set; nothing but the manifest is held in memory, so a copy of it is cheap to send to a process."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path | str, *, labels: Path | None = None) -> Dataset:
        """Opens the data set in a folder; reads its manifest only. Raises DatasetError with what to do.

        A folder that Isaac Sim's BasicWriter or PoseWriter wrote, or COCO panoptic, is a data set too; `absent` says what
        it lacks, `remarks` what was inferred, and `labels`, a TOML file, maps its labels to our categories.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise DatasetError(f"There is no folder {folder}; make a data set with `rehearse generate SUITE {folder}`.")
        if not (folder / FILE_NAME).exists():
            return _without_manifest(folder, labels)
        if labels is not None:
            raise DatasetError(f"{folder} was written by Rehearse: its labels are the taxonomy's and are not mapped.")
        manifest = read_manifest(folder)
        if not manifest.frames:
            raise DatasetError(f"The data set {folder} has no frames; generate it again with --frames 1 or more.")
        return cls(path=folder, manifest=manifest)

    @property
    def absent(self) -> dict[str, str]:
        """What the frames do not have, with a reason each: nothing for a data set of ours."""
        return {}

    @property
    def remarks(self) -> dict[str, str]:
        """What a reader inferred, repaired, left out or did not read, by subject: nothing for a data set of ours."""
        return {}

    @property
    def names(self) -> tuple[str, ...]:
        """The frames' names, in order."""
        return tuple(entry.name for entry in self.manifest.frames)

    def __len__(self) -> int:
        return len(self.manifest.frames)

    def __getitem__(self, index: SupportsIndex) -> Frame:
        """Reads one frame; raises IndexError beyond the end and DatasetError naming the file that is wrong."""
        number = self._number(index)
        frame = decode_frame(self.manifest.file_number(number), lambda name: self._read(number, name))
        if frame.name != self.manifest.frames[number].name:
            raise DatasetError(f"Frame {number} of {self.path} is named {frame.name!r}, its manifest says otherwise.")
        return frame

    def __iter__(self) -> Iterator[Frame]:
        return (self[i] for i in range(len(self)))

    def camera(self, index: SupportsIndex) -> Camera:
        """Reads only the camera of one frame."""
        number = self._number(index)
        return decode_camera(self.manifest.file_number(number), lambda name: self._read(number, name))

    def rgb(self, index: SupportsIndex) -> NDArray[np.uint8]:
        """Reads only the image, uint8 (H, W, 3), of one frame."""
        number = self._number(index)
        return decode_rgb_of(self.manifest.file_number(number), lambda name: self._read(number, name))

    def files(self, index: SupportsIndex) -> Iterator[tuple[str, bytes]]:
        """Yields every file of one frame by its name in the folder, checked; raises DatasetError for a damaged one."""
        number = self._number(index)
        return ((name, self._read(number, name)) for name in self.manifest.frames[number].files)

    def annotation(self, index: SupportsIndex, name: str) -> Any:
        """Reads one annotation of one frame by the annotator's name; its type is in `sim.annotators.registry`.

        Raises UnknownNameError, IndexError, and DatasetError where the data set was made without that annotator.
        """
        from sim.annotators.registry import decode

        number = self._number(index)
        try:
            return decode(name, lambda file: self._read(number, numbered(file, number)))
        except (ValueError, LookupError, TypeError, EOFError) as error:
            if isinstance(error, RehearseError):
                raise
            raise DatasetError(f"Cannot read {name} of frame {number} of {self.path}: {error}. Generate it again.") from error

    def sensed(self, index: SupportsIndex) -> Sensed:
        """Reads what a sensor profile put beside one frame: the ideal picture and the sensor's depth, None where absent."""
        number = self._number(index)
        there = self.manifest.frames[number].files
        return decode_sensed(number, lambda name: self._read(number, name), has=there.__contains__)

    def read(self, index: SupportsIndex, name: str) -> bytes:
        """Reads one file of a frame by its name, checked; raises DatasetError where the frame has no such file."""
        return self._read(self._number(index), name)

    def difficulties(self, index: SupportsIndex) -> tuple[ObjectDifficulty, ...]:
        """Reads how hard each object of a frame is to see; a data set without such files is measured, but for clearance."""
        number = self._number(index)
        name = file_name(KIND, number, "json")
        if kind_of(name) not in {kind_of(path) for path in self.manifest.frames[number].files}:
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
        listed = {kind_of(path): (path, digest) for path, digest in self.manifest.frames[number].files.items()}
        if kind_of(name) not in listed:
            made = ",".join(self.manifest.capture["annotators"])
            raise DatasetError(
                f"Frame {number} of {self.path} has no {name}: it was generated with --annotators {made}. "
                "Generate it with the annotator that makes this file too; `default` has all that a whole frame needs."
            )
        where, digest = listed[kind_of(name)]
        path = self.path / where
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


def _without_manifest(folder: Path, labels: Path | None) -> Dataset:
    """Returns the data set of another tool; raises DatasetError saying what the folder is instead."""
    if (folder / "part.json").exists():
        raise DatasetError(f"{folder} is one part of a data set: join the parts with `rehearse merge PARTS... OUT`.")
    if (folder / ".generate").exists():
        raise DatasetError(
            f"The data set {folder} is not finished: run the same `rehearse generate` again to go on with it."
        )
    if (folder / "objects_0000.json").exists():
        raise DatasetError(
            f"{folder} looks like BasicWriter output without a {FILE_NAME}, but Rehearse wrote it: its manifest was lost, "
            "so nothing in it can be checked; copy it whole or generate it again."
        )
    from sim.readers.foreign import open_foreign

    found = open_foreign(folder, labels)
    if found is None:
        raise DatasetError(
            f"{folder} is not a data set (no {FILE_NAME}, no images of BasicWriter or PoseWriter, no panoptic json): "
            "give the folder that `rehearse generate` or Isaac Sim wrote."
        )
    return found
