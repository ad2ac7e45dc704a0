"""The demo's agent is a process that says why it does not start, and that does not outlive the demo."""

import os
from pathlib import Path

import pytest

from benchmarks.demo import DemoSpec, agent_process, find_engine, run_demo
from benchmarks.shipped import SHIPPED_ENGINE
from scenes.errors import EngineError, LinkError


def test_an_agent_that_cannot_start_says_why(tmp_path):
    engine = tmp_path / "bad.onnx"
    engine.write_bytes(b"nothing")
    with pytest.raises(LinkError, match=r"did not start: .*bad\.onnx"), agent_process(engine, log=tmp_path / "log"):
        pytest.fail("an agent without an engine became ready")


def test_a_missing_engine_names_the_file(tmp_path):
    with pytest.raises(EngineError, match=r"none\.onnx is not there"):
        find_engine(tmp_path / "none.onnx")


@pytest.mark.slow
def test_the_whole_demo_in_small(tmp_path):
    if not SHIPPED_ENGINE.is_file():
        pytest.skip("the shipped engine is not in this checkout")
    lines = []
    spec = DemoSpec(out=tmp_path, frames=6, duration_s=6.0)
    rehearsal = run_demo(spec, say=lines.append)
    assert len(rehearsal.session.due) == 90
    assert sum(rehearsal.session.outcomes().values()) == 90
    assert rehearsal.quality.offline["pq"].value > 0.3
    assert 50_000 < rehearsal.report_path.stat().st_size < 8_000_000
    assert [line[:3] for line in lines if line[0].isdigit()] == ["1/3", "2/3", "3/3"]
    agents = [p for p in Path("/proc").glob("[0-9]*/cmdline") if os.access(p, os.R_OK) and str(tmp_path) in _read(p)]
    assert agents == []


def _read(path):
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
