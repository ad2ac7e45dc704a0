"""The front door: one command line, one thin function per command; nothing heavy is imported before it is needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.console import print_count, print_json, print_rows, print_summary, print_table, say

if TYPE_CHECKING:
    from sim.run_plan import RunPlan

EXIT_OK, EXIT_FAILED_CHECK, EXIT_ERROR, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, 1 for a verdict of FAIL or INVALID, 2 for an error in one sentence, 130 for Ctrl-C."""
    arguments = build_parser().parse_args(argv)
    arguments.words = list(sys.argv[1:] if argv is None else argv)
    from scenes.errors import RehearseError

    try:
        status = int(arguments.command(arguments))
        sys.stdout.flush()  # here, where a reader that went away is no error, not when Python ends
        return status
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
    from sim.preview import write_preview, write_stage_preview

    if arguments.as_scene or arguments.index is None:
        stage = Path(arguments.suite)
        seen, notes = write_stage_preview(stage, size=arguments.size, out=arguments.out, backend=arguments.backend)
        print_json({**seen.to_dict(), "notes": notes}) if arguments.json else print("\n  note: ".join([seen.describe(), *notes]))
        return EXIT_OK
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
    """Says what a data set holds and draws its contact sheet; or writes it as a Rerun recording or as pages to browse."""
    from sim.inspect import inspect_dataset

    if arguments.html:
        from sim.browser import write_browser

        print_summary(write_browser(arguments.dataset, arguments.html, progress=True).to_dict(), as_json=arguments.json)
        return EXIT_OK
    sheet = arguments.sheet or arguments.dataset.with_name(arguments.dataset.name + "_sheet.png")
    _say_absent(arguments.dataset)
    statistics = inspect_dataset(arguments.dataset, sheet, frames=arguments.frames)
    rows = {**statistics.to_dict(), "contact sheet": sheet}
    if arguments.rerun:
        from sim.rerun_recording import write_recording

        write_recording(arguments.dataset, arguments.rerun, progress=print_count)
        rows["recording"] = arguments.rerun
    print_json(statistics.to_dict()) if arguments.json else print_rows(rows)
    return EXIT_OK


def generate(arguments: argparse.Namespace) -> int:
    """Makes a data set of frames with truth; goes on where a killed run stopped."""
    from scenes.assets import AssetUse
    from sim.capture import Capture
    from sim.generate import GenerateSpec
    from sim.generate import generate as run
    from sim.sensors.library import load_profile
    from sim.target import read_target

    plan, out = _run_plan(arguments)
    if arguments.print_script:
        return _print_script(arguments)
    spec = GenerateSpec(
        suite=arguments.suite,
        out=out,
        frames=arguments.frames,
        split=arguments.split,
        seed=arguments.seed,
        size=arguments.size,
        workers=arguments.workers,
        backend=arguments.backend,
        stages=not arguments.no_stages,
        capture=Capture(
            annotators=arguments.annotators,
            sequence=arguments.sequence,
            rate_hz=arguments.rate,
            motion=arguments.motion,
            stereo_m=arguments.stereo,
        ),
        proof=not arguments.no_proof,
        sensor=load_profile(arguments.sensor),
        target=read_target(arguments.target) if arguments.target else None,
        assets=tuple(AssetUse.parse(text) for text in arguments.asset),
    )
    summary = run(spec, plan=plan)
    values = summary.to_dict()
    if not arguments.json:
        del values["target"]
        values |= {"proof": str(summary.proof)} | {f"target {r.figure}": str(r) for r in summary.target}
    print_summary(values, as_json=arguments.json)
    return EXIT_OK


def _run_plan(arguments: argparse.Namespace) -> tuple[RunPlan, Path]:
    """Returns how to make the scenes, and where: a task of a Slurm array makes the part of its number, in its own folder."""
    from scenes.errors import RehearseError
    from sim.run_plan import RunPlan, Shard

    on_slurm, out = arguments.executor == "slurm-array", arguments.out
    shard = Shard.parse(arguments.shard) if arguments.shard else None
    if on_slurm != (arguments.shards is not None) or (on_slurm and shard) or (arguments.print_script and not on_slurm):
        raise RehearseError(
            "--shards N and --print-script belong to --executor slurm-array, which needs --shards and takes no --shard."
        )
    if on_slurm and not arguments.print_script:
        from sim.slurm import shard_of_task

        shard = shard_of_task(os.environ, arguments.shards)
        out = out / shard.folder_name
    plan = RunPlan(
        executor=arguments.executor,
        ray_address=arguments.ray_address,
        shard=shard,
        retries=arguments.retries,
        keep_going=arguments.keep_going,
    )
    return plan, out


def _print_script(arguments: argparse.Namespace) -> int:
    from sim.slurm import array_script

    words = [word for word in arguments.words if not (len(word) > 3 and "--print-script".startswith(word))]
    workers = arguments.workers or 1
    words += [] if arguments.workers else ["--workers", "1"]
    name = f"rehearse-{arguments.suite}"
    print(array_script(words, out=arguments.out, parts=arguments.shards, workers=workers, name=name), end="")
    return EXIT_OK


def merge(arguments: argparse.Namespace) -> int:
    """Joins the parts that generate --shard wrote into one data set, the same bytes as a single run."""
    from sim.merge import merge as run

    print_summary(run(arguments.parts, arguments.out, link=arguments.link).to_dict(), as_json=arguments.json)
    return EXIT_OK


def convert(arguments: argparse.Namespace) -> int:
    """Writes a data set in another format: COCO, BOP, YOLO, WebDataset, or one folder per camera."""
    from sim.convert import ConvertSpec
    from sim.convert import convert as run

    spec = ConvertSpec(
        dataset=arguments.dataset,
        out=arguments.out,
        to=arguments.to,
        polygons=arguments.polygons,
        render_products=arguments.render_products,
        shard_frames=arguments.shard_frames,
    )
    print_summary(run(spec).to_dict(), as_json=arguments.json)
    return EXIT_OK


def agree(arguments: argparse.Namespace) -> int:
    """Compares two backends on one scene, or a data set with a fresh render. Exits with 1 where they differ."""
    from scenes.suites import SUITES
    from sim.agree import agree_backends, agree_dataset
    from sim.frame_id import FrameId

    if arguments.target in SUITES:
        version = SUITES[arguments.target].version
        scene_id = FrameId(
            suite=arguments.target, version=version, split=arguments.split, seed=arguments.seed, index=arguments.index
        )
        backends = arguments.backends or ["mujoco", "raycast"]
        backends = backends * 2 if len(backends) == 1 else backends
        report = agree_backends(scene_id, backends, views=arguments.frames, size=arguments.size, out=arguments.out)
    else:
        fresh = arguments.backends[-1] if arguments.backends else None
        report = agree_dataset(Path(arguments.target), frames=arguments.frames, backend=fresh, out=arguments.out)
    if arguments.json:
        print_json(report.to_dict())
        return EXIT_OK if report.agrees else EXIT_FAILED_CHECK
    print(report.describe())
    for frame in report.frames:
        if frame.complaints():
            print_table(frame.table())
    return EXIT_OK if report.agrees else EXIT_FAILED_CHECK


def replay(arguments: argparse.Namespace) -> int:
    """Makes one frame again and says whether it is the same. Exits with 1 where a field differs."""
    from sim.replay import replay_dataset, replay_id

    if arguments.frame is not None:
        found, more = replay_dataset(Path(arguments.target), arguments.frame), {}
    else:
        found, digests = replay_id(arguments.target, size=arguments.size, backend=arguments.backend)
        more = {"digests": digests}
    print_json({**found.to_dict(), **more}) if arguments.json else print(found.describe())
    return EXIT_OK if found.verdict == "match" else EXIT_FAILED_CHECK


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

    export_run(arguments.run, arguments.out, calibrate_on=arguments.calibrate, progress=print_count)
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
    from perception.scoring import score_folder, slice_folder

    _say_absent(arguments.dataset)
    scores = score_folder(arguments.predictions, arguments.dataset)
    slices = slice_folder(arguments.predictions, arguments.dataset, arguments.by) if arguments.by else ()
    if arguments.json:
        print_json(scores.to_dict() | ({"slices": [s.to_dict() for s in slices]} if slices else {}))
        return EXIT_OK
    print(f"{scores.frame_count} frames of {scores.scene_count} scenes; value [95 % interval], n")
    print_table([(key, value, str(n)) for key, value, n in scores.rows()])
    print()
    print_table(scores.category_rows())
    for table in slices:
        print()
        print_table(table.rows())
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


def _say_absent(dataset: Path) -> None:
    """Says what a data set of another tool does not have; nothing for one of ours."""
    from sim.dataset import Dataset

    for what, reason in Dataset.open(dataset).absent.items():
        say(f"not available: {what}: {reason}")


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

    parser = _command(commands, scene, "household 7", "tabletop 7 --split test --seed 3 --out out/scene", "my.usda --as-scene")
    parser.add_argument("suite", help=f"{_SUITES}, or an OpenUSD stage of your own")
    parser.add_argument("index", type=_whole(0), nargs="?", help="the scene's number in its suite, split and seed, from 0")
    parser.add_argument("--as-scene", action="store_true", help="read an OpenUSD stage of your own as a whole scene")
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

    parser = _command(commands, inspect, "out/data", "out/data --frames 24 --sheet sheet.png", "out/data --html out/pages")
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("--sheet", type=Path, help="the contact sheet's file (default: DATASET_sheet.png beside it)")
    parser.add_argument("--frames", type=_whole(1), default=12, help="frames on the sheet (default: %(default)s)")
    parser.add_argument("--rerun", type=Path, metavar="OUT.rrd", help="also write every frame as a Rerun recording")
    parser.add_argument("--html", type=Path, metavar="FOLDER", help="write a browser of all frames into this folder instead")


def _add_making(commands: Commands[Any]) -> None:
    parser = _command(
        commands, generate, "tabletop out/data --frames 240", "household out/test --frames 60 --split test --workers 2",
        "tabletop out/film --frames 90 --sequence 30 --rate 15 --motion both --annotators default,optical_flow_forward",
        "tabletop out/pairs --frames 12 --stereo 0.06 --annotators default,disparity",
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
    parser.add_argument("--no-proof", action="store_true", help="do not check labels with the ray caster (5 ms a frame)")
    _scale_options(parser)

    parser = _command(commands, agree, "tabletop --index 3 --backends mujoco,raycast --size 320x240", "out/data --frames 6")
    parser.add_argument("target", help="a suite's name, or the folder of a data set to compare with a fresh render")
    parser.add_argument("--index", type=_whole(0), default=0, help="the scene of a suite (default: %(default)s)")
    parser.add_argument("--frames", type=_whole(1), default=3, help="how many to compare (default: %(default)s)")
    parser.add_argument("--backends", type=lambda text: text.split(","), metavar="A,B", help="default: mujoco,raycast")
    _scene_options(parser, backend=False)
    parser.add_argument("--out", type=Path, default=Path("out/agree"), help="folder for pictures (default: %(default)s)")

    parser = _command(commands, replay, "out/data 7", "tabletop-v1/test/seed0/000003/camera_0 --json")
    parser.add_argument("target", help="a data set's folder, or the name of a frame")
    parser.add_argument("frame", nargs="?", help="the frame's number or name in that data set")
    parser.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="of a frame by name (default: 640x480)")
    parser.add_argument("--backend", default="mujoco", help="for a frame by name (default: %(default)s)")

    parser = _command(commands, merge, "parts/1 parts/2 parts/3 out/data", "out/parts/part-* out/data --link")
    parser.add_argument("parts", type=Path, nargs="+", metavar="PART", help="folders that generate --shard I/N wrote")
    parser.add_argument("out", type=Path, help="a new folder; nothing is overwritten")
    parser.add_argument("--link", action="store_true", help="hard links instead of copies, on one disk")


    parser = _command(
        commands, convert, "out/test out/coco --to coco", "out/test out/views --to basicwriter --render-products"
    )
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("out", type=Path, help="a new folder; nothing is overwritten")
    parser.add_argument("--to", required=True, help="basicwriter, bop, coco, webdataset or yolo")
    parser.add_argument("--polygons", action="store_true", help="coco: polygons instead of exact run lengths")
    parser.add_argument("--render-products", action="store_true", help="basicwriter: one folder per camera, not flat")
    parser.add_argument("--shard-frames", type=_whole(1), metavar="N", help="webdataset: frames in a shard (default: 250)")


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
    parser.add_argument(
        "--calibrate", type=Path, metavar="DATASET", help="measure the depth calibration on these frames, unseen in training"
    )
    parser.add_argument("--weights", type=Path, metavar="OUT.safetensors", help="also write what `train --start` reads")


def _add_judging(commands: Commands[Any]) -> None:
    parser = _command(commands, predict, "engine.onnx out/test out/predictions")
    _engine_argument(parser)
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("out", type=Path, help="folder for the predictions")

    parser = _command(commands, score, "out/predictions out/test", "out/predictions out/test --by visible_fraction,size")
    parser.add_argument("predictions", type=Path, help="a folder that predict wrote")
    parser.add_argument("dataset", type=Path, help="the data set with the truth")
    by = "slice by visible_fraction, size, distance, clearance, contrast, truncation (several with commas)"
    parser.add_argument("--by", type=lambda text: text.split(","), metavar="QUANTITY", help=by)


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
_SUITES = "tabletop, tabletop-clutter, household, or the path of a suite's .toml file"


def _draw_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", choices=("train", "val", "test"), default="train", help="(default: %(default)s)")
    parser.add_argument("--seed", type=_whole(0), default=0, help="(default: %(default)s)")


def _scene_options(parser: argparse.ArgumentParser, *, backend: bool = True) -> None:
    _draw_options(parser)
    parser.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="image size (default: 640x480)")
    if backend:
        parser.add_argument("--backend", default="mujoco", help="the simulator (default: %(default)s)")


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


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


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
