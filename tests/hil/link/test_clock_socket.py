"""The comparison of clocks over real sockets: one clock, another machine's clock, a stepped one, and none at all."""

import itertools
import threading
import time

import numpy as np
import pytest
import zmq

from hil.figures.clock import ClockFit
from hil.figures.latency import summarize
from hil.figures.stages import CROSSINGS, stage_table_s
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.link.clock_socket import BURST, ClockProbe, ClockServer
from hil.link.protocol import Kind, open_message, pack, seal
from hil.link.sockets import beside, open_dealer
from hil.verdict import judge
from scenes.errors import LinkError

SHORT = WarmUp(frames=4, seconds=0.0, windows=0)


@pytest.fixture
def context():
    made = zmq.Context()
    yield made
    made.destroy(linger=0)


def run(frames, agent, **changes):
    return run_session(frames, device=agent.address, warm_up=SHORT, **{"duration_s": 2.0, **changes})


def compare(context, now=None):
    """Returns the fit of a probe against a server whose clock is `now`, both in this process."""
    server = ClockServer(context, "tcp://127.0.0.1:*", insecure=False, now=now)
    with server, ClockProbe("tcp://127.0.0.1:1", {"clock": server.where}, every_s=0.002) as probe:
        time.sleep(0.3)
    return probe.fit(), probe.exchanges


def test_one_clock_is_found_to_be_one(context):
    fit, exchanges = compare(context)
    assert len(exchanges) >= 2 * BURST
    assert fit.valid
    assert all(abs(m.offset_ns) <= m.bound_ns for m in fit.minima)
    assert all(e.t0 <= e.t1 <= e.t2 <= e.t3 for e in exchanges)


def test_a_known_offset_is_found(context):
    fit, _ = compare(context, now=lambda: time.monotonic_ns() + 7_000_000_000)
    assert all(abs(m.offset_ns - 7_000_000_000) <= m.bound_ns for m in fit.minima)


def test_a_late_answer_is_not_taken_for_that_to_the_next_question(context):
    calls = itertools.count()

    def now():  # the device stamps, and is then held up for longer than the host waits
        stamp = time.monotonic_ns()
        if next(calls) % 40 == 21:
            time.sleep(0.06)
        return stamp

    _, exchanges = compare(context, now=now)
    assert exchanges
    assert all(e.t0 <= e.t1 <= e.t2 <= e.t3 for e in exchanges)


def test_comparisons_enclose_the_run(context):
    server = ClockServer(context, "tcp://127.0.0.1:*", insecure=False)
    with server, ClockProbe("tcp://127.0.0.1:1", {"clock": server.where}) as probe:
        begin = time.monotonic_ns()
        end = time.monotonic_ns()
    assert probe.exchanges[0].t3 <= begin
    assert probe.exchanges[-1].t0 >= end


def test_foreign_bytes_do_not_stop_it(context):
    server = ClockServer(context, "tcp://127.0.0.1:*", insecure=False)
    with server:
        address = f"tcp://127.0.0.1:{server.where['port']}"
        dealer = open_dealer(context, address, b"x" * 8)
        dealer.send_multipart([b"garbage", b"\xff" * 100])
        dealer.send(b"")
        dealer.close(linger=1000)
        with ClockProbe("tcp://127.0.0.1:1", {"clock": server.where}) as probe:
            pass
    assert probe.fit().valid


@pytest.mark.parametrize("facts", [{}, {"clock": {"port": 9}}, {"clock": "yes"}, {"clock": {"port": 10**6}}])
def test_an_agent_that_does_not_answer_gives_nothing_and_holds_nobody_up(facts):
    started = time.monotonic()
    with ClockProbe("tcp://127.0.0.1:1", facts) as probe:
        pass
    assert not probe.fit().valid
    assert time.monotonic() - started < 6


def test_an_answer_that_comes_late_is_not_taken_for_the_next_one(context):
    """The device answers each ninth question 60 ms late, when the host has asked again: no exchange goes back in time."""
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    stop = threading.Event()

    def answer():
        asked = 0
        while not stop.is_set():
            if router.poll(20):
                peer, *parts = router.recv_multipart()
                received_ns, ping = time.monotonic_ns(), open_message(parts)
                asked += 1
                pong = pack(Kind.PONG, {"received_ns": received_ns, "sent_ns": time.monotonic_ns()})
                time.sleep(0.06 if asked % 9 == 0 else 0.0)
                router.send_multipart([peer, *seal(pong, session=ping.session, seq=ping.seq)])

    thread = threading.Thread(target=answer)
    thread.start()
    with ClockProbe("tcp://127.0.0.1:1", {"clock": {"port": port}}, every_s=0.002) as probe:
        time.sleep(0.3)
    stop.set()
    thread.join()
    router.close(0)
    assert len(probe.exchanges) > BURST
    assert all(e.t0 <= e.t1 <= e.t2 <= e.t3 for e in probe.exchanges)


def test_the_small_socket_stands_beside_the_large_one():
    assert beside("tcp://127.0.0.1:5555") == "tcp://127.0.0.1:5556"
    assert beside("tcp://[::1]:5555", port="7") == "tcp://[::1]:7"
    assert beside("tcp://127.0.0.1:65535") == beside("tcp://127.0.0.1:*") == "tcp://127.0.0.1:*"
    assert beside("ipc:///tmp/link") == "ipc:///tmp/link.clock"
    with pytest.raises(LinkError):
        beside("nowhere")


def test_over_loopback_the_comparison_confirms_the_common_clock(start_agent, frames):
    session = run(frames, start_agent(0.005))
    fit = ClockFit.from_dict(session.clock)
    assert session.same_clock
    assert len(fit.minima) >= 3
    assert all(abs(m.offset_ns) <= m.bound_ns for m in fit.minima)
    assert set(CROSSINGS) <= set(summarize(session).stages)


def test_another_machine_s_clock_is_put_on_the_host_s(start_agent, frames):
    """The agent's clock is 5,000 s behind and gains 200 ppm: each stage still begins when the one before it ends."""
    session = run(frames, start_agent(0.005, mode="clock:-5000,200,0,0"))
    fit = ClockFit.from_dict(session.clock)
    assert not session.same_clock
    assert fit.valid
    assert all(abs(m.offset_ns + 5000 * 10**9) < 20_000_000 for m in fit.minima)  # 200 ppm of the process's life so far
    assert "known within" in session.clock_note
    report, table = summarize(session), stage_table_s(session)
    assert set(CROSSINGS) <= set(report.stages)
    assert table.min() >= -fit.bound_ns / 1e9  # no way takes less than no time, but for the error that is stated
    latencies = [f.latency_s for f in session.due if f.latency_s is not None]
    assert table.sum(axis=1) == pytest.approx(np.array(latencies), abs=1e-9)
    assert report.stages["uplink"]["p50"] < 0.1


def test_a_step_invalidates_the_split_and_nothing_else(start_agent, frames):
    session = run(frames, start_agent(0.005, mode="clock:-5000,0,-40,2.5"), duration_s=4.0)
    report = summarize(session)
    assert ClockFit.from_dict(session.clock).steps
    assert "was stepped" in session.clock_note
    assert report.stages_note == session.clock_note
    assert set(CROSSINGS).isdisjoint(report.stages)
    assert {"capture", "mailbox", "decode", "preprocess"} <= set(report.stages)
    assert session.fault is None
    assert max(f.latency_s for f in session.due if f.latency_s is not None) < 5
    assert not any(check.status != "pass" and "clock was" in check.found for check in judge(session).checks)
