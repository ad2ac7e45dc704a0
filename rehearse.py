"""The front door: one command line, one thin function per command; nothing heavy is imported before it is needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.console import print_count, print_json, print_rows, print_summary, print_table, say
from benchmarks.grammar import make_parser, two_words

if TYPE_CHECKING:
    from sim.backend import Backend
    from sim.capture import Capture
    from sim.isaac.settings import IsaacSettings
    from sim.running.run_plan import RunPlan

EXIT_OK, EXIT_FAILED_CHECK, EXIT_ERROR, EXIT_INVALID, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
EXITS_OF_VERDICTS = {"PASS": EXIT_OK, "FAIL": EXIT_FAILED_CHECK, "INVALID": EXIT_INVALID}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its status, or ends the process with it where Isaac Sim runs in it."""
    return _leave(_run(argv))


def _leave(status: int) -> int:
    """Ends this process where Isaac Sim's application runs in it, whose own end would lose the status."""
    isaac = sys.modules.get("sim.isaac.app")
    if isaac is not None:
        isaac.leave(status)
    return status


def _run(argv: Sequence[str] | None) -> int:
    """Runs one command; returns 0, 1 for FAIL, 3 for INVALID, 2 for an error in one sentence, 130 for Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = build_parser().parse_args(two_words(words))
    arguments.words = words
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
    """Says what this machine can do, what is missing and how to get it; with --backend tests a simulator on it."""
    if arguments.backend:
        return _self_test(arguments)
    from benchmarks.doctor import examine, format_table

    findings = examine()
    if arguments.json:
        print_json([finding.to_dict() for finding in findings])
    else:
        print(format_table(findings))
    return EXIT_OK if all(f.status == "ok" for f in findings if f.needed) else EXIT_FAILED_CHECK


def _self_test(arguments: argparse.Namespace) -> int:
    """Tests one backend; everything is shown and written before the backend is closed, which may end the process."""
    from sim.backend import open_backend
    from sim.selftest.session import self_test

    settings = _isaac_settings(arguments)

    def open_one(name: str) -> Backend:
        if settings is None:
            return open_backend(name)
        from sim.isaac import app
        from sim.isaac.settler import MujocoElsewhere

        running = app.start(settings)
        if name == "mujoco":  # what it is compared with runs beside it, not within
            return MujocoElsewhere(settings.settler, environment=running.clean_environment)
        return open_backend(name)

    report = self_test(
        arguments.backend,
        open_one=open_one,
        out=arguments.out,
        quick=arguments.quick,
        tell=lambda finding: say(f"  {finding.verdict:<7} {finding.check} ({finding.seconds:.1f} s)"),
        show=lambda found: print_json(found.to_dict()) if arguments.json else print(found.describe(), flush=True),
    )
    say(f"report {arguments.out / 'report.md'}")
    return EXIT_OK if report.passed else EXIT_FAILED_CHECK


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
    """Draws the catalogue: every category in several variants, or with --looks every look; or prints its parameters."""
    from scenes.errors import RehearseError

    if arguments.parameters is not None:
        return _print_parameters([n for n in (arguments.parameters, *arguments.category) if n], as_json=arguments.json)
    if arguments.out is None:
        raise RehearseError("catalogue: expected the picture's file OUT.png, or --parameters [CATEGORY], got neither.")
    from sim.catalogue import write_catalogue, write_looks

    options = {"split": arguments.split, "seed": arguments.seed, "variants": arguments.variants, "cell_px": arguments.cell}
    if arguments.looks:
        sheet = write_looks(arguments.out, **options)
    else:
        sheet = write_catalogue(arguments.out, names=arguments.category, **options)
    print_json(sheet.to_dict()) if arguments.json else print(sheet.describe())
    return EXIT_OK


def _print_parameters(categories: list[str], *, as_json: bool) -> int:
    from scenes.parameters import parameters_toml

    text = parameters_toml(categories)
    if as_json:
        import tomllib

        print_json(tomllib.loads(text))
    else:
        print(text)
    return EXIT_OK


def inspect(arguments: argparse.Namespace) -> int:
    """Says what a data set holds and draws its contact sheet; or writes it as a Rerun recording or as pages to browse."""
    from sim.inspect import inspect_dataset

    _say_absent(arguments.dataset, arguments.labels)
    if arguments.html:
        from sim.browser import write_browser

        written = write_browser(arguments.dataset, arguments.html, progress=True, labels=arguments.labels)
        print_summary(written.to_dict(), as_json=arguments.json)
        return EXIT_OK
    sheet = arguments.sheet or arguments.dataset.with_name(arguments.dataset.name + "_sheet.png")
    statistics = inspect_dataset(arguments.dataset, sheet, frames=arguments.frames, labels=arguments.labels)
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
    from sim.difficulty.target import read_target
    from sim.generate import GenerateSpec
    from sim.generate import generate as run
    from sim.sensors.library import load_profile

    plan, out = _run_plan(arguments)
    if arguments.print_script:
        return _print_script(arguments)
    sensor = load_profile(arguments.sensor)
    isaac = _isaac_settings(arguments)
    _assert_native(arguments)
    if arguments.native:
        return _generate_natively(arguments, isaac)
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
        capture=_capture(arguments, rectified=not any(sensor.lens.distortion)),
        proof=not arguments.no_proof,
        sensor=sensor,
        target=read_target(arguments.target) if arguments.target else None,
        assets=tuple(AssetUse.parse(text) for text in arguments.asset),
        isaac=isaac,
    )
    summary = run(spec, plan=plan)
    values = summary.to_dict()
    if not arguments.json:
        del values["target"]
        values |= {"proof": str(summary.proof), "memory": str(summary.memory)}
        values |= {f"target {r.figure}": str(r) for r in summary.target}
    print_summary(values, as_json=arguments.json)
    return EXIT_OK


def _capture(arguments: argparse.Namespace, *, rectified: bool) -> Capture:
    """Returns what is recorded; `all` is what can be had here, so it leaves disparity out where eyes are not rectified."""
    from sim.capture import Capture

    capture = Capture(
        annotators=arguments.annotators,
        sequence=arguments.sequence,
        rate_hz=arguments.rate,
        motion=arguments.motion,
        stereo_m=arguments.stereo,
    )
    if rectified or "disparity" in arguments.annotators:
        return capture
    return replace(capture, annotators=tuple(name for name in capture.annotators if name != "disparity"))


def _isaac_settings(arguments: argparse.Namespace) -> IsaacSettings | None:
    """Returns the settings of Isaac Sim where that is the backend; raises RehearseError for its options elsewhere."""
    from scenes.errors import RehearseError
    from sim.isaac.settings import IsaacSettings

    if arguments.backend == "isaac":
        return IsaacSettings.parse(arguments.isaac)
    if arguments.isaac:
        raise RehearseError("--isaac belongs to --backend isaac.")
    return None


def _assert_native(arguments: argparse.Namespace) -> None:
    """Raises RehearseError for options of the native mode without it."""
    from scenes.errors import RehearseError

    if arguments.backend != "isaac" and (arguments.native or arguments.randomise):
        raise RehearseError("--native and --randomise belong to --backend isaac.")
    if arguments.randomise and not arguments.native:
        raise RehearseError("--randomise belongs to --native VARIANTS: else every frame shows its suite's own scene.")


def _generate_natively(arguments: argparse.Namespace, settings: IsaacSettings | None) -> int:
    from scenes.suites import VIEWS_PER_SCENE
    from sim.isaac.native import DEFAULT_ANNOTATORS, NativeSpec, make_native
    from sim.isaac.randomise import Randomisation, description_of
    from sim.isaac.settings import IsaacSettings

    randomisation = None
    if arguments.randomise:
        randomisation = Randomisation(
            kinds=arguments.randomise, description=description_of(arguments.suite), seed=arguments.seed, split=arguments.split
        )
    chosen = DEFAULT_ANNOTATORS if arguments.annotators == ("default",) else arguments.annotators
    spec = NativeSpec(
        suite=arguments.suite,
        out=arguments.out,
        scenes=-(-arguments.frames // (VIEWS_PER_SCENE * arguments.native)),
        variants=arguments.native,
        split=arguments.split,
        seed=arguments.seed,
        size=arguments.size,
        annotators=chosen,
        randomisation=randomisation,
        settings=settings or IsaacSettings(),
    )
    print_summary(make_native(spec), as_json=arguments.json)
    return EXIT_OK


def _run_plan(arguments: argparse.Namespace) -> tuple[RunPlan, Path]:
    """Returns how to make the scenes, and where: a task of a Slurm array makes the part of its number, in its own folder."""
    from scenes.errors import RehearseError
    from sim.running.run_plan import RunPlan, Shard

    on_slurm, out = arguments.executor == "slurm-array", arguments.out
    shard = Shard.parse(arguments.shard) if arguments.shard else None
    if on_slurm != (arguments.shards is not None) or (on_slurm and shard) or (arguments.print_script and not on_slurm):
        raise RehearseError(
            "--shards N and --print-script belong to --executor slurm-array, which needs --shards and takes no --shard."
        )
    if on_slurm and not arguments.print_script:
        from sim.running.slurm import shard_of_task

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
    from sim.running.slurm import array_script

    words = [word for word in arguments.words if not (len(word) > 3 and "--print-script".startswith(word))]
    workers = arguments.workers or 1
    words += [] if arguments.workers else ["--workers", "1"]
    name = f"rehearse-{arguments.suite}"
    print(array_script(words, out=arguments.out, parts=arguments.shards, workers=workers, name=name), end="")
    return EXIT_OK


def merge(arguments: argparse.Namespace) -> int:
    """Joins the parts that generate --shard wrote into one data set, the same bytes as a single run."""
    from sim.running.merge import merge as run

    print_summary(run(arguments.parts, arguments.out, link=arguments.link).to_dict(), as_json=arguments.json)
    return EXIT_OK


def convert(arguments: argparse.Namespace) -> int:
    """Writes a data set in another format: COCO, BOP, YOLO, HDF5, WebDataset, or one folder per camera."""
    from sim.convert import ConvertSpec
    from sim.convert import convert as run

    spec = ConvertSpec(
        dataset=arguments.dataset,
        out=arguments.out,
        to=arguments.to,
        polygons=arguments.polygons,
        render_products=arguments.render_products,
        shard_frames=arguments.shard_frames,
        labels=arguments.labels,
    )
    _say_absent(arguments.dataset, arguments.labels)
    print_summary(run(spec).to_dict(), as_json=arguments.json)
    return EXIT_OK


def agree(arguments: argparse.Namespace) -> int:
    """Compares two backends on one scene, or a data set with a fresh render. Exits with 1 where they differ."""
    from scenes.suites import SUITES
    from sim.frame_id import FrameId
    from sim.proof.agree import agree_backends, agree_dataset

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
    _say_absent(arguments.dataset, labels)
    scores = score_folder(arguments.predictions, arguments.dataset, labels=labels)
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


def agent(arguments: argparse.Namespace) -> int:
    """Serves an engine, or an emulated device, on a link until it is stopped."""
    from hil.agent import serve
    from scenes.errors import RehearseError

    if arguments.engine is None and arguments.emulate is None:
        raise RehearseError("An agent needs an engine file, or --emulate with a model such as p50=40ms,p99=45ms.")

    serve(
        arguments.engine,
        bind=arguments.bind,
        backend=arguments.backend,
        threads=arguments.threads,
        insecure=arguments.insecure,
        emulate=arguments.emulate,
        seed=arguments.seed,
        in_process=arguments.in_process,
        hang_after_s=arguments.hang_after,
    )
    return EXIT_OK


def hil(arguments: argparse.Namespace) -> int:
    """Streams a data set to an agent on the clock; scores quality and latency together. Exits with 1 for FAIL, 3 for INVALID."""
    from contextlib import nullcontext

    from benchmarks.demo import agent_process, find_engine
    from benchmarks.rehearsal import rehearse_device
    from hil.profiles import profile_named

    profile = profile_named(arguments.profile).changed(
        duration_s=arguments.duration, claim=arguments.claim, warm_up_cap_s=arguments.warm_up
    )
    if arguments.runs > 1:
        return _hil_runs(arguments)
    engine = None if arguments.engine is None else find_engine(arguments.engine)
    started = nullcontext(arguments.device) if engine is None else agent_process(engine, log=arguments.out / "agent.log")
    with started as device:
        rehearsal = rehearse_device(
            arguments.dataset, device, rate_hz=arguments.rate, profile=profile, out=arguments.out, say=say
        )
    print_json(rehearsal.to_dict()) if arguments.json else print(rehearsal.describe())
    return EXITS_OF_VERDICTS[rehearsal.verdict.status]


def _hil_runs(arguments: argparse.Namespace) -> int:
    """Repeats a run in fresh processes; the verdict is on all of them together."""
    from benchmarks.repeat import repeat_runs

    given = {
        "--rate": arguments.rate, "--profile": arguments.profile, "--duration": arguments.duration, "--claim": arguments.claim,
        "--warm-up": arguments.warm_up, "--engine": arguments.engine,
        "--device": arguments.device if arguments.engine is None else None,
    }  # fmt: skip
    words = [str(arguments.dataset), *(f"{name}={value}" for name, value in given.items() if value is not None)]
    repeated = repeat_runs(words, runs=arguments.runs, out=arguments.out, say=say)
    print_json(repeated.to_dict()) if arguments.json else print(repeated.describe())
    return EXITS_OF_VERDICTS[repeated.verdict.status]


def hil_replay(arguments: argparse.Namespace) -> int:
    """Makes every figure of a run again from its recording alone, and compares with what was reported, to the bit."""
    from hil.figures import differences, replay

    figures, reported = replay(arguments.recording)
    found = [] if reported is None else list(differences(figures, reported))
    equal = reported is not None and not found
    if arguments.json:
        print_json({"figures": figures, "equal": equal, "differences": found})
        return EXIT_OK if equal else EXIT_FAILED_CHECK
    print(f"{figures['verdict']['status']}: {figures['verdict']['reason']}")
    marks = {f"p{100 * q['p']:g}": q["ms"] for q in figures["latency"]["quantiles"]}
    print_rows({"outcomes": figures["outcomes"], "latency, ms": marks})
    if reported is None:
        print("No figures were reported: the run ended before its report; these are made from its frames.")
    elif equal:
        print("Every figure is the reported one, to the bit.")
    else:
        print("\n  ".join([f"{len(found)} figures differ (recomputed, reported):", *found[:20]]))
    return EXIT_OK if equal else EXIT_FAILED_CHECK


def hil_rules(arguments: argparse.Namespace) -> int:
    """Says what each way of measuring reports of one simulated device: most of them hide what a stall costs."""
    import numpy as np

    from hil.rules import compare_rules, rule_table
    from hil.service import parse_service

    rng = np.random.Generator(np.random.PCG64(arguments.seed))
    service_s = parse_service(arguments.service).times_s(arguments.frames, rng=rng)
    rows = compare_rules(service_s, rate_hz=arguments.rate, deadline_s=1 / arguments.rate)
    if arguments.json:
        print_json([row.to_dict() for row in rows])
        return EXIT_OK
    print(f"{arguments.frames} frames at {arguments.rate:g} FPS, deadline {1e3 / arguments.rate:.1f} ms, {arguments.service}")
    heads, cells = rule_table(rows)
    print_table([heads, *cells])
    return EXIT_OK


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


def _say_absent(dataset: Path, labels: Path | None) -> None:
    """Says what a data set of another tool does not have and what was made of the rest; nothing for one of ours."""
    from sim.dataset import Dataset

    opened = Dataset.open(dataset, labels=labels)
    for what, reason in opened.absent.items():
        say(f"not available: {what}: {reason}")
    for what, remark in opened.remarks.items():
        say(f"note: {what}: {remark}")


def _need(module: str, what: str, extra: str) -> None:
    from importlib.util import find_spec

    from scenes.errors import RehearseError

    if find_spec(module) is None:
        raise RehearseError(f"{what} needs {module}, which is not installed; get it with: pip install -e '.[{extra}]'.")


COMMANDS = (
    doctor, scene, catalogue, inspect, generate, agree, replay, merge, convert,
    train, export, predict, score, agent, hil, hil_replay, hil_rules, demo,
)  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole grammar; no I/O."""
    return make_parser({command.__name__: command for command in COMMANDS})


if __name__ == "__main__":
    sys.exit(main())
