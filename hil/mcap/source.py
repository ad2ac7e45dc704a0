"""A recording as a source: the images that a run streamed, with their truth where it is in the file, to be streamed again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from hil.mcap.messages import open_raw_image
from hil.mcap.notes import open_frame_facts
from hil.mcap.scan import Contents, Entry, scan
from scenes.errors import DatasetError
from sim.frame import Frame, Truth

_TRUTH = ("/truth/depth", "/truth/semantic", "/truth/instance")
_FILE = ("/dataset/frame", "/camera/image", *_TRUTH)


class McapFrames:
    """The frames by index, held packed in memory; what `hil.host.runner` needs of a data set. Raises DatasetError.

    `has_truth` tells whether they can be scored; without it their truth is void everywhere.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts: dict[int, dict[str, bytes]] = {}
        self._pack = zstandard.ZstdCompressor(level=1)
        contents = Contents()
        try:
            for entry in scan(path, contents):
                self._take(entry)
        except OSError as error:
            raise DatasetError(f"Cannot read the recording {path}: {error.strerror or error}.") from error
        except (LookupError, TypeError, ValueError) as error:
            raise DatasetError(f"{path} is not a recording that can be trusted: {error}.") from error
        self.attachments, self.digest_of_data = contents.attachments, contents.data_crc
        self._indices = sorted(self._parts)
        if not self._indices or any("/camera/image" not in parts for parts in self._parts.values()):
            raise DatasetError(f"{path} has no images to stream: record with the group `image` of --mcap-topics.")
        self.has_truth = all(name in parts for parts in self._parts.values() for name in _TRUTH)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the images, in order."""
        return tuple(self[i].name for i in range(len(self)))

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int, /) -> Frame:
        if not 0 <= index < len(self._indices):
            raise IndexError(f"Frame {index} does not exist: {self.path} has {len(self)} images.")
        parts = self._parts[self._indices[index]]
        try:
            name, time_s, camera, objects = open_frame_facts(_unpack(parts["/dataset/frame"]))
            rgb = _packed(parts["/camera/image"], np.uint8)
            truth = self._truth(parts, rgb.shape[:2], objects)
            return Frame(name=name, rgb=rgb, camera=camera, truth=truth, time_s=time_s)
        except (LookupError, TypeError, ValueError) as error:
            raise DatasetError(f"Image {index} of {self.path} cannot be read: {error}.") from error

    def _truth(self, parts: dict[str, bytes], size: tuple[int, ...], objects: Any) -> Truth:
        if not self.has_truth:
            void = np.zeros(size, np.uint8)
            nowhere = np.full(size, np.nan, np.float32)
            return Truth(depth_m=nowhere, semantic=void, instance=void.astype(np.uint16), objects=())
        depth_m, semantic, instance = (
            _packed(parts[name], kind) for name, kind in zip(_TRUTH, (np.float32, np.uint8, np.uint16), strict=True)
        )
        return Truth(depth_m=depth_m, semantic=semantic, instance=instance, objects=objects)

    def _take(self, entry: Entry) -> None:
        """Keeps the first of each: with repeats written, an image comes again during the run."""
        if entry.topic in _FILE and (entry.topic == "/dataset/frame" or entry.sequence in self._parts):
            self._parts.setdefault(entry.sequence, {}).setdefault(entry.topic, self._pack.compress(entry.data))


def _packed(data: bytes, kind: Any) -> NDArray[Any]:
    array = open_raw_image(_unpack(data))
    if array.dtype != kind:
        raise ValueError(f"expected {np.dtype(kind)}, got {array.dtype}")
    return array.copy()


def _unpack(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(data)
