"""The report is one file that loads nothing, says every figure it was given, and escapes what others wrote."""

import re
from html.parser import HTMLParser

import pytest

from benchmarks.report import render_report
from tests.benchmarks.rehearsals import make_rehearsal, perfect

VOID = {"meta", "img", "line", "rect", "circle", "br"}


class Page(HTMLParser):
    """Collects tags and text, and fails where tags do not nest."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID or (tag in {"rect", "circle"} and not self.get_starttag_text().endswith("/>")):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


def page_of(folder, latencies_ms):
    rehearsal, frames = make_rehearsal(folder, latencies_ms)
    html = render_report(rehearsal, [(frame, perfect(frame)) for frame in frames[:2]])
    return rehearsal, html, Page(html)


@pytest.fixture(scope="module")
def passed(tmp_path_factory):
    return page_of(tmp_path_factory.mktemp("report"), [20.0 + k % 10 for k in range(100)])


def test_a_good_run_passes_and_says_why(passed):
    rehearsal, _, page = passed
    assert rehearsal.verdict.status == "PASS"
    assert ("header", {"class": "pass"}) in page.tags
    assert rehearsal.verdict.reason in page.text


def test_nothing_is_loaded_from_anywhere(passed):
    _, html, page = passed
    addresses = [v for _, attrs in page.tags for k, v in attrs.items() if k in ("src", "href", "action", "srcset")]
    assert addresses
    assert all(a.startswith(("data:image/", "#")) for a in addresses)
    assert not re.search(r"@import|url\(|<script|https?://", html)


def test_every_picture_has_a_text_and_every_table_its_heads(passed):
    _, _, page = passed
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == 16
    assert all(len(attrs["alt"]) > 15 for attrs in pictures)
    assert all(attrs["aria-label"] for tag, attrs in page.tags if tag == "svg")
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")


def test_navigation_leads_somewhere(passed):
    _, _, page = passed
    ids = {attrs.get("id") for _, attrs in page.tags}
    links = {attrs["href"][1:] for tag, attrs in page.tags if tag == "a"}
    assert links
    assert links <= ids


def test_text_of_others_never_becomes_markup(passed):
    _, html, page = passed
    assert "<b>view</b>" not in html
    assert "<b>view</b>" in page.text
    assert "CPU &amp; Co" in html


def test_perfect_predictions_show_perfect_figures(passed):
    rehearsal, _, page = passed
    assert rehearsal.quality.offline["pq"].value == pytest.approx(1.0)
    assert re.search(r"Panoptic quality \(PQ\) 100\.0", page.text)


def test_one_bar_stands_for_every_due_frame(passed):
    _, html, _ = passed
    timeline = next(part for part in html.split("<svg") if "due frames over time" in part)
    assert timeline.count("<title>") == 100


def test_a_long_run_shows_the_worst_of_each_stretch(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.report._MOST_BARS", 50)
    latencies = [20.0] * 140
    latencies[40], latencies[101] = None, 90.0
    _, html, page = page_of(tmp_path, latencies)
    timeline = next(part for part in html.split("<svg") if "140 due frames over time" in part).partition("</svg>")[0]
    assert timeline.count("<title>") == 47
    assert "the slowest of 3 frames" in page.text
    assert timeline.count("dropped") == 1
    assert timeline.count("late, 90.0 ms") == 1


def test_misses_and_drops_are_seen(tmp_path):
    latencies = [30.0] * 90 + [80.0] * 6 + [None] * 4
    rehearsal, html, page = page_of(tmp_path, latencies)
    assert rehearsal.verdict.status == "FAIL"
    assert ("header", {"class": "fail"}) in page.tags
    assert "dropped: 4" in page.text
    assert "late: 6" in page.text
    assert "too &lt;slow&gt;" in html
    assert rehearsal.quality.deadline["pq"].value < rehearsal.quality.offline["pq"].value


def test_a_run_without_any_answer_has_a_report(tmp_path):
    rehearsal, _ = make_rehearsal(tmp_path, [None] * 100)
    page = Page(render_report(rehearsal, []))
    assert "No answer came back" in page.text
    assert "no answer" in page.text


def test_a_short_run_is_invalid_not_failed(tmp_path):
    rehearsal, _, page = page_of(tmp_path, [20.0] * 30)
    assert rehearsal.verdict.status == "INVALID"
    assert ("header", {"class": "invalid"}) in page.tags


def test_summary_names_the_verdict_and_the_misses(passed):
    said = passed[0].describe()
    assert "PASS: " in said
    assert "100 on time" in said
    assert "report.html" in said
