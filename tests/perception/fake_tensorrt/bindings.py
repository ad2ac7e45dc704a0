"""The FAKE of `tensorrt`: the classes that the adapter uses, each with the members that its version has and no others."""

from __future__ import annotations

import json
import math
import types
import weakref
from typing import Any

import numpy as np

from tests.perception.fake_tensorrt.cuda_runtime import Number
from tests.perception.fake_tensorrt.gpu import FakeGpu, Misuse
from tests.perception.tensorrt_contract import tensorrt_table

_MAGIC = b"FAKE TENSORRT PLAN\n"
_ALWAYS = {"__module__", "__doc__", "__init__", "__dict__", "__weakref__"}


def make_tensorrt(version: str, gpu: FakeGpu) -> types.ModuleType:
    """Returns the module of a version: touching a name that it lacks raises AttributeError."""
    module: Any = types.ModuleType("tensorrt")
    module.__version__ = version
    for name, fact in tensorrt_table().items():
        owner, _, member = name.partition(".")
        if fact["kind"] == "class" and version in fact["versions"]:
            setattr(module, owner, _class(owner, version, module, gpu))
        elif fact["kind"] == "number" and version in fact["versions"]:
            setattr(getattr(module, owner), member, Number(member, fact["numbers"][version]))
    module.init_libnvinfer_plugins = lambda logger, namespace: isinstance(logger, module.ILogger)
    return module


def _class(name: str, version: str, module: Any, gpu: FakeGpu) -> type:
    made = _IMPLEMENTED.get(name)
    if made is None:
        return type(name, (), {})
    table = tensorrt_table()
    mine = {full: fact for full, fact in table.items() if full.startswith(f"{name}.")}
    known = {full.partition(".")[2] for full, fact in mine.items() if version in fact["versions"]}
    kept = {k: v for k, v in vars(made).items() if k in known or k in _ALWAYS or k.startswith("_")}

    def set_attribute(self: Any, attribute: str, value: Any) -> None:
        if not attribute.startswith("_") and attribute not in known and name != "ILogger":
            raise AttributeError(f"{name!r} object has no attribute {attribute!r}")
        object.__setattr__(self, attribute, value)

    bases = (bytes,) if name == "IHostMemory" else ()
    return type(name, bases, {**kept, "__setattr__": set_attribute, "_trt": module, "_gpu": gpu, "__module__": "tensorrt"})


class ILogger:
    """Names of severities, and nothing that logs."""

    INTERNAL_ERROR, ERROR, WARNING = Number("INTERNAL_ERROR", 0), Number("ERROR", 1), Number("WARNING", 2)

    def __init__(self) -> None:
        self._ready = True

    def log(self, severity: Any, msg: str) -> None:
        raise NotImplementedError


class IHostMemory:
    """Bytes."""


def _complain(logger: Any, text: str) -> None:
    if not getattr(logger, "_ready", False):
        raise Misuse("the base class of the logger was not initialised")
    logger.log(type(logger).ERROR, text)


class Builder:
    """Makes plans that hold the ONNX file."""

    def __init__(self, logger: Any) -> None:
        if "Builder" in self._gpu.refuse:
            _complain(logger, "CUDA initialization failure with error: 35")
            raise TypeError("pybind11::init(): factory function returned nullptr")
        self._logger = logger

    @property
    def num_DLA_cores(self) -> int:
        return self._gpu.dla_cores

    def create_network(self, flags: int = 0) -> Any:
        return self._trt.INetworkDefinition(flags)

    def create_builder_config(self) -> Any:
        return self._trt.IBuilderConfig()

    def build_serialized_network(self, network: Any, config: Any) -> Any:
        if network._parser() is None:
            raise Misuse("the parser, which owns the weights, is gone before the plan is built")
        gpu, why = self._gpu, _why_not(self._trt, network, config)
        if "build_serialized_network" in gpu.refuse:
            why = "no kernel was found"
        if why:
            _complain(self._logger, why)
            return None
        config._measure()
        facts = {
            "tensorrt": self._trt.__version__, "gpu": gpu.name, "sm": list(gpu.sm), "flags": network._flags,
            "config": sorted(f.name for f in config._flags), "level": config.builder_optimization_level,
            "workspace": config._workspace, "dla": config._dla,
        }  # fmt: skip
        gpu.builds.append(facts)
        return self._trt.IHostMemory(_MAGIC + json.dumps(facts).encode() + b"\n" + network._data)


def _is_typed(trt: Any, network: Any) -> bool:
    if trt.__version__.startswith("11"):
        return True
    flags = trt.NetworkDefinitionCreationFlag
    return hasattr(flags, "STRONGLY_TYPED") and bool(network._flags & 1 << int(flags.STRONGLY_TYPED))


def _why_not(trt: Any, network: Any, config: Any) -> str:
    """Returns why TensorRT would refuse; the rules of its documentation that matter here."""
    set_flags = {flag.name for flag in config._flags}
    operators = {node.op_type for node in network._model.graph.node}
    half = any(t.data_type == 10 for t in network._model.graph.initializer)
    if _is_typed(trt, network):
        return "precision flags are not allowed in a strongly typed network" if set_flags & {"FP16", "INT8"} else ""
    if half and "FP16" not in set_flags:
        return "a tensor is of the type Half, but kFP16 is not set"
    if "QuantizeLinear" in operators and "INT8" not in set_flags:
        return "the network has Q/DQ layers, but kINT8 is not set"
    if config._dla is not None and not set_flags & {"FP16", "INT8"}:
        return "a DLA needs kFP16 or kINT8"
    if config._dla is not None and "GPU_FALLBACK" not in set_flags:
        return "a layer cannot run on the DLA and GPU fallback is not enabled"
    return ""


class INetworkDefinition:
    """An ONNX model that was parsed."""

    def __init__(self, flags: int) -> None:
        self._flags, self._data, self._model = flags, b"", None

    @property
    def num_layers(self) -> int:
        return len(self._model.graph.node)

    @property
    def num_outputs(self) -> int:
        return len(self._model.graph.output)

    def get_layer(self, index: int) -> Any:
        return self._model.graph.node[index]

    def get_output(self, index: int) -> Any:
        tensor = self._trt.ITensor()
        tensor.name = self._model.graph.output[index].name
        return tensor


class ITensor:
    """A tensor of a network."""

    name = ""


class IBuilderConfig:
    """Flags and pools that are read again when a plan is built."""

    DLA_core, builder_optimization_level, default_device_type = -1, 3, None

    def __init__(self) -> None:
        self._flags: set[Any] = {self._trt.BuilderFlag.TF32}
        self._workspace, self._cache = 0, None

    @property
    def _dla(self) -> int | None:
        return self.DLA_core if self.default_device_type is self._trt.DeviceType.DLA else None

    def set_flag(self, flag: Any) -> None:
        self._flags.add(flag)

    def clear_flag(self, flag: Any) -> None:
        self._flags.discard(flag)

    def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
        assert pool is self._trt.MemoryPoolType.WORKSPACE
        self._workspace = pool_size

    def create_timing_cache(self, serialized_timing_cache: bytes) -> Any:
        return self._trt.ITimingCache(bytes(serialized_timing_cache))

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        fits = not cache._data or cache._data.startswith(self._stamp()) or ignore_mismatch
        if fits:
            self._cache = cache
        return fits

    def get_timing_cache(self) -> Any:
        return self._cache

    def can_run_on_DLA(self, layer: Any) -> bool:
        return layer.op_type not in self._gpu.dla_refuses

    def _stamp(self) -> bytes:
        return f"{self._trt.__version__} {self._gpu.name}\n".encode()

    def _measure(self) -> None:
        """Measures a kernel that the cache does not know yet."""
        if self._cache is not None and not self._cache._data:
            self._cache._data = self._stamp() + b"a kernel: 12 us\n"
            self._gpu.kernels_measured += 1


class ITimingCache:
    """Bytes that begin with the version and GPU."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def serialize(self) -> Any:
        return self._trt.IHostMemory(self._data)


class OnnxParser:
    """Reads ONNX with onnx, and refuses what a test says that TensorRT does not have."""

    def __init__(self, network: Any, logger: Any) -> None:
        self._network, self._logger, self._errors, self._flags = network, logger, list[tuple[int, str]](), list[Any]()
        network._parser = weakref.ref(self)

    @property
    def num_errors(self) -> int:
        return len(self._errors)

    def parse(self, model: bytes, path: str | None = None) -> bool:
        import onnx

        flags = self._trt.NetworkDefinitionCreationFlag
        if self._trt.__version__.startswith("8") and not self._network._flags & 1 << int(flags.EXPLICIT_BATCH):
            self._errors.append((-1, "this version of the ONNX parser only supports networks with an explicit batch"))
            return False
        try:
            read = onnx.load_from_string(bytes(model))
            onnx.checker.check_model(read)
        except Exception as error:
            self._errors.append((-1, f"{error}"))
            return False
        for index, node in enumerate(read.graph.node):
            if node.op_type in self._gpu.unsupported_operators:
                self._errors.append((index, f"No importer registered for op: {node.op_type}.\n  Attempting to import as plugin."))
        self._network._data, self._network._model = bytes(model), read
        return not self._errors

    def get_error(self, index: int) -> Any:
        return self._trt.ParserError(*self._errors[index])

    def set_flag(self, flag: Any) -> None:
        self._flags.append(flag)


class ParserError:
    """One reason why a file was refused."""

    def __init__(self, node: int, text: str) -> None:
        self._node, self._text = node, text

    def desc(self) -> str:
        return self._text

    def node(self) -> int:
        return self._node


class Runtime:
    """Reads plans of its own version and GPU."""

    DLA_core = -1

    def __init__(self, logger: Any) -> None:
        if "Runtime" in self._gpu.refuse:
            raise TypeError("pybind11::init(): factory function returned nullptr")
        self._logger = logger

    @property
    def num_DLA_cores(self) -> int:
        return self._gpu.dla_cores

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> Any:
        data = bytes(serialized_engine)
        if not data.startswith(_MAGIC) or "deserialize_cuda_engine" in self._gpu.refuse:
            _complain(self._logger, "Error Code 1: Serialization (Serialization assertion magicTagRead == kMAGIC_TAG failed.)")
            return None
        head, _, onnx_data = data.removeprefix(_MAGIC).partition(b"\n")
        facts = json.loads(head)
        if facts["tensorrt"] != self._trt.__version__ or facts["gpu"] != self._gpu.name:
            raise Misuse("a plan of another version or GPU is deserialised")
        if facts["dla"] is not None and self.DLA_core < 0:
            raise Misuse("a plan for the DLA is deserialised before the core is chosen")
        return self._trt.ICudaEngine(onnx_data, self._logger)


class ICudaEngine:
    """An ONNX Runtime session."""

    def __init__(self, data: bytes, logger: Any) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 4
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._logger = logger
        self._inputs = [i.name for i in self._session.get_inputs()]
        values = [*self._session.get_inputs(), *self._session.get_outputs()]
        changed = self._gpu.tensor_facts
        self._facts = {v.name: {"shape": tuple(v.shape), "type": v.type, **changed.get(v.name, {})} for v in values}

    @property
    def num_io_tensors(self) -> int:
        return len(self._facts)

    def get_tensor_name(self, index: int) -> str:
        return list(self._facts)[index]

    def get_tensor_mode(self, name: str) -> Any:
        return self._trt.TensorIOMode.INPUT if name in self._inputs else self._trt.TensorIOMode.OUTPUT

    def get_tensor_shape(self, name: str) -> Any:
        return self._facts[name]["shape"]

    def get_tensor_dtype(self, name: str) -> Any:
        kinds = {"tensor(float)": "FLOAT", "tensor(float16)": "HALF", "tensor(int32)": "INT32", "tensor(int64)": "INT64"}
        return getattr(self._trt.DataType, kinds[self._facts[name]["type"]])

    def get_tensor_location(self, name: str) -> Any:
        return getattr(self._trt.TensorLocation, self._facts[name].get("location", "DEVICE"))

    def get_tensor_format(self, name: str) -> Any:
        return getattr(self._trt.TensorFormat, self._facts[name].get("format", "LINEAR"))

    def create_execution_context(self) -> Any:
        if "create_execution_context" in self._gpu.refuse:
            _complain(self._logger, "Error Code 2: OutOfMemory")
            return None
        return self._trt.IExecutionContext(self)


class IExecutionContext:
    """Runs the session on what lies at the addresses when its turn on the stream comes."""

    def __init__(self, engine: Any) -> None:
        self._engine, self._addresses, self._ran = engine, dict[str, int](), False

    def set_tensor_address(self, name: str, memory: int) -> bool:
        if name not in self._engine._facts or not memory or "set_tensor_address" in self._gpu.refuse:
            return False
        self._addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        gpu, facts = self._gpu, self._engine._facts
        if type(stream_handle) is not int:
            raise TypeError("execute_async_v3(): incompatible function arguments")
        stream = gpu.stream(stream_handle)
        if missing := set(facts) - set(self._addresses):
            raise Misuse(f"no address was set for {', '.join(sorted(missing))}")
        for name in facts:
            gpu.read(self._addresses[name], self._nbytes(name), by_device=True)
        first_in_capture = stream.recording is not None and not self._ran
        if first_in_capture or "execute_async_v3" in gpu.refuse or (stream.recording is not None and "capture" in gpu.refuse):
            stream.broken = stream.recording is not None
            _complain(self._engine._logger, "Error Code 1: Cuda Runtime (operation not permitted)")
            return False
        self._ran = True
        gpu.submit(stream_handle, self._compute)
        return True

    def _compute(self) -> None:
        gpu, session = self._gpu, self._engine._session
        feeds = {}
        for value in session.get_inputs():
            data = gpu.read(self._addresses[value.name], self._nbytes(value.name), by_device=True)
            feeds[value.name] = np.frombuffer(data, dtype=self._dtype(value.name)).reshape(value.shape)
        names = [v.name for v in session.get_outputs()]
        for name, array in zip(names, session.run(names, feeds), strict=True):
            gpu.write(self._addresses[name], np.ascontiguousarray(array).tobytes(), by_device=True)

    def _dtype(self, name: str) -> Any:
        kinds = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int32)": np.int32, "tensor(int64)": np.int64}
        return kinds[self._engine._facts[name]["type"]]

    def _nbytes(self, name: str) -> int:
        return math.prod(self._engine._facts[name]["shape"]) * np.dtype(self._dtype(name)).itemsize


_IMPLEMENTED = {
    made.__name__: made
    for made in (
        ILogger, IHostMemory, Builder, INetworkDefinition, ITensor, IBuilderConfig, ITimingCache, OnnxParser, ParserError,
        Runtime, ICudaEngine, IExecutionContext,
    )
}  # fmt: skip
