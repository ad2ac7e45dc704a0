"""What the engine's own process costs, and what a busy Python thread beside the engine or the transport does to the link."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import Ratios
from benchmarks.layout_agent import SERVICE_S
from hil.host.client import Client
from hil.link.answer import open_answer
from hil.link.protocol import Kind
from hil.link.request import pack_frame
from hil.quiet import no_collection, real_time, short_switch_interval
from scenes.taxonomy import TAXONOMY

FRAMES, PERIOD_S = 300, 1 / 30
CASES = (
    ("thread", "nowhere", "short"),
    ("process", "nowhere", "short"),
    ("thread", "engine", "short"),
    ("thread", "engine", "default"),
    ("process", "engine", "short"),
    ("process", "engine", "default"),
    ("process", "transport", "short"),
    ("process", "transport", "default"),
)


@contextmanager
def layout_agent(*words: str) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.layout_agent", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def measure(device: str) -> tuple[list[float], list[float]]:
    """Returns the seconds from sending to the decoded answer, without the engine's 5 ms, and of the pings beside."""
    body = pack_frame(np.zeros((480, 640, 3), np.uint8), fx=500.0, fy=500.0, cx=319.5, cy=239.5)
    frames_s, pings_s = [], []
    with Client(device) as client, no_collection(), short_switch_interval(), real_time():
        start = time.monotonic()
        for seq in range(1, FRAMES + 1):
            time.sleep(max(start + seq * PERIOD_S - time.monotonic(), 0.0))
            sent, waiting = time.monotonic(), {Kind.RESULT, Kind.PONG}
            assert client.send_frame(body, seq=seq, due_ns=0)
            client.ping(seq)
            while waiting and time.monotonic() < sent + 2.0:
                if (message := client.receive()) is None:
                    time.sleep(0.0001)
                    continue
                waiting.discard(message.kind)
                if message.kind is Kind.PONG:
                    pings_s.append(time.monotonic() - sent)
                else:
                    open_answer(message, size=(480, 640), categories=len(TAXONOMY))
                    frames_s.append(time.monotonic() - sent - SERVICE_S)
            assert not waiting
    return frames_s, pings_s


@pytest.mark.parametrize(("layout", "busy", "switch"), CASES)
def test_bench_layout(benchmark: BenchmarkFixture, ratios: Ratios, layout: str, busy: str, switch: str) -> None:
    with layout_agent(layout, busy, switch) as device:
        measure(device)
        frames_s, pings_s = benchmark.pedantic(measure, args=(device,), rounds=1)
    for what, seconds in (("a frame's way", frames_s), ("a ping", pings_s)):
        p99_ms = float(np.percentile(seconds, 99)) * 1e3
        ratios.add(f"{what}, {layout}, busy {busy}, {switch} (p99 {p99_ms:.1f})", seconds)
