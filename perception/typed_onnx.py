"""A float32 engine file becomes a float16 one in which every tensor says its own type; inputs and outputs stay float32.

TensorRT from version 10 on takes precision from the graph instead of from flags, and version 11 knows nothing else. What
comes before the first and after the last convolution or matrix product (the normalisation of pixels, softmax, metres) stays
float32: half precision costs most there and saves nothing.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from perception.engine import METADATA_KEY, EngineMetadata, ModelFile
from scenes.errors import EngineError
from scenes.files import whole_file

TYPED_KEY = "typed"
HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_HALF_MAX = 65504.0
_FLOAT, _HALF = 1, 10  # of onnx.TensorProto, which never changes a number
_FLOAT_INPUTS = {"Resize": (1, 2)}  # inputs that are float32 whatever the type of the node


def write_float16(model: ModelFile, out_onnx: Path) -> None:
    """Writes the float16 form of a float32 engine file; the metadata says what it was made from.

    Needs onnx and onnxruntime. Raises EngineError where the file has another precision already, where a weight does not
    fit into float16, or where the result is not valid ONNX.
    """
    assert_float32(model)
    graph_model = simplified(model)
    _halve(graph_model.graph, model.path)
    publish(graph_model, model, out_onnx, precision="f16")


def typed_precision(metadata: EngineMetadata) -> str:
    """Returns `f16` or `int8` where a file was made so here or by `perception.quantized_onnx`, else `f32`."""
    return str(_typed(metadata).get("precision", "f32"))


def original_digest(metadata: EngineMetadata, digest: str) -> str:
    """Returns the sha256 of the float32 file that the file with this metadata was made from, or else its own `digest`."""
    return str(_typed(metadata).get("from", digest))


def assert_float32(model: ModelFile) -> None:
    """Raises EngineError where a file is not a float32 one, which conversions begin with."""
    precision = typed_precision(model.metadata)
    if precision != "f32":
        raise EngineError(f"{model.path} is {precision} already; convert the float32 file that it was made from.")


def simplified(model: ModelFile) -> Any:
    """Returns the onnx.ModelProto with everything folded that does not depend on the image; standard operators only."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "simplified.onnx")
        try:
            onnxruntime.InferenceSession(model.data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library's exceptions have no common base but Exception
            said = " ".join(str(error).split()).rstrip(".")
            raise EngineError(f"{model.path} cannot be converted: ONNX Runtime says {said}.") from error
        made = onnx.load(options.optimized_model_filepath)
    standard = [opset for opset in made.opset_import if not opset.domain]
    del made.opset_import[:]
    made.opset_import.extend(standard)
    return made


def publish(graph_model: Any, model: ModelFile, out_onnx: Path, *, precision: str) -> None:
    """Writes a converted model with the metadata of `model` and the note of what it is; checks it first."""
    import onnx

    text = model.metadata.to_json()
    note = {TYPED_KEY: {"precision": precision, "from": model.digest}}
    del graph_model.metadata_props[:]
    graph_model.metadata_props.add(key=METADATA_KEY, value=json.dumps({**json.loads(text), **note}, sort_keys=True))
    try:
        onnx.checker.check_model(graph_model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        said = str(error).strip().splitlines()[0]
        raise EngineError(f"{model.path} cannot be written as {precision}: the graph would not be valid ({said}).") from error
    out_onnx.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(out_onnx) as staging:
        onnx.save(graph_model, str(staging))


def before_and_after(graph: Any) -> tuple[set[int], set[int]]:
    """Returns the indices of the nodes that have no heavy operator above them, and of those that have none below.

    A heavy operator itself is in neither. The nodes of an ONNX graph are sorted, each after those that it needs.
    """
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output}
    above, below = set[int](), set[int]()
    for index, node in enumerate(graph.node):
        sources = [makers[name] for name in node.input if name in makers]
        if node.op_type in HEAVY or any(s in above for s in sources):
            above.add(index)
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if node.op_type in HEAVY or index in below:
            below.add(index)
            below.update(makers[name] for name in node.input if name in makers)
    every = set(range(len(graph.node)))
    return every - above, every - below


def _typed(metadata: EngineMetadata) -> dict[str, Any]:
    found = metadata.extra.get(TYPED_KEY)
    return found if isinstance(found, dict) else {}


def _halve(graph: Any, path: Path) -> None:
    """Turns the middle of a graph to float16, in place, with a cast wherever a tensor crosses a border."""
    from onnx import helper

    head, tail = before_and_after(graph)
    middle = set(range(len(graph.node))) - head - tail
    half_names = {name for index in middle for name in graph.node[index].output}
    half_names -= {o.name for o in graph.output}
    floats = _float_names(graph)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes, casts = list[Any](), dict[tuple[str, int], str]()
    for index, node in enumerate(graph.node):
        wanted = _HALF if index in middle else _FLOAT
        for place, name in enumerate(node.input):
            if name not in floats or (wanted == _HALF and place in _FLOAT_INPUTS.get(node.op_type, ())):
                continue
            if name in weights:
                if wanted == _HALF:
                    node.input[place] = _half_weight(graph, weights, name, path)
            elif (name in half_names) != (wanted == _HALF):
                nodes += _cast(helper, casts, name, wanted)
                node.input[place] = casts[name, wanted]
        nodes.append(node)
        if index in middle:
            nodes += _cast_outputs(helper, node, graph, floats)
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_unused(graph)


def _float_names(graph: Any) -> set[str]:
    """Returns the names of all float32 tensors; the graph is one of which onnx can infer every type."""
    import onnx

    shell = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    inferred = onnx.shape_inference.infer_shapes(shell).graph
    values = [*inferred.input, *inferred.output, *inferred.value_info]
    floats = {value.name for value in values if value.type.tensor_type.elem_type == _FLOAT}
    return floats | {tensor.name for tensor in graph.initializer if tensor.data_type == _FLOAT}


def _cast(helper: Any, casts: dict[tuple[str, int], str], name: str, wanted: int) -> Iterable[Any]:
    if (name, wanted) in casts:
        return []
    casts[name, wanted] = f"{name}_as_{'half' if wanted == _HALF else 'float'}"
    return [helper.make_node("Cast", [name], [casts[name, wanted]], to=wanted, name=casts[name, wanted])]


def _cast_outputs(helper: Any, node: Any, graph: Any, floats: set[str]) -> list[Any]:
    """Returns casts for outputs of the graph that a float16 node makes, and renames what the node makes itself."""
    made = []
    outputs = {o.name for o in graph.output} & floats
    for place, name in enumerate(node.output):
        if name in outputs:
            node.output[place] = f"{name}_half"
            made.append(helper.make_node("Cast", [f"{name}_half"], [name], to=_FLOAT, name=f"{name}_out"))
    return made


def _half_weight(graph: Any, weights: dict[str, Any], name: str, path: Path) -> str:
    from onnx import numpy_helper

    half_name = f"{name}_half"
    if half_name not in weights:
        values = numpy_helper.to_array(weights[name])
        if values.size and not float(np.abs(values).max()) <= _HALF_MAX:
            raise EngineError(f"{path} cannot be written as f16: the weight {name} is too large for float16.")
        weights[half_name] = numpy_helper.from_array(values.astype(np.float16), half_name)
        graph.initializer.append(weights[half_name])
    return half_name


def _drop_unused(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    del graph.value_info[:]
