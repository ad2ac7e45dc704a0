"""One run of a TensorRT context on a stream of its own: as one CUDA graph where that works, else call by call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Literal

from perception._cuda import Cuda
from perception._cuda_buffers import Buffer
from perception._tensorrt_api import IExecutionContext
from perception._tensorrt_library import TensorRt
from scenes.errors import EngineError, EngineLostError


class Launcher:
    """Runs a context whose tensors have their addresses; `run` returns when the outputs are in the host's memory."""

    def __init__(
        self,
        cuda: Cuda,
        library: TensorRt,
        context: IExecutionContext,
        buffers: Mapping[str, Buffer],
        *,
        wait: Literal["driver", "asleep"],
        held: ExitStack,
    ) -> None:
        self._cuda, self._library, self._context = cuda, library, context
        queued = [b for b in buffers.values() if b.queue is not None]
        self._before = [b.queue for b in queued if b.port.is_input and b.queue is not None]
        self._after = [b.queue for b in queued if not b.port.is_input and b.queue is not None]
        self._stream = cuda.new_stream()
        held.callback(cuda.destroy_stream, self._stream)
        self._event = cuda.new_event() if wait == "asleep" else None
        if self._event is not None:
            held.callback(cuda.destroy_event, self._event)
        self._executable: Any = None

    def run(self) -> None:
        """Copies inputs, runs the network, copies outputs and waits; raises EngineError, or EngineLostError for good."""
        if self._executable is not None:
            self._cuda.launch(self._executable, self._stream)
        else:
            self._enqueue()
        self._wait()

    def capture(self, held: ExitStack) -> str:
        """Records one run as a graph, which later runs launch; returns `on`, or why they go on call by call.

        What TensorRT does at a first run may not be recorded, so one run comes before.
        """
        self.run()
        try:
            self._executable = self._record()
        except EngineLostError:
            raise
        except EngineError as error:
            self.run()
            return f"off: it could not be captured ({error})"
        held.callback(self._cuda.destroy_executable, self._executable)
        return "on"

    def _record(self) -> Any:
        self._cuda.begin_capture(self._stream)
        try:
            self._enqueue()
            graph = self._cuda.end_capture(self._stream)
        except EngineError:
            self._cuda.abort_capture(self._stream)  # else the stream stays in capture and nothing runs on it again
            raise
        try:
            return self._cuda.instantiate(graph)
        finally:
            self._cuda.destroy_graph(graph)

    def _enqueue(self) -> None:
        for copy in self._before:
            copy(self._stream)
        if not self._context.execute_async_v3(int(self._stream)):
            raise EngineError(f"TensorRT did not run the network: {self._library.complaint()}.")
        for copy in self._after:
            copy(self._stream)

    def _wait(self) -> None:
        if self._event is None:
            self._cuda.synchronize(self._stream)
        else:
            self._cuda.wait_asleep(self._event, self._stream)
