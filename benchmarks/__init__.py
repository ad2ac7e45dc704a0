"""The questions we ask: the demo, the report, the doctor and the benchmark suites. Importing it starts nothing."""

from __future__ import annotations

from scenes.lazy import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _HOME)
