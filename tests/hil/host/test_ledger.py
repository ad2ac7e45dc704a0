"""The ledger accounts for every due frame once, and the rule of the warm-up decides which frames count."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.host.ledger import Ledger
from hil.host.warm_up import WarmUp

RATE_HZ = 15.0
RULE = WarmUp(frames=20, seconds=0.0, windows=2, cap_s=4.0)  # at least 20, at most 60 frames


def ledger(rule=RULE, measured=30):
    return Ledger(start_ns=10**9, rate_hz=RATE_HZ, rule=rule, measured=measured, images=7)


def play(made, latencies_s):
    """Hands over and answers each frame in turn; `latencies_s` repeats its last value."""
    seq = 0
    while seq < len(made.entries):
        entry, latency_s = made.entries[seq], latencies_s[min(seq, len(latencies_s) - 1)]
        made.captured(entry, entry.due_ns)
        made.answered(entry, {"return_ns": entry.due_ns + round(latency_s * 1e9)}, 66_666_667)
        seq += 1
    return made.records()


def test_due_times_are_absolute():
    made = ledger()
    assert [e.due_ns for e in made.entries] == [10**9 + round(i * 1e9 / 15) for i in range(90)]


def test_a_steady_engine_ends_its_warm_up_when_two_windows_agree():
    made = ledger()
    records = play(made, [0.03])
    assert (made.warm_up, made.settled) == (30, True)  # two windows of 15 frames
    assert [r.warm_up for r in records] == [True] * 30 + [False] * 30
    assert sum(not r.warm_up for r in records) == 30


def test_a_restless_engine_is_measured_from_the_cap_on_and_says_so():
    made = ledger()
    records = play(made, [0.02 * 1.1**i for i in range(60)])
    assert (made.warm_up, made.settled) == (60, False)
    assert len(records) == 90


def test_a_slow_start_lengthens_the_warm_up():
    made = ledger()
    play(made, [0.1 * 0.95**i for i in range(30)])
    assert made.settled
    assert 40 < made.warm_up < 60


def test_a_run_that_ends_in_its_warm_up_lost_what_it_was_to_measure():
    made = ledger()
    for entry in made.entries[:5]:
        made.captured(entry, entry.due_ns)
    made.close_open("the agent died")
    records = made.records()
    assert sum(not r.warm_up for r in records) == 30
    assert {r.outcome for r in records} == {"lost"}


@given(st.lists(st.floats(0.001, 0.2), min_size=1, max_size=90), st.integers(1, 50))
@settings(deadline=None, max_examples=60)
def test_the_measured_frames_are_always_as_many_as_planned(latencies_s, measured):
    made = ledger(measured=measured)
    records = play(made, latencies_s)
    assert sum(not r.warm_up for r in records) == measured
    assert 20 <= made.warm_up <= 60
    assert [r.seq for r in records] == list(range(made.warm_up + measured))
    assert [r.warm_up for r in records] == sorted((r.warm_up for r in records), reverse=True)


def test_a_frame_has_one_outcome():
    made = ledger()
    made.captured(made.entries[0], made.entries[0].due_ns)
    made.missed(made.entries[0], "dropped", "replaced")
    with pytest.raises(ValueError, match="already dropped; it cannot become late"):
        made.answered(made.entries[0], {"return_ns": 10**10}, 66_666_667)


def test_a_frame_without_an_outcome_cannot_be_reported():
    with pytest.raises(ValueError, match="no outcome"):
        ledger().records()


def test_progress_counts_what_is_measured():
    made = ledger(WarmUp(frames=2, seconds=0.0, windows=0), measured=3)
    assert made.progress(10**9).phase == "warm-up"
    assert made.progress(10**9).remaining_s == pytest.approx(5 / 15, abs=1e-6)
    play(made, [0.1])
    told = made.progress(made.entries[-1].due_ns)
    assert (told.phase, told.due, told.answered, told.misses) == ("finished", 3, 3, 3)
