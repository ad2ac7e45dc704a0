"""Commands that train, export, run and score a network."""

from __future__ import annotations

from pathlib import Path

from benchmarks.grammar.command import Commands
from benchmarks.grammar.kinds import positive, whole
from benchmarks.grammar.shared import engine_argument, labels_option


def add_learning(commands: Commands) -> None:
    """Adds train and export."""
    parser = commands.add("train", "out/train --out runs/first", "out/a out/b --val out/val --out runs/both --minutes 60")
    parser.add_argument("datasets", type=Path, nargs="+", metavar="DATASET", help="folders to train on")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run; resumed if it is there")
    parser.add_argument("--val", type=Path, metavar="DATASET", help="data set to validate on with the real metrics")
    parser.add_argument("--start", type=Path, metavar="CHECKPOINT", help="begin with the weights of this .safetensors file")
    parser.add_argument("--minutes", type=positive, default=60.0, help="time budget (default: %(default)g)")
    parser.add_argument("--steps", type=whole(1), help="step budget, whichever ends first (default: none)")
    parser.add_argument("--batch", type=whole(2), default=8, help="images in a step (default: %(default)s)")
    parser.add_argument("--seed", type=whole(0), default=0, help="(default: %(default)s)")
    parser.add_argument("--threads", type=whole(1), help="threads (default: one per core)")

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
    parser.add_argument("--dla-core", type=whole(0), metavar="K", help="tensorrt: run what can be run on this DLA core")
    parser.add_argument("--level", type=whole(0), default=3, help="tensorrt: 0..5, how long to search (default: 3)")
    parser.add_argument("--workspace", type=whole(1), default=1024, metavar="MIB", help="tensorrt: (default: %(default)s)")
    parser.add_argument("--weights", type=Path, metavar="OUT.safetensors", help="also write what `train --start` reads")


def add_judging(commands: Commands) -> None:
    """Adds predict and score."""
    parser = commands.add("predict", "engine.onnx out/test out/predictions")
    engine_argument(parser)
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("out", type=Path, help="folder for the predictions")

    parser = commands.add("score", "out/predictions out/test", "out/predictions out/test --by visible_fraction,size")
    parser.add_argument("predictions", type=Path, help="a folder that predict wrote")
    parser.add_argument("dataset", type=Path, help="the data set with the truth")
    by = "slice by visible_fraction, size, distance, clearance, contrast, truncation (several with commas)"
    parser.add_argument("--by", type=lambda text: text.split(","), metavar="QUANTITY", help=by)
    joined = "what joins segments over time in DVPQ: the rule of docs/metrics.md, or their ids (default: %(default)s)"
    parser.add_argument("--tracks", choices=("linked", "given"), default="linked", help=joined)
    labels_option(parser)
