"""A float32 engine file becomes an int8 one: Q/DQ pairs whose ranges were measured on frames, symmetric, per channel.

TensorRT takes zero points of 0 only, so both weights and activations are symmetric; biases and what comes before the first
and after the last convolution stay float32.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.engine import ModelFile
from perception.typed_onnx import HEAVY, assert_float32, before_and_after, publish, simplified
from scenes.errors import EngineError

MIN_IMAGES = 8
_QUANTIZED = ("Conv", "Gemm", "MatMul")


def write_int8(model: ModelFile, images: Iterable[NDArray[np.float32]], out_onnx: Path, *, keep_last: bool = True) -> None:
    """Writes the int8 form of a float32 engine file, its ranges measured on network inputs float32 (1, 3, h, w).

    With `keep_last` the convolutions that make the outputs stay float32, as their errors go straight into the answer.
    Needs onnx and onnxruntime. Raises EngineError for fewer than 8 images and where the file has a precision already.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    assert_float32(model)
    given = list(images)
    if len(given) < MIN_IMAGES:
        raise EngineError(f"Int8 needs at least {MIN_IMAGES} frames to measure ranges on, got {len(given)}.")
    source = simplified(model)
    excluded = _last_heavy(source.graph) if keep_last else []
    options = {"ActivationSymmetric": True, "WeightSymmetric": True, "QuantizeBias": False, "CalibMovingAverage": True}
    source.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")  # `simplified` did what it means
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "int8.onnx"
        quantize_static(
            source, str(made), _Images(given), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=list(_QUANTIZED), nodes_to_exclude=excluded, extra_options=options,
        )  # fmt: skip
        publish(_loaded(made), model, out_onnx, precision="int8")


class _Images:
    """Hands out network inputs one by one, as the quantizer's reader of calibration data does."""

    def __init__(self, images: list[NDArray[np.float32]]) -> None:
        self._next: Iterator[NDArray[np.float32]] = iter(images)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Returns the next feed, None after the last."""
        image = next(self._next, None)
        return None if image is None else {"image": image}


def calibration_inputs(
    dataset: Path, size: tuple[int, int], *, limit: int = 64, progress: Callable[[int, int], None] | None = None
) -> list[NDArray[np.float32]]:
    """Returns up to `limit` frames of a data set of the train split, spread evenly, as network inputs of (h, w) pixels.

    Raises EngineError for another split, which is for judging, and DatasetError.
    """
    from perception.preprocess import network_input
    from sim.dataset import Dataset

    source = Dataset.open(dataset)
    if source.manifest.split != "train":
        raise EngineError(
            f"Int8 ranges are measured on frames of the split train; {dataset} is of {source.manifest.split}, "
            "which is for judging."
        )
    chosen = np.unique(np.linspace(0, len(source) - 1, min(limit, len(source))).astype(int))
    images = []
    for number, index in enumerate(chosen):
        images.append(network_input(source.rgb(int(index)), size))
        if progress is not None:
            progress(number + 1, len(chosen))
    return images


def _last_heavy(graph: Any) -> list[str]:
    """Returns the names of the heavy nodes that have no other heavy node below them."""
    _, tail = before_and_after(graph)
    ends = {name for index in tail for name in graph.node[index].input} | {o.name for o in graph.output}
    last = (node for index, node in enumerate(graph.node) if index not in tail and node.op_type in HEAVY)
    return [node.name for node in last if set(node.output) <= ends]


def _loaded(path: Path) -> Any:
    import onnx

    model = onnx.load(str(path))
    standard = [opset for opset in model.opset_import if not opset.domain]
    del model.opset_import[:]
    model.opset_import.extend(standard)
    return model
