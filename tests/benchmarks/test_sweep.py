"""Sweeps: bisection finds what a scan finds, nothing is left out, what is finished stays, and the pictures say what was found."""

import json
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import engine_sweep, sweep_runs
from benchmarks._sweep_charts import EngineMark, RateMark, misses_by_rate, standalone, streaming_by_offline
from benchmarks.engine_sweep import sweep_engines
from benchmarks.rate_sweep import highest_by_bisection, parse_grid, sweep_rates
from benchmarks.shipped import SHIPPED_ENGINE
from benchmarks.sweep_runs import EngineSpec
from scenes.errors import EngineError, RehearseError
from sim.manifest import FILE_NAME

QUIET = {"say": lambda _: None}


@given(st.integers(0, 40), st.integers(1, 40))
def test_bisection_finds_what_a_scan_finds(limit, count):
    grid, tried = [float(k) for k in range(1, count + 1)], []

    def holds(rate):
        tried.append(rate)
        return rate <= limit

    expected = max((rate for rate in grid if rate <= limit), default=None)
    assert highest_by_bisection(grid, holds) == expected
    assert len(tried) == len(set(tried)) <= count.bit_length()


@pytest.mark.parametrize(
    ("text", "grid"),
    [("5..8", (5, 6, 7, 8)), ("5..20:5", (5, 10, 15, 20)), ("30,15", (15, 30)), ("7.5..10:0.5", (7.5, 8, 8.5, 9, 9.5, 10))],
)
def test_grids_of_rates(text, grid):
    assert parse_grid(text) == grid


@pytest.mark.parametrize("text", ["", "5..", "60..5", "0..5", "5..60:0", "a,b", "5;6", "2000"])
def test_other_grids_are_refused(text):
    with pytest.raises(RehearseError, match=re.escape(repr(text))):
        parse_grid(text)


def test_engines_are_named_by_file_backend_and_precision():
    path = str(SHIPPED_ENGINE)
    spec = EngineSpec.parse(f"{path}:openvino:f32", emulate="p50=80ms")
    assert (spec.file, spec.backend, spec.precision) == (SHIPPED_ENGINE, "openvino", "f32")
    assert spec.label == "panoptic_depthlab_tabletop, openvino f32 held back to p50=80ms"
    assert EngineSpec.parse(path).label == "panoptic_depthlab_tabletop, as it comes"
    for text in (f"{path}:a:b:c", f"{path}:", ":openvino"):
        with pytest.raises(RehearseError, match=re.escape("FILE[:BACKEND[:PRECISION]]")):
            EngineSpec.parse(text)
    with pytest.raises(EngineError, match="not there"):
        EngineSpec.parse("nothing.onnx:openvino")


def scores(status, rate_hz=15.0, *, missed=0.0, bound=0.03, offline=0.7, streaming=0.6):
    pq, dvpq = ({"value": v, "low": None, "high": None, "n": 9, "unit": "fraction"} for v in (streaming, 0.5))
    column, best = {"figures": {"pq": pq, "dvpq": dvpq}}, {"figures": {"pq": {**pq, "value": offline}, "dvpq": dvpq}}
    return {
        "verdict": {"status": status, "reason": f"because {rate_hz:g}", "marks": ["EMULATED: no device"], "checks": []},
        "claim": 0.95, "deadline_ms": 66.7, "rate_hz": rate_hz,
        "latency": {
            "frames": 150, "miss_ratio": missed, "miss_ratio_bound_99": bound,
            "quantiles": [{"p": 0.5, "ms": 40.0}, {"p": 0.99, "ms": "inf"}],
        },
        "quality": {"offline": best, "deadline": column, "streaming": column},
    }  # fmt: skip


class Device:
    """Stands where runs take place: writes what `rehearse hil` would have written for a device of a known limit."""

    def __init__(self, monkeypatch, verdict):
        self.played = []
        monkeypatch.setattr(sweep_runs.SweepRuns, "_play", lambda _, place, engine, words: self.play(place, engine, words))
        self.verdict = verdict

    def play(self, place, engine, words):
        rate_hz = float(next(w for w in words if w.startswith("--rate=")).removeprefix("--rate="))
        status = self.verdict(rate_hz, engine, self.played.count(rate_hz))
        self.played.append(rate_hz)
        if status is None:
            raise RehearseError("it cannot run here")
        place.mkdir(parents=True)
        (place / "scores.json").write_text(json.dumps(scores(status, rate_hz, missed=0.0 if status == "PASS" else 0.6)))
        (place / "finished.json").write_text("{}")


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE_NAME).write_text("{}")
    return tmp_path / "data"


def test_the_highest_rate_and_every_run_are_told(monkeypatch, data, tmp_path):
    device = Device(monkeypatch, lambda rate, *_: "PASS" if rate <= 22 else "FAIL")
    sweep = sweep_rates(data, EngineSpec(device="tcp://x"), grid=range(5, 61), words=[], out=tmp_path / "out", **QUIET)
    assert sweep.highest_hz == 22
    assert sweep.status == "PASS"
    assert sweep.sentence().endswith("23 FPS does not.")
    assert {22.0, 23.0} <= set(device.played)
    assert len(sweep.rows()) == 1 + len(device.played)
    written = json.loads((tmp_path / "out" / "sweep.json").read_text())
    assert written["highest_hz"] == 22
    assert sum(len(p["attempts"]) for p in written["points"]) == len(device.played)
    page = (tmp_path / "out" / "sweep.html").read_text()
    assert "22 FPS is the highest rate" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(("words", "within"), [([], "66.7 ms"), (["--deadline=period"], "a period")])
def test_the_result_says_when_an_answer_is_late(monkeypatch, data, tmp_path, words, within):
    Device(monkeypatch, lambda *_: "PASS")
    sweep = sweep_rates(data, EngineSpec(device="tcp://x"), grid=[15], words=words, out=tmp_path / "out", **QUIET)
    assert f"95 % are on time within {within};" in sweep.sentence()


def test_a_sweep_goes_on_where_it_was_stopped_and_another_is_refused(monkeypatch, data, tmp_path):
    def sweep(words):
        return sweep_rates(data, EngineSpec(device="x"), grid=range(5, 61), words=words, out=tmp_path / "out", **QUIET)

    def stopped_in_the_third(rate, _, __):
        if len(device.played) == 2:
            raise KeyboardInterrupt
        return "PASS" if rate <= 22 else "FAIL"

    device = Device(monkeypatch, stopped_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        sweep([])
    first = list(device.played)
    assert len(first) == 2
    again = Device(monkeypatch, lambda rate, *_: "PASS" if rate <= 22 else "FAIL")
    assert sweep([]).highest_hz == 22
    assert not set(first) & set(again.played)
    with pytest.raises(RehearseError, match="another sweep"):
        sweep(["--claim=0.9"])


def test_an_invalid_rate_is_tried_again_and_both_are_kept(monkeypatch, data, tmp_path):
    def verdict(rate, _, before):
        return "INVALID" if rate == 20 and not before else "PASS" if rate <= 20 else "INVALID"

    device = Device(monkeypatch, verdict)
    sweep = sweep_rates(data, EngineSpec(device="x"), grid=[10, 20, 30], words=[], out=tmp_path / "out", **QUIET)
    assert device.played == [20, 20, 30, 30]
    assert sweep.highest_hz == 20
    assert "could not play the camera" in sweep.sentence()
    assert [row[:2] for row in sweep.rows()[1:]] == [("20", "INVALID"), ("20", "PASS"), ("30", "INVALID"), ("30", "INVALID")]


def test_where_no_rate_holds_the_sweep_says_so(monkeypatch, data, tmp_path):
    Device(monkeypatch, lambda *_: "FAIL")
    sweep = sweep_rates(data, EngineSpec(device="x"), grid=[10, 20], words=[], out=tmp_path / "out", **QUIET)
    assert (sweep.highest_hz, sweep.status) == (None, "FAIL")
    assert sweep.sentence().startswith("No rate of 10 to 20 FPS holds")


def test_every_rate_trusts_no_rate_above_one_that_failed(monkeypatch, data, tmp_path):
    device = Device(monkeypatch, lambda rate, *_: "FAIL" if rate == 20 else "PASS")
    sweep = sweep_rates(
        data, EngineSpec(device="x"), grid=[10, 20, 30], words=[], out=tmp_path / "out", every_rate=True, **QUIET
    )
    assert device.played == [10, 20, 30]
    assert sweep.highest_hz == 10


def test_an_engine_that_cannot_run_is_a_row_with_the_reason(monkeypatch, data, tmp_path):
    Device(monkeypatch, lambda _, engine, __: None if engine.precision == "bf16" else "FAIL")
    specs = [EngineSpec(file=SHIPPED_ENGINE, backend="onnxruntime", precision=p) for p in ("f32", "bf16")]
    monkeypatch.setattr(engine_sweep, "seconds_of", lambda _, __: 9.0)
    sweep = sweep_engines(data, specs, rate_hz=15.0, words=[], out=tmp_path / "out", **QUIET)
    assert [row[1] for row in sweep.rows()[1:]] == ["FAIL", "UNAVAILABLE"]
    assert sweep.notes()[1] == "onnxruntime bf16: it cannot run here"
    assert sweep.rows()[1][2:5] == ("70.0 %", "60.0 %", "60.0 %")
    assert {p.name for p in (tmp_path / "out" / "01-onnxruntime_f32").iterdir()} == {"lockstep", "clock"}
    assert sweep.rows()[1][8] == "no answer"
    assert sweep.status == "FAIL"
    svg = ET.fromstring((tmp_path / "out" / "sweep.svg").read_text())
    assert len(svg.findall(".//{*}circle/{*}title")) == 1
    with pytest.raises(RehearseError, match="None of the engines"):
        sweep_engines(data, specs[1:], rate_hz=15.0, words=[], out=tmp_path / "none", **QUIET)


def place_of(svg, label):
    circle = next(c for c in svg.iter("circle") if c.find("title") is not None and c.find("title").text.startswith(label))
    return float(circle.get("cx")), float(circle.get("cy"))


def test_a_rate_stands_where_its_misses_are():
    marks = [
        RateMark(rate_hz=10, missed=0.0, bound=0.5, status="PASS"),
        RateMark(rate_hz=20, missed=1.0, bound=3.0, status="FAIL"),
        RateMark(rate_hz=40, missed=100.0, bound=100.0, status="INVALID"),
    ]
    svg = ET.fromstring(misses_by_rate(marks, allowed=5.0, highest_hz=10, title="t"))
    (x10, y0), (x20, y1), (x40, y100) = (place_of(svg, f"{rate} FPS") for rate in (10, 20, 40))
    assert (x40 - x20) / (x20 - x10) == pytest.approx(2, rel=0.01)
    lines = {float(line.get("y1")) for line in svg.iter("line") if line.get("class") == "grid"}
    assert {y0, y1, y100} <= lines  # none, 1 % and 100 % are lines of the grid
    again = ET.fromstring(misses_by_rate([*marks, marks[1]], allowed=5.0, highest_hz=None, title="t"))
    beside = [float(c.get("cx")) for c in again.iter("circle") if (c.findtext("title") or "").startswith("20 FPS")]
    assert beside[1] - beside[0] >= 14  # a second attempt does not hide the first


def test_an_engine_that_loses_nothing_stands_on_the_diagonal():
    marks = [
        EngineMark(label="a", below="p50", offline=(70.0, 65.0, 75.0), streaming=(70.0, 66.0, 74.0), status="PASS"),
        EngineMark(label="b", below="p50", offline=(70.0, None, None), streaming=(69.5, None, None), status="FAIL"),
    ]
    svg = ET.fromstring(streaming_by_offline(marks, column="streaming", title="t"))
    x, y = place_of(svg, "a")
    diagonal = next(line for line in svg.iter("line") if line.get("class") == "mark")
    x1, y1, x2, y2 = (float(diagonal.get(k)) for k in ("x1", "y1", "x2", "y2"))
    assert (y - y1) / (y2 - y1) == pytest.approx((x - x1) / (x2 - x1), abs=1e-3)
    heights = sorted(float(t.get("y")) for t in svg.iter("text") if t.text in ("a", "b"))
    assert heights[1] - heights[0] >= 18  # the labels of near points do not lie on each other


def test_a_picture_is_a_file_of_its_own():
    mark = RateMark(rate_hz=10, missed=0.0, bound=0.5, status="PASS")
    svg = standalone(misses_by_rate([mark], allowed=5.0, highest_hz=None, title="a <b>"))
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"


