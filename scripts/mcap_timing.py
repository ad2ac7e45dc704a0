"""Says what an MCAP recording costs a run: the same run with and without, in turns, so that both see the same machine.

    python scripts/mcap_timing.py DATASET --rate 15 --duration 10 --pairs 8 [--topics all]

The agent takes 20 ms per frame and answers each image with noisy depth and ids of its own, as large as a network's.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hil.agent.serve import serve
from hil.figures.latency import summarize
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.mcap.sink import McapSink, Watched
from hil.mcap.topics import parse_selection
from hil.recordings.table import TableWriter
from hil.session import Session
from perception.perceiver import StageTimes
from perception.prediction import Prediction, Segment
from sim.dataset import Dataset

_TAKES_S = 0.020
_SHORT = WarmUp(frames=15, seconds=1.0, windows=0)


class Perceiver:
    """Answers with blocks as segments and noise on a slope as depth, always the same for one image."""

    def perceive_timed(self, rgb: Any, **_: Any) -> tuple[Prediction, StageTimes]:
        started = time.monotonic()
        rng = np.random.default_rng(int(rgb[::16, ::16].sum()))
        height, width = rgb.shape[:2]
        ids = np.kron(rng.integers(1, 9, (12, 16)), np.ones((height // 12, width // 16))).astype(np.int32)
        depth_m = (1 + np.arange(height)[:, None] / height + rng.normal(0, 0.01, (height, width))).astype(np.float32)
        segments = tuple(Segment(id=i, category_id=1 + i, score=0.5, depth_m=1.0) for i in range(1, 9))
        time.sleep(max(_TAKES_S - (time.monotonic() - started), 0))
        prediction = Prediction(segment_id=ids, segments=segments, depth_m=depth_m)
        return prediction, StageTimes(preprocess_s=0.0, infer_s=_TAKES_S, postprocess_s=0.0, boxes_s=0.0)


def _serve(ready: Connection) -> None:
    serve(None, "tcp://127.0.0.1:*", perceiver=Perceiver(), ready=ready.send)


def run(dataset: Dataset, given: argparse.Namespace, topics: str | None) -> Session:
    """Makes one run against a fresh agent, with an MCAP recording of `topics` or with none."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    agent = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    agent.start()
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            frames: Any = dataset
            sinks: list[Any] = [TableWriter(Path(folder) / "r.rhil")]
            if topics is not None:
                sink = stack.enter_context(McapSink(Path(folder) / "r.mcap", selection=parse_selection(topics)))
                frames, sinks = Watched(dataset, sink), [*sinks, sink]
            return run_session(
                frames, device=ours.recv(), rate_hz=given.rate, duration_s=given.duration, warm_up=_SHORT, sinks=sinks
            )
    finally:
        agent.kill()
        agent.join()


def main() -> None:
    """Prints a row per run and the medians of both kinds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--rate", type=float, default=15.0)
    parser.add_argument("--duration", type=float, default=10.0)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--topics", default="all")
    given = parser.parse_args()
    dataset, found = Dataset.open(given.dataset), dict[str, list[list[float]]]()
    print("            p50 ms  p95 ms  lateness p50 us  p99 us  max us  missed")
    for pair in range(given.pairs):
        for name in ("without", "with")[:: 1 if pair % 2 else -1]:
            session = run(dataset, given, given.topics if name == "with" else None)
            report = summarize(session)
            late = report.lateness_s or {}
            row = [report.quantile(p).value_s * 1e3 for p in (0.5, 0.95)]
            row += [late[key] * 1e6 for key in ("p50", "p99", "max")] + [float(report.misses)]
            found.setdefault(name, []).append(row)
            print(_line(name, row), *session.recording_faults, flush=True)
    for name, rows in found.items():
        print(_line(f"{name}, median", list(np.median(rows, axis=0))))


def _line(name: str, row: list[float]) -> str:
    return f"{name:<15} {row[0]:6.1f}  {row[1]:6.1f}  {row[2]:7.0f} {row[3]:7.0f} {row[4]:7.0f}  {row[5]:5.0f}"


if __name__ == "__main__":
    main()
