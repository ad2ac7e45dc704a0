"""An engine file in another precision, published only where it is as near to the float32 file as that precision allows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perception.agreement import Agreement, agreement, limits_of
from perception.digest import manifest_path, write_digest
from perception.engine import ModelFile, open_engine
from perception.preprocess import network_input
from perception.probe_frames import probe_frames
from scenes.errors import EngineError
from scenes.files import whole_file

_PROBES = 8


def convert(
    model: ModelFile,
    out_onnx: Path,
    precision: Literal["f16", "int8"],
    *,
    calibrate_on: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Agreement:
    """Writes the f16 or int8 form of a float32 engine file, its digest beside it, and returns how near it is on the CPU.

    It is compared on drawn images, which int8 ranges were not measured on: they come from `calibrate_on`, a data set of the
    train split. ONNX Runtime's float16 on a CPU rounds weights and what crosses its kernels; a GPU rounds every activation.
    Raises EngineError where it is too far off, and then writes nothing.
    """
    from perception.quantized_onnx import calibration_inputs, write_int8
    from perception.typed_onnx import write_float16

    size = model.metadata.input_size
    images = [network_input(image, size) for image in probe_frames(_PROBES)]
    out_onnx.parent.mkdir(parents=True, exist_ok=True)
    manifest_path(out_onnx).unlink(missing_ok=True)  # that of an older file: there is none for a moment, never a wrong one
    with whole_file(out_onnx) as staging:
        if precision == "f16":
            write_float16(model, staging)
        else:
            if calibrate_on is None:
                raise EngineError("Int8 needs frames to measure ranges on: --calibrate DATASET, of the split train.")
            write_int8(model, calibration_inputs(calibrate_on, size, progress=progress), staging)
        found = _compare(model.path, staging, images)
        if not found.within(precision):
            raise EngineError(
                f"{model.path} as {precision} is too far from float32 ({found.describe()}; {limits_of(precision)}); "
                "it was not written."
            )
    write_digest(out_onnx)
    return found


def _compare(path: Path, converted: Path, images: list[NDArray[np.float32]]) -> Agreement:
    reference, other = (open_engine(p, "onnxruntime") for p in (path, converted))
    return agreement((reference.infer(image), other.infer(image)) for image in images)
