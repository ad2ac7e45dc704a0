"""A frame is lost when two PONGs in a row do not know of it, and not before."""

from hil.host.owed import Unowed
from hil.link.protocol import Kind, Message


def pong(asked_ns, owes):
    meta = {} if owes is None else {"owes": owes}
    return Message(kind=Kind.PONG, session=bytes(8), seq=asked_ns, due_ns=0, sent_ns=0, meta=meta, arrays=())


def test_two_pongs_without_it_lose_a_frame():
    unowed = Unowed()
    assert unowed.lost(pong(10, []), {1: 5}) == []
    assert unowed.lost(pong(20, []), {1: 5}) == [1]


def test_a_frame_that_left_after_the_ping_is_not_meant():
    unowed = Unowed()
    assert [unowed.lost(pong(t, []), {1: 25}) for t in (10, 20, 30)] == [[], [], []]
    assert unowed.lost(pong(40, []), {1: 25}) == [1]


def test_an_owed_frame_is_waited_for_and_begins_anew():
    unowed = Unowed()
    assert [unowed.lost(pong(t, o), {1: 5}) for t, o in ((10, []), (20, [1]), (30, []))] == [[], [], []]
    assert unowed.lost(pong(40, []), {1: 5}) == [1]


def test_an_agent_that_does_not_say_loses_nothing():
    unowed = Unowed()
    for owes in (None, "all", {"1": 2}):
        assert unowed.lost(pong(10, None) if owes is None else pong(10, owes), {1: 5}) == []


def test_an_answered_frame_is_forgotten():
    unowed = Unowed()
    unowed.lost(pong(10, []), {1: 5, 2: 6})
    assert unowed.lost(pong(20, []), {2: 6}) == [2]
