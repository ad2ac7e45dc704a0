"""Commands of hardware in the loop, and the demo."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.grammar.command import Commands
from benchmarks.grammar.kinds import positive, size, whole
from benchmarks.grammar.shared import DEFAULT_LINK, clock_options, engine_options, profile_changes
from benchmarks.grammar.sweeps import add_sweeps


def add_rehearsing(commands: Commands) -> None:
    """Adds agent, hil with its parts, and demo."""
    parser = commands.add(
        "agent", "engine.onnx", "engine.onnx --bind tcp://127.0.0.1:6000 --threads 2", "--emulate p50=40ms,p99=45ms"
    )
    parser.add_argument("engine", type=Path, nargs="?", help="an engine file (.onnx, .plan); none with --emulate")
    engine_options(parser)
    model = "emulate a device: p50=40ms,p99=45ms,stall=800ms/300, or recording=RUN.rhil; with an engine or without"
    parser.add_argument("--emulate", metavar="MODEL", help=model)
    parser.add_argument("--precision", default="auto", help="auto, f32 or bf16 (default: %(default)s)")
    parser.add_argument("--seed", type=whole(0), default=0, help="seed of the emulation (default: %(default)s)")
    parser.add_argument("--bind", default=DEFAULT_LINK, help="where to listen (default: %(default)s)")
    parser.add_argument("--sha256", metavar="HEX", help="open the engine only if its file has this digest")
    _keys_options(parser, "let in the hosts of this folder of keys, encrypted")
    hang = "restart the engine where a frame runs for longer (default: 2 s or 20 times the median frame, the longer)"
    parser.add_argument("--hang-after", type=positive, metavar="S", help=hang)
    parser.add_argument("--in-process", action="store_true", help="run the engine in a thread, where nothing restarts it")

    _add_hil_parts(commands)
    add_sweeps(commands)
    parser = commands.add(
        "hil", "out/test --device tcp://127.0.0.1:5555 --rate 15 --duration 20", "out/test --json",
        "out/test --profile qualify --runs 3 --engine engine.onnx", "tabletop --clip 6", "tabletop --live --size 320x240",
    )  # fmt: skip
    frames = "the frames to stream, with their truth, or an .mcap of a run; with --live or --clip the suite to render"
    parser.add_argument("dataset", help=frames)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--device", default=DEFAULT_LINK, help="where the agent listens (default: %(default)s)")
    where.add_argument("--engine", type=Path, help="start an agent with this engine here, fresh for every run")
    _keys_options(parser, "encrypt, and know the agent by its key in this folder")
    packing = "pack answers without loss: auto where that makes them come sooner, always or never (default: %(default)s)"
    parser.add_argument("--compress", choices=("auto", "always", "never"), default="auto", help=packing)
    idle = "let this machine's cores sleep between frames, as without a run (they stay awake where the system allows it)"
    parser.add_argument("--allow-idle", action="store_true", help=idle)
    profiles = "look 20 s, quick 1 min, qualify 10 min, soak 4 h (default: %(default)s)"
    parser.add_argument("--profile", default="look", help=profiles)
    parser.add_argument("--runs", type=whole(1), default=1, help="runs in fresh processes, judged together (default: 1)")
    taken = "the camera takes one of N frames of a clip (default: as many as its rate asks for)"
    parser.add_argument("--camera-every", type=whole(1), metavar="N", help=taken)
    waits = "simulated time waits for an engine slower than real time; latency is then computed"
    parser.add_argument("--lockstep", action="store_true", help=waits)
    profile_changes(parser)
    clock_options(parser, duration_s=None)
    parser.add_argument("--mcap", action="store_true", help="write recording.mcap too, for Foxglove and Rerun")
    topics = "what it has of image,preview,depth,ids,boxes,truth,every, or all or none (default: all but every)"
    parser.add_argument("--mcap-topics", metavar="LIST", help=topics)
    _film_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/hil"), help="folder of the report (default: %(default)s)")

    parser = commands.add("demo", "", "--out out/mine --duration 60")
    parser.add_argument("--engine", type=Path, help="an engine file (default: the shipped one)")
    parser.add_argument("--frames", type=whole(1), default=24, help="frames to generate (default: %(default)s)")
    parser.add_argument("--seed", type=whole(0), default=0, help="(default: %(default)s)")
    engine_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder of everything (default: %(default)s)")
    clock_options(parser)


def _add_hil_parts(commands: Commands) -> None:
    parser = commands.add("agent keys", "", "--out keys")
    folder = "folder of the keys (default: $REHEARSE_KEYS, or ~/.config/rehearse/keys)"
    parser.add_argument("--out", type=Path, help=folder)
    parser.add_argument("--force", action="store_true", help="replace keys that are there; who has them is locked out")

    parser = commands.add("hil replay", "out/hil/recording.rhil")
    parser.add_argument("recording", type=Path, help="what `rehearse hil` wrote: .rhil or .mcap")

    parser = commands.add("hil check", "out/hil/recording.mcap")
    parser.add_argument("recording", type=Path, help="what `rehearse hil --mcap` wrote")

    parser = commands.add("hil proxy", "--faults loss=1%,delay=20ms~5ms", "--up cut=1.5s@3s --down corrupt=1% --seed 7")
    parser.add_argument("--listen", default="tcp://127.0.0.1:5600", help="where the host finds it (default: %(default)s)")
    parser.add_argument("--to", default=DEFAULT_LINK, help="where the agent listens (default: %(default)s)")
    line = "both ways: loss, duplicate, reorder, corrupt, ... =SHARE; delay=20ms~5ms; rate=100Mbit; cut, hold, close=1.5s@3s"
    parser.add_argument("--faults", metavar="LINE", default="", help=line)
    parser.add_argument("--up", metavar="LINE", help="what the host sends (default: as --faults)")
    parser.add_argument("--down", metavar="LINE", help="what the agent answers (default: as --faults)")
    parser.add_argument("--duration", type=positive, metavar="S", help="stop after that time (default: when it is stopped)")
    parser.add_argument("--seed", type=whole(0), default=0, help="the same seed, the same faults (default: %(default)s)")

    parser = commands.add("hil rules", "", "--service p50=30ms,p99=60ms --rate 30")
    stall = "p50=40ms,p99=45ms,stall=800ms/300"
    parser.add_argument("--service", metavar="MODEL", default=stall, help="how long a frame takes (default: %(default)s)")
    parser.add_argument("--rate", type=positive, default=15.0, help="frames per second (default: %(default)g)")
    parser.add_argument("--frames", type=whole(1), default=9000, help="frames that are due (default: %(default)s)")
    parser.add_argument("--seed", type=whole(0), default=0, help="(default: %(default)s)")


def _film_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--live", action="store_true", help="render the suite in a process of its own while the clock runs")
    parser.add_argument("--ahead", type=positive, metavar="S", help="live: seconds rendered before the clock (default: 2)")
    parser.add_argument("--clip", type=positive, metavar="S", help="render so many seconds first and play them in a loop")
    parser.add_argument("--split", choices=("train", "val", "test"), help="of the rendered scenes (default: test)")
    parser.add_argument("--seed", type=whole(0), help="of the rendered scenes (default: 0)")
    parser.add_argument("--size", type=size, metavar="WxH", help="of the rendered frames (default: 640x480)")
    parser.add_argument("--sequence", type=whole(1), metavar="LENGTH", help="rendered frames of each view (default: 30)")
    parser.add_argument("--motion", choices=("camera", "objects", "both"), help="what moves in them (default: both)")
    parser.add_argument("--sensor", metavar="PROFILE", help="the camera that is rendered (default: ideal)")


def _keys_options(parser: argparse.ArgumentParser, purpose: str) -> None:
    link = parser.add_mutually_exclusive_group()
    link.add_argument("--keys", type=Path, metavar="DIR", help=f"{purpose} (made by `rehearse agent keys`)")
    link.add_argument("--insecure", action="store_true", help="without keys: anyone in between can listen and answer")
