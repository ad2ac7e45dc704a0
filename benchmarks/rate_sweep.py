"""The highest rate that holds a claim, found by bisection over a fixed grid; every rate is judged by the same verdict.

A rate that is INVALID, because this host could not play the camera, is tried once more; if it is INVALID again it does not
count as held. Bisection takes it that a rate above one that fails fails too; `every_rate` tries them all instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rehearsal import Say
from benchmarks.sweep_page import rate_page
from benchmarks.sweep_runs import Attempt, EngineSpec, SweepRuns, dataset_digest
from scenes.errors import RehearseError
from scenes.files import write_whole

ATTEMPTS = 2  # of a rate that is INVALID


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePoint:
    """A rate with all of its attempts; the last one counts."""

    rate_hz: float
    attempts: tuple[Attempt, ...]

    @property
    def status(self) -> str:
        """The verdict that counts."""
        return self.attempts[-1].status


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSweep:
    """What a sweep found: `highest_hz` is the highest rate that holds, None where none does; points by rate.

    `deadline_ms` is None where the deadline is each rate's own period.
    """

    engine: str
    claim: float
    deadline_ms: float | None
    grid: tuple[float, ...]
    points: tuple[RatePoint, ...]
    highest_hz: float | None
    folder: Path

    @property
    def above(self) -> RatePoint | None:
        """The lowest rate above the highest one that holds which was tried."""
        return next((p for p in self.points if self.highest_hz is None or p.rate_hz > self.highest_hz), None)

    @property
    def status(self) -> str:
        """PASS where a rate holds; else the verdict of the lowest rate."""
        return "PASS" if self.highest_hz is not None else self.points[0].status

    def sentence(self) -> str:
        """Returns the result in one sentence, with what bounds it."""
        within = "a period" if self.deadline_ms is None else f"{self.deadline_ms:.1f} ms"
        claim = f"the claim that {100 * self.claim:g} % are on time within {within}"
        above = self.above
        if self.highest_hz is None:
            said = f"No rate of {self.grid[0]:g} to {self.grid[-1]:g} FPS holds {claim}"
        else:
            said = f"{self.highest_hz:g} FPS is the highest rate that holds {claim}"
        if above is None:
            return f"{said}; it is the highest that was asked for."
        if above.status == "INVALID":
            return f"{said}; at {above.rate_hz:g} FPS this host could not play the camera, so the device may hold more."
        return f"{said}; {above.rate_hz:g} FPS does not."

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        points = [{"rate_hz": p.rate_hz, "attempts": [a.to_dict() for a in p.attempts]} for p in self.points]
        return {
            "engine": self.engine, "status": self.status, "result": self.sentence(), "highest_hz": self.highest_hz,
            "claim": self.claim, "deadline_ms": self.deadline_ms, "grid": list(self.grid), "points": points,
            "report": str(self.folder / "sweep.html"),
        }  # fmt: skip

    def rows(self) -> list[tuple[str, ...]]:
        """Returns a header and a row per attempt, by rate."""
        rows: list[tuple[str, ...]] = [("FPS", "verdict", "frames", "missed", "at most", "p50", "p99", "PQ streaming", "run")]
        for point in self.points:
            rows += [(f"{point.rate_hz:g}", *_row(attempt)) for attempt in point.attempts]
        return rows


def sweep_rates(
    dataset: Path, engine: EngineSpec, *, grid: Sequence[float], words: list[str], out: Path, say: Say, every_rate: bool = False
) -> RateSweep:
    """Runs `rehearse hil DATASET WORDS --rate R` for the rates that it takes; goes on with a sweep that was stopped.

    Writes sweep.json, sweep.html and sweep.svg into `out`. Raises RehearseError where a run could not begin.
    """
    grid = sorted(set(grid))
    plan = {
        "kind": "rate", "dataset": dataset_digest(dataset), "engine": engine.to_dict(), "words": words, "grid": grid,
        "every_rate": every_rate,
    }  # fmt: skip
    runs = SweepRuns(out, plan, say=say)
    points: dict[float, RatePoint] = {}

    def holds(rate_hz: float) -> bool:
        points[rate_hz] = _try(runs, engine, [str(dataset), f"--rate={rate_hz:g}", *words], rate_hz)
        return points[rate_hz].status == "PASS"

    highest = _highest_of_all(grid, holds) if every_rate else highest_by_bisection(grid, holds)
    tried = tuple(points[rate] for rate in sorted(points))
    figures = tried[0].attempts[-1].figures
    deadline_ms = None if "--deadline=period" in words else figures["deadline_ms"]
    made = RateSweep(
        engine=engine.label, claim=figures["claim"], deadline_ms=deadline_ms, grid=tuple(grid), points=tried,
        highest_hz=highest, folder=out,
    )  # fmt: skip
    write_whole(out / "sweep.json", json.dumps(made.to_dict(), indent=2, allow_nan=False))
    html, svg = rate_page(made)
    write_whole(out / "sweep.html", html)
    write_whole(out / "sweep.svg", svg)
    return made


def highest_by_bisection(grid: Sequence[float], holds: Callable[[float], bool]) -> float | None:
    """Returns the highest rate of an ascending grid that holds, where none above one that does not holds; None for none."""
    low, high = -1, len(grid)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(grid[middle]) else (low, middle)
    return None if low < 0 else grid[low]


def parse_grid(text: str) -> tuple[float, ...]:
    """Reads 5..60 (every whole rate), 5..60:5 (in steps) or 5,10,15; raises RehearseError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?", text)
    try:
        if found is None:
            grid = tuple(float(part) for part in text.split(","))
        else:
            low, high, step = float(found[1]), float(found[2]), float(found[3] or 1)
            grid = tuple(low + k * step for k in range(int((high - low) / step + 1e-9) + 1))
    except (ValueError, ZeroDivisionError):
        grid = ()
    if not grid or not all(0 < rate < 1000 for rate in grid):
        raise RehearseError(f"Expected rates in frames per second such as 5..60, 5..60:5 or 5,10,15, got {text!r}.")
    return tuple(sorted(set(grid)))


def _highest_of_all(grid: Sequence[float], holds: Callable[[float], bool]) -> float | None:
    """Tries every rate; returns the highest one below which none fails."""
    held = [holds(rate) for rate in grid]
    first = held.index(False) if False in held else len(held)
    return grid[first - 1] if first else None


def _try(runs: SweepRuns, engine: EngineSpec, words: list[str], rate_hz: float) -> RatePoint:
    attempts: list[Attempt] = []
    while not attempts or (attempts[-1].status == "INVALID" and len(attempts) < ATTEMPTS):
        attempts.append(runs.run(f"rate-{rate_hz:g}/run-{len(attempts) + 1}", engine, words))
    return RatePoint(rate_hz=rate_hz, attempts=tuple(attempts))


def _row(attempt: Attempt) -> tuple[str, ...]:
    pq = attempt.quality("streaming", "pq")
    latency = attempt.figures["latency"]
    return (
        attempt.status, str(latency["frames"]), f"{100 * latency['miss_ratio']:.2f} %",
        f"{100 * latency['miss_ratio_bound_99']:.2f} %", _ms(attempt.quantile_ms(0.5)), _ms(attempt.quantile_ms(0.99)),
        "-" if pq is None else f"{100 * pq['value']:.1f} %", attempt.folder,
    )  # fmt: skip


def _ms(value: float | None) -> str:
    return "no answer" if value is None else f"{value:.1f} ms"
