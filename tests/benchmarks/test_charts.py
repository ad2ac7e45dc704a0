"""Charts place what they draw where the numbers say, and stay well-formed for any numbers."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks._charts import DueFrame, histogram, stage_bar, timeline

LATENCIES = st.lists(st.floats(0.01, 5000.0), min_size=1, max_size=60)


def bars(svg, *classes):
    return [e for e in ET.fromstring(svg).iter("rect") if e.get("class") in classes]


@settings(max_examples=40, deadline=None)
@given(LATENCIES)
def test_histogram_counts_every_value(values):
    svg = histogram(values, deadline_ms=66.7, marks={"p50": values[0]}, title="a <b> & c")
    counts = [int(bar.find("title").text.split(": ")[1].split()[0]) for bar in bars(svg, "good", "late")]
    assert sum(counts) == len(values)


@settings(max_examples=40, deadline=None)
@given(LATENCIES)
def test_timeline_draws_heights_in_proportion(values):
    frames = [DueFrame(due_s=k / 15, latency_ms=v, outcome="on_time") for k, v in enumerate(values)]
    drawn = bars(timeline(frames, deadline_ms=66.7, classes={"on_time": "good"}, title="t"), "good")
    assert len(drawn) == len(values)
    tall = [(float(bar.get("height")), v) for bar, v in zip(drawn, values, strict=True) if float(bar.get("height")) > 20]
    scale = [height / value for height, value in tall]
    assert max(scale, default=1) <= 1.01 * min(scale, default=1)


def test_an_unanswered_frame_fills_the_height():
    frames = [DueFrame(due_s=0.0, latency_ms=10.0, outcome="on_time"), DueFrame(due_s=1.0, latency_ms=None, outcome="lost")]
    drawn = timeline(frames, deadline_ms=66.7, classes={"on_time": "good", "lost": "lost"}, title="t")
    assert float(bars(drawn, "lost")[0].get("height")) > 5 * float(bars(drawn, "good")[0].get("height"))


def test_stage_bar_shares_the_width_by_time():
    svg = stage_bar({"a": 10.0, "b": 30.0}, deadline_ms=66.7, title="t")
    a, b = bars(svg, "stage0")[0], bars(svg, "stage1")[0]
    assert float(b.get("width")) == pytest.approx(3 * float(a.get("width")), rel=0.01)


def test_no_answer_is_said_not_drawn():
    assert "No answer" in histogram([], deadline_ms=66.7, marks={}, title="t")
