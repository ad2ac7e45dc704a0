"""Two machines on one kernel: network namespaces with a cable that is slow, is pulled, or loses packets. Needs root."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hil.figures.latency import summarize
from hil.session import load_session
from tests.hil.conftest import SCRIPT
from tests.hil.faults.under_fire import assume_awake, check_outage, looked_at, seqs
from tests.hil.host.test_reconnect import oldest_s

HERE = Path(__file__).parent
HOST, AGENT = (f"rehearse-{side}-{os.getpid()}" for side in ("host", "agent"))
ADDRESS = "tcp://10.99.7.2:5555"


def sh(line):
    done = subprocess.run(line.split(), capture_output=True, text=True, timeout=10, check=False)
    return done.returncode == 0


def possible():
    made = os.geteuid() == 0 and shutil.which("ip") and shutil.which("tc") and sh(f"ip netns add {HOST}")
    return bool(made) and sh(f"ip netns del {HOST}")


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not possible(), reason="network namespaces need root, ip and tc (iproute2)"),
]


@pytest.fixture
def namespaces():
    """Two namespaces without a cable; they and what runs in them are gone afterwards."""
    for name in (HOST, AGENT):
        sh(f"ip netns del {name}")
        assert sh(f"ip netns add {name}")
        assert sh(f"ip -n {name} link set lo up")
    yield
    for name in (HOST, AGENT):
        subprocess.run(f"ip netns pids {name} | xargs -r kill -9", shell=True, check=False, timeout=10)
        sh(f"ip netns del {name}")


def plug(device_host, device_agent):
    """Gives both ends of a cable their addresses."""
    for name, device, number in ((HOST, device_host, 1), (AGENT, device_agent, 2)):
        assert sh(f"ip -n {name} addr add 10.99.7.{number}/30 dev {device}")
        assert sh(f"ip -n {name} link set {device} up")


@pytest.fixture
def cable(namespaces):
    """A veth pair; its ends are called `cable`."""
    assert sh(f"ip link add cable netns {HOST} type veth peer name cable netns {AGENT}")
    plug("cable", "cable")


def inside(name, *words, **options):
    command = ["ip", "netns", "exec", name, sys.executable, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def run(tmp_path, *, width=64, seconds=4.0, meanwhile=None):
    """Runs agent and host each in its namespace; returns the session and the agent's notes."""
    log, out = tmp_path / "log", tmp_path / "session.json"
    with inside(AGENT, SCRIPT, 0.004, f"log:{log}", ADDRESS) as agent:
        line = agent.stdout.readline()
        assert line.startswith("READY"), agent.stderr.read()
        with inside(HOST, HERE / "run_process.py", ADDRESS, seconds, width, out) as host:
            line = host.stdout.readline()
            assert line.startswith("RUNNING"), host.stderr.read()
            if meanwhile is not None:
                meanwhile()
            _, said = host.communicate(timeout=60)
            assert host.returncode == 0, said
        assert agent.poll() is None, "the agent is alive"
        agent.kill()
    session = load_session(out)
    assert sum(session.outcomes().values()) == len(session.due) == round(15 * seconds)
    assume_awake(session)
    return session, log


def test_a_cable_of_20_mbit(cable, tmp_path):
    """A kernel's own rate limit: 58 kB an image take 23 ms up, and as long an answer 29 ms down."""
    for name in (HOST, AGENT):
        assert sh(f"tc -n {name} qdisc add dev cable root tbf rate 20mbit burst 16kbit latency 300ms")
    session, _ = run(tmp_path, width=160)
    assert not session.outages
    assert not seqs(session, "lost", "error", "rejected")
    stages = summarize(session).stages
    assert stages["uplink"]["p50"] > 0.9 * 160 * 120 * 3 * 8 / 20e6
    assert stages["downlink"]["p50"] > 0.9 * 160 * 120 * 5 * 8 / 20e6


def test_a_cable_that_is_pulled(cable, tmp_path):
    """Nobody is told: packets just end. The host finds it within a second and comes back within two of its being plugged in."""
    plugged = []

    def pull():
        time.sleep(2.0)
        assert sh(f"ip -n {AGENT} link set cable down")
        time.sleep(2.5)
        assert sh(f"ip -n {AGENT} link set cable up")
        plugged.append(time.monotonic_ns())

    session, log = run(tmp_path, seconds=8.0, meanwhile=pull)
    outage = check_outage(session, changed=False)
    assert outage.to_ns - plugged[0] < 2e9
    assert oldest_s(session, log) < 1 / 15 + 0.5
    assert session.fault is None


def test_a_cable_that_loses_packets(namespaces, tmp_path):
    """TCP mends what is lost, at the price of time: frames come late, none is lost, and each is computed once."""
    if not Path("/dev/net/tun").exists():
        pytest.skip("a lossy cable needs /dev/net/tun")
    command = [sys.executable, str(HERE / "lossy_wire.py"), HOST, AGENT, "0.01", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wire:
        assert wire.stdout.readline() == "READY\n"
        plug("wire", "wire")
        session, log = run(tmp_path, width=160, seconds=6.0)
        wire.send_signal(signal.SIGTERM)
        passed, lost = map(int, wire.communicate(timeout=10)[0].split())
    assert lost > 10
    assert 0.003 < lost / (lost + passed) < 0.03
    assert not seqs(session, "error", "rejected")
    computed = [seq for _, seq in looked_at(log, session)]
    assert len(computed) == len(set(computed))
    assert len(seqs(session, "on_time", "late")) > 0.4 * len(session.frames)
