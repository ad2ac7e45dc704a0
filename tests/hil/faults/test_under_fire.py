"""A whole agent under every fault at once, for a minute: it lives, its memory does not grow, and every frame is accounted."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import zmq

from hil.faults.spec import SHARES
from hil.host.client import Client
from hil.outage import Outage
from tests.hil.agent.test_serve import frame_body, wait_for
from tests.hil.faults.under_fire import seqs, under_fire

SECONDS = 60.0
LINE = ",".join(f"{name}=2%" for name in SHARES) + ",delay=4ms~4ms,rate=100Mbit,cut=1.5s@12s,hold=1.5s@24s,close=1.5s@36s"
MOST_GROWN_BYTES = 48 * 2**20
MOST_OPENED = 24


def rss_bytes(process):
    fields = Path(f"/proc/{process.pid}/status").read_text().split()
    return int(fields[fields.index("VmRSS:") + 1]) * 1024


def descriptors(process):
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def hammer(address, stop, rng):
    """A stranger on the same port: bytes that are no ZeroMQ, messages that are no protocol, hosts that only say hello."""
    host, port = address.removeprefix("tcp://").split(":")
    context = zmq.Context()
    while not stop.wait(0.05):
        with socket.create_connection((host, int(port)), timeout=2.0) as connection:
            connection.sendall(rng.bytes(int(rng.integers(1, 3000))))
        dealer = context.socket(zmq.DEALER)
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.connect(address)
        for _ in range(20):
            dealer.send_multipart([b"RHSL" + rng.bytes(int(rng.integers(0, 60))) for _ in range(int(rng.integers(1, 6)))])
        dealer.close()
    context.destroy(linger=0)


def stop_for_a_while(process, after_s, stopped_s):
    time.sleep(after_s)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(stopped_s)
    os.kill(process.pid, signal.SIGCONT)


@pytest.mark.slow
def test_a_minute_under_fire(agent):
    rng, stop = np.random.default_rng(11), threading.Event()
    before = rss_bytes(agent.process), descriptors(agent.process)
    others = [
        threading.Thread(target=hammer, args=(agent.address, stop, rng)),
        threading.Thread(target=stop_for_a_while, args=(agent.process, 49.0, 1.5)),
    ]
    for other in others:
        other.start()
    try:
        fire = under_fire(agent, LINE, LINE, seed=11, rate_hz=4.9, duration_s=SECONDS, may_stall=True)
    finally:
        stop.set()
        for other in others:
            other.join(10)
    assert fire.session.fault is None
    assert len(fire.session.due) == round(4.9 * SECONDS)
    assert set(SHARES) <= set(fire.counts["up"]), "every fault was really done"
    outages = [Outage.from_dict(values) for values in fire.session.outages]
    assert len(outages) >= 4
    assert all(outage.found_s < 1.4 for outage in outages)
    assert fire.oldest_s() < 1 / 4.9 + 0.5
    assert len(seqs(fire.session, "on_time", "late")) > 0.4 * len(fire.session.frames)
    computed = [seq for _, seq in fire.looked_at]
    assert len(computed) == len(set(computed))
    time.sleep(1.0)
    assert rss_bytes(agent.process) - before[0] < MOST_GROWN_BYTES
    assert descriptors(agent.process) - before[1] < MOST_OPENED
    time.sleep(2.0)
    with Client(agent.address) as client:
        client.send_frame(frame_body(), seq=0, due_ns=0)
        assert wait_for(client).kind.name == "RESULT"
