"""The page of repeated runs: a row and a chart per run, the verdict on all, links to each, and a JUnit file of all."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from benchmarks.repeat import gather
from hil.session import save_session
from tests.benchmarks.rehearsals import make_frame, make_session
from tests.benchmarks.test_report import Page


@pytest.fixture
def runs(tmp_path):
    frames = [make_frame(i) for i in range(3)]
    tables = ([20.0] * 100, [25.0] * 100, [22.0] * 95 + [80.0] * 2 + [None] * 3)
    for k, latencies in enumerate(tables, 1):
        session = replace(make_session(frames, latencies), predictions={}, agent={"engine": {}, "instance": f"i{k}"})
        save_session(session, tmp_path / f"run-{k}" / "session.json")
    return gather([tmp_path / f"run-{k}" / "session.json" for k in (1, 2, 3)], out=tmp_path)


def test_every_run_has_its_row_and_leads_to_its_own_report(runs):
    html = runs.report_path.read_text(encoding="utf-8")
    page = Page(html)
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links == [f"run-{k}/report.html" for k in (1, 2, 3)]
    assert runs.verdict.reason in page.text
    assert "300" in page.text
    assert html.count("due frames of run-") == 3
    assert html.count("<circle") == 5 + 5 + 2 + 3  # of run 3 and of all, the upper quantiles and the maximum never came
    assert "p99, p99.9, max: no answer" in page.text
    assert "started anew" in page.text


def test_the_rules_are_in_junit_and_on_the_page(runs, tmp_path):
    suite = ET.parse(tmp_path / "junit.xml").getroot()[0]  # written just now
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names == [check.name for check in runs.verdict.checks]
    page = Page(runs.report_path.read_text(encoding="utf-8"))
    assert all(name in page.text for name in names)
    assert float(suite.get("time")) == pytest.approx(sum(s.duration_s for s in runs.sessions), rel=1e-4)


def test_quality_of_each_run_is_shown_where_it_is_known(runs, tmp_path):
    figures = {"pq": {"value": 0.615}, "delta1_image_mean": {"value": 0.9}, "box_ap25": {"value": None}}
    (tmp_path / "run-2" / "scores.json").write_text(json.dumps({"quality": {"offline": {"figures": figures}}}))
    again = gather([tmp_path / f"run-{k}" / "session.json" for k in (1, 2, 3)], out=tmp_path)
    page = Page(again.report_path.read_text(encoding="utf-8"))
    assert "61.5 %" in page.text


def test_the_summary_names_the_page(runs):
    assert runs.describe().endswith(f"Report: {runs.report_path}")
    assert runs.to_dict()["report"] == str(runs.report_path)
