"""The FAKE of TensorRT has the recorded signatures and tells every misuse that the adapter could commit."""

from __future__ import annotations

import ctypes
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.perception.fake_tensorrt import FakeGpu, Misuse, bindings, installed
from tests.perception.make_tensorrt_table import VERSIONS
from tests.perception.tensorrt_contract import tensorrt_table
from tests.perception.tiny_engine import write_tiny


@pytest.mark.parametrize("name", sorted(n for n, fact in tensorrt_table().items() if fact["kind"] == "function" and "." in n))
def test_a_method_takes_the_recorded_parameters(name: str) -> None:
    owner, _, member = name.partition(".")
    parameters = list(inspect.signature(getattr(bindings._IMPLEMENTED[owner], member)).parameters.values())[1:]
    recorded = tensorrt_table()[name]["parameters"]
    if recorded is not None and member != "create_execution_context":  # its only parameter has a default
        assert [p.name + ("" if p.default is p.empty else "=") for p in parameters] == recorded


@pytest.mark.parametrize("version", VERSIONS)
def test_a_name_that_a_version_lacks_is_not_there(version: str) -> None:
    with installed(version):
        import tensorrt as trt

        assert hasattr(trt.BuilderFlag, "FP16") == (version != "11.4.0")
        assert hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED") == (version != "8.6.1")
        assert hasattr(trt.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH") == (version != "11.4.0")
        with pytest.raises(AttributeError):
            trt.ICudaEngine.num_bindings  # noqa: B018
        runtime = trt.Runtime(None)
        runtime.DLA_core = 1
        with pytest.raises(AttributeError):
            runtime.max_batch_size = 1


class _Bench:
    """A plan of the tiny network on the fake, with its memory, driven by hand."""

    def __init__(self, gpu: FakeGpu, folder: Path) -> None:
        import tensorrt as trt
        from cuda.bindings import runtime as rt

        class Logger(trt.ILogger):
            def __init__(self) -> None:
                trt.ILogger.__init__(self)

            def log(self, severity: Any, msg: str) -> None:
                pass

        self.gpu, self.rt = gpu, rt
        builder, network = trt.Builder(Logger()), trt.INetworkDefinition(3)
        parser = trt.OnnxParser(network, Logger())
        assert parser.parse(write_tiny(folder / "tiny.onnx").read_bytes())
        self.builder, self.network = builder, network
        plan = builder.build_serialized_network(network, builder.create_builder_config())
        self.context = trt.Runtime(Logger()).deserialize_cuda_engine(plan).create_execution_context()
        self.facts = self.context._engine._facts
        _, self.stream = rt.cudaStreamCreateWithFlags(rt.cudaStreamNonBlocking)
        sizes = {name: self.context._nbytes(name) for name in self.facts}
        self.device = {name: rt.cudaMalloc(size)[1] for name, size in sizes.items()}
        self.host = {name: rt.cudaHostAlloc(size, rt.cudaHostAllocDefault)[1] for name, size in sizes.items()}
        self.sizes = sizes

    def up(self, **changed: Any) -> None:
        given = {"dst": self.device["image"], "src": self.host["image"], "count": self.sizes["image"], "stream": self.stream}
        given |= changed
        kind = self.rt.cudaMemcpyKind.cudaMemcpyHostToDevice
        self.rt.cudaMemcpyAsync(given["dst"], given["src"], given["count"], kind, given["stream"])

    def set_addresses(self) -> None:
        for name, address in self.device.items():
            assert self.context.set_tensor_address(name, address)

    def run(self) -> np.ndarray:
        """Queues everything and waits for nothing; returns what lies in the memory of the host for `depth`."""
        self.up()
        assert self.context.execute_async_v3(int(self.stream))
        kind = self.rt.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self.rt.cudaMemcpyAsync(self.host["depth"], self.device["depth"], self.sizes["depth"], kind, self.stream)
        return np.frombuffer((ctypes.c_uint8 * self.sizes["depth"]).from_address(self.host["depth"]), dtype=np.float32).copy()


@pytest.fixture
def bench(tmp_path: Path):
    with installed("10.3.0") as gpu:
        yield _Bench(gpu, tmp_path)


def test_without_waiting_the_answer_is_stale(bench: _Bench) -> None:
    bench.set_addresses()
    stale = bench.run()
    bench.rt.cudaStreamSynchronize(bench.stream)
    answer = np.frombuffer((ctypes.c_uint8 * bench.sizes["depth"]).from_address(bench.host["depth"]), dtype=np.float32)
    assert not np.array_equal(stale, answer)


def test_a_tensor_without_an_address_is_told(bench: _Bench) -> None:
    bench.set_addresses()
    del bench.context._addresses["center"]
    with pytest.raises(Misuse, match="no address was set for center"):
        bench.run()


def test_memory_that_was_freed_or_is_too_small_is_told(bench: _Bench) -> None:
    with pytest.raises(Misuse, match="bytes where there are"):
        bench.up(count=bench.sizes["image"] + 1)
    with pytest.raises(Misuse, match="the device is given an address of the host"):
        bench.up(dst=bench.host["image"])
    with pytest.raises(Misuse, match="the host is given an address of the device"):
        bench.up(src=bench.device["image"])
    with pytest.raises(Misuse, match="never allocated"):
        bench.up(src=12345)
    bench.rt.cudaFree(bench.device["image"])
    with pytest.raises(Misuse, match="freed"):
        bench.up()
    with pytest.raises(Misuse, match="free of"):
        bench.rt.cudaFree(bench.device["image"])
    bench.device["image"] = bench.rt.cudaMalloc(16)[1]
    bench.set_addresses()
    with pytest.raises(Misuse, match="bytes where there are 16"):
        bench.context.execute_async_v3(int(bench.stream))


def test_memory_is_not_freed_under_queued_work(bench: _Bench) -> None:
    bench.up()
    with pytest.raises(Misuse, match="queued"):
        bench.rt.cudaFree(bench.device["image"])


def test_a_parser_that_is_gone_too_early_is_told(bench: _Bench) -> None:
    with pytest.raises(Misuse, match="owns the weights"):
        bench.builder.build_serialized_network(bench.network, bench.builder.create_builder_config())


def test_the_default_stream_is_told(bench: _Bench) -> None:
    bench.set_addresses()
    with pytest.raises(Misuse, match="default stream"):
        bench.context.execute_async_v3(0)
    with pytest.raises(TypeError):
        bench.context.execute_async_v3(bench.stream)  # a stream's object is no number
    with pytest.raises(Misuse, match="waits for the default"):
        bench.rt.cudaStreamCreateWithFlags(0)


def test_a_first_run_cannot_be_captured(bench: _Bench) -> None:
    bench.set_addresses()
    mode = bench.rt.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
    bench.rt.cudaStreamBeginCapture(bench.stream, mode)
    assert not bench.context.execute_async_v3(int(bench.stream))
    error, graph = bench.rt.cudaStreamEndCapture(bench.stream)
    assert (error.name, graph) == ("cudaErrorStreamCaptureInvalidated", None)


def test_what_is_left_is_told(bench: _Bench) -> None:
    with pytest.raises(AssertionError, match="streams"):
        bench.gpu.assert_all_given_back()
