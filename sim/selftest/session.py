"""One self-test from opening the backend to the report: the report is written before the backend is closed.

Isaac Sim may end the process when it closes; by then everything is on disk.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from scenes.errors import BackendError, UnknownNameError
from sim.backend import Backend, open_backend
from sim.selftest.bench import Bench
from sim.selftest.checks import CHECKS, Check
from sim.selftest.environment import environment
from sim.selftest.report import SelfTestReport, draw_views, write_report
from sim.selftest.run import Tell, close_quietly, not_started, run_checks
from sim.selftest.verdict import Finding

Open = Callable[[str], Backend]
Show = Callable[[SelfTestReport], None]


def self_test(
    name: str,
    *,
    out: Path,
    quick: bool = False,
    tell: Tell = lambda _: None,
    show: Show = lambda _: None,
    checks: Iterable[Check] = CHECKS,
    open_one: Open = open_backend,
) -> SelfTestReport:
    """Tests the backend of that name on this machine and writes the report into `out`; shows it, then closes the backend.

    `open_one` opens backends by name, the one under test and those that it is compared with. A backend that does not
    open is a finding too. Raises UnknownNameError for the name, BackendError where the report cannot be written.
    """
    progress = _fresh_progress(out)

    def told(finding: Finding) -> None:
        with progress.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(finding.to_dict()) + "\n")
        tell(finding)

    try:
        backend = open_one(name)
    except UnknownNameError:
        raise
    except Exception as error:  # a simulator that does not start is what this command is asked about
        report = SelfTestReport(
            backend=name, quick=quick, findings=not_started(error, checks), environment=environment(), pictures={}
        )
        write_report(out, report)
        show(report)
        return report
    bench = Bench(backend, open_reference=open_one, quick=quick, out=out)
    try:
        findings = run_checks(bench, checks, tell=told)
        report = SelfTestReport(
            backend=name, quick=quick, findings=findings, environment=environment(), pictures=draw_views(bench, out)
        )
        write_report(out, report)
        show(report)
    finally:
        close_quietly(backend)
    return report


def _fresh_progress(out: Path) -> Path:
    """Empties what an earlier self-test left in the folder; raises BackendError where it cannot be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(out / "pictures", ignore_errors=True)
        for old in ("report.md", "report.json"):
            (out / old).unlink(missing_ok=True)
        (out / "progress.jsonl").write_text("", encoding="utf-8")
    except OSError as error:
        raise BackendError(f"The folder {str(out)!r} cannot be written: {error.strerror}; name another --out.") from error
    return out / "progress.jsonl"
