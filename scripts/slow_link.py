"""What packing and encryption cost and save, measured over a real socket: loopback, or two network namespaces with a rate limit.

    python scripts/slow_link.py out/test                       # loopback: plain and CURVE, in turns
    sudo python scripts/slow_link.py out/test --rate 1gbit     # veth and tbf, each way: raw, each codec, auto
    sudo python scripts/slow_link.py out/test --rate 100mbit --fps 4

The agent answers with what the shipped engine said of these frames, each after 20 ms, so that the engine's own time is
the same in every row. Prints medians in milliseconds; with root both sides have a real-time priority. Namespaces are
deleted at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.console import print_table, say
from benchmarks.shipped import SHIPPED_ENGINE
from hil.agent import serve as agent
from hil.figures.stages import STAGES, stage_table_s
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.link import terms
from hil.link.codec import codecs
from hil.link.keys import make_keys
from hil.link.packer import COMPRESS
from perception.prediction import Prediction
from sim.dataset import Dataset

SERVICE_S = 0.02
WARM_UP = WarmUp(frames=20, seconds=1.0, windows=0)
HEADS = ("link", "answers", "n", "p50", "p95", "uplink", "downlink", "decode", "codec", "times smaller")


def main() -> None:
    """Measures and prints, or plays one of the two sides."""
    options = _options()
    if options.agent or options.host:
        _keep_neighbours_out()
    if options.agent:
        _serve(options)
    elif options.host:
        print(json.dumps(_measure(options)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            make_keys(Path(folder) / "keys")
            rows = _loopback(options, Path(folder) / "keys") if options.rate is None else _limited(options)
        print_table([HEADS, *rows])


def _keep_neighbours_out() -> None:
    """Takes a real-time priority where that is allowed: what else the machine does is no part of the question."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="a data set; its first nine frames are used")
    parser.add_argument("--rate", help="limit of the link as tc takes it, such as 1gbit; needs root (default: loopback)")
    parser.add_argument("--fps", default="15", help="frames per second (default: %(default)s)")
    parser.add_argument("--seconds", default="10", help="of every row (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="of every row on loopback (default: %(default)s)")
    parser.add_argument("--agent", metavar="ADDRESS", help=argparse.SUPPRESS)
    parser.add_argument("--host", nargs=2, metavar=("ADDRESS", "ANSWERS"), help=argparse.SUPPRESS)
    parser.add_argument("--keys", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _loopback(options: argparse.Namespace, keys: Path) -> list[tuple[str, ...]]:
    rows = []
    for _ in range(options.repeats):
        for name, more in (("plain", []), ("CURVE", ["--keys", str(keys)])):
            with _agent(options, "tcp://127.0.0.1:*", [], more) as address:
                rows.append(_row(name, options, ["--host", address, "never", *more], []))
    return rows


def _limited(options: argparse.Namespace) -> list[tuple[str, ...]]:
    with _namespaces(options.rate) as (here, there), _agent(options, "tcp://10.77.0.2:5555", there, []) as address:
        answers = ["never", *codecs()[::-1], "auto"]
        return [_row(options.rate, options, ["--host", address, name], here) for name in answers]


@contextmanager
def _namespaces(rate: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yields what to run a command with in either of two namespaces that are joined by a link of that rate."""
    names = ("rehearse-a", "rehearse-b")
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("link", "add", "va", "netns", names[0], "type", "veth", "peer", "name", "vb", "netns", names[1])
        for name, device, address in zip(names, ("va", "vb"), ("10.77.0.1/24", "10.77.0.2/24"), strict=True):
            _ip("-n", name, "address", "add", address, "dev", device)
            _ip("-n", name, "link", "set", device, "up")
            limit = ["root", "tbf", "rate", rate, "burst", "64kb", "latency", "50ms"]
            subprocess.run(["tc", "-n", name, "qdisc", "add", "dev", device, *limit], check=True)
        yield ["ip", "netns", "exec", names[0]], ["ip", "netns", "exec", names[1]]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def _agent(options: argparse.Namespace, bind: str, prefix: list[str], more: list[str]) -> Iterator[str]:
    command = [*prefix, sys.executable, __file__, str(options.dataset), "--agent", bind, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child.stdout.readline().split()[1]
        finally:
            child.terminate()


def _row(link: str, options: argparse.Namespace, more: list[str], prefix: list[str]) -> tuple[str, ...]:
    command = [*prefix, sys.executable, __file__, str(options.dataset), "--fps", options.fps, "--seconds", options.seconds]
    done = subprocess.run([*command, *more], check=True, stdout=subprocess.PIPE, text=True)
    row = (link, *json.loads(done.stdout))
    say("  ".join(row))
    return row


def _measure(options: argparse.Namespace) -> list[str]:
    """Plays the host; returns the cells of a row."""
    address, answers = options.host
    if answers not in COMPRESS:  # that codec and no other
        terms.codecs = lambda: (answers,)
    session = run_session(
        Dataset.open(options.dataset), device=address, rate_hz=float(options.fps), duration_s=float(options.seconds),
        warm_up=WARM_UP, keys=options.keys, insecure=options.keys is None,
        compress=answers if answers in COMPRESS else "always",
    )  # fmt: skip
    latency_ms = [1e3 * (f.latency_s if f.latency_s is not None else np.inf) for f in session.due]
    stages = dict(zip(STAGES, np.median(stage_table_s(session), axis=0) * 1e3, strict=True))
    said = session.link["answers"]
    quantiles = np.quantile(latency_ms, (0.5, 0.95), method="inverted_cdf")  # a frame without an answer is infinitely late
    figures = [*quantiles, *(stages[name] for name in ("uplink", "downlink", "decode"))]
    smaller = said["raw_bytes"] / said["bytes"]
    return [answers, str(len(latency_ms)), *(f"{value:.1f}" for value in figures), said["codec"], f"{smaller:.1f}"]


class _Answers:
    """A perceiver that says what the engine once said, in turn."""

    def __init__(self, predictions: Sequence[Prediction]) -> None:
        self._predictions, self._calls = predictions, 0

    def perceive_timed(self, _rgb: Any, **_camera: Any) -> tuple[Prediction, Any]:
        time.sleep(SERVICE_S)
        self._calls += 1
        times = SimpleNamespace(preprocess_s=0.0, infer_s=SERVICE_S, postprocess_s=0.0, boxes_s=0.0)
        return self._predictions[self._calls % len(self._predictions)], times


def _serve(options: argparse.Namespace) -> None:
    from perception.engine import open_engine
    from perception.perceiver import Perceiver

    frames, perceiver = _frames(options.dataset), Perceiver(open_engine(SHIPPED_ENGINE))
    cameras = ({name: getattr(f.camera, name) for name in ("fx", "fy", "cx", "cy")} for f in frames)
    said = [perceiver.perceive(f.rgb, **camera) for f, camera in zip(frames, cameras, strict=True)]
    agent.serve(None, options.agent, perceiver=_Answers(said), keys=options.keys, insecure=options.keys is None)


def _frames(path: Path) -> list[Any]:
    dataset = Dataset.open(path)
    return [dataset[index] for index in range(min(9, len(dataset)))]


if __name__ == "__main__":
    main()
