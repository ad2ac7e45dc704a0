"""The age of a frame is right whatever the clocks show, and never less than it is but for the drift that is allowed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.agent.staleness import Ages
from hil.figures.clock import MAX_DRIFT

MS = 1_000_000


@settings(deadline=None)
@given(st.integers(-(2**60), 2**60), st.lists(st.integers(0, 50), min_size=1, max_size=50), st.integers(0, 3000))
def test_an_age_is_what_it_took_beyond_the_fastest_message(offset_ns, ways_ms, stall_ms):
    ages, now_ns = Ages(), 2**61
    for way_ms in ways_ms:
        now_ns += 200 * MS
        ages.heard(now_ns, now_ns + way_ms * MS + offset_ns)
    due_ns = now_ns + 10 * MS
    age_s = ages.age_s(due_ns, due_ns + stall_ms * MS + offset_ns)
    drift_s = 2 * MAX_DRIFT * (len(ways_ms) * 0.2 + 5)
    assert (stall_ms - min(ways_ms)) / 1e3 - drift_s <= age_s <= stall_ms / 1e3 + drift_s


def test_a_clock_that_drifts_makes_no_frame_old():
    ages = Ages()
    for second in range(4 * 3600):
        host_ns = 10**12 + second * 10**9
        agent_ns = 10**9 + round(second * 1e9 * (1 + 0.9 * MAX_DRIFT))
        ages.heard(host_ns, agent_ns)
    assert abs(ages.age_s(host_ns, agent_ns)) < 0.001


@pytest.mark.parametrize("due_ns", [0, -5])
def test_a_frame_without_a_due_time_has_no_age(due_ns):
    ages = Ages()
    ages.heard(10**12, 10**12)
    assert ages.age_s(due_ns, 10**13) == 0.0


def test_without_any_sign_nothing_is_old():
    assert Ages().age_s(1, 10**15) == 0.0
    ages = Ages()
    ages.heard(0, 10**15)
    assert ages.age_s(1, 10**15) == 0.0


def test_an_old_first_sign_is_corrected_by_the_next():
    """A knock that a kernel kept for three seconds says little; the first fresh PING says the rest."""
    ages = Ages()
    ages.heard(10**12, 10**12 + 3 * 10**9)
    assert ages.age_s(10**12, 10**12 + 10**9) < 0
    ages.heard(10**12 + 10**9, 10**12 + 10**9)
    assert ages.age_s(10**12, 10**12 + 10**9) == pytest.approx(1.0, abs=0.01)
    assert np.isfinite(ages.age_s(10**12, 10**12))
