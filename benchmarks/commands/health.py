"""What the machine can do, and whether a simulator on it tells the truth."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from benchmarks.commands._isaac import isaac_settings
from benchmarks.commands.exits import EXIT_FAILED_CHECK, EXIT_OK
from benchmarks.console import print_json, say

if TYPE_CHECKING:
    from sim.backend import Backend


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
