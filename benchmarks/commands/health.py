"""What the machine can do, and whether a simulator on it tells the truth."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from benchmarks.commands._isaac import isaac_settings
from benchmarks.commands.exits import EXIT_FAILED_CHECK, EXIT_OK
from benchmarks.console import print_count, print_json, say
from scenes.errors import RehearseError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sim.backend import Backend


def doctor(arguments: argparse.Namespace) -> int:
    """Says what this machine can do and how to get the rest; --backend tests a simulator on it, --device an engine."""
    if arguments.device:
        return _prove_engine(arguments)
    if any((arguments.engine, arguments.reference, arguments.dataset, arguments.frames, arguments.threads)):
        raise RehearseError("--engine, --reference, --dataset, --frames and --threads belong to --device.")
    if arguments.backend:
        return _self_test(arguments)
    from benchmarks.doctor import examine, format_table

    findings = examine()
    if arguments.json:
        print_json([finding.to_dict() for finding in findings])
    else:
        print(format_table(findings))
    return EXIT_OK if all(f.status == "ok" for f in findings if f.needed) else EXIT_FAILED_CHECK


def _prove_engine(arguments: argparse.Namespace) -> int:
    """Proves one engine on this machine and writes engine.json; everything else about a latency is for `rehearse hil`."""
    import json

    from benchmarks.shipped import SHIPPED_ENGINE
    from hil.agent.engine_proof import FRAMES, IMAGES, QUICK_FRAMES, ProofSpec, prove_engine
    from scenes.files import write_whole

    images = () if arguments.dataset is None else _images(arguments.dataset, IMAGES)
    spec = ProofSpec(
        engine=arguments.engine or SHIPPED_ENGINE,
        backend=arguments.backend or "auto",
        threads=arguments.threads,
        precision=arguments.precision,
        reference=arguments.reference,
        images=images,
        frames=arguments.frames or (QUICK_FRAMES if arguments.quick else FRAMES),
    )
    proof = prove_engine(spec, tell=lambda check: say(f"  {check.verdict:<8} {check.name}"), progress=print_count)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_whole(arguments.out / "engine.json", json.dumps(proof.to_dict(), indent=1, allow_nan=False))
    print_json(proof.to_dict()) if arguments.json else print(proof.describe())
    say(f"report {arguments.out / 'engine.json'}")
    return EXIT_OK if proof.verdict == "PASS" else EXIT_FAILED_CHECK


def _images(dataset: Path, count: int) -> tuple[NDArray[np.uint8], ...]:
    """Returns images of a data set, spread evenly over it."""
    import numpy as np

    from sim.dataset import Dataset

    source = Dataset.open(dataset)
    chosen = np.unique(np.linspace(0, len(source) - 1, min(count, len(source))).astype(int))
    return tuple(source.rgb(int(index)) for index in chosen)


def _self_test(arguments: argparse.Namespace) -> int:
    """Tests one backend; everything is shown and written before the backend is closed, which may end the process."""
    from sim.backend import open_backend
    from sim.selftest.session import self_test

    settings = isaac_settings(arguments)

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
