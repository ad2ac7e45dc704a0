"""Engines side by side: what each can do against what the robot gets of it, streaming quality against offline quality.

Every engine (a file, a backend, a precision) plays the same data set by the same rules, each run in fresh processes: once
through in lockstep, where every image is answered, which gives the offline column; then on the clock, which gives all others.
One that cannot run here is a row with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rehearsal import Say, play
from benchmarks.sweep_page import engine_page
from benchmarks.sweep_runs import Attempt, EngineSpec, SweepRuns, dataset_digest
from scenes.errors import RehearseError
from scenes.files import write_whole
from sim.dataset import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePoint:
    """One engine: what it can do (`offline`, in lockstep) and what the robot gets (`attempt`, on the clock)."""

    label: str
    offline: Attempt
    attempt: Attempt

    def quality(self, column: str, key: str) -> dict[str, Any] | None:
        """Returns a figure of quality: the offline column of the run in lockstep, any other one of the run on the clock."""
        return (self.offline if column == "offline" else self.attempt).quality(column, key)


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
        points = [{"engine": p.label, "offline": p.offline.to_dict(), "clock": p.attempt.to_dict()} for p in self.points]
        return {"status": self.status, "column": self.column, "engines": points, "report": str(self.folder / "sweep.html")}

    def rows(self) -> list[tuple[str, ...]]:
        """Returns a header and a row per engine."""
        rows: list[tuple[str, ...]] = [
            ("engine", "verdict", "PQ offline", "PQ deadline", f"PQ {self.column}", "DVPQ offline", f"DVPQ {self.column}",
             "p50", "p99", "missed"),
        ]  # fmt: skip
        return [*rows, *(self._row(point) for point in self.points)]

    def notes(self) -> list[str]:
        """Returns a sentence for every engine: its marks and the reason of its verdict, or why it has none."""
        return [" ".join([f"{p.label}:", *dict.fromkeys(p.attempt.marks), p.attempt.why]) for p in self.points]

    def _row(self, point: EnginePoint) -> tuple[str, ...]:
        attempt = point.attempt
        if not attempt.figures:
            return (point.label, attempt.status, *["-"] * 8)
        columns = (("offline", "pq"), ("deadline", "pq"), (self.column, "pq"), ("offline", "dvpq"), (self.column, "dvpq"))
        figures = (point.quality(*which) for which in columns)
        return (
            point.label, attempt.status, *("-" if f is None else f"{100 * f['value']:.1f} %" for f in figures),
            *(_ms(attempt.quantile_ms(p)) for p in (0.5, 0.99)), f"{100 * (attempt.latency('miss_ratio') or 0.0):.1f} %",
        )  # fmt: skip


def sweep_engines(
    dataset: Path,
    engines: Sequence[EngineSpec],
    *,
    rate_hz: float,
    words: list[str],
    out: Path,
    say: Say,
    lockstep: bool = False,
) -> EngineSweep:
    """Runs `rehearse hil DATASET WORDS` against every engine, twice, or with `lockstep` only so; goes on where it was stopped.

    Writes sweep.json, sweep.html and sweep.svg into `out`. Raises RehearseError where no engine could run.
    """
    plan = {
        "kind": "engines", "dataset": dataset_digest(dataset), "engines": [e.to_dict() for e in engines], "words": words,
        "rate_hz": rate_hz, "lockstep": lockstep,
    }  # fmt: skip
    words = [*words, f"--rate={rate_hz:g}"]
    once = ["--lockstep"] if lockstep else ["--lockstep", f"--duration={seconds_of(dataset, rate_hz):.9g}"]
    runs = SweepRuns(out, plan, say=say)
    same = len({engine.file for engine in engines}) == 1
    labels = [engine.how if same else engine.label for engine in engines]
    points = []
    for number, (engine, label) in enumerate(zip(engines, labels, strict=True), start=1):
        name = f"{number:02d}-" + re.sub(r"[^A-Za-z0-9.=-]+", "_", label)[:60]
        offline = runs.run_if_available(f"{name}/lockstep", engine, [str(dataset), *words, *once])
        clock = offline
        if offline.figures and not lockstep:
            clock = runs.run_if_available(f"{name}/clock", engine, [str(dataset), *words])
        points.append(EnginePoint(label=label, offline=offline, attempt=clock))
    if not any(p.attempt.figures for p in points):
        raise RehearseError("None of the engines could run here; the reasons are above.")
    streams = any(p.quality("streaming", "pq") for p in points)
    made = EngineSweep(points=tuple(points), column="streaming" if streams else "deadline", folder=out)
    write_whole(out / "sweep.json", json.dumps(made.to_dict(), indent=2, allow_nan=False))
    html, svg = engine_page(made)
    write_whole(out / "sweep.html", html)
    write_whole(out / "sweep.svg", svg)
    return made


def seconds_of(dataset: Path, rate_hz: float) -> float:
    """Returns how long a camera of `rate_hz` takes for all images of a data set; raises DatasetError."""
    source, _ = play(Dataset.open(dataset), rate_hz=rate_hz, every=None)
    return len(source) / rate_hz


def _ms(value: float | None) -> str:
    return "no answer" if value is None else f"{value:.1f} ms"
