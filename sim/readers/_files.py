"""The files of one frame by kind; a file that cannot be read gives one sentence: which, what was expected, what came."""

from __future__ import annotations

import io
import json
import tokenize
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scenes.errors import DatasetError

_T = TypeVar("_T")
_PNG = b"\x89PNG\r\n\x1a\n"
# What decoding bytes of no known origin can end in.
DAMAGE = (ValueError, LookupError, TypeError, AttributeError, EOFError, SyntaxError, ArithmeticError, MemoryError,
           RecursionError, tokenize.TokenError)  # fmt: skip
IMAGE_SUFFIXES = ("png", "jpeg", "jpg", "bmp", "tif", "tiff", "webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """One frame of one render product: its files by (kind, suffix), such as ("bounding_box_3d_labels", "json").

    `product` is the render product's name, empty for one; `missing` are the files that the other frames have.
    """

    folder: Path
    product: str
    number: str
    members: Mapping[tuple[str, str], Path]
    missing: tuple[str, ...] = ()

    def find(self, kind: str, suffix: str) -> Path | None:
        """Returns the file of a kind, None where there is none."""
        return self.members.get((kind, suffix))

    @property
    def image(self) -> Path | None:
        """The image, of whatever format; None where there is none that can be decoded."""
        return next((self.members["rgb", s] for s in IMAGE_SUFFIXES if ("rgb", s) in self.members), None)

    @property
    def title(self) -> str:
        """The frame in words."""
        return f"frame {self.number}{f' of {self.product}' if self.product else ''}"

    def decode(self, kind: str, suffix: str, decode: Callable[[bytes], _T]) -> _T:
        """Reads and decodes one file; raises DatasetError naming it."""
        path = self.find(kind, suffix)
        if path is None:
            raise DatasetError(f"{self.folder} has no {kind}_{self.number}.{suffix}, which {self.title} needs.")
        return decode_file(path, decode)

    def read_as_flat(self, name: str) -> bytes:
        """Reads the file that has this name in the flat layout, such as rgb_0007.png; raises DatasetError."""
        stem, _, suffix = name.rpartition(".")
        return self.decode(stem.rpartition("_")[0], suffix, lambda data: data)


def decode_file(path: Path, decode: Callable[[bytes], _T]) -> _T:
    """Reads and decodes one file; raises DatasetError with what was expected of it and what came."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"Cannot read {path}: {error.strerror or error}.") from error
    problem = fault(data, path.suffix)
    if problem:
        raise DatasetError(f"{path} is damaged: {problem}.")
    try:
        return decode(data)
    except DatasetError:
        raise
    except DAMAGE as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise DatasetError(f"{path} is damaged or not as Isaac Sim writes it: {reason.rstrip('.')}.") from error


def fault(data: bytes, suffix: str) -> str:
    """Returns why these bytes are no whole PNG, JPEG, npy or json file, empty where they are; a picture is not decoded."""
    if not data:
        return "it is empty"
    if suffix.lower() == ".png":
        return _png_fault(data)
    if suffix.lower() in {".jpg", ".jpeg"} and not (data.startswith(b"\xff\xd8") and b"\xff\xd9" in data[-64:]):
        return f"expected a whole JPEG, got {len(data)} bytes without its beginning or end"
    if suffix.lower() == ".npy" and not data.startswith(b"\x93NUMPY"):
        return f"expected an npy array, got {len(data)} bytes of something else"
    if suffix.lower() == ".json":
        try:
            json.loads(data)
        except (ValueError, RecursionError) as error:
            return f"expected JSON, got {len(data)} bytes that are not: {error}"
    return ""


def _png_fault(data: bytes) -> str:
    if not data.startswith(_PNG):
        return f"expected a PNG, got {len(data)} bytes of something else"
    at = len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        kind = data[at + 4 : at + 8]
        if end > len(data):
            break
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            return f"a part of the PNG ({kind.decode('latin-1')} at byte {at}) does not fit its checksum"
        if kind == b"IEND":
            return ""
        at = end
    return f"the PNG ends too early, after {len(data)} bytes"


def array_of(data: bytes) -> NDArray[Any]:
    """Returns the array of an npy file without pickles; raises ValueError."""
    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    return array


def json_object(data: bytes) -> dict[str, Any]:
    """Returns a json object; raises ValueError for any other json."""
    values = json.loads(data)
    if not isinstance(values, dict):
        raise TypeError(f"expected a json object {{...}}, got {type(values).__name__}")
    return values
