"""The questions we ask: the demo, the report, the doctor and the benchmark suites. Importing it starts nothing."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "DemoSpec": "benchmarks.demo",
    "Finding": "benchmarks.doctor",
    "Rehearsal": "benchmarks.rehearsal",
    "examine": "benchmarks.doctor",
    "judge_session": "benchmarks.rehearsal",
    "rehearse_device": "benchmarks.rehearsal",
    "render_report": "benchmarks.report",
    "run_demo": "benchmarks.demo",
}

__all__ = [
    "DemoSpec",
    "Finding",
    "Rehearsal",
    "examine",
    "judge_session",
    "rehearse_device",
    "render_report",
    "run_demo",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'benchmarks' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
