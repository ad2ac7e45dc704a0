"""A run goes on when its agent goes away: found within a second, taken back, nothing stale, every frame accounted."""

import dataclasses
import itertools
import json
import os
import signal
import threading
import time

import numpy as np
import pytest

from hil.figures.latency import summarize
from hil.figures.replay import differences, figures_of
from hil.host.client import Client
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.link.keys import make_keys
from hil.outage import Outage
from hil.recordings.table import TableWriter, load_recording
from hil.session import load_session, save_session
from hil.verdict import judge
from scenes.errors import LinkError
from tests.hil.agent.test_serve import frame_body, wait_for
from tests.hil.conftest import make_frame
from tests.hil.faults.under_fire import check_outage, looked_at
from tests.hil.host.test_runner import check_accounts, once_answered
from tests.hil.records import answered, missed, session

SHORT = WarmUp(frames=4, seconds=0.0, windows=0)
MANY = [make_frame(i, 32, 24) for i in range(120)]  # as many images as frames, so that an image tells its frame


def run(agent, frames=MANY, **changes):
    return run_session(frames, **{"device": agent.address, "duration_s": 3.0, "warm_up": SHORT, **changes})


def oldest_s(session, log):
    """Returns the age of the oldest frame when an engine began with it, from the engine's own notes."""
    due_ns = {frame.seq: frame.due_ns for frame in session.frames}
    return max((at - due_ns[seq]) / 1e9 for at, seq in looked_at(log, session))


def test_a_killed_agent_is_taken_back_when_it_was_restarted(start_agent, tmp_path):
    log, ready = tmp_path / "log", []
    agent = start_agent(0.005, mode=f"log:{log}")

    def replace():
        agent.process.kill()
        agent.process.wait()
        start_agent(0.005, mode=f"log:{log}", bind=agent.address)
        ready.append(time.monotonic_ns())

    session = run(agent, progress=once_answered(replace)[0])
    check_accounts(session)
    outage = check_outage(session, changed=True)
    assert session.fault is None
    assert outage.to_ns - ready[0] < 2e9
    assert oldest_s(session, log) < 1 / 15 + 0.3  # a stale frame would be half a second old
    verdict = judge(session)
    assert verdict.status == "FAIL"
    assert "The agent was gone during the run" in verdict.reason
    assert "as another process" in verdict.reason
    # Both processes' counts are in the sum: the one before had answered frames too.
    assert session.counters["agent_answered"] >= 0.8 * len(session.predictions)


@pytest.mark.parametrize("stopped_s", [1.2, pytest.param(2.5, marks=pytest.mark.slow)])
def test_a_stopped_agent_goes_on_without_what_waited_for_it(start_agent, tmp_path, stopped_s):
    """Frames that a kernel kept for a stopped agent are seconds old when it runs again: it looks at none of them."""
    log, resumed = tmp_path / "log", []
    agent = start_agent(0.005, mode=f"log:{log}")

    def stop():
        os.kill(agent.process.pid, signal.SIGSTOP)
        time.sleep(stopped_s)
        os.kill(agent.process.pid, signal.SIGCONT)
        resumed.append(time.monotonic_ns())

    session = run(agent, progress=once_answered(stop)[0], duration_s=2.2 + stopped_s)
    check_accounts(session)
    outage = check_outage(session, changed=False)
    assert session.fault is None
    assert outage.to_ns - resumed[0] < 2e9
    assert oldest_s(session, log) < 1 / 15 + 0.5
    assert agent.process.poll() is None


def test_what_waited_for_an_engine_while_the_agent_was_stopped_is_not_computed(start_agent, tmp_path):
    """The engine has a process of its own and runs on; the frame in the agent's mailbox is old when the agent wakes up."""
    log = tmp_path / "log"
    agent = start_agent(mode=f"process:5:make_noted:{log}")

    def stop():
        os.kill(agent.process.pid, signal.SIGSTOP)
        time.sleep(1.5)
        os.kill(agent.process.pid, signal.SIGCONT)

    session = run(agent, progress=once_answered(stop)[0], duration_s=4.0)
    check_accounts(session)
    check_outage(session, changed=False)
    assert session.counters["agent_stale"] > 0
    assert oldest_s(session, log) < 0.15 + 3 / 15 + 0.3


def test_an_encrypted_link_with_packed_answers_comes_back_as_it_was(start_agent, tmp_path):
    """The new connection has the same keys, and the agent is told again that answers are to be packed."""
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    make_keys(keys)
    agent = start_agent(0.005, keys=keys)

    def replace():
        agent.process.kill()
        agent.process.wait()
        start_agent(0.005, bind=agent.address, keys=keys)

    session = run(agent, progress=once_answered(replace)[0], duration_s=4.0, keys=keys, compress="always")
    check_accounts(session)
    check_outage(session, changed=True)
    assert session.link["encrypted"] is True
    assert session.link["answers"]["codec"] != "raw"  # as the second process says of itself


def test_a_short_stop_drops_the_frames_that_it_made_old(start_agent):
    """Shorter than an outage, longer than a frame keeps fresh: the agent itself says what was too old."""
    agent = start_agent(0.005)

    def stop():
        os.kill(agent.process.pid, signal.SIGSTOP)
        time.sleep(0.7)
        os.kill(agent.process.pid, signal.SIGCONT)

    session = run(agent, duration_s=3.0, progress=once_answered(stop)[0])
    check_accounts(session)
    assert session.fault is None
    if not session.outages:  # a busy machine may make it one
        stale = [f for f in session.frames if f.reason is not None and "s old when it came" in f.reason]
        assert len(stale) == session.counters["agent_stale"] > 0
        assert {f.outcome for f in stale} == {"dropped"}


def test_an_agent_with_another_engine_is_not_taken_back(start_agent):
    agent = start_agent(0.005)

    def replace():
        agent.process.kill()
        agent.process.wait()
        start_agent(mode="emulate:p50=5ms", bind=agent.address)

    session = run(agent, progress=once_answered(replace)[0])
    check_accounts(session)
    assert "came back with another engine" in session.fault
    assert session.outages[0]["to_ns"] is None


def test_an_agent_that_stays_away_until_the_end_is_a_fault(start_agent):
    agent = start_agent()
    session = run(agent, duration_s=2.4, progress=once_answered(agent.process.kill)[0])
    check_accounts(session)
    assert "was still gone when the run ended" in session.fault


def test_the_same_host_need_not_wait_for_its_own_lease(start_agent):
    agent = start_agent()
    with Client(agent.address) as client:
        before = client.session
        client.begin_session()
        begin = time.monotonic()
        while client.session == before or not client.knock() or (message := client.receive()) is None:
            time.sleep(0.01)
        assert message.kind.name == "WELCOME"
        assert time.monotonic() - begin < 1.0  # a lease lasts two
        client.send_frame(frame_body(), seq=0, due_ns=0)
        assert wait_for(client).kind.name in ("WELCOME", "RESULT")
        with pytest.raises(LinkError, match="refused this host"):
            Client(agent.address)


def test_a_frame_that_came_twice_is_computed_once_and_one_that_was_overtaken_never(start_agent):
    agent = start_agent()
    with Client(agent.address) as client:
        said = []
        for seq in (3, 3, 5, 4):
            client.send_frame(frame_body(), seq=seq, due_ns=0)
            message = wait_for(client)
            said.append((message.seq, message.meta.get("code", "answer")))
        assert said == [(3, "answer"), (3, "duplicate"), (5, "answer"), (4, "dropped")]


def test_outages_survive_the_disk_and_the_recording(start_agent, tmp_path):
    agent = start_agent(0.005)

    def replace():
        agent.process.kill()
        agent.process.wait()
        start_agent(0.005, bind=agent.address)

    path = tmp_path / "recording.rhil"
    with TableWriter(path) as writer:
        live = run(agent, duration_s=3.0, progress=once_answered(replace)[0], sinks=[writer])
    assert live.outages
    save_session(live, tmp_path / "session.json")
    for read in (load_session(tmp_path / "session.json"), load_recording(path)[0]):
        assert read.to_dict() == json.loads(json.dumps(live.to_dict()))
        ours, theirs = (figures_of(s, summarize(s), judge(s), None) for s in (live, read))
        assert list(differences(json.loads(json.dumps(ours)), json.loads(json.dumps(theirs)))) == []


def test_a_session_of_before_has_no_outages(tmp_path):
    values = session([answered(0, 0.01), missed(1, "lost")]).to_dict()
    del values["outages"]
    (tmp_path / "session.json").write_text(json.dumps(values))
    assert load_session(tmp_path / "session.json").outages == ()


def test_a_fault_comes_before_the_outage_that_led_to_it():
    outage = Outage(from_ns=10**12, found_ns=10**12 + 1, to_ns=None, reason="it fell silent", frames=3, agent_changed=None)
    made = session([answered(i, 0.01) for i in range(100)], outages=(outage.to_dict(),), fault="It went away.")
    assert judge(made).reason == "It went away."
    without = dataclasses.replace(made, fault=None)
    assert "it never came back" in judge(without).reason


def test_knocking_does_not_keep_an_agent_from_another_host(start_agent):
    """A host in an outage only knocks where nobody else is served: two hosts never share an agent."""
    agent = start_agent()
    first = Client(agent.address)
    try:
        time.sleep(2.1)  # its lease is over
        with Client(agent.address) as second:
            first.begin_session()
            for _ in range(5):
                first.knock()
                time.sleep(0.05)
            message = wait_for(first)
            assert (message.kind.name, message.meta["code"]) == ("ERROR", "busy")
            second.send_frame(frame_body(), seq=0, due_ns=0)
            assert wait_for(second).kind.name == "RESULT"
    finally:
        first.close()


@pytest.mark.slow
def test_threads_do_not_pile_up_over_outages(start_agent):
    before = threading.active_count()
    agent = start_agent(0.005)
    stops = itertools.count()

    def stop(progress):
        if progress.answered and next(stops) in (0, 2):
            os.kill(agent.process.pid, signal.SIGSTOP)
            time.sleep(1.2)
            os.kill(agent.process.pid, signal.SIGCONT)

    session = run(agent, progress=stop, duration_s=5.0)
    check_accounts(session)
    assert 1 <= len(session.outages) <= 2
    assert np.isfinite([f.latency_s for f in session.frames if f.latency_s is not None]).all()
    assert threading.active_count() <= before
