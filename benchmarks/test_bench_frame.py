"""What a complete frame costs, image and all truth rendered and written to disk, against one bare RGB render."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import Ratios, seconds_of
from sim._proven import Prover
from sim._worker import _stage_frame
from sim.clearance import clearances_m
from sim.mujoco_backend import MujocoBackend
from sim.raycast import RayCaster
from sim.realize import realize

ROUNDS = 30


def test_bench_complete_frame(benchmark: BenchmarkFixture, ratios: Ratios, tmp_path: Path) -> None:
    backend = MujocoBackend()
    scene, _ = realize(backend, "tabletop", split="test", seed=0, index=0)
    camera = scene.cameras[0]
    canvas = backend._loaded().canvas()  # noqa: SLF001  # the bare render has no public door, and needs none
    prover, clearance_m = Prover(RayCaster(scene), tmp_path), clearances_m(scene)
    bare: list[float] = []
    numbers = itertools.count()

    def render_bare() -> None:
        started = time.perf_counter()
        canvas.image(camera)
        bare.append(time.perf_counter() - started)

    def render_and_write() -> None:
        _stage_frame(tmp_path, next(numbers), backend.render(camera), scene, prover, clearance_m)

    for _ in range(3):
        render_bare()
        render_and_write()
    bare.clear()
    benchmark.pedantic(render_and_write, setup=render_bare, rounds=ROUNDS)
    backend.close()
    ratios.add("complete frame, written", seconds_of(benchmark), "a bare RGB render", bare)


def test_bench_render_with_truth(benchmark: BenchmarkFixture, ratios: Ratios) -> None:
    backend = MujocoBackend()
    scene, _ = realize(backend, "tabletop", split="test", seed=0, index=0)
    camera = scene.cameras[0]
    benchmark.pedantic(backend.render, args=(camera,), rounds=ROUNDS, warmup_rounds=3)
    backend.close()
    ratios.add("image and truth, not written", seconds_of(benchmark))
