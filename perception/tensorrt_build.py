"""A TensorRT plan is built once for each ONNX file, TensorRT version, GPU, set of flags and power mode, then found again.

Precision lives in the ONNX file: from version 10 on networks are built strongly typed, in 8.6 flags allow what the file says.
Only a DLA before version 11 still needs the flags. Never run on hardware by us: see docs/tensorrt.md.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from perception._cuda import Gpu, open_cuda
from perception._tensorrt_api import Builder, IBuilderConfig, INetworkDefinition, ITimingCache, OnnxParser, ParserError
from perception._tensorrt_library import TensorRt, constructing, open_tensorrt
from perception.engine import OUTPUT_NAMES, ModelFile
from perception.power_mode import power_mode
from perception.tensorrt_plan import (
    SUFFIX,
    Plan,
    PlanKey,
    PlanManifest,
    cache_folder,
    manifest_path,
    read_plan,
    write_plan,
)
from perception.typed_onnx import typed_precision
from scenes.errors import EngineError
from scenes.files import write_whole

_LOG = logging.getLogger("rehearse.tensorrt")
PlanPrecision = Literal["f32", "f16", "int8"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """How a plan is built. `precision` None is the file's own; `level` 0..5 is how long TensorRT looks for fast kernels."""

    precision: PlanPrecision | None = None
    dla_core: int | None = None
    level: int = 3
    workspace_mib: int = 1024

    def __post_init__(self) -> None:
        if not 0 <= self.level <= 5 or self.workspace_mib < 1:
            raise EngineError(f"A plan needs a level of 0..5 and a workspace of at least 1 MiB, got {self}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A plan with `cache`: `hit`, or `miss` where it was built just now."""

    plan: Plan
    cache: Literal["hit", "miss"]


def find_or_build(model: ModelFile, spec: BuildSpec | None = None, *, build: bool = True) -> Found:
    """Returns the cached plan of an ONNX file for this board, building it (minutes) where there is none.

    Raises EngineError with what is missing, with the parser's errors, or, without `build`, where no plan is cached.
    """
    spec = spec or BuildSpec()
    library, gpu = open_tensorrt(), open_cuda().gpu()
    key = plan_key(model, spec, library, gpu)
    path = cache_folder() / f"{model.path.stem}-{key.digest()}{SUFFIX}"
    if (cached := _cached(path)) is not None:
        return Found(plan=cached, cache="hit")
    if not build:
        raise EngineError(
            f"There is no plan of {model.path} for TensorRT {library.version} on {gpu.name} yet; build it with "
            f"`rehearse export {model.path} OUT{SUFFIX} --format tensorrt`."
        )
    _LOG.warning("Building a TensorRT plan of %s for %s; this takes minutes, once.", model.path.name, gpu.name)
    data, manifest = build_plan(model, spec, library, gpu)
    write_plan(path, data, manifest)
    return Found(plan=read_plan(path), cache="miss")


def _cached(path: Path) -> Plan | None:
    """Returns the plan that is cached there; one that is not whole is told and built again."""
    if not path.is_file() or not manifest_path(path).is_file():
        return None
    try:
        return read_plan(path)
    except EngineError as error:
        _LOG.warning("A cached plan is not used: %s", error)
        return None


def plan_key(model: ModelFile, spec: BuildSpec, library: TensorRt, gpu: Gpu) -> PlanKey:
    """Returns what a plan of this file, built so on this board, depends on."""
    return PlanKey(
        onnx_sha256=model.digest, tensorrt=library.version, gpu=gpu.name, sm=gpu.sm,
        flags=_flags(library.trt, model, spec), power_mode=power_mode(),
    )  # fmt: skip


def build_plan(model: ModelFile, spec: BuildSpec, library: TensorRt, gpu: Gpu) -> tuple[bytes, PlanManifest]:
    """Builds a plan, using and extending the timing cache of this board; raises EngineError with TensorRT's reason."""
    started = time.monotonic()
    trt = library.trt
    assert_precision_fits(trt, model, spec)
    with constructing(library):
        builder: Builder = trt.Builder(library.log)
    if spec.dla_core is not None and spec.dla_core >= builder.num_DLA_cores:
        raise EngineError(f"There is no DLA core {spec.dla_core} here; TensorRT {library.version} finds {builder.num_DLA_cores}.")
    network, parser = _parsed(library, builder, model, spec)
    config = _configured(trt, builder, model, spec)
    off_dla = None if spec.dla_core is None else _layers_off_dla(network, config)
    timings = cache_folder() / f"timings-{library.version}-{_plain(gpu.name)}-{gpu.sm}.cache"
    known = timings.read_bytes() if timings.is_file() else b""
    _use_timings(config, known)
    built = builder.build_serialized_network(network, config)
    del parser  # it owns the weights that the network refers to until the plan is built
    if built is None:
        raise EngineError(f"TensorRT {library.version} could not build {model.path}: {library.complaint()}.")
    data = bytes(memoryview(built))  # an IHostMemory offers the buffer protocol
    _keep_timings(config, timings, known)
    return data, PlanManifest(
        key=plan_key(model, spec, library, gpu), plan_sha256=hashlib.sha256(data).hexdigest(), onnx_file=model.path.name,
        precision=spec.precision or typed_precision(model.metadata), typed=is_typed(trt, spec), dla_core=spec.dla_core,
        layers=network.num_layers, layers_off_dla=off_dla, build_s=round(time.monotonic() - started, 1),
        metadata=model.metadata.to_json(),
    )  # fmt: skip


def is_typed(trt: Any, spec: BuildSpec) -> bool:
    """Whether precision comes from the graph alone: version 10 and later, but for a DLA, which takes flags before 11."""
    needs_flags = spec.dla_core is not None and hasattr(trt.BuilderFlag, "FP16")
    return hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED") and not needs_flags


def needs_conversion(model: ModelFile, spec: BuildSpec) -> bool:
    """Whether the TensorRT of this machine wants another file for the wanted precision; raises EngineError without TensorRT."""
    library = open_tensorrt()
    try:
        assert_precision_fits(library.trt, model, spec)
    except EngineError:
        return typed_precision(model.metadata) == "f32"
    return False


def assert_precision_fits(trt: Any, model: ModelFile, spec: BuildSpec) -> None:
    """Raises EngineError where the file's own precision is not the one that is wanted, and flags cannot make it so."""
    own, wanted = typed_precision(model.metadata), spec.precision or typed_precision(model.metadata)
    if spec.dla_core is not None and wanted == "f32":
        raise EngineError("A DLA computes in float16 or int8 only; add --precision fp16.")
    by_flag = own == "f32" and wanted == "f16" and not is_typed(trt, spec)
    if own != wanted and not by_flag:
        raise EngineError(
            f"{model.path} is {own}, and TensorRT {trt.__version__} takes precision from the file; make one that is {wanted}: "
            f"rehearse export {model.path.name} {model.path.stem}_{wanted}.onnx --precision {wanted.replace('f', 'fp')}."
        )


def _flags(trt: Any, model: ModelFile, spec: BuildSpec) -> tuple[str, ...]:
    precision = spec.precision or typed_precision(model.metadata)
    dla = () if spec.dla_core is None else (f"dla={spec.dla_core}",)
    typed = "typed" if is_typed(trt, spec) else "flags"
    return (typed, f"precision={precision}", f"level={spec.level}", f"workspace_mib={spec.workspace_mib}", *dla)


def _parsed(library: TensorRt, builder: Builder, model: ModelFile, spec: BuildSpec) -> tuple[INetworkDefinition, OnnxParser]:
    trt = library.trt
    flags = 0
    if hasattr(trt.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH"):
        flags |= 1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)
    if is_typed(trt, spec) and hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED"):
        flags |= 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(flags)
    parser: OnnxParser = trt.OnnxParser(network, library.log)
    if spec.dla_core is not None and hasattr(trt.OnnxParserFlag, "ADJUST_FOR_DLA"):
        parser.set_flag(trt.OnnxParserFlag.ADJUST_FOR_DLA)
    if not parser.parse(model.data):
        said = [_told(parser.get_error(index)) for index in range(parser.num_errors)]
        reasons = "; ".join(said[:5]) or library.complaint()
        raise EngineError(f"TensorRT {library.version} cannot read {model.path} ({len(said)} errors): {reasons}.")
    outputs = {network.get_output(index).name for index in range(network.num_outputs)}
    if missing := set(OUTPUT_NAMES) - outputs:
        raise EngineError(f"{model.path} cannot be used as an engine: missing outputs: {', '.join(sorted(missing))}.")
    return network, parser


def _told(error: ParserError) -> str:
    return f"node {error.node()}: {' '.join(error.desc().split()).rstrip('.')}"


def _configured(trt: Any, builder: Builder, model: ModelFile, spec: BuildSpec) -> IBuilderConfig:
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, spec.workspace_mib * 2**20)
    config.builder_optimization_level = spec.level
    precision = spec.precision or typed_precision(model.metadata)
    if precision == "f32":
        config.clear_flag(trt.BuilderFlag.TF32)  # else float32 has ten bits of mantissa where the GPU has TF32
    if not is_typed(trt, spec):
        if precision != "f32" and hasattr(trt.BuilderFlag, "FP16"):
            config.set_flag(trt.BuilderFlag.FP16)
        if precision == "int8" and hasattr(trt.BuilderFlag, "INT8"):
            config.set_flag(trt.BuilderFlag.INT8)
    if spec.dla_core is not None:
        config.default_device_type = trt.DeviceType.DLA
        config.DLA_core = spec.dla_core
        config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    return config


def _layers_off_dla(network: INetworkDefinition, config: IBuilderConfig) -> int:
    """Returns how many layers a DLA cannot run, which then run on the GPU."""
    return sum(not config.can_run_on_DLA(network.get_layer(index)) for index in range(network.num_layers))


def _use_timings(config: IBuilderConfig, known: bytes) -> None:
    """Begins with what was measured before; TensorRT refuses a cache of another version or GPU, and then begins anew."""
    for data in (known, b""):
        cache: ITimingCache | None = config.create_timing_cache(data)
        if cache is not None and config.set_timing_cache(cache, False):
            return


def _keep_timings(config: IBuilderConfig, path: Path, known: bytes) -> None:
    cache: ITimingCache | None = config.get_timing_cache()
    if cache is not None:
        data = bytes(memoryview(cache.serialize()))
        if data != known:
            write_whole(path, data)


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)
