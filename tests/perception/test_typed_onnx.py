"""Float16 and int8 files say their types tensor by tensor, keep float32 at both ends, and stay near to the float32 file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from perception.agreement import agreement
from perception.engine import ModelFile, open_engine, read_model_file
from perception.preprocess import network_input
from perception.probe_frames import probe_frames
from perception.quantized_onnx import write_int8
from perception.typed_onnx import (
    HEAVY,
    before_and_after,
    original_digest,
    simplified,
    typed_precision,
    write_float16,
)
from scenes.errors import EngineError
from tests.perception.tiny_engine import SIZE, write_tiny

SHIPPED = Path(__file__).resolve().parents[2] / "perception" / "models" / "panoptic_depthlab_tabletop.onnx"


@pytest.fixture(scope="module")
def model() -> ModelFile:
    return read_model_file(SHIPPED)


@pytest.fixture(scope="module")
def half(model: ModelFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("half") / "half.onnx"
    write_float16(model, path)
    return path


@pytest.fixture(scope="module")
def int8(model: ModelFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("int8") / "int8.onnx"
    write_int8(model, [network_input(image, model.metadata.input_size) for image in probe_frames(16)[8:]], path)
    return path


def _types(graph: Any) -> dict[str, int]:
    inferred = onnx.shape_inference.infer_shapes(onnx.load_from_string(graph), strict_mode=True).graph
    values = [*inferred.input, *inferred.output, *inferred.value_info]
    return {v.name: v.type.tensor_type.elem_type for v in values} | {t.name: t.data_type for t in inferred.initializer}


def test_between_the_first_and_the_last_product_all_is_float16(half: Path) -> None:
    data = half.read_bytes()
    graph, types = onnx.load_from_string(data).graph, _types(data)
    for node in graph.node:
        if node.op_type in HEAVY:
            assert {types[name] for name in node.input} == {onnx.TensorProto.FLOAT16}, node.name
            assert types[node.output[0]] == onnx.TensorProto.FLOAT16
    ends = [*graph.input, *graph.output]
    assert {v.name: v.type.tensor_type.elem_type for v in ends} == {
        "image": onnx.TensorProto.FLOAT, "category": onnx.TensorProto.INT32,
        **dict.fromkeys(("confidence", "center", "offset", "depth"), onnx.TensorProto.FLOAT),
    }  # fmt: skip
    last = {node.op_type for node in graph.node if types[node.output[0]] == onnx.TensorProto.FLOAT}
    assert {"Sub", "Div", "Exp", "Cast"} <= last
    assert not last & {"Conv", "Gemm", "MatMul", "Relu", "LayerNormalization"}


def test_every_name_is_made_before_it_is_used_and_nothing_is_left_over(half: Path, int8: Path) -> None:
    for path in (half, int8):
        graph = onnx.load(str(path)).graph
        known = {"", *(i.name for i in graph.input), *(t.name for t in graph.initializer)}
        used = {name for node in graph.node for name in node.input}
        for node in graph.node:
            assert set(node.input) <= known, node.name
            known |= set(node.output)
        assert {t.name for t in graph.initializer} <= used
        assert [o.domain for o in onnx.load(str(path)).opset_import] == [""]
    assert half.stat().st_size < 0.52 * SHIPPED.stat().st_size


def test_float16_is_near_to_float32(model: ModelFile, half: Path) -> None:
    reference, other = open_engine(SHIPPED, "onnxruntime", threads=1), open_engine(half, "onnxruntime", threads=1)
    images = [network_input(image, model.metadata.input_size) for image in probe_frames(4)]
    found = agreement((reference.infer(image), other.infer(image)) for image in images)
    assert found.within("f16")
    assert 0 < found.depth_p95 < 1e-3, "no rounding at all would mean that nothing was converted"
    assert other.settings["inference_precision_hint"] == "f16"


def test_no_activation_comes_near_to_the_end_of_float16(model: ModelFile) -> None:
    import onnxruntime

    graph_model = simplified(model)
    head, tail = before_and_after(graph_model.graph)
    middle = [n for i, n in enumerate(graph_model.graph.node) if i not in head | tail]
    names = [name for node in middle for name in node.output]
    graph_model.graph.output.extend(onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph_model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for image in probe_frames(2):
        arrays = session.run(names, {"image": network_input(image, model.metadata.input_size)})
        assert max(float(np.abs(array).max()) for array in arrays) < 65504 / 8


def test_int8_ranges_are_symmetric_per_channel_and_the_ends_are_not_quantised(model: ModelFile, int8: Path) -> None:
    graph = onnx.load(str(int8)).graph
    count = Counter(node.op_type for node in graph.node)
    assert count["QuantizeLinear"] > 20
    weights = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    zero_points = [weights[node.input[2]] for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert all(z.dtype == np.int8 and not z.any() for z in zero_points), "TensorRT takes zero points of 0 only"
    scales = [weights[node.input[1]] for node in graph.node if node.op_type == "DequantizeLinear"]
    assert sum(scale.size > 1 for scale in scales) > 20
    makers = {name: node.op_type for node in graph.node for name in node.output}
    predicting = [node for node in graph.node if node.op_type == "Conv" and "predict" in node.name]
    assert len(predicting) == 3
    assert all(makers.get(node.input[0]) != "DequantizeLinear" for node in predicting)


def test_int8_is_near_to_float32(model: ModelFile, int8: Path) -> None:
    reference, other = open_engine(SHIPPED, "onnxruntime", threads=1), open_engine(int8, "onnxruntime", threads=1)
    images = [network_input(image, model.metadata.input_size) for image in probe_frames(4)]
    found = agreement((reference.infer(image), other.infer(image)) for image in images)
    assert found.within("int8")
    assert not found.within("f32")


def test_a_converted_file_says_what_it_was_made_from(model: ModelFile, half: Path, int8: Path) -> None:
    assert (typed_precision(model.metadata), original_digest(model.metadata, model.digest)) == ("f32", model.digest)
    for path, precision in ((half, "f16"), (int8, "int8")):
        made = read_model_file(path)
        assert (typed_precision(made.metadata), original_digest(made.metadata, made.digest)) == (precision, model.digest)
        assert made.metadata.categories == model.metadata.categories
        assert made.metadata.calibration == model.metadata.calibration
        assert made.digest != model.digest
        with pytest.raises(EngineError, match=f"is {precision} already"):
            write_float16(made, path.with_name("again.onnx"))


def test_a_weight_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "tiny.onnx")
    large = onnx.load(str(path))
    weight = next(t for t in large.graph.initializer if t.name == "w_depth")
    weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * np.float32(1e5), weight.name))
    onnx.save(large, str(path))
    with pytest.raises(EngineError, match="the weight w_depth is too large for float16"):
        write_float16(read_model_file(path), tmp_path / "half.onnx")
    assert not (tmp_path / "half.onnx").exists()


def test_int8_needs_images(tmp_path: Path) -> None:
    tiny = read_model_file(write_tiny(tmp_path / "tiny.onnx"))
    with pytest.raises(EngineError, match="at least 8 frames"):
        write_int8(tiny, [np.zeros((1, 3, *SIZE), np.float32)] * 7, tmp_path / "int8.onnx")


def test_a_damaged_graph_is_refused(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "x.onnx")
    path.write_bytes(path.read_bytes().replace(b"Softmax", b"Saftmax"))
    with pytest.raises(EngineError, match="cannot be converted: ONNX Runtime says") as caught:
        write_float16(read_model_file(path), tmp_path / "half.onnx")
    assert "\n" not in str(caught.value)
