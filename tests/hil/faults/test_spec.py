"""A line of faults says what it means, and nonsense is refused in one sentence."""

import pytest

from hil.faults import Cut, Faults, parse_faults
from hil.faults.spec import describe
from scenes.errors import RehearseError

HOLD = Cut(mode="hold", lasts_s=0.2, at_s=0.0)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", Faults()),
        ("loss=1%", Faults(loss=0.01)),
        ("loss=0.01, nan=1", Faults(loss=0.01, nan=1.0)),
        ("delay=20ms", Faults(delay_s=0.02)),
        ("delay=20ms~5ms", Faults(delay_s=0.02, jitter_s=0.005)),
        ("rate=100Mbit", Faults(rate_bit_s=1e8)),
        ("cut=1.5s@3s", Faults(cuts=(Cut(mode="cut", lasts_s=1.5, at_s=3.0),))),
        ("close=1s@9s,hold=200ms", Faults(cuts=(HOLD, Cut(mode="close", lasts_s=1.0, at_s=9.0)))),
    ],
)  # fmt: skip
def test_a_line_is_read(text, faults):
    assert parse_faults(text) == faults


@pytest.mark.parametrize(
    "text",
    ["loss", "loss=",
     "loss=2", "loss=-1%", "loss=nan%", "lose=1%", "delay=20", "delay=5ms~9ms", "rate=100", "cut=yes", "cut=1s@x", "=", "a=b=c"],
)  # fmt: skip
def test_nonsense_is_one_sentence(text):
    with pytest.raises(RehearseError, match="Cannot make the faults"):
        parse_faults(text)


def test_an_unknown_fault_is_told_all_there_are():
    with pytest.raises(RehearseError, match="there are loss, duplicate, reorder"):
        parse_faults("latency=1ms")


def test_a_cut_is_found_by_its_time():
    faults = parse_faults("cut=1s@2s,hold=1s@5s")
    found = [faults.cut_at(t) for t in (1.9, 2.0, 2.9, 3.0, 5.5)]
    assert [None if c is None else c.mode for c in found] == [None, "cut", "cut", None, "hold"]


def test_it_says_what_it_does():
    assert describe(Faults()) == "nothing"
    assert describe(parse_faults("loss=1%,cut=1.5s@3s")) == "loss=0.01, cut=1.5s@3s"
