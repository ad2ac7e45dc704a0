"""A backend over time: the same view gives the same truth again, and hundreds of frames leave no memory behind."""

from __future__ import annotations

import ctypes
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.frame import Frame
from sim.selftest.bench import Bench, moved_by
from sim.selftest.verdict import Outcome, all_of, skipped

_FRAMES, _QUICK_FRAMES, _SAMPLES, _WARM_UP = 500, 60, 20, 0.2
_KB_PER_FRAME, _ALWAYS_MB, _GPU_MB = 64.0, 8.0, 64.0
_DIFFERING_SHARE, _DEPTH_M = 1e-3, 1e-3
_STATM = Path("/proc/self/statm")


def repeatable(bench: Bench) -> Outcome:
    """A view rendered again, and after another one, has the same truth; by how much the image differs is reported."""
    bench.put_on(bench.stage)
    camera, backend = bench.camera("markers"), bench.backend
    first, second = backend.render(camera), backend.render(camera)
    backend.render(bench.camera("corner"))
    differences = [_differences(first, other) for other in (second, backend.render(camera))]
    labels, depth, image = (max(d[k] for d in differences) for k in range(3))
    return Outcome(
        expected="the same labels and depth",
        got=f"{100 * labels:.3g} % of labels and {100 * depth:.3g} % of depths differ; the image by at most {image:.0f} of 255",
        tolerance=f"{100 * _DIFFERING_SHARE:g} % of pixels",
        holds=max(labels, depth) <= _DIFFERING_SHARE,
    )


def memory(bench: Bench) -> Outcome:
    """Rendering hundreds of frames, with a body moved before each, does not make the process grow."""
    if not _STATM.exists():
        return skipped(f"{_STATM} is not there: memory is measured on Linux only")
    frames = _QUICK_FRAMES if bench.quick else _FRAMES
    bench.put_on(bench.stage)
    camera, start = bench.camera("watch", width=160), bench.stage.solids["mover"].world_from_body
    resident, gpu = [], []
    for k in range(frames):
        bench.place({"mover": moved_by(start, (0.01 * (k % 7), 0.0, 0.01 * (k % 5)))})
        bench.backend.render(camera)
        if (k + 1) % (frames // _SAMPLES) == 0:
            resident.append(_resident_mb())
        if k + 1 in {int(_WARM_UP * frames), frames}:
            gpu.append(_gpu_mb())
    return all_of(_process(np.array(resident), frames), _gpu(gpu))


def _differences(first: Frame, other: Frame) -> tuple[float, float, float]:
    """Returns the shares of labels and of depths that differ, and the largest difference of the image."""
    a, b = first.truth, other.truth
    labels = float(((a.instance != b.instance) | (a.semantic != b.semantic)).mean())
    with np.errstate(invalid="ignore"):
        far = ~((np.abs(a.depth_m - b.depth_m) <= _DEPTH_M) | (a.depth_m == b.depth_m))
    return labels, float(far.mean()), float(np.abs(first.rgb.astype(np.int64) - other.rgb).max())


def _process(resident_mb: NDArray[np.float64], frames: int) -> Outcome:
    """Compares the medians of the first and the last fifth after the warm-up: a step that happens once is no leak."""
    after = resident_mb[int(_WARM_UP * len(resident_mb)) :]
    fifth = max(len(after) // 5, 1)
    grown_mb = float(np.median(after[-fifth:]) - np.median(after[:fifth]))
    apart = (len(after) - fifth) * frames / len(resident_mb)
    limit_mb = max(_KB_PER_FRAME * apart / 1024, _ALWAYS_MB)
    return Outcome(
        expected=f"no growth over {frames} frames",
        got=f"{grown_mb:+.1f} MB, {1024 * grown_mb / apart:+.1f} kB a frame",
        tolerance=f"{limit_mb:.0f} MB",
        holds=grown_mb <= limit_mb,
    )


def _gpu(used_mb: list[float | None]) -> Outcome:
    first, last = used_mb
    if first is None or last is None:
        return skipped("GPU memory not measured: nvidia-smi finds no GPU")
    return Outcome(
        expected="no growth on the GPU",
        got=f"{last - first:+.0f} MB on the GPU",
        tolerance=f"{_GPU_MB:g} MB",
        holds=last - first <= _GPU_MB,
    )


def _resident_mb() -> float:
    """Returns the memory of this process, after the C library has given back what is free: a leak may hide in that."""
    with suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _gpu_mb() -> float | None:
    """Returns the memory in use on all GPUs together, None where nvidia-smi does not say."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        return sum(float(line) for line in asked.stdout.split()) if asked.returncode == 0 and asked.stdout.strip() else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
