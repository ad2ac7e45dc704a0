"""A stall that costs 4.33 % of all deadlines is 0.33 % to a closed loop: each rule against what can be said on paper."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.figures.rules import compare_rules, rule_table, rules_of
from tests.hil.records import PERIOD_NS, answered, missed, session

PERIOD_S, DEADLINE_S, RATE_HZ = 1 / 15, 1 / 15, 15.0
RULES = ("closed", "reanchored", "fifo", "answered", "latest", "age")


def table(service_s, **changes):
    rows = compare_rules(np.asarray(service_s), **{"rate_hz": RATE_HZ, "deadline_s": DEADLINE_S, **changes})
    return dict(zip(RULES, rows, strict=True))


def stalled(cycles=30, every=300, stall_s=0.8):
    service = np.full(cycles * every, 0.040)
    service[every // 2 :: every] += stall_s
    return service


def test_the_table_of_the_method():
    """0.8 s of stall every 300 frames at 15 FPS and 40 ms: the stalled frame, 11 replaced ones and the next are missed."""
    rows = table(stalled())
    assert rows["closed"].miss_ratio == rows["reanchored"].miss_ratio == 1 / 300
    assert rows["closed"].quantiles_s == rows["reanchored"].quantiles_s == pytest.approx((0.040, 0.040, 0.840))
    assert rows["closed"].rate_hz == pytest.approx(300 / (300 * 0.040 + 0.8))
    assert rows["reanchored"].rate_hz == pytest.approx(14.4, abs=0.05)
    assert rows["fifo"].miss_ratio == pytest.approx(29.5 / 300, abs=1 / 300)
    assert rows["latest"].miss_ratio == 13 / 300
    assert rows["answered"].miss_ratio == 2 / 289
    assert rows["answered"].frames == 30 * 289
    assert rows["latest"].quantiles_s[1:] == (math.inf, math.inf)
    assert rows["age"].quantiles_s[:2] == pytest.approx((PERIOD_S, 0.8), abs=1e-9)


def test_fifo_drains_by_what_is_left_of_each_period():
    """A queue after a stall of S shrinks by period - service per frame, so (S + service - deadline) / that many are late."""
    service = stalled(cycles=1)
    late = 1 + math.ceil((0.8 + 0.040 - PERIOD_S) / (PERIOD_S - 0.040) - 1e-9)
    assert table(service)["fifo"].miss_ratio * 300 == pytest.approx(late, abs=1)


def test_a_device_that_keeps_up_is_the_same_to_every_rule():
    rows = table(np.full(500, 0.040))
    for name in ("closed", "reanchored", "fifo", "answered", "latest"):
        assert rows[name].miss_ratio == 0
        assert rows[name].quantiles_s == pytest.approx((0.040, 0.040, 0.040))
    assert rows["reanchored"].rate_hz == pytest.approx(15.0, rel=0.01)
    assert rows["closed"].rate_hz == pytest.approx(25.0)


def test_a_device_at_half_the_rate_answers_half_the_frames():
    rows = table(np.full(1000, 2 * PERIOD_S))
    assert rows["closed"].miss_ratio == 1.0
    assert rows["reanchored"].rate_hz == pytest.approx(7.5, rel=0.01)
    assert rows["answered"].frames == pytest.approx(500, abs=2)
    assert rows["latest"].miss_ratio == 1.0
    assert rows["fifo"].quantiles_s[1] > 30  # the queue never ends


@given(st.lists(st.floats(0.001, 0.5), min_size=1, max_size=200))
@settings(deadline=None, max_examples=80)
def test_no_rule_that_counts_every_due_frame_is_kinder_than_a_closed_loop(service):
    rows = table(service)
    late = sum(s > DEADLINE_S for s in service) / len(service)
    assert rows["closed"].miss_ratio == pytest.approx(late)
    assert rows["fifo"].miss_ratio >= late - 1e-12
    assert rows["latest"].frames == rows["fifo"].frames == len(service)
    finite = rows["answered"].frames / len(service)
    assert rows["latest"].miss_ratio == pytest.approx(1 - finite * (1 - rows["answered"].miss_ratio))


def test_a_session_is_compared_by_its_own_service_times():
    """A run as the link makes it: frame 100 takes 840 ms, 11 frames are replaced, the next one waits."""
    records = [answered(i, 0.040) for i in range(300)]
    records[100] = answered(100, 0.840, late=True)
    for seq in range(101, 112):
        records[seq] = missed(seq, "dropped")
    records[112] = answered(112, (840 + 40) / 1e3 - 12 * PERIOD_NS / 1e9, late=True)
    rows = dict(zip(RULES, rules_of(session(records)), strict=True))
    assert rows["latest"].miss_ratio == 13 / 300
    assert not rows["latest"].simulated
    assert rows["answered"].miss_ratio == 2 / 289
    assert rows["closed"].miss_ratio == rows["reanchored"].miss_ratio == 1 / 300
    assert rows["closed"].simulated
    assert rows["fifo"].miss_ratio > 0.07  # the records leave a ninth of the time to the mailbox
    assert rules_of(session([missed(0, "lost")])) is None


def test_the_table_reads_as_text():
    heads, cells = rule_table(compare_rules(stalled(2), rate_hz=RATE_HZ, deadline_s=DEADLINE_S))
    assert heads[0] == "rule"
    assert [len(row) for row in cells] == [len(heads)] * 6
    assert cells[4][2] == "inf"
    assert cells[4][4] == "4.33 %"
