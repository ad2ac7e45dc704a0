"""A tiny ONNX network whose five outputs are known functions of the image, so that every engine can be held to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.engine import METADATA_KEY, EngineMetadata
from scenes.taxonomy import TAXONOMY

SIZE = (32, 48)
METADATA = EngineMetadata(
    network="tiny",
    input_size=SIZE,
    categories=tuple(c.name for c in TAXONOMY),
    reference_focal_px=280.0,
    extra={"trained_on": "nothing"},
)
_COUNT = len(TAXONOMY)


def write_tiny(path: Path, *, metadata: str | None = None, drop: str = "", depth_channels: int = 1) -> Path:
    """Writes the network; `drop` leaves one output out, `depth_channels` other than one makes the depth wrong."""
    from onnx import TensorProto, helper, save

    h, w = SIZE
    half = (h // 2, w // 2)
    shapes = {
        "category": (TensorProto.INT32, (1, h, w)), "confidence": (TensorProto.FLOAT, (1, h, w)),
        "center": (TensorProto.FLOAT, (1, 1, *half)), "offset": (TensorProto.FLOAT, (1, 2, *half)),
        "depth": (TensorProto.FLOAT, (1, depth_channels, *half)),
    }  # fmt: skip
    weights = _weights(depth_channels)
    nodes = [
        helper.make_node("Div", ["image", "scale"], ["unit"]),
        helper.make_node("Conv", ["unit", "w_logits"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["share"], axis=1),
        helper.make_node("ArgMax", ["logits"], ["arg"], axis=1, keepdims=0),
        helper.make_node("Cast", ["arg"], ["category"], to=TensorProto.INT32),
        helper.make_node("ReduceMax", ["share"], ["confidence"], axes=[1], keepdims=0),
        helper.make_node("AveragePool", ["unit"], ["small"], kernel_shape=[2, 2], strides=[2, 2]),
        *(helper.make_node("Conv", ["small", f"w_{n}"], [n]) for n in ("center", "offset", "depth")),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, h, w])],
        [helper.make_tensor_value_info(n, t, s) for n, (t, s) in shapes.items() if n != drop],
        [helper.make_tensor(n, TensorProto.FLOAT, a.shape, a.ravel().tolist()) for n, a in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if metadata != "":
        helper.set_model_props(model, {METADATA_KEY: METADATA.to_json() if metadata is None else metadata})
    save(model, str(path))
    return path


def _weights(depth_channels: int = 1) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(5)
    sizes = {"w_logits": _COUNT, "w_center": 1, "w_offset": 2, "w_depth": depth_channels}
    weights = {n: rng.normal(0, 4, (k, 3, 1, 1)).astype(np.float32) for n, k in sizes.items()}
    return {**weights, "w_depth": np.abs(weights["w_depth"]), "scale": np.full(1, 255.0, dtype=np.float32)}


def expected(image: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """Returns the outputs of the network for float32 (1, 3, h, w), worked out in float64."""
    w = {n: a.astype(np.float64)[:, :, 0, 0] for n, a in _weights().items() if n != "scale"}
    unit = image[0].astype(np.float64) / 255
    logits = np.einsum("kc,chw->khw", w["w_logits"], unit)
    share = np.exp(logits - logits.max(axis=0))
    small = unit.reshape(3, SIZE[0] // 2, 2, SIZE[1] // 2, 2).mean(axis=(2, 4))
    heads = {n: np.einsum("kc,chw->khw", w[f"w_{n}"], small)[None] for n in ("center", "offset", "depth")}
    return {"category": logits.argmax(axis=0)[None], "confidence": (1 / share.sum(axis=0))[None], **heads}
