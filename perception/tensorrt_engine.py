"""TensorRT 8.6, 10 and 11: a plan whose digest was checked, on a stream and in memory of its own, all of it given back.

Never run on hardware by us: it is held against the vendor's tables of names and run against a fake of both libraries
(docs/tensorrt.md); `rehearse doctor --device` proves it on a board.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception._cuda import Cuda, Gpu, open_cuda
from perception._cuda_buffers import Buffer, Port, open_buffers
from perception._tensorrt_api import ICudaEngine, IExecutionContext, Runtime
from perception._tensorrt_library import TensorRt, constructing, open_tensorrt
from perception._tensorrt_run import Launcher
from perception.engine import OUTPUT_NAMES, EngineMetadata, RawOutput
from perception.tensorrt_options import TensorRtOptions
from perception.tensorrt_plan import Plan, assert_runs_here
from scenes.errors import EngineError, EngineLostError

_INPUT = "image"


class TensorRtEngine:
    """A plan on the current CUDA device. `close` gives everything back; so does the end of the last reference."""

    name = "tensorrt"

    def __init__(
        self,
        plan: Plan,
        *,
        options: TensorRtOptions | None = None,
        reason: str,
        digest: str | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        """Deserialises and runs once; `digest` is that of the file that was asked for where it is not the plan.

        Raises EngineError with what is missing: TensorRT, cuda-python, a device, memory, or a plan that fits to them.
        """
        options = options or TensorRtOptions()
        library, cuda = open_tensorrt(), open_cuda()
        gpu = cuda.gpu()
        assert_runs_here(plan, tensorrt=library.version, gpu=gpu)
        self._metadata, self._digest = plan.metadata, digest or plan.manifest.plan_sha256
        memory = options.memory if options.memory != "auto" else "mapped" if gpu.integrated else "pinned"
        with ExitStack() as held:
            loaded = _load(library, plan, options, held)
            ports = _ports(library.trt, loaded.engine, plan)
            self._buffers = open_buffers(cuda, ports, memory, held)
            _set_addresses(loaded.context, self._buffers, library)
            self._launcher = Launcher(cuda, library, loaded.context, self._buffers, wait=options.wait, held=held)
            graph = self._launcher.capture(held) if options.graph == "on" else "off: asked for"
            self._release = weakref.finalize(self, _give_back, held.pop_all())
        self._settings = {
            "backend": f"tensorrt {library.version}", "chosen": reason, "inference_precision_hint": plan.manifest.precision,
            "sha256": plan.checked, "plan_sha256": plan.manifest.plan_sha256, "onnx_sha256": plan.manifest.key.onnx_sha256,
            "build_flags": " ".join(plan.manifest.key.flags), "built_in_power_mode": plan.manifest.key.power_mode or "none",
            "memory": memory, "cuda_graph": graph, "wait": options.wait, "dla": loaded.dla, **_describe(gpu), **(facts or {}),
        }  # fmt: skip

    @property
    def metadata(self) -> EngineMetadata:
        """What the file says of itself."""
        return self._metadata

    @property
    def digest(self) -> str:
        """The sha256 of the file that was opened, the plan or its ONNX file."""
        return self._digest

    @property
    def settings(self) -> Mapping[str, str]:
        """What runs where and how, with the reason for a choice."""
        return self._settings

    def infer(self, image: NDArray[np.float32]) -> RawOutput:
        """Runs the network on float32 (1, 3, h, w), RGB 0..255."""
        if not self._release.alive:
            raise EngineError("This TensorRT engine is closed; open it again.")
        given = self._buffers[_INPUT].array
        if image.shape != given.shape or image.dtype != np.float32:
            raise EngineError(
                f"TensorRT could not run the network on {image.dtype} {image.shape}: it takes float32 {given.shape}."
            )
        np.copyto(given, image, casting="same_kind")
        self._launcher.run()
        return RawOutput(**{name: self._answer(name) for name in OUTPUT_NAMES})

    def close(self) -> None:
        """Gives the device's and the page-locked memory back; a second call does nothing."""
        self._release()

    def _answer(self, name: str) -> Any:
        """Returns a copy, as the buffer is overwritten by the next run."""
        return self._buffers[name].array.astype(np.int32 if name == "category" else np.float32, copy=True)


def _give_back(held: ExitStack) -> None:
    """Releases everything; of a device that is lost there is nothing left to give back."""
    with suppress(EngineLostError):
        held.close()


@dataclass(slots=True, kw_only=True)
class _Loaded:
    """TensorRT's own objects, which must end in the opposite order."""

    runtime: Runtime
    engine: ICudaEngine
    context: IExecutionContext
    dla: str

    def end(self) -> None:
        del self.context
        del self.engine
        del self.runtime


def _load(library: TensorRt, plan: Plan, options: TensorRtOptions, held: ExitStack) -> _Loaded:
    trt = library.trt
    with constructing(library):
        runtime: Runtime = trt.Runtime(library.log)
    core = plan.manifest.dla_core if options.dla is None else options.dla
    if plan.manifest.dla_core is None and options.dla is not None:
        raise EngineError(f"{plan.path} was not built for a DLA; build it again with --dla-core {options.dla}.")
    if core is not None:
        if core >= runtime.num_DLA_cores:
            raise EngineError(f"There is no DLA core {core} here; TensorRT {library.version} finds {runtime.num_DLA_cores}.")
        runtime.DLA_core = core
    engine: ICudaEngine | None = runtime.deserialize_cuda_engine(plan.data)
    if engine is None:
        raise EngineError(f"TensorRT {library.version} cannot load {plan.path}: {library.complaint()}.")
    context: IExecutionContext | None = engine.create_execution_context()
    if context is None:
        raise EngineError(f"TensorRT has no room to run {plan.path}: {library.complaint()}.")
    dla = "none" if core is None else f"core {core}, {plan.manifest.layers_off_dla} of {plan.manifest.layers} layers on the GPU"
    loaded = _Loaded(runtime=runtime, engine=engine, context=context, dla=dla)
    held.callback(loaded.end)
    return loaded


def _ports(trt: Any, engine: ICudaEngine, plan: Plan) -> list[Port]:
    """Returns the engine's tensors; raises EngineError where they are not those of our networks."""
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    missing = set(OUTPUT_NAMES) - (set(names) - set(inputs))
    if inputs != [_INPUT] or missing:
        raise EngineError(
            f"{plan.path} cannot be used as an engine: it needs one input '{_INPUT}' and the outputs "
            f"{', '.join(OUTPUT_NAMES)}; missing outputs: {', '.join(sorted(missing)) or 'none'}."
        )
    return [_port(trt, engine, name, plan, is_input=name == _INPUT) for name in names]


def _port(trt: Any, engine: ICudaEngine, name: str, plan: Plan, *, is_input: bool) -> Port:
    shape = tuple(int(n) for n in engine.get_tensor_shape(name))
    dtypes = {trt.DataType.FLOAT: np.float32, trt.DataType.HALF: np.float16, trt.DataType.INT32: np.int32}
    dtype = dtypes.get(engine.get_tensor_dtype(name))
    complaint = ""
    if min(shape, default=0) < 1:
        complaint = f"has the shape {shape}, which is not fixed"
    elif dtype is None:
        complaint = f"is of the type {engine.get_tensor_dtype(name)}, neither float32, float16 nor int32"
    elif engine.get_tensor_location(name) != trt.TensorLocation.DEVICE:
        complaint = "lies on the host"
    elif engine.get_tensor_format(name) != trt.TensorFormat.LINEAR:
        complaint = "is not row by row in memory"
    if complaint or dtype is None:
        raise EngineError(f"{plan.path} cannot be used as an engine: its tensor {name!r} {complaint}.")
    return Port(name=name, is_input=is_input, shape=shape, dtype=np.dtype(dtype))


def _set_addresses(context: IExecutionContext, buffers: Mapping[str, Buffer], library: TensorRt) -> None:
    for name, buffer in buffers.items():
        if not context.set_tensor_address(name, buffer.device):
            raise EngineError(f"TensorRT refuses the memory of the tensor {name!r}: {library.complaint()}.")


def _describe(gpu: Gpu) -> dict[str, str]:
    shared = ", shares the host's memory" if gpu.integrated else ""
    return {"gpu": f"{gpu.name}, sm {gpu.sm}{shared}", "cuda": f"runtime {gpu.runtime}, driver {gpu.driver}"}


def describe_here() -> str:
    """Returns the version of TensorRT and the GPU of this machine as a phrase; raises EngineError with what is missing."""
    library = open_tensorrt()
    gpu = open_cuda().gpu()
    return f"tensorrt {library.version} on {gpu.name}, sm {gpu.sm}, CUDA {gpu.runtime}"


def device_free_bytes() -> int | None:
    """Returns the free memory of the CUDA device, None where there is none; for a check of growth."""
    try:
        cuda: Cuda = open_cuda()
    except EngineError:
        return None
    return cuda.free_bytes()
