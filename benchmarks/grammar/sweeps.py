"""Commands that run hardware in the loop many times: over rates, over engines."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.grammar.command import Commands
from benchmarks.grammar.kinds import positive
from benchmarks.grammar.shared import DEFAULT_LINK, profile_changes


def add_sweeps(commands: Commands) -> None:
    """Adds the sweeps over rates and over engines."""
    one = "FILE[:BACKEND[:PRECISION]], such as engine.onnx:openvino:f32"
    parser = commands.add(
        "hil sweep rate", "out/film --engine engine.onnx --rates 5..60", "out/film --rates 15,20,30 --every-rate"
    )
    parser.add_argument("dataset", type=Path, help="the frames to stream, with their truth")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--device", default=DEFAULT_LINK, help="where the agent listens (default: %(default)s)")
    where.add_argument("--engine", help=f"start an agent here, fresh for every run: {one}")
    parser.add_argument("--emulate", metavar="MODEL", help="hold the engine's answers back, as p50=40ms,p99=45ms")
    parser.add_argument("--rates", default="5..60", metavar="GRID", help="5..60, 5..60:5 or 5,10,15 (default: %(default)s)")
    parser.add_argument("--every-rate", action="store_true", help="try every rate instead of bisection")
    _sweep_options(parser, Path("out/sweep-rate"))

    parser = commands.add(
        "hil sweep engines", "out/film engine.onnx:openvino:bf16 engine.onnx:openvino:f32 engine.onnx:onnxruntime",
        "out/film engine.onnx --emulate p50=80ms,p99=95ms --emulate p50=160ms",
    )  # fmt: skip
    parser.add_argument("dataset", type=Path, help="the frames to stream, with their truth")
    parser.add_argument("engines", nargs="+", metavar="ENGINE", help=one)
    held = "also the first engine held back by a model (may be repeated)"
    parser.add_argument("--emulate", action="append", default=[], metavar="MODEL", help=held)
    parser.add_argument("--rate", type=positive, default=15.0, metavar="HZ", help="frames per second (default: %(default)g)")
    parser.add_argument("--lockstep", action="store_true", help="simulated time waits for the engines")
    _sweep_options(parser, Path("out/sweep-engines"))


def _sweep_options(parser: argparse.ArgumentParser, out: Path) -> None:
    parser.add_argument("--profile", default="look", help="the rules of every run (default: %(default)s)")
    parser.add_argument("--duration", type=positive, metavar="S", help="seconds of every run (default: the profile's)")
    profile_changes(parser)
    parser.add_argument("--out", type=Path, default=out, help="folder of all runs (default: %(default)s)")
