"""The front door: one command line, one thin function per command; nothing heavy is imported before it is needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.console import print_count, print_json, print_rows, print_summary, print_table, say

EXIT_OK, EXIT_FAILED_CHECK, EXIT_ERROR, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, 1 for a verdict of FAIL or INVALID, 2 for an error in one sentence, 130 for Ctrl-C."""
    arguments = build_parser().parse_args(argv)
    from scenes.errors import RehearseError

    try:
        return int(arguments.command(arguments))
    except RehearseError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("rehearse: stopped by the user; what was finished stays.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK


def doctor(arguments: argparse.Namespace) -> int:
    """Says what this machine can do, what is missing and how to get it."""
    from benchmarks.doctor import examine, format_table

    findings = examine()
    if arguments.json:
        print_json([finding.to_dict() for finding in findings])
    else:
        print(format_table(findings))
    return EXIT_OK if all(f.status == "ok" for f in findings if f.needed) else EXIT_FAILED_CHECK


def scene(arguments: argparse.Namespace) -> int:
    """Makes one scene: an OpenUSD stage and a preview picture."""
    from sim.preview import write_preview

    preview = write_preview(
        arguments.suite,
        arguments.index,
        split=arguments.split,
        seed=arguments.seed,
        size=arguments.size,
        out=arguments.out,
        backend=arguments.backend,
    )
    print_json(preview.to_dict()) if arguments.json else print(preview.describe())
    return EXIT_OK


def catalogue(arguments: argparse.Namespace) -> int:
    """Draws the catalogue: every category in several variants, or with --looks every look."""
    from sim.catalogue import write_catalogue, write_looks

    options = {"split": arguments.split, "seed": arguments.seed, "variants": arguments.variants, "cell_px": arguments.cell}
    if arguments.looks:
        sheet = write_looks(arguments.out, **options)
    else:
        sheet = write_catalogue(arguments.out, names=arguments.category, **options)
    print_json(sheet.to_dict()) if arguments.json else print(sheet.describe())
    return EXIT_OK


def inspect(arguments: argparse.Namespace) -> int:
    """Says what a data set holds and draws its contact sheet."""
    from sim.inspect import inspect_dataset

    sheet = arguments.sheet or arguments.dataset.with_name(arguments.dataset.name + "_sheet.png")
    statistics = inspect_dataset(arguments.dataset, sheet, frames=arguments.frames)
    print_json(statistics.to_dict()) if arguments.json else print_rows({**statistics.to_dict(), "contact sheet": sheet})
    return EXIT_OK


def generate(arguments: argparse.Namespace) -> int:
    """Makes a data set of frames with truth; goes on where a killed run stopped."""
    from sim.generate import GenerateSpec
    from sim.generate import generate as run

    spec = GenerateSpec(
        suite=arguments.suite,
        out=arguments.out,
        frames=arguments.frames,
        split=arguments.split,
        seed=arguments.seed,
        size=arguments.size,
        workers=arguments.workers,
        backend=arguments.backend,
        stages=not arguments.no_stages,
    )
    print_summary(run(spec).to_dict(), as_json=arguments.json)
    return EXIT_OK


def train(arguments: argparse.Namespace) -> int:
    """Trains the network on one or more data sets; goes on with a run that was stopped."""
    _need("torch", "Training", "train")
    from perception.train import TrainSpec
    from perception.train import train as run

    spec = TrainSpec(
        datasets=tuple(str(path) for path in arguments.datasets),
        val=str(arguments.val) if arguments.val else None,
        start=str(arguments.start) if arguments.start else None,
        steps=arguments.steps,
        max_minutes=arguments.minutes,
        batch=arguments.batch,
        seed=arguments.seed,
        threads=arguments.threads,
    )
    print_summary(run(spec, arguments.out).to_dict(), as_json=arguments.json)
    return EXIT_OK


def export(arguments: argparse.Namespace) -> int:
    """Writes the network of a training run as an ONNX engine file."""
    _need("torch", "Exporting", "train")
    from perception.export import export_run

    export_run(arguments.run, arguments.out)
    written = [arguments.out]
    if arguments.weights:
        from perception.checkpoint import FILE_NAME, load_checkpoint, save_checkpoint, weights_only

        save_checkpoint(weights_only(load_checkpoint(arguments.run / FILE_NAME)), arguments.weights)
        written.append(arguments.weights)
    for path in written:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return EXIT_OK


def predict(arguments: argparse.Namespace) -> int:
    """Runs an engine over a data set and writes COCO panoptic PNG + json and depth as npy."""
    from perception.predict import predict_dataset

    summary = predict_dataset(
        arguments.engine,
        arguments.dataset,
        arguments.out,
        backend=arguments.backend,
        threads=arguments.threads,
        progress=print_count,
    )
    print_summary(summary.to_dict(), as_json=arguments.json)
    return EXIT_OK


def score(arguments: argparse.Namespace) -> int:
    """Scores predictions on disk against a data set's truth."""
    from perception.scoring import score_folder

    scores = score_folder(arguments.predictions, arguments.dataset)
    if arguments.json:
        print_json(scores.to_dict())
        return EXIT_OK
    print(f"{scores.frame_count} frames of {scores.scene_count} scenes; value [95 % interval], n")
    print_table([(key, value, str(n)) for key, value, n in scores.rows()])
    print()
    print_table(scores.category_rows())
    return EXIT_OK


def agent(arguments: argparse.Namespace) -> int:
    """Serves an engine on a link until it is stopped."""
    from hil.agent import serve

    serve(
        arguments.engine,
        bind=arguments.bind,
        backend=arguments.backend,
        threads=arguments.threads,
        insecure=arguments.insecure,
    )
    return EXIT_OK


def hil(arguments: argparse.Namespace) -> int:
    """Streams a data set to an agent on the clock; scores quality and latency together. Exits with 1 unless it passes."""
    from benchmarks.rehearsal import rehearse_device

    rehearsal = rehearse_device(
        arguments.dataset,
        arguments.device,
        rate_hz=arguments.rate,
        duration_s=arguments.duration,
        out=arguments.out,
        say=say,
    )
    print_json(rehearsal.to_dict()) if arguments.json else print(rehearsal.describe())
    return EXIT_OK if rehearsal.passed else EXIT_FAILED_CHECK


def demo(arguments: argparse.Namespace) -> int:
    """Goes from a seed to a report: scenes, frames, agent, stream, scores, verdict. Exits with 0 whatever the verdict."""
    from benchmarks.demo import DemoSpec, run_demo

    spec = DemoSpec(
        engine=arguments.engine,
        out=arguments.out,
        frames=arguments.frames,
        seed=arguments.seed,
        rate_hz=arguments.rate,
        duration_s=arguments.duration,
        backend=arguments.backend,
        threads=arguments.threads,
    )
    rehearsal = run_demo(spec, say=say)
    print_json(rehearsal.to_dict()) if arguments.json else print(rehearsal.describe())
    return EXIT_OK


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole grammar; no I/O."""
    parser = argparse.ArgumentParser(
        prog="rehearse",
        description="Rehearse a robot's perception before the hardware has to do it for real.",
        epilog="Every command explains itself: rehearse generate --help. Start with: rehearse doctor; rehearse demo.",
        formatter_class=_Wide,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_add_looking, _add_making, _add_learning, _add_judging, _add_rehearsing):
        add(commands)
    return parser


class _Wide(argparse.HelpFormatter):
    """Leaves room for the longest command: argparse forgets that the list of commands is indented."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 14


Commands = argparse._SubParsersAction  # noqa: SLF001  # argparse gives the type no public name


def _command(commands: Commands[Any], run: Callable[[argparse.Namespace], int], *examples: str) -> argparse.ArgumentParser:
    summary = (run.__doc__ or "").strip()
    parser: argparse.ArgumentParser = commands.add_parser(
        run.__name__,
        help=summary.partition(". ")[0].rstrip("."),
        description=summary,
        epilog="examples:\n" + "\n".join(f"  rehearse {run.__name__} {example}".rstrip() for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print figures as JSON on stdout")
    parser.set_defaults(command=run)
    return parser


def _add_looking(commands: Commands[Any]) -> None:
    _command(commands, doctor, "", "--json")

    parser = _command(commands, scene, "tabletop 7", "tabletop 7 --split test --seed 3 --out out/scene")
    parser.add_argument("suite", help="the suite's name, such as tabletop")
    parser.add_argument("index", type=_whole(0), help="the scene's number in its suite, split and seed, from 0")
    _scene_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/scene"), help="folder to write into (default: %(default)s)")

    parser = _command(
        commands, catalogue, "out/catalogue.png", "cups.png --category cup --variants 8 --cell 240", "looks.png --looks"
    )
    parser.add_argument("out", type=Path, metavar="OUT.png", help="the picture to write")
    parser.add_argument("--category", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--looks", action="store_true", help="draw the looks instead of the things")
    _draw_options(parser)
    parser.add_argument("--variants", type=_whole(1), default=4, help="pictures of each (default: %(default)s)")
    parser.add_argument("--cell", type=_whole(16), default=120, metavar="PX", help="side of a picture (default: %(default)s)")

    parser = _command(commands, inspect, "out/data", "out/data --frames 24 --sheet sheet.png", "out/data --json")
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("--sheet", type=Path, help="the contact sheet's file (default: DATASET_sheet.png beside it)")
    parser.add_argument("--frames", type=_whole(1), default=12, help="frames on the sheet (default: %(default)s)")


def _add_making(commands: Commands[Any]) -> None:
    parser = _command(
        commands, generate, "tabletop out/data --frames 240", "tabletop out/test --frames 60 --split test --workers 2"
    )
    parser.add_argument("suite", help="the suite's name, such as tabletop")
    parser.add_argument("out", type=Path, help="folder of the data set; what is finished in it is kept")
    parser.add_argument("--frames", type=_whole(1), required=True, help="frames in total; three views of each scene")
    _scene_options(parser)
    parser.add_argument("--workers", type=_whole(1), help="processes (default: one per core)")
    parser.add_argument("--no-stages", action="store_true", help="leave out the OpenUSD stages, as training needs none")


def _add_learning(commands: Commands[Any]) -> None:
    parser = _command(commands, train, "out/train --out runs/first", "out/a out/b --val out/val --out runs/both --minutes 60")
    parser.add_argument("datasets", type=Path, nargs="+", metavar="DATASET", help="folders to train on")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run; resumed if it is there")
    parser.add_argument("--val", type=Path, metavar="DATASET", help="data set to validate on with the real metrics")
    parser.add_argument("--start", type=Path, metavar="CHECKPOINT", help="begin with the weights of this .safetensors file")
    parser.add_argument("--minutes", type=_positive, default=60.0, help="time budget (default: %(default)g)")
    parser.add_argument("--steps", type=_whole(1), help="step budget, whichever ends first (default: none)")
    parser.add_argument("--batch", type=_whole(2), default=8, help="images in a step (default: %(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="(default: %(default)s)")
    parser.add_argument("--threads", type=_whole(1), help="threads (default: one per core)")

    parser = _command(commands, export, "runs/first engine.onnx")
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a training run")
    parser.add_argument("out", type=Path, metavar="OUT.onnx", help="the engine file to write")
    parser.add_argument("--weights", type=Path, metavar="OUT.safetensors", help="also write what `train --start` reads")


def _add_judging(commands: Commands[Any]) -> None:
    parser = _command(commands, predict, "engine.onnx out/test out/predictions")
    _engine_argument(parser)
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("out", type=Path, help="folder for the predictions")

    parser = _command(commands, score, "out/predictions out/test", "out/predictions out/test --json")
    parser.add_argument("predictions", type=Path, help="a folder that predict wrote")
    parser.add_argument("dataset", type=Path, help="the data set with the truth")


def _add_rehearsing(commands: Commands[Any]) -> None:
    parser = _command(commands, agent, "engine.onnx", "engine.onnx --bind tcp://127.0.0.1:6000 --threads 2")
    _engine_argument(parser)
    parser.add_argument("--bind", default=DEFAULT_LINK, help="where to listen (default: %(default)s)")
    parser.add_argument("--insecure", action="store_true", help="allow an address that other machines can reach")

    parser = _command(commands, hil, "out/test --device tcp://127.0.0.1:5555 --rate 15 --duration 20", "out/test --json")
    parser.add_argument("dataset", type=Path, help="the frames to stream, with their truth")
    parser.add_argument("--device", default=DEFAULT_LINK, help="where the agent listens (default: %(default)s)")
    _clock_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/hil"), help="folder of the report (default: %(default)s)")

    parser = _command(commands, demo, "", "--out out/mine --duration 60")
    parser.add_argument("--engine", type=Path, help="an engine file (default: the shipped one)")
    parser.add_argument("--frames", type=_whole(1), default=24, help="frames to generate (default: %(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="(default: %(default)s)")
    _engine_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder of everything (default: %(default)s)")
    _clock_options(parser)


DEFAULT_LINK = "tcp://127.0.0.1:5555"


def _draw_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", choices=("train", "val", "test"), default="train", help="(default: %(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="(default: %(default)s)")


def _scene_options(parser: argparse.ArgumentParser) -> None:
    _draw_options(parser)
    parser.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="image size (default: 640x480)")
    parser.add_argument("--backend", default="mujoco", help="the simulator (default: %(default)s)")


def _engine_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("engine", type=Path, help="an engine file (.onnx)")
    _engine_options(parser)


def _engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", default="auto", help="auto, openvino or onnxruntime (default: %(default)s)")
    parser.add_argument("--threads", type=_whole(1), help="threads of the engine (default: its own choice)")


def _clock_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=_positive, default=15.0, metavar="HZ", help="frames per second (default: %(default)s)")
    parser.add_argument("--duration", type=_positive, default=20.0, metavar="S", help="seconds (default: %(default)s)")


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


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 16):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT in pixels, such as 640x480, got {text!r}")
    return int(width), int(height)


def _need(module: str, what: str, extra: str) -> None:
    from importlib.util import find_spec

    from scenes.errors import RehearseError

    if find_spec(module) is None:
        raise RehearseError(f"{what} needs {module}, which is not installed; get it with: pip install -e '.[{extra}]'.")


if __name__ == "__main__":
    sys.exit(main())
