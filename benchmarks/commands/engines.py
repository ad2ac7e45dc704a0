"""An engine file becomes one of another precision, or on the device a TensorRT plan."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from benchmarks.commands.exits import EXIT_OK
from benchmarks.console import print_count, print_summary, say
from scenes.errors import EngineError

if TYPE_CHECKING:
    from perception.engine import ModelFile

PRECISIONS = {"fp32": "f32", "fp16": "f16", "int8": "int8"}
Converted = Literal["f16", "int8"]


def export_engine(arguments: argparse.Namespace) -> int:
    """Converts an ONNX engine file, or builds its plan."""
    from perception.engine import read_model_file

    model = read_model_file(arguments.run)
    wanted = PRECISIONS.get(arguments.precision)
    if arguments.format == "tensorrt" or (arguments.format is None and arguments.out.suffix in (".plan", ".engine")):
        values = _build(model, wanted, arguments)
    elif wanted not in ("f16", "int8"):
        raise EngineError(f"{arguments.run} is an engine file already; name what to make of it: --precision fp16 or int8.")
    else:
        values = _convert(model, arguments.out, cast("Converted", wanted), arguments.calibrate)
    print_summary(values, as_json=arguments.json)
    return EXIT_OK


def _convert(model: ModelFile, out: Path, precision: Converted, calibrate_on: Path | None) -> dict[str, Any]:
    if find_spec("onnx") is None or find_spec("onnxruntime") is None:
        raise EngineError("Converting needs onnx and onnxruntime: pip install onnx onnxruntime; any machine will do.")
    from perception.convert import convert

    found = convert(model, out, precision, calibrate_on=calibrate_on, progress=print_count)
    return {"file": str(out), "precision": precision, "megabytes": out.stat().st_size / 1e6, **found.to_dict()}


def _build(model: ModelFile, wanted: str | None, arguments: argparse.Namespace) -> dict[str, Any]:
    from perception.engine import read_model_file
    from perception.tensorrt_build import BuildSpec, PlanPrecision, find_or_build, needs_conversion
    from perception.tensorrt_plan import write_plan

    precision = cast("PlanPrecision | None", wanted)
    spec = BuildSpec(precision=precision, dla_core=arguments.dla_core, level=arguments.level, workspace_mib=arguments.workspace)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    if wanted in ("f16", "int8") and find_spec("onnx") is not None and needs_conversion(model, spec):
        typed = arguments.out.with_name(f"{arguments.out.stem}_{wanted}.onnx")
        say(f"{model.path} is float32; its {wanted} form goes to {typed}")
        _convert(model, typed, cast("Converted", wanted), arguments.calibrate)
        model = read_model_file(typed)
    found = find_or_build(model, spec)
    manifest = found.plan.manifest
    write_plan(arguments.out, found.plan.data, manifest)
    return {
        "plan": str(arguments.out), "sha256": manifest.plan_sha256, "cache": found.cache, "precision": manifest.precision,
        "tensorrt": manifest.key.tensorrt, "gpu": manifest.key.gpu, "flags": " ".join(manifest.key.flags),
        "power mode": manifest.key.power_mode or "unknown", "layers": manifest.layers,
        "layers off the DLA": "no DLA" if manifest.layers_off_dla is None else manifest.layers_off_dla,
        "build s": manifest.build_s,
    }  # fmt: skip
