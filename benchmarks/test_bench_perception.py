"""What perception costs on top of its network: post-processing and boxes here, the whole way over the link there."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import Ratios, seconds_of
from benchmarks.demo import agent_process
from hil.host.runner import run_session
from perception.engine import open_engine
from perception.perceiver import Perceiver, StageTimes
from perception.preprocess import network_input
from perception.scoring import score_frame
from sim.dataset import Dataset

ROUNDS = 60


def test_bench_perceive(benchmark: BenchmarkFixture, ratios: Ratios, engine_path: Path, bench_dataset: Dataset) -> None:
    engine = open_engine(engine_path)
    perceiver = Perceiver(engine)
    frames = [bench_dataset[i] for i in range(len(bench_dataset))]
    stages: list[StageTimes] = []
    bare: list[float] = []
    turn = itertools.cycle(frames)

    def infer_bare() -> None:
        image = network_input(frames[0].rgb, engine.metadata.input_size)
        started = time.perf_counter()
        engine.infer(image)
        bare.append(time.perf_counter() - started)

    def perceive() -> None:
        frame = next(turn)
        k = frame.camera
        _, times = perceiver.perceive_timed(frame.rgb, fx=k.fx, fy=k.fy, cx=k.cx, cy=k.cy)
        stages.append(times)

    for _ in range(5):
        infer_bare()
        perceive()
    bare.clear()
    stages.clear()
    benchmark.pedantic(perceive, setup=infer_bare, rounds=ROUNDS)
    ratios.add("perceive, in one process", seconds_of(benchmark), "bare inference", bare)
    ratios.add("  pre-processing", [s.preprocess_s for s in stages], "bare inference", bare)
    ratios.add("  post-processing", [s.postprocess_s for s in stages], "bare inference", bare)
    ratios.add("  3D boxes", [s.boxes_s for s in stages], "bare inference", bare)


def test_bench_end_to_end(
    benchmark: BenchmarkFixture, ratios: Ratios, engine_path: Path, bench_dataset: Dataset, tmp_path: Path
) -> None:
    engine = open_engine(engine_path)
    image = network_input(bench_dataset[0].rgb, engine.metadata.input_size)
    for _ in range(5):
        engine.infer(image)
    benchmark.pedantic(engine.infer, args=(image,), rounds=ROUNDS)
    with agent_process(engine_path, log=tmp_path / "agent.log") as device:
        session = run_session(bench_dataset, device=device, rate_hz=15, duration_s=10)
    latencies = [f.latency_s for f in session.due if f.latency_s is not None]
    assert len(latencies) > len(session.due) // 2, session.outcomes()
    ratios.add("end to end over loopback at 15 FPS", latencies, "bare inference", seconds_of(benchmark))


def test_bench_scoring(benchmark: BenchmarkFixture, ratios: Ratios, engine_path: Path, bench_dataset: Dataset) -> None:
    perceiver = Perceiver(open_engine(engine_path))
    frame = bench_dataset[0]
    k = frame.camera
    prediction = perceiver.perceive(frame.rgb, fx=k.fx, fy=k.fy, cx=k.cx, cy=k.cy)
    benchmark.pedantic(score_frame, args=(frame, prediction), rounds=ROUNDS, warmup_rounds=3)
    ratios.add("scoring of one frame", seconds_of(benchmark))
