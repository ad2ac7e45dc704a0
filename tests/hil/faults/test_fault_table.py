"""The fault table of docs/hil-faults.md: every fault is made for real, seen to be made, and met as the table says."""

import time
from pathlib import Path

import pytest

from hil import recorder
from hil.client import Client
from hil.latency import summarize
from hil.recording import TableWriter
from hil.verdict import judge
from scenes.errors import LinkError
from tests.hil.faults.under_fire import (
    SHORT,
    check_later_frames_are_fine,
    check_outage,
    seqs,
    under_fire,
)
from tests.hil.test_runner import assume_steady, check_accounts, once_answered, run


def test_no_fault(agent):
    """The proxy itself: it changes nothing, so what the other tests see is the fault."""
    fire = under_fire(agent)
    assert fire.session.fault is None
    assert not fire.session.outages
    assert not seqs(fire.session, "lost", "error", "rejected")
    assert not judge(fire.session).marks
    assert set(fire.counts["up"]) == set(fire.counts["down"]) == {"messages", "delivered"}


@pytest.mark.parametrize("mode", ["cut", "close"])
def test_a_cut_link(agent, mode):
    """Connections that stay while nothing passes, and connections that close."""
    fire = under_fire(agent, *[f"{mode}=1.4s@0.7s"] * 2, duration_s=3.6)
    assert fire.counts["up"].get("cut", 0) + fire.counts["up"].get("closed", 0) > 0
    outage = check_outage(fire.session, changed=False)
    assert outage.lasted_s < 1.4 + 2.0
    assert fire.oldest_s() < 1 / 30 + 0.3
    assert "The agent was gone" in judge(fire.session).reason


def test_a_link_that_keeps_what_it_could_not_deliver(agent):
    """What comes 1.4 s late is dropped by the agent, and its engine never sees it."""
    fire = under_fire(agent, *["hold=1.4s@0.7s"] * 2, duration_s=3.6)
    assert fire.counts["up"]["held"] > 2
    check_outage(fire.session, changed=False)
    assert fire.counted("stale") + fire.counted("refused") > 0
    assert fire.oldest_s() < 1 / 30 + 0.5


def test_a_slow_link(agent):
    fire = under_fire(agent, *["rate=2Mbit"] * 2, compress="never")
    assert not fire.session.outages
    assert not seqs(fire.session, "lost", "error", "rejected")
    stages = summarize(fire.session).stages
    assert stages["uplink"]["p50"] > 2400 * 8 / 2e6  # an image of 24 x 32 alone
    assert stages["downlink"]["p50"] > 24 * 32 * 5 * 8 / 2e6


def test_a_long_way(agent):
    fire = under_fire(agent, *["delay=15ms~5ms"] * 2)
    assert not seqs(fire.session, "lost", "error", "rejected")
    stages = summarize(fire.session).stages
    for way in ("uplink", "downlink"):
        assert 0.010 < stages[way]["p50"] < 0.030
    assert judge(fire.session).status != "PASS" or summarize(fire.session).quantile(0.5).value_s > 0.03


def test_lost_frames(agent):
    """Exactly the frames that the proxy took are lost, and each gives its credit back within half a second."""
    fire = under_fire(agent, up="loss=5%", duration_s=3.0)
    assert fire.counts["up"]["loss"] > 0
    assert seqs(fire.session, "lost") == fire.frames_hit["loss"]
    assert fire.session.counters["lost_on_the_way"] == len(fire.frames_hit["loss"])
    check_later_frames_are_fine(fire)
    assert any(mark.startswith("LINK:") for mark in judge(fire.session).marks)


def test_lost_answers(agent):
    fire = under_fire(agent, down="loss=5%", duration_s=3.0)
    assert fire.counts["down"]["loss"] > 0
    assert 0 < fire.session.counters["lost_on_the_way"] <= fire.counts["down"]["loss"]
    assert len(seqs(fire.session, "lost")) == fire.session.counters["lost_on_the_way"]
    assert len(seqs(fire.session, "on_time", "late")) > 0.4 * len(fire.session.frames)


def test_the_same_seed_loses_the_same_frames(agent):
    one, other = (under_fire(agent, up="loss=8%", seed=5, duration_s=1.5) for _ in range(2))
    numbers = [
        [sorted(f.seq for f in fire.session.frames if f.send_ns is not None).index(s) for s in sorted(fire.frames_hit["loss"])]
        for fire in (one, other)
    ]
    shorter = min(map(len, numbers))
    assert shorter > 0
    assert numbers[0][:shorter] == numbers[1][:shorter]


def test_overtaken_frames(agent):
    """A frame that comes after a newer one is dropped: an engine sees frames in their order."""
    fire = under_fire(agent, up="reorder=15%")
    assert fire.counts["up"]["overtaken"] > 0
    assert "a newer frame came before it" in fire.reasons("dropped")
    seqs_looked_at = [seq for _, seq in fire.looked_at]
    assert seqs_looked_at == sorted(seqs_looked_at)
    assert not seqs(fire.session, "lost", "error", "rejected")


def test_overtaken_answers(agent):
    fire = under_fire(agent, down="reorder=15%")
    assert fire.counts["down"]["overtaken"] > 0
    assert not seqs(fire.session, "error", "rejected")
    assert len(seqs(fire.session, "on_time", "late")) > 0.4 * len(fire.session.frames)


def test_messages_that_come_twice(agent):
    """Every frame is computed once and every answer counted once."""
    fire = under_fire(agent, *["duplicate=30%"] * 2)
    assert fire.counted("duplicates") >= 0.8 * len(fire.frames_hit["duplicate"]) > 0
    assert fire.session.counters["stale_answers"] > 0
    assert not seqs(fire.session, "lost", "error", "rejected")
    seqs_looked_at = [seq for _, seq in fire.looked_at]
    assert len(seqs_looked_at) == len(set(seqs_looked_at))


def test_damaged_frames(agent):
    """None is computed: a checksum finds them, the agent counts them and says so, and the next one is fine."""
    fire = under_fire(agent, up="corrupt=10%,truncate=10%")
    hit = fire.frames_hit["corrupt"] | fire.frames_hit["truncate"]
    assert seqs(fire.session, "on_time", "late").isdisjoint(hit)
    assert seqs(fire.session, "rejected", "lost") <= hit
    assert fire.counted("protocol_errors") >= len(hit)
    assert any("damaged" in r or "announced sizes" in r for r in fire.reasons("rejected"))
    check_later_frames_are_fine(fire)


def test_damaged_answers(agent):
    """Damaged, shortened, of another version, of no kind or of another session: counted, and the frame is lost."""
    names = ("corrupt", "truncate", "version", "kind", "session")
    fire = under_fire(agent, down=",".join(f"{name}=4%" for name in names), seed=1, duration_s=3.0)
    assert set(names) <= set(fire.counts["down"])
    assert fire.session.counters["protocol_errors"] > 0
    assert not seqs(fire.session, "rejected", "error")
    assert len(seqs(fire.session, "on_time", "late")) > 0.4 * len(fire.session.frames)


def test_frames_that_are_too_large(agent):
    """The transport closes the connection on them; the agent lives, and the next frame comes over a new one."""
    fire = under_fire(agent, up="oversize=4%", duration_s=3.0)
    hit = fire.frames_hit["oversize"]
    assert hit
    assert hit <= seqs(fire.session, "lost")
    assert fire.session.fault is None
    check_later_frames_are_fine(fire)


def test_frames_with_a_wrong_head(agent):
    """Another version, an unknown kind and an old session: each is refused and counted, and never computed."""
    fire = under_fire(agent, up="version=5%,kind=5%,session=5%", duration_s=3.0)
    for name in ("version", "kind", "session"):
        assert fire.hit_by(name)
        assert fire.hit_by(name) <= seqs(fire.session, "lost")
    assert fire.counted("protocol_errors") >= len(fire.frames_hit["version"] | fire.frames_hit["kind"])
    assert fire.counted("refused") >= len(fire.hit_by("session"))
    assert not fire.session.outages
    check_later_frames_are_fine(fire)


def test_frames_with_wrong_contents(agent):
    """A right checksum around another type, another shape or no number at all: rejected with the reason."""
    said = {"dtype": "uint8 (H, W, 3)", "shape": "uint8 (H, W, 3)", "nan": "finite intrinsics"}
    fire = under_fire(agent, up=",".join(f"{name}=7%" for name in said))
    reasons = {f.seq: f.reason for f in fire.session.frames if f.outcome == "rejected"}
    for name, reason in said.items():
        assert fire.hit_by(name)
        assert all(reason in reasons[seq] for seq in fire.hit_by(name))
    assert set(reasons) == set().union(*fire.frames_hit.values())
    assert fire.counted("rejected") == len(reasons)
    check_later_frames_are_fine(fire)


def test_answers_with_wrong_contents(agent):
    """An answer that is not one is an error of that frame; it is never scored."""
    said = {"dtype": "needs whole ids and float32", "shape": "has maps of", "nan": "finite and positive"}
    fire = under_fire(agent, down=",".join(f"{name}=7%" for name in said), seed=2)
    assert set(said) <= set(fire.counts["down"])
    reasons = fire.reasons("error")
    assert 0 < len(reasons) <= sum(fire.counts["down"][name] for name in said)
    assert all(any(reason in given for given in reasons) for reason in said.values())
    assert all(any(reason in given for reason in said.values()) for given in reasons)
    assert len(seqs(fire.session, "on_time", "late")) > 0.4 * len(fire.session.frames)


def test_two_hosts_on_one_agent(agent, frames):
    """The second one is refused with a reason; the run of the first one does not notice."""
    refused = []

    def intrude():
        with pytest.raises(LinkError, match="refused this host: it is serving the host"):
            Client(agent.address)
        refused.append(True)

    session = run(frames, agent, duration_s=2.4, progress=once_answered(intrude)[0])
    check_accounts(session)
    assert refused
    assert session.fault is None
    assert not seqs(session, "lost", "error", "rejected")


class _Slow:
    """A sink that cannot keep up."""

    def __init__(self):
        self.written = 0

    def begin(self, head):
        pass

    def frame(self, _record, _prediction):
        time.sleep(0.3)
        self.written += 1

    def end(self, tail):
        pass

    def close(self):
        pass


def test_a_full_disk(agent, frames):
    """The run goes on at its time without its recording, and says so; the disk is the kernel's own full one."""
    with TableWriter(Path("/dev/full")) as writer:
        session = run(frames, agent, sinks=[writer])
    check_accounts(session)
    assert session.fault is None
    (fault,) = session.recording_faults
    assert "No space left on device" in fault
    assert any(mark.startswith("RECORDING INCOMPLETE") for mark in judge(session).marks)
    assert not seqs(session, "lost", "error", "rejected")


def test_a_slow_recorder(agent, frames, monkeypatch):
    """What it cannot write in time is counted, and no frame of the run waits for it."""
    monkeypatch.setattr(recorder.Recorder.__init__, "__kwdefaults__", {"capacity": 4})
    sink = _Slow()
    session = run(frames, agent, duration_s=3.0, warm_up=SHORT, sinks=[sink])
    check_accounts(session)
    lost = len(session.frames) - sink.written
    assert lost > 10
    assert session.recording_faults == (f"{lost} frames came faster than it was written",)
    assert not seqs(session, "lost", "error", "rejected")
    assume_steady(session)
    assert summarize(session).lateness_s["p99"] < 0.3  # a frame that waited for the sink would be
