"""The FAKE of `cuda.bindings.runtime`: a call takes the recorded parameters and returns a tuple that begins with the error."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from tests.perception.fake_tensorrt.gpu import FakeGpu, Misuse, Stream
from tests.perception.tensorrt_contract import cuda_table


class Number:
    """A member of an enum as pybind11 and cuda-python have them: equal to itself, with a name, an int only when asked."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self._number = name, number

    def __int__(self) -> int:
        return self._number

    def __repr__(self) -> str:
        return f"<{self.name}: {self._number}>"


class Handle:
    """A stream, event, graph or executable: an object that int() turns into its number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __int__(self) -> int:
        return self._number


def make_runtime(name: str, gpu: FakeGpu) -> types.ModuleType:
    """Returns the module, whose functions, constants and enums are those of cuda.json and no others."""
    table, module = cuda_table(), types.ModuleType(name)
    for enum, members in table["enums"].items():
        setattr(module, enum, type(enum, (), {m: Number(m, number) for m, number in members.items()}))
    for constant, number in table["constants"].items():
        setattr(module, constant, number)
    calls = _Calls(gpu, module)
    for function, parameters in table["functions"].items():
        setattr(module, function, _call(function, parameters, calls, gpu, module))
    return module


def _call(name: str, parameters: list[str], calls: _Calls, gpu: FakeGpu, module: Any) -> Callable[..., tuple[Any, ...]]:
    outputs = _OUTPUTS.get(name, 0)

    def call(*arguments: Any) -> tuple[Any, ...]:
        if len(arguments) != len(parameters):
            raise TypeError(f"{name}() takes {parameters}")
        gpu.calls.append(name)
        failure = gpu.fail.pop(name, None)
        if failure is not None:
            return (getattr(module.cudaError_t, failure), *[None] * outputs)
        values = getattr(calls, name)(*arguments)
        return values if values and isinstance(values[0], Number) else (module.cudaError_t.cudaSuccess, *values)

    return call


_OUTPUTS = {
    "cudaMemGetInfo": 2, **dict.fromkeys((
        "cudaGetDeviceCount", "cudaGetDevice", "cudaGetDeviceProperties", "cudaDriverGetVersion", "cudaRuntimeGetVersion",
        "cudaMalloc", "cudaHostAlloc", "cudaHostGetDevicePointer", "cudaStreamCreateWithFlags", "cudaStreamEndCapture",
        "cudaGraphInstantiate", "cudaEventCreateWithFlags", "cudaGetErrorString",
    ), 1),
}  # fmt: skip


class _Calls:
    """What each function does; a misuse that a GPU would not notice raises."""

    def __init__(self, gpu: FakeGpu, module: Any) -> None:
        self._gpu, self._rt = gpu, module

    def cudaGetDeviceCount(self) -> tuple[Any, ...]:
        if not self._gpu.devices:
            return (self._rt.cudaError_t.cudaErrorNoDevice, None)
        return (self._gpu.devices,)

    def cudaGetDevice(self) -> tuple[int]:
        return (0,)

    def cudaGetDeviceProperties(self, device: int) -> tuple[Any]:
        gpu = self._gpu
        return (types.SimpleNamespace(
            name=gpu.name.encode() + b"\0\0", major=gpu.sm[0], minor=gpu.sm[1], integrated=int(gpu.integrated)
        ),)  # fmt: skip

    def cudaDriverGetVersion(self) -> tuple[int]:
        return (12060,)

    def cudaRuntimeGetVersion(self) -> tuple[int]:
        return (12060,)

    def cudaMemGetInfo(self) -> tuple[int, int]:
        return (2**33 - self._gpu.used_bytes(), 2**33)

    def cudaMalloc(self, size: int) -> tuple[int]:
        return (self._gpu.allocate(size, "device"),)

    def cudaFree(self, address: int) -> tuple[()]:
        self._gpu.free(address, ("device",))
        return ()

    def cudaHostAlloc(self, size: int, flags: int) -> tuple[int]:
        return (self._gpu.allocate(size, "mapped" if flags & self._rt.cudaHostAllocMapped else "host"),)

    def cudaFreeHost(self, address: int) -> tuple[()]:
        self._gpu.free(address, ("host", "mapped"))
        return ()

    def cudaHostGetDevicePointer(self, address: int, flags: int) -> tuple[int]:
        return (self._gpu.alias(address),)

    def cudaMemcpyAsync(self, dst: int, src: int, count: int, kind: Number, stream: Handle) -> tuple[()]:
        gpu, kinds = self._gpu, self._rt.cudaMemcpyKind
        up = kind is kinds.cudaMemcpyHostToDevice
        if not up and kind is not kinds.cudaMemcpyDeviceToHost:
            raise Misuse(f"cudaMemcpyAsync of the kind {kind!r}")
        gpu.read(src, count, by_device=not up)  # both ends are looked at now, and again when it happens
        gpu.read(dst, count, by_device=up)
        gpu.submit(int(stream), lambda: gpu.write(dst, gpu.read(src, count, by_device=not up), by_device=up))
        return ()

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Handle]:
        if flags != self._rt.cudaStreamNonBlocking:
            raise Misuse("a stream that waits for the default stream")
        handle = self._gpu.handle()
        self._gpu.streams[handle] = Stream()
        return (Handle(handle),)

    def cudaStreamDestroy(self, stream: Handle) -> tuple[()]:
        self._gpu.stream(int(stream))
        del self._gpu.streams[int(stream)]
        return ()

    def cudaStreamSynchronize(self, stream: Handle) -> tuple[Any, ...]:
        state = self._gpu.stream(int(stream))
        if state.recording is not None:
            state.broken = True
            return (self._rt.cudaError_t.cudaErrorStreamCaptureUnsupported,)
        self._gpu.drain(int(stream))
        return ()

    def cudaStreamBeginCapture(self, stream: Handle, mode: Number) -> tuple[()]:
        if mode is not self._rt.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal:
            raise Misuse("a capture that forbids other threads to allocate")
        self._gpu.stream(int(stream)).recording = []
        return ()

    def cudaStreamEndCapture(self, stream: Handle) -> tuple[Any, ...]:
        state = self._gpu.stream(int(stream))
        recorded, state.recording = state.recording, None
        if recorded is None or state.broken:
            state.broken = False
            return (self._rt.cudaError_t.cudaErrorStreamCaptureInvalidated, None)
        handle = self._gpu.handle()
        self._gpu.graphs[handle] = recorded
        return (Handle(handle),)

    def cudaGraphInstantiate(self, graph: Handle, flags: int) -> tuple[Handle]:
        handle = self._gpu.handle()
        self._gpu.executables[handle] = list(self._gpu.graphs[int(graph)])
        return (Handle(handle),)

    def cudaGraphLaunch(self, executable: Handle, stream: Handle) -> tuple[()]:
        for work in self._gpu.executables[int(executable)]:
            self._gpu.submit(int(stream), work)
        return ()

    def cudaGraphExecDestroy(self, executable: Handle) -> tuple[()]:
        del self._gpu.executables[int(executable)]
        return ()

    def cudaGraphDestroy(self, graph: Handle) -> tuple[()]:
        del self._gpu.graphs[int(graph)]
        return ()

    def cudaGetLastError(self) -> tuple[()]:
        return ()

    def cudaGetErrorString(self, error: Number) -> tuple[bytes]:
        return (f"the text of {error.name}".encode(),)

    def cudaEventCreateWithFlags(self, flags: int) -> tuple[Handle]:
        handle = self._gpu.handle()
        self._gpu.events.add(handle)
        return (Handle(handle),)

    def cudaEventRecord(self, event: Handle, stream: Handle) -> tuple[()]:
        self._recorded = int(stream)
        return ()

    def cudaEventSynchronize(self, event: Handle) -> tuple[()]:
        self._gpu.drain(self._recorded)
        return ()

    def cudaEventDestroy(self, event: Handle) -> tuple[()]:
        self._gpu.events.remove(int(event))
        return ()
