"""Runs through the fault proxy, and what holds of each of them."""

import time
from dataclasses import dataclass

from hil.faults import FaultProxy, parse_faults
from hil.faults.proxy import UP
from hil.outage import Outage
from hil.runner import run_session
from hil.session import Session
from hil.warm_up import WarmUp
from tests.hil.conftest import make_frame
from tests.hil.test_runner import check_accounts

SHORT = WarmUp(frames=4, seconds=0.0, windows=0)
RATE_HZ = 30.0
MANY = [make_frame(i, 32, 24) for i in range(300)]  # as many images as frames, so that an image tells its frame


@dataclass(frozen=True)
class Fire:
    session: Session
    counts: dict
    frames_hit: dict  # name of the fault -> seqs of the frames that it was done to on their way up

    def reasons(self, *outcomes):
        return [f.reason for f in self.session.frames if f.outcome in outcomes]


def under_fire(agent, up="", down="", *, seed=0, rate_hz=RATE_HZ, duration_s=3.0, **changes):
    """Runs a session through a proxy and checks what must hold whatever it did."""
    lines = {"up": parse_faults(up), "down": parse_faults(down)}
    with FaultProxy(agent.address, seed=seed, **lines) as proxy:
        session = run_session(
            MANY, device=proxy.address, rate_hz=rate_hz, duration_s=duration_s, warm_up=SHORT, deadline_s=1 / 15, **changes
        )
        time.sleep(0.1)
        counts, done = proxy.counts(), list(proxy.lines[UP].done)
    check_accounts(session)
    assert agent.process.poll() is None, "the agent is alive"
    sent = sorted(f.seq for f in session.frames if f.send_ns is not None)
    hit = {}
    for group, number, name in done:
        if group == "frame":
            hit.setdefault(name, set()).add(sent[number])
    return Fire(session, counts, hit)


def seqs(session, *outcomes):
    return {f.seq for f in session.frames if f.outcome in outcomes}


def check_later_frames_are_fine(fire):
    """After a frame that a fault hit, frames are answered again: nothing lasts beyond the fault itself."""
    hit = set().union(*fire.frames_hit.values())
    answered = seqs(fire.session, "on_time", "late")
    assert len(answered) > 0.5 * (len(fire.session.frames) - len(hit))
    first = min(hit)
    assert any(seq > first for seq in answered)


def ages_processed_s(session, log):
    """Returns the age of every frame of the run when an engine began with it, from the engine's own notes."""
    due_ns = {60.0 + frame.image: frame.due_ns for frame in session.frames}
    rows = [line.split() for line in log.read_text().splitlines()]
    return [(int(at) - due_ns[float(fx)]) / 1e9 for at, fx in rows if float(fx) in due_ns]


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
