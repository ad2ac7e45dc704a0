"""Proves an engine on the machine that it will run on: it opens, keeps the contract, agrees with float32, and does not grow.

Times are those of a closed loop on this machine alone: what may be claimed of latency comes from `rehearse hil`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.agent.engine_proof_report import STAGES, Check, EngineProof
from hil.agent.telemetry import Telemetry
from hil.device import device_facts
from perception.agreement import LIMITS, agreement, limits_of
from perception.engine import OUTPUT_NAMES, PLAN_SUFFIXES, Engine, Precision, RawOutput, open_engine, read_model_file
from perception.perceiver import Perceiver
from perception.preprocess import network_input
from perception.probe_frames import probe_frames
from perception.tensorrt_engine import device_free_bytes
from perception.tensorrt_plan import read_plan
from perception.typed_onnx import original_digest, typed_precision
from scenes.errors import EngineError

FRAMES, QUICK_FRAMES, IMAGES = 5000, 300, 20
GROWTH_LIMIT_MIB = 16.0
_SAMPLES = 100
_MAX_NEIGHBOURS = 64
_ON_GPU = ("tensorrt", "onnxruntime-cuda", "onnxruntime-tensorrt")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSpec:
    """What is proven: an engine file with a backend; `reference` is the float32 file, looked for where it is None.

    `images` uint8 (H, W, 3) are perceived over and over, `frames` times in all; none means drawn ones.
    """

    engine: Path
    backend: str = "auto"
    threads: int | None = None
    precision: Precision = "auto"
    reference: Path | None = None
    images: tuple[NDArray[np.uint8], ...] = ()
    frames: int = FRAMES

    def __post_init__(self) -> None:
        if self.frames < _SAMPLES:
            raise EngineError(f"A proof needs at least {_SAMPLES} frames, got {self.frames}.")


def prove_engine(spec: ProofSpec, *, tell: Callable[[Check], None], progress: Progress | None = None) -> EngineProof:
    """Runs every check, telling each when it is done; what cannot be opened ends the proof with one FAIL."""
    images = spec.images or tuple(probe_frames(IMAGES))
    checks: list[Check] = []

    def note(check: Check) -> Check:
        checks.append(check)
        tell(check)
        return check

    started = time.monotonic()
    try:
        engine = open_engine(spec.engine, spec.backend, spec.threads, spec.precision)
    except EngineError as error:
        note(Check(name="opens", verdict="FAIL", expected="an engine", got=str(error)))
        return _report(spec, checks, None, {})
    opened = f"{engine.name}, {precision_of(engine)}, in {time.monotonic() - started:.1f} s"
    note(Check(name="opens", verdict="PASS", expected="an engine", got=opened))
    figures: dict[str, Any] = {}
    try:
        inputs = [network_input(image, engine.metadata.input_size) for image in images]
        if note(_keeps_shapes(engine, inputs[0])).verdict == "PASS":
            first = [_copied(engine.infer(image)) for image in inputs]
            note(_repeats(engine, inputs, first))
            note(_agrees(spec, engine, inputs, first))
            times, memory = _run_long(Perceiver(engine), images, spec.frames, progress)
            figures = {"times_ms": times, "memory": memory}
            note(_stays_small(memory, spec.frames))
            note(_unchanged(engine, inputs, first, spec.frames))
    except EngineError as error:
        note(Check(name="runs", verdict="FAIL", expected="an answer to every image", got=str(error)))
    return _report(spec, checks, engine, figures)


def precision_of(engine: Engine) -> str:
    """Returns f32, f16, bf16 or int8: what the engine says that it computes in, or what its file is, the coarser one."""
    said = engine.settings.get("inference_precision_hint", "f32")
    return max(said, typed_precision(engine.metadata), key=lambda name: LIMITS.get(name, (1.0, 1.0)))


def find_reference(engine: Path, given: Path | None) -> Path:
    """Returns the float32 file that an engine file was made from: the given one, itself, or one beside it, by its digest.

    Raises EngineError where none has it.
    """
    if engine.suffix in PLAN_SUFFIXES:
        plan = read_plan(engine)
        wanted = original_digest(plan.metadata, plan.manifest.key.onnx_sha256)
    else:
        model = read_model_file(engine)
        wanted = original_digest(model.metadata, model.digest)
    beside = [] if engine.suffix in PLAN_SUFFIXES else [engine]
    for path in [given] if given else [*beside, *sorted(engine.parent.glob("*.onnx"))[:_MAX_NEIGHBOURS]]:
        if _digest(path) == wanted:
            return path
    where = "is not the file that was named" if given else "is not beside it; name it with --reference"
    raise EngineError(f"The float32 file with sha256 {wanted[:16]}... {where}.")


def _digest(path: Path) -> str | None:
    try:
        return read_model_file(path).digest
    except EngineError:  # not one of ours lies there
        return None


def _keeps_shapes(engine: Engine, image: NDArray[np.float32]) -> Check:
    h, w = engine.metadata.input_size
    half = (h // 2, w // 2)
    shapes = {
        "category": (1, h, w), "confidence": (1, h, w), "center": (1, 1, *half), "offset": (1, 2, *half), "depth": (1, 1, *half)
    }  # fmt: skip
    raw = engine.infer(image)
    wrong = [name for name, shape in shapes.items() if getattr(raw, name).shape != shape]
    wrong += [name for name in OUTPUT_NAMES if not np.isfinite(getattr(raw, name)).all()]
    known = raw.category.min() >= 0 and raw.category.max() < len(engine.metadata.categories)
    wrong += [] if known else ["category"]
    got = f"{', '.join(sorted(set(wrong)))} not so" if wrong else f"5 outputs for 1 x 3 x {h} x {w}"
    return Check(
        name="shapes", verdict="FAIL" if wrong else "PASS", expected="shapes of the contract, finite, known categories", got=got
    )


def _repeats(engine: Engine, inputs: Sequence[NDArray[np.float32]], first: Sequence[RawOutput]) -> Check:
    again = engine.infer(inputs[0])
    engine.infer(inputs[-1])
    equal = _same(again, first[0])
    got = "the same bits, and they outlive the next image" if equal else "other values"
    return Check(name="repeats", verdict="PASS" if equal else "FAIL", expected="the same image, the same bits", got=got)


def _agrees(spec: ProofSpec, engine: Engine, inputs: Sequence[NDArray[np.float32]], first: Sequence[RawOutput]) -> Check:
    precision = precision_of(engine)
    if precision not in LIMITS:
        return Check(name="agrees", verdict="SKIPPED", expected="float32", got=f"the engine says {precision!r} of its precision")
    try:
        path = find_reference(spec.engine, spec.reference)
        reference = open_engine(path, "onnxruntime", spec.threads)
    except EngineError as error:
        return Check(name="agrees", verdict="SKIPPED", expected=f"ONNX Runtime, {limits_of(precision)}", got=str(error))
    found = agreement((reference.infer(image), answer) for image, answer in zip(inputs, first, strict=True))
    return Check(
        name="agrees", verdict="PASS" if found.within(precision) else "FAIL",
        expected=f"ONNX Runtime in float32; {limits_of(precision)}", got=found.describe(), figures=found.to_dict(),
    )  # fmt: skip


def _run_long(
    perceiver: Perceiver, images: Sequence[NDArray[np.uint8]], frames: int, progress: Progress | None
) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    """Returns the times of each stage, the first tenth left out, and memory in MiB at a hundred moments."""
    seconds = np.empty((frames, len(STAGES)))
    rss, device, on_gpu = list[float](), list[float](), perceiver.engine.name in _ON_GPU
    for k in range(frames):
        image = images[k % len(images)]
        h, w = image.shape[:2]
        _, times = perceiver.perceive_timed(image, fx=0.8 * w, fy=0.8 * w, cx=w / 2 - 0.5, cy=h / 2 - 0.5)
        parts = (times.preprocess_s, times.infer_s, times.postprocess_s, times.boxes_s)
        seconds[k] = (*parts, sum(parts))
        if (k + 1) % (frames // _SAMPLES) == 0:
            rss.append(_rss_mib())
            free = device_free_bytes() if on_gpu else None
            device += [] if free is None else [-free / 2**20]
            if progress is not None:
                progress(k + 1, frames)
    kept = 1e3 * seconds[frames // 10 :]
    table = {
        name: {"p50": float(np.percentile(ms, 50)), "p99": float(np.percentile(ms, 99)), "max": float(ms.max())}
        for name, ms in zip(STAGES, kept.T, strict=True)
    }  # fmt: skip
    grown = {"growth_mib": growth(rss), "device_growth_mib": growth(device)}
    return table, {"rss_mib": rss, "device_free_mib": [-used for used in device], **grown}


def _rss_mib() -> float:
    """Returns this process's resident memory, nan where the system does not say."""
    try:
        words = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return float("nan")
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(samples: Sequence[float]) -> float | None:
    """Returns how much the median of the last fifth is above that of the second fifth; the first is warm-up. None for none."""
    fifth = len(samples) // 5
    return float(np.median(samples[-fifth:]) - np.median(samples[fifth : 2 * fifth])) if fifth else None


def _stays_small(memory: dict[str, Any], frames: int) -> Check:
    grown, device = memory["growth_mib"], memory["device_growth_mib"]
    if not np.isfinite(grown):
        return Check(name="memory", verdict="SKIPPED", expected="resident memory", got="this system does not say how much it is")
    told = f"{grown:+.1f} MiB" + ("" if device is None else f", device {device:+.1f} MiB (shared with whatever else runs)")
    expected = f"resident memory grows by at most {GROWTH_LIMIT_MIB:g} MiB over {frames} frames"
    return Check(name="memory", verdict="PASS" if grown <= GROWTH_LIMIT_MIB else "FAIL", expected=expected, got=told)


def _unchanged(engine: Engine, inputs: Sequence[NDArray[np.float32]], first: Sequence[RawOutput], frames: int) -> Check:
    changed = sum(not _same(engine.infer(image), answer) for image, answer in zip(inputs, first, strict=True))
    return Check(
        name="unchanged", verdict="FAIL" if changed else "PASS", expected=f"after {frames} frames the bits of the beginning",
        got=f"{changed} of {len(inputs)} images answered otherwise" if changed else f"the same for {len(inputs)} images",
    )  # fmt: skip


def _copied(raw: RawOutput) -> RawOutput:
    """Returns a copy, so that an engine that writes over its answers is found out."""
    return RawOutput(**{name: getattr(raw, name).copy() for name in OUTPUT_NAMES})


def _same(one: RawOutput, other: RawOutput) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in OUTPUT_NAMES)


def _report(spec: ProofSpec, checks: Sequence[Check], engine: Engine | None, figures: dict[str, Any]) -> EngineProof:
    with Telemetry() as telemetry:
        sample = telemetry.latest()
    return EngineProof(
        engine=spec.engine.name, digest="" if engine is None else engine.digest, frames=spec.frames, checks=tuple(checks),
        settings={} if engine is None else dict(engine.settings), device=device_facts(), sample=sample, **figures,
    )  # fmt: skip
