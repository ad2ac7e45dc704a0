"""What happened in a run stands on its page, at its time; the worst frames are the worst ones; no column is left out."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks._columns import columns_card
from benchmarks._event_table import event_table, flags_of
from benchmarks._events import events_of
from benchmarks._row_charts import Marks, mark_rows
from benchmarks._waterfall import waterfall_card
from benchmarks._worst import worst_cards, worst_frames
from benchmarks.report import render_report
from hil.figures.clock import ClockFit, Minimum
from hil.figures.quality import score_answers
from hil.outage import Outage
from perception.prediction import Prediction
from tests.benchmarks.rehearsals import make_frame, make_rehearsal, make_session, perfect
from tests.benchmarks.test_report import Page

S = 1_000_000_000


def session_of(latencies_ms, **changes):
    frames = [make_frame(i) for i in range(5)]
    return replace(make_session(frames, latencies_ms), **changes), frames


def test_a_quiet_run_has_no_events():
    session, _ = session_of([20.0] * 60 + [None] * 2 + [20.0] * 30)
    assert events_of(session) == ([], 0)
    assert event_table([], 0) == ""


def test_stretches_of_misses_are_events_with_begin_and_end():
    session, _ = session_of([20.0] * 15 + [90.0, None, None, 80.0] + [20.0] * 30)
    ((event,), more) = events_of(session)
    assert (event.kind, more) == ("misses", 0)
    assert (event.at_s, event.until_s) == (pytest.approx(1.0), pytest.approx(19 / 15))
    assert event.said == "4 frames in a row: 2 late, 2 dropped"


def test_the_longest_stretches_are_kept_where_there_are_many():
    latencies = []
    for k in range(40):
        latencies += [20.0] * 5 + [None] * (3 + (k == 20) * 4)
    events, more = events_of(session_of(latencies)[0])
    assert (len(events), more) == (24, 16)
    assert any(event.said.startswith("7 frames") for event in events)
    assert [e.at_s for e in events] == sorted(e.at_s for e in events)


def sample(at_s, **values):
    return {"at_ns": round(at_s * S), **values}


def throttling():
    hot = {"limits_c": {"gpu": 90.0}}
    return {
        "samples": [
            sample(0, events={"oc1": 4}, temperatures_c={"gpu": 60.0}, **hot),
            sample(1, events={"oc1": 6}, temperatures_c={"gpu": 91.0}, **hot),
            sample(2, events={"oc1": 6}, temperatures_c={"gpu": 92.0}, loads={"gpu": 0.95}, clock_shares={"gpu": 0.7}, **hot),
            sample(3, events={"oc1": 6}, temperatures_c={"gpu": 70.0}, loads={"gpu": 0.10}, clock_shares={"gpu": 0.2}, **hot),
        ]
    }


def test_throttling_is_placed_in_time_by_the_first_and_last_sample_that_show_it():
    session, _ = session_of([20.0] * 90, telemetry=throttling())
    found = {(e.said, e.at_s, e.until_s) for e in events_of(session)[0]}
    assert found == {
        ("oc1 counted events", 1.0, 1.0),
        ("gpu at or above 90 C", 1.0, 2.0),
        ("gpu below its highest clock under load", 2.0, 2.0),
    }


def test_a_device_with_another_clock_is_placed_by_the_comparison_or_not_at_all():
    minima = [Minimum(at_ns=at * S, offset_ns=7 * S, bound_ns=1000) for at in (0, 3, 6)]
    ahead = throttling()
    for one in ahead["samples"]:
        one["at_ns"] += 7 * S
    session, _ = session_of([20.0] * 90, telemetry=ahead, same_clock=False, clock=ClockFit(minima).to_dict())
    assert {round(e.at_s, 6) for e in events_of(session)[0]} == {1.0, 2.0}
    unknown = replace(session, clock={})
    assert {e.at_s for e in events_of(unknown)[0]} == {None}
    assert "not known: the device has another clock" in event_table(*events_of(unknown))
    assert flags_of(events_of(unknown)[0]) == []


def test_a_clock_step_and_an_agent_that_was_gone_are_events():
    minima = [Minimum(at_ns=at * S, offset_ns=(0 if at < 3 else S), bound_ns=1000) for at in range(6)]
    session, _ = session_of([20.0] * 60, clock=ClockFit(minima).to_dict(), fault="The agent fell silent.")
    kinds = {e.kind: e for e in events_of(session)[0]}
    assert kinds["clock"].at_s == pytest.approx(2.0)
    assert kinds["outage"].said == "The agent fell silent."


def test_outages_are_events_from_the_last_sign_of_life_to_the_new_handshake():
    first = session_of([20.0] * 60)[0].due[0].due_ns
    gone = Outage(
        from_ns=first + S, found_ns=first + 2 * S, to_ns=first + round(2.25 * S), reason="it fell <silent>", frames=17,
        agent_changed=True,
    )  # fmt: skip
    never = replace(gone, from_ns=first + 3 * S, to_ns=None, agent_changed=None)
    session, _ = session_of([20.0] * 60, outages=(gone.to_dict(), never.to_dict()), fault="it never came back")
    events = [e for e in events_of(session)[0] if e.kind == "outage"]
    assert [(e.at_s, e.until_s) for e in events] == [(1.0, 2.25), (3.0, pytest.approx(59 / 15))]
    assert events[0].said == "it fell <silent>: back after 1.2 s, as another process, 17 frames without it"
    assert "it never came back" in events[1].said
    assert "it fell &lt;silent&gt;" in event_table(events, 0)


def test_restarts_of_an_engine_are_events():
    told = [{"at_ns": S, "what": "failed", "why": "it <hangs>"}, {"at_ns": 2 * S, "what": "ready", "why": ""}]
    session, _ = session_of([20.0] * 60, telemetry={"samples": [], "engine_events": told})
    events, _ = events_of(session)
    assert [(e.at_s, e.said) for e in events] == [(1.0, "failed: it <hangs>"), (2.0, "ready")]
    assert "it &lt;hangs&gt;" in event_table(events, 0)


def test_a_waterfall_has_the_stages_of_the_slowest_and_the_median():
    session, _ = session_of([20.0] * 50 + [40.0] * 10)
    card = waterfall_card(session)
    Page(card)
    for label, total in (("p50", 20.0), ("slowest,", 40.0)):
        assert label in card
        assert f">{total:.1f}</text>" in card
    assert card.count("<title>uplink: ") == card.count("<title>decode: ") == 5
    assert waterfall_card(session_of([None] * 9)[0]) == ""


def test_without_a_common_clock_both_crossings_are_one():
    session, _ = session_of([20.0] * 50, same_clock=False)
    card = waterfall_card(session)
    assert "<title>uplink + downlink: " in card
    assert "<title>downlink" not in card
    assert ">20.0</text>" in card


def test_the_worst_frames_are_the_late_the_missing_and_the_poor():
    latencies = [20.0] * 10 + [95.0, 20.0, None, None, None, 20.0, 99.0, 20.0]
    session, frames = session_of(latencies)
    poor = Prediction(
        segment_id=np.zeros((48, 64), np.int32), segments=(), depth_m=np.full((48, 64), np.nan, np.float32)
    )
    session = replace(session, predictions={**session.predictions, 4: poor})
    worst = worst_frames(session, score_answers(session, frames), frames)
    by_kind = {}
    for one in worst:
        by_kind.setdefault(one.why, []).append(one)
    assert [one.record.seq for one in by_kind["no answer"]] == [13]  # the middle of the one stretch
    assert [one.record.seq for one in by_kind["slowest answer"]] == [16, 10]
    assert by_kind["poorest answer"][0].record.seq == 4
    assert (by_kind["poorest answer"][0].pq, by_kind["poorest answer"][1].pq) == (0.0, pytest.approx(1.0))
    prediction, age_s = by_kind["no answer"][0].in_hand
    assert prediction is session.predictions[11]
    assert age_s == pytest.approx((13 - 11) / 15 + session.deadline_s, abs=1e-6)
    text = "".join(worst_cards(worst, 66.7))
    Page(f"<p>{text}</p>")
    assert "An answer" not in text
    assert "99.0 ms, deadline 66.7 ms" in text
    assert "All of it was missed" in text
    assert "The newest answer, to an image 200 ms old." in text


def test_a_frame_before_the_first_answer_has_nothing_in_hand():
    session, frames = session_of([None] * 5 + [20.0] * 5)
    worst = worst_frames(session, score_answers(session, frames), frames)
    assert worst[0].in_hand is None
    assert "No answer had come yet." in "".join(worst_cards(worst, 66.7))


def test_every_column_of_quality_is_drawn(tmp_path):
    rehearsal, _ = make_rehearsal(tmp_path, [20.0] * 50 + [80.0] * 50)
    card = columns_card(rehearsal.quality)
    in_time = 100 * rehearsal.quality.deadline["pq"].value
    assert 0 < in_time < 100
    assert "PQ, every answer: 100.0 %" in card
    assert f"PQ, in time: {in_time:.1f} %" in card
    assert "streaming" not in card  # stills

    class More:
        columns = {  # noqa: RUF012
            "offline": rehearsal.quality.offline, "streaming_60": rehearsal.quality.deadline, "none": None,
            "new_one": rehearsal.quality.offline,
        }  # fmt: skip

    card = columns_card(More())
    assert f"PQ, streaming, 60 times a second: {in_time:.1f} %" in card
    assert "PQ, new one: 100.0 %" in card
    assert ">none<" not in card


def test_marks_of_runs_tell_what_never_came():
    rows = [Marks(label="run 1", values_ms={"p50": 20.0, "p95": 80.0}, beyond=("p99",))]
    chart = mark_rows(rows, deadline_ms=66.7, title="runs")
    Page(chart)
    assert chart.count("<circle") == 2
    assert '<circle class="late"' in chart
    assert "p99: no answer" in chart


def test_all_of_it_is_on_the_page(tmp_path):
    rehearsal, frames = make_rehearsal(tmp_path, [20.0] * 90 + [None] * 5 + [80.0] * 5)
    worst = worst_frames(rehearsal.session, score_answers(rehearsal.session, frames), frames)
    html = render_report(rehearsal, [(frame, perfect(frame)) for frame in frames[:1]], worst)
    page = Page(html)
    for words in ("Waterfall of single frames", "Quality under time", "Events, by the letters above", "Worst frames"):
        assert words in page.text
    assert ("class", "band misses") in {item for tag, attrs in page.tags if tag == "rect" for item in attrs.items()}
