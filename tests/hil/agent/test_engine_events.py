"""Events of a peer are taken only for what they are, and never grow without bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.agent.engine_events import KEPT, checked_events, merged, restarts


def event(at_ns, what="failed", why="the engine hung for 2.1 s"):
    return {"at_ns": at_ns, "what": what, "why": why}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["at_ns", "what", "why"]), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_whatever_a_peer_says_is_a_list_of_events(value):
    for found in checked_events(value):
        assert set(found) == {"at_ns", "what", "why"}
        assert found["what"] in ("failed", "ready")


@pytest.mark.parametrize(
    "wrong", [None, 1, {}, event(True), event(1.0), event(1, what="other"), event(1, why=3), {"at_ns": 1}, [event(1)]]
)
def test_what_is_no_event_is_left_out(wrong):
    assert checked_events([event(5), wrong, event(6)]) == [event(5), event(6)]


def test_words_are_cut_and_so_is_the_list():
    assert len(checked_events([event(1, why="x" * 5000)])[0]["why"]) == 200
    assert len(checked_events([event(k) for k in range(10_000)])) == KEPT


def test_each_pong_repeats_the_latest_and_none_counts_twice():
    known = []
    for k in range(1, 200):
        known = merged(known, [event(j) for j in range(max(1, k - 16), k + 1)])
    assert [e["at_ns"] for e in known] == list(range(1, KEPT + 1))


def test_in_words():
    assert restarts([]) is None
    assert restarts([event(1, what="ready")]) is None
    said = restarts([event(1), event(2, what="ready"), event(3), event(4, why="the engine's process was ended by SIGSEGV")])
    assert said == (
        "the engine failed 3 times and was started again: the engine hung for 2.1 s; the engine's process was ended by SIGSEGV"
    )
