"""An engine runs one network file and gives the same named arrays whatever library is underneath."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from perception._onnx_metadata import metadata_props
from perception.calibration import DepthCalibration
from perception.digest import UNSIGNED, check_digest
from scenes.errors import EngineError, UnknownNameError

METADATA_KEY = "rehearse"
FORMAT = 1
OUTPUT_NAMES = ("category", "confidence", "center", "offset", "depth")
BACKENDS = ("auto", "onnxruntime", "onnxruntime-cuda", "onnxruntime-tensorrt", "openvino", "tensorrt")
PLAN_SUFFIXES = (".plan", ".engine")
Precision = Literal["auto", "f32", "bf16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMetadata:
    """What a network file says of itself.

    `input_size` is (h, w) in pixels; `categories[k]` names the category of value k in the `category` output;
    `reference_focal_px` is the focal length at which the `depth` output is in metres; `calibration` turns it to metres
    for another; `extra` is kept unread.
    """

    network: str
    input_size: tuple[int, int]
    categories: tuple[str, ...]
    reference_focal_px: float
    calibration: DepthCalibration = field(default_factory=DepthCalibration)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        h, w = self.input_size
        if h < 2 or w < 2 or h % 2 or w % 2:
            raise ValueError(f"input_size needs two even, positive numbers, got {self.input_size}")
        if not self.categories or len(set(self.categories)) != len(self.categories):
            raise ValueError("categories needs unique names")
        if not (np.isfinite(self.reference_focal_px) and self.reference_focal_px > 0):
            raise ValueError(f"reference_focal_px needs a positive number, got {self.reference_focal_px}")

    def to_json(self) -> str:
        """Returns the text that belongs under the key `rehearse` of the ONNX metadata."""
        own = {
            "format": FORMAT, "network": self.network, "input_size": list(self.input_size),
            "categories": list(self.categories), "reference_focal_px": self.reference_focal_px,
            "depth_calibration": self.calibration.to_dict(),
        }  # fmt: skip
        return json.dumps({**self.extra, **own}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> EngineMetadata:
        """Reads what `to_json` wrote; raises ValueError with a reason."""
        values = json.loads(text)
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
            raise ValueError(f"its format version is not {FORMAT}, the only one this release reads")
        try:
            h, w = (int(n) for n in values.pop("input_size"))
            names = tuple(str(name) for name in values.pop("categories"))
            network, focal = str(values.pop("network")), float(values.pop("reference_focal_px"))
            calibration = DepthCalibration.from_dict(values.pop("depth_calibration", DepthCalibration().to_dict()))
        except (KeyError, TypeError) as error:
            raise ValueError(f"its metadata is incomplete ({error!r})") from error
        return cls(
            network=network, input_size=(h, w), categories=names, reference_focal_px=focal, calibration=calibration,
            extra=values,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawOutput:
    """The outputs of the network for one image of (h, w) pixels.

    category int32 (1, h, w) and confidence float32 (1, h, w) 0..1; center float32 (1, 1, h/2, w/2);
    offset float32 (1, 2, h/2, w/2), (dy, dx) in network-input pixels from a pixel to the centre of its instance;
    depth float32 (1, 1, h/2, w/2), metres at the reference focal length.
    """

    category: NDArray[np.int32]
    confidence: NDArray[np.float32]
    center: NDArray[np.float32]
    offset: NDArray[np.float32]
    depth: NDArray[np.float32]


class Engine(Protocol):
    """One loaded network. Not safe for two threads at once."""

    @property
    def name(self) -> str:
        """The library underneath, by the name that `open_engine` takes."""

    @property
    def metadata(self) -> EngineMetadata:
        """What the file says of itself."""

    @property
    def digest(self) -> str:
        """The sha256 of the file, in hexadecimal."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The effective settings as the library reports them, and why this library was chosen."""

    def infer(self, image: NDArray[np.float32]) -> RawOutput:
        """Runs the network on float32 (1, 3, h, w), RGB 0..255; the result is never overwritten by a later call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """The bytes of a network file, read once, so that what is hashed is what runs; `checked` says by what it was."""

    path: Path
    data: bytes
    digest: str
    metadata: EngineMetadata
    checked: str = UNSIGNED


def precision_named(name: str) -> Precision:
    """Returns one of PRECISIONS; raises UnknownNameError."""
    for precision in PRECISIONS:
        if precision == name:
            return precision
    raise UnknownNameError("precision", name, PRECISIONS)


def open_engine(
    path: str | os.PathLike[str],
    backend: str = "auto",
    threads: int | None = None,
    precision: Precision = "auto",
    *,
    sha256: str | None = None,
    unsigned: bool = True,
) -> Engine:
    """Loads a network file, runs it once on a grey image and returns the engine; takes about a second.

    `backend` is a name of BACKENDS; options follow `tensorrt` after a colon (`perception.tensorrt_options`). `auto` takes
    what is there, in the order TensorRT, ONNX Runtime on a GPU, OpenVINO, ONNX Runtime; `settings` say why. A TensorRT
    plan (`.plan`, `.engine`) takes TensorRT. `threads` defaults to every core that this process may use. The file's sha256 is
    checked first, against `sha256` and the line beside it (`perception.digest`); a file with neither is opened only where
    `unsigned` allows it, a plan only with its manifest. Raises EngineError where the file is not an engine or not the one
    that was meant, UnknownNameError for an unknown backend.
    """
    name, _, options = backend.partition(":")
    if name not in BACKENDS:
        raise UnknownNameError("engine backend", name, BACKENDS)
    if options and name != "tensorrt":
        raise EngineError(f"The engine {name} takes no options, got {options!r}; options belong to tensorrt.")
    if threads is not None and threads < 1:
        raise EngineError(f"An engine needs at least one thread, got {threads}.")
    from perception import _engine_choice

    if Path(path).suffix in PLAN_SUFFIXES:
        engine = _engine_choice.load_plan(Path(path), name, options, sha256=sha256)
    else:
        model = read_model_file(Path(path), sha256=sha256, unsigned=unsigned)
        engine = _engine_choice.load(model, name, options, threads or usable_cores(), precision)
    _try_once(engine, Path(path))
    return engine


def read_model_file(path: Path, *, sha256: str | None = None, unsigned: bool = True) -> ModelFile:
    """Reads an ONNX file, checks its digest and reads its metadata, with no engine library; raises EngineError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EngineError(f"Cannot read the engine file {path}: {error.strerror or error}.") from error
    digest = hashlib.sha256(data).hexdigest()
    checked = check_digest(path, digest, pinned=sha256, unsigned=unsigned)
    try:
        text = metadata_props(data).get(METADATA_KEY)
    except ValueError as error:
        raise EngineError(f"{path} is not an engine: expected an ONNX file, but {error}.") from error
    if text is None:
        raise EngineError(f"{path} is an ONNX file without Rehearse metadata; make one with `rehearse export`.")
    try:
        metadata = EngineMetadata.from_json(text)
    except ValueError as error:
        raise EngineError(f"{path} cannot be used as an engine: {error}; export the network again.") from error
    return ModelFile(path=path, data=data, digest=digest, metadata=metadata, checked=checked)


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _try_once(engine: Engine, path: Path) -> None:
    """Runs a grey image, so that a wrong output is found at opening and the first real frame is not the slow one."""
    h, w = engine.metadata.input_size
    raw = engine.infer(np.full((1, 3, h, w), 127.0, dtype=np.float32))
    expected: dict[str, tuple[type, tuple[int, ...]]] = {
        "category": (np.int32, (1, h, w)),
        "confidence": (np.float32, (1, h, w)),
        "center": (np.float32, (1, 1, h // 2, w // 2)),
        "offset": (np.float32, (1, 2, h // 2, w // 2)),
        "depth": (np.float32, (1, 1, h // 2, w // 2)),
    }
    for name, (dtype, shape) in expected.items():
        array = getattr(raw, name)
        if array.shape != shape or array.dtype != dtype:
            raise EngineError(
                f"{path} cannot be used as an engine: output {name!r} should be {np.dtype(dtype)} {shape}, "
                f"but is {array.dtype} {array.shape}; export the network again."
            )
