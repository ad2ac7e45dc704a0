"""Options that several commands have, worded once."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.grammar.kinds import deadline, positive, share, size, whole

DEFAULT_LINK = "tcp://127.0.0.1:5555"
SUITES = "tabletop, tabletop-clutter, household, or the path of a suite's .toml file"


def labels_option(parser: argparse.ArgumentParser) -> None:
    """Adds --labels, for data sets of other tools."""
    mapping = 'another tool\'s labels as our categories: a table [labels] with lines such as crate = "box"'
    parser.add_argument("--labels", type=Path, metavar="TOML", help=mapping)


def draw_options(parser: argparse.ArgumentParser) -> None:
    """Adds the split and the seed."""
    parser.add_argument("--split", choices=("train", "val", "test"), default="train", help="(default: %(default)s)")
    parser.add_argument("--seed", type=whole(0), default=0, help="(default: %(default)s)")


def scene_options(parser: argparse.ArgumentParser, *, backend: bool = True) -> None:
    """Adds what every command has that draws scenes."""
    draw_options(parser)
    parser.add_argument("--size", type=size, default=(640, 480), metavar="WxH", help="image size (default: 640x480)")
    if backend:
        parser.add_argument("--backend", default="mujoco", help="the simulator (default: %(default)s)")


def isaac_settings(parser: argparse.ArgumentParser) -> None:
    """Adds --isaac."""
    setting = "isaac: a setting, such as rt_subframes=32, renderer=PathTracing or physics=physx (may be repeated)"
    parser.add_argument("--isaac", action="append", default=[], metavar="NAME=VALUE", help=setting)


def engine_argument(parser: argparse.ArgumentParser) -> None:
    """Adds the engine file."""
    parser.add_argument("engine", type=Path, help="an engine file (.onnx, .plan)")
    engine_options(parser)


def engine_options(parser: argparse.ArgumentParser) -> None:
    """Adds the engine backend and its threads."""
    names = "auto, openvino, onnxruntime, onnxruntime-cuda, onnxruntime-tensorrt or tensorrt[:NAME=VALUE,...] (default: auto)"
    parser.add_argument("--backend", default="auto", metavar="ENGINE", help=names)
    parser.add_argument("--threads", type=whole(1), help="threads of the engine (default: its own choice)")


def clock_options(parser: argparse.ArgumentParser, *, duration_s: float | None = 20.0) -> None:
    """Adds the rate and the duration; `duration_s` None leaves it to the profile."""
    parser.add_argument("--rate", type=positive, default=15.0, metavar="HZ", help="frames per second (default: %(default)s)")
    default = "the profile's" if duration_s is None else f"{duration_s:g}"
    parser.add_argument("--duration", type=positive, default=duration_s, metavar="S", help=f"seconds (default: {default})")


def profile_changes(parser: argparse.ArgumentParser) -> None:
    """Adds what changes a profile."""
    parser.add_argument("--claim", type=share, metavar="P", help="the P(on time) to show (default: the profile's)")
    parser.add_argument("--warm-up", type=positive, metavar="S", help="its longest (default: the profile's)")
    late = "an answer is late after so many ms, or after a period of the rate (default: 66.7)"
    parser.add_argument("--deadline", type=deadline, metavar="MS|period", help=late)
