"""Engines side by side: what each can do against what the robot gets of it, streaming quality against offline quality.

Every engine (a file, a backend, a precision) plays the same data set by the same rules, each in fresh processes. One that
cannot run here is a row with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rehearsal import Say
from benchmarks.sweep_page import engine_page
from benchmarks.sweep_runs import Attempt, EngineSpec, SweepRuns, dataset_digest
from scenes.errors import RehearseError
from scenes.files import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePoint:
    """One engine and its run."""

    label: str
    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSweep:
    """All engines, in the order in which they were given; `column` is the streaming column that the picture shows."""

    points: tuple[EnginePoint, ...]
    column: str
    folder: Path

    @property
    def status(self) -> str:
        """PASS where every engine passes, INVALID where a run was, else FAIL."""
        found = {point.attempt.status for point in self.points}
        return "INVALID" if "INVALID" in found else "PASS" if found == {"PASS"} else "FAIL"

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        points = [{"engine": p.label, **p.attempt.to_dict()} for p in self.points]
        return {"status": self.status, "column": self.column, "engines": points, "report": str(self.folder / "sweep.html")}

    def rows(self) -> list[tuple[str, ...]]:
        """Returns a header and a row per engine."""
        rows: list[tuple[str, ...]] = [
            ("engine", "verdict", "PQ offline", "PQ deadline", f"PQ {self.column}", "DVPQ offline", f"DVPQ {self.column}",
             "p50", "p99", "missed", "at most", "marks"),
        ]  # fmt: skip
        return [*rows, *(self._row(point) for point in self.points)]

    def _row(self, point: EnginePoint) -> tuple[str, ...]:
        attempt = point.attempt
        if not attempt.figures:
            return (point.label, attempt.status, *["-"] * 9, attempt.why)
        columns = (("offline", "pq"), ("deadline", "pq"), (self.column, "pq"), ("offline", "dvpq"), (self.column, "dvpq"))
        figures = (attempt.quality(*which) for which in columns)
        shares = (attempt.latency(key) or 0.0 for key in ("miss_ratio", "miss_ratio_bound_99"))
        return (
            point.label, attempt.status, *("-" if f is None else f"{100 * f['value']:.1f} %" for f in figures),
            *(_ms(attempt.quantile_ms(p)) for p in (0.5, 0.99)), *(f"{100 * share:.2f} %" for share in shares),
            ", ".join(dict.fromkeys(attempt.marks)) or "-",
        )  # fmt: skip


def sweep_engines(
    dataset: Path, engines: Sequence[EngineSpec], *, words: list[str], out: Path, say: Say
) -> EngineSweep:
    """Runs `rehearse hil DATASET WORDS` against every engine; goes on with a sweep that was stopped.

    Writes sweep.json, sweep.html and sweep.svg into `out`. Raises RehearseError where no engine could run.
    """
    plan = {
        "kind": "engines", "dataset": dataset_digest(dataset), "engines": [e.to_dict() for e in engines], "words": words,
    }  # fmt: skip
    runs = SweepRuns(out, plan, say=say)
    same = len({engine.file for engine in engines}) == 1
    labels = [engine.how if same else engine.label for engine in engines]
    points = []
    for number, (engine, label) in enumerate(zip(engines, labels, strict=True), start=1):
        name = re.sub(r"[^A-Za-z0-9.=-]+", "_", label)[:60]
        attempt = runs.run_if_available(f"{number:02d}-{name}", engine, [str(dataset), *words])
        points.append(EnginePoint(label=label, attempt=attempt))
    if not any(p.attempt.figures for p in points):
        raise RehearseError("None of the engines could run here; the reasons are above.")
    streams = any(p.attempt.quality("streaming", "pq") for p in points)
    made = EngineSweep(points=tuple(points), column="streaming" if streams else "deadline", folder=out)
    write_whole(out / "sweep.json", json.dumps(made.to_dict(), indent=2, allow_nan=False))
    html, svg = engine_page(made)
    write_whole(out / "sweep.html", html)
    write_whole(out / "sweep.svg", svg)
    return made


def _ms(value: float | None) -> str:
    return "no answer" if value is None else f"{value:.1f} ms"
