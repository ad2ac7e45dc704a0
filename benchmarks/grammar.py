"""The grammar of the command line: every command, its options and examples; what a command does is in benchmarks/commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

DEFAULT_LINK = "tcp://127.0.0.1:5555"
_SUITES = "tabletop, tabletop-clutter, household, or the path of a suite's .toml file"

# A data set's folder of such a name is meant by ./replay, an engine by ./keys.
TWO_WORDS = ("hil proxy", "hil replay", "hil check", "hil rules", "agent keys")
THREE_WORDS = ("hil sweep rate", "hil sweep engines")

Run = Callable[[argparse.Namespace], int]

def make_parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """Returns the parser of the whole grammar, whose commands run the functions of their names; no I/O."""
    parser = argparse.ArgumentParser(
        prog="rehearse",
        description="Rehearse a robot's perception before the hardware has to do it for real.",
        epilog="Every command explains itself: rehearse generate --help. Start with: rehearse doctor; rehearse demo.",
        formatter_class=_Wide,
    )
    commands = _Commands(parser.add_subparsers(title="commands", metavar="COMMAND", required=True), runs)
    for add in (_add_looking, _add_making, _add_learning, _add_judging, _add_rehearsing):
        add(commands)
    return parser


def two_words(words: Sequence[str]) -> list[str]:
    """Joins the words of a command such as `hil rules` or `hil sweep rate` into the one that the parser knows."""
    for count, known in ((3, THREE_WORDS), (2, TWO_WORDS)):
        joined = " ".join(words[:count])
        if joined in known:
            return [joined, *words[count:]]
    return list(words)


class _Wide(argparse.HelpFormatter):
    """Leaves room for the longest command: argparse forgets that the list of commands is indented."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 21


class _Commands:
    """Adds commands to a parser by name; a function's docstring is the help of its command."""

    def __init__(self, parsers: argparse._SubParsersAction[Any], runs: Mapping[str, Run]) -> None:
        self._parsers, self._runs = parsers, runs

    def add(self, name: str, *examples: str) -> argparse.ArgumentParser:
        """Returns the parser of one command; `examples` are what may follow its name."""
        run = self._runs[name.replace(" ", "_")]
        summary = (run.__doc__ or "").strip()
        parser: argparse.ArgumentParser = self._parsers.add_parser(
            name,
            help=summary.partition(". ")[0].rstrip("."),
            description=summary,
            epilog="examples:\n" + "\n".join(f"  rehearse {name} {example}".rstrip() for example in examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--json", action="store_true", help="print figures as JSON on stdout")
        parser.set_defaults(command=run)
        return parser


def _add_looking(commands: _Commands) -> None:
    parser = commands.add(
        "doctor", "", "--json", "--backend mujoco", "--backend isaac --quick --out out/isaac",
        "--device --engine engine.plan", "--device --backend openvino --quick",
    )  # fmt: skip
    tested = "test this simulator here, against answers known on paper; with --device: the engine, such as tensorrt"
    parser.add_argument("--backend", metavar="BACKEND", help=tested)
    parser.add_argument("--quick", action="store_true", help="less of what takes long; with --device: 300 frames")
    _engine_proof_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/doctor"), help="its report's folder (default: %(default)s)")
    _isaac_settings(parser)

    parser = commands.add("scene", "household 7", "tabletop 7 --split test --seed 3 --out out/scene", "my.usda --as-scene")
    parser.add_argument("suite", help=f"{_SUITES}, or an OpenUSD stage of your own")
    parser.add_argument("index", type=_whole(0), nargs="?", help="the scene's number in its suite, split and seed, from 0")
    parser.add_argument("--as-scene", action="store_true", help="read an OpenUSD stage of your own as a whole scene")
    _scene_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/scene"), help="folder to write into (default: %(default)s)")

    parser = commands.add(
        "catalogue", "out/catalogue.png", "cups.png --category cup --variants 8 --cell 240", "looks.png --looks",
        "--parameters cup",
    )  # fmt: skip
    parser.add_argument("out", type=Path, nargs="?", metavar="OUT.png", help="the picture to write")
    parser.add_argument("--category", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument(
        "--parameters", nargs="?", const="", metavar="CATEGORY",
        help="print what the shapes of a category (default: of all) are drawn from, as TOML for a suite's file",
    )  # fmt: skip
    parser.add_argument("--looks", action="store_true", help="draw the looks instead of the things")
    _draw_options(parser)
    parser.add_argument("--variants", type=_whole(1), default=4, help="pictures of each (default: %(default)s)")
    parser.add_argument("--cell", type=_whole(16), default=120, metavar="PX", help="side of a picture (default: %(default)s)")

    parser = commands.add("inspect", "out/data", "out/data --frames 24 --sheet sheet.png", "out/data --html out/pages")
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("--sheet", type=Path, help="the contact sheet's file (default: DATASET_sheet.png beside it)")
    parser.add_argument("--frames", type=_whole(1), default=12, help="frames on the sheet (default: %(default)s)")
    parser.add_argument("--rerun", type=Path, metavar="OUT.rrd", help="also write every frame as a Rerun recording")
    parser.add_argument("--html", type=Path, metavar="FOLDER", help="write a browser of all frames into this folder instead")
    _labels_option(parser)


def _add_making(commands: _Commands) -> None:
    parser = commands.add(
        "generate", "tabletop out/data --frames 240", "household out/test --frames 60 --split test --workers 2",
        "tabletop out/film --frames 90 --sequence 30 --rate 15 --motion both --annotators default,optical_flow_forward",
        "tabletop out/pairs --frames 12 --stereo 0.06 --annotators default,disparity",
        "tabletop out/isaac --frames 60 --backend isaac --isaac rt_subframes=32",
        "tabletop-clutter out/native --frames 300 --backend isaac --native 10 --randomise lights,materials",
        "tabletop out/parts/2 --frames 9000 --shard 2/3",
        "tabletop out/parts --frames 90000 --executor slurm-array --shards 64 --print-script",
    )
    parser.add_argument("suite", help=_SUITES)
    parser.add_argument("out", type=Path, help="folder of the data set; what is finished in it is kept")
    parser.add_argument("--frames", type=_whole(1), required=True, help="frames in total; three views of each scene")
    _scene_options(parser)
    parser.add_argument("--workers", type=_whole(1), help="processes (default: one per core)")
    parser.add_argument(
        "--annotators", type=_names, default=("default",), metavar="NAME,...",
        help="what to write, by Replicator's names, such as default,normals; or all (default: default)",
    )  # fmt: skip
    parser.add_argument("--sensor", default="ideal", metavar="PROFILE", help="a camera's name or FILE.toml (default: ideal)")
    parser.add_argument("--sequence", type=_whole(1), default=1, metavar="LENGTH", help="frames of each view (default: 1)")
    parser.add_argument("--rate", type=_positive, default=15.0, metavar="HZ", help="their rate (default: %(default)s)")
    parser.add_argument("--motion", choices=("camera", "objects", "both"), default="camera", help="(default: %(default)s)")
    parser.add_argument("--stereo", type=_positive, metavar="BASELINE_M", help="left and right eyes this far apart")
    parser.add_argument("--no-stages", action="store_true", help="leave out the OpenUSD stages, as training needs none")
    own = "use an OpenUSD file of your own as an object of that category (may be repeated)"
    parser.add_argument("--asset", action="append", default=[], metavar="FILE=CATEGORY", help=own)
    parser.add_argument("--target", type=Path, metavar="TOML", help="choose scenes towards this distribution of difficulty")
    _isaac_options(parser)
    parser.add_argument("--no-proof", action="store_true", help="do not check labels with the ray caster (5 ms a frame)")
    _scale_options(parser)

    parser = commands.add("agree", "tabletop --index 3 --backends mujoco,raycast --size 320x240", "out/data --frames 6")
    parser.add_argument("target", help="a suite's name, or the folder of a data set to compare with a fresh render")
    parser.add_argument("--index", type=_whole(0), default=0, help="the scene of a suite (default: %(default)s)")
    parser.add_argument("--frames", type=_whole(1), default=3, help="how many to compare (default: %(default)s)")
    parser.add_argument("--backends", type=lambda text: text.split(","), metavar="A,B", help="default: mujoco,raycast")
    _scene_options(parser, backend=False)
    parser.add_argument("--out", type=Path, default=Path("out/agree"), help="folder for pictures (default: %(default)s)")

    parser = commands.add("replay", "out/data 7", "tabletop-v1/test/seed0/000003/camera_0 --json")
    parser.add_argument("target", help="a data set's folder, or the name of a frame")
    parser.add_argument("frame", nargs="?", help="the frame's number or name in that data set")
    parser.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="of a frame by name (default: 640x480)")
    parser.add_argument("--backend", default="mujoco", help="for a frame by name (default: %(default)s)")

    parser = commands.add("merge", "parts/1 parts/2 parts/3 out/data", "out/parts/part-* out/data --link")
    parser.add_argument("parts", type=Path, nargs="+", metavar="PART", help="folders that generate --shard I/N wrote")
    parser.add_argument("out", type=Path, help="a new folder; nothing is overwritten")
    parser.add_argument("--link", action="store_true", help="hard links instead of copies, on one disk")


    parser = commands.add(
        "convert", "out/test out/coco --to coco", "out/test out/views --to basicwriter --render-products"
    )
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("out", type=Path, help="a new folder; nothing is overwritten")
    parser.add_argument("--to", required=True, help="basicwriter, bop, coco, hdf5, webdataset or yolo")
    parser.add_argument("--polygons", action="store_true", help="coco: polygons instead of exact run lengths")
    parser.add_argument("--render-products", action="store_true", help="basicwriter: one folder per camera, not flat")
    parser.add_argument("--shard-frames", type=_whole(1), metavar="N", help="webdataset: frames in a shard (default: 250)")
    _labels_option(parser)


def _add_learning(commands: _Commands) -> None:
    parser = commands.add("train", "out/train --out runs/first", "out/a out/b --val out/val --out runs/both --minutes 60")
    parser.add_argument("datasets", type=Path, nargs="+", metavar="DATASET", help="folders to train on")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run; resumed if it is there")
    parser.add_argument("--val", type=Path, metavar="DATASET", help="data set to validate on with the real metrics")
    parser.add_argument("--start", type=Path, metavar="CHECKPOINT", help="begin with the weights of this .safetensors file")
    parser.add_argument("--minutes", type=_positive, default=60.0, help="time budget (default: %(default)g)")
    parser.add_argument("--steps", type=_whole(1), help="step budget, whichever ends first (default: none)")
    parser.add_argument("--batch", type=_whole(2), default=8, help="images in a step (default: %(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="(default: %(default)s)")
    parser.add_argument("--threads", type=_whole(1), help="threads (default: one per core)")

    parser = commands.add(
        "export", "runs/first engine.onnx", "engine.onnx engine_f16.onnx --precision fp16",
        "engine.onnx engine_int8.onnx --precision int8 --calibrate out/calibration",
        "engine_f16.onnx engine.plan --format tensorrt",
    )  # fmt: skip
    parser.add_argument("run", type=Path, metavar="SOURCE", help="folder of a training run, or an engine file (.onnx)")
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write: .onnx, or .plan on the device that runs it")
    unseen = "measure the depth calibration, or int8 ranges, on these frames, unseen in training"
    parser.add_argument("--calibrate", type=Path, metavar="DATASET", help=unseen)
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), help="of an engine file (default: as it is)")
    parser.add_argument("--format", choices=("onnx", "tensorrt"), help="(default: by the name of OUT)")
    parser.add_argument("--dla-core", type=_whole(0), metavar="K", help="tensorrt: run what can be run on this DLA core")
    parser.add_argument("--level", type=_whole(0), default=3, help="tensorrt: 0..5, how long to search (default: 3)")
    parser.add_argument("--workspace", type=_whole(1), default=1024, metavar="MIB", help="tensorrt: (default: %(default)s)")
    parser.add_argument("--weights", type=Path, metavar="OUT.safetensors", help="also write what `train --start` reads")


def _add_judging(commands: _Commands) -> None:
    parser = commands.add("predict", "engine.onnx out/test out/predictions")
    _engine_argument(parser)
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("out", type=Path, help="folder for the predictions")

    parser = commands.add("score", "out/predictions out/test", "out/predictions out/test --by visible_fraction,size")
    parser.add_argument("predictions", type=Path, help="a folder that predict wrote")
    parser.add_argument("dataset", type=Path, help="the data set with the truth")
    by = "slice by visible_fraction, size, distance, clearance, contrast, truncation (several with commas)"
    parser.add_argument("--by", type=lambda text: text.split(","), metavar="QUANTITY", help=by)
    joined = "what joins segments over time in DVPQ: the rule of docs/metrics.md, or their ids (default: %(default)s)"
    parser.add_argument("--tracks", choices=("linked", "given"), default="linked", help=joined)
    _labels_option(parser)


def _add_rehearsing(commands: _Commands) -> None:
    parser = commands.add(
        "agent", "engine.onnx", "engine.onnx --bind tcp://127.0.0.1:6000 --threads 2", "--emulate p50=40ms,p99=45ms"
    )
    parser.add_argument("engine", type=Path, nargs="?", help="an engine file (.onnx, .plan); none with --emulate")
    _engine_options(parser)
    model = "emulate a device: p50=40ms,p99=45ms,stall=800ms/300, or recording=RUN.rhil; with an engine or without"
    parser.add_argument("--emulate", metavar="MODEL", help=model)
    parser.add_argument("--precision", default="auto", help="auto, f32 or bf16 (default: %(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="seed of the emulation (default: %(default)s)")
    parser.add_argument("--bind", default=DEFAULT_LINK, help="where to listen (default: %(default)s)")
    parser.add_argument("--sha256", metavar="HEX", help="open the engine only if its file has this digest")
    _keys_options(parser, "let in the hosts of this folder of keys, encrypted")
    hang = "restart the engine where a frame runs for longer (default: 2 s or 20 times the median frame, the longer)"
    parser.add_argument("--hang-after", type=_positive, metavar="S", help=hang)
    parser.add_argument("--in-process", action="store_true", help="run the engine in a thread, where nothing restarts it")

    _add_hil_parts(commands)
    _add_sweeps(commands)
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
    profiles = "look 20 s, quick 1 min, qualify 10 min, soak 4 h (default: %(default)s)"
    parser.add_argument("--profile", default="look", help=profiles)
    parser.add_argument("--runs", type=_whole(1), default=1, help="runs in fresh processes, judged together (default: 1)")
    taken = "the camera takes one of N frames of a clip (default: as many as its rate asks for)"
    parser.add_argument("--camera-every", type=_whole(1), metavar="N", help=taken)
    waits = "simulated time waits for an engine slower than real time; latency is then computed"
    parser.add_argument("--lockstep", action="store_true", help=waits)
    _profile_changes(parser)
    _clock_options(parser, duration_s=None)
    parser.add_argument("--mcap", action="store_true", help="write recording.mcap too, for Foxglove and Rerun")
    topics = "what it has of image,preview,depth,ids,boxes,truth,every, or all or none (default: all but every)"
    parser.add_argument("--mcap-topics", metavar="LIST", help=topics)
    _film_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/hil"), help="folder of the report (default: %(default)s)")

    parser = commands.add("demo", "", "--out out/mine --duration 60")
    parser.add_argument("--engine", type=Path, help="an engine file (default: the shipped one)")
    parser.add_argument("--frames", type=_whole(1), default=24, help="frames to generate (default: %(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="(default: %(default)s)")
    _engine_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder of everything (default: %(default)s)")
    _clock_options(parser)


def _add_hil_parts(commands: _Commands) -> None:
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
    parser.add_argument("--duration", type=_positive, metavar="S", help="stop after that time (default: when it is stopped)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="the same seed, the same faults (default: %(default)s)")

    parser = commands.add("hil rules", "", "--service p50=30ms,p99=60ms --rate 30")
    stall = "p50=40ms,p99=45ms,stall=800ms/300"
    parser.add_argument("--service", metavar="MODEL", default=stall, help="how long a frame takes (default: %(default)s)")
    parser.add_argument("--rate", type=_positive, default=15.0, help="frames per second (default: %(default)g)")
    parser.add_argument("--frames", type=_whole(1), default=9000, help="frames that are due (default: %(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="(default: %(default)s)")


def _film_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--live", action="store_true", help="render the suite in a process of its own while the clock runs")
    parser.add_argument("--ahead", type=_positive, metavar="S", help="live: seconds rendered before the clock (default: 2)")
    parser.add_argument("--clip", type=_positive, metavar="S", help="render so many seconds first and play them in a loop")
    parser.add_argument("--split", choices=("train", "val", "test"), help="of the rendered scenes (default: test)")
    parser.add_argument("--seed", type=_whole(0), help="of the rendered scenes (default: 0)")
    parser.add_argument("--size", type=_size, metavar="WxH", help="of the rendered frames (default: 640x480)")
    parser.add_argument("--sequence", type=_whole(1), metavar="LENGTH", help="rendered frames of each view (default: 30)")
    parser.add_argument("--motion", choices=("camera", "objects", "both"), help="what moves in them (default: both)")
    parser.add_argument("--sensor", metavar="PROFILE", help="the camera that is rendered (default: ideal)")
def _keys_options(parser: argparse.ArgumentParser, purpose: str) -> None:
    link = parser.add_mutually_exclusive_group()
    link.add_argument("--keys", type=Path, metavar="DIR", help=f"{purpose} (made by `rehearse agent keys`)")
    link.add_argument("--insecure", action="store_true", help="without keys: anyone in between can listen and answer")


def _add_sweeps(commands: _Commands) -> None:
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
    parser.add_argument("--rate", type=_positive, default=15.0, metavar="HZ", help="frames per second (default: %(default)g)")
    parser.add_argument("--lockstep", action="store_true", help="simulated time waits for the engines")
    _sweep_options(parser, Path("out/sweep-engines"))


def _sweep_options(parser: argparse.ArgumentParser, out: Path) -> None:
    parser.add_argument("--profile", default="look", help="the rules of every run (default: %(default)s)")
    parser.add_argument("--duration", type=_positive, metavar="S", help="seconds of every run (default: the profile's)")
    _profile_changes(parser)
    parser.add_argument("--out", type=Path, default=out, help="folder of all runs (default: %(default)s)")


def _profile_changes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--claim", type=_share, metavar="P", help="the P(on time) to show (default: the profile's)")
    parser.add_argument("--warm-up", type=_positive, metavar="S", help="its longest (default: the profile's)")


def _labels_option(parser: argparse.ArgumentParser) -> None:
    mapping = 'another tool\'s labels as our categories: a table [labels] with lines such as crate = "box"'
    parser.add_argument("--labels", type=Path, metavar="TOML", help=mapping)


def _draw_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", choices=("train", "val", "test"), default="train", help="(default: %(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="(default: %(default)s)")


def _scene_options(parser: argparse.ArgumentParser, *, backend: bool = True) -> None:
    _draw_options(parser)
    parser.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="image size (default: 640x480)")
    if backend:
        parser.add_argument("--backend", default="mujoco", help="the simulator (default: %(default)s)")


def _engine_proof_options(parser: argparse.ArgumentParser) -> None:
    prove = "prove an engine on this machine: it opens, agrees with float32, keeps time and memory"
    parser.add_argument("--device", action="store_true", help=prove)
    parser.add_argument("--engine", type=Path, help="device: a .onnx or .plan file (default: the shipped one)")
    reference = "device: the float32 file that it was made from (default: the file itself, or one beside it)"
    parser.add_argument("--reference", type=Path, metavar="ENGINE.onnx", help=reference)
    parser.add_argument("--dataset", type=Path, help="device: take images from this data set, not drawn ones")
    parser.add_argument("--frames", type=_whole(100), help="device: how many to run (default: 5000)")
    precisions = "device: f32 or bf16 (default: the engine's own choice)"
    parser.add_argument("--precision", choices=("auto", "f32", "bf16"), default="auto", help=precisions)
    parser.add_argument("--threads", type=_whole(1), help="device: threads of the engine (default: its own choice)")


def _isaac_settings(parser: argparse.ArgumentParser) -> None:
    setting = "isaac: a setting, such as rt_subframes=32, renderer=PathTracing or physics=physx (may be repeated)"
    parser.add_argument("--isaac", action="append", default=[], metavar="NAME=VALUE", help=setting)


def _isaac_options(parser: argparse.ArgumentParser) -> None:
    _isaac_settings(parser)
    native = "isaac: attach Isaac's own BasicWriter; so many variants of each scene, a folder per scene"
    parser.add_argument("--native", type=_whole(1), metavar="VARIANTS", help=native)
    varied = "isaac, native: lights, materials, scatter, cameras (several with commas), by the suite's file"
    parser.add_argument("--randomise", type=_names, default=(), metavar="WHAT,...", help=varied)


def _scale_options(parser: argparse.ArgumentParser) -> None:
    executors = ("process", "ray", "slurm-array")
    parser.add_argument("--executor", choices=executors, default="process", help="what runs the scenes (default: %(default)s)")
    parser.add_argument("--ray-address", metavar="ADDRESS", help="ray: an existing cluster, or auto (default: a local one)")
    parser.add_argument("--shard", metavar="I/N", help="make only part I of N; join the parts with merge")
    parser.add_argument("--shards", type=_whole(1), metavar="N", help="slurm-array: parts; OUT holds a folder of each")
    parser.add_argument("--print-script", action="store_true", help="slurm-array: print what to give to sbatch, and stop")
    parser.add_argument("--retries", type=_whole(0), default=2, help="more attempts at a failed scene (default: %(default)s)")
    parser.add_argument("--keep-going", action="store_true", help="leave out scenes that fail, see failures.jsonl")


def _engine_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("engine", type=Path, help="an engine file (.onnx, .plan)")
    _engine_options(parser)


def _engine_options(parser: argparse.ArgumentParser) -> None:
    names = "auto, openvino, onnxruntime, onnxruntime-cuda, onnxruntime-tensorrt or tensorrt[:NAME=VALUE,...] (default: auto)"
    parser.add_argument("--backend", default="auto", metavar="ENGINE", help=names)
    parser.add_argument("--threads", type=_whole(1), help="threads of the engine (default: its own choice)")


def _clock_options(parser: argparse.ArgumentParser, *, duration_s: float | None = 20.0) -> None:
    parser.add_argument("--rate", type=_positive, default=15.0, metavar="HZ", help="frames per second (default: %(default)s)")
    default = "the profile's" if duration_s is None else f"{duration_s:g}"
    parser.add_argument("--duration", type=_positive, default=duration_s, metavar="S", help=f"seconds (default: {default})")


def _share(text: str) -> float:
    value = _positive(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"expected a probability below 1 such as 0.99, got {text!r}")
    return value


def _whole(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
        return int(text)

    return parse


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 16):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT in pixels, such as 640x480, got {text!r}")
    return int(width), int(height)
