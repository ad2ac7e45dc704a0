"""A network is trained, exported, run over a data set and scored."""

from __future__ import annotations

import argparse

from benchmarks.commands.datasets import say_absent
from benchmarks.commands.exits import EXIT_OK
from benchmarks.console import print_count, print_json, print_summary, print_table, say
from scenes.errors import RehearseError


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
    """Writes a training run as an ONNX engine file; or an engine file in another precision or as a TensorRT plan."""
    if arguments.run.is_file() and arguments.run.suffix == ".onnx":
        from benchmarks.commands.engines import export_engine

        return export_engine(arguments)
    if arguments.precision or arguments.format == "tensorrt":
        raise RehearseError("--precision and --format tensorrt take an engine file: export the run to .onnx first, then that.")
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
    from sim.dataset import Dataset

    unknown = Dataset.open(arguments.dataset).absent.get("cameras")
    if unknown:
        say(f"note: cameras: {unknown}: depth and 3D boxes are predicted as of a camera 53 degrees wide")
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

    labels = arguments.labels
    say_absent(arguments.dataset, labels)
    scores = score_folder(arguments.predictions, arguments.dataset, labels=labels, tracks=arguments.tracks)
    slices = slice_folder(arguments.predictions, arguments.dataset, arguments.by, labels=labels) if arguments.by else ()
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


def _need(module: str, what: str, extra: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise RehearseError(f"{what} needs {module}, which is not installed; get it with: pip install -e '.[{extra}]'.")
