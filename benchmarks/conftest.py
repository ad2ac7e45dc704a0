"""Every benchmark adds its figures to one table, printed at the end and written to out/bench_ratios.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.shipped import SHIPPED_ENGINE
from scenes.errors import BackendError
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate


class Row(NamedTuple):
    """One figure: the median and quartiles of what was measured and of what it is compared with, in milliseconds."""

    name: str
    measured_ms: tuple[float, float, float]
    limit: str
    limit_ms: tuple[float, float, float] | None
    rounds: int


class Ratios:
    """Collects rows while benchmarks run."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, name: str, seconds: list[float], limit: str = "", limit_seconds: list[float] | None = None) -> None:
        """Adds what was measured, and the limit that it is held against, as lists of seconds."""
        against = quartiles_ms(limit_seconds) if limit_seconds else None
        self.rows.append(Row(name, quartiles_ms(seconds), limit, against, len(seconds)))


_RATIOS = pytest.StashKey[Ratios]()


def quartiles_ms(seconds: list[float]) -> tuple[float, float, float]:
    """Returns the quartiles in milliseconds."""
    low, middle, high = (float(v) * 1e3 for v in np.percentile(seconds, (25, 50, 75)))
    return low, middle, high


def seconds_of(benchmark: BenchmarkFixture) -> list[float]:
    """Returns the seconds of every round of a benchmark that has run."""
    if benchmark.stats is None:
        raise ValueError("This benchmark has not run; call benchmark.pedantic first.")
    return list(benchmark.stats.stats.data)


@pytest.fixture
def ratios(pytestconfig: pytest.Config) -> Ratios:
    """Returns the table of this run."""
    return pytestconfig.stash.setdefault(_RATIOS, Ratios())


@pytest.fixture(scope="session")
def engine_path() -> Path:
    """Returns the shipped engine; skips where it is not there."""
    if not SHIPPED_ENGINE.is_file():
        pytest.skip("the shipped engine is not in this checkout")
    return SHIPPED_ENGINE


@pytest.fixture(scope="session")
def bench_dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Makes twelve test-split frames at 640x480; skips where nothing can be rendered."""
    folder = tmp_path_factory.mktemp("bench") / "data"
    try:
        generate(GenerateSpec(suite="tabletop", out=folder, frames=12, split="test"), progress=False)
    except BackendError as error:
        pytest.skip(f"nothing can be rendered here: {error}")
    return Dataset.open(folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the table and writes it beside the other outputs."""
    ratios = config.stash.get(_RATIOS, None)
    if ratios is None:
        return
    terminalreporter.section("ratios: median [quartiles], ms")
    for row in ratios.rows:
        low, middle, high = row.measured_ms
        line = f"{row.name:<44} {middle:8.2f} [{low:.2f}, {high:.2f}]"
        if row.limit_ms is not None:
            line += f"  = {middle / row.limit_ms[1]:5.2f} x {row.limit} ({row.limit_ms[1]:.2f})"
        terminalreporter.write_line(f"{line}, {row.rounds} rounds")
    out = Path("out/bench_ratios.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([row._asdict() for row in ratios.rows], indent=2), encoding="utf-8")
