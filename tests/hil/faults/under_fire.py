"""Runs through the fault proxy, and what holds of each of them."""

import time
from dataclasses import dataclass

import pytest

from hil.agent.staleness import STALL_S
from hil.faults import FaultProxy, parse_faults
from hil.faults.proxy import UP
from hil.figures.latency import summarize
from hil.host.client import Client
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.outage import Outage
from hil.session import Session
from scenes.errors import LinkError
from tests.hil.agent.test_serve import wait_for
from tests.hil.conftest import make_frame
from tests.hil.host.test_runner import check_accounts

SHORT = WarmUp(frames=4, seconds=0.0, windows=0)
RATE_HZ = 30.0
ENGINE_S = 0.004
MANY = [make_frame(i, 32, 24) for i in range(300)]  # as many images as frames, so that an image tells its frame


@dataclass(frozen=True)
class Fire:
    session: Session
    counts: dict
    frames_hit: dict  # name of the fault -> seqs of the frames that it was done to on their way up
    looked_at: list  # (when in ns, which frame) as the engine noted it
    counted_before: dict

    def counted(self, name):
        """What the agent counted during this run."""
        return self.session.counters[f"agent_{name}"] - self.counted_before[name]

    def oldest_s(self):
        """The age of the oldest frame when the engine began with it."""
        due_ns = {f.seq: f.due_ns for f in self.session.frames}
        return max((at - due_ns[seq]) / 1e9 for at, seq in self.looked_at)

    def hit_by(self, name):
        """The frames that this fault alone was done to on their way up."""
        others = set().union(*(seqs for other, seqs in self.frames_hit.items() if other != name))
        return self.frames_hit.get(name, set()) - others

    def reasons(self, *outcomes):
        return [f.reason for f in self.session.frames if f.outcome in outcomes]


def under_fire(agent, up="", down="", *, seed=0, rate_hz=RATE_HZ, duration_s=2.0, may_stall=False, **changes):
    """Runs a session through a proxy and checks what must hold whatever it did."""
    lines = {"up": parse_faults(up), "down": parse_faults(down)}
    before = counts_of(agent)
    with FaultProxy(agent.address, seed=seed, **lines) as proxy:
        session = run_session(
            MANY, device=proxy.address, rate_hz=rate_hz, duration_s=duration_s, warm_up=SHORT, deadline_s=1 / 15, **changes
        )
        time.sleep(0.1)
        counts, done = proxy.counts(), list(proxy.lines[UP].done)
    check_accounts(session)
    assert agent.process.poll() is None, "the agent is alive"
    if not may_stall:
        assume_awake(session)
    sent = sorted(f.seq for f in session.frames if f.send_ns is not None)
    hit = {}
    for group, number, name in done:
        if group == "frame":
            hit.setdefault(name, set()).add(sent[number])
    return Fire(session, counts, hit, looked_at(agent.log, session), before)


def assume_awake(session):
    """Skips what a machine cannot show that stood still itself, by more than a stall that its agent would drop frames for."""
    lateness_s = summarize(session).lateness_s["max"]
    if lateness_s > STALL_S / 2:
        pytest.skip(f"this machine stood still for {lateness_s:.2f} s during the run")


def counts_of(agent):
    """Asks an agent for its counts; a host whose BYE was lost keeps its lease for two seconds."""
    end = time.monotonic() + 5.0
    while (counts := _counts_now(agent)) is None:
        assert time.monotonic() < end, "the agent serves another host"
        time.sleep(0.1)
    return counts


def _counts_now(agent):
    try:
        with Client(agent.address) as client:
            client.ping()
            return wait_for(client).meta["counters"]
    except LinkError:
        return None


def looked_at(log, session):
    """Returns when the engine began with which frame of this run."""
    seq_of = {60.0 + frame.image: frame.seq for frame in session.frames}
    rows = [line.split() for line in log.read_text().splitlines()]
    start_ns = session.frames[0].due_ns
    return [(int(at), seq_of[float(fx)]) for at, fx in rows if int(at) > start_ns and float(fx) in seq_of]


def seqs(session, *outcomes):
    return {f.seq for f in session.frames if f.outcome in outcomes}


def check_later_frames_are_fine(fire):
    """After a frame that a fault hit, frames are answered again: nothing lasts beyond the fault itself."""
    hit = set().union(*fire.frames_hit.values())
    answered = seqs(fire.session, "on_time", "late")
    assert len(answered) > 0.4 * (len(fire.session.frames) - len(hit))
    first = min(hit)
    assert any(seq > first for seq in answered)


def check_outage(session, *, changed):
    """Checks the one outage of a run: found within a second, its frames lost, frames answered after it."""
    (outage,) = [Outage.from_dict(values) for values in session.outages]
    assert outage.agent_changed is changed
    assert outage.found_s < 1.0 + 0.4  # 0.9 s, and room for a machine that is busy with other tests
    inside = [f for f in session.frames if outage.found_ns < f.due_ns < outage.to_ns - 2e6]
    assert {f.outcome for f in inside} <= {"lost"}
    without = [f for f in session.frames if f.reason is not None and "the agent was gone" in f.reason]
    assert len(without) == outage.frames
    assert any(f.due_ns > outage.to_ns and f.return_ns is not None for f in session.frames)
    return outage
