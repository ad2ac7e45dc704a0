"""Commands that look at scenes and make data sets."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.grammar.command import Commands
from benchmarks.grammar.kinds import names, positive, size, whole
from benchmarks.grammar.shared import SUITES, draw_options, isaac_settings, labels_option, scene_options


def add_looking(commands: Commands) -> None:
    """Adds doctor, scene, catalogue and inspect."""
    parser = commands.add(
        "doctor", "", "--json", "--backend mujoco", "--backend isaac --quick --out out/isaac",
        "--device --engine engine.plan", "--device --backend openvino --quick",
    )  # fmt: skip
    tested = "test this simulator here, against answers known on paper; with --device: the engine, such as tensorrt"
    parser.add_argument("--backend", metavar="BACKEND", help=tested)
    parser.add_argument("--quick", action="store_true", help="less of what takes long; with --device: 300 frames")
    _engine_proof_options(parser)
    parser.add_argument("--out", type=Path, default=Path("out/doctor"), help="its report's folder (default: %(default)s)")
    isaac_settings(parser)

    parser = commands.add("scene", "household 7", "tabletop 7 --split test --seed 3 --out out/scene", "my.usda --as-scene")
    parser.add_argument("suite", help=f"{SUITES}, or an OpenUSD stage of your own")
    parser.add_argument("index", type=whole(0), nargs="?", help="the scene's number in its suite, split and seed, from 0")
    parser.add_argument("--as-scene", action="store_true", help="read an OpenUSD stage of your own as a whole scene")
    scene_options(parser)
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
    draw_options(parser)
    parser.add_argument("--variants", type=whole(1), default=4, help="pictures of each (default: %(default)s)")
    parser.add_argument("--cell", type=whole(16), default=120, metavar="PX", help="side of a picture (default: %(default)s)")

    parser = commands.add("inspect", "out/data", "out/data --frames 24 --sheet sheet.png", "out/data --html out/pages")
    parser.add_argument("dataset", type=Path, help="a data set's folder")
    parser.add_argument("--sheet", type=Path, help="the contact sheet's file (default: DATASET_sheet.png beside it)")
    parser.add_argument("--frames", type=whole(1), default=12, help="frames on the sheet (default: %(default)s)")
    parser.add_argument("--rerun", type=Path, metavar="OUT.rrd", help="also write every frame as a Rerun recording")
    parser.add_argument("--html", type=Path, metavar="FOLDER", help="write a browser of all frames into this folder instead")
    labels_option(parser)


def add_making(commands: Commands) -> None:
    """Adds what makes, joins, converts and compares data sets."""
    parser = commands.add(
        "generate", "tabletop out/data --frames 240", "household out/test --frames 60 --split test --workers 2",
        "tabletop out/film --frames 90 --sequence 30 --rate 15 --motion both --annotators default,optical_flow_forward",
        "tabletop out/pairs --frames 12 --stereo 0.06 --annotators default,disparity",
        "tabletop out/isaac --frames 60 --backend isaac --isaac rt_subframes=32",
        "tabletop-clutter out/native --frames 300 --backend isaac --native 10 --randomise lights,materials",
        "tabletop out/parts/2 --frames 9000 --shard 2/3",
        "tabletop out/parts --frames 90000 --executor slurm-array --shards 64 --print-script",
    )
    parser.add_argument("suite", help=SUITES)
    parser.add_argument("out", type=Path, help="folder of the data set; what is finished in it is kept")
    parser.add_argument("--frames", type=whole(1), required=True, help="frames in total; three views of each scene")
    scene_options(parser)
    parser.add_argument("--workers", type=whole(1), help="processes (default: one per core)")
    parser.add_argument(
        "--annotators", type=names, default=("default",), metavar="NAME,...",
        help="what to write, by Replicator's names, such as default,normals; or all (default: default)",
    )  # fmt: skip
    parser.add_argument("--sensor", default="ideal", metavar="PROFILE", help="a camera's name or FILE.toml (default: ideal)")
    parser.add_argument("--sequence", type=whole(1), default=1, metavar="LENGTH", help="frames of each view (default: 1)")
    parser.add_argument("--rate", type=positive, default=15.0, metavar="HZ", help="their rate (default: %(default)s)")
    parser.add_argument("--motion", choices=("camera", "objects", "both"), default="camera", help="(default: %(default)s)")
    parser.add_argument("--stereo", type=positive, metavar="BASELINE_M", help="left and right eyes this far apart")
    parser.add_argument("--no-stages", action="store_true", help="leave out the OpenUSD stages, as training needs none")
    own = "use an OpenUSD file of your own as an object of that category (may be repeated)"
    parser.add_argument("--asset", action="append", default=[], metavar="FILE=CATEGORY", help=own)
    parser.add_argument("--target", type=Path, metavar="TOML", help="choose scenes towards this distribution of difficulty")
    _isaac_options(parser)
    parser.add_argument("--no-proof", action="store_true", help="do not check labels with the ray caster (5 ms a frame)")
    _scale_options(parser)

    parser = commands.add("agree", "tabletop --index 3 --backends mujoco,raycast --size 320x240", "out/data --frames 6")
    parser.add_argument("target", help="a suite's name, or the folder of a data set to compare with a fresh render")
    parser.add_argument("--index", type=whole(0), default=0, help="the scene of a suite (default: %(default)s)")
    parser.add_argument("--frames", type=whole(1), default=3, help="how many to compare (default: %(default)s)")
    parser.add_argument("--backends", type=lambda text: text.split(","), metavar="A,B", help="default: mujoco,raycast")
    scene_options(parser, backend=False)
    parser.add_argument("--out", type=Path, default=Path("out/agree"), help="folder for pictures (default: %(default)s)")

    parser = commands.add("replay", "out/data 7", "tabletop-v1/test/seed0/000003/camera_0 --json")
    parser.add_argument("target", help="a data set's folder, or the name of a frame")
    parser.add_argument("frame", nargs="?", help="the frame's number or name in that data set")
    parser.add_argument("--size", type=size, default=(640, 480), metavar="WxH", help="of a frame by name (default: 640x480)")
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
    parser.add_argument("--shard-frames", type=whole(1), metavar="N", help="webdataset: frames in a shard (default: 250)")
    labels_option(parser)


def _isaac_options(parser: argparse.ArgumentParser) -> None:
    isaac_settings(parser)
    native = "isaac: attach Isaac's own BasicWriter; so many variants of each scene, a folder per scene"
    parser.add_argument("--native", type=whole(1), metavar="VARIANTS", help=native)
    varied = "isaac, native: lights, materials, scatter, cameras (several with commas), by the suite's file"
    parser.add_argument("--randomise", type=names, default=(), metavar="WHAT,...", help=varied)


def _scale_options(parser: argparse.ArgumentParser) -> None:
    executors = ("process", "ray", "slurm-array")
    parser.add_argument("--executor", choices=executors, default="process", help="what runs the scenes (default: %(default)s)")
    parser.add_argument("--ray-address", metavar="ADDRESS", help="ray: an existing cluster, or auto (default: a local one)")
    parser.add_argument("--shard", metavar="I/N", help="make only part I of N; join the parts with merge")
    parser.add_argument("--shards", type=whole(1), metavar="N", help="slurm-array: parts; OUT holds a folder of each")
    parser.add_argument("--print-script", action="store_true", help="slurm-array: print what to give to sbatch, and stop")
    parser.add_argument("--retries", type=whole(0), default=2, help="more attempts at a failed scene (default: %(default)s)")
    parser.add_argument("--keep-going", action="store_true", help="leave out scenes that fail, see failures.jsonl")


def _engine_proof_options(parser: argparse.ArgumentParser) -> None:
    prove = "prove an engine on this machine: it opens, agrees with float32, keeps time and memory"
    parser.add_argument("--device", action="store_true", help=prove)
    parser.add_argument("--engine", type=Path, help="device: a .onnx or .plan file (default: the shipped one)")
    reference = "device: the float32 file that it was made from (default: the file itself, or one beside it)"
    parser.add_argument("--reference", type=Path, metavar="ENGINE.onnx", help=reference)
    parser.add_argument("--dataset", type=Path, help="device: take images from this data set, not drawn ones")
    parser.add_argument("--frames", type=whole(100), help="device: how many to run (default: 5000)")
    precisions = "device: f32 or bf16 (default: the engine's own choice)"
    parser.add_argument("--precision", choices=("auto", "f32", "bf16"), default="auto", help=precisions)
    parser.add_argument("--threads", type=whole(1), help="device: threads of the engine (default: its own choice)")
