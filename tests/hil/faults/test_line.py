"""One direction of a faulty link, without sockets or clocks: what a seed does, how often, and what it costs in time."""

import itertools
import math

import numpy as np
import pytest

from hil.faults import Faults, Line, parse_faults
from hil.faults.damage import WAYS, spoil
from hil.faults.line import HELD_S, MAX_QUEUED_BYTES
from hil.faults.spec import SHARES
from hil.link.protocol import MAX_PART_BYTES, Kind, ProtocolError, open_message, pack, seal


def frame(number):
    body = pack(Kind.FRAME, {"intrinsics": [1.0] * 4}, (np.full((8, 9, 3), number % 256, np.uint8),))
    return [bytes(p) for p in seal(body, seq=number)]


FRAME = frame(7)
PING = [bytes(p) for p in seal(pack(Kind.PING, {}))]
RESULT = [bytes(p) for p in seal(pack(Kind.RESULT, {"a": 1}, (np.ones((8, 9), np.uint8), np.ones((8, 9), np.float32))))]
MS = 1_000_000


def line(text="", seed=0, direction=0):
    return Line(parse_faults(text), seed=seed, direction=direction)


def play(made, count, every_ms=1):
    """Puts frames in and returns (time in ms, index of the frame) of what came out."""
    out = []
    for i in range(count):
        made.put(b"host", frame(i), i * every_ms * MS)
    while (at_ns := made.next_ns()) is not None:
        out += [(at_ns / MS, parcel.parts[2][0]) for parcel in made.due(at_ns)]
    return out


def test_without_faults_everything_passes_at_once_and_unchanged():
    made = line()
    made.put(b"host", FRAME, 5)
    (parcel,) = made.due(5)
    assert parcel.parts is FRAME
    assert parcel.peer == b"host"
    assert dict(made.counts) == {"messages": 1, "overtaken": 0}


def test_the_same_seed_does_the_same_whatever_lies_between():
    text = "loss=10%,duplicate=10%,corrupt=10%,truncate=10%,nan=5%,delay=20ms~20ms"
    one, other, another = line(text, 1), line(text, 1), line(text, 2)
    for i in range(300):
        one.put(b"host", FRAME, i)
        for _ in range(i % 3):
            other.put(b"host", PING, i)
        other.put(b"host", FRAME, i)
        another.put(b"host", FRAME, i)
    frames = [entry for entry in other.done if entry[0] == "frame"]
    assert one.done == frames
    assert one.done != another.done
    assert [p.parts for p in one.due(10**12)] == [p.parts for p in other.due(10**12) if p.parts[0][6] == Kind.FRAME]


def test_up_and_down_do_not_share_their_faults():
    up, down = (line("loss=50%", direction=d) for d in (0, 1))
    for made in (up, down):
        play(made, 200)
    assert up.done != down.done


def test_one_more_fault_changes_no_other():
    few, more = line("loss=10%"), line("loss=10%,corrupt=30%,delay=5ms~5ms")
    for made in (few, more):
        play(made, 300)
    assert [e for e in few.done if e[2] == "loss"] == [e for e in more.done if e[2] == "loss"]


@pytest.mark.parametrize("name", SHARES)
def test_a_share_is_a_share(name):
    made = Line(Faults(**{name: 0.2}), seed=3, direction=0)
    for i in range(500):
        made.put(b"host", FRAME, i)
        made.due(i)
    assert abs(made.counts[name] - 100) < 4.5 * math.sqrt(500 * 0.2 * 0.8)
    made = Line(Faults(**{name: 1.0}), seed=3, direction=0)
    play(made, 20)
    assert made.counts[name] == 20


def test_a_delay_keeps_the_order_and_stays_within_its_jitter():
    out = play(line("delay=20ms~5ms"), 200)
    assert [i for _, i in out] == list(range(200))
    late = [at - i for at, i in out]
    assert 15 <= min(late) < 17
    assert 23 < max(late) <= 25


def test_a_rate_lets_one_message_through_after_the_other():
    size = sum(map(len, FRAME))
    out = play(line("rate=1Mbit"), 10, every_ms=0)
    each = size * 8e3 / 1e6
    assert [at for at, _ in out] == pytest.approx([each * (i + 1) for i in range(10)], abs=1e-3)


def test_what_is_held_back_is_overtaken():
    made = line("reorder=10%", 1)
    out = play(made, 100, every_ms=66)
    order = [i for _, i in out]
    assert order != sorted(order)
    assert sorted(order) == list(range(100))
    assert made.counts["overtaken"] > 0
    assert max(at - 66 * i for at, i in out) == pytest.approx(HELD_S * 1e3)


def test_a_duplicate_comes_right_after():
    out = play(line("duplicate=100%"), 5)
    assert [i for _, i in out] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize(("mode", "arrived"), [("cut", 5), ("close", 5), ("hold", 10)])
def test_a_cut_lets_nothing_pass(mode, arrived):
    made = line(f"{mode}=50ms@20ms")
    made.begin(0)
    out = play(made, 10, every_ms=10)
    assert len(out) == arrived
    assert not [at for at, _ in out if 20 <= at < 70]
    assert made.counts["cut"] + made.counts["held"] == 5


def test_the_queue_is_bounded():
    made = line("delay=10s")
    big = [*PING[:1], bytes(MAX_PART_BYTES)]
    for _ in range(20):
        made.put(b"host", big, 0)
    assert made.counts["overflow"] >= 12
    assert sum(sum(map(len, p.parts)) for p in made.due(10**12)) <= MAX_QUEUED_BYTES


@pytest.mark.parametrize("parts", [FRAME, RESULT, PING], ids=["frame", "result", "ping"])
@pytest.mark.parametrize("name", WAYS)
def test_what_is_spoilt_is_another_message_or_none(name, parts):
    for seed in range(20):
        spoilt = spoil(name, parts, rng=np.random.default_rng(seed))
        if spoilt is None:
            assert name in ("dtype", "shape", "nan")
            assert parts is PING
            continue
        assert [bytes(p) for p in spoilt] != parts
        if name in ("corrupt", "truncate", "oversize", "version", "kind"):
            with pytest.raises(ProtocolError):
                open_message(spoilt)
        else:  # a right checksum around wrong contents
            open_message(spoilt)


def test_what_is_spoilt_keeps_its_number():
    """A fault in the contents is not one in the address: the agent can say which frame was wrong."""
    for name in ("dtype", "shape", "nan"):
        assert open_message(spoil(name, FRAME, rng=np.random.default_rng(0))).seq == 7


def test_bytes_of_another_protocol_are_no_error():
    made = line("kind=100%,nan=100%,truncate=50%,corrupt=50%,session=100%")
    for parts in ([b""], [b"", b""], [b"GET / HTTP"], [bytes(48), b"x"]):
        made.put(b"host", parts, 0)
    assert len(made.due(1)) == 4


def test_numbers_of_a_seed_are_fixed():
    """A seed of today does the same tomorrow: these are the first frames that it loses."""
    made = line("loss=5%", 0)
    play(made, 200)
    lost = [number for _, number, _ in made.done]
    assert all(a < b for a, b in itertools.pairwise(lost))
    assert lost[:5] == FIRST_LOST


FIRST_LOST = [43, 44, 78, 94, 136]
