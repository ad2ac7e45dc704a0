"""The fault table of docs/hil.md: every fault is made for real, seen to be made, and met as the table says."""

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
    ages_processed_s,
    check_later_frames_are_fine,
    check_outage,
    seqs,
    under_fire,
)
from tests.hil.test_runner import assume_steady, check_accounts, once_answered, run

ENGINE_S = 0.004


def test_no_fault(start_agent):
    """The proxy itself: it changes nothing, so what the other tests see is the fault."""
    fire = under_fire(start_agent(ENGINE_S))
    assert fire.session.fault is None
    assert not fire.session.outages
    assert not seqs(fire.session, "lost", "error", "rejected")
    assert not judge(fire.session).marks
    assert set(fire.counts["up"]) == set(fire.counts["down"]) == {"messages", "delivered"}


@pytest.mark.parametrize("mode", ["cut", "close"])
def test_a_cut_link(start_agent, tmp_path, mode):
    """Connections that stay while nothing passes, and connections that close."""
    agent = start_agent(ENGINE_S, mode=f"log:{tmp_path / 'log'}")
    fire = under_fire(agent, *[f"{mode}=1.4s@0.7s"] * 2, duration_s=4.0)
    assert fire.counts["up"].get("cut", 0) + fire.counts["up"].get("closed", 0) > 0
    outage = check_outage(fire.session, changed=False)
    assert outage.lasted_s < 1.4 + 2.0
    assert max(ages_processed_s(fire.session, tmp_path / "log")) < 1 / 30 + 0.3
    assert "The agent was gone" in judge(fire.session).reason


def test_a_link_that_keeps_what_it_could_not_deliver(start_agent, tmp_path):
    """What comes 1.4 s late is dropped by the agent, and its engine never sees it."""
    agent = start_agent(ENGINE_S, mode=f"log:{tmp_path / 'log'}")
    fire = under_fire(agent, *["hold=1.4s@0.7s"] * 2, duration_s=4.0)
    assert fire.counts["up"]["held"] > 2
    check_outage(fire.session, changed=False)
    assert fire.session.counters["agent_stale"] + fire.session.counters["agent_refused"] > 0
    assert max(ages_processed_s(fire.session, tmp_path / "log")) < 1 / 30 + 0.5


def test_a_slow_link(start_agent):
    fire = under_fire(start_agent(ENGINE_S), *["rate=2Mbit"] * 2)
    assert not fire.session.outages
    assert not seqs(fire.session, "lost", "error", "rejected")
    stages = summarize(fire.session).stages
    assert stages["uplink"]["p50"] > 2400 * 8 / 2e6  # an image of 24 x 32 alone
    assert stages["downlink"]["p50"] > 24 * 32 * 5 * 8 / 2e6


def test_a_long_way(start_agent):
    fire = under_fire(start_agent(ENGINE_S), *["delay=15ms~5ms"] * 2)
    assert not seqs(fire.session, "lost", "error", "rejected")
    stages = summarize(fire.session).stages
    for way in ("uplink", "downlink"):
        assert 0.010 < stages[way]["p50"] < 0.030
    assert judge(fire.session).status != "PASS" or summarize(fire.session).quantile(0.5).value_s > 0.03


def test_lost_frames(start_agent):
    """Exactly the frames that the proxy took are lost, and each gives its credit back within half a second."""
    fire = under_fire(start_agent(ENGINE_S), up="loss=5%", duration_s=4.0)
    assert fire.counts["up"]["loss"] > 0
    assert seqs(fire.session, "lost") == fire.frames_hit["loss"]
    assert fire.session.counters["lost_on_the_way"] == len(fire.frames_hit["loss"])
    check_later_frames_are_fine(fire)
    assert any(mark.startswith("LINK:") for mark in judge(fire.session).marks)


def test_lost_answers(start_agent):
    fire = under_fire(start_agent(ENGINE_S), down="loss=5%", duration_s=4.0)
    assert fire.counts["down"]["loss"] > 0
    assert 0 < fire.session.counters["lost_on_the_way"] <= fire.counts["down"]["loss"]
    assert len(seqs(fire.session, "lost")) == fire.session.counters["lost_on_the_way"]
    assert len(seqs(fire.session, "on_time", "late")) > 0.5 * len(fire.session.frames)


def test_the_same_seed_loses_the_same_frames(start_agent):
    one, other = (under_fire(start_agent(ENGINE_S), up="loss=8%", seed=5, duration_s=1.5) for _ in range(2))
    numbers = [
        [sorted(f.seq for f in fire.session.frames if f.send_ns is not None).index(s) for s in sorted(fire.frames_hit["loss"])]
        for fire in (one, other)
    ]
    shorter = min(map(len, numbers))
    assert shorter > 0
    assert numbers[0][:shorter] == numbers[1][:shorter]


def test_overtaken_frames(start_agent, tmp_path):
    """A frame that comes after a newer one is dropped: an engine sees frames in their order."""
    agent = start_agent(ENGINE_S, mode=f"log:{tmp_path / 'log'}")
    fire = under_fire(agent, up="reorder=15%")
    assert fire.counts["up"]["overtaken"] > 0
    assert "a newer frame came before it" in fire.reasons("dropped")
    looked_at = [float(line.split()[1]) for line in (tmp_path / "log").read_text().splitlines()][3:]
    assert looked_at == sorted(looked_at)
    assert not seqs(fire.session, "lost", "error", "rejected")


def test_overtaken_answers(start_agent):
    fire = under_fire(start_agent(ENGINE_S), down="reorder=15%")
    assert fire.counts["down"]["overtaken"] > 0
    assert not seqs(fire.session, "error", "rejected")
    assert len(seqs(fire.session, "on_time", "late")) > 0.8 * len(fire.session.frames)


def test_messages_that_come_twice(start_agent, tmp_path):
    """Every frame is computed once and every answer counted once."""
    agent = start_agent(ENGINE_S, mode=f"log:{tmp_path / 'log'}")
    fire = under_fire(agent, *["duplicate=30%"] * 2)
    assert fire.session.counters["agent_duplicates"] >= 0.8 * len(fire.frames_hit["duplicate"]) > 0
    assert fire.session.counters["stale_answers"] > 0
    assert not seqs(fire.session, "lost", "error", "rejected")
    looked_at = [line.split()[1] for line in (tmp_path / "log").read_text().splitlines()][3:]
    assert len(looked_at) == len(set(looked_at))


@pytest.mark.parametrize("name", ["corrupt", "truncate"])
def test_damaged_frames(start_agent, name):
    """None is computed: a checksum finds them, the agent counts them and says so, and the next one is fine."""
    fire = under_fire(start_agent(ENGINE_S), up=f"{name}=15%")
    hit = fire.frames_hit[name]
    assert hit
    assert seqs(fire.session, "on_time", "late").isdisjoint(hit)
    assert seqs(fire.session, "rejected", "lost") <= hit
    assert fire.session.counters["agent_protocol_errors"] >= len(hit)
    assert any("damaged" in r or "announced sizes" in r for r in fire.reasons("rejected"))
    check_later_frames_are_fine(fire)


@pytest.mark.parametrize("name", ["corrupt", "truncate", "version", "kind", "session"])
def test_damaged_answers(start_agent, name):
    fire = under_fire(start_agent(ENGINE_S), down=f"{name}=10%", duration_s=2.0)
    assert fire.counts["down"][name] > 0
    assert fire.session.counters["protocol_errors"] > 0
    assert not seqs(fire.session, "rejected", "error")
    assert len(seqs(fire.session, "on_time", "late")) > 0.5 * len(fire.session.frames)


def test_frames_that_are_too_large(start_agent):
    """The transport closes the connection on them; the agent lives, and the next frame comes over a new one."""
    fire = under_fire(start_agent(ENGINE_S), up="oversize=4%", duration_s=4.0)
    hit = fire.frames_hit["oversize"]
    assert hit
    assert hit <= seqs(fire.session, "lost")
    assert fire.session.fault is None
    check_later_frames_are_fine(fire)


@pytest.mark.parametrize("name", ["version", "kind", "session"])
def test_frames_with_a_wrong_head(start_agent, name):
    """Another version, an unknown kind and an old session: each is refused and counted, and never computed."""
    fire = under_fire(start_agent(ENGINE_S), up=f"{name}=8%")
    hit = fire.frames_hit[name]
    assert hit
    assert hit <= seqs(fire.session, "lost")
    refused = fire.session.counters["agent_refused" if name == "session" else "agent_protocol_errors"]
    assert refused >= len(hit)
    assert not fire.session.outages
    check_later_frames_are_fine(fire)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("dtype", "uint8 (H, W, 3)"), ("shape", "uint8 (H, W, 3)"), ("nan", "finite intrinsics")],
)
def test_frames_with_wrong_contents(start_agent, name, reason):
    fire = under_fire(start_agent(ENGINE_S), up=f"{name}=15%")
    hit = fire.frames_hit[name]
    assert hit
    assert seqs(fire.session, "rejected") == hit
    assert all(reason in said for said in fire.reasons("rejected"))
    assert fire.session.counters["agent_rejected"] == len(hit)
    check_later_frames_are_fine(fire)


@pytest.mark.parametrize(
    ("name", "reason"), [("dtype", "needs whole ids and float32"), ("shape", "has maps of"), ("nan", "finite and positive")]
)
def test_answers_with_wrong_contents(start_agent, name, reason):
    """An answer that is not one is an error of that frame; it is never scored."""
    fire = under_fire(start_agent(ENGINE_S), down=f"{name}=15%")
    assert len(seqs(fire.session, "error")) == fire.counts["down"][name] > 0
    assert all(reason in said for said in fire.reasons("error"))
    assert len(seqs(fire.session, "on_time", "late")) > 0.6 * len(fire.session.frames)


def test_two_hosts_on_one_agent(start_agent, frames):
    """The second one is refused with a reason; the run of the first one does not notice."""
    agent, refused = start_agent(ENGINE_S), []

    def intrude():
        with pytest.raises(LinkError, match="refused this host: it is serving the host"):
            Client(agent.address)
        refused.append(True)

    session = run(frames, agent, duration_s=2.4, progress=once_answered(intrude)[0])
    check_accounts(session)
    assert refused
    assert session.fault is None
    assert session.counters["agent_refused"] >= 1
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


def test_a_full_disk(start_agent, frames):
    """The run goes on at its time without its recording, and says so; the disk is the kernel's own full one."""
    with TableWriter(Path("/dev/full")) as writer:
        session = run(frames, start_agent(ENGINE_S), sinks=[writer])
    check_accounts(session)
    assert session.fault is None
    (fault,) = session.recording_faults
    assert "No space left on device" in fault
    assert any(mark.startswith("RECORDING INCOMPLETE") for mark in judge(session).marks)
    assert not seqs(session, "lost", "error", "rejected")


def test_a_slow_recorder(start_agent, frames, monkeypatch):
    """What it cannot write in time is counted, and no frame of the run waits for it."""
    monkeypatch.setattr(recorder.Recorder.__init__, "__kwdefaults__", {"capacity": 4})
    sink = _Slow()
    session = run(frames, start_agent(ENGINE_S), duration_s=3.0, warm_up=SHORT, sinks=[sink])
    check_accounts(session)
    lost = len(session.frames) - sink.written
    assert lost > 10
    assert session.recording_faults == (f"{lost} frames came faster than it was written",)
    assert not seqs(session, "lost", "error", "rejected")
    assume_steady(session)
    assert summarize(session).lateness_s["p99"] < 0.3  # a frame that waited for the sink would be
