import math

import pytest

from hil.figures.latency import summarize
from hil.figures.stages import STAGES
from hil.session import latencies_s
from tests.hil.records import answered, missed, session


def test_a_miss_is_infinite_and_moves_the_tail():
    records = [answered(i, 0.010) for i in range(94)] + [missed(94 + i, "dropped") for i in range(6)]
    report = summarize(session(records))
    assert report.quantile(0.5).value_s == pytest.approx(0.010)
    assert math.isinf(report.quantile(0.95).value_s)
    assert math.isinf(report.max_s)
    assert (report.misses, report.miss_ratio) == (6, 0.06)
    assert report.to_dict()["quantiles"][2]["ms"] == "inf"


def test_the_headline_takes_the_higher_bound():
    alone = [missed(i, "dropped") if i % 50 == 0 else answered(i, 0.01) for i in range(600)]
    together = [missed(i, "dropped") if 100 <= i < 112 else answered(i, 0.01) for i in range(600)]
    even, clustered = summarize(session(alone)), summarize(session(together))
    assert even.miss_ratio == clustered.miss_ratio == 0.02
    assert even.miss_bound_99 == even.miss_exact_99 > even.miss_bootstrap_99
    assert clustered.miss_bound_99 == clustered.miss_bootstrap_99 > clustered.miss_exact_99


def test_warm_up_is_left_out():
    records = [answered(0, 5.0, warm_up=True), answered(1, 0.01)]
    assert latencies_s(session(records).due) == pytest.approx([0.01])
    assert summarize(session(records)).max_s == pytest.approx(0.01)


def test_claims_follow_the_sample_size():
    report = summarize(session([answered(i, 0.010) for i in range(900)]))
    assert {c.p: c.holds for c in report.claims} == {0.95: True, 0.99: True, 0.995: False, 0.999: False}


def test_the_stages_add_up_to_the_latency():
    report = summarize(session([answered(i, 0.030) for i in range(10)]))
    assert tuple(report.stages) == STAGES
    assert sum(stage["p50"] for stage in report.stages.values()) == pytest.approx(0.030)
    assert report.jitter_s["max"] == pytest.approx(0, abs=1e-6)


def test_without_a_common_clock_the_crossings_are_not_available():
    report = summarize(session([answered(0, 0.030)], same_clock=False, clock_note="not available: two clocks"))
    assert {"uplink", "downlink"}.isdisjoint(report.stages)
    assert "inference" in report.stages
    assert "not available" in report.stages_note


def test_no_answer_at_all():
    report = summarize(session([missed(i, "lost") for i in range(3)]))
    assert report.jitter_s is None
    assert report.stages is None
    assert math.isinf(report.age_s["p50"])
    assert report.miss_bound_99 == 1.0


def test_runs_are_taken_together_and_none_is_left_out():
    good, bad = [answered(i, 0.03) for i in range(100)], [missed(i, "dropped") for i in range(100)]
    report = summarize(session(good), session(good), session(bad))
    assert (report.runs, report.frames, report.misses) == (3, 300, 100)
    assert report.max_s == math.inf
    assert report.miss_bound_99 == report.miss_bootstrap_99 > 0.6  # one of three runs failed wholly


def test_runs_of_different_rates_are_not_mixed():
    with pytest.raises(ValueError, match="different rates"):
        summarize(session([answered(0, 0.03)]), session([answered(0, 0.03)], rate_hz=30.0))


def test_nothing_due_has_no_figures():
    with pytest.raises(ValueError, match="at least one frame"):
        summarize(session([answered(0, 0.03, warm_up=True)]))
    with pytest.raises(ValueError, match="at least one frame"):
        summarize()


def test_the_figures_are_json_and_repeat_to_the_bit():
    made = session([missed(i, "dropped") if i % 9 == 0 else answered(i, 0.03 + i / 1e5) for i in range(200)])
    assert summarize(made).to_dict() == summarize(made).to_dict()
