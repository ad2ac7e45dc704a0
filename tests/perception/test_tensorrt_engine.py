"""The TensorRT engine's whole life against the FAKE of TensorRT and CUDA, in every version: no GPU has ever run it."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from perception.engine import OUTPUT_NAMES, Engine, open_engine, read_model_file
from perception.tensorrt_engine import TensorRtEngine, device_free_bytes
from perception.tensorrt_options import TensorRtOptions
from perception.tensorrt_plan import PlanManifest, manifest_path, read_plan
from perception.typed_onnx import write_float16
from scenes.errors import EngineError, EngineLostError, UnknownNameError
from tests.perception.engine_conformance import EngineConformance
from tests.perception.fake_tensorrt import FakeGpu, installed
from tests.perception.make_tensorrt_table import VERSIONS
from tests.perception.tiny_engine import METADATA, SIZE, write_tiny


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REHEARSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(params=VERSIONS)
def gpu(request: pytest.FixtureRequest) -> Iterator[FakeGpu]:
    with installed(request.param) as fake:
        yield fake


@pytest.fixture
def one_gpu() -> Iterator[FakeGpu]:
    with installed("10.3.0") as fake:
        yield fake


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "tiny.onnx")


def _image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (1, 3, *SIZE)).astype(np.float32)


def _assert_equal(engine: Engine, other: Engine, image: np.ndarray) -> None:
    a, b = engine.infer(image), other.infer(image)
    for name in OUTPUT_NAMES:
        assert getattr(a, name).dtype == getattr(b, name).dtype
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


class TestOnTheFake(EngineConformance):
    """The adapter on the FAKE passes the suite of every engine."""

    backend = "tensorrt"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def fake(cls) -> Iterator[FakeGpu]:
        with installed("10.3.0") as gpu:
            yield gpu

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, fake: FakeGpu, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:  # noqa: ARG003
        folder = tmp_path_factory.mktemp("engine")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REHEARSE_CACHE", str(folder / "cache"))
            yield open_engine(write_tiny(folder / "tiny.onnx"), "tensorrt", precision="f32")

    def test_says_what_it_is(self, engine: Engine) -> None:
        assert (engine.name, engine.metadata) == ("tensorrt", METADATA)
        assert len(engine.digest) == 64
        assert engine.settings["inference_precision_hint"] == "f32"
        assert engine.settings["chosen"] == "asked for"


@pytest.mark.parametrize("memory", ["pinned", "mapped"])
@pytest.mark.parametrize("graph", ["on", "off"])
@pytest.mark.parametrize("wait", ["driver", "asleep"])
def test_it_answers_as_onnx_runtime_does_and_gives_all_back(
    gpu: FakeGpu, tiny: Path, memory: str, graph: str, wait: str
) -> None:
    reference = open_engine(tiny, "onnxruntime", threads=1)
    engine = open_engine(tiny, f"tensorrt:memory={memory},graph={graph},wait={wait}")
    assert isinstance(engine, TensorRtEngine)
    gpu.calls.clear()
    for seed in range(3):
        _assert_equal(engine, reference, _image(seed))
    assert engine.settings["memory"] == memory
    assert engine.settings["cuda_graph"].startswith(graph)
    assert engine.settings["wait"] == wait
    waits = "cudaStreamSynchronize" if wait == "driver" else "cudaEventSynchronize"
    copies = 0 if memory == "mapped" or graph == "on" else 6
    assert gpu.calls.count(waits) == 3
    assert gpu.calls.count("cudaMemcpyAsync") == 3 * copies
    assert gpu.calls.count("cudaGraphLaunch") == (3 if graph == "on" else 0)
    assert not {"cudaMalloc", "cudaHostAlloc"} & set(gpu.calls), "memory is allocated while it runs"
    engine.close()
    engine.close()
    gpu.assert_all_given_back()
    with pytest.raises(EngineError, match="closed"):
        engine.infer(_image())


def test_the_memory_is_chosen_by_the_gpu(one_gpu: FakeGpu, tiny: Path) -> None:
    assert open_engine(tiny, "tensorrt").settings["memory"] == "mapped"
    one_gpu.integrated = False
    assert open_engine(tiny, "tensorrt").settings["memory"] == "pinned"


def test_the_last_reference_gives_all_back(gpu: FakeGpu, tiny: Path) -> None:
    engine = open_engine(tiny, "tensorrt")
    assert gpu.used_bytes() > 0
    del engine
    gc.collect()
    gpu.assert_all_given_back()


def test_a_graph_that_cannot_be_captured_is_recorded_and_it_runs_on(gpu: FakeGpu, tiny: Path) -> None:
    gpu.refuse.add("capture")
    engine = open_engine(tiny, "tensorrt")
    assert engine.settings["cuda_graph"].startswith("off: it could not be captured (TensorRT did not run the network")
    _assert_equal(engine, open_engine(tiny, "onnxruntime", threads=1), _image())
    assert isinstance(engine, TensorRtEngine)
    engine.close()
    gpu.assert_all_given_back()


@pytest.mark.parametrize("call", ["cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaGraphInstantiate"])
def test_a_step_of_the_capture_that_fails_is_recorded(one_gpu: FakeGpu, tiny: Path, call: str) -> None:
    one_gpu.fail[call] = "cudaErrorInvalidValue"
    engine = open_engine(tiny, "tensorrt")
    assert call in engine.settings["cuda_graph"]
    assert isinstance(engine, TensorRtEngine)
    _assert_equal(engine, open_engine(tiny, "onnxruntime", threads=1), _image())
    engine.close()
    one_gpu.assert_all_given_back()


def test_a_float16_file_runs_with_float32_at_both_ends(gpu: FakeGpu, tiny: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.onnx"
    write_float16(read_model_file(tiny), half)
    engine = open_engine(half, "tensorrt")
    assert engine.settings["inference_precision_hint"] == "f16"
    _assert_equal(engine, open_engine(half, "onnxruntime", threads=1), _image())


def test_a_dla_takes_what_it_can(gpu: FakeGpu, tiny: Path, tmp_path: Path) -> None:
    gpu.dla_refuses = {"Softmax", "ArgMax"}
    half = tmp_path / "half.onnx"
    write_float16(read_model_file(tiny), half)
    engine = open_engine(half, "tensorrt:dla=1")
    assert re.fullmatch(r"core 1, 2 of \d+ layers on the GPU", engine.settings["dla"])
    (built,) = gpu.builds
    assert (built["dla"], "GPU_FALLBACK" in built["config"]) == (1, True)
    with pytest.raises(EngineError, match="no DLA core 2 here"):
        open_engine(half, "tensorrt:dla=2")
    with pytest.raises(EngineError, match="float16 or int8 only"):
        open_engine(tiny, "tensorrt:dla=0,memory=pinned", precision="f32")


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("Builder", r"does not start here: CUDA initialization failure with error: 35 \(pybind11::init"),
        ("Runtime", r"does not start here: TensorRT gave no reason \(pybind11::init"),
        ("deserialize_cuda_engine", r"cannot load .*\.plan: Error Code 1: Serialization"),
        ("create_execution_context", r"no room to run .*OutOfMemory"),
        ("set_tensor_address", r"refuses the memory of the tensor 'image'"),
        ("execute_async_v3", r"did not run the network: Error Code 1: Cuda Runtime"),
        ("build_serialized_network", r"could not build .*tiny\.onnx: no kernel was found"),
    ],
)
def test_what_tensorrt_refuses_is_one_sentence_with_its_reason(gpu: FakeGpu, tiny: Path, what: str, sentence: str) -> None:
    gpu.refuse.add(what)
    with pytest.raises(EngineError, match=sentence) as caught:
        open_engine(tiny, "tensorrt:memory=pinned")
    assert "\n" not in str(caught.value)
    gc.collect()
    gpu.assert_all_given_back()


@pytest.mark.parametrize(
    "call",
    [
        "cudaGetDevice", "cudaGetDeviceProperties", "cudaDriverGetVersion", "cudaRuntimeGetVersion", "cudaMalloc",
        "cudaHostAlloc", "cudaMemcpyAsync", "cudaStreamCreateWithFlags", "cudaStreamSynchronize",
    ],
)  # fmt: skip
def test_an_error_of_cuda_at_opening_is_one_sentence_and_leaves_nothing(one_gpu: FakeGpu, tiny: Path, call: str) -> None:
    open_engine(tiny, "tensorrt")  # builds
    one_gpu.fail[call] = "cudaErrorMemoryAllocation"
    with pytest.raises(EngineError, match=f"{call} failed: cudaErrorMemoryAllocation, the text of") as caught:
        open_engine(tiny, "tensorrt:memory=pinned")
    assert "\n" not in str(caught.value)
    gc.collect()
    one_gpu.assert_all_given_back()


def test_the_device_pointer_is_looked_at_too(one_gpu: FakeGpu, tiny: Path) -> None:
    one_gpu.fail["cudaHostGetDevicePointer"] = "cudaErrorInvalidValue"
    with pytest.raises(EngineError, match="cudaHostGetDevicePointer failed"):
        open_engine(tiny, "tensorrt:memory=mapped")
    assert one_gpu.used_bytes() == 0


def test_an_error_while_it_runs_fails_that_frame_and_not_the_next(one_gpu: FakeGpu, tiny: Path) -> None:
    engine = open_engine(tiny, "tensorrt")
    one_gpu.fail["cudaGraphLaunch"] = "cudaErrorInvalidValue"
    with pytest.raises(EngineError, match="cudaGraphLaunch failed"):
        engine.infer(_image())
    _assert_equal(engine, open_engine(tiny, "onnxruntime", threads=1), _image())


def test_a_lost_device_says_that_the_process_must_end(one_gpu: FakeGpu, tiny: Path) -> None:
    engine = open_engine(tiny, "tensorrt")
    assert isinstance(engine, TensorRtEngine)
    one_gpu.fail["cudaStreamSynchronize"] = "cudaErrorIllegalAddress"
    with pytest.raises(EngineLostError, match="must be started anew"):
        engine.infer(_image())
    one_gpu.drain(next(iter(one_gpu.streams)))
    one_gpu.fail["cudaFreeHost"] = "cudaErrorIllegalAddress"
    engine.close()  # says nothing: there is nothing left to give back


def test_no_device_and_no_library_are_one_sentence(tiny: Path) -> None:
    gpu = FakeGpu()
    gpu.devices = 0
    with installed("10.3.0", gpu=gpu), pytest.raises(EngineError, match=r"no CUDA device here \(cudaErrorNoDevice"):
        open_engine(tiny, "tensorrt")
    with installed("10.3.0", cuda=False), pytest.raises(EngineError, match="needs cuda-python"):
        open_engine(tiny, "tensorrt")
    with pytest.raises(EngineError, match=r"TensorRT is not in this Python .*system-site-packages"):
        open_engine(tiny, "tensorrt")
    assert device_free_bytes() is None


def test_cuda_python_before_cuda_bindings_will_do(tiny: Path) -> None:
    with installed("8.6.1", old_cuda=True) as gpu:
        _assert_equal(open_engine(tiny, "tensorrt"), open_engine(tiny, "onnxruntime", threads=1), _image())
        assert device_free_bytes() == 2**33 - gpu.used_bytes()


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"location": "HOST"}, "lies on the host"),
        ({"format": "CHW32"}, "not row by row"),
        ({"type": "tensor(int64)"}, "neither float32, float16 nor int32"),
        ({"shape": (1, -1, 16, 24)}, "not fixed"),
    ],
)
def test_a_tensor_that_is_not_plain_is_refused(one_gpu: FakeGpu, tiny: Path, facts: dict[str, object], complaint: str) -> None:
    one_gpu.tensor_facts["depth"] = facts
    with pytest.raises(EngineError, match=f"its tensor 'depth' .*{complaint}"):
        open_engine(tiny, "tensorrt")


@pytest.fixture
def plan(one_gpu: FakeGpu, tiny: Path, cache: Path) -> Path:
    open_engine(tiny, "tensorrt")
    (found,) = cache.glob("tensorrt/*.plan")
    return found


def test_a_plan_opens_by_its_own_name(plan: Path, one_gpu: FakeGpu, tiny: Path) -> None:
    engine = open_engine(plan)
    assert engine.settings["chosen"] == "auto: the file is a TensorRT plan"
    assert (engine.metadata, engine.digest) == (METADATA, read_plan(plan).manifest.plan_sha256)
    _assert_equal(engine, open_engine(tiny, "onnxruntime", threads=1), _image())
    with pytest.raises(EngineError, match="give it the ONNX file"):
        open_engine(plan, "openvino")


def test_a_changed_plan_is_never_loaded(plan: Path, one_gpu: FakeGpu) -> None:
    whole = plan.read_bytes()
    one_gpu.refuse.add("deserialize_cuda_engine")  # it would say so, were it asked
    for at in (0, len(whole) // 2, len(whole) - 1):
        plan.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(EngineError, match="was not loaded, because loading a plan runs its code"):
            open_engine(plan)
    plan.write_bytes(whole)
    digest = read_plan(plan).manifest.plan_sha256
    assert read_plan(plan, sha256=digest.upper()).checked == f"{plan.name}.json and pinned"
    with pytest.raises(EngineError, match=r"not the engine that was meant.* by pinned"):
        open_engine(plan, sha256="0" * 64)
    plan.write_bytes(whole[:-1])
    with pytest.raises(EngineError, match="not the plan of its manifest"):
        open_engine(plan)


def test_a_plan_without_its_manifest_or_with_a_damaged_one_is_refused(plan: Path) -> None:
    text = manifest_path(plan).read_text()
    values = json.loads(text)
    for damaged in ("", "{", "[]", json.dumps({**values, "format": 2}), json.dumps({**values, "more": 1})):
        manifest_path(plan).write_text(damaged)
        with pytest.raises(EngineError, match="is not the manifest of a plan"):
            open_engine(plan)
    manifest_path(plan).write_text(json.dumps({**values, "key": {"gpu": "x"}}))
    with pytest.raises(EngineError, match="incomplete"):
        open_engine(plan)
    manifest_path(plan).unlink()
    with pytest.raises(EngineError, match="Cannot read the plan"):
        open_engine(plan)
    assert PlanManifest.from_json(text).to_json() == text


def test_a_plan_of_another_board_or_version_is_refused_before_it_is_loaded(plan: Path) -> None:
    other = FakeGpu()
    other.name = "Fake Thor"
    with installed("10.3.0", gpu=other), pytest.raises(EngineError, match=r"for Fake Orin .*; here is .* on Fake Thor"):
        open_engine(plan)
    with installed("10.16.1"), pytest.raises(EngineError, match=r"built by TensorRT 10\.3\.0 .*here is TensorRT 10\.16\.1"):
        open_engine(plan)


def test_a_plan_for_the_gpu_does_not_go_to_a_dla(plan: Path) -> None:
    with pytest.raises(EngineError, match="not built for a DLA"):
        open_engine(plan, "tensorrt:dla=0")


def test_options_are_read_or_refused() -> None:
    assert TensorRtOptions.parse("") == TensorRtOptions()
    assert TensorRtOptions.parse("memory=pinned, graph=off,dla=1,wait=asleep,build=off") == TensorRtOptions(
        memory="pinned", graph="off", dla=1, wait="asleep", build="off"
    )
    for text in ("memori=pinned", "memory=shared", "graph", "graph="):
        with pytest.raises(UnknownNameError):
            TensorRtOptions.parse(text)
    with pytest.raises(EngineError, match="DLA core"):
        TensorRtOptions.parse("dla=first")


def test_options_belong_to_tensorrt(tiny: Path) -> None:
    with pytest.raises(EngineError, match="takes no options"):
        open_engine(tiny, "openvino:memory=pinned")
