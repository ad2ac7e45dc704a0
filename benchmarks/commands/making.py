"""A data set is made: frames by the pool, Ray or a Slurm array, or by Isaac Sim on its own."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.commands._isaac import isaac_settings
from benchmarks.commands.exits import EXIT_OK
from benchmarks.console import print_summary

if TYPE_CHECKING:
    from sim.capture import Capture
    from sim.isaac.settings import IsaacSettings
    from sim.running.run_plan import RunPlan


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
    isaac = isaac_settings(arguments)
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
