"""CUDA through cuda-python with every return code checked: a call gives its value, or one sentence that names the call.

Written against the names of `cuda.bindings.runtime` (cuda-bindings 12.8 and later) and of `cuda.cudart` (cuda-python before that,
from CUDA 12 on); tests/perception/fake_tensorrt/cuda.json has them with their parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scenes.errors import EngineError, EngineLostError

# After one of these the context of the process is lost, as CUDA's documentation of its errors says of each.
_LOST = frozenset({
    "cudaErrorECCUncorrectable", "cudaErrorIllegalAddress", "cudaErrorLaunchTimeout", "cudaErrorAssert",
    "cudaErrorHardwareStackError", "cudaErrorIllegalInstruction", "cudaErrorMisalignedAddress",
    "cudaErrorInvalidAddressSpace", "cudaErrorInvalidPc", "cudaErrorLaunchFailure",
})  # fmt: skip
_INSTALL = "pip install cuda-bindings, of the major version of the board's CUDA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """The GPU that engines run on; `sm` is its compute capability such as `8.7`, `integrated` one that shares memory."""

    name: str
    sm: str
    integrated: bool
    driver: str
    runtime: str


class Cuda:
    """The checked calls that the TensorRT engine makes, on the current device; addresses are plain integers."""

    def __init__(self, rt: Any) -> None:
        """Takes cuda-python's module; raises EngineError where there is no device."""
        self._rt = rt
        try:
            error, count = rt.cudaGetDeviceCount()
        except RuntimeError as problem:  # cuda-python of CUDA 12.0 to 12.5 without a driver
            raise EngineError(f"There is no CUDA device here ({_plain(problem)}); TensorRT needs one.") from problem
        if error != rt.cudaError_t.cudaSuccess or not count:
            said = self._said(error) if count is None else "none is found"
            raise EngineError(f"There is no CUDA device here ({said}); TensorRT needs one.")

    def gpu(self) -> Gpu:
        """Returns what the current device is."""
        rt = self._rt
        device = self._one("cudaGetDevice", rt.cudaGetDevice())
        properties = self._one("cudaGetDeviceProperties", rt.cudaGetDeviceProperties(device))
        return Gpu(
            name=bytes(properties.name).split(b"\0")[0].decode(errors="replace").strip(),
            sm=f"{properties.major}.{properties.minor}",
            integrated=bool(properties.integrated),
            driver=_version(self._one("cudaDriverGetVersion", rt.cudaDriverGetVersion())),
            runtime=_version(self._one("cudaRuntimeGetVersion", rt.cudaRuntimeGetVersion())),
        )

    def free_bytes(self) -> int:
        """Returns the device's free memory; of a device that shares it, the system's."""
        free, _ = self._several("cudaMemGetInfo", self._rt.cudaMemGetInfo())
        return int(free)

    def allocate(self, nbytes: int) -> int:
        """Returns the address of new device memory."""
        return int(self._one("cudaMalloc", self._rt.cudaMalloc(nbytes)))

    def free(self, address: int) -> None:
        """Gives device memory back."""
        self._several("cudaFree", self._rt.cudaFree(address))

    def allocate_host(self, nbytes: int, *, mapped: bool) -> int:
        """Returns the address of new page-locked memory of the host, which the device can see too where `mapped`."""
        rt = self._rt
        flags = rt.cudaHostAllocMapped if mapped else rt.cudaHostAllocDefault
        return int(self._one("cudaHostAlloc", rt.cudaHostAlloc(nbytes, flags)))

    def free_host(self, address: int) -> None:
        """Gives page-locked memory back."""
        self._several("cudaFreeHost", self._rt.cudaFreeHost(address))

    def device_address(self, host_address: int) -> int:
        """Returns where the device sees mapped memory of the host."""
        return int(self._one("cudaHostGetDevicePointer", self._rt.cudaHostGetDevicePointer(host_address, 0)))

    def upload(self, device: int, host: int, nbytes: int, stream: Any) -> None:
        """Queues a copy from page-locked memory to the device."""
        rt = self._rt
        kind = rt.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._several("cudaMemcpyAsync", rt.cudaMemcpyAsync(device, host, nbytes, kind, stream))

    def download(self, host: int, device: int, nbytes: int, stream: Any) -> None:
        """Queues a copy from the device to page-locked memory."""
        rt = self._rt
        kind = rt.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._several("cudaMemcpyAsync", rt.cudaMemcpyAsync(host, device, nbytes, kind, stream))

    def new_stream(self) -> Any:
        """Returns a stream that never waits for the default one."""
        rt = self._rt
        return self._one("cudaStreamCreateWithFlags", rt.cudaStreamCreateWithFlags(rt.cudaStreamNonBlocking))

    def synchronize(self, stream: Any) -> None:
        """Waits for a stream, as the driver waits by default (it spins where there are cores enough)."""
        self._several("cudaStreamSynchronize", self._rt.cudaStreamSynchronize(stream))

    def destroy_stream(self, stream: Any) -> None:
        """Ends a stream."""
        self._several("cudaStreamDestroy", self._rt.cudaStreamDestroy(stream))

    def new_event(self) -> Any:
        """Returns an event for which a thread waits asleep."""
        rt = self._rt
        flags = rt.cudaEventBlockingSync | rt.cudaEventDisableTiming
        return self._one("cudaEventCreateWithFlags", rt.cudaEventCreateWithFlags(flags))

    def wait_asleep(self, event: Any, stream: Any) -> None:
        """Waits for everything that is queued on a stream until now, without a busy core."""
        rt = self._rt
        self._several("cudaEventRecord", rt.cudaEventRecord(event, stream))
        self._several("cudaEventSynchronize", rt.cudaEventSynchronize(event))

    def destroy_event(self, event: Any) -> None:
        """Ends an event."""
        self._several("cudaEventDestroy", self._rt.cudaEventDestroy(event))

    def begin_capture(self, stream: Any) -> None:
        """From here on what is queued on a stream is recorded instead of run."""
        rt = self._rt
        mode = rt.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._several("cudaStreamBeginCapture", rt.cudaStreamBeginCapture(stream, mode))

    def end_capture(self, stream: Any) -> Any:
        """Returns the graph of what was recorded."""
        return self._one("cudaStreamEndCapture", self._rt.cudaStreamEndCapture(stream))

    def abort_capture(self, stream: Any) -> None:
        """Ends a capture that failed, drops what it recorded and forgets the error, so that the stream can be used again."""
        rt = self._rt
        _, *graph = rt.cudaStreamEndCapture(stream)
        if graph and graph[0] is not None and int(graph[0]):
            rt.cudaGraphDestroy(graph[0])
        rt.cudaGetLastError()

    def instantiate(self, graph: Any) -> Any:
        """Returns a graph that can be launched."""
        return self._one("cudaGraphInstantiate", self._rt.cudaGraphInstantiate(graph, 0))

    def launch(self, executable: Any, stream: Any) -> None:
        """Queues all that a graph recorded."""
        self._several("cudaGraphLaunch", self._rt.cudaGraphLaunch(executable, stream))

    def destroy_graph(self, graph: Any) -> None:
        """Ends a recorded graph."""
        self._several("cudaGraphDestroy", self._rt.cudaGraphDestroy(graph))

    def destroy_executable(self, executable: Any) -> None:
        """Ends a graph that could be launched."""
        self._several("cudaGraphExecDestroy", self._rt.cudaGraphExecDestroy(executable))

    def _one(self, call: str, result: tuple[Any, ...]) -> Any:
        (value,) = self._several(call, result)
        return value

    def _several(self, call: str, result: tuple[Any, ...]) -> tuple[Any, ...]:
        error, *values = result
        rt = self._rt
        if error == rt.cudaError_t.cudaSuccess:
            return tuple(values)
        name = getattr(error, "name", str(error))
        if name in _LOST:
            raise EngineLostError(f"The GPU failed in {call}: {self._said(error)}; this process must be started anew.")
        raise EngineError(f"CUDA's {call} failed: {self._said(error)}.")

    def _said(self, error: Any) -> str:
        rt = self._rt
        _, text = rt.cudaGetErrorString(error)
        words = bytes(text).decode(errors="replace") if text else "no text"
        return f"{getattr(error, 'name', error)}, {words}"


def open_cuda() -> Cuda:
    """Imports cuda-python and looks for a device; raises EngineError with what is missing."""
    try:
        from cuda.bindings import runtime as rt
    except ImportError:
        try:
            from cuda import cudart as rt
        except ImportError as error:
            raise EngineError(f"TensorRT needs cuda-python, which is not in this Python ({error}): {_INSTALL}.") from error
    return Cuda(rt)


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _plain(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
