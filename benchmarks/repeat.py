"""Repeated runs are processes of their own, one after the other, and the verdict is on all of them: none is left out."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rehearsal import Say, milliseconds
from hil.figures.latency import LatencyReport, summarize
from hil.junit import junit_xml
from hil.session import Session, load_session
from hil.verdict import Verdict, judge
from scenes.errors import RehearseError
from scenes.files import write_whole

_FRONT_DOOR = Path(__file__).resolve().parent.parent / "rehearse.py"
_STATUSES = (0, 1, 3)  # a verdict: PASS, FAIL, INVALID; anything else is no run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repeated:
    """Several runs of the same rehearsal, each alone and all together."""

    sessions: tuple[Session, ...]
    single: tuple[LatencyReport, ...]
    together: LatencyReport
    verdict: Verdict
    folder: Path

    @property
    def report_path(self) -> Path:
        """Where the joint report is, or will be; each run has its own under run-K beside it."""
        return self.folder / "report.html"

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "verdict": self.verdict.to_dict(),
            "together": self.together.to_dict(),
            "runs": [report.to_dict() for report in self.single],
            "report": str(self.report_path),
        }

    def describe(self) -> str:
        """Returns the summary that a command prints: a row per run, a row of all, the verdict."""
        heads = ("run", "frames", "missed", "at most", "p50", "p95", "p99", "p99.9", "max")
        rows = [heads, *(_row(f"{k + 1}", report) for k, report in enumerate(self.single)), _row("all", self.together)]
        widths = [max(len(row[k]) for row in rows) for k in range(len(heads))]
        lines = ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        lines += ["", *self.verdict.marks] if self.verdict.marks else []
        return "\n".join([*lines, "", f"{self.verdict.status}: {self.verdict.reason}", f"Report: {self.report_path}"])


def repeat_runs(words: list[str], *, runs: int, out: Path, say: Say) -> Repeated:
    """Runs `rehearse hil WORDS --out OUT/run-K` as a fresh process, K = 1..runs, and judges all of them together.

    Raises RehearseError where a run could not begin: what is there then is no fair sample.
    """
    for k in range(1, runs + 1):
        say(f"run {k} of {runs}, in a process of its own")
        command = [sys.executable, str(_FRONT_DOOR), "hil", *words, "--out", str(out / f"run-{k}")]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in _STATUSES:
            raise RehearseError(f"Run {k} of {runs} did not take place, so there is no verdict; its own words are above.")
    return gather([out / f"run-{k}" / "session.json" for k in range(1, runs + 1)], out=out)


def gather(paths: list[Path], *, out: Path) -> Repeated:
    """Judges recorded runs together; writes runs.json, junit.xml and report.html into OUT.

    Raises DatasetError and, for unlike runs, RehearseError.
    """
    from benchmarks.runs_report import render_runs

    sessions = tuple(load_session(path) for path in paths)
    try:
        together = summarize(*sessions)
    except ValueError as error:
        raise RehearseError(f"These runs cannot be judged together: {error}") from error
    single = tuple(summarize(session) for session in sessions)
    verdict = judge(*sessions, report=together)
    made = Repeated(sessions=sessions, single=single, together=together, verdict=verdict, folder=out)
    write_whole(out / "runs.json", json.dumps(made.to_dict(), indent=2, allow_nan=False))
    write_whole(out / "junit.xml", junit_xml(verdict, *sessions))
    write_whole(made.report_path, render_runs(made, [path.parent.name for path in paths]))
    return made


def _row(name: str, report: LatencyReport) -> tuple[str, ...]:
    quantiles = (milliseconds(report.quantile(p).value_s) for p in (0.50, 0.95, 0.99, 0.999))
    bound = f"{100 * report.miss_bound_99:.3g} %"
    return (name, str(report.frames), str(report.misses), bound, *quantiles, milliseconds(report.max_s))
