"""What the link adds to an engine, beside raw TCP, bare ZeroMQ and gRPC, and whether it lets an engine run at full rate.

All carry 640x480 over loopback in rounds that take turns, paced from an absolute schedule. The link's figure is end to
end without pre-processing, inference and post-processing: checks, sums, both ways, packing and decoding. Cores stay awake, as
in a run, but for one row. Limits, on a quiet machine: p50 2 ms, p99 4 ms; at least 95 % of the engine's own rate.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks._transport_peers import ENGINE, HEIGHT, WIDTH, paced_peer_s, peer
from benchmarks.conftest import Ratios
from hil.agent.emulator import Emulator
from hil.agent.service import parse_service
from hil.figures.stages import STAGES, stage_table_s
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.quiet import awake
from sim.dataset import Dataset

ROUNDS = 3
ROUND_S = 6.0
LIMIT_P50_S, LIMIT_P99_S = 0.002, 0.004
# Longer than the data set: every image has been answered once.
_SHORT_WARM_UP = WarmUp(frames=20, seconds=0.5, windows=0)
_OF_ENGINE = ("preprocess", "inference", "postprocess")


@pytest.mark.parametrize("rate_hz", [15.0, 30.0])
def test_bench_link_overhead(
    benchmark: BenchmarkFixture, ratios: Ratios, bench_dataset: Dataset, rate_hz: float
) -> None:
    pytest.importorskip("grpc", reason="gRPC is compared with: pip install -e '.[dev]'")
    seconds: dict[str, list[list[float]]] = {"link": [], "idle": [], "thread": [], "tcp": [], "zmq": [], "grpc": []}

    def take_turns() -> None:
        for _ in range(ROUNDS):
            for name, rounds in seconds.items():
                with peer("link" if name == "idle" else name) as address:
                    if name in ("link", "idle", "thread"):
                        rounds.append(_link_overhead_s(bench_dataset, address, rate_hz, stay_awake=name != "idle"))
                        continue
                    with awake():
                        rounds.append(paced_peer_s(name, address, rate_hz=rate_hz, duration_s=ROUND_S))

    benchmark.pedantic(take_turns, rounds=1)
    at = f"at {rate_hz:.0f} FPS"
    for name, limit_s, p in (("p50", LIMIT_P50_S, 0.5), ("p99", LIMIT_P99_S, 0.99)):
        of = {key: [float(np.quantile(one, p)) for one in rounds] for key, rounds in seconds.items()}
        ratios.add(f"link overhead {at}, {name}", of["link"], "the limit", [limit_s])
        others = {
            "thread": "with --in-process", "idle": "with --allow-idle", "tcp": "raw TCP, the same bytes",
            "zmq": "bare ZeroMQ, the same bytes", "grpc": "gRPC, the same bytes",
        }  # fmt: skip
        for key, label in others.items():
            ratios.add(f"  {label}, {name}", of[key], "the limit", [limit_s])


def test_bench_sustained_rate(benchmark: BenchmarkFixture, ratios: Ratios, bench_dataset: Dataset) -> None:
    """Frames are due half as often again as the engine can take them, so it is never without one."""
    intervals: list[float] = []

    def stream() -> None:
        with peer("engine") as device:
            session = run_session(bench_dataset, device=device, rate_hz=75, duration_s=ROUND_S, warm_up=_SHORT_WARM_UP)
        returns = sorted(f.return_ns for f in session.due if f.return_ns is not None)
        intervals.extend(np.diff(returns) / 1e9)

    benchmark.pedantic(stream, rounds=1)
    assert np.mean(intervals) > 0
    ratios.add(f"interval at full load, an engine of {ENGINE[4:]}", intervals, "the engine's own", _own_s(len(intervals)))


def _link_overhead_s(dataset: Dataset, address: str, rate_hz: float, *, stay_awake: bool) -> list[float]:
    session = run_session(
        dataset, device=address, rate_hz=rate_hz, duration_s=ROUND_S, warm_up=_SHORT_WARM_UP, stay_awake=stay_awake
    )
    table = stage_table_s(session)
    beside = [index for index, name in enumerate(STAGES) if name not in _OF_ENGINE]
    return [float(v) for v in table[:, beside].sum(axis=1)]


def _own_s(count: int) -> list[float]:
    """Returns what the same engine takes per frame, called in a loop without a link."""
    emulator = Emulator(parse_service(ENGINE), seed=0)
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    ends = [time.monotonic()]
    for _ in range(count):
        emulator.perceive_timed(rgb)
        ends.append(time.monotonic())
    return [float(v) for v in np.diff(ends)]
