"""Which library runs an engine file: the one that was asked for and no other, or with `auto` the first that works here."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

from perception.engine import Engine, ModelFile, Precision
from scenes.errors import EngineError

_LOG = logging.getLogger("rehearse.engine")
_ON_CPU = ("openvino", "onnxruntime")


def load(model: ModelFile, name: str, options: str, threads: int, precision: Precision) -> Engine:
    """Opens an ONNX file with the engine of that name, or by `auto`; raises EngineError."""
    if name != "auto":
        return _load(model, name, options, "asked for", threads, precision)
    return _first_that_works(model, threads, precision)


def load_plan(path: Path, name: str, options: str, *, sha256: str | None = None) -> Engine:
    """Opens a TensorRT plan whose sha256 is its manifest's, and `sha256` where one is given; raises EngineError."""
    from perception.tensorrt_engine import TensorRtEngine
    from perception.tensorrt_options import TensorRtOptions
    from perception.tensorrt_plan import read_plan

    if name not in ("auto", "tensorrt"):
        raise EngineError(f"{path} is a TensorRT plan, which the engine {name} cannot run; give it the ONNX file.")
    reason = "asked for" if name == "tensorrt" else "auto: the file is a TensorRT plan"
    return TensorRtEngine(read_plan(path, sha256=sha256), options=TensorRtOptions.parse(options), reason=reason)


def candidates() -> tuple[str, ...]:
    """Returns the engines that are installed, the one to try first first; imports none of them."""
    found = ["tensorrt"] if _installed("tensorrt") else []
    found += [f"onnxruntime-{kind}" for kind in ("tensorrt", "cuda") if _has_provider(kind)]
    return (*found, *(name for name in _ON_CPU if _installed(name)))


def _first_that_works(model: ModelFile, threads: int, precision: Precision) -> Engine:
    """Tries one engine after the other; one on a GPU that does not work is passed over with a warning and a note."""
    names = candidates()
    if not names:
        raise EngineError("No inference library is installed; `pip install openvino` or `pip install onnxruntime`.")
    passed_over: list[str] = []
    for name in names:
        reason = "; ".join([f"auto: {name} is the first that works here", *passed_over])
        if name in _ON_CPU or name == names[-1]:
            return _load(model, name, "", reason, threads, precision)
        try:
            return _load(model, name, "", reason, threads, precision)
        except EngineError as error:
            _LOG.warning("%s is installed but not used: %s", name, error)
            passed_over.append(f"{name} was passed over ({error})")
    raise AssertionError("the last candidate returns or raises")


def _load(model: ModelFile, name: str, options: str, reason: str, threads: int, precision: Precision) -> Engine:
    try:
        if name == "tensorrt":
            return _tensorrt(model, options, reason, precision)
        if name == "openvino":
            from perception.openvino_engine import OpenVinoEngine

            return OpenVinoEngine(model, threads=threads, precision=precision, reason=reason)
        from perception.onnxruntime_engine import OnnxRuntimeEngine

        return OnnxRuntimeEngine(model, threads=threads, precision=precision, reason=reason, name=name)
    except ImportError as error:
        package = "onnxruntime-gpu" if name.startswith("onnxruntime-") else name
        raise EngineError(f"The engine backend {name!r} cannot be loaded ({error}); `pip install {package}`.") from error


def _tensorrt(model: ModelFile, options: str, reason: str, precision: Precision) -> Engine:
    from perception.tensorrt_build import BuildSpec, find_or_build
    from perception.tensorrt_engine import TensorRtEngine
    from perception.tensorrt_options import TensorRtOptions

    if precision == "bf16":
        raise EngineError("A TensorRT plan is f32, f16 or int8, as its ONNX file is; bf16 is for openvino.")
    parsed = TensorRtOptions.parse(options)
    spec = BuildSpec(precision="f32" if precision == "f32" else None, dla_core=parsed.dla)
    found = find_or_build(model, spec, build=parsed.build == "on")
    facts = {"sha256": model.checked, "plan_cache": found.cache, "plan_build_s": f"{found.plan.manifest.build_s:g}"}
    return TensorRtEngine(found.plan, options=parsed, reason=reason, digest=model.digest, facts=facts)


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _has_provider(kind: str) -> bool:
    """Whether this ONNX Runtime came with the library of a provider; whether that library loads is another question."""
    spec = importlib.util.find_spec("onnxruntime")
    if spec is None or spec.origin is None:
        return False
    folder = Path(spec.origin).parent / "capi"
    return any(folder.glob(f"*onnxruntime_providers_{kind}.*"))
