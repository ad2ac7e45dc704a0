"""What tests of the command line start from: small frames, an engine that sees one thing, and an agent that serves it."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rehearse
from perception.engine import METADATA_KEY, EngineMetadata
from scenes.taxonomy import TAXONOMY

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run_here(capsys):
    """Returns a function that runs the command line in this process, where an error without a sentence fails the test."""

    def run(*arguments):
        status = rehearse.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Three small frames of one scene, made by the real command."""
    folder = tmp_path_factory.mktemp("cli") / "data"
    command = [sys.executable, "rehearse.py", "generate", "tabletop", str(folder), "--frames", "3", "--split", "test"]
    subprocess.run([*command, "--size", "64x48", "--workers", "1"], cwd=ROOT, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture
def damaged(dataset, tmp_path):
    """A copy of the data set that a test may damage."""
    return Path(shutil.copytree(dataset, tmp_path / "damaged"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """An engine file whose answer is table everywhere at a constant depth."""
    onnx = pytest.importorskip("onnx", reason="making the test engine needs onnx (the train extra)")
    path = tmp_path_factory.mktemp("engine") / "constant.onnx"
    h, w = 24, 32
    table = TAXONOMY.named("table").id
    values = {
        "category": np.full((1, h, w), table, np.int32),
        "confidence": np.ones((1, h, w), np.float32),
        "center": np.zeros((1, 1, h // 2, w // 2), np.float32),
        "offset": np.zeros((1, 2, h // 2, w // 2), np.float32),
        "depth": np.ones((1, 1, h // 2, w // 2), np.float32),
    }
    make = onnx.helper
    nodes = [make.make_node("ReduceMean", ["image"], ["mean"], keepdims=0), make.make_node("Mul", ["mean", "zero"], ["nought"])]
    constants = [make.make_tensor("zero", onnx.TensorProto.FLOAT, (), [0.0])]
    outputs = []
    for name, array in values.items():
        kind = make.np_dtype_to_tensor_dtype(array.dtype)
        constants.append(onnx.numpy_helper.from_array(array, f"c_{name}"))
        nodes += [
            make.make_node("Cast", ["nought"], [f"n_{name}"], to=kind),
            make.make_node("Add", [f"c_{name}", f"n_{name}"], [name]),
        ]
        outputs.append(make.make_tensor_value_info(name, kind, array.shape))
    image = make.make_tensor_value_info("image", onnx.TensorProto.FLOAT, (1, 3, h, w))
    model = make.make_model(
        make.make_graph(nodes, "constant", [image], outputs, constants), opset_imports=[make.make_opsetid("", 17)], ir_version=8
    )
    categories = tuple(c.name for c in TAXONOMY)
    metadata = EngineMetadata(network="constant", input_size=(h, w), categories=categories, reference_focal_px=28.0)
    make.set_model_props(model, {METADATA_KEY: metadata.to_json()})
    onnx.save(model, str(path))
    return path


@pytest.fixture
def agent(engine):
    """A real agent in a process of its own; yields the process and its address."""
    command = [sys.executable, "rehearse.py", "agent", str(engine), "--bind", "tcp://127.0.0.1:*", "--backend", "onnxruntime"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ready, address = process.stdout.readline().split()
    assert ready == "READY"
    yield process, address
    process.kill()
    process.communicate(timeout=10)
