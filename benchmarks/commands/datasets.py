"""A data set is looked at, written in another format, compared with a second backend, and made again."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.commands.exits import EXIT_FAILED_CHECK, EXIT_OK
from benchmarks.console import print_count, print_json, print_rows, print_summary, print_table, say


def inspect(arguments: argparse.Namespace) -> int:
    """Says what a data set holds and draws its contact sheet; or writes it as a Rerun recording or as pages to browse."""
    from sim.inspect import inspect_dataset

    say_absent(arguments.dataset, arguments.labels)
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
    say_absent(arguments.dataset, arguments.labels)
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


def say_absent(dataset: Path, labels: Path | None) -> None:
    """Says what a data set of another tool does not have and what was made of the rest; nothing for one of ours."""
    from sim.dataset import Dataset

    opened = Dataset.open(dataset, labels=labels)
    for what, reason in opened.absent.items():
        say(f"not available: {what}: {reason}")
    for what, remark in opened.remarks.items():
        say(f"note: {what}: {remark}")
